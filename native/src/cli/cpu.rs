//! `HIGHWATER_WITHOUT`: instruction sets that are not to be used, for tests, measurements and doubtful machines.

use highwater_core::digest::cpu::{Features, limit as limit_to};

use super::repository::usage;
use crate::error::Error;

/// The variable: words that a comma separates.
const VARIABLE: &str = "HIGHWATER_WITHOUT";

/// Takes away from what the digests may use whatever the variable names.
pub(super) fn limit() -> Result<(), Error> {
    let Some(words) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let words = words.to_string_lossy();
    let mut features = Features::detected();
    for word in words.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        features = features.without(word).ok_or_else(|| {
            usage(format!("{VARIABLE} names '{word}', but knows only avx512, avx2, sha and neon, with commas between"))
        })?;
    }
    limit_to(features);
    Ok(())
}
