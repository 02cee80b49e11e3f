//! Gives libFuzzer's inputs to the target `inventory_table` of `highwater_tests::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_tests::fuzz::run("inventory_table", bytes));
