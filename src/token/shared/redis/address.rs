//! Where the server is, from the settings.

use std::fmt;
use std::time::Duration;

use redis::{
    Client, Connection, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult,
    TlsCertificates,
};
use url::Url;

use crate::error::Result;
use crate::file;
use crate::profiles::SharedCacheSettings;
use crate::token::shared::configured::{read_secret, wrong};

/// A server, and how to log in there. `Display` shows the server alone.
pub(super) struct Address {
    client: Client,
    display: String,
}

impl Address {
    pub(super) fn from_settings(settings: &SharedCacheSettings) -> Result<Self> {
        let Some(text) = &settings.url else {
            return Err(wrong(
                "url",
                "is missing; write redis://HOST, rediss://HOST or redis+unix:///PATH",
            ));
        };
        let mut info = connection_info(text.expose())?;
        let mut login = info.redis_settings().clone().set_skip_set_lib_name();
        if let Some(source) = &settings.password {
            if login.password().is_some() {
                return Err(wrong(
                    "password",
                    "stands beside a password in \"url\"; keep one of them",
                ));
            }
            let password = read_secret("password", "password", source)?;
            let password = std::str::from_utf8(password.expose())
                .map_err(|_| wrong("password", "leads to text that is not UTF-8"))?;
            login = login.set_password(password);
        }
        info = info.set_redis_settings(login);
        let display = match info.addr() {
            ConnectionAddr::Unix(path) => format!("Redis at {}", path.display()),
            ConnectionAddr::Tcp(host, port) => format!("Redis at {host}:{port}"),
            ConnectionAddr::TcpTls { host, port, .. } => {
                choose_crypto();
                format!("Redis at {host}:{port} (TLS)")
            }
            _ => "Redis".to_owned(),
        };
        Ok(Self {
            client: client(info, settings)?,
            display,
        })
    }

    /// A connection that is logged in. Each of its reads and writes ends after
    /// `timeout`.
    pub(super) fn connect(&self, timeout: Duration) -> RedisResult<Connection> {
        let connection = self.client.get_connection_with_timeout(timeout)?;
        connection.set_read_timeout(Some(timeout))?;
        connection.set_write_timeout(Some(timeout))?;
        Ok(connection)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

/// No error repeats the text, which may hold a password.
fn connection_info(text: &str) -> Result<ConnectionInfo> {
    let refusal = || {
        wrong(
            "url",
            "is not redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE], the same with rediss:// for TLS, \
             or redis+unix:///PATH[?db=DATABASE]; percent-encode what is special in user and password",
        )
    };
    let url = Url::parse(text).map_err(|_| refusal())?;
    let is_unix = match url.scheme() {
        "redis" | "rediss" | "valkey" | "valkeys" => false,
        "redis+unix" | "valkey+unix" | "unix" => true,
        _ => return Err(refusal()),
    };
    // A fragment can switch the check of the server's certificate off.
    if url.fragment().is_some() {
        return Err(wrong("url", "has a part after \"#\"; remove it"));
    }
    let is_known = |name: &str| is_unix && matches!(name, "db" | "user" | "pass");
    if let Some((name, _)) = url.query_pairs().find(|(name, _)| !is_known(name)) {
        let problem = format!(
            "has the parameter \"{}\", which is unknown here; remove it",
            name.escape_debug()
        );
        return Err(wrong("url", &problem));
    }
    url.into_connection_info().map_err(|_| refusal())
}

fn client(info: ConnectionInfo, settings: &SharedCacheSettings) -> Result<Client> {
    let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
    let Some(path) = &settings.ca_file else {
        return Client::open(info).map_err(|_| wrong("url", "cannot be used with this build"));
    };
    if !is_tls {
        return Err(wrong(
            "ca_file",
            "is of use with TLS only; write rediss:// in \"url\" or remove it",
        ));
    }
    let pem = file::read(path, "certificates of the shared cache")
        .map_err(|error| wrong("ca_file", &format!("is of no use: {}", error.message())))?;
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: Some(pem.to_vec()),
    };
    match openssl::x509::X509::stack_from_pem(&pem) {
        Ok(found) if !found.is_empty() => {}
        _ => return Err(wrong("ca_file", "names a file without certificates in PEM")),
    }
    Client::build_with_tls(info, certificates)
        .map_err(|_| wrong("ca_file", "names certificates that cannot be used"))
}

/// The client asks for the process's provider of cryptography and panics when there is
/// none to choose. One that the program has chosen stays.
fn choose_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
