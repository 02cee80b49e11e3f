//! `Repository`: reads a repository's listing and every `.dat`, and turns them into points, claims, trails and
//! findings.

use std::collections::BTreeSet;

use super::chain::{Break, Chain, Continuity, Link, Listing};
use super::follow::Records;
use super::look::SecondLook;
use super::names::DataFile;
use crate::claim::{Claim, Expect, Extent};
use crate::codec::{Codec, Flow};
use crate::fault::Fault;
use crate::finding::{Code, Finding, Hurts};
use crate::foreign::is_foreign;
use crate::inspect::{Answer, Ask, Batch, Inspect, Kind, Of, Scope, Set};
use crate::name::Name;
use crate::point::Point;
use crate::split::{Line, Lines};
use crate::stamp;
use crate::trail::{Part, Trail};

/// How many points whose data file is not there are still named, in each chain. What more a hostile index lists is only
/// counted, so that it cannot ask for memory.
const LOST_POINTS: u64 = 1000;

/// How often the folder is listed at most until two listings in a row agree.
const LISTINGS: u32 = 5;

/// The inspection of one repository.
pub(super) struct Repository {
    scope: Scope,
    claims: bool,
    trails: bool,
    /// `Some` when only one point is wanted: the newest at or before the inner text.
    point: Option<Option<String>>,
    listing: Listing,
    /// The listing before, if this one is to confirm it, and how many there were.
    unconfirmed: Option<Listing>,
    listings: u32,
    listed: bool,
    chains: std::vec::IntoIter<Chain>,
    /// Where one point is wanted: the chain before the one that it is looked for in, should that one be just being
    /// written.
    before: Option<Chain>,
    /// The chain whose `.dat` is being read.
    reading: Option<Reading>,
    /// Files of the newest chain that are to be called unlisted, and its index.
    doubts: Vec<(Name, Finding)>,
    newest: Option<Name>,
    look: Option<SecondLook>,
    /// Points whose data file is not there, as far as they are named.
    lost: BTreeSet<String>,
    group: u64,
    ordinal: u64,
}

/// One `.dat` on its way in.
struct Reading {
    chain: Chain,
    dat: Name,
    lines: Lines,
    continuity: Continuity,
    /// Files of the chain that some line has named, and lines that name none of them.
    named: BTreeSet<Name>,
    lost: u64,
    /// Parts of the trail, up to the first break.
    parts: Vec<Part>,
    ends: Vec<u64>,
    broken: bool,
    empty: bool,
    first: u64,
    /// The last point that is wanted, and whether a line was of a later one.
    last: String,
    past: bool,
}

impl Repository {
    pub(super) fn new(scope: &Scope) -> Self {
        let point = match &scope.of {
            Of::Catalogue | Of::References | Of::All => None,
            Of::Point(point) => Some(point.as_ref()),
            Of::Under(point) | Of::Salvage(point) => Some(Some(point)),
        };
        let stem = |point: &Point| Some(point.as_str().to_owned()).filter(|_| !point.is_latest());
        Self {
            scope: scope.clone(),
            claims: !matches!(scope.of, Of::Catalogue | Of::References),
            trails: scope.trails && !matches!(scope.of, Of::Salvage(_)),
            point: point.map(|point| point.and_then(stem)),
            listing: Listing::default(),
            unconfirmed: None,
            listings: 0,
            listed: false,
            chains: Vec::new().into_iter(),
            before: None,
            reading: None,
            doubts: Vec::new(),
            newest: None,
            look: None,
            lost: BTreeSet::new(),
            group: 0,
            ordinal: 0,
        }
    }

    /// Whether the point asked for, if one is, lies at or after `stem`.
    fn wants(&self, stem: &str) -> bool {
        match &self.point {
            Some(Some(point)) => stamp::at_or_before(stem, point),
            Some(None) | None => true,
        }
    }

