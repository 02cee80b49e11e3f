//! `highwater demo`: makes a small database, then shows on it what the other verbs do, by running them.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Parser};
use highwater_core::finding::{Code, Severity};
use highwater_core::formats::repozo::names::{DataFile, Kind};
use highwater_core::render::{self, bytes};
use highwater_core::report::Report;

use super::exit::Exit;
use super::verb::{Cli, Run};
use super::{dispatch, out};
use crate::clock;
use crate::error::Error;
use crate::shown::quoted;

mod notebook;
mod pickle;

use notebook::Notebook;

const DATA: &str = "Data.fs";
const REPO: &str = "repo";
const STANDBY: &str = "standby.fs";

/// See it work: make a small database, back it up, restore it, damage copies of the backup and find the damage.
///
/// Prints each command line and what it really does, in a new folder, within seconds.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Keep the folder; otherwise it is removed at the end.
    #[arg(long)]
    keep: bool,
    /// Make the new folder in this one, in place of the system's for temporary files.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Run for Demo {
    /// The verbs that it runs are.
    fn is_threaded(&self) -> bool {
        false
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        play(self, stop)
    }
}

fn play(args: &Demo, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    if !clock::ticks() {
        let what = format!(
            "{} makes the clock stand still, but the demo makes three backups in a row; unset it",
            clock::OVERRIDE
        );
        return Err(Error::cannot_start(what));
    }
    let parent = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let cannot = |error| Error::cannot_start(format!("cannot work in the folder {}: {error}", quoted(&parent)));
    let before = std::env::current_dir();
    let folder = fs::canonicalize(&parent)
        .and_then(|parent| tempfile::Builder::new().prefix("highwater-demo-").tempdir_in(parent))
        .map_err(cannot)?;
    std::env::set_current_dir(folder.path()).map_err(cannot)?;
    let ended = Scenes { stop }.play(folder.path());
    if let Ok(before) = before {
        // So that no process stands in a folder that is about to go.
        _ = std::env::set_current_dir(before);
    }
    let path = quoted(folder.path());
    let last = if args.keep {
        _ = folder.keep();
        format!("Everything is still in {path}; look around, then delete it.")
    } else {
        folder.close().map_err(|error| Error::failed(format!("cannot remove {path}: {error}")))?;
        format!("{path} was removed again; with --keep it stays.")
    };
    match ended {
        Ok(()) => out::print(&format!("\nEverything came out as it should. {last}\n")).map(|()| Exit::Sound),
        // The verb that was interrupted has said so.
        Err(Error::Interrupted) => out::print(&format!("\n{last}\n")).map(|()| Exit::Interrupted),
        Err(error) => out::print(&format!("\n{last}\n")).and(Err(error)),
    }
}

/// The demo, in the folder that it has made the current one.
struct Scenes<'a> {
    stop: &'a Arc<AtomicBool>,
}

