//! `highwater report schema`.

use clap::Args;
use highwater_core::render::JSON_SCHEMA;

use crate::cli::exit::Exit;
use crate::cli::out;
use crate::error::Error;

/// Print the JSON Schema of reports, for programs that read them.
#[derive(Debug, Args)]
pub(super) struct Schema {}

/// Prints it.
pub(super) fn print() -> Result<Exit, Error> {
    out::print(JSON_SCHEMA)?;
    Ok(Exit::Sound)
}
