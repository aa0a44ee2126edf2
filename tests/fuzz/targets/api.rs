#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| moonlock_fuzz::api::check(data));
