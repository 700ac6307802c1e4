//! Certificates and registrations, and how they end.

use super::*;

#[test]
fn certificates_are_told_by_their_ends() {
    let desk = Desk::new();
    let key = rsa_key();
    let rest = "client_id = \"bank\"\nscopes = [\"bank:saldo\"]\nkey = \"file:rsa.pem\"\n\
                certificate = \"file:rsa.crt\"";
    // Valid from two days ago.
    for (days, status) in [(1, "failed"), (22, "warning"), (400, "ok")] {
        let x509 = certificate(&key, None, &OrgId::SerialNumber(ORG), days);
        desk.write("rsa.crt", &x509.to_pem().unwrap());
        let found = desk.json(&desk.client("bank", rest), &["--no-token"]);
        let finding = found.get("bank", "certificate");
        assert_eq!(finding["status"], status, "{finding}");
        let is_expired = status == "failed";
        assert_eq!(found.code, Some(i32::from(is_expired)));
        match status {
            "ok" => says(finding, "what", &format!("orgno {ORG}")),
            _ => says(finding, "remedy", "renew it"),
        }
        let settings = if is_expired { "skipped" } else { "ok" };
        assert_eq!(found.get("bank", "settings")["status"], settings);
        assert_eq!(found.get("bank", "network")["status"], "ok", "it goes on");
        assert_eq!(found.get("bank", "registration")["status"], "skipped");
    }
    let other = certificate(&p256_key(), None, &OrgId::SerialNumber(ORG), 400);
    desk.write("rsa.crt", &other.to_pem().unwrap());
    let found = desk.json(&desk.client("bank", rest), &[]);
    assert_eq!(found.get("bank", "key")["name"], "CERTIFICATE_MISMATCH");
    assert_eq!(found.code, Some(1));
}

#[test]
fn a_certificate_of_the_other_environment_is_told() {
    let desk = Desk::new();
    for (authority, environment, check, status) in [
        ("Buypass Class 3 CA", "test", "certificate", "warning"),
        ("Buypass Class 3 CA", "prod", "certificate", "ok"),
        ("Buypass Class 3 Test4 CA", "test", "certificate", "ok"),
        ("Buypass Class 3 Test4 CA", "prod", "settings", "failed"),
    ] {
        let x509 = issued_by(authority);
        desk.write("rsa.crt", &x509.to_pem().unwrap());
        let toml = format!(
            "[clients.bank]\nprofile = \"maskinporten\"\nenvironment = \"{environment}\"\nclient_id = \"c\"\n\
             token_endpoint = \"{}\"\nkey = \"file:rsa.pem\"\ncertificate = \"file:rsa.crt\"\n",
            desk.simulator.urls().maskinporten_token_endpoint
        );
        let found = desk.json(&toml, &["--no-token"]);
        let finding = found.get("bank", check);
        assert_eq!(
            finding["status"], status,
            "{authority}, {environment}: {finding}"
        );
        if status != "ok" {
            assert!(finding.to_string().contains("MP-120"), "{finding}");
        }
    }
}

/// A certificate for [`rsa_key`] from an authority of this name.
fn issued_by(authority: &str) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", authority).unwrap();
    let name = name.build();
    let key = p256_key();
    let mut builder = X509::builder().unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let issuer = builder.build();
    certificate(&rsa_key(), Some((&key, &issuer)), &OrgId::Nothing, 400)
}

#[test]
fn settings_that_do_not_fit_the_certificate_are_named() {
    let desk = Desk::new();
    let x509 = certificate(&rsa_key(), None, &OrgId::SerialNumber(ORG), 400);
    desk.write("rsa.crt", &x509.to_pem().unwrap());
    let rest = "client_id = \"bank\"\nscopes = [\"bank:saldo\"]\nkey = \"file:rsa.pem\"\n\
                certificate = \"file:rsa.crt\"\norgno = \"974760673\"";
    let found = desk.json(&desk.client("bank", rest), &[]);
    let settings = found.get("bank", "settings");
    assert_eq!(settings["config_path"], "clients.bank.orgno");
    assert_eq!(settings["name"], "CONFIG");
    assert_eq!(found.get("bank", "token")["status"], "skipped");
    assert_eq!(found.code, Some(1));
}

