//! Certificates: each is the same again from its DER, and all that is asked of it has an
//! answer.

use segl::keys::{Certificate, x509};
use segl::{ErrorCode, clock::UnixTime};

pub(crate) fn check(data: &[u8]) {
    let chain = match Certificate::read_chain(data) {
        Ok(chain) => chain,
        Err(error) => return assert_eq!(error.code(), ErrorCode::Certificate),
    };
    assert!(!chain.is_empty());
    let now = UnixTime::from_seconds(1_800_000_000);
    for certificate in &chain {
        let again = Certificate::from_der(certificate.der()).unwrap();
        assert_eq!(again.der(), certificate.der());
        assert_eq!(again.public_key(), certificate.public_key());
        assert_eq!(again.to_x5c(), certificate.to_x5c());
        assert_eq!(again.subject(), certificate.subject());
        assert_eq!(again.not_after(), certificate.not_after());
        let shown = format!("{certificate:?} {} {}", again.subject(), again.issuer());
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        if let Some(orgno) = certificate.org_number() {
            assert_eq!(orgno.as_str().len(), 9);
        }
        let _ = certificate.organization_identifier();
        let _ = certificate.lacks_for_tls_client();
        let is_over = certificate.not_after().is_some_and(|end| end < now);
        assert!(!(is_over && certificate.require_valid(now).is_ok()));
        if let Some(key) = certificate.public_key() {
            certificate.require_key(key).unwrap();
            let ordered = x509::order_chain(key, chain.clone()).unwrap();
            assert_eq!(ordered[0].public_key(), Some(key));
            assert!(ordered.len() <= chain.len());
            for pair in ordered.windows(2) {
                assert!(pair[0].is_issued_by(&pair[1]));
            }
        }
    }
    let _ = x509::leaf_key(&chain);
}
