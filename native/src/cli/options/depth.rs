//! `--depth`: how thoroughly to look.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use highwater_core::report;

/// How thoroughly to look.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Depth {
    /// Everything named is there.
    List,
    /// Lengths are right.
    Size,
    /// Every byte gives its digest.
    Digest,
    /// Records, OID indices and archived trees are consistent.
    Deep,
}

impl Depth {
    /// All of them, of which the help names those by which a point may be called sound: a list alone does not show it.
    pub(in crate::cli) fn of_judgement() -> impl TypedValueParser<Value = Self> {
        let told = |depth: &Self| Some(depth.to_possible_value()?.hide(matches!(depth, Self::List)));
        let words = Self::value_variants().iter().filter_map(told);
        PossibleValuesParser::new(words).map(|word| Self::from_str(&word, false).unwrap_or(Self::List))
    }
}

impl From<Depth> for report::Depth {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::List => Self::List,
            Depth::Size => Self::Size,
            Depth::Digest => Self::Digest,
            Depth::Deep => Self::Deep,
        }
    }
}
