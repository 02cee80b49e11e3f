//! Renderers: pure functions from a [`Report`](crate::report::Report) to the text of one format.
//!
//! The same report gives the same bytes. Whatever a report says of an object may have been chosen by
//! somebody hostile: every renderer escapes it for its format, and one line stays one line. No
//! format makes a report look better than its verdict: one that is not sound has a failure or an error
//! in JUnit, a notification in SARIF and a warning or an error among the annotations.

mod github;
#[cfg(feature = "json")]
mod json;
mod junit;
mod nagios;
mod prometheus;
#[cfg(feature = "json")]
mod sarif;
mod text;
mod view;
mod words;

#[cfg(test)]
mod goldens;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use github::{annotations, summary};
#[cfg(feature = "json")]
pub use json::{JSON_SCHEMA, ReadError, from_json, json};
pub use junit::junit;
pub use nagios::{State, nagios};
pub use prometheus::prometheus;
#[cfg(feature = "json")]
pub use sarif::sarif;
pub use text::text;
pub use words::{bytes, one_line, thousands};
