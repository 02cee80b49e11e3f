//! `Key`: opens what Proxmox Backup Server's clients encrypted, and knows what they signed.
//!
//! A key is 32 bytes. What identifies it, the *id key*, is PBKDF2-HMAC-SHA-256 over them, with salt `_id_key` and 10
//! rounds; the digest of an encrypted chunk is that of its data and the id key, and a manifest is signed with it. A key
//! file is JSON: the key in base64, either as it is or encrypted under a passphrase (scrypt or PBKDF2, then AES-256-GCM
//! as for chunks).

mod print;

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::codec::gcm::{self, Gcm};

pub use print::Fingerprint;

/// How much memory, in bytes, and how many rounds a key file may ask for: four and a hundred times what clients write.
const MEMORY: u64 = 256 * 1024 * 1024;
const ROUNDS: u32 = 10_000_000;

/// A key. What it prints is its fingerprint, never itself. Clones share one copy, which is wiped when the last of them
/// goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Arc<Secret>);

/// What nobody else may see.
#[derive(PartialEq, Eq)]
struct Secret {
    key: [u8; 32],
    id: [u8; 32],
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.key.zeroize();
        self.id.zeroize();
    }
}

impl Key {
    /// The key of these bytes.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let mut secret = Secret { key, id: [0; 32] };
        pbkdf2_hmac::<Sha256>(&key, b"_id_key", 10, &mut secret.id);
        Self(Arc::new(secret))
    }

    /// What the digest of an encrypted chunk covers after its data.
    #[must_use]
    pub fn id(&self) -> &[u8; 32] {
        &self.0.id
    }

    /// The bytes that encrypt. Whoever asks for them must keep them to himself.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.0.key
    }

    /// What names it in public, as 32 pairs of hexadecimal digits with colons.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.print().to_string()
    }

    /// What names it in public.
    #[must_use]
    pub fn print(&self) -> Fingerprint {
        let mut hasher = Sha256::new();
        hasher.update(Sha256::digest(b"Proxmox Backup Encryption Key Fingerprint"));
        hasher.update(self.0.id);
        Fingerprint::new(hasher.finalize().into())
    }

    /// The signature of `text`: its HMAC-SHA-256.
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length.
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0.id) else { return [0; 32] };
        mac.update(text);
        mac.finalize().into_bytes().into()
    }

    /// Whether `signature` is that of `text`.
    #[must_use]
    pub fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0.id) else { return false };
        mac.update(text);
        mac.verify_slice(signature).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.fingerprint())
    }
}

/// A key file that was read and not opened yet. What it holds of the key is wiped when it goes.
#[derive(Debug, Deserialize)]
pub struct KeyFile {
    kdf: Option<Kdf>,
    data: String,
    fingerprint: Option<String>,
}

/// How the passphrase becomes a key.
#[derive(Debug, Deserialize)]
enum Kdf {
    Scrypt {
        n: u64,
        r: u32,
        p: u32,
        salt: String,
    },
    #[serde(rename = "PBKDF2")]
    Pbkdf2 {
        iter: u32,
        salt: String,
    },
}

