//! The command line: a verb, a folder, and what makes the writer harsher.

use std::path::PathBuf;

/// What to do with the folder.
#[derive(Debug, PartialEq, Eq)]
pub enum Verb {
    /// Commit batches to it.
    Write,
    /// Say whether it is a good copy.
    Judge,
}

/// A parsed command line.
#[derive(Debug)]
pub struct Options {
    /// What to do.
    pub verb: Verb,
    /// The store or the copy.
    pub folder: PathBuf,
    /// Batches a second; 0 for as many as go.
    pub rate: u64,
    /// How many batches to commit before it ends; 0 for no end.
    pub batches: u64,
    /// How many rows stay; kept in the store, so that only its first writer needs to say it.
    pub window: u64,
    /// How many bytes a row has at least; kept in the store as well.
    pub row: usize,
    /// Ingest sorted tables past the journal now and then.
    pub ingest: bool,
    /// Create and drop keyspaces now and then.
    pub churn: bool,
    /// Where to write, a line a batch, when it was done (µs since 1970) and how long it took (µs).
    pub latencies: Option<PathBuf>,
    /// What the judge's copy must hold at least.
    pub acknowledged: u64,
}

impl Options {
    /// The last batch of a writer whose store ends with `last`.
    pub fn end(&self, last: u64) -> u64 {
        if self.batches == 0 { u64::MAX } else { last.saturating_add(self.batches) }
    }

    /// Parse what follows the name of the program.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            verb: Verb::Judge,
            folder: PathBuf::new(),
            rate: 0,
            batches: 0,
            window: 5000,
            row: 3000,
            ingest: false,
            churn: false,
            latencies: None,
            acknowledged: 0,
        };
        let mut words = words;
        options.verb = match words.next().as_deref() {
            Some("write") => Verb::Write,
            Some("judge") => Verb::Judge,
            _ => return Err("say write STORE or judge COPY".into()),
        };
        options.folder = words.next().ok_or("which folder?")?.into();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} takes a value"));
            let number = |text: String| text.parse::<u64>().map_err(|_| format!("{text} is no number"));
            match word.as_str() {
                "--rate" => options.rate = number(value()?)?,
                "--batches" => options.batches = number(value()?)?,
                "--window" => options.window = number(value()?)?.max(1),
                "--row" => options.row = usize::try_from(number(value()?)?).map_err(|error| error.to_string())?,
                "--acknowledged" => options.acknowledged = number(value()?)?,
                "--latencies" => options.latencies = Some(value()?.into()),
                "--ingest" => options.ingest = true,
                "--churn" => options.churn = true,
                _ => return Err(format!("what is {word}?")),
            }
        }
        Ok(options)
    }
}
