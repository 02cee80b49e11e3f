//! What a monitoring plugin says that cannot tell: a wrong command line is no damage.

use std::ffi::OsString;

use highwater_core::render::{State, one_line};

use super::exit::Exit;
use super::out;

/// The option that asks for a plugin's line and codes.
const OPTION: &str = "--nagios";

/// Whether a plugin was asked for, by arguments that may make no sense otherwise.
pub(super) fn is_asked(args: &[OsString]) -> bool {
    args.iter().take_while(|arg| *arg != "--").any(|arg| arg == OPTION)
}

/// Says why nobody can tell.
pub(super) fn unknown(why: &str) -> Exit {
    let why = one_line(why.lines().next().unwrap_or_default()).replace('|', "/");
    _ = out::print(&format!("HIGHWATER {} - {why}\n", State::Unknown.word()));
    Exit::Plugin(State::Unknown)
}
