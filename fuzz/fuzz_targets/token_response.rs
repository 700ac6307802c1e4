//! Fuzzes `token_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| segl_fuzz::run("token_response", data));
