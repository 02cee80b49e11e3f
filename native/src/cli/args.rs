//! The arguments of every verb, with the help that teaches them.

mod stores;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use highwater_core::finding::Code;

use super::exit;

pub(super) use stores::{Chunked, Following, Heal, Keys, Known, Root, Strays, Writing};

/// Makes backups, restores only what is missing, and proves a backup set whole.
///
/// Works on ZODB repozo repositories (folders of full backups and increments of a Data.fs, which Python's repozo can
/// read and write too) and on datastores of Proxmox Backup Server, without any server.
#[derive(Debug, Parser)]
#[command(name = "highwater", version, max_term_width = 100, arg_required_else_help = true, after_help = exit::TABLE, after_long_help = format!("{}\n\n{}", EXAMPLES, exit::TABLE))]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  highwater backup /srv/zodb/Data.fs /backup/zodb        every night: a full backup, then increments
  highwater verify /backup/zodb                          is every point in time in it restorable?
  highwater list /backup/zodb                            which points in time are there?
  highwater restore /backup/zodb /standby/Data.fs        bring a standby up to date: appends what is new
  highwater restore /backup/zodb@2026-11-19 Data.fs      the state at the end of that day
  highwater backup disk.img /mnt/store@vm/100            a snapshot in a datastore of Proxmox Backup Server
  highwater explain HW103                                what a finding means and what to do";

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Backup(Backup),
    Restore(Restore),
    Verify(Verify),
    Mark(Mark),
    Heal(Heal),
    Strays(Strays),
    List(List),
    Show(Show),
    Explain(Explain),
    Demo(Demo),
    Web(Web),
    Report(Report),
    Repozo(Repozo),
    Completions(Completions),
    Man(Man),
}

/// Back up a Data.fs into a repozo repository, or a file or device into a datastore.
///
/// REPO is a repository's folder: then an increment is made if it holds what the source begins with, else a full
/// backup. The server may go on writing, and may pack, meanwhile. By default every byte of the newest chain is compared
/// with the source; --quick trusts the last line of its index and the sizes of its files.
///
/// STORE@GROUP[/ARCHIVE] is a group of a datastore, [ns/NAME/...]TYPE/ID with the type vm, ct or host: then the source
/// becomes an archive of a new snapshot, in chunks of which the store keeps each once. An empty folder becomes a store.
/// --also puts more disks of the same machine into the snapshot, and its configuration.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater backup Data.fs /backup/zodb
  highwater backup --gzip --quick Data.fs /backup/zodb    from cron, every hour
  highwater backup --full --kill-old Data.fs /backup/zodb start afresh, then remove what is older
  highwater backup /dev/vg0/disk-snapshot /mnt/datastore@vm/100/drive-scsi0.img
  highwater backup disk0.raw /mnt/store@vm/100/drive-scsi0.img --also qemu-server.conf=100.conf
  highwater backup --keyfile backup.key Data.fs /mnt/datastore@ns/zodb/host/db1/Data.fs")]
pub(super) struct Backup {
    /// The Data.fs, or the file or block device, to back up.
    pub(super) source: PathBuf,
    /// The repository's folder, which must exist; or a store's, and the group in it.
    #[arg(value_name = "REPO|STORE@GROUP[/ARCHIVE]")]
    pub(super) repository: PathBuf,
    /// Make a full backup whatever is there.
    #[arg(short = 'F', long)]
    pub(super) full: bool,
    /// Compare only the last chunk (by its sum) and the sizes of the others.
    #[arg(short = 'Q', long, conflicts_with = "full")]
    pub(super) quick: bool,
    /// Compress, at level 1 to 9; 6 if none is named.
    #[arg(short = 'z', long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "6", value_parser = clap::value_parser!(u32).range(1..=9))]
    pub(super) gzip: Option<u32>,
    /// After a full backup, remove every older backup.
    #[arg(short = 'k', long)]
    pub(super) kill_old: bool,
    /// Take a Data.fs that is damaged as it is: every byte of it, without an .index; nothing older is removed then.
    #[arg(long)]
    pub(super) damaged_source: bool,
    /// The Data.fs may be an older state than the newest point, or another database: begin anew with it.
    #[arg(long)]
    pub(super) other_source: bool,
    /// Say what would be done; write nothing.
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) following: Following,
    #[command(flatten)]
    pub(super) writing: Writing,
    #[command(flatten)]
    pub(super) chunked: Chunked,
    #[command(flatten)]
    pub(super) keys: Keys,
    #[command(flatten)]
    pub(super) talk: Talk,
}

