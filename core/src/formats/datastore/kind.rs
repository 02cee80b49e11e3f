//! `Kind` and `Crypt`: what a file of a snapshot is, and how it is kept from others.

use serde::Deserialize;

/// What a file is, by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fixed,
    Dynamic,
    Blob,
}

/// How a file is kept from others; the strongest is the greatest.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Crypt {
    #[default]
    None,
    SignOnly,
    Encrypt,
}
