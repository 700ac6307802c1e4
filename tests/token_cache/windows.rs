//! When a token is handed out, replaced in advance, and given up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use segl::clock::{Clock, FixedClock, Moment, UnixTime};
use segl::{Call, ErrorCode, TokenRequest};

use super::support::{builder, rsa_key, signer};
use super::{Endpoint, SETTINGS, START, server_error, setup};

#[test]
fn a_token_is_kept_and_replaced_in_advance_while_nobody_waits() {
    let setup = setup();
    assert_eq!(setup.text(), "token-1");
    setup.at(478.0);
    assert_eq!(setup.text(), "token-1");
    assert_eq!(setup.endpoint.requests(), 1);
    // All jitter is over here; the endpoint holds the request, and no one waits.
    setup.endpoint.set(|state| state.closed = true);
    setup.at(530.0);
    for _ in 0..100 {
        assert_eq!(setup.text(), "token-1");
    }
    setup.endpoint.wait_for(|state| state.inside == 1);
    setup.endpoint.set(|state| state.closed = false);
    setup.wait_for_token("token-2");
    assert_eq!(setup.endpoint.requests(), 2);
    assert_eq!(setup.client.token_health().refreshes, 1);
}

#[test]
fn who_will_not_wait_gets_what_a_call_would_get_at_once() {
    let setup = setup();
    let default = TokenRequest::default();
    let ready = || {
        let token = setup.client.ready(&default);
        token.map(|token| token.access_token().to_owned())
    };
    assert_eq!(ready(), None);
    assert_eq!(setup.endpoint.requests(), 0);
    setup.text();
    assert_eq!(ready().as_deref(), Some("token-1"));
    assert_eq!(
        ready(),
        setup
            .client
            .cached(&default)
            .map(|t| t.access_token().to_owned())
    );
    // Its successor is fetched meanwhile.
    setup.at(530.0);
    assert_eq!(ready().as_deref(), Some("token-1"));
    setup.wait_for_token("token-2");
    // Here a call would wait, and have the old one only if it waited in vain.
    setup.at(530.0 + 545.0);
    assert_eq!(ready(), None);
    assert!(setup.client.cached(&default).is_some());
    assert_eq!(setup.endpoint.requests(), 2);
}

#[test]
fn near_its_end_a_token_waits_for_its_successor_and_serves_when_there_is_none() {
    let setup = setup();
    setup.text();
    setup.at(545.0);
    assert_eq!(setup.text(), "token-2");
    setup
        .endpoint
        .set(|state| state.failing = Some(server_error()));
    setup.at(545.0 + 545.0);
    assert_eq!(setup.text(), "token-2");
    assert!(setup.client.token_health().stale > 0);
    setup.at(545.0 + 598.9);
    assert_eq!(setup.text(), "token-2");
    setup.at(545.0 + 599.0);
    assert_eq!(setup.token().unwrap_err().code(), ErrorCode::TokenServer);
    setup.endpoint.set(|state| state.failing = None);
    assert!(setup.text().starts_with("token-"));
}

#[test]
fn who_has_no_time_gets_the_old_token_while_it_lasts() {
    let setup = setup();
    setup.text();
    let hurried = || {
        let call = Call::within(Duration::ZERO);
        setup.client.token(&TokenRequest::default(), &call)
    };
    setup.at(545.0);
    assert_eq!(hurried().unwrap().access_token(), "token-1");
    setup.at(599.0);
    assert_eq!(hurried().unwrap_err().code(), ErrorCode::Timeout);
    assert_eq!(setup.endpoint.requests(), 1);
}

#[test]
fn lives_of_any_length_are_used_for_most_of_it_and_never_beyond() {
    for life in [1, 2, 3, 10, 30, 60, 120, 600, 3600, 7200] {
        let setup = setup();
        setup.endpoint.set(|state| state.life = life);
        let first = setup.token().unwrap();
        assert_eq!(first.expires_at().seconds(), START + life);
        let usable = life as f64 - 1.0;
        if life > 1 {
            setup.at(usable * 0.45);
            assert_eq!(setup.text(), "token-1", "{life} s");
        }
        setup
            .endpoint
            .set(|state| state.failing = Some(server_error()));
        if life > 1 {
            setup.at(usable - 0.01);
            assert_eq!(setup.text(), "token-1", "{life} s");
        }
        setup.at(usable);
        assert!(setup.token().is_err(), "{life} s");
    }
}

#[test]
fn clients_that_began_together_do_not_go_on_together() {
    let mut begins = BTreeSet::new();
    for _ in 0..20 {
        let setup = setup();
        setup.text();
        let refreshes = || setup.client.token_health().refreshes;
        let begin = (479..=510).find(|age| {
            setup.at(f64::from(*age));
            setup.text();
            refreshes() > 0
        });
        begins.insert(begin.expect("a refresh begins before 510 s"));
    }
    assert!(begins.len() > 5, "{begins:?}");
}

#[test]
fn a_clock_set_back_makes_no_token_younger() {
    #[derive(Debug)]
    struct SetBack(FixedClock, Mutex<i64>);
    impl Clock for SetBack {
        fn now(&self) -> UnixTime {
            self.0.now().plus(-*self.1.lock().unwrap())
        }
        fn moment(&self) -> Moment {
            let steady = self.0.moment().steady_ms();
            Moment::new(steady, steady - *self.1.lock().unwrap() * 1000)
        }
    }
    let clock = Arc::new(SetBack(
        FixedClock::new(UnixTime::from_seconds(START)),
        Mutex::new(0),
    ));
    let endpoint = Arc::new(Endpoint::default());
    let client = builder(SETTINGS, signer(&rsa_key()), START)
        .clock(clock.clone())
        .transport(endpoint.clone())
        .build(&Call::none())
        .unwrap();
    let text = || {
        let token = client.token(&TokenRequest::default(), &Call::none());
        token.unwrap().access_token().to_owned()
    };
    assert_eq!(text(), "token-1");
    *clock.1.lock().unwrap() = 3600;
    assert_eq!(text(), "token-1");
    clock.0.advance(Duration::from_secs(599));
    assert_eq!(text(), "token-2");
}

#[test]
fn who_has_a_token_that_lasts_waits_for_one_try_only() {
    let setup = setup();
    setup.text();
    setup
        .endpoint
        .set(|state| state.failing = Some(server_error()));
    setup.at(545.0);
    let begin = Instant::now();
    let call = Call::within(Duration::from_secs(20));
    let token = setup.client.token(&TokenRequest::default(), &call).unwrap();
    assert_eq!(token.access_token(), "token-1");
    assert!(begin.elapsed() < Duration::from_secs(10));
    // A token asked for as new is waited for.
    let client = setup.client.clone();
    let fetch = thread::spawn(move || client.fetch(&TokenRequest::default(), &Call::none()));
    setup.endpoint.wait_for(|state| state.assertions.len() >= 4);
    setup.endpoint.set(|state| state.failing = None);
    assert_ne!(fetch.join().unwrap().unwrap().access_token(), "token-1");
}
