//! `Fingerprint`: what names a key in public.

use std::fmt;

/// What names a key in public. It prints as 32 pairs of lower-case hexadecimal digits with colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    #[cfg(feature = "pbs-keys")]
    pub(super) fn new(print: [u8; 32]) -> Self {
        Self(print)
    }

    /// The first eight bytes of a fingerprint, which people know a key by; all of what is none.
    #[must_use]
    pub fn short(fingerprint: &str) -> &str {
        fingerprint.get(..23).unwrap_or(fingerprint)
    }

    /// Reads 32 pairs of hexadecimal digits, with colons between them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let mut pairs = text.split(':');
        for byte in &mut bytes {
            let pair =
                pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        f.write_str(&pairs.join(":"))
    }
}
