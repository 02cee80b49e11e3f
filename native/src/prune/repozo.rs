//! Removes points of repozo repositories: whole chains, and the ends of chains.
//!
//! A note goes first, which says from which stamp on a chain is being cut. Then the index is cut there, or goes as a
//! whole, for good: what no line names is no point any more, and with the note it is told from what a backup has not
//! listed yet. Then the data files go, the newest first, each for good before the next: the original goes by the files
//! alone, and what it finds at any moment is a chain without a gap.

use std::collections::BTreeSet;
use std::io;

use highwater_core::formats::repozo::chain::{Chain, Listing};
use highwater_core::formats::repozo::dat::Line;
use highwater_core::formats::repozo::names::{DataFile, MARKS, PRUNED};
use highwater_core::inspect::Kind;
use highwater_core::name::{Name, TEMPORARY};
use highwater_core::point::Point;
use highwater_core::split::Lines;

use super::{Pruner, Removal};
use crate::disk::like::Like;
use crate::disk::{self, Disk, Draft};
use crate::drive::buffer;
use crate::error::Error;
use crate::watch::Watch;

/// A repository.
#[derive(Debug)]
pub(super) struct Repository;

impl Pruner for Repository {
    fn kind(&self) -> &'static str {
        "repozo"
    }

    fn narrows(&self, _: &Point) -> Result<(), String> {
        Err("the points of a repozo repository are pruned together: name the repository alone".to_owned())
    }

    fn holds(&self, disk: &dyn Disk, points: &[&str]) -> Result<Vec<Option<String>>, Error> {
        let listing = list(disk)?;
        let known: BTreeSet<&str> = points.iter().copied().collect();
        let mut held: Vec<(String, String)> = Vec::new();
        let chains = listing.chains();
        for chain in chains.iter().filter(|chain| chain.has_dat) {
            let mut before = "";
            for file in &chain.files {
                // Its length tells nobody whether it can be read.
                let read = disk.open(file).and_then(|object| object.read_at(0, &mut [0]));
                read.map_err(Error::at("read", disk, file))?;
                let stem = stem(file);
                if stem == before || !known.contains(stem) && !listing.is_being_pruned(chain, file) {
                    held.push((chain.stem.clone(), format!("its chain has '{file}', which no point is of")));
                    break;
                }
                before = stem;
            }
        }
        let chain_of = |point: &str| chains.iter().rev().find(|chain| chain.stem.as_str() <= point);
        let why = |point: &&str| {
            let chain = chain_of(point)?;
            held.iter().find(|(stem, _)| *stem == chain.stem).map(|(_, why)| why.clone())
        };
        Ok(points.iter().map(why).collect())
    }

    fn finish(&self, disk: &dyn Disk, watch: &Watch<'_>) -> Result<(), Error> {
        disk::clear(disk, None, |name| name.ends_with(TEMPORARY.as_bytes()), watch)?;
        let ended = end(disk, &list(disk)?, watch)?;
        if ended > 0 {
            watch.notice(format!("ended the removal of older points that a run had begun: {ended} files"));
        }
        // Also what a run did that was killed a moment ago.
        sync(disk)
    }

    fn files(&self, disk: &dyn Disk, goes: &[&str]) -> Result<Vec<Name>, Error> {
        let is_gone: BTreeSet<&str> = goes.iter().copied().collect();
        let listing = list(disk)?;
        let chains = listing.chains();
        let mut files = Vec::new();
        for chain in chains.iter().filter(|chain| chain.has_dat) {
            let parts = chain.files.iter().filter(|file| is_gone.contains(stem(file))).flat_map(parts);
            files.extend(parts);
            files.extend(is_gone.contains(&*chain.stem).then(|| chain.dat()));
        }
        for first in listing.pruned() {
            let left = Left::of(disk, &listing, &chains, first)?;
            files.extend(left.data.iter().flat_map(|file| parts(file)).chain(left.lone));
            files.push(format!("{first}{PRUNED}"));
        }
        files.sort_unstable();
        files.dedup();
        files.iter().map(|name| Ok(Name::new(name.as_bytes())?)).collect()
    }

    fn remove(&self, job: &Removal<'_>, gone: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let &Removal { disk, goes, newest, watch } = job;
        let is_gone: BTreeSet<&str> = goes.iter().copied().collect();
        let chains = list(disk)?.chains();
        let of_newest = chains.iter().rposition(|chain| chain.stem.as_str() <= newest);
        let mut cuts: Vec<(&Chain, &str)> = Vec::new();
        for (at, chain) in chains.iter().enumerate().filter(|(_, chain)| chain.has_dat) {
            let mut points = chain.files.iter().map(stem);
            let Some(first) = points.find(|point| is_gone.contains(point)) else { continue };
            if Some(at) == of_newest || !points.all(|point| is_gone.contains(point)) {
                return Err(Error::failed(format!("somebody else changed the chain of '{}' meanwhile", chain.stem)));
            }
            cuts.push((chain, first));
        }
        for (_, first) in &cuts {
            // It says all by its name, and needs no room where there is none.
            put(disk, &note(first)?, b"")?;
        }
        sync(disk)?;
        for (chain, first) in &cuts {
            watch.go_on()?;
            cut(disk, chain, first)?;
        }
        sync(disk)?;
        goes.iter().for_each(|point| gone(point));
        end(disk, &list(disk)?, watch).map(|_| ())
    }

    fn leaves(&self) -> &'static str {
        ""
    }
}

