//! What reports are written to: through whatever lies there, and a plain file in one step.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use highwater_tests::run::Run;
use rustix::fs::OFlags;

use crate::trust::stage::{NOBODY, Stage, give_all, is_root, set_mode};

/// Every kind of report, as an option.
const KINDS: [&str; 5] = ["--json", "--junit", "--sarif", "--summary", "--events"];

/// Verifies, and writes one kind of report to a path.
#[track_caller]
fn report(stage: &Stage, kind: &str, to: &Path) -> Run {
    stage.run(&mut command(stage, kind, to))
}

fn command(stage: &Stage, kind: &str, to: &Path) -> Command {
    let mut command = stage.command(&["verify"]);
    command.arg(format!("{kind}={}", to.display())).arg(&stage.fixture.repo);
    command
}

/// A report has some of these words in it.
#[track_caller]
fn expect_report(kind: &str, bytes: &[u8], what: &str) {
    let text = String::from_utf8_lossy(bytes);
    let word = match kind {
        "--json" => "\"verdict\"",
        "--junit" => "<testsuite",
        "--sarif" => "\"runs\"",
        "--summary" => "|",
        _ => "\"event\"",
    };
    assert!(text.contains(word), "{what}: it is no report: {text:?}");
    assert!(text.ends_with('\n') || text.ends_with('>') || text.ends_with('}'), "{what}: it has no end: {text:?}");
}

fn make(program: &str, arguments: &[&str], path: &Path) -> bool {
    Command::new(program).arg(path).args(arguments).output().is_ok_and(|done| done.status.success())
}

#[test]
fn reports_are_written_through_what_they_meet() {
    for kind in KINDS {
        let stage = Stage::new();
        let path = |name: &str| stage.path(name);

        let device = path("null");
        let device = if make("mknod", &["c", "1", "3"], &device) { device } else { "/dev/null".into() };
        report(&stage, kind, &device).expect(0);
        let there = fs::symlink_metadata(&device).expect("a device").file_type();
        assert!(there.is_char_device(), "{kind}: {} is a device no more", device.display());

        let fifo = path("fifo");
        assert!(make("mkfifo", &[], &fifo), "a FIFO can be made");
        // Opened both ways, and read without waiting: nobody waits for the other end when nothing is written.
        let no_wait = i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag");
        let end = OpenOptions::new().read(true).write(true).custom_flags(no_wait).open(&fifo);
        let mut end = end.expect("a FIFO");
        report(&stage, kind, &fifo).expect(0);
        assert!(fs::symlink_metadata(&fifo).expect("it is there").file_type().is_fifo(), "{kind}: it is no FIFO");
        let mut read = vec![0; 1 << 16];
        let length = end.read(&mut read).unwrap_or(0);
        read.truncate(length);
        expect_report(kind, &read, "a FIFO");

        let (link, led_to) = (path("link"), path("led to"));
        fs::write(&led_to, "an old report, which is longer than nothing".repeat(1000)).expect("an old report");
        set_mode(&led_to, 0o640);
        symlink("led to", &link).expect("a link");
        report(&stage, kind, &link).expect(0);
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink(), "{kind}: the link is gone");
        expect_report(kind, &fs::read(&led_to).expect("a report"), "a link");
        assert_eq!(fs::metadata(&led_to).expect("a report").mode() & 0o777, 0o640);

        let plain = path("plain");
        fs::write(&plain, "an old report").expect("an old report");
        fs::set_permissions(&plain, PermissionsExt::from_mode(0o600)).expect("permissions");
        let root = rustix::process::geteuid().is_root();
        if root {
            chown(&plain, Some(NOBODY), Some(NOBODY)).expect("it is given away");
        }
        let kept = path("kept");
        fs::hard_link(&plain, &kept).expect("a hard link");
        report(&stage, kind, &plain).expect(0);
        let meta = fs::metadata(&plain).expect("a report");
        assert_eq!(meta.mode() & 0o777, 0o600, "{kind}: it is open to more people");
        assert!(!root || (meta.uid(), meta.gid()) == (NOBODY, NOBODY), "{kind}: it belongs to somebody else");
        expect_report(kind, &fs::read(&plain).expect("a report"), "a plain file");
        // Whoever has the old one open, or under another name, keeps it whole.
        assert_eq!(fs::read(&kept).expect("the old report"), b"an old report", "{kind}: it was written over");

        report(&stage, kind, &path("new")).expect(0);
        expect_report(kind, &fs::read(path("new")).expect("a report"), "a new file");

        for stdout in ["/dev/stdout", "/proc/self/fd/1", "-"] {
            let run = report(&stage, kind, Path::new(stdout));
            run.expect(0);
            expect_report(kind, &run.stdout, stdout);
        }
        // To a file as well: the report and the text are one after the other, and none is lost.
        let both = path("both");
        let out = fs::File::create(&both).expect("a file");
        let mut to_file = command(&stage, kind, Path::new("/dev/stdout"));
        assert!(to_file.stdout(Stdio::from(out)).stderr(Stdio::null()).status().expect("it runs").success());
        expect_report(kind, &fs::read(&both).expect("a report"), "standard output that is a file");
        assert!(fs::symlink_metadata("/dev/stdout").expect("it is there").is_symlink(), "/dev/stdout is what it was");
    }
}

#[test]
fn a_report_of_root_follows_no_link_of_another_user() {
    if !is_root("a_report_of_root_follows_no_link_of_another_user") {
        return;
    }
    for kind in KINDS {
        let stage = Stage::new();
        let theirs = stage.theirs("theirs");
        let victims = stage.victims();
        symlink(stage.outside().join("plain"), theirs.join("link")).expect("a link");
        symlink(stage.outside().join("folder/new"), theirs.join("to nothing")).expect("a link");
        assert!(make("mkfifo", &[], &theirs.join("fifo")), "a FIFO can be made");
        fs::hard_link(theirs.join("link"), theirs.join("second link")).expect("a hard link");
        give_all(&theirs);
        for name in ["link", "to nothing", "second link", "fifo"] {
            let run = report(&stage, kind, &theirs.join(name));
            victims.expect_same(&run.account());
            run.expect(4).says("another user");
            assert!(run.stdout.is_empty(), "nothing was verified\n{}", run.account());
        }
    }
}

#[test]
fn what_cannot_be_written_is_known_before_the_work() {
    let stage = Stage::new();
    fs::create_dir(stage.path("folder")).expect("a folder");
    for kind in KINDS {
        for to in ["no folder/report", "folder", "folder/"] {
            let run = report(&stage, kind, &stage.path(to));
            run.expect(4);
            assert!(run.stdout.is_empty(), "nothing was verified\n{}", run.account());
        }
    }
}
