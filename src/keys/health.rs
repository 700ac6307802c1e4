//! How a key is doing.

use std::collections::BTreeMap;

use serde::Serialize;

/// How a key is doing. Nothing is asked of a device to tell it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// Whether the key signs.
    pub state: HealthState,
    /// Why it does not, one line; also when it is ready for another try after a failure.
    pub problem: Option<String>,
    /// Signatures that this key's home has made and that were right; absent where
    /// nobody counts.
    pub signatures: Option<u64>,
    /// When the last of them was made, seconds since 1970.
    pub last_signature: Option<i64>,
    /// The token of a PKCS#11 key.
    pub token: Option<TokenHealth>,
}

/// Whether a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HealthState {
    /// It does, as far as is known.
    Ready,
    /// Something failed, and is being put right.
    Recovering,
    /// The token does not answer; it is tried again in the background. Or a signature
    /// of AWS KMS failed, and the key is left alone for a moment.
    Unavailable,
    /// The token refused the PIN, or would lock it at one more wrong try. It needs
    /// another PIN, or its security officer.
    PinRefused,
    /// The token made wrong signatures with this key, which were not released. The
    /// key is not used any more until it is opened again.
    KeyRefused,
    /// The token can only be used again by a new process: a call hangs in the
    /// module, or the module belongs to the program and does not work.
    RestartRequired,
}

/// A token, as all its keys in this process share it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TokenHealth {
    /// How often the module was initialised by segl.
    pub generation: u64,
    /// How often the login and the object handles were made anew.
    pub epoch: u64,
    /// What becomes of the sessions.
    pub sessions: SessionCounts,
    /// What happened since the token was first opened.
    pub counters: Counters,
    /// Failures by the PKCS#11 return value, for example `"CKR_DEVICE_ERROR"`.
    pub failures: BTreeMap<String, u64>,
    /// The last failure, even if it was put right.
    pub last_failure: Option<LastFailure>,
}

/// The sessions with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionCounts {
    /// The most that may sign at once; lowered when the token refuses one more.
    pub max: usize,
    /// Open and free, and one more that keeps the login.
    pub idle: usize,
    /// Working for a caller.
    pub busy: usize,
    /// In a call that did not return by its caller's deadline.
    pub stuck: usize,
    /// Callers that wait for one.
    pub waiting: usize,
}

/// What happened to a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Jobs that failed for their caller.
    pub failed: u64,
    /// Jobs that failed, and succeeded after something was put right.
    pub healed: u64,
    /// Calls that did not return by their caller's deadline, or for a second until
    /// they were cancelled.
    pub hung: u64,
    /// Signatures that did not verify and were not released.
    pub signature_faults: u64,
    /// `C_Login` calls.
    pub logins: u64,
    /// Times the module was finalized and initialised again for this token.
    pub reinitialisations: u64,
    /// Signatures that only kept the connection alive.
    pub keep_alives: u64,
}

/// A failure of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastFailure {
    /// When, seconds since 1970.
    pub at: i64,
    /// The error's name, for example `"DEVICE"`.
    pub error: &'static str,
    /// What failed, on what, and what to do.
    pub message: String,
    /// The PKCS#11 return value.
    pub ck_rv: Option<u64>,
    /// The PKCS#11 function that returned it.
    pub ck_function: Option<&'static str>,
}

impl Health {
    /// A key that is ready and of which nothing is counted.
    pub fn ready() -> Self {
        Self {
            state: HealthState::Ready,
            problem: None,
            signatures: None,
            last_signature: None,
            token: None,
        }
    }
}
