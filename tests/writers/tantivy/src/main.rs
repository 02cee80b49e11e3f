//! `writer-tantivy`: `write STORE` adds documents to a Tantivy index and commits them until its standard input ends or
//! it is killed; `judge COPY` opens a copy with the same engine and says whether it is exactly the state of some
//! commit.

mod index;
mod judge;
mod write;

use std::process::ExitCode;

fn main() -> ExitCode {
    writer_common::run("writer-tantivy", write::write, judge::judge)
}
