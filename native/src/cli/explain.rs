//! `highwater explain`: the page of a finding code, or the table of all.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::finding::{Code, Severity};
use highwater_core::formats;
use serde_json::{Value, json};

use super::exit::Exit;
use super::options::Json;
use super::out;
use super::verb::Run;
use crate::error::Error;

/// Explain a finding code: what it means, how it comes about, what to do.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// HW103, 103 or digest; without it, all codes in a table.
    code: Option<Code>,
    #[command(flatten)]
    json: Json,
}

impl Run for Explain {
    fn is_threaded(&self) -> bool {
        false
    }

    fn run(&self, _: &Arc<AtomicBool>) -> Result<Exit, Error> {
        if self.json.is_asked() {
            let codes: Vec<Value> = match self.code {
                Some(code) => vec![document(code)],
                None => Code::ALL.iter().map(|code| document(*code)).collect(),
            };
            out::document(json!({ "schema": 1, "codes": codes }))?;
        } else {
            out::print(&self.code.map_or_else(table, formats::page))?;
        }
        Ok(Exit::Sound)
    }
}

/// A code, as `--json` writes it.
fn document(code: Code) -> Value {
    json!({
        "code": code, "name": code.name(), "severity": code.severity(), "summary": code.summary(),
        "advice": code.advice(), "page": formats::page(code),
    })
}

/// All codes, a line each.
fn table() -> String {
    let mut text = String::new();
    for code in Code::ALL {
        let severity = match code.severity() {
            Severity::Damage => "damage",
            Severity::Inconclusive => "inconclusive",
            Severity::Warning => "warning",
        };
        text.push_str(&format!("{code}  {:<16} {severity:<13} {}\n", code.name(), code.summary()));
    }
    text
}
