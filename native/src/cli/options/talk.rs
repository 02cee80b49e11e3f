//! `--verbose`, `--quiet` and `--events`: how much to say, and to whom.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use serde_json::json;

use crate::cli::out::say;
use crate::cli::{events, signals};
use crate::watch::{Event, Watch};

/// How much to say.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct Talk {
    /// Say what is being decided and done.
    #[arg(short, long)]
    pub(in crate::cli) verbose: bool,
    /// No progress, and nothing on standard output but what was asked for. A report that is not sound goes to standard
    /// error.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,
    /// Write what happens as it happens, one JSON document a line: the start, how far it is, findings, and the verdict;
    /// - for standard output, whose other text goes to standard error then.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) events: Option<PathBuf>,
}

impl Talk {
    /// A watch that prints notices always and notes when asked to.
    pub(in crate::cli) fn watch(&self, stop: &Arc<AtomicBool>) -> Watch<'static> {
        let is_verbose = self.verbose;
        Watch::new(Arc::clone(stop), move |event| match event {
            Event::Note(text) if is_verbose => say(text),
            Event::Decision(text) | Event::Notice(text) => {
                events::write(|| json!({ "event": "notice", "message": text }));
                say(&format!("highwater: {text}"));
            }
            Event::Note(_) => {}
        })
        .guarded_by(signals::guard)
    }
}
