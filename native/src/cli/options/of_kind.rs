//! Options that hold for one kind of backup: their heading in the help, and the refusal of those of another kind.
//!
//! A verb has a group of them for each kind, in that kind's file, as a field `OfKind<Group>`. [`OfKind`] gives the
//! group its heading and keeps which of its options stand on the command line. [`refuse`] compares that with the kind
//! that was found.

use std::ops::Deref;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error as Bad, FromArgMatches};
use highwater_core::inspect::Format;

use super::kinds::{Kind, noun};
use crate::cli::repository::usage;
use crate::error::Error;
use crate::shown::quoted;

/// A group of options that hold for one kind of backup.
pub(in crate::cli) trait Group: Args {
    /// The kind.
    const KIND: &'static Kind;
}

/// The options of such a group, and which of them the user gave.
#[derive(Debug)]
pub(in crate::cli) struct OfKind<T> {
    options: T,
    /// As they are written, with their dashes.
    given: Vec<String>,
}

impl<T> Deref for OfKind<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.options
    }
}

impl<T: Group> Args for OfKind<T> {
    fn augment_args(command: Command) -> Command {
        T::augment_args(command.next_help_heading(T::KIND.heading)).next_help_heading(None)
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command.next_help_heading(T::KIND.heading)).next_help_heading(None)
    }
}

impl<T: Group> FromArgMatches for OfKind<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Bad> {
        Ok(Self { options: T::from_arg_matches(matches)?, given: given::<T>(matches) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Bad> {
        self.given = given::<T>(matches);
        self.options.update_from_arg_matches(matches)
    }
}

/// The options of a group that stand on the command line.
fn given<T: Group>(matches: &ArgMatches) -> Vec<String> {
    let group = T::augment_args(Command::new("group"));
    let options = group.get_arguments().filter_map(|option| Some((option.get_id(), option.get_long()?)));
    let given = options.filter(|(id, _)| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine));
    given.map(|(_, long)| format!("--{long}")).collect()
}

/// A group of any kind, as far as a refusal needs to know it.
pub(in crate::cli) trait Given {
    /// The kind that its options hold for.
    fn kind(&self) -> &'static Kind;

    /// The options that the user gave, as they are written.
    fn given(&self) -> &[String];
}

impl<T: Group> Given for OfKind<T> {
    fn kind(&self) -> &'static Kind {
        T::KIND
    }

    fn given(&self) -> &[String] {
        &self.given
    }
}

/// Refuses options of another kind than that of the format that `path` names. `next` is the next step, where there is
/// one.
///
/// # Errors
/// One sentence that names the options, the kind that they are for, and the one that was found.
pub(in crate::cli) fn refuse(
    groups: &[&dyn Given],
    path: &Path,
    format: &dyn Format,
    next: Option<&str>,
) -> Result<(), Error> {
    let is_other = |group: &&&dyn Given| !group.given().is_empty() && !group.kind().has(format);
    let Some(kind) = groups.iter().find(is_other).map(|group| group.kind()) else { return Ok(()) };
    let groups = groups.iter().filter(|group| std::ptr::eq(group.kind(), kind));
    let given: Vec<&str> = groups.flat_map(|group| group.given()).map(String::as_str).collect();
    let (options, are) = match &*given {
        [several @ .., last] if !several.is_empty() => (format!("{} and {last}", several.join(", ")), "are"),
        one => (one.concat(), "is"),
    };
    let next = next.map(|next| format!("; {next}")).unwrap_or_default();
    Err(usage(format!("{options} {are} for {}, and {} names {}{next}", kind.noun, quoted(path), noun(format))))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use highwater_core::formats::datastore::Datastore;
    use highwater_core::formats::repozo::Repozo;

    use super::*;
    use crate::cli::options::Keys;
    use crate::cli::options::kinds::REPOZO;

    #[derive(Debug, Args)]
    struct Chain {
        #[arg(short = 'F', long)]
        full: bool,
        #[arg(long, default_value_t = 6)]
        level: u32,
    }

    impl Group for Chain {
        const KIND: &'static Kind = &REPOZO;
    }

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        chain: OfKind<Chain>,
        #[command(flatten)]
        keys: OfKind<Keys>,
        #[arg(long)]
        plain: bool,
    }

    #[test]
    fn options_of_another_kind_are_named_and_no_others() {
        for (line, format, refusal) in [
            ("--plain", &Repozo as &dyn Format, None),
            ("-F --plain", &Repozo, None),
            ("--keyfile k", &Datastore::CACHE, None),
            ("-F", &Datastore::STORE, Some("--full is for a repozo repository, and 'x' names a datastore; so what")),
            (
                "--level 6 --full",
                &Datastore::CACHE,
                Some("--full and --level are for a repozo repository, and 'x' names a datastore; so what"),
            ),
            (
                "-F --passphrase-file p --keyfile k",
                &Repozo,
                Some("--keyfile and --passphrase-file are for a datastore, and 'x' names a repozo repository; so what"),
            ),
        ] {
            let words = std::iter::once("line").chain(line.split(' '));
            let Line { chain, keys, plain } = Line::try_parse_from(words).expect("a line");
            assert_eq!((plain, chain.full), (line.contains("--plain"), line.contains("-F") || line.contains("--full")));
            let refused = refuse(&[&chain, &keys], Path::new("x"), format, Some("so what")).err();
            assert_eq!(refused.map(|error| error.to_string()).as_deref(), refusal, "{line}");
        }
    }

    #[test]
    fn headings_end_with_their_groups() {
        let line = <Line as clap::CommandFactory>::command();
        let heading = |name: &str| {
            let found = line.get_arguments().find(|option| option.get_long() == Some(name));
            found.and_then(clap::Arg::get_help_heading).map(ToOwned::to_owned)
        };
        assert_eq!(heading("level").as_deref(), Some("For a repozo repository"));
        assert_eq!(heading("keyfile").as_deref(), Some("For a datastore"));
        assert_eq!(heading("plain"), None);
    }
}
