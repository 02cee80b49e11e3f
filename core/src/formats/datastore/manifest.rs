//! `Manifest`: what a snapshot holds, out of its `index.json.blob`.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::archives::{called, kind_of};
use super::kind::{Crypt, Kind};
use super::names::{Group, MANIFEST, time_of};
use super::proof::{Proof, Said};
use super::state;
use crate::codec::{Broken, Codec, Decoder, Flow, Sealing};
use crate::digest::{Algorithm, Digest};
use crate::key::Key;

/// The longest manifest that is read, in bytes of JSON: a hundred thousand archives.
const LONGEST: usize = 16 * 1024 * 1024;

/// The longest name that file systems give a file, in bytes.
const LONGEST_NAME: usize = 255;

/// A manifest on its way in.
pub(super) struct Reading {
    decoder: Decoder,
    text: Vec<u8>,
    broken: Option<Broken>,
    long: bool,
}

/// What is wrong with a manifest.
#[derive(Debug)]
pub(super) enum Odd {
    /// Its blob cannot be opened.
    Broken(Broken),
    /// What is in it cannot be understood, or is not of this snapshot.
    Malformed(String),
}

#[derive(Debug, Deserialize)]
struct Json {
    #[serde(rename = "backup-type")]
    kind: String,
    #[serde(rename = "backup-id")]
    id: String,
    #[serde(rename = "backup-time")]
    time: i64,
    files: Vec<JsonFile>,
    signature: Option<String>,
    #[serde(default)]
    unprotected: Unprotected,
}

/// What may change without a new signature.
#[derive(Debug, Default, Deserialize)]
struct Unprotected {
    #[serde(rename = "key-fingerprint")]
    fingerprint: Option<String>,
}

#[derive(Debug, Deserialize)]
struct JsonFile {
    filename: String,
    #[serde(rename = "crypt-mode", default)]
    crypt: Crypt,
    size: u64,
    csum: String,
}

/// What a manifest says.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) files: Vec<File>,
    /// The fingerprint of the key that it names.
    pub(super) fingerprint: Option<String>,
    /// What its signature is worth.
    pub(super) proof: Proof,
}

/// One file of a snapshot.
#[derive(Debug)]
pub(super) struct File {
    /// Its name in the snapshot's folder.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Chunks are encrypted.
    pub(super) sealed: bool,
    /// The length of the archive, or of the blob as it is stored, in bytes.
    pub(super) size: u64,
    /// The checksum of the index, or the SHA-256 of the blob as it is stored.
    pub(super) sum: Digest,
}

impl File {
    /// An index of which only the name is known; none for other files. Its size is 0, which no index has.
    pub(super) fn unnamed(name: &str, sealed: bool) -> Option<Self> {
        let kind = match name.rsplit_once('.')? {
            (_, "fidx") => Kind::Fixed,
            (_, "didx") => Kind::Dynamic,
            _ => return None,
        };
        Some(Self { name: name.to_owned(), kind, sealed, size: 0, sum: Digest::Sha256([0; 32]) })
    }

    /// Whether a person means this one: by its name, with the extension or without.
    pub(super) fn is(&self, archive: &str) -> bool {
        self.name == archive || self.name.rsplit_once('.').is_some_and(|(stem, _)| stem == archive)
    }

    /// What people, and a server's clients, call it; a blob by the name of its file.
    pub(super) fn archive(&self) -> String {
        if self.kind == Kind::Blob { self.name.clone() } else { called(&self.name).to_owned() }
    }
}

impl Reading {
    pub(super) fn new() -> Self {
        Self { decoder: Decoder::new(Codec::Blob(Sealing::Open), None), text: Vec::new(), broken: None, long: false }
    }

    /// Takes the next bytes of the blob.
    pub(super) fn push(&mut self, stored: &[u8]) {
        let Self { decoder, text, broken, long } = self;
        if broken.is_some() || *long {
            return;
        }
        let pushed = decoder.push(stored, &mut |decoded| {
            *long |= decoded.len() > LONGEST - text.len();
            if *long {
                return Flow::Break(());
            }
            text.extend_from_slice(decoded);
            Flow::Continue(())
        });
        *broken = pushed.err();
    }

