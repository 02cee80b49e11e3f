//! `highwater backup`: into a repository, a datastore or a set of points, each in a file of its own.

mod datastore;
mod repozo;
mod source;
mod tree;
mod zodb;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use highwater_core::inspect::Format;
use serde_json::{Value, json};

use super::exit::Exit;
use super::near::near;
use super::options::of_kind::{Given, refuse};
use super::options::{Bandwidth, Following, Json, Keys, OfKind, Talk, Writing};
use super::out;
use super::verb::Run;
use crate::error::Error;
use crate::store::Scheme;

/// Back up a Data.fs into a repozo repository, a file or device into a datastore, or a folder into a set of points.
///
/// REPO is a repository's folder: then an increment is made if it holds what the source begins with, else a full
/// backup. The server may go on writing, and may pack, meanwhile. By default every byte of the newest chain is compared
/// with the source; --quick trusts the last line of its index and the sizes of its files.
///
/// STORE@GROUP[/ARCHIVE] is a group of a datastore, [ns/NAME/...]TYPE/ID with the type vm, ct or host: then the source
/// becomes an archive of a new snapshot, in chunks of which the store keeps each once. An empty folder becomes a store.
/// --also puts more disks of the same machine into the snapshot, and its configuration.
///
/// SET is the folder of a set, or an empty one, and the source a folder: then all that lies in it becomes a new point.
/// What the set has of it is not stored again. A live store is known by its files (fjall, RocksDB, LevelDB, Tantivy,
/// git): a checkpoint is made of it, read, and removed again. A DirectoryStorage must be in snapshot mode. Any other
/// folder holds still if --freeze makes it; else nobody knows whether files fit each other that are written meanwhile.
///
/// A folder with a Data.fs and its blobs, such as Plone's var, is a source of its own, also while its server writes and
/// packs: a point is the state after one transaction, Data.fs and blobs together. Data.fs is kept in increments, as a
/// repository SET/repozo; nothing else of the folder is kept.
///
/// REPO and SET may also be s3://BUCKET/PREFIX: objects are written under free names only, what makes a point comes
/// last, and one run writes at a time. The bucket, the endpoint and the credentials are those of the AWS command line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater backup Data.fs /backup/zodb
  highwater backup --gzip --quick Data.fs /backup/zodb      from cron, every hour
  highwater backup --full --kill-old Data.fs /backup/zodb   start afresh, then remove what is older
  highwater backup /dev/vg0/disk-snapshot /mnt/datastore@vm/100/drive-scsi0.img
  highwater backup disk0.raw /mnt/store@vm/100/drive-scsi0.img --also qemu-server.conf=100.conf
  highwater backup /srv/files /backup/files
  highwater backup /srv/files s3://backups/files            into a bucket, which needs no folders made
  highwater backup --gzip --quick Data.fs s3://backups/zodb
  highwater backup /srv/plone/var /backup/plone             Data.fs and blobs, as of one transaction
  highwater backup /srv/app/db /backup/db                   a live store, as of one moment
  highwater backup --kind folder /srv/repo.git /backup/git  its files as they are
  snapshot.py --storage /srv/ds highwater backup /srv/ds /backup/ds
  highwater backup /mnt/snap /backup/files --thaw 'umount /mnt/snap && lvremove -y vg/snap' \\
    --freeze 'lvcreate -s -n snap -L 5G vg/data && mount -o ro /dev/vg/snap /mnt/snap'
  highwater backup --link /srv/photos /backup/photos        what nobody may write is linked, not copied
  highwater backup --keyfile backup.key Data.fs /mnt/datastore@ns/zodb/host/db1/Data.fs")]
pub(super) struct Backup {
    /// The Data.fs, the file or block device, or the folder, to back up.
    source: PathBuf,
    /// The folder of the repository or set, which must exist; or a store's, and the group in it.
    #[arg(value_name = "REPO|STORE@GROUP[/ARCHIVE]|SET")]
    repository: PathBuf,
    /// Say what would be done; write nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    following: Following,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    bandwidth: Bandwidth,
    #[command(flatten)]
    talk: Talk,
    #[command(flatten)]
    repozo: OfKind<repozo::Options>,
    #[command(flatten)]
    datastore: OfKind<datastore::Options>,
    #[command(flatten)]
    sources: OfKind<source::Sources>,
    #[command(flatten)]
    tree: OfKind<tree::Options>,
    #[command(flatten)]
    keys: OfKind<Keys>,
    #[command(flatten)]
    zodb: OfKind<zodb::Options>,
}

impl Run for Backup {
    fn talk(&self) -> Option<&Talk> {
        Some(&self.talk)
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        near(&self.source)?;
        match datastore::target(&self.repository) {
            Some(target) => self.back_up_to_datastore(target, stop),
            None if self.source.is_dir() && is_folder(&self.repository) => self.back_up_to_tree(stop),
            None => self.back_up_to_repozo(stop),
        }
    }
}

/// Whether a path is that of a folder, or of a prefix of a bucket, which is one without being there.
fn is_folder(path: &Path) -> bool {
    Scheme::of(path).is_some() || path.is_dir()
}

impl Backup {
    /// Prints what came of it: as JSON if that was asked for, with what all kinds have, or in words.
    fn tell(&self, format: &dyn Format, document: Value, words: &str) -> Result<(), Error> {
        if self.json.is_asked() {
            let mut whole = json!({ "schema": 1, "format": format.facts().name, "dry_run": self.dry_run });
            if let (Some(whole), Value::Object(document)) = (whole.as_object_mut(), document) {
                whole.extend(document);
            }
            return out::document(whole);
        }
        if self.talk.quiet { Ok(()) } else { out::print(words) }
    }

    /// Refuses options of another kind than the one that is written to.
    fn only(&self, format: &dyn Format, next: Option<&str>) -> Result<(), Error> {
        let groups: [&dyn Given; 6] =
            [&self.repozo, &self.datastore, &self.sources, &self.tree, &self.keys, &self.zodb];
        refuse(&groups, &self.repository, format, next)
    }
}
