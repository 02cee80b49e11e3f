//! `highwater backup`.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::formats::datastore::archives::{NoArchive, Stored};
use highwater_core::formats::repozo::Repozo;
use highwater_core::formats::repozo::names::Kind;
use highwater_core::inspect::Format;
use highwater_core::name::printable;
use highwater_core::render::{bytes, thousands};

use super::exit::Exit;
use super::repository::{kind_of, part_of, usage};
use super::{args, key, out, progress};
use crate::backup::datastore::{self, Archive, Made, Target};
use crate::backup::repozo::{Job, Outcome, backup};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::{self, Files};

pub(super) fn run(args: &args::Backup, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    if let Some(target) = datastore::target(&args.repository).filter(|_| !args.repository.exists()) {
        return into_store(args, target, stop);
    }
    if args.source.is_dir() && !args.repository.is_dir() {
        let (first, second) = (quoted(&args.source), quoted(&args.repository));
        let what = format!("{first} is a folder and {second} is none: the source comes first");
        return Err(usage(format!("{what}, as in: highwater backup Data.fs REPO")));
    }
    if let Some(what) = odd_group(&args.repository).filter(|_| !args.repository.exists()) {
        return Err(usage(what));
    }
    // An empty folder is of no kind yet.
    let opened = Files::open(&args.repository, args.following.links()).map_err(|error| {
        let repository = quoted(&args.repository);
        Error::cannot_start(match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                format!("the repository {repository} is no folder; create it first (mkdir)")
            }
            _ => format!("cannot open the repository {repository}: {error}"),
        })
    });
    if let Ok(repository) = &opened
        && kind_of(repository, &args::Root::default()).is_err()
        && let Some(part) = part_of(&args.repository)
    {
        return Err(usage(format!("{} is no repository of its own: {part}", quoted(&args.repository))));
    }
    if let Ok(repository) = &opened
        && let Ok(format) = kind_of(repository, &args::Root::default())
        && format.facts().name != Repozo.facts().name
    {
        let like = "name a group in it after an @, as in STORE@vm/100/drive-scsi0.img";
        return Err(usage(format!("{} is a {}: {like}", quoted(&args.repository), format.facts().name)));
    }
    let args::Chunked { also, chunk_size, check_known, append_only, owner } = &args.chunked;
    let keyed = args.keys.keyfile.is_some();
    if !also.is_empty() || chunk_size.is_some() || check_known.is_some() || *append_only || owner.is_some() || keyed {
        let what = "--also, --chunk-size, --check-known, --append-only, --owner and --keyfile are for datastores, which are named STORE@GROUP";
        return Err(usage(format!("{} is no group of a datastore: {what}", quoted(&args.repository))));
    }
    let repository = opened?.with_locks(args.writing.locks());
    let job = Job {
        full: args.full,
        quick: args.quick,
        gzip: args.gzip,
        kill_old: args.kill_old,
        damaged_source: args.damaged_source,
        other_source: args.other_source,
        dry_run: args.dry_run,
        now: None,
        marks: highwater_core::marks::DISTANCE,
        sums: false,
    };
    let watch = out::watch(args.talk, stop);
    let source = store::source(&args.source)?;
    let outcome = progress::with("backing up", args.talk.quiet, &watch, || backup(&job, &source, &repository, &watch));
    out::doubts(&repository);
    let outcome = outcome?;
    let would = if args.dry_run { "would write" } else { "wrote" };
    let line = match outcome {
        Outcome::Nothing(at) => {
            format!("nothing to do: the repository holds all {} bytes of complete transactions\n", thousands(at))
        }
        Outcome::Made(made) => {
            let kind = if made.kind == Kind::Full { "full backup" } else { "increment" };
            let stored = if args.dry_run { String::new() } else { format!(", {} stored", bytes(made.stored)) };
            let removed =
                if made.removed > 0 { format!("; removed {} older files", made.removed) } else { String::new() };
            format!(
                "{would} {kind} {}: bytes {} to {} of the source ({}{stored}){removed}\n",
                made.file,
                thousands(made.start),
                thousands(made.end),
                bytes(made.end - made.start)
            )
        }
    };
    if !args.talk.quiet {
        out::print(&line)?;
    }
    Ok(Exit::Sound)
}

/// The name of a file of a snapshot without what tells how it is stored.
fn stem(file: &str) -> &str {
    [".blob", ".didx"].iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file)
}

/// What is said of `STORE@REST` when there is a folder `STORE` and REST is no group, or names no archive that can be.
fn odd_group(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let (store, rest) = text.rsplit_once('@').filter(|(store, _)| Path::new(store).is_dir())?;
    let like = "write STORE@TYPE/ID[/ARCHIVE], as in STORE@vm/100/drive-scsi0.img: the type is vm, ct or host, below \
                ns/NAME in a namespace, and names are of letters, digits, _, . and -";
    Some(format!("'{}' names no group of a datastore in {}; {like}", shown(rest), quoted(Path::new(store))))
}

/// Backs up into a datastore.
fn into_store(args: &args::Backup, target: Target, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    let repozo = args.quick || args.gzip.is_some() || args.kill_old || args.damaged_source || args.other_source;
    if args.full || repozo {
        let what =
            "--full, --quick, --gzip, --kill-old, --damaged-source and --other-source are for repozo repositories";
        return Err(usage(format!("{} is a group of a datastore: {what}", quoted(&args.repository))));
    }
    let named = || {
        let name = args.source.file_name().and_then(|name| name.to_str()).unwrap_or("disk");
        if name.contains('.') { name.to_owned() } else { format!("{name}.img") }
    };
    let first = (target.archive.unwrap_or_else(named), args.source.clone());
    let mut archives: Vec<Archive> = Vec::new();
    for (name, source) in std::iter::once(first).chain(args.chunked.also.iter().cloned()) {
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
    if args.chunked.append_only && archives.iter().all(|archive| archive.stored == Stored::Whole) {
        let name = archives.first().map_or("", |archive| stem(&archive.file));
        let what = format!("what is called {name} is stored whole, each time, and --append-only is for chunks");
        return Err(usage(format!("{what}: call it {name}.img")));
    }
    let job = datastore::Job {
        archives,
        group: target.group,
        chunk: args.chunked.chunk_size.unwrap_or(datastore::CHUNK),
        key: key::load(&args.keys)?,
        known: match args.chunked.check_known {
            Some(args::Known::Digest) => datastore::Known::Digest,
            Some(args::Known::Size) | None => datastore::Known::Size,
        },
        append_only: args.chunked.append_only,
        owner: args.chunked.owner.clone().unwrap_or_else(|| "root@pam".to_owned()),
        dry_run: args.dry_run,
        now: None,
    };
    let watch = out::watch(args.talk, stop);
    let store = Files::open(&target.store, args.following.links()).map_err(|error| {
        Error::cannot_start(format!(
            "cannot open the store {}: {error}; create its folder first (mkdir)",
            quoted(&target.store)
        ))
    })?;
    let store = store.with_locks(args.writing.locks());
    let made = progress::with("backing up", args.talk.quiet, &watch, || datastore::backup(&job, &store, &watch));
    out::doubts(&store);
    let made = made?;
    if !args.talk.quiet {
        out::print(&line(&made, args.dry_run))?;
    }
    Ok(Exit::Sound)
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
