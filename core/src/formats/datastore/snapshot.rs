//! What the folder of a snapshot and its manifest lead to: claims on its blobs, and indices to be read.

use std::collections::BTreeSet;

use super::archives::{Part, part_of};
use super::content::{Content, kept};
use super::found::{failed, finding, stray};
use super::inspect::{Ahead, Late, Now, Store, hash, told};
use super::kind::Kind as FileKind;
use super::manifest::{self, File, Manifest, Odd};
use super::names::{LOG, MANIFEST};
use super::proof::{Opens, Proof, Standing};
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Hurts};
use crate::inspect::{self, Batch, Set};
use crate::key::{Fingerprint, Key};
use crate::name::{Name, printable};
use crate::sort;

/// What else may lie in a snapshot.
pub(super) const BESIDE: [&str; 2] = [".protected", "rsa-encrypted.key.blob"];

/// What is known of the signatures in a group.
#[derive(Debug, Default)]
pub(super) struct Signed {
    group: u64,
    /// Some manifest is signed with the key that was given.
    proven: bool,
    /// Those that are not signed and do not say that they were, with their numbers.
    bare: Vec<(Name, u64)>,
}

impl Signed {
    /// Takes note of a manifest of a group.
    fn note(&mut self, group: u64, standing: Standing, manifest: &Name, ordinal: u64, out: &mut Batch) {
        if group != self.group {
            self.end(out);
            self.group = group;
        }
        self.proven |= standing == Standing::Proven;
        if standing == Standing::Bare {
            self.bare.push((manifest.clone(), ordinal));
        }
    }

    /// The group is over.
    pub(super) fn end(&mut self, out: &mut Batch) {
        let Self { proven, bare, .. } = std::mem::take(self);
        for (manifest, ordinal) in bare.into_iter().filter(|_| proven) {
            let message = "it is not signed, and others of its group are, with the key that was given".to_owned();
            out.findings.push(finding(Code::Unsigned, manifest, None, message, Hurts::One(ordinal)));
        }
    }
}

impl Store {
    /// Begins with a snapshot that has these files.
    pub(super) fn snapshot(&mut self, folder: Name, group: u64, entries: &[inspect::Entry], out: &mut Batch) {
        let files = entries.iter().filter(|entry| entry.kind.may_be_file()).filter_map(|entry| entry.name.as_str());
        let files: BTreeSet<String> = sort::set(files.map(ToOwned::to_owned));
        for entry in entries.iter().filter(|entry| !entry.kind.may_be_file() || entry.name.as_str().is_none()) {
            if let Some(name) = folder.join(entry.name.as_bytes()).ok().filter(|_| self.tells_strays()) {
                self.stranger(name, "it is no file of a snapshot", entry.kind, out);
            }
        }
        let is_odd =
            entries.iter().any(|entry| entry.name.as_bytes() == MANIFEST.as_bytes() && !entry.kind.may_be_file());
        match folder.join(MANIFEST.as_bytes()) {
            // It is there, and no backup is about to write it.
            Ok(name) if is_odd => {
                let (kind, message) = (FaultKind::Unreadable, "it is no file, or a link that leads nowhere".to_owned());
                let read = (manifest::Reading::new(), Some(Fault { kind, message }));
                self.manifest_read((&folder, name), group, files, read, out);
            }
            Ok(name) if files.contains(MANIFEST) => {
                self.now = Now::Manifest { folder, group, files, name, reading: manifest::Reading::new() };
            }
            _ => match self.without_manifest(&files) {
                Some(manifest) => {
                    let ordinal = self.ordinal;
                    self.ordinal = ordinal.saturating_add(1);
                    let (path, message) = (folder.to_string(), format!("it has no {MANIFEST}, which is written last"));
                    out.findings.push(finding(Code::Unfinished, folder.clone(), None, message, Hurts::One(ordinal)));
                    self.manifest((&folder, folder.clone()), (path, group, ordinal), files, manifest, out);
                }
                None => self.unfinished(folder, out),
            },
        }
    }

    /// To salvage an archive whose manifest is of no use: the index of that name, of which nothing else is known. With
    /// a key, its chunks are taken for encrypted.
    fn without_manifest(&self, files: &BTreeSet<String>) -> Option<Manifest> {
        let archive = self.archive.as_ref().filter(|_| self.salvages())?;
        let files = files.iter().filter_map(|name| File::unnamed(name, self.key.is_some()));
        let files: Vec<File> = files.filter(|file| file.is(archive)).collect();
        let opens = if self.key.is_some() { Opens::Maybe } else { Opens::No };
        let proof = Proof { opens, doubt: None, standing: Standing::Other };
        (!files.is_empty()).then_some(Manifest { files, fingerprint: None, proof })
    }

