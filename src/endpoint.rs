//! URLs that a secret may be sent to.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use crate::error::{Error, ErrorCode, Result};
use crate::person_id::without_numbers;

/// An `https` URL, or an `http` one on the loopback interface. It holds no user
/// name, password or fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(Url);

impl Endpoint {
    /// As [`FromStr`], and also a plain http URL at an address at which a cloud gives
    /// its machines their credentials: link-local, so that nothing leaves the host.
    #[cfg(feature = "awskms")]
    pub(crate) fn of_machine(text: &str) -> Result<Self> {
        let is_of_machine = |url: &Url| {
            let address = match url.host() {
                Some(Host::Ipv4(address)) => address.to_string(),
                Some(Host::Ipv6(address)) => address.to_string(),
                _ => return false,
            };
            MACHINE_ADDRESSES.contains(&address.as_str())
        };
        let is_clean = |url: &Url| {
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
        };
        match Url::parse(text) {
            Ok(url) if url.scheme() == "http" && is_of_machine(&url) && is_clean(&url) => {
                Ok(Self(url))
            }
            _ => text.parse(),
        }
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Host and port, for messages.
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// True for this URL and all below it: the same scheme, host and port, and a path
    /// that goes on after this one's at a `/`.
    pub fn covers(&self, other: &Self) -> bool {
        if self.0.origin() != other.0.origin() {
            return false;
        }
        let base = self.0.path().trim_end_matches('/');
        let rest = other.0.path().strip_prefix(base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Scheme, host and port (RFC 6454 section 6.1), the port left out where it is the
    /// scheme's usual one.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The URL without its query.
    pub fn without_query(&self) -> String {
        let mut url = self.0.clone();
        url.set_query(None);
        url.into()
    }

    /// The path.
    #[cfg(feature = "awskms")]
    pub(crate) fn path(&self) -> &str {
        self.0.path()
    }

    /// The query, without the question mark; empty when there is none.
    #[cfg(feature = "awskms")]
    pub(crate) fn query(&self) -> &str {
        self.0.query().unwrap_or_default()
    }

    /// True for plain http, which never leaves this machine.
    pub(crate) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }
}

/// Of EC2's instance metadata, of ECS and of EKS.
#[cfg(feature = "awskms")]
const MACHINE_ADDRESSES: [&str; 5] = [
    "169.254.169.254",
    "fd00:ec2::254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::23",
];

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |problem: &str| Error::new(ErrorCode::Url, format!("the URL {problem}"));
        let url = Url::parse(text).map_err(|source| {
            refuse(&format!(
                "cannot be read ({source}; not shown, as it may hold a password); give for example https://host/token"
            ))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("holds a user name or password; leave them out"));
        }
        let shown = shown(&url);
        if url.fragment().is_some() {
            return Err(refuse(&format!(
                "{shown} has a fragment (#…); leave it out"
            )));
        }
        match url.scheme() {
            "https" if url.host().is_some() => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(refuse(&format!(
                "{shown} is not https; plain http is allowed on 127.0.0.1, [::1] and localhost only"
            ))),
            _ => Err(refuse(&format!("{shown} is not https"))),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// What a query asks for may be a person's, and so may a long number in the path.
fn shown(url: &Url) -> String {
    without_numbers(&url[..url::Position::AfterPath])
}

/// Shows neither the query nor numbers of 11 digits, which may be a person's.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&shown(&self.0)).finish()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_in_urls_are_not_shown() {
        let url: Endpoint = "https://api.example/v1/23079422568?of=05848998356"
            .parse()
            .unwrap();
        assert_eq!(
            format!("{url:?}"),
            r#"Endpoint("https://api.example/v1/[redacted]")"#
        );
        for text in [
            "http://api.example/23079422568",
            "https://api.example/23079422568#x",
            "ftp://api.example/23079422568",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert!(
                error.message().contains("api.example/[redacted]"),
                "{error}"
            );
        }
    }
}
