//! Sessions that are resumed need no signature.

use serde_json::json;

use crate::openssl_server::OpensslServer;
use crate::support::{p256_key, signer};
use crate::{Counting, client, page, world};

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
