//! `Lines`: the entries of a tree, a line or a JSON object each, printed while it is read.

use std::io::Write;

use highwater_core::render::thousands;
use serde_json::{Value, json};

use super::super::{out, whence};
use crate::error::Error;
use crate::restore::Plan;

/// Entries that are printed at a time.
const LINES: usize = 1024;

/// What is printed.
pub(super) struct Lines {
    json: bool,
    text: String,
    count: u64,
    waiting: usize,
}

impl Lines {
    /// Begins with what a plan is of.
    pub(super) fn new(plan: &Plan, json: bool) -> Self {
        let text = if json {
            let head = json!({ "schema": 1, "point": plan.point, "bytes": plan.end }).to_string();
            format!("{},\n  \"entries\": [", head.strip_suffix('}').unwrap_or(&head))
        } else {
            format!("{}: {} bytes\n", plan.point, thousands(plan.end))
        };
        Self { json, text, count: 0, waiting: 0 }
    }

    /// Takes the next entry, written in one of two ways.
    pub(super) fn take(&mut self, line: impl FnOnce() -> String, object: impl FnOnce() -> Value) {
        if self.json {
            self.text.push_str(if self.count == 0 { "\n    " } else { ",\n    " });
            self.text.push_str(&object().to_string());
        } else {
            self.text.push_str(&line());
        }
        self.count += 1;
        self.waiting += 1;
    }

    /// Prints what waits, if it is much.
    pub(super) fn print(&mut self) -> Result<(), Error> {
        if self.waiting > LINES { self.flush() } else { Ok(()) }
    }

    /// No entry came, and nothing was printed.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Prints the rest.
    pub(super) fn end(mut self) -> Result<(), Error> {
        if self.json {
            let end = whence::stamped(json!({}))?.to_string();
            let more = if end == "{}" { "" } else { ",\n  " };
            self.text.push_str(&format!("\n  ]{more}{}\n", end.strip_prefix('{').unwrap_or(&end)));
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Error> {
        let text = std::mem::take(&mut self.text);
        self.waiting = 0;
        out::through(|out| out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }
}
