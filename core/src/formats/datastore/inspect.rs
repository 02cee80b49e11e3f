//! `Store`: walks a datastore folder by folder, reads manifests and indices, and turns them into snapshots, claims and
//! findings.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::archives::Part;
use super::content::Content;
use super::folders::Role;
use super::found::{compare, failed, finding};
use super::index::{Entry, Index};
use super::inside::Inside;
use super::kind::Kind as FileKind;
use super::manifest::{self, File};
use super::names::{self, Which};
use super::snapshot::Signed;
use super::strange::Strange;
use super::trees::Chunks;
use crate::claim::{Claim, Expect, Extent};
use crate::codec::{Broken, Codec, Decoder, Flow, Sealing};
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{self, Answer, Ask, Batch, Inspect, Of, Scope, Set};
use crate::key::Key;
use crate::name::{Name, printable};
use crate::point::{LATEST, Point};
use crate::report::Depth;

/// The inspection of one store.
pub(super) struct Store {
    scope: Scope,
    pub(super) key: Option<Key>,
    /// It is the cache of a bucket.
    cache: bool,
    /// The path below which alone something is asked for, whether that is the newest there, and the archive.
    pub(super) path: Option<String>,
    pub(super) newest: bool,
    pub(super) archive: Option<String>,
    /// The snapshots of which the newest is asked for: their times, names and groups.
    pub(super) candidates: Vec<(i64, Name, u64)>,
    /// What is to be read after what is being read; the next is the last.
    pub(super) ahead: Vec<Ahead>,
    pub(super) now: Now,
    pub(super) groups: u64,
    pub(super) ordinal: u64,
    /// Which snapshots there are, as hashes of their paths.
    pub(super) known: HashSet<u64>,
    pub(super) signed: Signed,
    /// What comes after all snapshots: folders of nobody, and the one that is being walked through.
    pub(super) strange: Vec<Strange>,
    pub(super) walking: Option<Strange>,
    /// And what is to be looked at once more after these.
    pub(super) late: Vec<Late>,
    /// The tree of a split archive, whose payloads are named next.
    pub(super) tree: Option<Chunks>,
    /// Some tree is looked into.
    pub(super) deep: bool,
    /// The tree that is to be made.
    pub(super) inside: Option<Box<Inside>>,
}

/// Something to be read.
pub(super) enum Ahead {
    Folder(Option<Name>, Role),
    /// An index of the snapshot of this number, with what is said of its chunks.
    Index(Name, File, u64, Sealing),
    /// A blob that is to be restored, with the path of its snapshot, its group and the fingerprint of its key.
    Content(Box<Content>, String, u64, Option<String>),
    /// A log, which no manifest names, and whether the key is that of its snapshot.
    Log(Name, bool),
    /// A folder with a manifest, which lies where nothing reads it.
    Misnamed(Name, Name),
}

/// A folder in which something is not there that may be about to come, or the folder to go.
pub(super) struct Late {
    pub(super) folder: Name,
    /// What is to be said if all is the same at the end.
    pub(super) finding: Finding,
    /// The entry that was missed, and what is to be said if it is there then.
    pub(super) settled: &'static str,
    pub(super) then: Option<Finding>,
}

/// What is being read.
pub(super) enum Now {
    Listing(Option<Name>, Role, Vec<inspect::Entry>),
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
        /// Its chunks, if they are to be looked into.
        chunks: Option<Chunks>,
    },
    Content(Box<Content>, String, u64, Option<String>),
    Log(Name, Decoder, Option<Broken>),
    /// A chunk of a tree that is to be made.
    Inside(Box<Inside>),
    Misnamed {
        folder: Name,
        name: Name,
        reading: manifest::Reading,
    },
    Nothing,
}

impl Store {
    pub(super) fn new(scope: &Scope, cache: bool) -> Self {
        let wanted = match &scope.of {
            Of::Point(point) => names::wanted(point.as_ref().map_or(LATEST, Point::as_str)),
            Of::Under(point) | Of::Salvage(point) => names::wanted(point.as_str()),
            Of::Catalogue | Of::All | Of::References => None,
        };
        let one = matches!(scope.of, Of::Point(_) | Of::Salvage(_));
        Self {
            key: scope.key.clone(),
            scope: scope.clone(),
            cache,
            path: wanted.map(|wanted| wanted.path.to_owned()),
            newest: wanted.is_some_and(|wanted| wanted.which == Which::Latest || one && wanted.which == Which::In),
            archive: wanted.and_then(|wanted| wanted.archive).map(ToOwned::to_owned),
            candidates: Vec::new(),
            ahead: Vec::new(),
            now: Now::Listing(None, Role::Space(0), Vec::new()),
            groups: 0,
            ordinal: 0,
            known: HashSet::new(),
            signed: Signed::default(),
            strange: Vec::new(),
            walking: None,
            late: Vec::new(),
            tree: None,
            deep: false,
            inside: None,
        }
    }

