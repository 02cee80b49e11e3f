//! Full disks, read-only and unreadable places, names that would write to a terminal, and indices of a gigabyte.

#![expect(
    clippy::print_stdout,
    reason = "a test that cannot run here says so, and one that measures says what it measured"
)]

use std::ffi::OsStr;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use highwater_tests::binary::highwater;
use highwater_tests::repo::{Fixture, load};
use highwater_tests::run::Run;
use serde_json::Value;

/// The most that a run may take of memory, in KiB.
const MOST_KIB: u64 = 64 * 1024;

/// A mount that ends with this value; none where the user may not mount.
struct Mount(PathBuf);

impl Mount {
    fn new(arguments: &[&OsStr], at: &Path) -> Option<Self> {
        let done = Command::new("mount").args(arguments).arg(at).output();
        done.is_ok_and(|done| done.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// The same command as somebody whom permissions bind: this user, or `nobody` where this user is root.
fn as_nobody(fixture: &Fixture, arguments: &[&OsStr]) -> Run {
    if !rustix::process::geteuid().is_root() {
        return fixture.run(arguments);
    }
    // The built binary may lie where nobody else may look.
    let binary = fixture.path("highwater");
    // Another process copies: a program that this one has open for writing, and so whatever it starts meanwhile, cannot
    // be run.
    let copied = Command::new("cp").arg(highwater()).arg(&binary).status().expect("cp");
    assert!(copied.success());
    let mut folder = Some(fixture.repo.as_path());
    while let Some(path) = folder.filter(|path| path.starts_with(std::env::temp_dir()) && *path != std::env::temp_dir())
    {
        let mode = fs::metadata(path).expect("a folder").permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o055)).expect("an open folder");
        folder = path.parent();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&binary).args(arguments);
    Run::of(command.env("HIGHWATER_NOW", fixture.clock.stamp()))
}

/// A run's code, and what it took at most of memory, in KiB.
fn measured(arguments: &[&OsStr]) -> (Run, u64) {
    let script = "import os, sys\n\
        child = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])\n\
        _, status, usage = os.wait4(child, 0)\n\
        print('peak', usage.ru_maxrss, file=sys.stderr)\n\
        sys.exit(os.waitstatus_to_exitcode(status))";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(highwater()).args(arguments);
    let run = Run::within(Duration::from_secs(100), &mut command);
    let peak = run.stderr.lines().find_map(|line| line.strip_prefix("peak ")).and_then(|kib| kib.parse().ok());
    let peak = peak.unwrap_or_else(|| panic!("no measure\n{}", run.account()));
    (run, peak)
}

#[test]
fn a_full_disk_publishes_nothing_half_made() {
    for flags in [&[][..], &["--gzip"]] {
        let mut fixture = Fixture::new();
        let Some(mount) = Mount::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"].map(OsStr::new), &fixture.repo) else {
            println!("not run: this user may not mount a tmpfs");
            return;
        };
        let first = fixture.backup(flags);
        for _ in 0..3 {
            fixture.data.commit(&[(1, 1_000_000)]);
        }
        fixture.grow(1);
        for more in [&[][..], &["--full"]] {
            let run = fixture.try_backup(&[flags, more].concat());
            assert!(run.expect(3).one_line().contains("No space left"), "{}", run.account());
            let names: Vec<String> = load(&fixture.repo).into_keys().collect();
            assert_eq!(names.len(), 4, "the lock and one backup: {names:?}");
            fixture.verify("deep").expect(0);
            fixture.restore(&format!("@{first}"), &fixture.path("out.fs"), &["--full"]).expect(0);
        }
        drop(mount);
    }
}

