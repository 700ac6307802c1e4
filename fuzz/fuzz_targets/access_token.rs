//! Fuzzes `access_token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| segl_fuzz::run("access_token", data));
