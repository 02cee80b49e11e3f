//! `Store`: walks a datastore folder by folder, reads manifests and indices, and turns them into snapshots, claims and
//! findings.

use std::collections::BTreeSet;

use super::content::{Content, stored};
use super::found::{compare, failed, finding, stray};
use super::index::{Entry, Index};
use super::manifest::{self, File, Kind as FileKind, Manifest, Odd};
use super::names::{self, LOG, MANIFEST, Which};
use crate::claim::{Claim, Expect};
use crate::codec::{Broken, Codec, Decoder, Flow, Sealing};
use crate::fault::Fault;
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{self, Answer, Ask, Batch, Inspect, LATEST, Scope, Set};
use crate::key::Key;
use crate::name::{Name, printable};

/// What else may lie in a snapshot, in a group, and in the root.
const BESIDE: [&str; 2] = [".protected", "rsa-encrypted.key.blob"];
const OF_GROUP: [&str; 2] = ["owner", "notes"];
const OF_ROOT: [&str; 6] = [".chunks", ".lock", ".gc-status", ".in-use", "lost+found", "ns"];

/// The inspection of one store.
pub(super) struct Store {
    scope: Scope,
    key: Option<Key>,
    /// It is the cache of a bucket.
    cache: bool,
    /// The path below which alone something is asked for, whether that is the newest there, and the archive.
    path: Option<String>,
    newest: bool,
    archive: Option<String>,
    /// The snapshots of which the newest is asked for: their times, names and groups.
    candidates: Vec<(i64, Name, u64)>,
    /// What is to be read after what is being read; the next is the last.
    ahead: Vec<Ahead>,
    now: Now,
    groups: u64,
    ordinal: u64,
}

/// Something to be read.
enum Ahead {
    Folder(Option<Name>, Place),
    /// An index of the snapshot of this number, with its key.
    Index(Name, File, u64, Option<Key>),
    /// A blob that is to be restored, with the path of its snapshot, its group and the fingerprint of its key.
    Content(Box<Content>, String, u64, Option<String>),
    /// A log, which no manifest names.
    Log(Name, Option<Key>),
}

/// What a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The root or a namespace, so deep.
    Space(usize),
    /// The namespaces in one.
    Spaces(usize),
    Type,
    Group,
    /// A snapshot of the group of this number.
    Snapshot(u64),
}

/// What is being read.
enum Now {
    Listing(Option<Name>, Place, Vec<inspect::Entry>),
    /// The manifest of a snapshot, with the files in its folder.
    Manifest {
        folder: Name,
        group: u64,
        files: BTreeSet<String>,
        name: Name,
        reading: manifest::Reading,
    },
    Index {
        name: Name,
        file: File,
        ordinal: u64,
        codec: Codec,
        index: Box<Index>,
    },
    Content(Box<Content>, String, u64, Option<String>),
    Log(Name, Decoder, Option<Broken>),
    Nothing,
}

impl Store {
    pub(super) fn new(scope: &Scope, key: Option<Key>, cache: bool) -> Self {
        let now = Now::Listing(None, Place::Space(0), Vec::new());
        let wanted = match scope {
            Scope::Point { at, .. } => names::wanted(at.as_deref().unwrap_or(LATEST)),
            Scope::Under { at, .. } => names::wanted(at),
            Scope::Catalogue | Scope::All { .. } => None,
        };
        let one = matches!(scope, Scope::Point { .. });
        Self {
            scope: scope.clone(),
            key,
            cache,
            path: wanted.map(|wanted| wanted.path.to_owned()),
            newest: wanted.is_some_and(|wanted| wanted.which == Which::Latest || one && wanted.which == Which::In),
            archive: wanted.and_then(|wanted| wanted.archive).map(ToOwned::to_owned),
            candidates: Vec::new(),
            ahead: Vec::new(),
            now,
            groups: 0,
            ordinal: 0,
        }
    }