    /// Whether something at or below `name` is asked for.
    pub(super) fn wants(&self, name: &Name) -> bool {
        let Some(path) = &self.path else { return true };
        let within = |inner: &[u8], outer: &[u8]| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| outer.is_empty() || rest.is_empty() || rest.starts_with(b"/"))
        };
        within(path.as_bytes(), name.as_bytes()) || within(name.as_bytes(), path.as_bytes())
    }

    /// What is said when nothing that is asked for lies in `folder`, which holds `others`.
    pub(super) fn absent(&self, folder: Option<&Name>, others: &[String]) -> String {
        let path = self.path.as_deref().unwrap_or_default();
        let place = folder.map_or_else(|| "the store".to_owned(), ToString::to_string);
        let asked = if path.is_empty() { "snapshot".to_owned() } else { format!("'{}'", printable(path.as_bytes())) };
        format!("there is no {asked}: {place} has {}", told(others))
    }

    /// All snapshots are looked at, so what belongs to none is told.
    pub(super) fn tells_strays(&self) -> bool {
        self.scope.of == Of::All
    }

    /// Whatever contradicts an index does not matter.
    pub(super) fn salvages(&self) -> bool {
        matches!(self.scope.of, Of::Salvage(_))
    }

    /// What chunks hold is to be looked into.
    pub(super) fn trails(&self) -> bool {
        self.scope.trails && !self.only_lists() && !self.salvages()
    }

    /// Nothing but the names of snapshots is asked for.
    pub(super) fn only_lists(&self) -> bool {
        self.scope.of == Of::Catalogue
    }

    /// Whether a snapshot of this path was found.
    pub(super) fn names_snapshot(&self, path: &str) -> bool {
        self.known.contains(&hash(path))
    }

    /// Whether chunks of trees are gathered, to be looked into.
    pub(super) fn gathers(&self) -> bool {
        self.trails() || self.scope.tree
    }

    /// The tree is to be made that an archive holds.
    pub(super) fn makes_tree(&self) -> bool {
        self.scope.tree
    }

    /// Goes on to the next thing to be read.
    pub(super) fn next(&mut self, out: &mut Batch) {
        if let Some(inside) = self.inside.take() {
            self.now = Now::Inside(inside);
            return;
        }
        if self.ahead.is_empty() {
            // A backup that is not finished is the newest all the same: to pass over it would be to take an older one
            // for it.
            let newest = self.candidates.drain(..).max();
            self.ahead.extend(newest.map(|(_, name, group)| Ahead::Folder(Some(name), Role::Snapshot(group))));
        }
        self.now = match self.ahead.pop() {
            None => return self.last(out),
            Some(Ahead::Folder(name, place)) => Now::Listing(name, place, Vec::new()),
            Some(Ahead::Index(name, file, ordinal, sealing)) => {
                let codec = if self.cache { Codec::Cached(sealing) } else { Codec::Blob(sealing) };
                let index = Box::new(Index::new(file.kind == FileKind::Fixed));
                let chunks = self.chunks(&name, &file, codec, ordinal);
                Now::Index { name, file, ordinal, codec, index, chunks }
            }
            Some(Ahead::Content(content, path, group, key)) => Now::Content(content, path, group, key),
            Some(Ahead::Log(name, opens)) => {
                let key = self.key.as_ref().filter(|_| opens);
                Now::Log(name, Decoder::new(Codec::Blob(Sealing::Unsaid), key), None)
            }
            Some(Ahead::Misnamed(folder, name)) => Self::misnamed(folder, name),
        };
    }

    /// Takes the end of what is being read; or why there is none.
    fn end(&mut self, fault: Option<Fault>, out: &mut Batch) {
        match std::mem::replace(&mut self.now, Now::Nothing) {
            Now::Listing(folder, place, entries) => match fault {
                None => self.listed(folder, place, entries, out),
                Some(fault) => self.unlisted(folder, place, fault, out),
            },
            Now::Manifest { folder, group, files, name, reading } => {
                if matches!(fault, Some(Fault { kind: FaultKind::Absent, .. })) {
                    return self.unfinished(folder, out);
                }
                self.manifest_read((&folder, name), group, files, (reading, fault), out);
            }
            Now::Index { name, file, ordinal, index, chunks, .. } => {
                let is_read = fault.is_none() && index.is_sound();
                match (fault, index.end()) {
                    (Some(fault), _) => out.findings.push(failed(Some(name), fault, Hurts::One(ordinal))),
                    // Without a manifest, there is nothing to compare it with.
                    (None, Ok(_)) if self.salvages() && file.size == 0 => {}
                    (None, Ok(summary)) => compare(&name, &file, ordinal, &summary, out),
                    (None, Err(odd)) => {
                        out.findings.push(finding(Code::Malformed, name, Some(odd.at), odd.what, Hurts::One(ordinal)));
                    }
                }
                if let Some(chunks) = chunks {
                    self.look_into(chunks, is_read, out);
                }
                self.next(out);
            }
            Now::Content(content, path, group, key) => {
                let hurts = Hurts::One(self.ordinal.saturating_sub(1));
                let read = match fault {
                    Some(fault) => Err(failed(Some(content.name().clone()), fault, hurts)),
                    None => content.end(),
                };
                let bytes = read.as_ref().ok().map(|claim| claim.expect.length);
                out.sets.push(Set { name: path, group, bytes, key, ..Set::default() });
                match read {
                    Ok(claim) => out.claims.push(claim),
                    Err(finding) => out.findings.push(finding),
                }
                self.next(out);
            }
            Now::Inside(inside) => {
                self.inside = inside.end(fault, out).map(Box::new);
                self.next(out);
            }
            Now::Log(name, mut decoder, broken) => {
                let broken = broken.or_else(|| decoder.end().err());
                match (fault, broken) {
                    // It was there when its folder was listed, and nothing names it.
                    (Some(Fault { kind: FaultKind::Absent, .. }), _) => {}
                    (Some(fault), _) => out.findings.push(failed(Some(name), fault, Hurts::Nothing)),
                    (None, Some(Broken { at, what })) => {
                        out.findings.push(finding(Code::Encoding, name, Some(at), what.to_owned(), Hurts::Nothing));
                    }
                    (None, None) => {}
                }
                self.next(out);
            }
            Now::Misnamed { folder, reading, .. } => {
                match fault {
                    Some(Fault { kind: FaultKind::Absent, .. }) => out.removed.push(folder.to_string()),
                    Some(fault) => self.tell_misnamed(folder, Err(fault.message), out),
                    None => self.tell_misnamed(folder, reading.whose(), out),
                }
                self.next(out);
            }
            Now::Nothing => {}
        }
    }
}