impl Scenes<'_> {
    fn play(&self, folder: &Path) -> Result<(), Error> {
        self.step("All of this happens in a folder of its own.", &format!("cd {}", folder.display()))?;
        let (mut notebook, mut first) = Notebook::open()?;
        first.extend(notebook.grow(60)?);
        self.write(&notebook, &first, "Here is a small database, a FileStorage that ZODB opens")?;
        self.step("A repository is a folder.", "mkdir repo")?;
        fs::create_dir(REPO).map_err(Error::io("create", Path::new(REPO)))?;

        self.highwater("The first backup is a full one.", &["backup", DATA, REPO], Exit::Sound)?;
        self.highwater("Restore it: this could be a standby.", &["restore", REPO, STANDBY], Exit::Sound)?;
        same(DATA, STANDBY)?;
        let standby = inode(STANDBY)?;

        let more = notebook.grow(12)?;
        self.write(&notebook, &more, "The application goes on writing")?;
        self.highwater("Back up again: an increment holds what is new.", &["backup", DATA, REPO], Exit::Sound)?;
        let more = notebook.grow(15)?;
        self.write(&notebook, &more, "And again")?;
        let quick = "With --quick only the newest file of the repository is compared with the source, not all.";
        self.highwater(quick, &["backup", "--quick", DATA, REPO], Exit::Sound)?;
        let (full, increments) = data_files()?;
        let [middle, _] = &increments[..] else {
            return Err(differs(&format!("there are {} increments in the repository, not 2", increments.len())));
        };

        let onto = "Restore onto the older copy: only what is new is read, checked and appended.";
        self.highwater(onto, &["restore", REPO, STANDBY], Exit::Sound)?;
        self.step("The two are the same, byte for byte.", &format!("cmp {DATA} {STANDBY}"))?;
        same(DATA, STANDBY)?;
        if inode(STANDBY)? != standby {
            return Err(differs("the restore replaced the older copy instead of appending to it"));
        }

        self.highwater("These are the points in time to go back to.", &["list", REPO], Exit::Sound)?;
        let deep = "Is every one of them restorable, down to the records inside?";
        self.verify(deep, &["verify", "--depth", "deep"], REPO, &[])?;

        self.copy("Now some damage: flip one bit in a copy of the repository.", "flipped")?;
        flip(&Path::new("flipped").join(&full))?;
        self.verify("Verify finds the file.", &["verify"], "flipped", &[(Code::Digest, &full)])?;
        let refused = "A restore from there is refused, and the standby stays as it was.";
        self.highwater(refused, &["restore", "--full", "flipped", STANDBY], Exit::Damage)?;
        same(DATA, STANDBY)?;

        self.copy("In another copy, an increment in the middle gets lost.", "gone")?;
        let lost = Path::new("gone").join(middle);
        out::print(&format!("$ rm {}\n", lost.display()))?;
        fs::remove_file(&lost).map_err(Error::io("delete", &lost))?;
        let tells = "Verify names it, and the points in time that cannot be restored without it.";
        self.verify(tells, &["verify"], "gone", &[(Code::Missing, middle)])
    }

    /// Prints a sentence and the command line that it is about.
    fn step(&self, sentence: &str, line: &str) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        out::print(&format!("\n# {sentence}\n$ {line}\n"))
    }

    /// Runs a verb as the command line would.
    fn highwater(&self, sentence: &str, words: &[&str], wanted: Exit) -> Result<(), Error> {
        let line = [&["highwater"], words].concat();
        self.step(sentence, &line.join(" "))?;
        let args: Vec<OsString> = line.iter().map(OsString::from).collect();
        let cli = Cli::try_parse_from(&args).map_err(|error| Error::failed(error.to_string()))?;
        let exit = dispatch(&cli, &args, self.stop);
        if exit == Exit::Damage {
            out::print("(exit code 1: damage was found)\n")?;
        }
        match exit {
            Exit::Interrupted => Err(Error::Interrupted),
            exit if exit != wanted => {
                Err(differs(&format!("'{}' ended as {exit:?}, not as {wanted:?}", line.join(" "))))
            }
            _ => Ok(()),
        }
    }

    /// Runs `highwater verify` and compares what its report holds.
    fn verify(&self, sentence: &str, words: &[&str], repo: &str, wanted: &[(Code, &str)]) -> Result<(), Error> {
        let path = PathBuf::from(format!("{repo}.json"));
        let name = path.display().to_string();
        let exit = if wanted.is_empty() { Exit::Sound } else { Exit::Damage };
        self.highwater(sentence, &[words, &[&format!("--json={name}"), repo]].concat(), exit)?;
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let report = render::from_json(&text).map_err(|error| differs(&format!("{name} is no report: {error}")))?;
        compare(&report, wanted)
    }

    /// Appends transactions to the `Data.fs`, as its server would.
    fn write(&self, notebook: &Notebook, more: &[u8], what: &str) -> Result<(), Error> {
        let path = Path::new(DATA);
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(more)).map_err(Error::io("write to", path))?;
        let (objects, transactions) = (notebook.objects(), notebook.transactions());
        let sentence = format!(
            "{what}: {objects} objects and {transactions} transactions so far, {} of them new.",
            bytes(more.len() as u64)
        );
        self.step(&sentence, &format!("wc -c {DATA}"))?;
        out::print(&format!("{} {DATA}\n", metadata(DATA)?.len()))
    }

    /// Copies the repository.
    fn copy(&self, sentence: &str, to: &str) -> Result<(), Error> {
        self.step(sentence, &format!("cp -r {REPO} {to}"))?;
        let to = Path::new(to);
        fs::create_dir(to).map_err(Error::io("create", to))?;
        for name in names()? {
            fs::copy(Path::new(REPO).join(&name), to.join(&name)).map_err(Error::io("copy to", to))?;
        }
        Ok(())
    }
}

