#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| kosmo::fuzzing::values(text));