#[test]
fn a_write_that_fails_half_way_publishes_nothing() {
    // What a full disk does, without the rights to make one: files may not grow beyond 256 KiB.
    let limited = |fixture: &Fixture, arguments: &[&OsStr]| {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f 512; exec \"$@\"", "sh"]).arg(highwater()).args(arguments);
        Run::of(command.env("HIGHWATER_NOW", fixture.clock.stamp()))
    };
    for gzip in ["--gzip", "--quiet"] {
        let (mut fixture, stamps) = Fixture::with_chain();
        fixture.data.grow_large(2);
        fixture.grow(1);
        fixture.clock.tick(60);
        let before: Vec<String> = load(&fixture.repo).into_keys().collect();
        let (source, repo) = (fixture.source.clone(), fixture.repo.clone());
        let paths = [source.as_os_str(), repo.as_os_str()];
        for full in ["--full", "--verbose"].into_iter().filter(|full| gzip == "--gzip" || *full == "--full") {
            let run = limited(&fixture, &["backup".as_ref(), gzip.as_ref(), full.as_ref(), paths[0], paths[1]]);
            assert!(run.expect(3).stderr.contains("too large"), "{}", run.account());
            assert_eq!(load(&fixture.repo).into_keys().collect::<Vec<_>>(), before, "{full} {gzip}");
            fixture.verify("deep").expect(0);
        }
        fixture.backup(&[gzip]);
        let target = fixture.path("standby.fs");
        for flags in ["--verbose", "--full"] {
            fixture.restore(&format!("@{}", stamps[2]), &target, &["--full"]).expect(0);
            let old = fs::read(&target).expect("the old database");
            let run = limited(&fixture, &["restore".as_ref(), flags.as_ref(), paths[1], target.as_os_str()]);
            assert!(run.expect(3).stderr.contains("too large"), "{}", run.account());
            assert!(fs::read(&target).expect("the target") == old, "{flags}: the old database stays");
            fixture.restore("", &target, &[]).expect(0);
        }
    }
}

#[test]
fn a_full_disk_under_a_target_keeps_the_old_database() {
    let (mut fixture, stamps) = Fixture::with_chain();
    for _ in 0..3 {
        fixture.data.commit(&[(1, 1_000_000)]);
    }
    fixture.grow(1);
    fixture.backup(&[]);
    let small = fixture.path("small");
    fs::create_dir(&small).expect("a folder");
    let Some(_mount) = Mount::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"].map(OsStr::new), &small) else {
        println!("not run: this user may not mount a tmpfs");
        return;
    };
    let target = small.join("Data.fs");
    fixture.restore(&format!("@{}", stamps[2]), &target, &[]).expect(0);
    let old = fs::read(&target).expect("a target");
    for flags in [&[][..], &["--quick"], &["--full"]] {
        let run = fixture.restore("", &target, flags);
        run.expect(4).says("no room").says("Data.fs");
        assert_eq!(fs::read(&target).expect("the target"), old, "{flags:?}");
        let _ = fs::remove_file(small.join("Data.fs.part"));
    }
}

#[test]
fn a_read_only_repository_is_verified_and_restored_but_not_written() {
    let (mut fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.clone();
    let bound = Mount::new(&[OsStr::new("--bind"), repo.as_os_str()], &repo);
    let Some(_mount) = bound.filter(|_| {
        let remount = Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&repo).status();
        remount.is_ok_and(|status| status.success())
    }) else {
        println!("not run: this user may not mount");
        return;
    };
    fixture.verify("deep").expect(0);
    fixture.restore("", &fixture.path("out.fs"), &[]).expect(0);
    fixture.grow(1);
    let run = fixture.try_backup(&[]);
    assert!(run.expect(4).one_line().contains("ead-only"), "{}", run.account());
}

#[test]
fn what_may_not_be_read_is_inconclusive_and_never_damage() {
    let (fixture, stamps) = Fixture::with_chain();
    let names = [format!("{}.deltafs", stamps[1]), format!("{}.dat", stamps[0]), format!("{}.index", stamps[2])];
    for name in names {
        fs::set_permissions(fixture.file(&name), fs::Permissions::from_mode(0o000)).expect("a locked file");
        let run =
            as_nobody(&fixture, &["verify".as_ref(), "--depth".as_ref(), "deep".as_ref(), fixture.repo.as_os_str()]);
        let text = run.expect(3).text();
        assert!(text.contains("HW201") && text.contains(&name) && text.contains("denied"), "{}", run.account());
        let (from, to) = (fixture.repo.as_os_str(), fixture.path("out.fs"));
        let run = as_nobody(&fixture, &["restore".as_ref(), from, to.as_os_str()]);
        run.expect(3);
        fs::set_permissions(fixture.file(&name), fs::Permissions::from_mode(0o644)).expect("an open file");
    }
    fs::set_permissions(&fixture.repo, fs::Permissions::from_mode(0o700)).expect("a locked folder");
    let folder = fixture.path("locked");
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).expect("a locked folder");
    as_nobody(&fixture, &["verify".as_ref(), folder.as_os_str()]).expect(4).one_line();
}

