//! `--json` and `--stamp`: what programs read in place of words, and whose run that was.

use clap::Args;

/// Whether programs are told.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct Json {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Let the JSON say which run it is of: the program's version, the machine, the paths, when it began and ended.
    #[arg(long, requires = "json")]
    stamp: bool,
}

impl Json {
    /// Whether JSON is to be printed. Whether it is stamped, [`whence`](crate::cli::whence) knows.
    pub(in crate::cli) fn is_asked(self) -> bool {
        self.json
    }
}
