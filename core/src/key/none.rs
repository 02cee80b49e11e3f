//! Keys, where none are known: there is none, and what is encrypted stays so.

mod print;

pub use print::Fingerprint;

/// There is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {}

impl Key {
    /// What the digest of an encrypted chunk covers after its data.
    #[must_use]
    pub fn id(&self) -> &[u8; 32] {
        match *self {}
    }

    /// What names it in public.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match *self {}
    }

    /// What names it in public.
    #[must_use]
    pub fn print(&self) -> Fingerprint {
        match *self {}
    }

    /// The signature of a text.
    #[must_use]
    pub fn sign(&self, _: &[u8]) -> [u8; 32] {
        match *self {}
    }

    /// Whether a signature is that of a text.
    #[must_use]
    pub fn signed(&self, _: &[u8], _: &[u8]) -> bool {
        match *self {}
    }
}