    /// Whether something at or below `name` is asked for.
    fn wants(&self, name: &Name) -> bool {
        let Some(path) = &self.path else { return true };
        let within = |inner: &[u8], outer: &[u8]| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| outer.is_empty() || rest.is_empty() || rest.starts_with(b"/"))
        };
        within(path.as_bytes(), name.as_bytes()) || within(name.as_bytes(), path.as_bytes())
    }

    /// What is said when nothing that is asked for lies in `folder`, which holds `others`.
    fn absent(&self, folder: Option<&Name>, others: &[String]) -> String {
        let path = self.path.as_deref().unwrap_or_default();
        let place = folder.map_or_else(|| "the store".to_owned(), ToString::to_string);
        let asked = if path.is_empty() { "snapshot".to_owned() } else { format!("'{}'", printable(path.as_bytes())) };
        format!("there is no {asked}: {place} has {}", told(others))
    }

    /// All snapshots are looked at, so what belongs to none is told.
    fn tells_strays(&self) -> bool {
        matches!(self.scope, Scope::All { .. })
    }

    /// Goes on to the next thing to be read.
    fn next(&mut self) {
        if self.ahead.is_empty() {
            // A backup that is not finished is the newest all the same: to pass over it would be to take an older one for it.
            let newest = self.candidates.drain(..).max();
            self.ahead.extend(newest.map(|(_, name, group)| Ahead::Folder(Some(name), Place::Snapshot(group))));
        }
        self.now = match self.ahead.pop() {
            None => Now::Nothing,
            Some(Ahead::Folder(name, place)) => Now::Listing(name, place, Vec::new()),
            Some(Ahead::Index(name, file, ordinal, key)) => {
                let sealing = if file.sealed { Sealing::Sealed(key) } else { Sealing::Open };
                let codec = if self.cache { Codec::Cached(sealing) } else { Codec::Blob(sealing) };
                let index = Box::new(Index::new(file.kind == FileKind::Fixed));
                Now::Index { name, file, ordinal, codec, index }
            }
            Some(Ahead::Content(content, path, group, key)) => Now::Content(content, path, group, key),
            Some(Ahead::Log(name, key)) => Now::Log(name, Decoder::new(Codec::Blob(Sealing::Unsaid(key))), None),
        };
    }

    /// Takes a folder's entries, all of them.
    fn listed(&mut self, folder: Option<Name>, place: Place, mut entries: Vec<inspect::Entry>, out: &mut Batch) {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        if let (Place::Snapshot(group), Some(folder)) = (place, &folder) {
            self.snapshot(folder.clone(), group, &entries, out);
            return;
        }
        if place == Place::Group {
            self.groups = self.groups.saturating_add(1);
        }
        let pool = |entry: &inspect::Entry| entry.name.as_bytes() == names::CHUNKS.as_bytes();
        if place == Place::Space(0) && self.scope != Scope::Catalogue && !entries.iter().any(pool) {
            let message = "the folder of all chunks is not there; see that its disk is mounted".to_owned();
            let pool = Name::new(names::CHUNKS.as_bytes()).ok();
            out.findings.push(Finding { code: Code::Missing, object: pool, offset: None, message, hurts: Hurts::All });
        }
        let mut ahead = Vec::new();
        let mut others = Vec::new();
        for entry in entries {
            let Some(name) = below(folder.as_ref(), &entry.name) else { continue };
            let text = entry.name.as_str().unwrap_or_default();
            let next = match place {
                _ if !entry.kind.may_be_folder() => None,
                Place::Space(_) if names::TYPES.contains(&text) => Some(Place::Type),
                Place::Space(deep) if text == "ns" && deep < names::DEEPEST => Some(Place::Spaces(deep)),
                Place::Spaces(deep) if names::is_id(text) => Some(Place::Space(deep + 1)),
                Place::Type if names::is_id(text) => Some(Place::Group),
                Place::Group if names::time_of(text).is_some() => Some(Place::Snapshot(self.groups.saturating_sub(1))),
                _ => None,
            };
            match next {
                Some(Place::Snapshot(group)) if self.newest && self.wants(&name) => {
                    self.candidates.push((names::time_of(text).unwrap_or_default(), name, group));
                }
                Some(place) if self.wants(&name) => ahead.push(Ahead::Folder(Some(name), place)),
                Some(_) => others.push(entry.name.to_string()),
                None => {
                    let known = match place {
                        Place::Space(0) => OF_ROOT.contains(&text),
                        Place::Group => OF_GROUP.contains(&text),
                        _ => false,
                    };
                    if !known && self.tells_strays() {
                        out.findings.push(if text.starts_with(names::WORK) {
                            let why =
                                "a backup is being written, or was interrupted; the next one removes it".to_owned();
                            finding(Code::Temporary, name, None, why, Hurts::Nothing)
                        } else {
                            stray(name, "it belongs to no snapshot")
                        });
                    }
                }
            }
        }
        // Where the path that is asked for ends, or leads on, something of it was found.
        let inside = folder
            .as_ref()
            .is_some_and(|folder| self.path.as_deref().is_some_and(|path| folder.as_bytes().len() >= path.len()));
        if self.path.is_some() && !inside && ahead.is_empty() && self.candidates.is_empty() && self.ahead.is_empty() {
            out.absent = Some(self.absent(folder.as_ref(), &others));
        }
        self.ahead.extend(ahead.into_iter().rev());
        self.next();
    }

    /// Begins with a snapshot that has these files.
    fn snapshot(&mut self, folder: Name, group: u64, entries: &[inspect::Entry], out: &mut Batch) {
        let files = entries.iter().filter(|entry| entry.kind.may_be_file()).filter_map(|entry| entry.name.as_str());
        let files: BTreeSet<String> = files.map(ToOwned::to_owned).collect();
        for entry in entries.iter().filter(|entry| !entry.kind.may_be_file() || entry.name.as_str().is_none()) {
            if let Some(name) = below(Some(&folder), &entry.name).filter(|_| self.tells_strays()) {
                out.findings.push(stray(name, "it is no file of a snapshot"));
            }
        }
        match folder.join(MANIFEST.as_bytes()) {
            Ok(name) if files.contains(MANIFEST) => {
                self.now = Now::Manifest { folder, group, files, name, reading: manifest::Reading::new() };
            }
            _ => {
                let message = format!("it has no {MANIFEST}, which is written last");
                // Of the newest alone, nothing else is there to be taken.
                let hurts = if self.newest { Hurts::All } else { Hurts::Nothing };
                out.findings.push(finding(Code::Unfinished, folder, None, message, hurts));
                self.next();
            }
        }
    }

    /// Takes the manifest of a snapshot.
    fn manifest(
        &mut self,
        (folder, name): (&Name, Name),
        group: u64,
        mut present: BTreeSet<String>,
        read: Result<Manifest, Finding>,
        out: &mut Batch,
    ) {
        let ordinal = self.ordinal;
        self.ordinal = ordinal.saturating_add(1);
        let path = folder.as_str().unwrap_or_default().to_owned();
        let Manifest { mut files, key, fingerprint, forged } = match read {
            Ok(manifest) => manifest,
            Err(finding) => {
                out.sets.push(Set { name: path, group, bytes: 0, archives: Vec::new(), key: None });
                out.findings.push(Finding { hurts: Hurts::One(ordinal), ..finding });
                return self.next();
            }
        };
        if forged {
            let message = "its signature is not that of its text: it was changed without the key".to_owned();
            out.findings.push(finding(Code::Digest, name.clone(), None, message, Hurts::One(ordinal)));
        }
        if let Some(archive) = &self.archive {
            let had: Vec<String> = files.iter().map(|file| printable(file.archive().as_bytes())).collect();
            files.retain(|file| file.is(archive));
            if files.is_empty() {
                let archive = printable(archive.as_bytes());
                out.absent = Some(format!("there is no archive '{archive}' in {path}: it has {}", told(&had)));
                self.ordinal = ordinal;
                return self.next();
            }
        }
        if key.is_none() && files.iter().any(|file| file.sealed) {
            let message = locked(fingerprint.as_deref(), self.key);
            out.locked.push(finding(Code::Unverifiable, name.clone(), None, message, Hurts::One(ordinal)));
        }
        let archives = files.iter().filter(|file| file.kind != FileKind::Blob);
        let bytes = archives.fold(0u64, |sum, file| sum.saturating_add(file.size));
        // As long as one blob is what it holds.
        let content =
            self.archive.is_some() && !files.is_empty() && files.iter().all(|file| file.kind == FileKind::Blob);
        if !content {
            let archives = files.iter().map(File::archive).collect();
            out.sets.push(Set { name: path.clone(), group, bytes, archives, key: fingerprint.clone() });
        }
        present.remove(MANIFEST);
        BESIDE.iter().for_each(|beside| _ = present.remove(*beside));
        let mut ahead = Vec::new();
        if present.remove(LOG)
            && self.archive.is_none()
            && let Ok(log) = folder.join(LOG.as_bytes())
        {
            ahead.push(Ahead::Log(log, key));
        }
        for file in files {
            let Ok(object) = folder.join(file.name.as_bytes()) else { continue };
            present.remove(&file.name);
            match file.kind {
                FileKind::Fixed | FileKind::Dynamic => ahead.push(Ahead::Index(object, file, ordinal, key)),
                FileKind::Blob if content => {
                    let content = Content::new(object, name.clone(), &file, key, Hurts::One(ordinal));
                    ahead.push(Ahead::Content(Box::new(content), path.clone(), group, fingerprint.clone()));
                }
                FileKind::Blob => out.claims.push(stored(object, name.clone(), &file, Hurts::One(ordinal))),
            }
        }
        if self.scope == Scope::Catalogue {
            out.claims.clear();
            ahead.clear();
        }
        for stranger in present.iter().filter(|_| self.tells_strays()) {
            if let Ok(stranger) = folder.join(stranger.as_bytes()) {
                out.findings.push(stray(stranger, "the manifest does not name it"));
            }
        }
        self.ahead.extend(ahead.into_iter().rev());
        self.next();
    }

    /// Takes the end of what is being read; or why there is none.
    fn end(&mut self, fault: Option<Fault>, out: &mut Batch) {
        match std::mem::replace(&mut self.now, Now::Nothing) {
            Now::Listing(folder, place, entries) => match fault {
                None => self.listed(folder, place, entries, out),
                Some(fault) => {
                    let hurts = if place == Place::Space(0) { Hurts::All } else { Hurts::Nothing };
                    out.findings.push(Finding { object: folder, ..failed(None, fault, hurts) });
                    self.next();
                }
            },
            Now::Manifest { folder, group, files, name, reading } => {
                let path = folder.as_str().unwrap_or_default();
                let read = match fault {
                    Some(fault) => Err(failed(Some(name.clone()), fault, Hurts::Nothing)),
                    None => reading.end(path, self.key).map_err(|odd| {
                        let (code, at, message) = match odd {
                            Odd::Broken(broken) => (Code::Encoding, Some(broken.at), broken.to_string()),
                            Odd::Malformed(message) => (Code::Malformed, None, message),
                        };
                        finding(code, name.clone(), at, message, Hurts::Nothing)
                    }),
                };
                self.manifest((&folder, name), group, files, read, out);
            }
            Now::Index { name, file, ordinal, index, .. } => {
                match (fault, index.end()) {
                    (Some(fault), _) => out.findings.push(failed(Some(name), fault, Hurts::One(ordinal))),
                    (None, Ok(summary)) => compare(&name, &file, ordinal, &summary, out),
                    (None, Err(odd)) => {
                        out.findings.push(finding(Code::Malformed, name, Some(odd.at), odd.what, Hurts::One(ordinal)));
                    }
                }
                self.next();
            }
            Now::Content(content, path, group, key) => {
                let hurts = Hurts::One(self.ordinal.saturating_sub(1));
                let read = match fault {
                    Some(fault) => Err(failed(Some(content.name().clone()), fault, hurts)),
                    None => content.end(),
                };
                let bytes = read.as_ref().map_or(0, |claim| claim.expect.length);
                out.sets.push(Set { name: path, group, bytes, archives: Vec::new(), key });
                match read {
                    Ok(claim) => out.claims.push(claim),
                    Err(finding) => out.findings.push(finding),
                }
                self.next();
            }
            Now::Log(name, mut decoder, broken) => {
                let broken = broken.or_else(|| decoder.end().err());
                match (fault, broken) {
                    (Some(fault), _) => out.findings.push(failed(Some(name), fault, Hurts::Nothing)),
                    (None, Some(Broken { at, what })) => {
                        out.findings.push(finding(Code::Encoding, name, Some(at), what.to_owned(), Hurts::Nothing));
                    }
                    (None, None) => {}
                }
                self.next();
            }
            Now::Nothing => {}
        }
    }
}

