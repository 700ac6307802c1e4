//! Fuzzes `server_metadata`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| segl_fuzz::run("server_metadata", data));