    /// Whether to list once more. A folder that changes while it is listed may show an increment and not the full
    /// backup that was removed with it, or a backup and not the index that was made after it. So a listing that looks
    /// like that must be confirmed: no name of a backup comes twice, hence two that agree show what was there between
    /// them.
    fn must_list_again(&mut self) -> bool {
        self.listings += 1;
        let odd = self.listing.chains().iter().any(|chain| chain.stem.is_empty() || !chain.has_dat);
        let confirmed = self.unconfirmed.take().is_some_and(|before| before.has_same_backups(&self.listing));
        if !odd || confirmed || self.listings == LISTINGS {
            return false;
        }
        self.unconfirmed = Some(std::mem::take(&mut self.listing));
        true
    }

    /// Says what the listing alone shows, and begins with the first chain.
    fn sort_out(&mut self, out: &mut Batch) {
        self.listed = true;
        let mut chains = self.listing.chains();
        if self.point.is_some() {
            chains.retain(|chain| self.wants(&chain.stem));
            self.before = chains.drain(..chains.len().saturating_sub(1)).next_back();
        } else {
            let strays = self.listing.strays.iter().map(|name| (Code::Stray, name.clone(), "it belongs to no backup"));
            let work = self
                .listing
                .temporary
                .iter()
                .map(|name| (Code::Temporary, name.clone(), "it is the work file of a backup"));
            for (code, name, message) in strays.chain(work) {
                out.findings.push(finding(code, Some(name), None, message.to_owned(), Hurts::Nothing));
            }
        }
        self.newest = chains.last().and_then(|chain| Name::new(chain.dat().as_bytes()).ok());
        self.chains = chains.into_iter();
        self.next_chain(out);
    }

    /// Goes on to the next chain that has an index to read.
    fn next_chain(&mut self, out: &mut Batch) {
        while let Some(chain) = self.chains.next() {
            let dat = Name::new(chain.dat().as_bytes());
            if let (true, Ok(dat)) = (chain.has_dat, dat) {
                let limit = self.chains.as_slice().first().map(|next| next.stem.as_str());
                self.reading = Some(Reading {
                    continuity: Continuity::new(&chain.stem, limit),
                    chain,
                    dat,
                    lines: Lines::default(),
                    named: BTreeSet::new(),
                    lost: 0,
                    parts: Vec::new(),
                    ends: Vec::new(),
                    broken: false,
                    empty: true,
                    first: self.ordinal,
                    last: String::new(),
                    past: false,
                });
                return;
            }
            let mut files = chain.files.iter();
            if self.listing.is_being_removed(&chain) {
                out.findings.extend(files.map(being_removed));
            } else if chain.stem.is_empty() {
                for file in files {
                    let message = "it is an increment, and no full backup lies before it".to_owned();
                    out.findings.push(finding(Code::NoBase, Some(file.clone()), None, message, Hurts::Nothing));
                }
            } else if let Some(full) = files.next() {
                let message = format!("its index '{}' is not there", chain.dat());
                self.doubt(full, finding(Code::NoIndex, Some(full.clone()), None, message, self.hides()), out);
                self.unlisted(files, &chain, None, out);
            }
        }
        self.lone_indices(out);
        for name in self.listing.lone_marks().filter(|_| self.point.is_none()) {
            let message = "these are the marks of a backup that is not there".to_owned();
            out.findings.push(finding(Code::Stray, Some(name), None, message, Hurts::Nothing));
        }
        if let Some(newest) = self.newest.take().filter(|_| !self.doubts.is_empty()) {
            self.look = Some(SecondLook::new(newest, std::mem::take(&mut self.doubts)));
        }
    }

    /// Reports OID indices without their data file, but not when a line names that file: it may come back.
    fn lone_indices(&self, out: &mut Batch) {
        let lone = self.listing.lone_indices().filter(|stem| self.point.is_none() && !self.lost.contains(*stem));
        for name in lone.filter_map(|stem| Name::new(format!("{stem}.index").as_bytes()).ok()) {
            let message = "it is the OID index of a backup that is not there".to_owned();
            out.findings.push(finding(Code::Stray, Some(name), None, message, Hurts::Nothing));
        }
    }

    /// Says that nothing lists a file, or keeps that for a second look if the file may just be being published: unless
    /// it is this very one that is wanted.
    fn doubt(&mut self, file: &Name, finding: Finding, out: &mut Batch) {
        let stem = DataFile::parse(file.as_bytes()).map(|data| data.stem);
        let wanted = self.point.as_ref().is_some_and(|point| point.as_deref().is_some_and(|point| stem == Some(point)));
        if !wanted && self.chains.as_slice().is_empty() {
            self.doubts.push((file.clone(), finding))
        } else {
            out.findings.push(finding)
        }
    }