#[test]
fn registrations_are_told_by_the_settings_or_by_the_service() {
    let desk = Desk::new();
    let soon = UnixTime::from_seconds(now() + 10 * DAY).to_string();
    let near = desk.bank().replace("2099-01-01", &soon);
    let registration = |toml: &str, arguments: &[&str]| {
        let found = desk.json(toml, arguments);
        (found.get("bank", "registration").clone(), found.code)
    };
    let (finding, code) = registration(&near, &["--no-token"]);
    assert_eq!((&finding["status"], code), (&"warning".into(), Some(0)));
    says(&finding, "remedy", "registered_until");
    let silent = desk
        .bank()
        .replace("registered_until", "# registered_until");
    let (finding, _) = registration(&silent, &["--no-token"]);
    assert_eq!(finding["status"], "note");
    says(&finding, "remedy", "--admin");

    let admin = desk.client(
        "admin",
        "client_id = \"admin\"\nscopes = [\"idporten:dcr.read\"]\nkey = \"file:rsa.pem\"\nkid = \"file\"",
    );
    let asked = ["bank", "--admin", "admin"];
    let (finding, code) = registration(&format!("{silent}{admin}"), &asked);
    assert_eq!(
        (&finding["status"], code),
        (&"ok".into(), Some(0)),
        "{finding}"
    );
    says(&finding, "what", "days left");
    let (finding, code) = registration(
        &format!("{}{admin}", near.replace("\"file\"", "\"gone\"")),
        &asked,
    );
    assert_eq!(
        (&finding["name"], code),
        (&"KEY_REGISTRATION".into(), Some(1)),
        "{finding}"
    );
    let (finding, code) = registration(&silent, &asked);
    assert_eq!(
        (&finding["name"], code),
        (&"CONFIG".into(), Some(1)),
        "no such client"
    );
}

#[test]
fn the_certificate_of_tls_is_told_by_its_end_too() {
    let desk = Desk::new();
    let tls = "[clients.bank.tls]\nkey = \"file:ec.pem\"\ncertificate = \"file:tls.crt\"\n";
    let toml = format!("{}{tls}", desk.bank());
    for (days, status) in [(1, "failed"), (22, "warning"), (400, "ok")] {
        let x509 = certificate(&p256_key(), None, &OrgId::Nothing, days);
        desk.write("tls.crt", &x509.to_pem().unwrap());
        let found = desk.json(&toml, &["--no-token"]);
        let finding = found.get("bank", "tls_certificate");
        assert_eq!(finding["status"], status, "{finding}");
        assert_eq!(found.code, Some(i32::from(status == "failed")));
        match status {
            "ok" => says(
                finding,
                "what",
                "is the key's, which signs for TLS 1.2 and 1.3",
            ),
            _ => says(finding, "remedy", "renew it"),
        }
    }
    let key = p256_key();
    let for_servers = authority::Authority::new("A").server(&key, &["localhost"], 0..400);
    desk.write("tls.crt", &for_servers.to_pem().unwrap());
    let found = desk.json(&toml, &["--no-token"]);
    let finding = found.get("bank", "tls_certificate");
    assert_eq!(finding["status"], "warning", "{finding}");
    says(finding, "what", "lacks clientAuth");
    let other = certificate(&rsa_key(), None, &OrgId::Nothing, 400);
    desk.write("tls.crt", &other.to_pem().unwrap());
    let found = desk.json(&toml, &["--no-token"]);
    let finding = found.get("bank", "tls_certificate");
    assert_eq!(finding["name"], "CERTIFICATE_MISMATCH");
    assert_eq!(finding["config_path"], "clients.bank.tls.certificate");
}
