//! The command and its verbs. The arguments and the work of each are in the file of its name.

use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Arg, CommandFactory, Parser, Subcommand};

use super::backup::Backup;
use super::checkpoint::Checkpoint;
use super::completions::Completions;
use super::demo::Demo;
use super::exit::{self, Exit};
use super::explain::Explain;
use super::export::Export;
use super::heal::Heal;
use super::list::List;
use super::man::Man;
use super::mark::Mark;
use super::mirror::Mirror;
use super::options::Talk;
use super::prune::Prune;
use super::replicate::Replicate;
use super::report::Report;
use super::repozo::Repozo;
use super::restore::Restore;
use super::serve::Serve;
use super::show::Show;
use super::strays::Strays;
use super::verify::Verify;
use super::web::Web;
use crate::error::Error;

/// Makes backups, restores only what is missing, and proves a backup set whole.
///
/// Works on ZODB repozo repositories (folders of full backups and increments of a Data.fs, which Python's repozo can
/// read and write too) and on datastores of Proxmox Backup Server, without any server. Makes checkpoints of live stores
/// (fjall, RocksDB, LevelDB, Tantivy, git) while they are written to, and verifies the first three.
#[derive(Debug, Parser)]
#[command(
    name = "highwater",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = exit::TABLE,
    after_long_help = format!("{}\n\n{}", EXAMPLES, exit::TABLE)
)]
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
  highwater checkpoint /srv/app/db /snap/db              a copy of a live fjall, RocksDB or LevelDB store
  highwater prune /backup/zodb --keep-daily 7            which older points may go, and away with them
  highwater explain HW103                                what a finding means and what to do";

/// One of the verbs, with its arguments.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Backup(Backup),
    Restore(Restore),
    Checkpoint(Checkpoint),
    Mirror(Mirror),
    Verify(Verify),
    Mark(Mark),
    Replicate(Replicate),
    Heal(Heal),
    Strays(Strays),
    Prune(Prune),
    List(List),
    Show(Show),
    Export(Export),
    Explain(Explain),
    Demo(Demo),
    Web(Web),
    Serve(Serve),
    Report(Report),
    Repozo(Repozo),
    Completions(Completions),
    Man(Man),
}

/// What arguments ask for, as far as it is the same for all verbs.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The verb in all its words.
    pub(super) verb: String,
    /// What it works on: the paths that have a place and no name, in the order of their places.
    pub(super) paths: Vec<OsString>,
    /// The paths that its options have.
    pub(super) options: Vec<OsString>,
    /// Its documents are to tell whose run they are of.
    pub(super) is_stamped: bool,
}

impl Asked {
    /// What these arguments, which were understood before, ask for.
    pub(super) fn by(args: &[OsString]) -> Self {
        let mut command = Cli::command();
        let Ok(matches) = command.try_get_matches_from_mut(args) else { return Self::default() };
        let (mut words, mut command, mut matches) = (Vec::new(), &command, &matches);
        while let Some((word, inner)) = matches.subcommand()
            && let Some(verb) = command.find_subcommand(word)
        {
            words.push(word);
            (command, matches) = (verb, inner);
        }
        let is_path = |arg: &&Arg| {
            let kind = arg.get_value_parser().type_id();
            kind == TypeId::of::<PathBuf>() || kind == TypeId::of::<OsString>()
        };
        let raw = |arg: &Arg| matches.get_raw(arg.get_id().as_str()).into_iter().flatten().map(OsStr::to_owned);
        Self {
            verb: words.join(" "),
            paths: command.get_positionals().filter(is_path).flat_map(raw).collect(),
            options: command.get_opts().filter(is_path).flat_map(raw).collect(),
            is_stamped: matches!(matches.try_get_one("stamp"), Ok(Some(true))),
        }
    }
}

/// The work of a verb, and its needs.
pub(super) trait Run {
    /// Whether the work is divided among threads, which are started before it.
    fn is_threaded(&self) -> bool {
        true
    }

    /// How much it was asked to say.
    fn talk(&self) -> Option<&Talk> {
        None
    }

    /// Whether another program speaks for it.
    fn is_spoken_for(&self) -> bool {
        false
    }

    /// Whether a monitoring plugin's words and codes were asked for.
    fn is_plugin(&self) -> bool {
        false
    }

    /// Does it, until `stop` is set.
    ///
    /// # Errors
    /// Why it could not be done.
    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error>;
}

impl Verb {
    /// The verb itself.
    pub(super) fn chosen(&self) -> &dyn Run {
        match self {
            Self::Backup(verb) => verb,
            Self::Restore(verb) => verb,
            Self::Checkpoint(verb) => verb,
            Self::Mirror(verb) => verb,
            Self::Verify(verb) => verb,
            Self::Mark(verb) => verb,
            Self::Replicate(verb) => verb,
            Self::Heal(verb) => verb,
            Self::Strays(verb) => verb,
            Self::Prune(verb) => verb,
            Self::List(verb) => verb,
            Self::Show(verb) => verb,
            Self::Export(verb) => verb,
            Self::Explain(verb) => verb,
            Self::Demo(verb) => verb,
            Self::Web(verb) => verb,
            Self::Serve(verb) => verb,
            Self::Report(verb) => verb,
            Self::Repozo(verb) => verb,
            Self::Completions(verb) => verb,
            Self::Man(verb) => verb,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Command;

    use super::*;

    /// Verbs whose output is for programs as it is, or for people alone, or another program's.
    const WITHOUT_JSON: [&str; 7] = ["completions", "demo", "man", "repozo", "report schema", "serve", "web"];

    /// Those, and what keeps the stamps of others.
    const WITHOUT_STAMP: [&str; 8] =
        ["completions", "demo", "man", "repozo", "report merge", "report schema", "serve", "web"];

    /// Verbs that do their work at once, or are not asked to say more or less.
    const WITHOUT_EVENTS: [&str; 11] = [
        "completions",
        "demo",
        "explain",
        "list",
        "man",
        "repozo",
        "report merge",
        "report schema",
        "serve",
        "show",
        "web",
    ];

    fn leaves(command: &Command, before: &str, found: &mut Vec<(String, BTreeSet<String>)>) {
        for verb in command.get_subcommands() {
            let name = format!("{before} {}", verb.get_name()).trim().to_owned();
            leaves(verb, &name, found);
            if !verb.has_subcommands() {
                let options = verb.get_arguments().filter_map(|option| option.get_long());
                found.push((name, options.map(ToOwned::to_owned).collect()));
            }
        }
    }

    #[test]
    fn every_verb_tells_programs_and_every_long_one_tells_how_far_it_is() {
        let mut verbs = Vec::new();
        leaves(&Cli::command(), "", &mut verbs);
        assert!(verbs.len() > 20, "{verbs:?}");
        for (option, without) in
            [("json", &WITHOUT_JSON[..]), ("stamp", &WITHOUT_STAMP[..]), ("events", &WITHOUT_EVENTS[..])]
        {
            for (verb, options) in &verbs {
                assert!(options.contains(option) != without.contains(&verb.as_str()), "{verb}: --{option}");
            }
        }
    }
}
