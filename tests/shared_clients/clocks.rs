//! Instances on machines whose clocks differ, by up to a minute from the service's.

use std::sync::Arc;
use std::time::Duration;

use segl::clock::{Clock, FixedClock, UnixTime};
use segl::{Token, TokenClient};

use crate::world::{START, World, learn, token, wait_for_successor};

/// A machine with its own clock.
struct Machine {
    clock: Arc<FixedClock>,
    client: Arc<TokenClient>,
}

impl Machine {
    fn new(world: &World, seconds: i64) -> Self {
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(START + seconds)));
        let client = world.instance_at(&clock);
        Self { clock, client }
    }

    /// A token, with what was begun by asking for it finished.
    fn token(&self) -> Arc<Token> {
        let begun = || self.client.token_health().refreshes;
        let before = begun();
        let token = token(&self.client, 0);
        if begun() > before {
            wait_for_successor(&self.client, 0, &token);
        }
        token
    }
}

/// When a token ends by the service's clock, in seconds.
fn end(token: &Token) -> i64 {
    let claims = segl::jws::decode(token.access_token()).unwrap().claims;
    claims["exp"].as_i64().unwrap()
}

#[test]
fn tokens_are_shared_and_none_is_used_after_its_end() {
    const SECONDS: i64 = 600;
    for offsets in [
        [0, 0],
        [50, -50],
        [-50, 50],
        [60, 0],
        [0, 60],
        [-60, 0],
        [0, -60],
        [60, -60],
        [-60, 60],
        [-59, -60],
    ] {
        let (world, clock) = World::standing_still();
        let machines = offsets.map(|seconds| Machine::new(&world, seconds));
        for second in 0..SECONDS / 3 {
            for machine in &machines {
                let token = machine.token();
                let left = end(&token) - clock.now().seconds();
                assert!(left > 0, "{offsets:?}, {second}: {left} s");
            }
            for clock in machines.iter().map(|machine| &machine.clock) {
                clock.advance(Duration::from_secs(3));
            }
            clock.advance(Duration::from_secs(3));
        }
        let issued = world.issued();
        let taken = machines.map(|machine| machine.client.token_health().shared);
        eprintln!("{offsets:?}: {issued} fetches, {taken:?} taken from the other");
        // Alone each would fetch seven times: once, and about every 96 seconds.
        assert!(issued <= 9, "{offsets:?}: {issued}");
        assert!(taken.iter().sum::<u64>() >= 5, "{offsets:?}: {taken:?}");
    }
}

/// The service fails when the token ends: it is given out while it is good, and then no
/// more, by any clock.
#[test]
fn a_token_without_successor_is_given_out_until_its_end_and_no_longer() {
    use segl::simulator::{Outage, OutageKind};
    for seconds in [-60, -3, 0, 3, 60] {
        for knows in [false, true] {
            let (world, clock) = World::standing_still();
            let machine = Machine::new(&world, seconds);
            if knows {
                learn(&machine.client, 1);
            }
            let shared = token(&world.instance(), 0);
            let issued = world.issued();
            let taken = token(&machine.client, 0);
            // One that is far ahead takes it for too old, until its own assertion is
            // refused for that.
            assert_eq!(taken.access_token(), shared.access_token());
            assert_eq!(world.issued(), issued);
            let kind = OutageKind::ServiceUnavailable;
            world.simulator.set_outage(Some(Outage::new(kind)));
            let mut last = None;
            for second in 0..130 {
                let call = segl::Call::within(Duration::from_millis(2));
                if let Ok(token) = machine.client.token(&crate::world::request(0), &call) {
                    assert!(end(&token) > clock.now().seconds(), "{seconds} s, {second}");
                    last = Some(second);
                }
                clock.advance(Duration::from_secs(1));
                machine.clock.advance(Duration::from_secs(1));
            }
            eprintln!("{seconds} s, knows {knows}: used until second {last:?}");
            let least = if knows { 110 } else { 50 };
            assert!(last.is_some_and(|last| last >= least), "{last:?}");
        }
    }
}

/// One that takes no part in the service's time does not spoil it for the others.
#[test]
fn a_clock_that_is_an_hour_off_is_no_harm_to_the_others() {
    for seconds in [-3600, 3600] {
        let (world, clock) = World::standing_still();
        let wrong = Machine::new(&world, seconds);
        let right = Machine::new(&world, 0);
        token(&right.client, 0);
        // Assertions that are dated by such a clock are refused.
        let call = segl::Call::within(Duration::from_millis(500));
        let outcome = wrong.client.token(&crate::world::request(0), &call);
        assert!(outcome.is_err(), "{seconds} s");
        let taken = wrong.client.token(&crate::world::request(0), &call);
        if let Ok(token) = taken {
            assert!(end(&token) > clock.now().seconds());
        }
        assert_eq!(world.issued(), 1);
    }
}
