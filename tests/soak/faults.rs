//! What goes wrong: every kind of fault that can be put right, in an order that a
//! seed decides.

use std::thread;
use std::time::{Duration, Instant};

use cryptoki_sys::*;

use crate::crew::Recovery;
use crate::fault::FaultModule;

/// What a single call may return although nothing is wrong. Not what says that the
/// session or the module is no more: that is believed, and the session is left
/// open if it is not so. Other faults make it so.
const RETURN_VALUES: [CK_RV; 17] = [
    CKR_GENERAL_ERROR,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_MEMORY,
    CKR_DEVICE_REMOVED,
    CKR_FUNCTION_FAILED,
    CKR_FUNCTION_CANCELED,
    CKR_HOST_MEMORY,
    CKR_USER_NOT_LOGGED_IN,
    CKR_KEY_HANDLE_INVALID,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_OPERATION_ACTIVE,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_TOKEN_NOT_PRESENT,
    CKR_TOKEN_NOT_RECOGNIZED,
    CKR_SLOT_ID_INVALID,
    CKR_BUFFER_TOO_SMALL,
    CKR_VENDOR_DEFINED | 1,
];

/// One kind of fault: applied, left in force for a while, ended.
struct Kind {
    name: &'static str,
    /// The rules; `RV` stands for one of [`RETURN_VALUES`].
    rules: &'static str,
    /// How long it is in force, milliseconds; zero for what is over at once.
    lasts: u64,
    /// The rules that end it.
    end: &'static str,
    /// The most `C_Login` that it explains: one for each time that the login was
    /// lost or given up for a new connection, or the module initialised anew.
    logins: u64,
}

const fn kind(
    name: &'static str,
    rules: &'static str,
    lasts: u64,
    end: &'static str,
    logins: u64,
) -> Kind {
    Kind {
        name,
        rules,
        lasts,
        end,
        logins,
    }
}

/// The rungs beyond another session and a new login make a new connection each,
/// so one climb to the end is two logins.
const CLIMB: u64 = 2;

const KINDS: &[Kind] = &[
    kind("C_SignInit fails", "C_SignInit rv=RV count=1", 0, "", CLIMB),
    kind("C_Sign fails", "C_Sign rv=RV count=1", 0, "", CLIMB),
    kind("answer lost", "C_Sign executed rv=RV count=1", 0, "", CLIMB),
    kind(
        "C_Sign fails 4 times",
        "C_Sign rv=RV count=4",
        0,
        "",
        4 * CLIMB,
    ),
    kind(
        "each 7th C_Sign fails",
        "C_Sign rv=0x30 every=7",
        1500,
        "clear",
        0,
    ),
    kind(
        "C_SignInit fails always",
        "C_SignInit rv=0x30",
        2000,
        "clear",
        8 * CLIMB,
    ),
    kind("sessions closed", "close_all", 0, "", 1),
    kind("logged out", "logout", 0, "", 1),
    kind("both at once", "close_all;logout", 0, "", 2),
    kind(
        "new session fails",
        "C_OpenSession rv=0x30 count=1;close_all",
        0,
        "",
        1 + CLIMB,
    ),
    kind(
        "login fails",
        "C_Login rv=0x30 count=1;logout",
        0,
        "",
        2 + CLIMB,
    ),
    kind(
        "search fails",
        "C_FindObjectsInit rv=0x30 count=1;logout",
        0,
        "",
        1 + CLIMB,
    ),
    kind(
        "token out and in",
        "no_token",
        1000,
        "token_back",
        1 + CLIMB,
    ),
    kind(
        "token out, in elsewhere",
        "no_token",
        1000,
        "token_back slot=77",
        1 + CLIMB,
    ),
    kind(
        "token has another serial",
        "serial=0;C_SignInit rv=0xE0 count=1",
        1000,
        "clear",
        1 + CLIMB,
    ),
    kind(
        "3 sessions at most",
        "max_sessions=3;close_all",
        1500,
        "clear",
        1,
    ),
    kind(
        "1 session at most",
        "max_sessions=1;close_all",
        1500,
        "clear",
        4,
    ),
    kind("one call hangs", "C_Sign hang count=1", 3000, "release", 0),
    kind("every call hangs", "C_Sign hang", 3500, "release", CLIMB),
    kind(
        "login hangs",
        "C_Login hang count=1;logout",
        3000,
        "release",
        2 + CLIMB,
    ),
    kind(
        "new session hangs",
        "C_OpenSession hang count=1;close_all",
        3000,
        "release",
        2 + CLIMB,
    ),
    kind(
        "look at a session hangs",
        "C_GetSessionInfo hang count=1;logout",
        3000,
        "release",
        2 + CLIMB,
    ),
    kind("calls take 200 ms", "C_Sign delay_ms=200", 1500, "clear", 0),
    kind(
        "calls take 3 s",
        "C_Sign delay_ms=3000 count=4",
        3000,
        "clear",
        CLIMB,
    ),
    kind("one wrong bit", "C_Sign flip count=1", 0, "", 0),
    kind("another key signs", "swap_keys count=1", 0, "", 0),
    kind("DER for ECDSA", "C_Sign der", 1000, "clear", 0),
    kind(
        "RSA does not work",
        "broken_mechanism=1",
        1000,
        "clear",
        8 * CLIMB,
    ),
    kind(
        "unusual answers",
        "short_find;raw_ec_point;no_public_key;close_all",
        1000,
        "clear",
        1,
    ),
    kind("network cut", "disconnect", 0, "", CLIMB),
    kind(
        "network cut, no locks",
        "no_os_locking;disconnect",
        0,
        "",
        CLIMB,
    ),
    kind(
        "call hangs, then fails",
        "C_Sign hang rv=0x30 count=4",
        3000,
        "release",
        4 * CLIMB,
    ),
    kind(
        "slow C_Initialize",
        "C_Initialize delay_ms=1500 count=1;disconnect",
        0,
        "",
        CLIMB,
    ),
    kind(
        "C_Initialize hangs",
        "C_Initialize hang count=1;disconnect",
        3000,
        "release",
        CLIMB,
    ),
    kind(
        "C_Finalize hangs",
        "C_Finalize hang count=1;disconnect",
        3000,
        "release",
        CLIMB,
    ),
    kind(
        "C_Initialize fails",
        "C_Initialize rv=0x5 count=1;disconnect",
        0,
        "",
        2 * CLIMB,
    ),
    kind("finalized by others", "finalize", 0, "", CLIMB),
    kind("initialised by others", "refinalize", 0, "", CLIMB),
];