#[test]
fn what_is_no_file_in_the_place_of_one_is_inconclusive() {
    for (what, code, word) in
        [("fifo", 3, "FIFO"), ("folder", 3, "folder"), ("device", 3, "device"), ("link", 1, "not there")]
    {
        for at in [0, 1] {
            let (fixture, stamps) = Fixture::with_chain();
            let name = format!("{}.{}", stamps[at], if at == 0 { "dat" } else { "deltafs" });
            let path = fixture.file(&name);
            fs::remove_file(&path).expect("the file goes");
            match what {
                "fifo" => assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success()),
                "folder" => fs::create_dir(&path).expect("a folder"),
                "device" => symlink("/dev/zero", &path).expect("a link"),
                _ => symlink("nowhere", &path).expect("a link"),
            }
            for depth in ["list", "size", "digest", "deep"] {
                // A link out of the repository is followed only when that is asked for.
                let repo = fixture.repo.to_string_lossy();
                let run = fixture.run(&["verify", "--follow-links", "--depth", depth, &repo]);
                // A .dat is what all else hangs on: when it is not there or no file, nothing is proven damaged.
                run.expect(if at == 0 { 3 } else { code });
                assert!(at == 0 || run.text().contains(word), "{what} {depth}: {}", run.account());
            }
            let out = fixture.path("out.fs");
            for flags in [&[][..], &["--follow-links"]] {
                let run = fixture.restore("", &out, flags);
                assert!(run.code != 0 && !out.exists(), "{what} for {name}: {}", run.account());
            }
        }
    }
}

#[test]
fn odd_names_reach_no_terminal_and_no_report_unescaped() {
    let (fixture, _) = Fixture::with_chain();
    let odd: [&[u8]; 6] =
        [b"a\nb", b"\x1b[31mred", b"\xff\xfe", b"q\"u'o<t>&e", "\u{202e}cod".as_bytes(), b"::error::x"];
    for name in odd {
        fs::write(fixture.repo.join(OsStr::from_bytes(name)), "x").expect("a stray file");
    }
    let bad = |text: &str| text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}' || c == '\u{fffd}');
    let run = fixture.run(&["verify", "-v", &fixture.repo.to_string_lossy()]);
    run.expect(0);
    assert!(!bad(&run.text()) && run.text().contains("a\\nb") && run.text().contains("\\xff"), "{}", run.account());
    let file = |name: &str| fixture.path(name).to_string_lossy().into_owned();
    let [x, s, m] = ["r.xml", "r.sarif", "r.md"].map(file);
    let repo = fixture.repo.to_string_lossy().into_owned();
    let run = fixture.run(&["verify", "--strict", "--json", "--junit", &x, "--sarif", &s, "--summary", &m, &repo]);
    let report: Value = serde_json::from_slice(&run.expect(1).stdout).expect("one JSON document");
    assert_eq!(report["tallies"]["stray"], 6, "{report}");
    assert!(!bad(&run.text()), "{}", run.account());
    for path in [&x, &s, &m] {
        let text = fs::read_to_string(path).expect("UTF-8");
        assert!(!bad(&text), "{path}: {text:?}");
    }
    serde_json::from_str::<Value>(&fs::read_to_string(&s).expect("a file")).expect("SARIF is JSON");
    let junit = fs::read_to_string(&x).expect("a file");
    assert!(!junit.contains("q\"u'o<t>"), "{junit}");
    // The path of the repository itself is as hostile.
    for name in odd {
        let renamed = fixture.path("").join(OsStr::from_bytes(name));
        fs::rename(&fixture.repo, &renamed).expect("a rename");
        for call in [&["verify"][..], &["show"], &["verify", "--json", "--"]] {
            let mut arguments: Vec<&OsStr> = call.iter().map(OsStr::new).collect();
            arguments.push(renamed.as_os_str());
            let run = fixture.run(&arguments);
            assert!(!bad(&run.expect(0).text()) && !bad(&run.stderr), "{}", run.account());
        }
        let absent = renamed.join("absent");
        let run = fixture.run(&["verify".as_ref(), absent.as_os_str()]);
        assert!(!bad(run.expect(4).one_line()), "{}", run.account());
        let run = fixture.run(&["restore".as_ref(), renamed.as_os_str(), absent.join("x").as_os_str()]);
        assert!(!bad(run.expect(4).one_line()), "{}", run.account());
        fs::rename(&renamed, &fixture.repo).expect("a rename");
    }
}

