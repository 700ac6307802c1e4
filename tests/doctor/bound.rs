//! Clients whose tokens are bound: DNB's to a client certificate, HelseID's to a key
//! of DPoP. Over https.

use super::*;
use crate::authority::{Authority, Days, VALID};

/// Issues what the simulator's DNB takes.
static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("A qualified CA"));

/// A desk whose simulator has https with these lines in `[tls]`, and the clients `dnb`
/// and `helseid`.
fn desk(tls: &str) -> Desk {
    let trusted = String::from_utf8(AUTHORITY.pem()).unwrap();
    let ec = signer(&p256_key()).public_key().clone();
    let ec = Value::Object(ec.to_registration("ec", Algorithm::ES256));
    let simulated = format!(
        "[tls]\ntrusted_certificates = ['''{trusted}''']\n{tls}\n\
         [[dnb.clients]]\nclient_id = 'dnb'\nscopes = ['a:b']\njwks = '[{ec}]'\n\
         [[helseid.clients]]\nclient_id = 'helseid'\nscopes = ['a:b']\njwks = '[{ec}]'\n"
    );
    let desk = Desk::with(Arc::new(SystemClock), &simulated);
    let ca = desk.simulator.ca_pem().unwrap();
    desk.write("ca.pem", ca.as_bytes());
    desk
}

/// A certificate for the RSA key in the HSM, in the file `tls.pem`.
fn certify(desk: &Desk, authority: &Authority, days: Days) {
    let uri = softhsm::uri("token=healthy;object=rsa");
    let uri = segl::KeyUri::Pkcs11(uri);
    let signer = segl::keys::open(&uri, softhsm::pin(), &segl::Call::none()).unwrap();
    let public = signer.public_key().to_spki_der().unwrap();
    let public = PKey::public_key_from_der(&public).unwrap();
    let x509 = authority.client(&public, "bank", days);
    desk.write("tls.pem", &x509.to_pem().unwrap());
}

fn clients(desk: &Desk) -> String {
    let urls = desk.simulator.urls().https.as_ref().unwrap();
    let in_token = desk.on_token("healthy", softhsm::module(), "pin");
    format!(
        "[clients.dnb]\nprofile = 'dnb'\nissuer = '{dnb}'\ndiscovery = true\nclient_id = 'dnb'\n\
         key = 'file:ec.pem'\nkid = 'ec'\nscopes = ['a:b']\n\
         [clients.dnb.tls]\nkey = '{in_token}'\ncertificate = 'file:tls.pem'\nca_file = 'ca.pem'\n\
         [clients.helseid]\nprofile = 'helseid'\nissuer = '{helseid}'\ndiscovery = true\n\
         client_id = 'helseid'\nkey = 'file:ec.pem'\nkid = 'ec'\nscopes = ['a:b']\n\
         [clients.helseid.dpop]\nkey = '{in_token}'\n\
         [clients.helseid.tls]\nca_file = 'ca.pem'\n",
        dnb = urls.dnb_issuer,
        helseid = urls.helseid_issuer,
    )
}

/// The checks that did not end as well as they should.
fn unwell<'a>(found: &'a Findings, client: &str) -> Vec<(&'a str, &'a str)> {
    let is_bad = |status: &str| ["warning", "failed"].contains(&status);
    let mut all = found.all.iter().filter(|f| f["client"] == client);
    let mut bad = Vec::new();
    for finding in all.by_ref() {
        let (check, status) = (&finding["check"], finding["status"].as_str().unwrap());
        if is_bad(status) {
            bad.push((check.as_str().unwrap(), status));
        }
    }
    bad
}

#[test]
fn both_are_well() {
    for tls in ["", "client_certificates = 'require'"] {
        let desk = desk(tls);
        certify(&desk, &AUTHORITY, VALID);
        let only_dnb = ["dnb"];
        let arguments = if tls.is_empty() { &[][..] } else { &only_dnb };
        let found = desk.json(&clients(&desk), arguments);
        assert_eq!(found.code, Some(0), "{:#?}", found.all);
        assert_eq!(unwell(&found, "dnb"), []);
        for check in ["tls_certificate", "network", "clock", "token"] {
            assert_eq!(found.get("dnb", check)["status"], "ok");
        }
        says(
            found.get("dnb", "tls_certificate"),
            "what",
            "TLS 1.2 and 1.3",
        );
        let requests = desk.simulator.requests();
        assert_eq!(requests.dnb_issued, 1);
        if tls.is_empty() {
            assert_eq!(unwell(&found, "helseid"), []);
            assert_eq!(found.get("helseid", "token")["status"], "ok");
            assert_eq!((requests.helseid_issued, requests.dpop_accepted), (1, 1));
        }
    }
}