/// The kinds in turn, shuffled anew each time that all were played.
pub struct Deck {
    random: Random,
    /// Only kinds whose name has this in it.
    only: String,
    left: Vec<usize>,
    pub played: Vec<Played>,
}

/// A fault that has been.
pub struct Played {
    pub kind: &'static str,
    pub recovery: Option<Recovery>,
    pub logins: u64,
    pub logins_explained: u64,
}

impl Deck {
    pub fn new(random: Random, only: String) -> Self {
        Self {
            random,
            only,
            left: Vec::new(),
            played: Vec::new(),
        }
    }

    /// One to three seconds.
    pub fn pause(&mut self) -> Duration {
        Duration::from_millis(1000 + self.random.below(2000))
    }

    /// Plays one fault; its rules, and when it was over. It is noted by
    /// [`Deck::note`].
    pub fn inject(&mut self, module: &FaultModule) -> (String, Instant) {
        if self.left.is_empty() {
            self.left = (0..KINDS.len()).collect();
            self.left
                .retain(|kind| KINDS[*kind].name.contains(&self.only));
        }
        let place = self.random.below(self.left.len() as u64);
        let kind = &KINDS[self.left.swap_remove(usize::try_from(place).unwrap())];
        let rv = RETURN_VALUES[usize::try_from(self.random.below(17)).unwrap()];
        self.played.push(Played {
            kind: kind.name,
            recovery: None,
            logins: 0,
            logins_explained: kind.logins,
        });
        let rules = kind.rules.replace("RV", &format!("{rv:#x}"));
        module.rules(&rules);
        if kind.lasts > 0 {
            thread::sleep(Duration::from_millis(kind.lasts));
            module.rules(kind.end);
        }
        (rules, Instant::now())
    }

    /// The last fault may cost one login more than its kind does.
    pub fn explain_one_more_login(&mut self) {
        if let Some(last) = self.played.last_mut() {
            last.logins_explained += 1;
        }
    }

    /// What became of the last one.
    pub fn note(&mut self, recovery: Option<Recovery>, logins: u64) {
        let last = self.played.last_mut().expect("one was played");
        last.recovery = recovery;
        last.logins = logins;
    }

    /// What the last one was.
    pub fn last(&self) -> &'static str {
        self.played.last().map_or("nothing", |played| played.kind)
    }

    /// The names of all.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|kind| kind.name)
    }
}

/// Numbers that look random (xorshift64*), the same for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}