/// Restore a point in time to a Data.fs: appends what is missing to one that is there.
///
/// What the target already holds is checked against the sums of the index, everything that is written is
/// checked on the way, and nothing inside the old bytes is touched. A target at any point of the repository is
/// replaced once the new file is whole; one that holds more, or something that no backup here holds, is left alone
/// unless --full is given.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater restore /backup/zodb Data.fs
  highwater restore --quick /backup/zodb Data.fs            a standby, every hour
  highwater restore /backup/zodb@2026-11-19-12 Data.fs      the state at 12:59:59 UTC
  highwater restore --dry-run /backup/zodb Data.fs          which files would be read?
  highwater restore /backup/zodb - | zstd > Data.fs.zst
  highwater restore /mnt/datastore@vm/100/2026-11-19T03:00:00Z/drive-scsi0.img disk.img")]
pub(super) struct Restore {
    /// The repository, and the point: the newest at or before YYYY[-MM[-DD[-hh[-mm[-ss]]]]], UTC.
    #[arg(value_name = "REPO[@POINT]")]
    pub(super) repository: OsString,
    /// The file to restore, or - for standard output.
    pub(super) target: PathBuf,
    /// Check only the last chunk that the target holds.
    #[arg(short = 'Q', long, conflicts_with = "full")]
    pub(super) quick: bool,
    /// Write everything anew, whatever the target holds: also what no backup here holds.
    #[arg(short = 'F', long)]
    pub(super) full: bool,
    /// If everything must be written anew, give up the old file first: for want of space. Until the restore
    /// ends there is then no database.
    #[arg(long)]
    pub(super) in_place: bool,
    /// Overwrite a block device in place, from a snapshot's image. One that is mounted or too small is refused.
    #[arg(long)]
    pub(super) force: bool,
    /// Restore what is left of an image: zeros where chunks are lost or damaged, whatever contradicts the index. Says
    /// which bytes are lost, and ends with 1.
    #[arg(long, conflicts_with_all = ["quick", "in_place", "dry_run"])]
    pub(super) salvage: bool,
    /// Say what would be read and written; write nothing.
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) writing: Writing,
    #[command(flatten)]
    pub(super) root: Root,
    #[command(flatten)]
    pub(super) keys: Keys,
    #[command(flatten)]
    pub(super) talk: Talk,
}

/// Check that backup sets are whole: every point in time, or one.
///
/// Changes nothing, takes no lock, and never calls a file damaged because it could not be read.
#[derive(Debug, Args)]
#[command(after_help = "\
Depths:
  list    the index is understood and everything it names is there
  size    also, lengths are right (compressed files are decompressed to know theirs)
  digest  also, every byte gives its digest
  deep    also, the records inside are consistent, and the OID indices fit them