#[test]
fn a_tls_key_that_is_not_the_certificates_is_told() {
    let desk = desk("");
    let x509 = AUTHORITY.client(&p256_key(), "bank", VALID);
    desk.write("tls.pem", &x509.to_pem().unwrap());
    let found = desk.json(&clients(&desk), &["dnb"]);
    let finding = found.get("dnb", "tls_certificate");
    assert_eq!(finding["name"], "CERTIFICATE_MISMATCH", "{finding:#}");
    assert_eq!(finding["config_path"], "clients.dnb.tls.certificate");
    for check in ["settings", "network", "token"] {
        assert_eq!(found.get("dnb", check)["status"], "skipped", "said once");
    }
    assert_eq!(found.code, Some(1));

    let toml = clients(&desk).replace("object=rsa", "object=gone");
    let found = desk.json(&toml, &["dnb"]);
    let finding = found.get("dnb", "tls_certificate");
    assert_eq!(finding["name"], "KEY_NOT_FOUND", "{finding:#}");
    assert_eq!(found.code, Some(1));
}

#[test]
fn a_certificate_that_the_server_does_not_take_is_told() {
    let stranger = Authority::new("A stranger");
    for (tls, check, name) in [
        ("", "token", "TOKEN_INVALID_CLIENT"),
        (
            "client_certificates = 'require'",
            "network",
            "CLIENT_CERTIFICATE_REFUSED",
        ),
    ] {
        let desk = desk(tls);
        certify(&desk, &stranger, VALID);
        let found = desk.json(&clients(&desk), &["dnb"]);
        let finding = found.get("dnb", check);
        assert_eq!(finding["name"], name, "{finding:#}");
        assert_eq!(found.code, Some(1));
    }
}

#[test]
fn a_tls_certificate_that_ends_is_told_while_it_works() {
    let desk = desk("");
    certify(&desk, &AUTHORITY, -2..20);
    let found = desk.json(&clients(&desk), &["dnb"]);
    assert_eq!(unwell(&found, "dnb"), [("tls_certificate", "warning")]);
    says(found.get("dnb", "tls_certificate"), "remedy", "renew it");
    assert_eq!(found.get("dnb", "token")["status"], "ok");
    assert_eq!(found.code, Some(0));
}

#[test]
fn a_missing_ca_file_is_told() {
    let desk = desk("");
    certify(&desk, &AUTHORITY, VALID);
    let gone = clients(&desk).replace("'ca.pem'", "'gone.pem'");
    let found = desk.json(&gone, &[]);
    for client in ["dnb", "helseid"] {
        let path = format!("clients.{client}.tls.ca_file");
        let told: Vec<_> = found
            .all
            .iter()
            .filter(|f| f["client"] == client && f["config_path"] == path.as_str())
            .collect();
        assert_eq!(told.len(), 1, "said once: {:#?}", found.all);
        says(told[0], "what", "gone.pem");
        says(told[0], "remedy", "correct the path");
        says(
            found.get(client, "network"),
            "what",
            "see the failure of \"settings\"",
        );
        assert_eq!(found.get(client, "token")["status"], "skipped");
    }
    assert_eq!(found.code, Some(1));

    // Left out, the operating system's authorities count, which do not know this one.
    let left_out = clients(&desk).replace("ca_file = 'ca.pem'\n", "");
    let found = desk.json(&left_out, &[]);
    for client in ["dnb", "helseid"] {
        let network = found.get(client, "network");
        assert_eq!(network["name"], "TLS", "{network:#}");
        says(network, "remedy", "ca_file");
    }
    assert_eq!(found.code, Some(1));
}
