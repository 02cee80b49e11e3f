//! `highwater explain`: the page of a finding code, or the table of all.

use highwater_core::finding::{Code, Severity};
use highwater_core::formats;

use super::exit::Exit;
use super::{args, out};
use crate::error::Error;

pub(super) fn run(args: &args::Explain) -> Result<Exit, Error> {
    if let Some(code) = args.code {
        out::print(&formats::page(code))?;
        return Ok(Exit::Sound);
    }
    let mut text = String::new();
    for code in Code::ALL {
        let severity = match code.severity() {
            Severity::Damage => "damage",
            Severity::Inconclusive => "inconclusive",
            Severity::Warning => "warning",
        };
        text.push_str(&format!("{code}  {:<16} {severity:<13} {}\n", code.name(), code.summary()));
    }
    out::print(&text)?;
    Ok(Exit::Sound)
}
