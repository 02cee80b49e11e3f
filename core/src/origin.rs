//! `Origin`: which run a report is of, for whoever keeps reports: two runs over one set report the same otherwise.

#[cfg(feature = "json")]
use serde::{Deserialize, Serialize};

/// One run that a report is of, as the host tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
pub struct Origin {
    /// When it began: `YYYY-MM-DDThh:mm:ssZ`; first, so that the origins of a report are in their order.
    pub start: String,
    /// When it ended, likewise.
    pub end: String,
    /// The machine's name.
    pub host: String,
    /// What was looked at, as absolute paths or addresses, each with its `@POINT` if one was asked for.
    pub paths: Vec<String>,
    /// The program.
    pub tool: String,
    /// Its version.
    pub version: String,
}
