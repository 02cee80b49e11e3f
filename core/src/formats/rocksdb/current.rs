//! CURRENT: the name of the MANIFEST, and a line feed.

use super::names::{self, File};
use super::odd::Odd;
use crate::name::printable;

/// The longest CURRENT that names anything, in bytes.
pub const LONGEST: usize = 64;

/// The number of the MANIFEST that a CURRENT names.
///
/// # Errors
/// Where and why it names none. Both engines refuse to open such a store.
pub fn parse(bytes: &[u8]) -> Result<u64, Odd> {
    let Some(name) = bytes.strip_suffix(b"\n") else {
        return Err(Odd::new(bytes.len() as u64, "it does not end with a line feed"));
    };
    match names::file(name) {
        // The engines open the file of just this name, and none writes a number in another way.
        Some(File::Manifest(number)) if names::manifest(number).is_some_and(|is| is.as_bytes() == name) => Ok(number),
        _ => {
            let shown = printable(name.get(..LONGEST).unwrap_or(name));
            Err(Odd::new(0, format!("it names '{shown}', which is no MANIFEST")))
        }
    }
}

/// What a CURRENT says that names a MANIFEST.
#[must_use]
pub fn compose(number: u64) -> String {
    format!("MANIFEST-{number:06}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_a_manifest_and_nothing_else() {
        assert_eq!(parse(b"MANIFEST-000005\n"), Ok(5));
        assert_eq!(parse(compose(1_234_567).as_bytes()), Ok(1_234_567));
        for bad in [&b""[..], b"\n", b"MANIFEST-000005", b"MANIFEST-000005\n\n", b"../MANIFEST-5\n", b"MANIFEST-5\n"] {
            assert!(parse(bad).is_err(), "{}", printable(bad));
        }
    }
}
