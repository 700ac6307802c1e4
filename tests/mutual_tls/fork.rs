//! A child shares neither connections nor sessions with its parent.
#![allow(unsafe_code, reason = "fork is not safe in Rust's sense")]
use std::process::Command;

use segl::Call;
use serde_json::json;

use crate::openssl_server::OpensslServer;
use crate::support::{p256_key, pem, signer};
use crate::{client, get, page, world};

const URL: &str = "SEGL_TEST_URL";
const TLS: &str = "SEGL_TEST_TLS";

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
}

#[test]
fn a_forked_child_begins_anew_and_the_parent_goes_on() {
    let world = world();
    let server = OpensslServer::insisting(&world.authority, &[]);
    let mut tls = world.tls(&*signer(&p256_key()), "forks");
    tls["key"] = json!(world.file("forks.key", &pem(&p256_key())));
    // A program of its own, in which no other test holds a lock.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fork::asks_before_and_after_a_fork", "--ignored"])
        .env(URL, server.url())
        .env(TLS, tls.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
#[ignore = "is run by a_forked_child_begins_anew_and_the_parent_goes_on"]
fn asks_before_and_after_a_fork() {
    let (Ok(url), Ok(tls)) = (std::env::var(URL), std::env::var(TLS)) else {
        return;
    };
    let client = client(&serde_json::from_str(&tls).unwrap(), None).unwrap();
    assert!(page(&client, &url).contains("New, "));
    assert!(page(&client, &url).contains("Reused, "));
    // SAFETY: the child calls segl and ends without running anything of the parent's.
    let child = unsafe { fork() };
    if child == 0 {
        let page = || match get(&client, &url, &Call::none()) {
            Ok(answer) => String::from_utf8_lossy(&answer.body).into_owned(),
            Err(error) => error.to_string(),
        };
        let (first, second) = (page(), page());
        let is_good =
            first.contains("New, ") && first.contains("CN=forks\n") && second.contains("Reused, ");
        // SAFETY: as above.
        unsafe { _exit(i32::from(!is_good)) };
    }
    assert!(child > 0);
    let mut status = -1;
    // SAFETY: `status` outlives the call.
    assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child");
    assert!(page(&client, &url).contains("Reused, "));
}
