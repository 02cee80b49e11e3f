//! The README and `web/docs` as their readers use them: blocks marked `run` are run and print what they show, what the
//! README says for after a fire is done, links lead somewhere, the index names every page, and the README stays short.

#![expect(clippy::print_stdout, reason = "the counts are part of the result")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use highwater_tests::binary::highwater;
use highwater_tests::datastore;
use highwater_tests::run::Run;
use highwater_tests::specimens::{Specimen, lay, mirror, repozo, rocksdb, tree};
use tempfile::TempDir;

/// What the README may have.
const LINES: usize = 160;
const WORDS: usize = 1_400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the root")
}

/// The pages, by their paths.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let front = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name));
    let docs = fs::read_dir(root.join("web/docs")).expect("the pages").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> = front.into_iter().chain(docs).filter(|path| path.is_file()).collect();
    found.sort();
    found
}

fn text(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// A command of a block, and what it should print.
struct Step {
    command: String,
    prints: String,
    code: i32,
}

/// The steps of the blocks of a page that are marked `run`.
fn steps(page: &str) -> Vec<Step> {
    let mut found: Vec<Step> = Vec::new();
    let mut is_run = false;
    for line in page.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            is_run = kind == "console run";
            continue;
        }
        let Some(step) = found.last_mut().filter(|_| is_run && !line.starts_with("$ ")) else {
            if let Some(command) = line.strip_prefix("$ ").filter(|_| is_run) {
                found.push(Step { command: command.to_owned(), prints: String::new(), code: 0 });
            }
            continue;
        };
        match line.strip_prefix("(exit code ").and_then(|rest| rest.strip_suffix(')')) {
            Some(code) => step.code = code.parse().expect("an exit code"),
            None => step.prints.extend([line, "\n"]),
        }
    }
    found
}

/// A place to run command lines in, where `highwater` is the program under test.
struct Shell {
    folder: TempDir,
    programs: TempDir,
}

impl Shell {
    fn new() -> Self {
        let programs = tempfile::tempdir().expect("a folder of programs");
        symlink(highwater(), programs.path().join("highwater")).expect("a link");
        // A store has 65,536 folders, which a disk takes long to make.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { folder: folder.expect("a scratch folder"), programs }
    }

    fn command(&self, line: &str) -> Command {
        let path = format!("{}:{}", self.programs.path().display(), std::env::var("PATH").unwrap_or_default());
        let mut shell = Command::new("bash");
        shell.args(["-o", "pipefail", "-c", line]).current_dir(self.folder.path()).env("PATH", path);
        shell
    }
}

/// Runs the steps of a page in a folder of its own; says what was otherwise.
fn differences(page: &Path, steps: &[Step]) -> Vec<String> {
    let place = Shell::new();
    let mut found = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let mut shell = place.command(&step.command);
        // The demo makes several backups in a row, for which the clock has to go on.
        if !step.command.contains("highwater demo") {
            shell.env("HIGHWATER_NOW", format!("2026-11-28-08-{:02}-{:02}", number / 60, number % 60));
        }
        let run = Run::of(&mut shell);
        // An empty line before the next command sets it off, and is none of what is printed.
        if (run.code, run.text().trim_end()) != (step.code, step.prints.trim_end()) {
            let page = page.display();
            found.push(format!("{page}: $ {}\n{}\nbut:\n{}", step.command, step.prints, run.account()));
        }
    }
    found
}

#[test]
fn no_two_lines_of_cron_that_write_begin_in_one_minute() {
    let page = text(&root().join("web/docs/cookbook.md"));
    let lines = page.lines().filter(|line| line.contains("  backup  highwater "));
    let writing = lines.filter(|line| [" backup --", " prune --"].iter().any(|verb| line.contains(verb)));
    let minutes: Vec<&str> = writing.filter_map(|line| line.split_whitespace().next()).collect();
    let different: BTreeSet<&str> = minutes.iter().copied().collect();
    assert!(minutes.len() > 1 && different.len() == minutes.len(), "{minutes:?}");
    assert!(!different.contains("*"), "every minute is the other's, too");
}