impl Inspect for Store {
    fn ask(&self) -> Ask {
        match &self.now {
            Now::Listing(folder, ..) => Ask::List(folder.clone()),
            Now::Manifest { name, .. } | Now::Index { name, .. } | Now::Log(name, ..) | Now::Misnamed { name, .. } => {
                Ask::read(name.clone())
            }
            Now::Content(content, ..) => Ask::read(content.name().clone()),
            Now::Inside(inside) => Ask::read(inside.name().clone()),
            Now::Nothing => Ask::Done,
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        let makes_tree = self.makes_tree();
        match (answer, &mut self.now) {
            (Answer::Entries(some), Now::Listing(_, _, entries)) => entries.extend_from_slice(some),
            (Answer::Bytes(bytes), Now::Manifest { reading, .. } | Now::Misnamed { reading, .. }) => {
                reading.push(bytes)
            }
            (Answer::Bytes(bytes), Now::Content(content, ..)) => content.push(bytes),
            (Answer::Bytes(bytes), Now::Inside(inside)) => inside.push(bytes),
            (Answer::Bytes(bytes), Now::Index { name, ordinal, codec, index, chunks, .. }) => {
                // One archive alone is to be put together: then a chunk that comes twice goes to two places.
                let claims = if self.archive.is_some() { &mut out.claims } else { &mut out.shared };
                index.push(bytes, &mut |entry| {
                    if let Some(chunks) = chunks {
                        chunks.push(entry.target.end, &entry.digest);
                    }
                    // Of what only says where files are, nothing is restored.
                    let is_made = chunks.as_ref().is_none_or(|chunks| !makes_tree || chunks.half != Part::Tree);
                    claims.extend(claim(name, *codec, *ordinal, entry).filter(|_| is_made));
                });
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
        Flow::Continue(())
    }

    fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new(&self.scope, self.cache))
    }

    /// Of what chunks hold, trees alone are looked into.
    fn deepest(&self) -> Depth {
        if self.deep { Depth::Deep } else { Depth::Digest }
    }
}

/// Names for a sentence: not more than a line has room for.
pub(super) fn told(names: &[String]) -> String {
    const FEW: usize = 10;
    let mut shown: Vec<&str> = names.iter().take(FEW).map(String::as_str).collect();
    let more = names.len().saturating_sub(FEW);
    let rest = format!("{more} more");
    if more > 0 {
        shown.push(&rest);
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

/// The claim that an index makes on a chunk.
pub(super) fn claim(index: &Name, codec: Codec, ordinal: u64, entry: Entry) -> Option<Claim> {
    Some(Claim {
        object: names::chunk(&entry.digest)?,
        index: index.clone(),
        range: None,
        codec,
        expect: Expect { length: entry.target.end - entry.target.start, digest: Some(entry.digest) },
        extent: Some(Extent { path: None, at: entry.target.start }),
        marks: None,
        hurts: Hurts::One(ordinal),
    })
}

pub(super) fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
