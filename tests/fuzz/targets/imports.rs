#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| moonlock_fuzz::imports::check(data));