/// Writes an index after the lines of a sound one.
fn extend(fixture: &Fixture, stamp: &str, write: impl FnOnce(&mut std::io::BufWriter<fs::File>)) {
    let path = fixture.file(&format!("{stamp}.dat"));
    let mut file = fs::OpenOptions::new().write(true).open(path).expect("an index");
    file.seek(SeekFrom::End(0)).expect("its end");
    let mut file = std::io::BufWriter::with_capacity(1 << 20, file);
    write(&mut file);
    file.flush().expect("an index is written");
}

#[track_caller]
fn expect_bounded(fixture: &Fixture, code: i32, case: &str) {
    let begun = std::time::Instant::now();
    let (run, peak) = measured(&["verify".as_ref(), fixture.repo.as_os_str()]);
    println!("{case}: {peak} KiB, {:?}", begun.elapsed());
    run.expect(code);
    assert!(peak <= MOST_KIB, "{case}: {peak} KiB of memory");
}

#[test]
fn an_index_of_a_sparse_gigabyte_takes_little_memory() {
    let (fixture, stamps) = Fixture::with_chain();
    extend(&fixture, &stamps[0], |file| {
        file.seek(SeekFrom::End(1 << 30)).expect("a hole");
        file.write_all(b"\n").expect("an end");
    });
    expect_bounded(&fixture, 1, "one line of a gigabyte");
}

#[test]
fn an_index_of_a_gigabyte_of_bad_lines_takes_little_memory() {
    let (fixture, stamps) = Fixture::with_chain();
    extend(&fixture, &stamps[0], |file| {
        let lines = format!("{}\n", "nonsense ".repeat(400)).repeat(300);
        for _ in 0..(1 << 30) / lines.len() {
            file.write_all(lines.as_bytes()).expect("lines");
        }
    });
    expect_bounded(&fixture, 1, "a gigabyte of bad lines");
}

#[test]
fn an_index_of_very_many_good_lines_takes_little_memory() {
    // Each line is a point, so a report has to name them all; 15 MiB of lines must not become a hundred MiB.
    let (fixture, stamps) = Fixture::with_chain();
    let end = fixture.data.bytes.len();
    extend(&fixture, &stamps[0], |file| {
        for number in 0..200_000u32 {
            let stamp = format!("3{:03}-{:02}-{:02}-00-00-00", number / 10_000, number / 100 % 100, number % 100);
            writeln!(file, "{stamp}.deltafs {end} {end} d41d8cd98f00b204e9800998ecf8427e").expect("a line");
        }
    });
    expect_bounded(&fixture, 1, "200,000 good lines");
}

#[test]
fn a_limit_of_a_files_length_is_told_as_a_full_disk_is() {
    let fixture = Fixture::new();
    let source = fixture.path("tree");
    fs::create_dir(&source).expect("a folder");
    fs::write(source.join("large"), vec![7; 1 << 20]).expect("a file");
    let (set, small) = (fixture.path("set"), fixture.path("small"));
    fs::create_dir(&set).expect("a folder");
    fs::create_dir(&small).expect("a folder");
    fixture.run(&["backup".as_ref(), source.as_os_str(), set.as_os_str()]).expect(0);
    let limited = |words: &[&OsStr]| {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -f 64; exec \"$0\" \"$@\""]).arg(highwater()).args(words);
        Run::of(command.env("HIGHWATER_NOW", fixture.clock.stamp()).current_dir(fixture.path("")))
    };
    let (out, archive) = (fixture.path("out"), fixture.path("out.tar"));
    for words in [
        &["restore".as_ref(), set.as_os_str(), out.as_os_str()][..],
        &["export".as_ref(), "--output".as_ref(), archive.as_os_str(), set.as_os_str()],
        &["backup".as_ref(), source.as_os_str(), small.as_os_str()],
        &["replicate".as_ref(), set.as_os_str(), fixture.path("copy").as_os_str()],
    ] {
        limited(words).expect(3).says("File too large");
    }
    assert!(!out.exists() && !archive.exists());
    // Nothing is in the way of a run without the limit.
    fixture.run(&["backup".as_ref(), source.as_os_str(), small.as_os_str()]).expect(0);
    fixture.run(&["verify".as_ref(), small.as_os_str()]).expect(0);
    fixture.run(&["restore".as_ref(), set.as_os_str(), out.as_os_str()]).expect(0);
}