impl Inspect for Store {
    fn ask(&self) -> Ask {
        match &self.now {
            Now::Listing(folder, ..) => Ask::List(folder.clone()),
            Now::Manifest { name, .. } | Now::Index { name, .. } | Now::Log(name, ..) => Ask::Read(name.clone()),
            Now::Content(content, ..) => Ask::Read(content.name().clone()),
            Now::Nothing => Ask::Done,
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) {
        match (answer, &mut self.now) {
            (Answer::Entries(some), Now::Listing(_, _, entries)) => entries.extend_from_slice(some),
            (Answer::Bytes(bytes), Now::Manifest { reading, .. }) => reading.push(bytes),
            (Answer::Bytes(bytes), Now::Content(content, ..)) => content.push(bytes),
            (Answer::Bytes(bytes), Now::Index { name, ordinal, codec, index, .. }) => {
                // One archive alone is to be put together: then a chunk that comes twice goes to two places.
                let claims = if self.archive.is_some() { &mut out.claims } else { &mut out.shared };
                index.push(bytes, &mut |entry| claims.extend(claim(name, *codec, *ordinal, entry)));
            }
            (Answer::Bytes(bytes), Now::Log(_, decoder, broken)) => {
                if broken.is_none() {
                    *broken = decoder.push(bytes, &mut |_| Flow::Continue(())).err();
                }
            }
            (Answer::End, _) => self.end(None, out),
            (Answer::Failed(fault), _) => self.end(Some(fault), out),
            (Answer::Entries(_) | Answer::Bytes(_) | Answer::Writing(_), _) => {}
        }
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new(&self.scope, self.key, self.cache))
    }
}

