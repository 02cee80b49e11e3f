//! What the drop-in says with `-v`, and its messages that tools match, are the original's words.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::python::original;
use highwater_tests::repository::data_files;
use highwater_tests::run::{Run, drop_in};
use highwater_tests::scene::Scene;

/// Run both with the same words in the same place and compare code, words and standard output.
#[track_caller]
fn expect_same(stamp: &str, arguments: &[&Path], restore: impl Fn()) {
    let theirs = original(stamp, arguments);
    restore();
    let mine = drop_in(stamp, arguments);
    restore();
    let both = format!("{}{}", theirs.account(), mine.account());
    assert!(mine.code == theirs.code, "exit codes\n{both}");
    assert!(in_order(&mine.stderr) == in_order(&theirs.stderr), "words\n{both}");
    assert!(mine.stdout == theirs.stdout, "standard output\n{both}");
}

/// The lines; but those of `-k` sorted: we delete the newest first, so that a crash never leaves an increment alone.
fn in_order(said: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = said.lines().collect();
    if let Some(first) = lines.iter().position(|line| line.starts_with("removing old backup file")) {
        lines[first..].sort_unstable();
    }
    lines
}

fn paths<'a>(words: &'a [&'a str]) -> Vec<&'a Path> {
    words.iter().map(Path::new).collect()
}

struct Story {
    scene: Scene,
    repo: String,
    data: String,
    target: String,
}

/// A full, a gzip increment, an increment, and some growth since.
fn told() -> Story {
    let mut scene = Scene::new();
    for flags in [&[][..], &["-z"], &[]] {
        scene.original_backup(flags);
        scene.grow(2);
    }
    let text = |path: &Path| path.to_str().expect("plain text").to_owned();
    let (repo, data, target) = (text(&scene.repo), text(&scene.data), text(&scene.path("target.fs")));
    Story { scene, repo, data, target }
}

impl Story {
    /// Compare a backup, with the repository put back afterwards.
    #[track_caller]
    fn backup(&mut self, short: &str, more: &[&str]) {
        let stamp = self.scene.later();
        let before = self.scene.path("before");
        highwater_tests::repository::copy(&self.scene.repo, &before);
        let arguments = [&[short, "-f", &self.data, "-r", &self.repo], more].concat();
        let put_back = || {
            fs::remove_dir_all(&self.scene.repo).expect("it goes");
            highwater_tests::repository::copy(&before, &self.scene.repo);
        };
        expect_same(&stamp, &paths(&arguments), put_back);
        fs::remove_dir_all(&before).expect("it goes");
    }

    #[track_caller]
    fn recover(&self, short: &str, more: &[&str]) {
        let arguments = [&[short, "-r", &self.repo, "-o", &self.target], more].concat();
        let clean = || {
            let _ = fs::remove_file(&self.target);
            let _ = fs::remove_file(format!("{}.index", self.target));
            let _ = fs::remove_file(format!("{}.part", self.target));
        };
        expect_same(&self.scene.clock.stamp(), &paths(&arguments), clean);
    }

    #[track_caller]
    fn verify(&self, short: &str, more: &[&str]) {
        let arguments = [&[short, "-r", &self.repo], more].concat();
        expect_same(&self.scene.clock.stamp(), &paths(&arguments), || {});
    }
}

#[test]
fn a_backup_says_what_the_originals_says() {
    let mut told = told();
    for short in ["-Bv", "-BvQ", "-Bvz", "-BvF", "-BvFk", "-BvQz", "-BFvQ"] {
        told.backup(short, &[]);
    }
    told.backup("-Bvw", &["-o", "x", "-D", "2026"]);
    let source = told.scene.source();
    // A pack makes it shorter. One that was cut off is refused by ours alone.
    told.scene.bench.pack(&told.scene.data.clone());
    assert!(told.scene.source().len() < source.len() / 2, "{} of {}", told.scene.source().len(), source.len());
    for short in ["-Bv", "-BvQ"] {
        told.backup(short, &[]);
    }
    while told.scene.source().len() <= source.len() {
        told.scene.grow(4);
    }
    for short in ["-Bv", "-BvQ", "-B"] {
        told.backup(short, &[]);
    }
    let stamp = told.scene.original_backup(&[]);
    for short in ["-Bv", "-BvQ", "-B"] {
        told.backup(short, &[]);
    }
    let dat = told.scene.repo.join(format!("{stamp}.dat"));
    fs::write(&dat, "").expect("an empty .dat");
    told.backup("-BvQ", &[]);
    fs::remove_file(&dat).expect("no .dat");
    told.backup("-BvQ", &[]);
}

#[test]
fn a_recovery_that_names_each_chunk_says_what_the_originals_says() {
    let told = told();
    for more in [&[][..], &["-D", "2026-02-01-00-01"], &["-D", "2025"], &["-k", "-f", "x"]] {
        told.recover("-Rvw", more);
    }
}

#[test]
fn a_recovery_without_w_says_what_the_originals_says() {
    let told = told();
    for more in [&[][..], &["-D", "2026-02-01-00-01"], &["-F"], &["-Q"], &["-z"]] {
        told.recover("-Rv", more);
    }
    told.recover("-R", &[]);
    fs::remove_file(told.scene.repo.join("2026-02-01-00-02-30.index")).expect("an index goes");
    told.recover("-Rv", &[]);
}

#[test]
fn a_recovery_to_stdout_gives_the_same_bytes_and_words() {
    let told = told();
    for short in ["-R", "-Rw", "-Rvw", "-Rv"] {
        told.verify(short, &[]);
    }
}

#[test]
fn a_verification_says_what_the_originals_says() {
    let mut told = told();
    for short in ["-V", "-Vv", "-VQ", "-VQv"] {
        told.verify(short, &[]);
    }
    told.verify("-Vv", &["-z", "-k", "-F", "-w", "-f", "x", "-o", "x", "-D", "2026"]);
    let increment = told.scene.repo.join("2026-02-01-00-02-30.deltafs");
    let whole = fs::read(&increment).expect("an increment");
    for (what, content) in
        [("cut", Some(&whole[1..])), ("changed", Some(&[&b"x"[..], &whole[1..]].concat()[..])), ("gone", None)]
    {
        match content {
            Some(content) => fs::write(&increment, content).expect(what),
            None => fs::remove_file(&increment).expect(what),
        }
        told.verify("-V", &[]);
        if what != "changed" {
            told.verify("-VQ", &[]);
        }
    }
    let foreign = told.scene.path("nothing-in-it");
    fs::create_dir(&foreign).expect("a folder");
    told.repo = foreign.to_str().expect("plain text").to_owned();
    for short in ["-V", "-Vv", "-Rv", "-R"] {
        told.verify(short, &[]);
    }
    let absent = told.scene.path("not-there");
    for verb in ["-V", "-R"] {
        let run = drop_in(&told.scene.clock.stamp(), &[Path::new(verb), Path::new("-r"), &absent]);
        assert!(run.expect(1).one_line().contains("not-there"), "{}", run.account());
    }
}

#[test]
fn a_wrong_command_line_is_answered_as_by_the_original() {
    let scene = Scene::new();
    let stamp = scene.clock.stamp();
    let lines: [&[&str]; 17] = [
        &[],
        &["-B"],
        &["-R"],
        &["-V"],
        &["-B", "-R"],
        &["-V", "-R", "-r", "x"],
        &["-B", "-r", "x"],
        &["--nonsense"],
        &["-x"],
        &["-r"],
        &["--repository"],
        &["--recover=x"],
        &["--re"],
        &["-V", "-r", "x", "more", "words"],
        &["--"],
        &["-V", "--", "-r"],
        &["--f", "x"],
    ];
    for line in lines {
        let (theirs, mine) = (original(&stamp, line), drop_in(&stamp, line));
        assert_eq!(mine.code, theirs.code, "{}{}", theirs.account(), mine.account());
        let last = |run: &Run| run.stderr.trim_end().lines().last().unwrap_or("").to_owned();
        assert_eq!(last(&mine), last(&theirs), "the last line of {line:?}");
        assert!(mine.stderr.contains("Usage:") && mine.stdout.is_empty(), "{}", mine.account());
    }
    for line in [&["-h"][..], &["--help"], &["--h"], &["-vh"], &["-Bh"]] {
        let (theirs, mine) = (original(&stamp, line), drop_in(&stamp, line));
        assert_eq!(mine.code, theirs.code, "{}{}", theirs.account(), mine.account());
        assert!(mine.text().contains("Usage:") && mine.stderr.is_empty(), "{}", mine.account());
    }
}

#[test]
fn long_options_may_be_shortened_and_bundles_opened() {
    let mut scene = Scene::new();
    let (repo, data) = (scene.repo.display().to_string(), scene.data.display().to_string());
    let target = scene.path("target.fs").display().to_string();
    let lines: [Vec<String>; 5] = [
        vec!["--ba".into(), format!("--repos={repo}"), "--fil".into(), data.clone(), "--verb".into()],
        vec![format!("-BQzvr{repo}"), format!("-f{data}")],
        vec!["--reco".into(), "--repo".into(), repo.clone(), format!("--out={target}")],
        vec!["-R".into(), "-r".into(), "nowhere".into(), "-r".into(), repo.clone(), "-wo".into(), target.clone()],
        vec!["--verif".into(), "--qui".into(), "-r".into(), repo.clone()],
    ];
    for line in &lines {
        scene.grow(1);
        let stamp = scene.later();
        drop_in(&stamp, line).expect(0);
        let before = fs::read_dir(&repo).expect("a repository").count();
        let stamp = scene.later();
        scene.grow(1);
        original(&stamp, line).expect(0);
        let grew = fs::read_dir(&repo).expect("a repository").count() > before;
        assert_eq!(grew, line.iter().any(|word| word.contains("-ba") || word.contains("-BQ")), "{line:?}");
    }
}

#[test]
fn called_by_the_name_repozo_it_is_the_drop_in() {
    let mut scene = Scene::new();
    let link = scene.path("repozo");
    std::os::unix::fs::symlink(highwater(), &link).expect("a link");
    let run = |scene: &Scene, arguments: &[PathBuf]| {
        Run::of(Command::new(&link).args(arguments).env("HIGHWATER_NOW", scene.clock.stamp()))
    };
    let stamp = scene.later();
    run(&scene, &scene.backup_arguments(&scene.repo, &["-v"])).expect(0).says("doing a full backup");
    assert_eq!(data_files(&scene.repo), [format!("{stamp}.fs")]);
    run(&scene, &Scene::verify_arguments(&scene.repo, &[])).expect(0);
    run(&scene, &[]).expect(1).says("Either --backup, --recover or --verify is required");
}
