//! What `pkcs11:` URIs mean.

use std::path::Path;
use std::sync::{Arc, Mutex};

use segl::KeyUri;
use segl::log::{Level, Sink, set_sink};

use crate::{pkcs11, refused};

#[test]
fn every_attribute_is_read() {
    let uri = pkcs11(
        "pkcs11:token=t;manufacturer=m;serial=s;model=o;library-manufacturer=lm;\
         library-description=ld;library-version=2.6;slot-manufacturer=sm;slot-description=sd;\
         slot-id=18446744073709551615;object=ob;type=private;id=%00%ff\
         ?module-path=/m.so&pin-source=env:PIN",
    );
    assert_eq!(uri.token(), Some("t"));
    assert_eq!(uri.manufacturer(), Some("m"));
    assert_eq!(uri.serial(), Some("s"));
    assert_eq!(uri.model(), Some("o"));
    assert_eq!(uri.library_manufacturer(), Some("lm"));
    assert_eq!(uri.library_description(), Some("ld"));
    assert_eq!(uri.library_version(), Some((2, 6)));
    assert_eq!(uri.slot_manufacturer(), Some("sm"));
    assert_eq!(uri.slot_description(), Some("sd"));
    assert_eq!(uri.slot_id(), Some(u64::MAX));
    assert_eq!(uri.object(), Some("ob"));
    assert_eq!(uri.id(), Some(&[0x00, 0xff][..]));
    assert_eq!(uri.module_path(), Some(Path::new("/m.so")));
    assert!(uri.pin_source().is_some());
}

#[test]
fn absent_and_empty_attributes_differ() {
    let absent = pkcs11("pkcs11:");
    assert_eq!(absent.serial(), None);
    assert_eq!(absent.id(), None);
    assert_eq!(absent.library_version(), None);
    assert!(absent.pin_source().is_none());
    let empty = pkcs11("pkcs11:serial=;id=;object=?");
    assert_eq!(empty.serial(), Some(""));
    assert_eq!(empty.object(), Some(""));
    assert_eq!(empty.id(), Some(&[][..]));
}

#[test]
fn scheme_names_and_type_ignore_case_values_do_not() {
    let uri = pkcs11("PkCs11:TOKEN=Bank;Type=PRIVATE;iD=aB?Module-Path=/Lib.so");
    assert_eq!(uri.token(), Some("Bank"));
    assert_eq!(uri.id(), Some(&b"aB"[..]));
    assert_eq!(uri.module_path(), Some(Path::new("/Lib.so")));
}

#[test]
fn characters_that_need_no_encoding_are_taken_as_they_are() {
    let uri = pkcs11("pkcs11:token=:[]@!$'()*+,=&-._~az09?module-path=/:[]@!$'()*+,=/?|");
    assert_eq!(uri.token(), Some(":[]@!$'()*+,=&-._~az09"));
    assert_eq!(uri.module_path(), Some(Path::new("/:[]@!$'()*+,=/?|")));
}

#[test]
fn library_versions_are_two_bytes() {
    for (text, version) in [
        ("3", (3, 0)),
        ("3.0", (3, 0)),
        ("2.40", (2, 40)),
        ("255.255", (255, 255)),
        ("007.01", (7, 1)),
    ] {
        let uri = pkcs11(&format!("pkcs11:library-version={text}"));
        assert_eq!(uri.library_version(), Some(version), "{text}");
    }
}