    /// Of which snapshot it is: type, identity and second. If it cannot be understood, why, as a clause.
    pub(super) fn whose(mut self) -> Result<(String, String, i64), String> {
        if let Some(broken) = self.broken.take().or_else(|| self.decoder.end().err()) {
            return Err(broken.to_string());
        }
        let Json { kind, id, time, .. } =
            serde_json::from_slice(&self.text).map_err(|why| format!("it cannot be understood: {why}"))?;
        let group = format!("{kind}/{id}");
        let known = Group::parse(&group).filter(|group| group.path.matches('/').count() == 1);
        known.map(|_| (kind, id, time)).ok_or_else(|| format!("it says that it is of {group:?}, which is no group"))
    }

    /// The files, if the manifest is that of the snapshot at `path`; `key` may be that of its owner.
    pub(super) fn end(mut self, path: &str, key: Option<&Key>) -> Result<Manifest, Odd> {
        if self.long {
            return Err(Odd::Malformed(format!("it is longer than {LONGEST} bytes")));
        }
        if let Some(broken) = self.broken.take().or_else(|| self.decoder.end().err()) {
            return Err(Odd::Broken(broken));
        }
        let json: Json = serde_json::from_slice(&self.text)
            .map_err(|why| Odd::Malformed(format!("it cannot be understood: {why}")))?;
        let mut parts = path.rsplit('/');
        let (time, id, kind) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if (kind, id, time_of(time)) != (Some(&*json.kind), Some(&*json.id), Some(json.time)) {
            let Json { kind, id, time, .. } = json;
            return Err(Odd::Malformed(format!(
                "it is the manifest of {kind:?}/{id:?} at second {time}, not of this snapshot"
            )));
        }
        let said = Said {
            crypt: json.files.iter().map(|file| file.crypt).max().unwrap_or_default(),
            signs: json.files.iter().any(|file| file.crypt == Crypt::SignOnly),
            signature: json.signature.as_deref(),
            fingerprint: json.unprotected.fingerprint.as_deref(),
        };
        let proof = Proof::of(&said, key, || canonical(&self.text));
        let files: Vec<File> = json.files.into_iter().map(file_of).collect::<Result<_, _>>().map_err(Odd::Malformed)?;
        if files.is_empty() {
            return Err(Odd::Malformed("it names no file, so that nothing can be restored from it".to_owned()));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = files.iter().find(|file| !names.insert(&file.name)) {
            return Err(Odd::Malformed(format!("it names {:?} twice", twice.name)));
        }
        Ok(Manifest { files, fingerprint: json.unprotected.fingerprint, proof })
    }
}

/// What a writer says of a snapshot.
#[derive(Debug)]
pub struct New<'a> {
    /// The snapshot's type, identity and second, as its folder is named.
    pub kind: &'a str,
    /// See `kind`.
    pub id: &'a str,
    /// See `kind`.
    pub time: i64,
    /// Its indices and blobs.
    pub files: &'a [NewFile],
    /// How many chunks its archives have, and how many of them were in the store.
    pub chunks: (u64, u64),
    /// The length of those archives together, in bytes.
    pub size: u64,
    /// How many bytes were stored for the chunks that were not in the store.
    pub stored: u64,
    /// What chunks and blobs were encrypted with.
    pub key: Option<&'a Key>,
}

/// A file of such a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its name in the snapshot's folder.
    pub name: String,
    /// Of an index the length of the archive, of a blob its own, in bytes.
    pub size: u64,
    /// The checksum of an index, the SHA-256 of a blob.
    pub sum: Digest,
}

