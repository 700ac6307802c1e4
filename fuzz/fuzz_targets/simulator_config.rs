//! Fuzzes `simulator_config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| segl_fuzz::run("simulator_config", data));
