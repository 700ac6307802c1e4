//! Sessions that are resumed need no signature.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use segl::clock::{Clock, Moment, UnixTime};
use segl::keys::{Certificate, TlsCertificate};
use segl::{Call, ErrorCode};
use serde_json::json;

use crate::authority::VALID;
use crate::nginx::Nginx;
use crate::openssl_server::OpensslServer;
use crate::refusals::transport;
use crate::support::{p256_key, signer};
use crate::{Counting, client, page, world};

/// A clock that is set by hand.
#[derive(Debug)]
pub struct Later(pub AtomicI64);

impl Clock for Later {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.0.load(Ordering::SeqCst))
    }
    fn moment(&self) -> Moment {
        let ms = self.now().seconds() * 1000;
        Moment::new(ms, ms)
    }
}

#[test]
fn a_session_does_not_outlive_the_certificate() {
    let world = world();
    for protocols in ["TLSv1.2", "TLSv1.3"] {
        let own = Counting::new(signer(&p256_key()));
        let certificate = world.certify(&*own, "outlived", VALID);
        let certificate = Certificate::from_der(&certificate.to_der().unwrap()).unwrap();
        let end = certificate.not_after().unwrap().seconds();
        let clock = Arc::new(Later(AtomicI64::new(end - 1)));
        let made = TlsCertificate::new(own.clone(), Some(vec![certificate]), clock.clone());
        let transport = transport(Arc::new(made.unwrap())).unwrap();
        let settings = format!("ssl_protocols {protocols};\nssl_session_cache shared:s:1m;\n");
        let ok = "location / { return 200 ok; }";
        let asking = Nginx::start(
            &world.authority,
            &format!("{settings}ssl_verify_client on;\n{ok}"),
        );
        let silent = Nginx::start(&world.authority, &format!("{settings}{ok}"));
        let get = |server: &Nginx| {
            let url = server.url().parse().unwrap();
            let request = segl::http::Request::new(segl::http::Method::Get, url);
            let request = request.header("Connection", "close");
            segl::http::Transport::send(&transport, &request, &Call::none())
        };
        get(&asking).unwrap();
        get(&asking).unwrap();
        assert_eq!(own.count(), 1, "{protocols}: the session is resumed");
        clock.0.fetch_add(2, Ordering::SeqCst);
        let error = get(&asking).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Certificate, "{protocols}: {error}");
        assert_eq!(
            own.count(),
            1,
            "{protocols}: the key does not sign any more"
        );
        get(&silent).unwrap();
    }
}

#[test]
fn a_later_connection_resumes_the_session_unless_the_settings_forbid_it() {
    let world = world();
    for version in ["-tls1_2", "-tls1_3"] {
        for (resumption, signatures) in [(true, 1), (false, 3)] {
            let server = OpensslServer::insisting(&world.authority, &[version]);
            let own = Counting::new(signer(&p256_key()));
            let mut tls = world.tls(&*own, &format!("resumed{version}{resumption}"));
            if !resumption {
                tls["resumption"] = json!(false);
            }
            let client = client(&tls, Some(own.clone())).unwrap();
            let pages: Vec<_> = (0..3).map(|_| page(&client, &server.url())).collect();
            assert_eq!(own.count(), signatures, "{version}, {resumption}");
            assert!(pages[0].contains("New, "), "{}", pages[0]);
            let later = if resumption { "Reused, " } else { "New, " };
            assert!(pages[2].contains(later), "{}", pages[2]);
        }
    }
}