/// Ends a removal that was begun here or by a run that was interrupted: of what its notes speak of, the files that no
/// line names. Gives how many data files went.
pub(crate) fn end(disk: &dyn Disk, listing: &Listing, watch: &Watch<'_>) -> Result<usize, Error> {
    let notes: Vec<&str> = listing.pruned().collect();
    if notes.is_empty() {
        return Ok(0);
    }
    let chains = listing.chains();
    let mut removed = 0;
    for first in notes.iter().rev() {
        let Left { data, lone } = Left::of(disk, listing, &chains, first)?;
        for file in data.into_iter().rev() {
            watch.go_on()?;
            watch.note(format!("removing {file} (and .index)"));
            parts(file).iter().try_for_each(|name| remove(disk, name))?;
            // What is older stays until this is gone for good, or the original would find a gap.
            sync(disk)?;
            removed += 1;
        }
        lone.iter().try_for_each(|name| remove(disk, name))?;
    }
    sync(disk)?;
    // Once nothing can come back that they speak of.
    notes.iter().try_for_each(|first| remove(disk, &format!("{first}{PRUNED}")))?;
    sync(disk)?;
    Ok(removed)
}

/// What a note speaks of and is to go.
struct Left<'a> {
    /// The data files that no line names, the oldest first.
    data: Vec<&'a Name>,
    /// What else lies there alone.
    lone: Vec<String>,
}

impl<'a> Left<'a> {
    fn of(disk: &dyn Disk, listing: &Listing, chains: &'a [Chain], first: &str) -> Result<Self, Error> {
        let next = chains.iter().find(|chain| chain.stem.as_str() > first).map(|chain| chain.stem.as_str());
        let is_within = |stem: &str| stem >= first && next.is_none_or(|next| stem < next);
        let chain = chains.iter().rev().find(|chain| chain.stem.as_str() <= first);
        let named = match chain.filter(|chain| chain.has_dat) {
            Some(chain) => named(disk, chain)?,
            None => BTreeSet::new(),
        };
        let files = chain.into_iter().flat_map(|chain| &chain.files);
        let left: Vec<&Name> = files.filter(|file| is_within(stem(file)) && !named.contains(*file)).collect();
        let lone = listing.lone_indices().filter(|stem| is_within(stem)).map(|stem| format!("{stem}.index"));
        let marks = listing.lone_marks().filter(|marks| {
            let of = marks.as_str().and_then(|text| text.strip_suffix(MARKS)).unwrap_or_default();
            DataFile::parse(of.as_bytes()).is_some_and(|data| is_within(data.stem))
        });
        let lone = lone.chain(marks.map(|marks| marks.to_string())).collect();
        Ok(Self { data: left, lone })
    }
}

