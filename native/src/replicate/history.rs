//! `history`: whether a replica is one of this source: its indices are those of the source, or their beginnings.

use std::collections::BTreeSet;
use std::io;

use highwater_core::inspect::Kind;
use highwater_core::name::Name;
use highwater_core::part::{Change, Part};

use super::catalogue::{Catalogue, Copy, below, walk};
use crate::disk::What;
use crate::drive::buffer;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Object, Store};

/// The longest index that is read for whose it is, in bytes.
const SHORT: u64 = 1 << 20;

/// Compares the indices of both. What the replica has as it is, or with more at its end, is not published again.
///
/// # Errors
/// They are of different sets, or went different ways; or one cannot be read.
pub(super) fn compare(catalogue: &mut Catalogue<'_>, related: bool) -> Result<(), Error> {
    let (from, to) = (catalogue.from, catalogue.to);
    let (mut common, mut stay) = (false, Vec::new());
    for (name, item) in &catalogue.items {
        let there = to.look(Some(name)).map_err(Error::at("look at", to, name))?;
        if there.is_none_or(|look| look.what != What::File) {
            continue;
        }
        let told = (quoted(&from.told(Some(name))), quoted(&to.told(Some(name))));
        if let Some(identity) = item.index.identity {
            let read = |object: io::Result<Box<dyn Object>>| {
                object.and_then(|object| if object.length()? > SHORT { Ok(Vec::new()) } else { object.read_whole() })
            };
            let source = read(catalogue.open(name)).map_err(Error::at("read", from, name))?;
            let replica = read(to.open(name)).map_err(Error::at("read", to, name))?;
            if let (Some(source), Some(replica)) = (identity(&source), identity(&replica)) {
                if source != replica {
                    let what = format!("{} is of {source}, and {} of {replica}: it is another set", told.0, told.1);
                    return Err(Error::cannot_start(what));
                }
                common = true;
            }
        }
        if matches!(item.copy, Copy::There) {
            common |= item.index.change != Change::Any;
            continue;
        }
        let source = catalogue.open(name).map_err(Error::at("read", from, name))?;
        let replica = to.open(name).map_err(Error::at("read", to, name))?;
        let alike = alike(&*source, &*replica).map_err(Error::at("compare", to, name))?;
        let lengths = || Ok((source.length()?, replica.length()?));
        let (of_source, of_replica) = lengths().map_err(Error::at("compare", to, name))?;
        let is_beginning = item.index.change == Change::Grows && alike == of_source.min(of_replica);
        let is_same = alike == of_source && of_source == of_replica;
        if is_same || is_beginning && of_source < of_replica {
            stay.push(name.clone());
        }
        if item.index.change == Change::Any {
            continue;
        }
        if !is_same && !is_beginning {
            return Err(Error::cannot_start(format!(
                "{} and {} differ from byte {alike} on: the replica is of another set, or went another way, or is \
                 damaged; `highwater verify` tells the last, and a new folder takes a new replica",
                told.0, told.1
            )));
        }
        common = true;
    }
    for name in stay {
        if let Some(item) = catalogue.items.get_mut(&name) {
            item.stays = true;
        }
    }
    if common || related {
        return Ok(());
    }
    if let Some(one) = any(catalogue)? {
        return Err(Error::cannot_start(format!(
            "{} has {one}, which {} has not, and they have no point in common: if it is a replica of it all the same, \
             which missed what was pruned meanwhile, say --related",
            quoted(&to.told(None)),
            quoted(&from.told(None))
        )));
    }
    Ok(())
}

/// Whether indices that name what is not whole, and were taken for those of the source by length and time, are these:
/// it may be the replica's that are damaged.
///
/// # Errors
/// One is another, or cannot be read.
pub(super) fn are_the_same(catalogue: &Catalogue<'_>, names: &BTreeSet<Name>) -> Result<(), Error> {
    let (from, to) = (catalogue.from, catalogue.to);
    for (name, _) in catalogue.items.iter().filter(|(_, item)| matches!(item.copy, Copy::There)) {
        if !names.contains(name) {
            continue;
        }
        let source = from.open(name).map_err(Error::at("read", from, name))?;
        let replica = to.open(name).map_err(Error::at("read", to, name))?;
        let alike = alike(&*source, &*replica).map_err(Error::at("compare", to, name))?;
        let length = source.length().map_err(Error::at("read", from, name))?;
        if alike < length {
            let told = (quoted(&from.told(Some(name))), quoted(&to.told(Some(name))));
            return Err(Error::cannot_start(format!(
                "{} and {} have one length and one time, and differ from byte {alike} on: one of them is damaged; \
                 `highwater verify` tells which; if it is the replica's, remove it, and run again",
                told.0, told.1
            )));
        }
    }
    Ok(())
}

/// An index of the replica that tells of points.
fn any(catalogue: &Catalogue<'_>) -> Result<Option<Name>, Error> {
    let mut found = None;
    walk(catalogue.to.as_store(), catalogue.parts, &mut |folder, entries| {
        for entry in entries.iter().filter(|entry| entry.kind == Kind::File) {
            let name = below(folder, &entry.name)?;
            if let Part::Index(index) = (catalogue.parts)(&name, false)
                && (index.change != Change::Any || index.identity.is_some())
            {
                found = Some(name);
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// How many bytes two files have in common from their beginnings on.
pub(super) fn alike(one: &dyn Object, other: &dyn Object) -> io::Result<u64> {
    let (mut at, mut of_other, mut end) = (0u64, buffer(), None);
    let whole = one.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
        let there = &mut of_other[..piece.len()];
        let mut filled = 0;
        while filled < there.len() {
            match other.read_at(at + filled as u64, &mut there[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    end = Some(Err(error));
                    return false;
                }
            }
        }
        let same = piece.iter().zip(&there[..filled]).take_while(|(a, b)| a == b).count();
        at += same as u64;
        if same < piece.len() {
            end = Some(Ok(at));
        }
        end.is_none()
    })?;
    end.unwrap_or(Ok(whole))
}
