//! `Sources`: what a folder that is backed up is: a store that is frozen meanwhile, or plain files.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use clap::builder::PossibleValuesParser;
use highwater_core::formats::dirstorage::{DirStorage as Format, names};
use highwater_core::formats::tree::Tree;
use highwater_core::inspect::{Entry, Format as _};
use highwater_core::name::Name;

use super::Backup;
use super::zodb::ZODB;
use crate::backup::tree::{DirStorage, Exec, Folder, Hook, Live, Source};
use crate::cli::options::kinds::{Kind, TREE};
use crate::cli::options::of_kind::Group;
use crate::cli::repository::usage;
use crate::disk::Disk;
use crate::error::Error;
use crate::live;
use crate::shown::quoted;
use crate::store::{Files, Links, Store};
use crate::watch::Watch;

/// Plain files, whatever they look like.
const FOLDER: &str = "folder";

/// A store of DirectoryStorage.
const DIRSTORAGE: &str = "dirstorage";

/// How a folder is taken.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Sources {
    /// What the folder is, where its files do not tell.
    ///
    /// Of fjall, rocksdb, leveldb, tantivy and git, a checkpoint is made, read, and removed again: the program goes on
    /// writing. A dirstorage must be in snapshot mode. A zodb is a Data.fs with its blobs. With `folder`, all files are
    /// taken as they are, whatever they look like: nobody knows then whether those fit each other that are written
    /// meanwhile.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(kinds()))]
    kind: Option<String>,
    /// A command that makes the folder hold still, before anything is read.
    ///
    /// It is run by `sh -c`. If it ends with anything but 0, nothing holds still, and no point is made: it must leave
    /// nothing behind then, as --thaw is not run. It may mount what is to be read on the folder, which must be there
    /// before. In its environment are SNAPSHOT_VERSION=2,
    /// SNAPSHOT_DIRECTORY, the folder, and SNAPSHOT_TIMESTAMP, in seconds. What it prints goes to standard error. A dry
    /// run does not run it.
    ///
    /// A snapshot of the volume: --freeze 'lvcreate -s -n snap -L 5G vg/data && mount -o ro /dev/vg/snap /mnt/snap'
    /// --thaw 'umount /mnt/snap && lvremove -y vg/snap'. Do not use `fsfreeze` on the file system that the set lies on:
    /// the backup would wait for itself. PostgreSQL is not backed up in this way: use pg_basebackup. A DirectoryStorage
    /// is made to enter snapshot mode and to leave it; under its own tool, no such command is needed: snapshot.py
    /// --storage HOME highwater backup HOME SET.
    #[arg(long, value_name = "CMD", requires = "thaw")]
    freeze: Option<OsString>,
    /// The command that lets go of the folder: it is run once after each --freeze that ended with 0, whatever came of
    /// the backup.
    ///
    /// An interrupt from the terminal does not reach it. If it fails, the point stays, and the exit code is 3.
    #[arg(long, value_name = "CMD", requires = "freeze")]
    thaw: Option<OsString>,
    /// A command that lists what is to be read, or what changed since the newest point, while the folder holds still.
    ///
    /// It prints fields, each with a NUL behind it: `full`; what this list is called, which may be empty; then names
    /// relative to the folder. If HIGHWATER_SINCE is set, which is what the list of the newest point was called, it may
    /// begin with `since ` and that instead: then each name has a `+` before it, which is new or changed, or a `-`,
    /// which is gone with all that lay in it, and what is not named is taken from that point without being looked at.
    #[arg(long, value_name = "CMD", requires = "freeze")]
    list: Option<OsString>,
}

impl Group for Sources {
    const KIND: &'static Kind = &TREE;
}

fn kinds() -> impl Iterator<Item = &'static str> + Clone {
    [FOLDER, DIRSTORAGE, ZODB].into_iter().chain(live::kinds())
}

