//! `--events`: findings and verdicts as they come, a JSON document a line.

use std::io::{self, Write};
use std::path::Path;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use serde_json::json;

use crate::cli::output::Output;
use crate::error::Error;
use crate::watch::Watch;

/// Where events go, and the first error of writing them.
pub(super) struct Events {
    to: Option<Box<dyn Write>>,
    failed: Option<io::Error>,
}

impl Events {
    /// Opens where they go, if anywhere.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn open(path: Option<&Path>, watch: &Watch<'_>) -> Result<Self, Error> {
        let to = Output::open(path, watch)?.map(Output::stream).transpose()?;
        Ok(Self { to, failed: None })
    }

    /// Writes the verdict on a claim.
    pub(super) fn settled(&mut self, label: &str, claim: &Claim, verdict: &Verdict) {
        if self.to.is_none() {
            return;
        }
        let (word, message) = match verdict {
            Verdict::Sound => ("sound", None),
            Verdict::Damaged(damage) => ("damaged", Some(damage.to_string())),
            Verdict::Unreadable(fault) => ("unreadable", Some(fault.to_string())),
            Verdict::Unverifiable(why) => ("unverifiable", Some((*why).to_owned())),
        };
        let object = claim.object.to_string();
        self.write(&json!({
            "event": "claim", "root": label, "object": object, "verdict": word, "message": message,
        }));
    }

    /// Writes an event.
    pub(super) fn write(&mut self, event: &serde_json::Value) {
        if let (Some(to), None) = (&mut self.to, &self.failed) {
            self.failed = writeln!(to, "{event}").err();
        }
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// When not every event could be written.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let flushed = self.to.as_mut().map_or(Ok(()), Write::flush);
        match self.failed.or(flushed.err()) {
            Some(error) => Err(Error::failed(format!("cannot write the events: {error}"))),
            None => Ok(()),
        }
    }
}
