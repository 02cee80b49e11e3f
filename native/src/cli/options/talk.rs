//! `--verbose` and `--quiet`: how much to say.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::cli::out::say;
use crate::cli::signals;
use crate::watch::{Event, Watch};

/// How much to say.
#[derive(Debug, Default, Clone, Copy, Args)]
pub(in crate::cli) struct Talk {
    /// Say what is being decided and done.
    #[arg(short, long)]
    pub(in crate::cli) verbose: bool,
    /// No progress, and nothing on standard output but what was asked for. A report that is not sound goes to standard
    /// error.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,
}

impl Talk {
    /// A watch that prints notices always and notes when asked to.
    pub(in crate::cli) fn watch(self, stop: &Arc<AtomicBool>) -> Watch<'static> {
        Watch::new(Arc::clone(stop), move |event| match event {
            Event::Note(text) if self.verbose => say(text),
            Event::Decision(text) | Event::Notice(text) => say(&format!("highwater: {text}")),
            Event::Note(_) => {}
        })
        .guarded_by(signals::guard)
    }
}