/// The names of a data file and of what goes with it, in the order in which they go.
fn parts(file: &Name) -> [String; 3] {
    [format!("{}.index", stem(file)), format!("{file}{MARKS}"), file.to_string()]
}

/// Cuts the index of a chain before the line of the stamp `first`; with the first line, all of it goes.
fn cut(disk: &dyn Disk, chain: &Chain, first: &str) -> Result<(), Error> {
    let dat = Name::new(chain.dat().as_bytes())?;
    if first == chain.stem {
        return remove(disk, &chain.dat());
    }
    let mut end = None;
    lines(disk, &dat, &mut |at, file| {
        if end.is_none() && stem(file) >= first {
            end = Some(at);
        }
    })?;
    let Some(end) = end else { return Ok(()) };
    let object = disk.open(&dat).map_err(Error::at("open", disk, &dat))?;
    let write = || {
        let like = Like::in_place_of(disk, &dat)?;
        let draft = Draft::of(disk, &dat, TEMPORARY)?;
        let (mut at, mut wrong) = (0, None);
        object.for_each_piece(0, end, &mut buffer(), |piece| {
            wrong = draft.file().write_at(at, piece).err();
            at += piece.len() as u64;
            wrong.is_none()
        })?;
        wrong.map_or(Ok(()), Err)?;
        if at != end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        _ = draft.give(&like)?;
        draft.file().sync()?;
        draft.publish(&dat)
    };
    write().map_err(Error::at("write", disk, &dat))
}

/// The data files of a chain that lines of its index name.
fn named(disk: &dyn Disk, chain: &Chain) -> Result<BTreeSet<Name>, Error> {
    let mut named = BTreeSet::new();
    lines(disk, &Name::new(chain.dat().as_bytes())?, &mut |_, file| {
        named.extend(Some(file).filter(|file| chain.holds(file)).cloned());
    })?;
    Ok(named)
}

/// Hands on where each line of an index begins that can be understood, and the data file that it names.
fn lines(disk: &dyn Disk, dat: &Name, each: &mut dyn FnMut(u64, &Name)) -> Result<(), Error> {
    let mut take = |line: highwater_core::split::Line<'_>| {
        let named = Line::parse(line.text).ok().filter(|_| !line.cut);
        if let Some(file) = named.and_then(|named| Name::new(named.file).ok()) {
            each(line.at, &file);
        }
    };
    let object = disk.open(dat).map_err(Error::at("open", disk, dat))?;
    let mut lines = Lines::default();
    let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
        lines.push(piece, &mut take);
        true
    });
    read.map_err(Error::at("read", disk, dat))?;
    lines.end(&mut take);
    Ok(())
}

fn list(disk: &dyn Disk) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    let listed = disk.list(None, &mut |entry| {
        if entry.kind != Kind::Folder {
            listing.add(&entry.name);
        }
    });
    listed.map_err(Error::of_folder("list", disk, None))?;
    Ok(listing)
}

/// The stamp of a data file.
fn stem(file: &Name) -> &str {
    DataFile::parse(file.as_bytes()).map_or("", |data| data.stem)
}

fn note(first: &str) -> Result<Name, Error> {
    Ok(Name::new(format!("{first}{PRUNED}").as_bytes())?)
}

/// Puts a small file there in one step, like what lies around it.
fn put(disk: &dyn Disk, name: &Name, bytes: &[u8]) -> Result<(), Error> {
    let like = Like::in_place_of(disk, name).map_err(Error::at("look at", disk, name))?;
    disk::put(disk, name, bytes, &like, TEMPORARY, true).map(|_| ())
}

fn sync(disk: &dyn Disk) -> Result<(), Error> {
    disk.sync_folder(None).map_err(Error::of_folder("sync", disk, None))
}

/// Removes a file that may be gone already.
fn remove(disk: &dyn Disk, name: &str) -> Result<(), Error> {
    let name = Name::new(name.as_bytes())?;
    match disk.remove(&name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", disk, &name)(error)),
        _ => Ok(()),
    }
}
