//! The engine as a filter: sets in, reports out.

use std::io::{BufReader, BufWriter, stdin, stdout};

fn main() -> std::io::Result<()> {
    highwater_tests_wasm::run(&mut BufReader::new(stdin().lock()), &mut BufWriter::new(stdout().lock()))
}