Examples:
  highwater verify /backup/zodb
  highwater verify --depth deep /backup/zodb@2026-11-19
  highwater verify --json=report.json --junit report.xml /backup/*
  highwater verify --subset daily/30 /backup/zodb           all of it every 30 days
  highwater verify --keyfile backup.key /mnt/datastore      a chunk store of Proxmox Backup Server
  highwater verify --shard $SLURM_ARRAY_TASK_ID/8 --json=part-$SLURM_ARRAY_TASK_ID.json /backup/zodb
  highwater report merge part-*.json")]
pub(super) struct Verify {
    /// Repositories, each with an optional point: the newest at or before YYYY[-MM[-DD[-hh[-mm[-ss]]]]], UTC.
    #[arg(value_name = "PATH[@POINT]", required = true)]
    pub(super) paths: Vec<OsString>,
    /// How thoroughly.
    #[arg(short, long, value_enum, default_value_t = Depth::Digest)]
    pub(super) depth: Depth,
    /// Every point in time: the default for a path without @POINT.
    #[arg(long)]
    pub(super) all: bool,
    /// Warnings (stray files, for example) fail too.
    #[arg(long)]
    pub(super) strict: bool,
    /// Check part I of N; `report merge` puts the reports together.
    #[arg(long, value_name = "I/N", conflicts_with = "subset")]
    pub(super) shard: Option<String>,
    /// Check a part: I/N, or daily/N for one that changes every day and covers all in N days.
    #[arg(long, value_name = "I/N")]
    pub(super) subset: Option<String>,
    #[command(flatten)]
    pub(super) root: Root,
    /// Read through memory maps, without copying: faster when the files are in memory already. Only for files that
    /// nobody cuts off or rewrites meanwhile: the system kills a process that reads a map past its file's end.
    #[arg(long)]
    pub(super) mmap: bool,
    /// Write each finding and verdict as it comes, one JSON document a line; - for standard output.
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
    #[command(flatten)]
    pub(super) keys: Keys,
    #[command(flatten)]
    pub(super) files: ReportFiles,
    #[command(flatten)]
    pub(super) talk: Talk,
}

/// Where a report goes, beside standard output.
#[derive(Debug, Args)]
pub(super) struct ReportFiles {
    /// Print the report as JSON in place of the text; with =FILE, write it there beside the text.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub(super) json: Option<PathBuf>,
    /// Write the report as JUnit XML; here and below, - prints it in place of the text.
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Write the report as SARIF 2.1.0.
    #[arg(long, value_name = "FILE")]
    pub(super) sarif: Option<PathBuf>,
    /// Write the report as Markdown.
    #[arg(long, value_name = "FILE")]
    pub(super) summary: Option<PathBuf>,
}

/// Make later verifications of a repository parallel: hash its long files once and keep marks of them.
///
/// Backups mark what they write, so this is for repositories that another program wrote. A mark is the digest's running
/// value every 4 MiB, in NAME.marks beside the file: 4 bytes a megabyte. Nobody needs to trust them: what is checked is
/// still the digest in the index, and marks that are wrong only cost time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater mark /backup/zodb              once, after Python's repozo made its full backup
  highwater mark --dry-run /backup/zodb    how many files have no marks?")]
pub(super) struct Mark {
    /// The repository.
    pub(super) repository: PathBuf,
    /// Say how many files would be marked; write nothing.
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) following: Following,
    #[command(flatten)]
    pub(super) writing: Writing,
    #[command(flatten)]
    pub(super) talk: Talk,
}

/// Show the page that checks a dropped folder in a browser, served to this computer only.
///
/// The same page works without this: highwater.html is one file, which any browser opens with the network off.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater web                      opens the page in the browser
  highwater web --no-open --port 8080
  highwater web --page highwater.html")]
pub(super) struct Web {
    /// The port on 127.0.0.1; any free one otherwise.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) port: u16,
    /// Only print the address; open no browser.
    #[arg(long)]
    pub(super) no_open: bool,
    /// The page, when it does not lie beside the program.
    #[arg(long, value_name = "FILE")]
    pub(super) page: Option<PathBuf>,
}

/// List the points in time of a repository, without checking any.
#[derive(Debug, Args)]
pub(super) struct List {
    /// The repository.
    pub(super) repository: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) root: Root,
}

/// Show which files a restore of a point reads, and which bytes each one gives.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The repository, and the point.
    #[arg(value_name = "REPO[@POINT]")]
    pub(super) repository: OsString,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) root: Root,
    #[command(flatten)]
    pub(super) keys: Keys,
}

/// Explain a finding code: what it means, how it comes about, what to do.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// HW103, 103 or digest; without it, all codes in a table.
    pub(super) code: Option<Code>,
}

/// See it work: make a small database, back it up, restore it, damage copies of the backup and find the damage.
///
/// Prints each command line and what it really does, in a new folder, within seconds.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Keep the folder; otherwise it is removed at the end.
    #[arg(long)]
    pub(super) keep: bool,
    /// Make the new folder in this one, in place of the system's for temporary files.
    #[arg(long, value_name = "DIR")]
    pub(super) folder: Option<PathBuf>,
}

/// Work with reports that `verify --json` wrote.
#[derive(Debug, Args)]
pub(super) struct Report {
    #[command(subcommand)]
    pub(super) verb: ReportVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReportVerb {
    Merge(Merge),
}

/// Merge the reports of shards or of several repositories into one; the exit code is that of the whole.
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// The reports.
    #[arg(required = true, value_name = "REPORT.json")]
    pub(super) reports: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) files: ReportFiles,
}

/// Be Python's repozo: same flags, messages and exit codes (try `highwater repozo --help`).
///
/// A link to this program named `repozo` does the same.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Repozo {
    /// What repozo is called with.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub(super) rest: Vec<OsString>,
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    pub(super) shell: clap_complete::Shell,
}

/// Print the manual page, or write one for each verb into a folder.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Write highwater.1, highwater-backup.1 and so on here.
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

/// How much to say.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Talk {
    /// Say what is being decided and done.
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// No progress, and nothing on standard output but what was asked for.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

/// How thoroughly to look.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Depth {
    /// Everything named is there.
    List,
    /// Lengths are right.
    Size,
    /// Every byte gives its digest.
    Digest,
    /// Records and OID indices are consistent.
    Deep,
}
