//! `Point`: what a user means by `POINT` of `REPO@POINT`, as the format of the repository read it.

use std::fmt;

/// What stands for the newest point in place of its name.
pub const LATEST: &str = "latest";

/// A point in time, or a run of them, as a format read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    text: String,
    lacks: Option<&'static str>,
    tree: bool,
    within: String,
}

/// Why a text is no point: a sentence that says what one looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPoint(pub String);

impl Point {
    /// A point that a restore takes as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), lacks: None, tree: false, within: String::new() }
    }

    /// The one point of a store that has no other, called `only`.
    ///
    /// # Errors
    /// What it is called.
    pub fn the_only(text: &str, only: &str) -> Result<Self, NoPoint> {
        match text {
            _ if text == LATEST || text == only => Ok(Self::new(text)),
            _ => Err(NoPoint(format!("'{text}' is no point of a store; it has one, called {only}"))),
        }
    }

    /// The same with what a restore still needs to know, in a sentence.
    #[must_use]
    pub fn lacking(self, what: &'static str) -> Self {
        Self { lacks: Some(what), ..self }
    }

    /// The same, known to be of a tree of files, or of what lies in one at this path; empty for all of it.
    #[must_use]
    pub fn of_tree(self, within: &str) -> Self {
        let within = within.trim_start_matches("./").trim_matches('/');
        let within = if within == "." { "" } else { within };
        Self { tree: true, within: within.to_owned(), ..self }
    }

    /// It is of a tree of files, whatever else its set has.
    #[must_use]
    pub fn is_tree(&self) -> bool {
        self.tree
    }

    /// The path in the tree that is meant; none for all of it.
    #[must_use]
    pub fn within(&self) -> Option<&str> {
        Some(&*self.within).filter(|within| !within.is_empty())
    }

    /// How the format writes it, without a path in a tree.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// It is the newest of all.
    #[must_use]
    pub fn is_latest(&self) -> bool {
        self.text == LATEST
    }

    /// Whether a restore of it is a restore of one thing.
    ///
    /// # Errors
    /// One sentence that says what else is to be named.
    pub fn restores(&self) -> Result<(), &'static str> {
        self.lacks.map_or(Ok(()), Err)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
