//! `highwater backup` into a datastore.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use highwater_core::formats::datastore::Datastore;
use highwater_core::formats::datastore::archives::{NoArchive, Stored};
use highwater_core::name::printable;
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use super::Backup;
use crate::backup::datastore::{self, Archive, Made, Target};
use crate::cli::exit::Exit;
use crate::cli::options::kinds::{DATASTORE, Kind};
use crate::cli::options::of_kind::Group;
use crate::cli::repository::usage;
use crate::cli::{out, progress};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{self, Files};

/// How a datastore is written.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// Another file or device for the same snapshot; NAME is the archive's: .img and others are stored in chunks,
    /// .conf, .log and .blob whole.
    #[arg(long, value_name = "NAME=FILE", value_parser = OsStringValueParser::new().try_map(also))]
    also: Vec<(String, PathBuf)>,
    /// The length of a chunk, a power of two from 64K to 4M.
    #[arg(long, value_name = "SIZE", value_parser = chunk_size)]
    chunk_size: Option<u64>,
    /// How to look at chunks that the store has already: at their sizes, or at their bytes.
    #[arg(long, value_name = "HOW")]
    check_known: Option<Known>,
    /// The source only grows between backups, as a log or a Data.fs that is not packed: read what is new, and samples
    /// of the rest.
    #[arg(long)]
    append_only: bool,
    /// Whom a new group belongs to: user@realm, root@pam if nobody is named.
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
}

impl Group for Options {
    const KIND: &'static Kind = &DATASTORE;
}

/// How chunks are looked at that the store has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Known {
    /// They are there, and as long as they must be.
    Size,
    /// They are read, and give their digest.
    Digest,
}

/// The group and archive that a path names, unless it is the name of something that is there.
pub(super) fn target(path: &Path) -> Option<Target> {
    datastore::target(path).filter(|_| !path.exists())
}

impl Backup {
    /// Backs up into a datastore.
    pub(super) fn back_up_to_datastore(&self, target: Target, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        self.only(&Datastore::STORE, None)?;
        let archives = self.archives(target.archive)?;
        let job = datastore::SnapshotOptions {
            archives,
            group: target.group,
            chunk: self.datastore.chunk_size.unwrap_or(datastore::CHUNK),
            key: self.keys.load()?,
            known: match self.datastore.check_known {
                Some(Known::Digest) => datastore::Known::Digest,
                Some(Known::Size) | None => datastore::Known::Size,
            },
            append_only: self.datastore.append_only,
            owner: self.datastore.owner.clone().unwrap_or_else(|| "root@pam".to_owned()),
            dry_run: self.dry_run,
            now: None,
        };
        let watch = self.talk.watch(stop);
        let store = Files::open(&target.store, self.following.links()).map_err(|error| {
            Error::cannot_start(format!(
                "cannot open the store {}: {error}; create its folder first (mkdir)",
                quoted(&target.store)
            ))
        })?;
        let store = store.with_locks(self.writing.locks());
        let made = progress::with("backing up", self.talk.quiet, &watch, || datastore::backup(&job, &store, &watch));
        out::shortcomings(&store);
        let made = made?;
        self.tell(&Datastore::STORE, document(&made), &line(&made, self.dry_run))?;
        Ok(Exit::Sound)
    }