impl KeyFile {
    /// Reads a key file.
    ///
    /// # Errors
    /// One sentence, when it is none.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|why| format!("it is no key file: {why}"))
    }

    /// Whether it takes a passphrase to open it.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.kdf.is_some()
    }

    /// The key; `passphrase` is not looked at when the file is not locked.
    ///
    /// # Errors
    /// One sentence: a wrong passphrase, or what is wrong with the file.
    pub fn open(&self, passphrase: &[u8]) -> Result<Key, String> {
        let data = decoded(&self.data, "data")?;
        let opened = match &self.kdf {
            None => data,
            Some(kdf) => {
                let short = "its encrypted key is too short";
                let (iv, rest) = data.split_first_chunk().ok_or(short)?;
                let (tag, sealed) = rest.split_first_chunk().ok_or(short)?;
                let derived = kdf.derive(passphrase)?;
                let mut gcm = Gcm::new(&derived, iv);
                let mut opened = Zeroizing::new(sealed.to_vec());
                gcm.open(&mut opened);
                if !gcm.end(tag) {
                    return Err("the passphrase is wrong, or the key file is damaged".to_owned());
                }
                opened
            }
        };
        let secret: &[u8; 32] = opened.as_slice().try_into().map_err(|_| "its key has not 32 bytes".to_owned())?;
        let key = Key::new(*secret);
        match &self.fingerprint {
            Some(said) if *said != key.fingerprint() => Err(format!("its key is not the one it names, {said}")),
            _ => Ok(key),
        }
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

impl ZeroizeOnDrop for KeyFile {}

impl Kdf {
    fn derive(&self, passphrase: &[u8]) -> Result<Zeroizing<[u8; 32]>, String> {
        let mut key = Zeroizing::new([0; 32]);
        match self {
            Self::Pbkdf2 { iter, salt } => {
                if *iter > ROUNDS {
                    return Err(format!("it asks for {iter} rounds, and no more than {ROUNDS} are done"));
                }
                pbkdf2_hmac::<Sha256>(passphrase, &decoded(salt, "salt")?, *iter, &mut *key);
            }
            Self::Scrypt { n, r, p, salt } => {
                let memory = n.saturating_mul((*r).into()).saturating_mul(128);
                let work = memory.saturating_mul((*p).into());
                if !n.is_power_of_two() || work > MEMORY {
                    return Err(format!("it asks scrypt for {memory} bytes of memory, {p} times, which is not given"));
                }
                let log = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
                let odd = |_| "scrypt cannot be asked for what it says".to_owned();
                let params = scrypt::Params::new(log, *r, *p).map_err(odd)?;
                scrypt::scrypt(passphrase, &decoded(salt, "salt")?, &params, &mut *key)
                    .map_err(|_| "scrypt cannot be asked for what it says".to_owned())?;
            }
        }
        Ok(key)
    }
}

fn decoded(text: &str, what: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    STANDARD.decode(text).map(Zeroizing::new).map_err(|_| format!("its {what} is no base64"))
}

/// The lengths of what stands before an encrypted key are those of a blob.
const _: () = assert!(gcm::IV == 16 && gcm::TAG == 16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_cannot_ask_for_memory_or_time() {
        let file = |kdf: &str, data: &str| format!(r#"{{"kdf":{kdf},"data":"{data}"}}"#);
        let data = STANDARD.encode([0; 64]);
        for (what, kdf) in [
            ("memory", r#"{"Scrypt":{"n":4294967296,"r":8,"p":1,"salt":""}}"#),
            ("more of it", r#"{"Scrypt":{"n":65536,"r":4294967295,"p":1,"salt":""}}"#),
            ("time", r#"{"Scrypt":{"n":65536,"r":8,"p":4294967295,"salt":""}}"#),
            ("no power of two", r#"{"Scrypt":{"n":65535,"r":8,"p":1,"salt":""}}"#),
            ("nothing", r#"{"Scrypt":{"n":0,"r":0,"p":0,"salt":""}}"#),
            ("rounds", r#"{"PBKDF2":{"iter":4294967295,"salt":""}}"#),
            ("no base64", r#"{"PBKDF2":{"iter":1,"salt":"?"}}"#),
        ] {
            let opened = KeyFile::parse(file(kdf, &data).as_bytes()).and_then(|file| file.open(b"word"));
            assert!(opened.is_err_and(|why| !why.contains("passphrase")), "{what}");
        }
        let pbkdf2 = r#"{"PBKDF2":{"iter":1,"salt":""}}"#;
        let wrong = KeyFile::parse(file(pbkdf2, &data).as_bytes()).and_then(|file| file.open(b"word"));
        assert!(wrong.is_err_and(|why| why.contains("passphrase")));
        for short in ["", "AAAA", &STANDARD.encode([0; 31])] {
            assert!(KeyFile::parse(file(pbkdf2, short).as_bytes()).and_then(|file| file.open(b"word")).is_err());
            assert!(KeyFile::parse(file("null", short).as_bytes()).and_then(|file| file.open(b"")).is_err());
        }
        assert!(KeyFile::parse(b"{}").is_err() && KeyFile::parse(b"\xff").is_err());
    }

    /// Fails to compile for a type that does not wipe itself.
    fn wiped<T: ZeroizeOnDrop>(_: &T) {}

    #[test]
    fn what_leads_to_a_key_is_wiped_when_it_goes() {
        let text = format!(r#"{{"kdf":{{"PBKDF2":{{"iter":1,"salt":""}}}},"data":"{}"}}"#, STANDARD.encode([7; 64]));
        let file = KeyFile::parse(text.as_bytes()).unwrap();
        wiped(&file);
        wiped(&decoded(&file.data, "data").unwrap());
        wiped(&file.kdf.as_ref().unwrap().derive(b"word").unwrap());
    }

    #[test]
    fn a_key_prints_its_fingerprint_and_not_itself() {
        let key = Key::new([7; 32]);
        assert_eq!(format!("{key:?}"), format!("Key({})", key.fingerprint()));
        assert_eq!(key.fingerprint().len(), 95);
        assert!(!format!("{key:?}").contains("7, 7"));
    }
}
