//! The arguments that are of datastores and other stores of objects: how they are written, healed and cleared.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::Talk;
use crate::store::{Links, Locks};

/// How a datastore is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Into a datastore")]
pub(in crate::cli) struct Chunked {
    /// Another file or device for the same snapshot; NAME is the archive's: .img and others are stored in chunks,
    /// .conf, .log and .blob whole.
    #[arg(long, value_name = "NAME=FILE", value_parser = OsStringValueParser::new().try_map(also))]
    pub(in crate::cli) also: Vec<(String, PathBuf)>,
    /// The length of a chunk, a power of two from 64K to 4M.
    #[arg(long, value_name = "SIZE", value_parser = chunk_size)]
    pub(in crate::cli) chunk_size: Option<u64>,
    /// How to look at chunks that the store has already: at their sizes, or at their bytes.
    #[arg(long, value_name = "HOW")]
    pub(in crate::cli) check_known: Option<Known>,
    /// The source only grows between backups, as a log or a Data.fs that is not packed: read what is new, and samples
    /// of the rest.
    #[arg(long)]
    pub(in crate::cli) append_only: bool,
    /// Whom a new group belongs to: user@realm, root@pam if nobody is named.
    #[arg(long, value_name = "USER")]
    pub(in crate::cli) owner: Option<String>,
}

/// How chunks are looked at that the store has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Known {
    /// They are there, and as long as they must be.
    Size,
    /// They are read, and give their digest.
    Digest,
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

/// What a repository is taken for, and what of it is read.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct Root {
    /// The kind of repository, when it is not to be recognised: repozo, datastore, or datastore-cache, the cache of an
    /// S3 store, in which an empty chunk is one that only the bucket has.
    #[arg(long, value_name = "KIND")]
    pub(in crate::cli) kind: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) following: Following,
}

/// Which links are followed in what is read.
#[derive(Debug, Default, Clone, Copy, Args)]
pub(in crate::cli) struct Following {
    /// Follow links that lead out of the repository, for whoever keeps a part of it on another disk. Links that stay in
    /// it are followed anyway, and nothing is written through any.
    #[arg(long)]
    follow_links: bool,
}

impl Following {
    /// Which those are.
    pub(in crate::cli) fn links(self) -> Links {
        if self.follow_links { Links::Followed } else { Links::Beneath }
    }
}

/// What is asked of the file system that is written to.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct Writing {
    /// Go on where the file system keeps no locks: you see to it that nobody else writes there.
    #[arg(long)]
    no_lock: bool,
}

impl Writing {
    /// What is done where there are no locks.
    pub(in crate::cli) fn locks(self) -> Locks {
        if self.no_lock { Locks::Without } else { Locks::Needed }
    }
}

/// What opens encrypted snapshots.
#[derive(Debug, Args)]
pub(in crate::cli) struct Keys {
    /// The key file that snapshots of a datastore were encrypted or signed with.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) keyfile: Option<PathBuf>,
    /// A file whose first line is the key file's passphrase, or /dev/fd/N; without it, you are asked.
    #[arg(long, value_name = "FILE", requires = "keyfile")]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
}

/// List what lies among the chunks of a datastore and no snapshot needs. Removes nothing.
///
/// These are chunks that no index names, which a garbage collection would remove unless a backup that is running has
/// just put them there; chunks that a server set aside as bad; and whatever else lies there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater strays /mnt/datastore
  highwater strays --json /mnt/datastore | jq '[.strays[].bytes] | add'    how much would a garbage collection free?")]
pub(in crate::cli) struct Strays {
    /// The store.
    pub(in crate::cli) store: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) root: Root,
    #[command(flatten)]
    pub(in crate::cli) talk: Talk,
}

/// Heal a repository from another one that holds the same objects: its copy, or a store that it is synchronised with.
///
/// Verifies REPO. What is damaged or missing in it and sound in OTHER, by the digest that REPO's own index names, is
/// copied, and takes its place in one step. Nothing else is touched.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater heal /mnt/datastore --from /mnt/usb/datastore
  highwater heal --dry-run /backup/zodb --from /offsite/zodb    what could be healed?
  highwater heal --quick /mnt/datastore --from /mnt/replica     looks at presence and sizes only")]
pub(in crate::cli) struct Heal {
    /// The repository or store to heal.
    pub(in crate::cli) repository: PathBuf,
    /// One that holds the same objects; it is only read.
    #[arg(long, value_name = "OTHER")]
    pub(in crate::cli) from: PathBuf,
    /// Look for what is missing, empty or has another size, and not into it.
    #[arg(short = 'Q', long)]
    pub(in crate::cli) quick: bool,
    /// Say what would be healed; write nothing.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) root: Root,
    #[command(flatten)]
    pub(in crate::cli) writing: Writing,
    #[command(flatten)]
    pub(in crate::cli) keys: Keys,
    #[command(flatten)]
    pub(in crate::cli) talk: Talk,
}
