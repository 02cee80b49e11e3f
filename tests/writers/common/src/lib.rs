//! What the writers of stores and the judges of their copies share: the command line, the rows, the pace, the words.
//!
//! Batch i inserts row i into every space of a store, sets `last` to i in every space, and removes the row that left
//! the window. So a copy is a prefix if `last` is the same everywhere and exactly the rows of the window before it are
//! there, with exactly the bytes that follow from their numbers.

mod options;
mod pace;
mod rows;

use std::error::Error;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::thread;

use serde_json::json;

pub use options::{Options, Verb};
pub use pace::{Latencies, Pace};
pub use rows::{Rows, key, number};

/// What a writer or a judge gives; the error is the reason in words.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Do what the command line says: `write` until told otherwise, or `judge`, which gives the last batch of a good copy.
pub fn run(
    program: &str,
    write: impl FnOnce(&Options) -> Outcome<()>,
    judge: impl FnOnce(&Options) -> Outcome<u64>,
) -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{program}: {error}");
            return ExitCode::from(2);
        }
    };
    match options.verb {
        Verb::Write => {
            end_with_the_input();
            match write(&options) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("{program}: {error}");
                    ExitCode::FAILURE
                }
            }
        }
        Verb::Judge => {
            let judged = judge(&options).and_then(|last| {
                if last < options.acknowledged {
                    return Err(format!("it ends with {last}, and {} was acknowledged", options.acknowledged).into());
                }
                Ok(last)
            });
            let (account, code) = match judged {
                Ok(last) => (json!({ "good": true, "last": last, "why": "" }), ExitCode::SUCCESS),
                Err(error) => (json!({ "good": false, "last": null, "why": error.to_string() }), ExitCode::FAILURE),
            };
            println!("{account}");
            code
        }
    }
}

/// Acknowledge all batches up to `last`.
pub fn say(last: u64) {
    let mut output = std::io::stdout().lock();
    // Nobody reads any more: the writer is about to be ended.
    let _ = writeln!(output, "{last}").and_then(|()| output.flush());
}

/// End, as if killed, when whoever started the writer is gone.
fn end_with_the_input() {
    thread::spawn(|| {
        let mut ignored = [0; 64];
        while std::io::stdin().read(&mut ignored).is_ok_and(|count| count > 0) {}
        std::process::exit(0);
    });
}
