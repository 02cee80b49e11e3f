//! `Bad`: where bytes are no message, and why.

/// Where bytes are no message, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of it: {what}")]
pub struct Bad {
    /// How many bytes of the message were understood.
    pub at: usize,
    /// What is wrong behind them.
    pub what: &'static str,
}
