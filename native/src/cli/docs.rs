//! `highwater completions` and `highwater man`: generated from the definition of the arguments.

use std::fs;

use clap::CommandFactory;

use super::args::{Cli, Completions, Man};
use super::exit::Exit;
use super::out;
use crate::error::Error;

pub(super) fn completions(args: &Completions) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "highwater", &mut script);
    out::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Sound)
}

pub(super) fn man(args: &Man) -> Result<Exit, Error> {
    if let Some(folder) = &args.folder {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder)
            .map_err(Error::io("write to", folder))?;
        return Ok(Exit::Sound);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| Error::failed(error.to_string()))?;
    out::print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Sound)
}
