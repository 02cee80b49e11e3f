//! `Proof`: what signature, key fingerprint and crypt modes of a manifest say together, with a key and without one.
//!
//! Only the text of a manifest is signed. The fingerprint of the key lies beside it, so that whoever changes the text
//! can change or remove that too: it never decides whether a signature is looked at. A signature that is that of the
//! text under the given key proves the text, whatever the fingerprint says; one that is not is damage where the
//! fingerprint names that key, and else nobody knows.

use super::kind::Crypt;
use crate::codec::Sealing;
use crate::digest::{Algorithm, Digest};
use crate::finding::Code;
use crate::key::{Fingerprint, Key};

/// What a manifest says of its signature.
#[derive(Debug)]
pub(super) struct Said<'a> {
    /// The strongest of the modes of its files.
    pub(super) crypt: Crypt,
    /// Some file is to be signed and not encrypted.
    pub(super) signs: bool,
    pub(super) signature: Option<&'a str>,
    pub(super) fingerprint: Option<&'a str>,
}

/// What comes of it.
#[derive(Debug)]
pub(super) struct Proof {
    /// What opens what is encrypted.
    pub(super) opens: Opens,
    /// What is wrong with it or cannot be told, in a sentence.
    pub(super) doubt: Option<(Code, String)>,
    pub(super) standing: Standing,
}

/// How a manifest stands with the key that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its signature is that of its text.
    Proven,
    /// Nothing of it is signed, nor says that it was.
    Bare,
    /// It should be signed, and is not: whoever has the key can open it, and has to take its text as it is.
    Open,
    /// None of these, or nobody gave a key.
    Other,
}

/// Whether the key that was given opens what is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    /// There is none, or it is another.
    No,
    /// It may be the right one.
    Maybe,
    /// It is the right one.
    Yes,
}

impl Opens {
    /// What is said of a file that is encrypted, or is not.
    pub(super) fn sealing(self, sealed: bool) -> Sealing {
        match self {
            _ if !sealed => Sealing::Open,
            Self::No => Sealing::Sealed,
            Self::Maybe => Sealing::Tried,
            Self::Yes => Sealing::Keyed,
        }
    }
}

/// Whose fingerprint a manifest bears.
enum Print {
    None,
    Odd,
    Ours,
    Other(Fingerprint),
}

impl Proof {
    /// Judges what a manifest says of its signature; `text` gives what is signed.
    pub(super) fn of(said: &Said<'_>, key: Option<&Key>, text: impl FnOnce() -> Vec<u8>) -> Self {
        let print = match said.fingerprint.map(Fingerprint::parse) {
            None => Print::None,
            Some(None) => Print::Odd,
            Some(Some(print)) if key.is_some_and(|key| key.print() == print) => Print::Ours,
            Some(Some(print)) => Print::Other(print),
        };
        let signature = said.signature.map(parsed);
        let holds = match (key, signature) {
            (Some(key), Some(Some(signature))) => key.signed(&text(), signature.as_bytes()),
            _ => false,
        };
        let opens = match (key, &print) {
            (None, _) => Opens::No,
            (Some(_), Print::Ours) => Opens::Yes,
            (Some(_), _) if holds => Opens::Yes,
            (Some(_), Print::Other(_)) => Opens::No,
            (Some(_), Print::None | Print::Odd) => Opens::Maybe,
        };
        let doubt = match (signature, &print) {
            (Some(None), _) => {
                Some((Code::Signature, "its signature is none: it has not 64 lower-case hexadecimal digits".to_owned()))
            }
            (_, Print::Odd) => Some((
                Code::Signature,
                "its key-fingerprint is none: it has not 32 pairs of hexadecimal digits".to_owned(),
            )),
            (None, Print::Ours | Print::Other(_)) => Some((
                Code::Signature,
                "it names the key that it was signed with, and its signature was removed".to_owned(),
            )),
            (None, Print::None) if said.signs => {
                Some((Code::Signature, "it says that its files are signed, and its signature was removed".to_owned()))
            }
            _ => key.and_then(|key| with(key, said, holds, &print)),
        };
        let standing = match (&doubt, signature, said.crypt) {
            (None, _, _) if holds => Standing::Proven,
            (None, None, Crypt::None) if key.is_some() => Standing::Bare,
            (Some((Code::Unproven, _)), None, Crypt::Encrypt) => Standing::Open,
            _ => Standing::Other,
        };
        Self { opens, doubt, standing }
    }
}

/// What a key tells of a manifest that does not contradict itself.
fn with(key: &Key, said: &Said<'_>, holds: bool, print: &Print) -> Option<(Code, String)> {
    let short = |print: Fingerprint| Fingerprint::short(&print.to_string()).to_owned();
    let ours = short(key.print());
    let (code, what) = match (said.signature.is_some(), holds, print) {
        (true, true, Print::Ours | Print::None) => return None,
        (true, true, _) => {
            let theirs = Fingerprint::short(said.fingerprint.unwrap_or_default());
            (
                Code::Signature,
                format!("it is signed with the key {ours}, and its key-fingerprint was changed to {theirs}"),
            )
        }
        (true, false, Print::Ours) => {
            (Code::Signature, "its signature is not that of its text: it was changed without the key".to_owned())
        }
        (true, false, Print::Other(theirs)) => {
            let theirs = short(*theirs);
            (Code::Unproven, format!("it is signed with the key {theirs}; the key given is {ours}"))
        }
        (true, false, _) => {
            let what = "it names no key, and was signed with another one or changed since";
            (Code::Unproven, format!("{what}; the key given is {ours}"))
        }
        (false, ..) if said.crypt == Crypt::Encrypt => {
            let what = "it is encrypted and not signed, as only clients of before signatures left it";
            (Code::Unproven, format!("{what}: nothing proves which chunks its archives have"))
        }
        (false, ..) => return None,
    };
    Some((code, what))
}

/// A signature as clients write it.
fn parsed(text: &str) -> Option<Digest> {
    let plain = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    plain.then(|| Digest::from_hex(Algorithm::Sha256, text.as_bytes())).flatten()
}