    /// A snapshot has no manifest: it comes last, and is the first to go. At the end it is looked for once more.
    pub(super) fn unfinished(&mut self, folder: Name, out: &mut Batch) {
        let message = format!("it has no {MANIFEST}, which is written last");
        let then = "it was finished while this ran, and was not looked at".to_owned();
        // Of the newest alone, nothing else is there to be taken.
        let hurts = if self.newest { Hurts::All } else { Hurts::Nothing };
        let missing = finding(Code::Unfinished, folder.clone(), None, message, hurts);
        let finished = finding(Code::BeingWritten, folder.clone(), None, then, Hurts::Nothing);
        let then = Some(if self.newest { missing.clone() } else { finished });
        self.late.push(Late { finding: missing, settled: MANIFEST, then, folder });
        self.next(out);
    }

    /// Ends a manifest that was read as far as this says.
    pub(super) fn manifest_read(
        &mut self,
        (folder, name): (&Name, Name),
        group: u64,
        present: BTreeSet<String>,
        (reading, fault): (manifest::Reading, Option<Fault>),
        out: &mut Batch,
    ) {
        let ordinal = self.ordinal;
        self.ordinal = ordinal.saturating_add(1);
        let path = folder.as_str().unwrap_or_default().to_owned();
        self.known.insert(hash(&path));
        let hurts = Hurts::One(ordinal);
        let read = match fault {
            Some(fault) => Err(failed(Some(name.clone()), fault, hurts)),
            None => reading.end(&path, self.key.as_ref()).map_err(|odd| {
                let (code, at, message) = match odd {
                    Odd::Broken(broken) => (Code::Encoding, Some(broken.at), broken.to_string()),
                    Odd::Malformed(message) => (Code::Malformed, None, message),
                };
                finding(code, name.clone(), at, message, hurts)
            }),
        };
        match read {
            Ok(manifest) => self.manifest((folder, name), (path, group, ordinal), present, manifest, out),
            Err(finding) => {
                out.findings.push(finding);
                if let Some(manifest) = self.without_manifest(&present) {
                    return self.manifest((folder, name), (path, group, ordinal), present, manifest, out);
                }
                out.sets.push(Set { name: path, group, bytes: None, ..Set::default() });
                self.next(out);
            }
        }
    }

    /// Takes the manifest of a snapshot.
    fn manifest(
        &mut self,
        (folder, name): (&Name, Name),
        (path, group, ordinal): (String, u64, u64),
        mut present: BTreeSet<String>,
        Manifest { mut files, fingerprint, proof }: Manifest,
        out: &mut Batch,
    ) {
        if let Err(absent) = self.choose(&mut files, &path) {
            out.absent = Some(absent);
            self.ordinal = ordinal;
            return self.next(out);
        }
        let hurts = Hurts::One(ordinal);
        let Proof { opens, doubt, standing } = proof;
        // A restore with the right key opens what was never signed.
        let weighs = if standing == Standing::Open && self.archive.is_some() { Hurts::Nothing } else { hurts };
        let told = doubt.is_some();
        out.findings.extend(doubt.map(|(code, message)| finding(code, name.clone(), None, message, weighs)));
        if self.tells_strays() {
            self.signed.note(group, standing, &name, ordinal, out);
        }
        // Where the key given is another one, that is told already.
        if opens == Opens::No && !told && files.iter().any(|file| file.sealed) {
            let message = locked(fingerprint.as_deref(), self.key.as_ref());
            out.locked.push(finding(Code::Unverifiable, name.clone(), None, message, hurts));
        }
        let archives = files.iter().filter(|file| file.kind != FileKind::Blob);
        let bytes = archives.fold(0u64, |sum, file| sum.saturating_add(file.size));
        // As long as one blob is what it holds.
        let content =
            self.archive.is_some() && !files.is_empty() && files.iter().all(|file| file.kind == FileKind::Blob);
        if !content {
            let archives = files.iter().map(File::archive).collect();
            out.sets.push(Set {
                name: path.clone(),
                group,
                bytes: Some(bytes),
                archives,
                key: fingerprint.clone(),
                ..Set::default()
            });
        }
        present.remove(MANIFEST);
        BESIDE.iter().for_each(|beside| _ = present.remove(*beside));
        if self.gathers() {
            // The payloads of a tree come right behind it.
            sort::by(&mut files, |one, other| part_of(&one.name).cmp(&part_of(&other.name)));
        }
        let mut ahead = Vec::new();
        if present.remove(LOG)
            && self.archive.is_none()
            && let Ok(log) = folder.join(LOG.as_bytes())
        {
            ahead.push(Ahead::Log(log, opens == Opens::Yes));
        }
        for file in files {
            let Ok(object) = folder.join(file.name.as_bytes()) else {
                let message = format!("it names {:?}, which can be no name of a file", file.name);
                out.findings.push(finding(Code::Malformed, name.clone(), None, message, hurts));
                continue;
            };
            present.remove(&file.name);
            let sealing = opens.sealing(file.sealed);
            match file.kind {
                FileKind::Fixed | FileKind::Dynamic => ahead.push(Ahead::Index(object, file, ordinal, sealing)),
                FileKind::Blob if file.size < sealing.header() => {
                    let least = sealing.header();
                    let message =
                        format!("the manifest says that it has {} bytes, and a blob has {least} at least", file.size);
                    out.findings.push(finding(Code::Length, object, None, message, hurts));
                }
                FileKind::Blob if content => {
                    let content = Content::new(object, name.clone(), &file, (sealing, self.key.as_ref()), hurts);
                    ahead.push(Ahead::Content(Box::new(content), path.clone(), group, fingerprint.clone()));
                }
                FileKind::Blob => out.claims.push(kept(object, name.clone(), &file, sealing, hurts)),
            }
        }
        if self.only_lists() {
            out.claims.clear();
            ahead.clear();
        }
        self.unnamed(folder, &present, out);
        self.ahead.extend(ahead.into_iter().rev());
        self.next(out);
    }

