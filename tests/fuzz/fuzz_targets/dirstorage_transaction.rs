//! Gives libFuzzer's inputs to the target `dirstorage_transaction` of `highwater_tests::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_tests::fuzz::run("dirstorage_transaction", bytes));