impl New<'_> {
    /// The JSON of the manifest, signed if there is a key.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mode = if self.key.is_some() { "encrypt" } else { "none" };
        let (count, duplicates) = self.chunks;
        let file = |NewFile { name, size, sum }: &NewFile| json!({ "filename": name, "crypt-mode": mode, "size": size, "csum": sum.to_string() });
        let mut manifest = json!({
            "backup-type": self.kind,
            "backup-id": self.id,
            "backup-time": self.time,
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
            "signature": null,
            "unprotected": { "chunk_upload_stats": {
                "count": count, "duplicates": duplicates, "size": self.size, "compressed_size": self.stored,
            } },
        });
        if let Some(key) = self.key {
            let signature = Digest::Sha256(key.sign(&canonical(manifest.to_string().as_bytes()))).to_string();
            set(&mut manifest, &["signature"], signature.into());
            set(&mut manifest, &["unprotected", "key-fingerprint"], key.fingerprint().into());
        }
        pretty(&manifest)
    }
}

/// What a writer asks of a manifest that is there.
#[derive(Debug)]
pub struct Old {
    value: Value,
    /// The checksums of its indices, by their names.
    pub indices: Vec<(String, Digest)>,
    /// Somebody verified the snapshot and found that it is not whole.
    pub failed: bool,
    /// It is marked so in a way that no server can read.
    pub unread: bool,
}

impl Old {
    /// Reads the blob of the snapshot at `path`, below the store.
    ///
    /// # Errors
    /// One sentence that says what is wrong.
    pub fn read(blob: &[u8], path: &str) -> Result<Self, String> {
        let mut reading = Reading::new();
        reading.push(blob);
        let text = reading.text.clone();
        let manifest = reading.end(path, None).map_err(|odd| match odd {
            Odd::Broken(broken) => format!("it is damaged at byte {}: {broken}", broken.at),
            Odd::Malformed(what) => what,
        })?;
        let value: Value = serde_json::from_slice(&text).map_err(|why| format!("it cannot be understood: {why}"))?;
        let state = value.pointer("/unprotected/verify_state");
        let failed = state.and_then(|state| state.get("state")).is_some_and(|state| state == "failed");
        let unread = failed && !state.is_some_and(state::is_read);
        let indices = manifest.files.into_iter().filter(|file| file.kind != Kind::Blob);
        Ok(Self { value, indices: indices.map(|file| (file.name, file.sum)).collect(), failed, unread })
    }

    /// The JSON that says that the snapshot is not whole, as a server reads it; `process` is the number of this one.
    #[must_use]
    pub fn mark_failed(mut self, process: u32) -> Vec<u8> {
        set(&mut self.value, &["unprotected", "verify_state"], state::failed(process));
        pretty(&self.value)
    }
}

/// Sets a member of an object in an object; what is there and is none gives way.
fn set(value: &mut Value, path: &[&str], to: Value) {
    let Some((name, rest)) = path.split_first() else {
        *value = to;
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    if let Some(map) = value.as_object_mut() {
        set(map.entry(*name).or_insert(Value::Null), rest, to);
    }
}

fn pretty(value: &Value) -> Vec<u8> {
    // Its keys are texts, so that it can always be written.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

/// What is signed: the manifest without what is not, keys in the order of their bytes, no white space.
fn canonical(text: &[u8]) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.remove("signature");
        map.remove("unprotected");
    }
    value.to_string().into_bytes()
}

fn file_of(JsonFile { filename: name, crypt, size, csum }: JsonFile) -> Result<File, String> {
    let has_stem = name.rsplit_once('.').is_some_and(|(stem, _)| !stem.is_empty() && !name.contains('/'));
    let kind = match kind_of(&name).filter(|_| has_stem) {
        Some(kind) => kind,
        None => return Err(format!("it names {name:?}, which is neither an index nor a blob")),
    };
    if name.len() > LONGEST_NAME || name.contains('\0') || name == MANIFEST {
        return Err(format!(
            "it names {:?}, which can be no file of a snapshot",
            name.chars().take(LONGEST_NAME).collect::<String>()
        ));
    }
    let sum = Digest::from_hex(Algorithm::Sha256, csum.as_bytes());
    let sum = sum.ok_or_else(|| format!("the checksum of {name:?} is none: {csum:?}"))?;
    Ok(File { name, kind, sealed: crypt == Crypt::Encrypt, size, sum })
}
