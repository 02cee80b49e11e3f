//! `highwater man`: generated from the definition of the arguments.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, CommandFactory};

use super::exit::Exit;
use super::out;
use super::verb::{Cli, Run};
use crate::error::Error;

/// Print the manual page, or write one for each verb into a folder.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Write highwater.1, highwater-backup.1 and so on here.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Run for Man {
    fn is_threaded(&self) -> bool {
        false
    }

    fn run(&self, _: &Arc<AtomicBool>) -> Result<Exit, Error> {
        if let Some(folder) = &self.folder {
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
}
