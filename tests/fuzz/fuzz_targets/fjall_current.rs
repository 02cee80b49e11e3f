//! Gives libFuzzer's inputs to the target `fjall_current` of `highwater_tests::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_tests::fuzz::run("fjall_current", bytes));
