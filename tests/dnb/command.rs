//! `segl register dnb`, as a person or a program runs it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{claims, ec_key, pem, rsa_key};

struct Home(tempfile::TempDir);

impl Home {
    fn new(client: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for name in ["first.pem", "second.pem"] {
            let key = ec_key(openssl::nid::Nid::X9_62_PRIME256V1);
            home.write(name, &pem(&key));
        }
        home.write("rsa.pem", &pem(&rsa_key()));
        let config = format!("[clients.bank]\nprofile = \"dnb\"\n{client}\n");
        home.write("segl.toml", config.as_bytes());
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn run(&self, more: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_segl"))
            .args(["register", "dnb", "bank"])
            .args(more)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Standard output and standard error of a run that succeeds.
    fn ok(&self, more: &[&str]) -> (String, String) {
        let output = self.run(more);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        (String::from_utf8(output.stdout).unwrap(), stderr)
    }

    fn error(&self, more: &[&str]) -> Value {
        let output = self.run(&[more, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        error["error"].clone()
    }
}

const ONE: &str = "key = \"file:first.pem\"";

#[test]
fn a_pipe_gets_the_jwt_and_a_person_what_to_do() {
    let home = Home::new(ONE);
    let (stdout, stderr) = home.ok(&[]);
    let jwt = stdout.trim_end();
    assert_eq!(stdout, format!("{jwt}\n"));
    let claims = claims(jwt);
    let kid = claims["cnf"]["jwk"]["kid"].as_str().unwrap();
    let expires = segl::clock::UnixTime::from_seconds(claims["exp"].as_i64().unwrap());
    for said in [
        "contact form on developer.dnb.no",
        &format!("before {expires}"),
        "There is no API for it",
        "the client_id. Set it in [clients.bank]",
        &format!("it is {kid} here"),
        "segl token bank",
    ] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert!(!stderr.contains(jwt), "{stderr}");
}

#[test]
fn a_client_that_dnb_knows_gets_one_more_key() {
    let home = Home::new(&format!("client_id = \"76aec8f8\"\n{ONE}"));
    let (_, stderr) = home.ok(&[]);
    assert!(
        stderr.contains("one more of the client 76aec8f8, and that the others stay"),
        "{stderr}"
    );
    assert!(!stderr.contains("answers with the client_id"), "{stderr}");
}

#[test]
fn it_goes_into_a_file_that_is_not_overwritten() {
    let home = Home::new(ONE);
    let (stdout, stderr) = home.ok(&["--out", "registration.jwt"]);
    assert_eq!(stdout, "");
    assert!(stderr.contains("Send registration.jwt to DNB"), "{stderr}");
    let written = std::fs::read_to_string(home.path("registration.jwt")).unwrap();
    assert_eq!(
        claims(written.trim_end())["aud"],
        "https://api.ciam.dnb.no/clients/v1"
    );
    let error = home.error(&["--out", "registration.jwt"]);
    assert_eq!(error["name"], "IO");
    assert_eq!(
        std::fs::read_to_string(home.path("registration.jwt")).unwrap(),
        written
    );
}

#[test]
fn programs_get_all_of_it_as_json() {
    let home = Home::new(ONE);
    let (stdout, stderr) = home.ok(&["--json", "--out", "r.jwt"]);
    assert_eq!(stderr, "");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    let jwt = json["registration"].as_str().unwrap();
    let claims = claims(jwt);
    assert_eq!(
        std::fs::read_to_string(home.path("r.jwt")).unwrap(),
        format!("{jwt}\n")
    );
    for (member, value) in [
        ("kid", &claims["cnf"]["jwk"]["kid"]),
        ("thumbprint", &claims["cnf"]["jwk"]["kid"]),
        ("audience", &claims["aud"]),
        ("issued_at", &claims["iat"]),
        ("expires_at", &claims["exp"]),
        ("extractable", &Value::Bool(true)),
        ("client_id", &Value::Null),
        ("file", &Value::from("r.jwt")),
    ] {
        assert_eq!(&json[member], value, "{member}");
    }
}

#[test]
fn the_second_key_signs_its_own() {
    let home = Home::new("keys = [{ key = \"file:first.pem\" }, { key = \"file:second.pem\" }]");
    let kid = |more: &[&str]| {
        let (jwt, _) = home.ok(more);
        claims(jwt.trim_end())["cnf"]["jwk"]["kid"].clone()
    };
    assert_eq!(kid(&[]), kid(&["--key", "0"]));
    assert_ne!(kid(&[]), kid(&["--key", "1"]));
    let error = home.error(&["--key", "2"]);
    assert_eq!(error["name"], "INVALID_ARGUMENT");
}

#[test]
fn what_dnb_would_not_take_is_not_made() {
    for (client, name, path) in [
        ("key = \"file:rsa.pem\"", "KEY_TYPE", Value::Null),
        (
            "key = \"file:first.pem\"\nregistration_lifetime_seconds = 2592001",
            "CONFIG",
            Value::from("clients.bank.registration_lifetime_seconds"),
        ),
    ] {
        let error = Home::new(client).error(&["--out", "never.jwt"]);
        assert_eq!(error["name"], name, "{error}");
        if !path.is_null() {
            assert_eq!(error["config_path"], path, "{error}");
        }
    }
    let other = "key = \"file:rsa.pem\"\nkid = \"k\"\nclient_id = \"c\"\nenvironment = \"test\"";
    let home = Home::new("");
    let config = format!("[clients.bank]\nprofile = \"maskinporten\"\n{other}\n");
    home.write("segl.toml", config.as_bytes());
    assert_eq!(home.error(&[])["name"], "UNSUPPORTED");
}

#[test]
fn a_key_that_may_be_copied_is_warned_of_and_one_that_cannot_is_not() {
    let home = Home::new(ONE);
    let (_, stderr) = home.ok(&[]);
    assert!(
        stderr.contains("Warning: this key can be copied"),
        "{stderr}"
    );

    let hsm = crate::softhsm::SoftHsm::new("dnb-register");
    hsm.init_token("bank");
    hsm.generate("bank", "EC:prime256v1", "01", "dnb", &[]);
    std::fs::write(hsm.path("pin"), crate::softhsm::PIN).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(hsm.path("pin"), private).unwrap();
    }
    let key = format!(
        "key = \"pkcs11:token=bank;object=dnb?module-path={}&pin-source=file:{}\"",
        crate::softhsm::module(),
        hsm.path("pin").display()
    );
    let (_, stderr) = Home::new(&key).ok(&[]);
    assert!(!stderr.contains("Warning"), "{stderr}");
    assert!(stderr.contains("What to do now"), "{stderr}");
}