/// Flips the lowest bit of the byte in the middle of a file, and prints a command line that does the same.
fn flip(path: &Path) -> Result<(), Error> {
    let change = || {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let at = file.metadata()?.len() / 2;
        let mut byte = [0];
        file.read_exact_at(&mut byte, at)?;
        let flipped = byte.map(|byte| byte ^ 1);
        file.write_all_at(&flipped, at)?;
        Ok((at, flipped))
    };
    let (at, [byte]) = change().map_err(Error::io("change", path))?;
    let path = path.display();
    out::print(&format!("$ printf '\\{byte:03o}' | dd of={path} bs=1 seek={at} conv=notrunc status=none\n"))
}

/// What a report says, warnings aside, against the findings that it should have: each about the right file.
fn compare(report: &Report, wanted: &[(Code, &str)]) -> Result<(), Error> {
    let grave = report.findings.iter().filter(|note| note.severity > Severity::Warning);
    let found: Vec<(Code, &str)> = grave.map(|note| (note.code, note.object.as_str())).collect();
    if found == wanted {
        return Ok(());
    }
    let words = |list: &[(Code, &str)]| match list {
        [] => "nothing".to_owned(),
        list => list.iter().map(|(code, object)| format!("{code} in {object}")).collect::<Vec<_>>().join(", "),
    };
    Err(differs(&format!("verify found {}, not {}", words(&found), words(wanted))))
}

/// The names in the repository.
fn names() -> Result<Vec<String>, Error> {
    let list = || {
        let names = fs::read_dir(REPO)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<std::io::Result<Vec<_>>>()
    };
    let mut names = list().map_err(Error::io("list", Path::new(REPO)))?;
    names.sort();
    Ok(names)
}

/// The full backup in the repository, and its increments.
fn data_files() -> Result<(String, Vec<String>), Error> {
    let is = |name: &String, kind| DataFile::parse(name.as_bytes()).is_some_and(|file| file.kind == kind);
    let names = names()?;
    let increments = names.iter().filter(|name| is(name, Kind::Delta)).cloned().collect();
    let fulls: Vec<_> = names.into_iter().filter(|name| is(name, Kind::Full)).collect();
    match <[String; 1]>::try_from(fulls) {
        Ok([full]) => Ok((full, increments)),
        Err(fulls) => Err(differs(&format!("there are {} full backups in the repository, not 1", fulls.len()))),
    }
}

fn same(one: &str, other: &str) -> Result<(), Error> {
    let read = |name: &str| fs::read(name).map_err(Error::io("read", Path::new(name)));
    if read(one)? == read(other)? { Ok(()) } else { Err(differs(&format!("{one} and {other} are not the same"))) }
}

fn inode(name: &str) -> Result<u64, Error> {
    metadata(name).map(|metadata| metadata.ino())
}

fn metadata(name: &str) -> Result<fs::Metadata, Error> {
    fs::metadata(name).map_err(Error::io("look at", Path::new(name)))
}

fn differs(what: &str) -> Error {
    Error::failed(format!("the demo did not come out as it should: {what}"))
}

#[cfg(test)]
mod tests {
    use highwater_core::report::{Depth, Note};

    use super::*;

    fn note(code: Code, object: &str) -> Note {
        Note {
            code,
            root: "repo".to_owned(),
            name: code.name().to_owned(),
            severity: code.severity(),
            object: object.to_owned(),
            offset: None,
            message: String::new(),
            advice: String::new(),
            sets: Vec::new(),
            sets_total: 0,
        }
    }

    #[test]
    fn only_the_expected_findings_pass_and_others_are_named() {
        let report = |findings| Report { findings, ..Report::empty(Depth::Digest, false) };
        let one = report(vec![note(Code::Missing, "a"), note(Code::Stray, "b")]);
        assert!(compare(&report(Vec::new()), &[]).is_ok());
        assert!(compare(&one, &[(Code::Missing, "a")]).is_ok());
        for wanted in
            [&[][..], &[(Code::Digest, "a")], &[(Code::Missing, "b")], &[(Code::Missing, "a"), (Code::Missing, "c")]]
        {
            let error = compare(&one, wanted).unwrap_err();
            assert_eq!(Exit::from(error.class()), Exit::Inconclusive);
            assert!(error.to_string().contains("verify found HW101 in a, not "), "{error}");
        }
    }
}
