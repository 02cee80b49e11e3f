//! The report as JSON, and back.

use serde::{Deserialize, Serialize};

use crate::name::{begins_command, is_invisible};
use crate::report::{Report, SCHEMA};

/// The JSON Schema (draft 2020-12) of what [`json`] writes.
pub const JSON_SCHEMA: &str = include_str!("report.schema.json");

/// Why some text is no report that this program understands.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text is no JSON, or other JSON.
    #[error("this is not a highwater report: {0}")]
    Other(#[from] serde_json::Error),
    /// A report of another version of the program.
    #[error("this report has schema {0}, and this highwater reads schema {SCHEMA}: use the version that wrote it")]
    Schema(u64),
}

/// Renders the report as one JSON document, indented, with a line feed at its end.
#[must_use]
pub fn json(report: &Report) -> String {
    document(report)
}

/// Reads what [`json`] wrote.
///
/// # Errors
/// [`ReadError`] when the text is no report, or one with another schema number.
pub fn from_json(text: &str) -> Result<Report, ReadError> {
    #[derive(Deserialize)]
    struct Head {
        schema: u64,
    }
    let head: Head = serde_json::from_str(text)?;
    if head.schema != u64::from(SCHEMA) {
        return Err(ReadError::Schema(head.schema));
    }
    Ok(serde_json::from_str(text)?)
}

/// Any value as an indented document. Characters that a terminal or a reader of logs obeys are written as `\u009b`;
/// JSON has them in strings only, where that means the same.
pub(super) fn document<T: Serialize>(value: &T) -> String {
    // Only a map with odd keys cannot be written. Nothing would then be no JSON, which every reader refuses.
    let plain = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut text = String::with_capacity(plain.len() + 1);
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\n' && (c.is_control() || is_invisible(c) || begins_command(c, chars.peek().copied())) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text.push('\n');
    text
}