    /// Keeps the archive that alone is asked for, if one is; says what there is where nothing is of that name.
    fn choose(&self, files: &mut Vec<File>, path: &str) -> Result<(), String> {
        let Some(archive) = &self.archive else { return Ok(()) };
        let had: Vec<String> = files.iter().map(|file| printable(file.archive().as_bytes())).collect();
        if self.makes_tree() {
            return choose_tree(files, archive, path, &had);
        }
        let exact = files.iter().any(|file| file.name == *archive);
        files.retain(|file| if exact { file.name == *archive } else { file.is(archive) });
        let archive = printable(archive.as_bytes());
        match files.as_slice() {
            [_] => Ok(()),
            [] => Err(format!("there is no archive '{archive}' in {path}: it has {}", told(&had))),
            several => {
                let names: Vec<String> = several.iter().map(|file| printable(file.name.as_bytes())).collect();
                Err(format!("several archives in {path} are called '{archive}': name one of {}", told(&names)))
            }
        }
    }

    /// Tells the files that the manifest does not name.
    fn unnamed(&self, folder: &Name, present: &BTreeSet<String>, out: &mut Batch) {
        for name in present.iter().filter(|_| self.tells_strays()) {
            let is_archive = [".fidx", ".didx", ".blob"].iter().any(|kind| name.ends_with(kind));
            let Ok(object) = folder.join(name.as_bytes()) else { continue };
            out.findings.push(if is_archive {
                let message = "the manifest does not name it, so nobody restores it".to_owned();
                finding(Code::Unnamed, object, None, message, Hurts::Nothing)
            } else {
                stray(object, "the manifest does not name it")
            });
        }
    }
}

/// Keeps what holds a tree: one archive, or of a split one both, whichever of them is named.
fn choose_tree(files: &mut Vec<File>, archive: &str, path: &str, had: &[String]) -> Result<(), String> {
    if part_of(archive).is_some_and(|(_, part)| part == Part::Catalogue) {
        let archive = printable(archive.as_bytes());
        let what = "is a catalogue, which says what is in the trees of a snapshot and holds none of their files";
        return Err(format!("{archive} {what}: restore one of those; {archive}.didx stands for its own bytes"));
    }
    let named = part_of(archive).map(|(stem, _)| stem.to_owned());
    let part = |file: &File, parts: &[Part]| {
        let of = part_of(&file.name).filter(|_| file.kind == FileKind::Dynamic);
        of.is_some_and(|(stem, part)| Some(stem) == named.as_deref() && parts.contains(&part))
    };
    let whole = part_of(archive).is_some_and(|(_, part)| part == Part::Whole);
    let is_there = whole && files.iter().any(|file| part(file, &[Part::Whole]));
    files.retain(|file| part(file, if is_there { &[Part::Whole] } else { &[Part::Tree, Part::Payloads] }));
    if files.iter().any(|file| part(file, &[Part::Whole, Part::Tree])) {
        return Ok(());
    }
    let archive = printable(archive.as_bytes());
    Err(format!("there is no tree '{archive}' in {path}: it has {}", told(had)))
}

/// What is said of a snapshot whose key is another one, or not at hand.
fn locked(named: Option<&str>, given: Option<&Key>) -> String {
    let named = match named {
        Some(named) => format!("it is encrypted with the key {}", printable(Fingerprint::short(named).as_bytes())),
        None => "it is encrypted, and does not say with which key".to_owned(),
    };
    match given.map(|key| key.fingerprint()) {
        Some(given) => format!("{named}; the key given is {}", Fingerprint::short(&given)),
        None => format!("{named}, and no key was given"),
    }
}
