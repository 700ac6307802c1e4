//! Pauses of random length, so that those who met do not meet again.

use std::time::Duration;

use openssl::rand::rand_bytes;

/// Between nothing and `most`, in 256 steps. Forked children, which have the state of a
/// generator in the process in common, get different ones. Without random numbers it is
/// nothing.
pub(crate) fn up_to(most: Duration) -> Duration {
    let mut byte = [0];
    let _ = rand_bytes(&mut byte);
    most * u32::from(byte[0]) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_and_are_no_longer_than_allowed() {
        let most = Duration::from_millis(100);
        let pauses: Vec<_> = (0..64).map(|_| up_to(most)).collect();
        assert!(pauses.iter().all(|pause| *pause <= most));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
