//! `writer-fjall`: `write STORE` commits batches to a fjall database until its standard input ends or it is killed;
//! `judge COPY` opens a copy with the same engine and says whether it holds exactly a prefix of them.

mod churn;
mod ingest;
mod judge;
mod keyspaces;
mod write;

use std::process::ExitCode;

fn main() -> ExitCode {
    writer_common::run("writer-fjall", write::write, judge::judge)
}
