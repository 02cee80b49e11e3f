//! Gives libFuzzer's inputs to the target `wire` of `highwater_tests::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_tests::fuzz::run("wire", bytes));
