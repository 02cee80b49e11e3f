//! `writer-fjall`: `write STORE` commits batches to a fjall database until its standard input ends or it is killed;
//! `judge COPY` opens a copy with the same engine and says whether it holds exactly a prefix of them.
//!
//! Batch i inserts row i into every keyspace, sets `last` to i in every keyspace, and removes the row that left the
//! window. So a copy is a prefix if `last` is the same everywhere and exactly the rows of the window before it are
//! there, with exactly the bytes that follow from their numbers.

mod churn;
mod ingest;
mod judge;
mod keyspaces;
mod options;
mod rows;
mod write;

use std::process::ExitCode;

use options::{Options, Verb};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("writer-fjall: {error}");
            return ExitCode::from(2);
        }
    };
    match options.verb {
        Verb::Write => match write::write(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("writer-fjall: {error}");
                ExitCode::FAILURE
            }
        },
        Verb::Judge => {
            let (account, good) = judge::judge(&options);
            println!("{account}");
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}
