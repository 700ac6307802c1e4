//! Every kind of key, in each version of TLS.

use openssl::pkcs12::Pkcs12;
use segl::Signer;
use serde_json::{Value, json};

use crate::authority::VALID;
use crate::openssl_server::OpensslServer;
use crate::support::{p256_key, pem, rsa_key, signer};
use crate::{Counting, client, open, page, uri, world};

const VERSIONS: [(&str, &str); 2] = [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")];

/// The server lets the client in, as `name`.
fn gets_in(tls: &Value, given: Option<std::sync::Arc<dyn Signer>>, name: &str) {
    for (argument, version) in VERSIONS {
        let server = OpensslServer::insisting(&world().authority, &[argument]);
        let page = page(&client(tls, given.clone()).unwrap(), &server.url());
        assert!(page.contains(&format!("New, {version},")), "{page}");
        assert!(
            page.contains(&format!("Subject: C=NO, CN={name}\n")),
            "{page}"
        );
    }
}

#[test]
fn keys_in_files() {
    let world = world();
    for (name, key) in [("file-ec", p256_key()), ("file-rsa", rsa_key())] {
        let mut tls = world.tls(&*signer(&key), name);
        tls["key"] = json!(world.file(&format!("{name}.key"), &pem(&key)));
        gets_in(&tls, None, name);
    }
}

#[test]
fn a_pkcs12_file_has_both() {
    let world = world();
    for (name, key) in [("p12-ec", p256_key()), ("p12-rsa", rsa_key())] {
        let certificate = world.certify(&*signer(&key), name, VALID);
        let bytes = Pkcs12::builder().pkey(&key).cert(&certificate).build2("p");
        let uri = world.file(&format!("{name}.p12"), &bytes.unwrap().to_der().unwrap());
        let passphrase = world.secret("passphrase", b"p");
        let tls = json!({
            "key": format!("{uri}?pin-source=file:{}", passphrase.display()),
            "ca_file": world.dir.join("ca.pem"),
        });
        gets_in(&tls, None, name);
    }
}

#[test]
fn keys_in_a_token() {
    let world = world();
    let module = world.module("every-version");
    for (name, object) in [("token-ec", "ec"), ("token-rsa", "rsa")] {
        let mut tls = world.tls(&*open(&module, "every-version", object), name);
        tls["key"] = json!(uri(&module, "every-version", object));
        module.reset_counters();
        gets_in(&tls, None, name);
        assert!(module.calls("C_Sign") >= 2, "the token signed");
    }
}

#[test]
fn a_certificate_beside_the_key_in_a_token() {
    let world = world();
    let module = world.module("beside");
    let certificate = world.certify(&*open(&module, "beside", "ec"), "beside", VALID);
    let der = world.write("beside.der", &certificate.to_der().unwrap());
    let write = ["--write-object", der.to_str().unwrap(), "--type", "cert"];
    let named = ["--id", "02", "--label", "ec"];
    let login = ["--token-label", "beside", "--login", "--pin", crate::PIN];
    let arguments = [
        &["--module", crate::softhsm::module()],
        &login[..],
        &write,
        &named,
    ]
    .concat();
    let output = std::process::Command::new("pkcs11-tool")
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let tls = json!({
        "key": uri(&module, "beside", "ec"),
        "ca_file": world.dir.join("ca.pem"),
    });
    gets_in(&tls, None, "beside");
}

#[test]
fn a_signer_of_the_programs_own() {
    let world = world();
    for (name, key) in [("own-ec", p256_key()), ("own-rsa", rsa_key())] {
        let own = Counting::new(signer(&key));
        gets_in(&world.tls(&*own, name), Some(own.clone()), name);
        assert_eq!(own.count(), 2);
    }
}

#[test]
fn a_server_that_asks_for_nothing_is_given_nothing() {
    let world = world();
    let own = Counting::new(signer(&p256_key()));
    let client = client(&world.tls(&*own, "unasked"), Some(own.clone())).unwrap();
    let server = OpensslServer::start(&world.authority, &[]);
    assert!(page(&client, &server.url()).contains("no client certificate available"));
    assert_eq!(own.count(), 0);
}