#[test]
fn blocks_marked_run_print_what_they_show() {
    let (mut ran, mut shown, mut wrong) = (0, 0, Vec::new());
    for page in pages() {
        let steps = steps(&text(&page));
        ran += steps.len();
        shown += steps.iter().filter(|step| !step.prints.is_empty()).count();
        wrong.extend(differences(&page, &steps));
    }
    println!("{ran} commands were run, and {shown} of them compared with what they print");
    assert!(ran > 20 && shown > 10, "{ran} commands, {shown} with output");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_block_that_shows_something_else_is_seen() {
    let page = "```console run\n$ echo one\none\n$ false\n(exit code 1)\n$ echo two\nthree\n$ false\n```\n";
    let steps = steps(page);
    assert_eq!(steps.len(), 4);
    assert_eq!(differences(Path::new("page"), &steps).len(), 2);
}

#[test]
fn what_is_to_be_done_after_a_fire_brings_all_of_it_back() {
    let place = Shell::new();
    let at = |path: &str| place.folder.path().join(path);
    lay(&repozo::Repozo.small().files, &at("usb/zodb"));
    datastore::copy(&datastore::Sample::made().store(), &at("usb/store"));
    lay(&tree::Tree.small().files, &at("usb/files"));
    lay(&rocksdb::Stores::LEVELDB.small().files, &at("usb/db"));
    lay(&mirror::Mirror.small().files, &at("usb/photos"));
    for folder in ["srv/zodb", "srv/app"] {
        fs::create_dir_all(at(folder)).expect("a folder of a new server");
    }
    let readme = text(&root().join("README.md"));
    let (_, chapter) = readme.split_once("## My server burned").expect("the chapter");
    let block = chapter.split("```").nth(1).expect("its lines");
    let lines = block.lines().skip(1).filter(|line| !line.starts_with('#'));
    let mut ran = 0;
    for line in lines {
        let here = line.replace("/mnt/usb/", "usb/").replace(" /srv/", " srv/");
        assert_ne!(line, here, "a line that touches nothing of what is here");
        // The container of the made store has devices.
        let code = if line.contains("# 3: ") { 3 } else { 0 };
        Run::of(&mut place.command(&here)).expect(code);
        ran += 1;
    }
    println!("{ran} lines were run");
    let made = ["srv/zodb/Data.fs", "disk.img", "srv/ct200", "srv/files", "srv/app/db/CURRENT", "srv/photos-then"];
    let missing: Vec<&str> = made.into_iter().filter(|path| !at(path).exists()).collect();
    assert!(ran > 10 && missing.is_empty(), "{ran} lines; not there: {missing:?}");
}

/// How long the engine's example may take to be built, where it is not yet.
const BUILDING: Duration = Duration::from_secs(600);

#[test]
fn the_engines_example_prints_what_the_command_does() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let set = folder.path().join("set");
    let mut files = repozo::Repozo.small().files;
    for code in [0, 1] {
        lay(&files, &set);
        let verify = Run::of(Command::new(highwater()).arg("verify").arg(&set));
        assert_eq!(verify.code, code, "{}", verify.account());
        let mut example = Command::new(option_env!("CARGO").unwrap_or("cargo"));
        example.args(["run", "--quiet", "-p", "highwater-core", "--example", "verify", "--"]).arg(&set);
        let example = Run::within(BUILDING, example.current_dir(root()));
        assert_eq!((example.code, &example.stdout), (0, &verify.stdout), "{}", example.account());
        *files.values_mut().max_by_key(|bytes| bytes.len()).expect("a file").last_mut().expect("a byte") ^= 1;
    }
}

/// What a heading is called in links.
fn anchor(heading: &str) -> String {
    let plain = heading.trim_start_matches('#').trim().to_lowercase();
    plain
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
        .collect::<String>()
        .replace(' ', "-")
}

/// The anchors of a page; lines of blocks that look like headings count for nothing, and do no harm.
fn anchors(page: &Path) -> BTreeSet<String> {
    text(page).lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

/// Where the links of a page lead.
fn links(page: &str) -> Vec<&str> {
    page.split("](").skip(1).filter_map(|part| part.split_once(')')).map(|(link, _)| link).collect()
}

#[test]
fn links_lead_somewhere_and_the_index_names_every_page() {
    let (mut looked, mut wrong) = (0, Vec::new());
    for page in pages() {
        let whole = text(&page);
        for link in links(&whole).into_iter().filter(|link| !link.contains("://")) {
            looked += 1;
            let (path, section) = link.split_once('#').unwrap_or((link, ""));
            let leads = if path.is_empty() { page.clone() } else { page.with_file_name(path) };
            let is_there = leads.exists() && (section.is_empty() || anchors(&leads).contains(section));
            wrong.extend((!is_there).then(|| format!("{}: {link}", page.display())));
        }
    }
    let index = text(&root().join("web/docs/index.md"));
    let listed: BTreeSet<&str> = links(&index).into_iter().collect();
    for page in fs::read_dir(root().join("web/docs")).expect("the pages") {
        let name = page.expect("an entry").file_name().into_string().expect("text");
        let is_listed = !name.ends_with(".md") || name == "index.md" || listed.contains(name.as_str());
        wrong.extend((!is_listed).then(|| format!("index.md does not name {name}")));
    }
    println!("{looked} links");
    assert!(looked > 60, "{looked} links");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_is_short() {
    let readme = text(&root().join("README.md"));
    let (lines, words) = (readme.lines().count(), readme.split_whitespace().count());
    println!("{lines} lines, {words} words");
    assert!(lines <= LINES && words <= WORDS, "{lines} lines, {words} words");
}