/// Names for a sentence: not more than a line has room for.
fn told(names: &[String]) -> String {
    const FEW: usize = 10;
    let mut shown: Vec<&str> = names.iter().take(FEW).map(String::as_str).collect();
    let more = names.len().saturating_sub(FEW);
    let rest = format!("{more} more");
    if more > 0 {
        shown.push(&rest);
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

/// What is said of a snapshot whose key is another one, or not at hand.
fn locked(named: Option<&str>, given: Option<Key>) -> String {
    let named = match named {
        Some(named) => format!("it is encrypted with the key {}", printable(Key::short(named).as_bytes())),
        None => "it is encrypted, and does not say with which key".to_owned(),
    };
    match given.map(|key| key.fingerprint()) {
        Some(given) => format!("{named}; the key given is {}", Key::short(&given)),
        None => format!("{named}, and no key was given"),
    }
}

/// The claim that an index makes on a chunk.
fn claim(index: &Name, codec: Codec, ordinal: u64, entry: Entry) -> Option<Claim> {
    Some(Claim {
        object: names::chunk(&entry.digest)?,
        index: index.clone(),
        codec,
        expect: Expect { length: entry.target.end - entry.target.start, digest: entry.digest },
        target: entry.target,
        marks: None,
        hurts: Hurts::One(ordinal),
    })
}

fn below(folder: Option<&Name>, name: &Name) -> Option<Name> {
    folder.map_or_else(|| Some(name.clone()), |folder| folder.join(name.as_bytes()).ok())
}