    /// What goes into the snapshot: the source, as the archive of that name or one after its own, and all of `--also`.
    fn archives(&self, name: Option<String>) -> Result<Vec<Archive>, Error> {
        let named = || {
            let name = self.source.file_name().and_then(|name| name.to_str()).unwrap_or("disk");
            if name.contains('.') { name.to_owned() } else { format!("{name}.img") }
        };
        let first = (name.unwrap_or_else(named), self.source.clone());
        let mut archives: Vec<Archive> = Vec::new();
        for (name, source) in std::iter::once(first).chain(self.datastore.also.iter().cloned()) {
            let source = store::source(&source)?;
            let archive = Archive::new(source, &name).map_err(|why| {
                let like = match why {
                    NoArchive::Stream => format!("call it {}.img", printable(stem(&name).as_bytes())),
                    NoArchive::Letters | NoArchive::Taken => {
                        "name it after the group, as in STORE@vm/100/drive-scsi0.img, or in --also drive-scsi1.img=FILE"
                            .to_owned()
                    }
                };
                usage(format!("an archive cannot be called '{}': {why}; {like}", printable(name.as_bytes())))
            })?;
            if archives.iter().any(|other| other.file == archive.file) {
                return Err(usage(format!("two archives are called '{name}': a snapshot has one of each name")));
            }
            archives.push(archive);
        }
        if self.datastore.append_only && archives.iter().all(|archive| archive.stored == Stored::Whole) {
            let name = archives.first().map_or("", |archive| stem(&archive.file));
            let what = format!("what is called {name} is stored whole, each time, and --append-only is for chunks");
            return Err(usage(format!("{what}: call it {name}.img")));
        }
        Ok(archives)
    }
}

/// The name of a file of a snapshot without what tells how it is stored.
fn stem(file: &str) -> &str {
    [".blob", ".didx"].iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file)
}

/// What a backup into a datastore came to, as `--json` writes it.
fn document(made: &Made) -> Value {
    let archive = |(name, bytes): &(String, u64)| json!({ "name": name, "bytes": bytes });
    let archives: Vec<Value> = made.archives.iter().map(archive).collect();
    json!({
        "snapshot": made.snapshot, "archives": archives, "bytes": made.size, "chunks": made.chunks,
        "known": made.known, "unread": made.unread, "stored": made.stored, "healed": made.healed,
    })
}

/// What a backup into a datastore came to.
fn line(made: &Made, dry_run: bool) -> String {
    let would = if dry_run { "would write" } else { "wrote" };
    let stored = if dry_run { String::new() } else { format!(", {} stored", bytes(made.stored)) };
    let healed = match made.healed.len() {
        0 => String::new(),
        1 => "; 1 chunk that the store had lost is there again".to_owned(),
        lost => format!("; {lost} chunks that the store had lost are there again"),
    };
    let unread = match made.unread {
        0 => String::new(),
        unread => format!("; {} not read again", thousands(unread)),
    };
    let archives = match &*made.archives {
        [(name, size)] => format!("/{name}: {}", bytes(*size)),
        several => {
            let each = several.iter().map(|(name, size)| format!("{name} {}", bytes(*size)));
            format!(": {}", each.collect::<Vec<_>>().join(", "))
        }
    };
    let chunks = match made.chunks {
        0 => String::new(),
        chunks => {
            format!(" in {} chunks, {} of them new{stored}", thousands(chunks), thousands(chunks - made.known))
        }
    };
    format!("{would} {}{archives}{chunks}{unread}{healed}\n", made.snapshot)
}

fn also(text: OsString) -> Result<(String, PathBuf), String> {
    let mut parts = text.as_bytes().splitn(2, |byte| *byte == b'=');
    match (parts.next().map(str::from_utf8), parts.next()) {
        (Some(Ok(name)), Some(file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.to_owned(), OsString::from_vec(file.to_vec()).into()))
        }
        _ => Err("it must be a name, =, and a file, as in qemu-server.conf=/etc/pve/qemu-server/100.conf".to_owned()),
    }
}

fn chunk_size(text: &str) -> Result<u64, String> {
    let upper = text.to_ascii_uppercase();
    let (digits, unit) = match upper.strip_suffix('K') {
        Some(digits) => (digits, 1 << 10),
        None => upper.strip_suffix('M').map_or((&*upper, 1), |digits| (digits, 1 << 20)),
    };
    let size = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    size.filter(|size| size.is_power_of_two() && (65_536..=4 << 20).contains(size))
        .ok_or_else(|| "it must be a power of two from 64K to 4M".to_owned())
}