/// RFC 7512 section 3, in its order. Those that name public objects or leave
/// the module to be searched for are refused, and only for that.
#[test]
fn examples_of_rfc_7512() {
    let uri = pkcs11("pkcs11:");
    assert_eq!(uri.to_string(), "pkcs11:");

    refused("pkcs11:object=my-pubkey;type=public", &["\"type\""]);

    let uri = pkcs11("pkcs11:object=my-key;type=private?pin-source=file:/etc/token");
    assert_eq!(uri.object(), Some("my-key"));
    assert_eq!(uri.pin_source().unwrap().to_string(), "file:/etc/token");

    let certificate = "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;\
                       model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=\
                       ?pin-source=file:/etc/token_pin";
    refused(certificate, &["path attribute 5 \"type\"", "type=private"]);
    let uri = pkcs11(&certificate.replace("type=cert;", ""));
    assert_eq!(uri.token(), Some("The Software PKCS#11 Softtoken"));
    assert_eq!(uri.manufacturer(), Some("Snake Oil, Inc."));
    assert_eq!(uri.model(), Some("1.0"));
    assert_eq!(uri.object(), Some("my-certificate"));
    assert_eq!(
        uri.id(),
        Some(&[0x69, 0x95, 0x3e, 0x5c, 0xf4, 0xbd, 0xec, 0x91][..])
    );
    assert_eq!(uri.serial(), Some(""));

    refused(
        "pkcs11:object=my-sign-key;type=private?module-name=mypkcs11",
        &["query attribute 1 \"module-name\"", "module-path=/"],
    );

    let uri = pkcs11("pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1");
    assert_eq!(uri.module_path(), Some(Path::new("/mnt/libmypkcs11.so.1")));

    let uri = pkcs11(
        "pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-value=the-pin",
    );
    assert_eq!(
        uri.pin_source().unwrap().read().unwrap().expose(),
        b"the-pin"
    );

    let uri = pkcs11("pkcs11:slot-description=Sun%20Metaslot");
    assert_eq!(uri.slot_description(), Some("Sun Metaslot"));

    let uri = pkcs11(
        "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;\
         library-version=1.23",
    );
    assert_eq!(uri.library_manufacturer(), Some("Snake Oil, Inc."));
    assert_eq!(uri.library_description(), Some("Soft Token Library"));
    assert_eq!(uri.library_version(), Some((1, 23)));

    let uri = pkcs11(
        "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;\
         id=%01%02%03%Ba%dd%Ca%fe%04%05%06",
    );
    assert_eq!(uri.token(), Some("My token% created by Joe"));
    assert_eq!(uri.library_version(), Some((3, 0)));
    assert_eq!(
        uri.id(),
        Some(&[1, 2, 3, 0xba, 0xdd, 0xca, 0xfe, 4, 5, 6][..])
    );

    let semicolon =
        "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert";
    refused(semicolon, &["\"type\""]);
    let uri = pkcs11(&semicolon.replace("cert", "private"));
    assert_eq!(uri.token(), Some("A name with a substring %;"));

    let acute = "pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert";
    refused(acute, &["\"type\""]);
    let uri = pkcs11(&acute.replace("type=cert", "type=private"));
    assert_eq!(uri.token(), Some("Name with a small A with acute: \u{e1}"));

    let vendor = "pkcs11:token=my-token;object=my-certificate;type=private;vendor-aaa=value-a\
                  ?pin-source=file:/etc/token_pin&vendor-bbb=value-b";
    refused(vendor, &["path attribute 4 \"vendor-aaa\"", "remove"]);
    let uri = pkcs11(&vendor.replace(";vendor-aaa=value-a", ""));
    assert_eq!(uri.token(), Some("my-token"));
}

#[test]
fn display_is_canonical() {
    for (text, canonical) in [
        ("PKCS11:OBJECT=o;TOKEN=t", "pkcs11:token=t;object=o"),
        ("pkcs11:type=private", "pkcs11:"),
        ("pkcs11:token=a(b)", "pkcs11:token=a%28b%29"),
        ("pkcs11:token=%c3%a6", "pkcs11:token=%C3%A6"),
        ("pkcs11:serial=", "pkcs11:serial="),
        ("pkcs11:id=ab", "pkcs11:id=%61%62"),
        ("pkcs11:library-version=3", "pkcs11:library-version=3.0"),
        ("pkcs11:slot-id=007", "pkcs11:slot-id=7"),
        (
            "pkcs11:?pin-source=/run/a%20b&module-path=/m%26n.so",
            "pkcs11:?module-path=/m%26n.so&pin-source=file:/run/a%20b",
        ),
        (
            "pkcs11:?pin-source=ENV:P%26N",
            "pkcs11:?pin-source=env:P%26N",
        ),
        ("pkcs11:?pin-value=1234", "pkcs11:?pin-value=[redacted]"),
        (
            "pkcs11:?pin-source=|pass%20x",
            "pkcs11:?pin-source=|[redacted]",
        ),
        ("pkcs11:token=t?vendor=v", "pkcs11:token=t"),
    ] {
        let uri = KeyUri::parse(text, crate::ALLOW_ALL).unwrap();
        assert_eq!(uri.to_string(), canonical);
    }
}

/// The only test that sets the process's log sink.
#[test]
fn unknown_query_attributes_are_ignored_with_a_warning() {
    type Record = (Level, &'static str, String);
    #[derive(Clone, Default)]
    struct Records(Arc<Mutex<Vec<Record>>>);
    impl Sink for Records {
        fn log(&self, level: Level, target: &'static str, message: &str) {
            let mut records = self.0.lock().unwrap();
            records.push((level, target, message.to_owned()));
        }
    }
    let records = Records::default();
    set_sink(Some(Box::new(records.clone())), Level::Debug);
    let uri = pkcs11(
        "pkcs11:token=t?X-Vendor_1=hemmelig&x-vendor_1=again&pin-value=kode&rest-of=hemmelig",
    );
    set_sink(None, Level::Error);

    assert_eq!(uri.token(), Some("t"));
    let records = records.0.lock().unwrap();
    let vendor: Vec<_> = records
        .iter()
        .filter(|(_, _, message)| message.contains("\"x-vendor_1\""))
        .collect();
    assert_eq!(vendor.len(), 2, "one warning each: {records:?}");
    assert!(
        vendor
            .iter()
            .all(|(level, target, _)| *level == Level::Warn && *target == "uri")
    );
    assert!(
        records
            .iter()
            .any(|(_, _, message)| message.contains("query attribute 4 at character 68 is unknown"))
    );
    let all = format!("{records:?}");
    for secret in ["hemmelig", "again", "kode", "rest-of"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}
