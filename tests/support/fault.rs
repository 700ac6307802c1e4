//! The module of `tests/fault-module` in front of SoftHSM: built at the first
//! use, loaded in as many copies as a test program needs.
#![allow(dead_code, reason = "each test uses its own part")]

#[path = "package.rs"]
mod package;

use std::env::consts::DLL_SUFFIX;
use std::ffi::{CString, c_char, c_int};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use segl::keys::uri::Pkcs11Uri;

use crate::softhsm;

/// Builds the module and puts it in front of SoftHSM. Called once, by the
/// fixture, right after `SoftHsm::new`.
pub fn set_up() -> PathBuf {
    softhsm::set_env("SEGL_FAULT_MODULE", Path::new(softhsm::module()));
    package::build("fault-module", "segl_fault_module")
}

/// One copy of the module, with rules and counters of its own. See `fault.h` for
/// the rules.
pub struct FaultModule {
    path: PathBuf,
    rules: unsafe extern "C" fn(*const c_char) -> c_int,
    calls: unsafe extern "C" fn(*const c_char) -> u64,
    reset_counters: extern "C" fn(),
    hanging: extern "C" fn() -> u64,
    sessions: extern "C" fn() -> u64,
    peak: extern "C" fn() -> u64,
}

#[allow(unsafe_code)]
impl FaultModule {
    /// Loads a copy of what [`set_up`] built. No other copy of the test program
    /// may be called `name`.
    pub fn load(built: &Path, name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{}-{name}{DLL_SUFFIX}", env!("CARGO_CRATE_NAME")));
        // A new file, as an old one may still be mapped by another process.
        let _ = fs::remove_file(&path);
        fs::copy(built, &path).unwrap();
        // SAFETY: the library's initialisers are those of Rust's standard library, and
        // each symbol has the type that fault.h declares.
        unsafe {
            let library = libloading::Library::new(&path).unwrap();
            let module = Self {
                rules: *library.get(b"segl_fault_rules\0").unwrap(),
                calls: *library.get(b"segl_fault_calls\0").unwrap(),
                reset_counters: *library.get(b"segl_fault_reset_counters\0").unwrap(),
                hanging: *library.get(b"segl_fault_hanging\0").unwrap(),
                sessions: *library.get(b"segl_fault_sessions\0").unwrap(),
                peak: *library.get(b"segl_fault_peak\0").unwrap(),
                path,
            };
            std::mem::forget(library);
            module
        }
    }

    /// The library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `pkcs11:PATH` in this module.
    pub fn uri(&self, path: &str) -> Pkcs11Uri {
        softhsm::uri_in(self.path.to_str().unwrap(), path)
    }

    /// Applies rules.
    pub fn rules(&self, rules: &str) {
        let text = CString::new(rules).unwrap();
        // SAFETY: a C string.
        let outcome = unsafe { (self.rules)(text.as_ptr()) };
        assert_eq!(outcome, 0, "{rules}");
    }

    /// Lets calls of `function` hang until the result is dropped.
    pub fn hang(&self, function: &str) -> Hang<'_> {
        self.rules(&format!("{function} hang"));
        Hang(self)
    }

    /// How often `function` was called.
    pub fn calls(&self, function: &str) -> u64 {
        let text = CString::new(function).unwrap();
        // SAFETY: a C string.
        let calls = unsafe { (self.calls)(text.as_ptr()) };
        assert_ne!(calls, u64::MAX, "{function} is not counted");
        calls
    }

    /// How often all functions together were called.
    pub fn all_calls(&self) -> u64 {
        // SAFETY: null is allowed.
        unsafe { (self.calls)(std::ptr::null()) }
    }

    /// Sets the counters of calls and the peak to zero.
    pub fn reset_counters(&self) {
        (self.reset_counters)();
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> u64 {
        (self.sessions)()
    }

    /// The most calls that were inside the module at one time.
    pub fn peak(&self) -> u64 {
        (self.peak)()
    }

    /// How many calls hang.
    pub fn hanging(&self) -> u64 {
        (self.hanging)()
    }
}

/// Waits until `is_so`.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// While this lives, calls hang.
pub struct Hang<'a>(&'a FaultModule);

impl Hang<'_> {
    /// Waits until `count` calls hang.
    pub fn wait_for(&self, count: u64) {
        eventually(&format!("{count} calls hang"), || self.0.hanging() >= count);
    }
}

impl Drop for Hang<'_> {
    fn drop(&mut self) {
        self.0.rules("release");
    }
}