    /// Says which files of a chain no line names, whose last line, if it has an index, is of the point `last`.
    fn unlisted<'a>(
        &mut self,
        files: impl Iterator<Item = &'a Name>,
        chain: &Chain,
        last: Option<&str>,
        out: &mut Batch,
    ) {
        for file in files {
            let stem = DataFile::parse(file.as_bytes()).map_or("", |data| data.stem);
            if self.listing.is_being_pruned(chain, file) {
                out.findings.push(being_removed(file));
            } else if self.wants(stem) {
                let message = format!("no line of '{}' names it", chain.dat());
                let hurts = if last.is_some_and(|last| stem > last) { self.hides() } else { Hurts::Nothing };
                self.doubt(file, finding(Code::Unlisted, Some(file.clone()), None, message, hurts), out);
            }
        }
    }

    /// What is hurt by something that may be a newer point than those that were found: where one point is wanted,
    /// whatever comes after the last.
    fn hides(&self) -> Hurts {
        match self.point {
            Some(_) => Hurts::Onward { group: self.group, from: self.ordinal },
            None => Hurts::Nothing,
        }
    }

    /// Takes one line of the index being read.
    fn line(&mut self, reading: &mut Reading, line: Line<'_>, out: &mut Batch) {
        if line.text.is_empty() && line.ended {
            // The original's reader would stumble over it; nothing is lost by passing it over.
            return;
        }
        reading.empty = false;
        let (link, fault) = reading.continuity.line(line.text, line.cut);
        // Lines are in the order of time: behind one that is too new, none is wanted, not even one that says nothing.
        reading.past |= link.as_ref().is_some_and(|link| !self.wants(&link.stem));
        if reading.past {
            return;
        }
        if let Some(fault) = fault {
            reading.broken = true;
            let torn = matches!(fault, Break::Line(_)) && !line.ended;
            let message = if torn {
                format!("{fault}; it is the last line and has no line end: an interrupted backup")
            } else {
                fault.to_string()
            };
            // What a torn last line was to say is lost, but the points before it are whole.
            let hurts = if torn { self.hides() } else { Hurts::Onward { group: self.group, from: self.ordinal } };
            out.findings.push(finding(fault.code(), Some(reading.dat.clone()), Some(line.at), message, hurts));
        }
        if let Some(link) = link {
            self.link(reading, &link, out);
        }
    }

    fn link(&mut self, reading: &mut Reading, link: &Link, out: &mut Batch) {
        let there = reading.chain.holds(&link.file);
        if there {
            reading.named.insert(link.file.clone());
        } else {
            // It is missing, as the claim on it says, and the trail ends there; or it came after the listing, with its
            // OID index and then this line, and must be followed like any other.
            reading.lost = reading.lost.saturating_add(1);
            reading.broken |= reading.parts.is_empty() || reading.lost > LOST_POINTS;
        }
        let hurts = Hurts::Onward { group: self.group, from: self.ordinal };
        if reading.lost <= LOST_POINTS {
            if !there {
                self.lost.insert(link.stem.clone());
            }
            reading.last.clone_from(&link.stem);
            let (name, bytes) = (link.stem.clone(), Some(link.end));
            out.sets.push(Set { name, group: self.group, bytes, ..Set::default() });
            self.ordinal = self.ordinal.saturating_add(1);
        }
        if !self.claims {
            return;
        }
        out.claims.push(Claim {
            object: link.file.clone(),
            index: reading.dat.clone(),
            range: None,
            codec: link.codec,
            expect: Expect { length: link.end - link.start, digest: Some(link.digest) },
            extent: Some(Extent { path: None, at: link.start }),
            marks: self.listing.marks_of(&link.file),
            hurts,
        });
        let index = Name::new(format!("{}.index", link.stem).as_bytes()).ok();
        let index = index.filter(|_| !there || self.listing.has_index(&link.stem));
        if there && index.is_none() {
            let message = "it has no .index file beside it".to_owned();
            out.findings.push(finding(Code::NoOidIndex, Some(link.file.clone()), None, message, Hurts::Nothing));
        }
        if self.trails && !reading.broken {
            reading.parts.push(Part { object: link.file.clone(), codec: link.codec });
            reading.ends.push(link.end);
            reading.parts.extend(index.map(|object| Part { object, codec: Codec::Plain }));
        }
    }

    /// The index being read is over.
    fn end(&mut self, mut reading: Reading, fault: Option<Fault>, out: &mut Batch) {
        if let Some(fault) = fault {
            out.findings.push(finding(
                Code::Unreadable,
                Some(reading.dat),
                None,
                fault.message,
                Hurts::Group(self.group),
            ));
        } else {
            let mut lines = std::mem::take(&mut reading.lines);
            lines.end(|line| self.line(&mut reading, line, out));
            if reading.empty {
                let message = "it is empty".to_owned();
                let file = reading.chain.files.first().unwrap_or(&reading.dat);
                self.doubt(
                    file,
                    finding(Code::NoIndex, Some(reading.dat.clone()), Some(0), message, Hurts::Nothing),
                    out,
                );
            }
            let unnamed = reading.chain.files.iter().filter(|file| !reading.named.contains(*file));
            self.unlisted(unnamed, &reading.chain, Some(&reading.last), out);
        }
        if !reading.parts.is_empty() {
            let follow = Box::new(Records::new(reading.ends, self.group, reading.first));
            out.trails.push(Trail { parts: reading.parts, follow, key: None });
        }
        self.group += 1;
        self.next_chain(out);
    }
}

