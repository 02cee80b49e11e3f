//! `look`: which transaction is the newest, and whether all is there that transactions since another one wrote.

use std::collections::HashSet;

use highwater_core::digest::{Algorithm, Digest};
use highwater_core::formats::dirstorage::names::{File, Layout};
use highwater_core::formats::dirstorage::pointer;
use highwater_core::formats::dirstorage::transaction::{Read, Reading};
use highwater_core::name::Name;

use super::read;
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// How many shortcomings are told one by one.
const FEW: usize = 20;

/// A transaction that a point goes up to, and the MD5 of what no pack changes of its file: bytes 48 to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Newest {
    id: u64,
    digest: Digest,
}

/// How a point says up to which transaction it goes.
fn words(newest: Newest) -> String {
    format!("transaction {:016X}, md5 {}", newest.id, newest.digest)
}

/// Reads what [`words`] wrote.
pub(super) fn parse(position: &str) -> Option<Newest> {
    let (id, digest) = position.strip_prefix("transaction ")?.split_once(", md5 ")?;
    let digest = Digest::from_hex(Algorithm::Md5, digest.as_bytes())?;
    Some(Newest { id: u64::from_str_radix(id, 16).ok()?, digest })
}

/// The position of the store, and what transactions wrote later than the one `since` and is not there, a sentence each.
///
/// # Errors
/// The database is no whole transactions, or cannot be read.
pub(super) fn look(
    store: &dyn Disk,
    layout: Layout,
    files: &[Name],
    since: Option<Newest>,
    notes: &mut Vec<String>,
    watch: &Watch<'_>,
) -> Result<(Option<String>, Vec<String>), Error> {
    let there: HashSet<&Name> = files.iter().collect();
    let named = |file: File| layout.object(file).ok_or_else(|| Error::failed("a file of the database has no name"));
    let number = |file: File| {
        let name = named(file)?;
        pointer::number(&read(store, &name)?).map_err(|odd| Error::damage(format!("'{name}': {odd}")))
    };
    let serial = number(File::Serial)?;
    // What is older may have been packed.
    let floor = match there.contains(&named(File::Packed)?) {
        true => number(File::Packed)?,
        false => 0,
    };
    if let Some(later) = files.iter().find(|name| is_later(layout, name, serial)) {
        return Err(Error::damage(format!(
            "'{later}' is later than the last transaction, {serial:016X}: the database is no whole transactions, though \
             the store says that it is in snapshot mode; no point was made. `highwater verify` may say more"
        )));
    }
    let (mut lacks, mut more) = (Vec::new(), 0_u64);
    let mut lack = |what: String| {
        if lacks.len() < FEW { lacks.push(what) } else { more += 1 }
    };
    let (mut position, mut next) = (None, serial);
    // A store that went back has other transactions of its own since.
    let until = since.map_or(0, |since| since.id);
    while next > 0 && next >= floor {
        watch.go_on()?;
        let name = named(File::Transaction(next))?;
        if !there.contains(&name) {
            lack(format!("'{name}' is not there, and it is the transaction that comes next, from the last one back"));
            break;
        }
        let is_new = next > until;
        let transaction = transaction(store, &name, |oid| {
            let files =
                [File::Revision(oid, next), File::Current(oid)].into_iter().filter_map(|one| layout.object(one));
            for file in files.filter(|file| is_new && !there.contains(file)) {
                lack(format!("'{file}' is not there, and '{name}' wrote it"));
            }
        })?;
        let Read { transaction, digest, .. } = match transaction {
            Ok(read) => read,
            Err(odd) => {
                lack(format!("'{name}' is damaged: {odd}"));
                break;
            }
        };
        if transaction.digest.is_some_and(|wanted| wanted != digest) {
            lack(format!("'{name}' is damaged: it gives another digest than it says"));
        }
        let newest = Newest { id: next, digest };
        position.get_or_insert(newest);
        match since {
            Some(since) if next == since.id && newest != since => notes.push(format!(
                "transaction {next:016X}, up to which the point before this one goes, is another one now: the store was \
                 brought back and went on, so the points before are of what it was"
            )),
            _ => {}
        }
        if !is_new {
            break;
        }
        if transaction.previous >= next {
            lack(format!("'{name}' is damaged: the transaction before it is later than it"));
            break;
        }
        next = transaction.previous;
    }
    if until > serial {
        notes.push(format!(
            "the store goes up to transaction {serial:016X}, and the point before this one to {until:016X}: it was brought \
             back"
        ));
    }
    if more > 0 {
        lacks.push(format!("{more} more files that transactions wrote are not there"));
    }
    Ok((Some(position.map_or_else(|| "no transaction".to_owned(), words)), lacks))
}

/// Whether a file of the database is of a transaction that is later than this.
fn is_later(layout: Layout, name: &Name, serial: u64) -> bool {
    let path = name.as_bytes().strip_prefix(b"A/").unwrap_or_default();
    match layout.file(path) {
        Some(File::Revision(_, id) | File::Transaction(id)) => id > serial,
        _ => false,
    }
}

/// Reads a transaction, and hands on each object that it wrote. The inner error is what is wrong with it.
fn transaction(
    store: &dyn Disk,
    name: &Name,
    mut each: impl FnMut(u64),
) -> Result<Result<Read, highwater_core::formats::dirstorage::Odd>, Error> {
    let object = store.open(name).map_err(Error::at("open", store, name))?;
    let mut reading = Reading::default();
    object
        .for_each_piece(0, u64::MAX, &mut vec![0; 64 << 10], |piece| {
            reading.push(piece, &mut each);
            !reading.is_over()
        })
        .map_err(Error::at("read", store, name))?;
    Ok(reading.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_point_says_is_read_back() {
        let newest = Newest { id: 0x0352_8000_0000_00AB, digest: highwater_core::digest::md5_of(b"x") };
        assert_eq!(parse(&words(newest)), Some(newest));
        for other in ["no transaction", "transaction 12", "transaction x, md5 00", "3 refs"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