impl Backup {
    /// What is to become a point, by its kind; `set` is the set.
    pub(super) fn tree_source(
        &self,
        folder: Files,
        set: Arc<dyn Disk>,
        watch: &Watch<'_>,
    ) -> Result<Box<dyn Source>, Error> {
        let mut entries: Vec<Entry> = Vec::new();
        folder
            .list(None, &mut |entry| entries.push(entry))
            .map_err(|error| Error::cannot_start(format!("cannot list {}: {error}", quoted(&self.source))))?;
        let is_dirstorage = is_dirstorage(&folder, &entries);
        let folder: Arc<dyn Disk> = Arc::new(folder);
        let hook = self.hook()?;
        // What commands make hold still is taken as plain files, unless it is said what it is.
        if (hook.is_none() || self.sources.kind.is_some())
            && let Some(zodb) = self.zodb_source(&folder, self.sources.kind.as_deref())?
        {
            self.without_hook(hook.is_some())?;
            return Ok(Box::new(zodb));
        }
        self.only(&Tree, Some("a folder becomes a point of a set"))?;
        let live = |kind| Live::new(kind, Arc::clone(&folder), beside(&self.source), Arc::clone(&set));
        let kind = self.sources.kind.as_deref();
        self.without_hook(hook.is_some() && kind.is_some_and(|kind| kind != DIRSTORAGE && kind != FOLDER))?;
        let source: Box<dyn Source> = match (kind, hook) {
            (Some(DIRSTORAGE), hook) => Box::new(self.dirstorage(folder, hook)?),
            (None, hook) if is_dirstorage => Box::new(self.dirstorage(folder, hook)?),
            (_, Some(hook)) => Box::new(Exec::new(folder, self.whole_path()?, hook, self.sources.list.clone())),
            (Some(FOLDER), None) => {
                if is_dirstorage {
                    watch.notice(
                        "these are the files of a DirectoryStorage as they are found: transactions may be in A by half, \
                         and only the storage makes whole ones of them again, from the journal, when it is started",
                    );
                }
                Box::new(Folder(folder))
            }
            (kind, None) => {
                let known =
                    kind.map_or_else(|| live::recognise(&entries), |kind| live::kinds().find(|live| *live == kind));
                match known {
                    Some(kind) => Box::new(live(kind)),
                    None => Box::new(Folder(folder)),
                }
            }
        };
        Ok(source)
    }

    /// Refuses commands for a source that needs none.
    fn without_hook(&self, has_hook: bool) -> Result<(), Error> {
        let path = quoted(&self.source);
        let refused =
            format!("--freeze is for plain files and for a DirectoryStorage, and {path} is backed up without it");
        if has_hook { Err(usage(refused)) } else { Ok(()) }
    }

    fn dirstorage(&self, folder: Arc<dyn Disk>, hook: Option<Hook>) -> Result<DirStorage, Error> {
        if self.sources.list.is_some() {
            return Err(usage("--list is for plain files: a DirectoryStorage says itself what is new".to_owned()));
        }
        let is_version = env::var_os("SNAPSHOT_VERSION").is_some_and(|version| version == "2");
        let home = env::var_os("SNAPSHOT_DIRECTORY").filter(|_| is_version);
        let home = home.and_then(|home| Files::open(Path::new(&home), Links::Followed).ok());
        let is_under_its_tool = home.is_some_and(|home| {
            let home = home.identity(None);
            home.is_some() && home == folder.identity(None)
        });
        Ok(DirStorage::new(folder, hook, is_under_its_tool))
    }

    fn hook(&self) -> Result<Option<Hook>, Error> {
        let Sources { freeze, thaw, .. } = &*self.sources;
        let commands = freeze.clone().zip(thaw.clone());
        commands.map(|(freeze, thaw)| Ok(Hook::new(freeze, thaw, self.whole_path()?))).transpose()
    }

    /// The folder, as commands are told it, wherever they are.
    fn whole_path(&self) -> Result<std::path::PathBuf, Error> {
        std::path::absolute(&self.source).map_err(Error::io("find", &self.source))
    }
}

/// Whether it is a DirectoryStorage: folders of such names, and settings with the section that says how it is laid out.
fn is_dirstorage(folder: &Files, entries: &[Entry]) -> bool {
    let settings = || {
        let name = Name::new(names::SETTINGS.as_bytes()).ok()?;
        let mut head = vec![0; 4 << 10];
        let read = folder.open(&name).ok()?.read_at(0, &mut head).ok()?;
        Some(head[..read].split(|byte| *byte == b'\n').any(|line| line.trim_ascii() == b"[structure]"))
    };
    Format.recognise(entries) && settings() == Some(true)
}

/// The folder that another lies in, where that can be told and opened.
fn beside(folder: &Path) -> Option<Arc<dyn Disk>> {
    // `.` and `..` have no name; what a link leads to lies elsewhere than the link.
    let whole = std::fs::canonicalize(folder).ok()?;
    let around = whole.parent().filter(|around| around.as_os_str() != OsStr::new(""))?;
    Some(Arc::new(Files::open(around, Links::Followed).ok()?))
}