impl Inspect for Repository {
    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new(&self.scope))
    }

    fn ask(&self) -> Ask {
        match (&self.reading, &self.look) {
            _ if !self.listed => Ask::List(None),
            (Some(reading), _) => Ask::read(reading.dat.clone()),
            (None, Some(look)) => look.ask(),
            (None, None) => Ask::Done,
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        if let Some(look) = self.look.take() {
            let writing = answer == Answer::Writing(true);
            self.look = look.answer(answer, out);
            // A first backup of a chain that is being written: the point before it is in the chain before.
            if let Some(before) = self.before.take_if(|_| writing && self.ordinal == 0) {
                self.chains = vec![before].into_iter();
                self.next_chain(out);
            }
            return Flow::Continue(());
        }
        let Some(mut reading) = self.reading.take() else {
            match answer {
                Answer::Entries(entries) => {
                    for entry in entries.iter().filter(|entry| !is_foreign(entry.name.as_bytes())) {
                        if entry.kind == Kind::Folder {
                            self.listing.strays.push(entry.name.clone());
                        } else {
                            self.listing.add(&entry.name);
                        }
                    }
                }
                Answer::End if self.must_list_again() => {}
                Answer::End => self.sort_out(out),
                Answer::Failed(fault) => {
                    self.listed = true;
                    out.findings.push(finding(Code::Unreadable, None, None, fault.message, Hurts::All));
                }
                Answer::Bytes(_) | Answer::Writing(_) => {}
            }
            return Flow::Continue(());
        };
        match answer {
            Answer::Bytes(bytes) => {
                let mut lines = std::mem::take(&mut reading.lines);
                lines.push(bytes, |line| self.line(&mut reading, line, out));
                reading.lines = lines;
                if reading.past {
                    self.end(reading, None, out);
                    return Flow::Break(());
                }
                self.reading = Some(reading);
            }
            Answer::End => self.end(reading, None, out),
            Answer::Failed(fault) => self.end(reading, Some(fault), out),
            Answer::Entries(_) | Answer::Writing(_) => self.reading = Some(reading),
        }
        Flow::Continue(())
    }
}

/// Says that a file is left of points that are being removed.
fn being_removed(file: &Name) -> Finding {
    let message = "it is left of older points that are being removed; the next backup or prune ends that".to_owned();
    finding(Code::Temporary, Some(file.clone()), None, message, Hurts::Nothing)
}

fn finding(code: Code, object: Option<Name>, offset: Option<u64>, message: String, hurts: Hurts) -> Finding {
    Finding { code, object, offset, message, hurts }
}
