//! Hostile repositories: what stands in the index, what names lie beside it, what lies in the place of its files.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::{Compression, write::GzEncoder};
use highwater::disk::{self, Disk};
use highwater::store::Locks;
use highwater_core::digest::md5_of;
use highwater_core::name::Name;
use highwater_tests::score::{Score, size};

use super::expected::TREES;
use super::indices::bomb;
use super::stage::{NEXT, Stage, link, name, special};
use super::table::{Case, run_all};

/// Makes a path of a file's name.
type Naming = Box<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

/// What the last line of the index calls its file.
fn paths() -> Vec<Case> {
    let long = |count: usize| move |file: &str| [vec![b'/'], vec![b'n'; count], b"/".to_vec(), file.into()].concat();
    let case =
        |what: &str, path: Naming| Case::new(format!("index: {what}"), move |stage| stage.rename_in_last_line(&path));
    vec![
        case("a way out before the name", Box::new(|file| format!("../../../../etc/{file}").into())),
        case("an absolute path elsewhere", Box::new(|_| b"/etc/passwd".to_vec())),
        case("a way out behind the name", Box::new(|file| format!("/repo/{file}/../../../etc/passwd").into())),
        case("the name is ..", Box::new(|_| b"/repo/..".to_vec())),
        case("no name", Box::new(|_| b"/repo/".to_vec())),
        case("NUL in the folder", Box::new(|file| format!("/re\0po/{file}").into())),
        case("NUL in the name", Box::new(|file| format!("/repo/{file}\0").into())),
        case("backslashes", Box::new(|file| format!("C:\\repo\\{file}").into())),
        case("a way out with backslashes", Box::new(|_| b"..\\..\\victim".to_vec())),
        case("an escape in the folder", Box::new(|file| format!("/\x1b[31mrepo/{file}").into())),
        case("an escape in the name", Box::new(|file| format!("/repo/\x1b]0;x\x07{file}").into())),
        case("no UTF-8 in the folder", Box::new(|file| [b"/\xff\xfe/", file.as_bytes()].concat())),
        case("no UTF-8 in the name", Box::new(|file| [b"/repo/\xff", file.as_bytes()].concat())),
        case("another case", Box::new(|file| format!("/repo/{}", file.to_uppercase()).into())),
        case("a folder of 3 KiB", Box::new(long(3000))),
        case("a folder of 4 KiB", Box::new(long(4096))),
        case("a folder of a MiB", Box::new(long(1 << 20))),
        case("a name of 4 KiB", Box::new(|_| [b"/repo/".to_vec(), vec![b'n'; 4096]].concat())),
    ]
}

/// Numbers and lengths that the index claims.
fn numbers() -> Vec<Case> {
    let delta = format!("{NEXT}.deltafs");
    let gzip = format!("{delta}z");
    let far = "9223372036854775808";
    let case = |what: &str, end: String, delta: &str| {
        let delta = delta.to_owned();
        Case::new(format!("index: {what}"), move |stage| stage.add_line(&delta, b"", Some(&end)))
    };
    let stored = |what: &str, bytes: Vec<u8>, end: Option<&'static str>, mebibytes: u64| {
        let gzip = gzip.clone();
        Case::new(format!("gzip: {what}"), move |stage: &mut Stage| {
            // The stamp must lie before the one of the backup that comes.
            let file = gzip.replace("00-04-00", "00-03-30");
            fs::write(stage.fixture.file(&file), &bytes).expect("a file");
            stage.add_line(&file, &[0; 100], end);
            stage.large = mebibytes;
        })
    };
    let mut nested = GzEncoder::new(Vec::new(), Compression::best());
    nested.write_all(&bomb(1 << 30)).expect("memory");
    vec![
        case("it ends at 2^64-1", u64::MAX.to_string(), &delta),
        case("it ends at 2^64", "18446744073709551616".to_owned(), &delta),
        case("it ends at 10^400", format!("1{}", "0".repeat(400)), &delta),
        case("it ends at 2^63, in gzip", far.to_owned(), &gzip),
        stored("a bomb for 100 bytes", bomb(1 << 30), None, 0),
        stored("a bomb for 2^63 bytes", bomb(64 << 20), Some(far), 64),
        stored("a bomb in gzip for 100 bytes", nested.finish().expect("memory"), None, 0),
        Case::new("index: lines end with CR LF", |stage: &mut Stage| {
            let text = String::from_utf8(stage.dat()).expect("text");
            stage.write_dat(text.replace('\n', "\r\n").as_bytes());
        }),
        Case::new("index: a line of a sparse hole", |stage: &mut Stage| {
            stage.grow_sparse(&stage.file(0, "dat"), b"\n")
        }),
        Case::new("index: a hole without an end", |stage: &mut Stage| stage.grow_sparse(&stage.file(0, "dat"), b"")),
        Case::new("index: millions of empty lines", |stage: &mut Stage| {
            let mebibytes = size(8, 32);
            let empty = "\n".repeat(usize::try_from(mebibytes << 20).expect("some million"));
            stage.write_dat(&[stage.dat(), empty.into_bytes()].concat());
            // A line takes as long as some ten bytes of a long one.
            stage.large = 10 * mebibytes;
        }),
        Case::new("data: a sparse hole more", |stage: &mut Stage| stage.grow_sparse(&stage.file(2, "deltafs"), b"")),
        Case::new("OID index: a sparse hole more", |stage: &mut Stage| stage.grow_sparse(&stage.file(2, "index"), b"")),
        Case::new("OID index: 2^64-1 bytes to come", |stage: &mut Stage| {
            let path = stage.file(2, "index");
            let index = fs::read(&path).expect("an OID index");
            let stop = index.iter().position(|byte| *byte == b'.').expect("a stop") + 1;
            let hostile = [&index[..stop], b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff"].concat();
            fs::write(path, hostile).expect("an OID index");
        }),
    ]
}

/// Names beside the files of the repository.
fn names() -> Vec<Case> {
    let case = |what: &str, names: Vec<Vec<u8>>| {
        Case::new(format!("names: {what}"), move |stage: &mut Stage| {
            for bytes in &names {
                fs::write(stage.fixture.repo.join(name(bytes)), "x").expect("a file");
            }
        })
    };
    let clash = |suffix: &str| format!("2026-03-01-00-01-00.{suffix}").into_bytes();
    vec![
        case(
            "of 255 bytes",
            vec![vec![b'n'; 255], [b"2026-03-01-00-03-30.deltafs".to_vec(), vec![b'z'; 228]].concat()],
        ),
        case(
            "that write to a terminal",
            vec![b"\x1b[2J".to_vec(), b"a\nb".to_vec(), b"\x7f".to_vec(), b"\xc2\x9b".to_vec()],
        ),
        case("that are no UTF-8", vec![b"\xff\xfe".to_vec(), b"2026-03-01-00-03-30.delta\xffs".to_vec()]),
        case("with backslashes", vec![b"..\\victim".to_vec(), b"C:\\2026-03-01-00-03-30.deltafs".to_vec()]),
        case("that clash in case", vec![clash("FS"), clash("Dat"), clash("INDEX"), clash("deltaFS")]),
        case("that look like flags", vec![b"-rf".to_vec(), b"--help".to_vec(), b"@2026".to_vec(), b"...".to_vec()]),
        case("a stamp that sorts last", vec![b"9999-99-99-99-99-99.fs".to_vec()]),
        case("a stamp that sorts first", vec![b"0000-00-00-00-00-00.fs".to_vec()]),
        case("an index alone that sorts last", vec![b"9999-99-99-99-99-99.dat".to_vec()]),
        case("the next backup's own", vec![format!("{NEXT}.deltafs").into_bytes()]),
        case("the next backup's OID index", vec![format!("{NEXT}.index").into_bytes()]),
    ]
}

/// Links in the place of files, and where the next backup will write.
fn links() -> Vec<Case> {
    /// Moves a file of the repository outside and leaves a link to it.
    fn moved(point: usize, suffix: &'static str) -> impl Fn(&mut Stage) + Send + Sync {
        move |stage| {
            let (path, to) = (stage.file(point, suffix), stage.outside(suffix));
            fs::copy(&path, &to).expect("a copy outside");
            stage.instead(&path, |path| link(&to, path));
        }
    }
    fn to_victim(point: usize, suffix: &'static str, to: &'static str) -> impl Fn(&mut Stage) + Send + Sync {
        move |stage| stage.instead(&stage.file(point, suffix), |path| link(stage.outside(to), path))
    }
    fn planted(names: &'static [&'static str], to: &'static str) -> impl Fn(&mut Stage) + Send + Sync {
        move |stage| names.iter().for_each(|name| link(stage.outside(to), stage.fixture.file(name)))
    }
    fn through(folder: &'static str) -> impl Fn(&mut Stage) + Send + Sync {
        move |stage| {
            let at = stage.fixture.path("way");
            let to = if folder.is_empty() { stage.fixture.repo.clone() } else { stage.fixture.path("") };
            link(to, &at);
            stage.repo = at.join(folder);
        }
    }
    vec![
        Case::new("link: the repository is one", through("")),
        Case::new("link: above the repository", through("repo")),
        Case::new("link: full backup, same bytes", moved(0, "fs")),
        Case::new("link: increment, same bytes", moved(2, "deltafs")),
        Case::new("link: index, same bytes", moved(0, "dat")),
        Case::new("link: OID index, same bytes", moved(2, "index")),
        Case::new("link: full backup to a victim", to_victim(0, "fs", "victim")),
        Case::new("link: increment to a victim", to_victim(2, "deltafs", "victim")),
        Case::new("link: index to a victim", to_victim(0, "dat", "victim")),
        Case::new("link: OID index to a victim", to_victim(2, "index", "victim")),
        Case::new("link: index to nowhere", to_victim(0, "dat", "nowhere")),
        Case::new("link: increment to a folder", to_victim(2, "deltafs", ".")),
        Case::new("link: increment to itself", |stage: &mut Stage| {
            stage.instead(&stage.file(2, "deltafs"), |path| link(path, path));
        }),
        Case::new("link: lock to a victim", |stage: &mut Stage| {
            let lock = stage.fixture.file(".highwater.lock");
            stage.instead(&lock, |path| link(stage.outside("victim"), path));
        }),
        Case::new("link: lock to nowhere", |stage: &mut Stage| {
            let lock = stage.fixture.file(".highwater.lock");
            stage.instead(&lock, |path| link(stage.outside("nowhere"), path));
        }),
        Case::new(
            "planted: work files to a victim",
            planted(
                &[
                    "2026-03-01-00-04-00.deltafs.highwater-tmp",
                    "2026-03-01-00-04-00.index.highwater-tmp",
                    "2026-03-01-00-01-00.dat.highwater-tmp",
                ],
                "victim",
            ),
        ),
        Case::new(
            "planted: work files to nowhere",
            planted(
                &[
                    "2026-03-01-00-04-00.deltafs.highwater-tmp",
                    "2026-03-01-00-04-00.index.highwater-tmp",
                    "2026-03-01-00-01-00.dat.highwater-tmp",
                ],
                "nowhere",
            ),
        ),
        Case::new("planted: next increment to a victim", planted(&["2026-03-01-00-04-00.deltafs"], "victim")),
        Case::new("planted: next increment to nowhere", planted(&["2026-03-01-00-04-00.deltafs"], "nowhere")),
        Case::new("planted: next OID index to a victim", planted(&["2026-03-01-00-04-00.index"], "victim")),
        Case::new("planted: an orphan to a victim", planted(&["2026-03-01-00-03-30.deltafs"], "victim")),
        Case::new("planted: files of a full backup", |stage: &mut Stage| {
            // The source was packed, so that the next backup is a full one.
            stage.fixture.data = highwater_tests::repo::Data::new(9);
            stage.fixture.grow(3);
            for suffix in ["dat.highwater-tmp", "index", "fs.highwater-tmp"] {
                link(stage.outside("victim"), stage.fixture.file(&format!("{NEXT}.{suffix}")));
            }
        }),
        Case::new("hard links: a snapshot by cp -al", |stage: &mut Stage| {
            let snapshot = stage.outside("snapshot");
            fs::create_dir(&snapshot).expect("a folder");
            for entry in fs::read_dir(&stage.fixture.repo).expect("a folder") {
                let entry = entry.expect("an entry");
                fs::hard_link(entry.path(), snapshot.join(entry.file_name())).expect("a hard link");
            }
        }),
        Case::new("hard links: lock and work file", |stage: &mut Stage| {
            let planted = ["lock", "deltafs.highwater-tmp"].map(|suffix| match suffix {
                "lock" => ".highwater.lock".to_owned(),
                suffix => format!("{NEXT}.{suffix}"),
            });
            for name in planted {
                let _ = fs::remove_file(stage.fixture.file(&name));
                fs::hard_link(stage.outside("victim"), stage.fixture.file(&name)).expect("a hard link");
            }
        }),
        Case::new("hard links: two points, one file", |stage: &mut Stage| {
            let to = stage.file(1, "deltafs");
            stage.instead(&stage.file(2, "deltafs"), |path| fs::hard_link(to, path).expect("a hard link"));
        }),
    ]
}

/// What is no file in the place of each kind of file.
fn kinds() -> Vec<Case> {
    let mut cases = Vec::new();
    for what in ["FIFO", "socket", "null", "zero", "folder"] {
        for (at, path) in [
            ("full backup", "2026-03-01-00-01-00.fs"),
            ("increment", "2026-03-01-00-02-00.deltafs"),
            ("index", "2026-03-01-00-01-00.dat"),
            ("OID index", "2026-03-01-00-03-00.index"),
            ("lock", ".highwater.lock"),
            ("work file", "2026-03-01-00-04-00.deltafs.highwater-tmp"),
            ("orphan", "2026-03-01-00-03-30.deltafs"),
        ] {
            cases.push(Case::where_it_can_be(format!("{what}: {at}"), move |stage: &mut Stage| {
                let path: PathBuf = stage.fixture.file(path);
                let _ = fs::remove_file(&path);
                if what == "folder" { fs::create_dir(path).is_ok() } else { special(what, &path) }
            }));
        }
    }
    cases
}

#[test]
fn a_hostile_tree_is_called_so_and_leads_nobody_out_of_it() {
    let mut score = Score::new("hostile trees and indices");
    let cases: Vec<Case> = [paths(), numbers(), names(), links(), kinds()].into_iter().flatten().collect();
    run_all(&mut score, &cases, TREES);
    super::targets::run(&mut score);
    super::merging::run(&mut score);
    score.end();
}

#[test]
fn the_oracle_of_the_scratch_folder_sees_what_changes() {
    let stage = Stage::new();
    let before = stage.snapshot(None);
    assert_eq!(stage.snapshot(None), before);
    let victim = stage.outside("victim");
    let time = fs::metadata(&victim).and_then(|meta| meta.modified()).expect("a time");
    fs::write(&victim, "PRECIOUS").expect("a change of the same length");
    fs::File::options().write(true).open(&victim).and_then(|file| file.set_modified(time)).expect("the old time");
    assert_ne!(stage.snapshot(None), before, "other bytes, {}", md5_of(b"PRECIOUS"));
    assert_eq!(stage.snapshot(Some(&stage.fixture.path("outside"))).len(), before.len() - 2);
}

#[test]
fn a_hostile_tree_that_changes_under_a_run_is_not_written_through() {
    // What is planted before a run is removed or refused by it; what comes after that look must fail where it is
    // opened.
    let stage = Stage::new();
    let victim = stage.outside("victim");
    let before = stage.snapshot(Some(&stage.fixture.repo));
    let at = |name: &str| stage.fixture.file(name);
    link(&victim, at("link"));
    link(stage.outside("nowhere"), at("dangling"));
    link(at("loop"), at("loop"));
    fs::write(at("file"), "precious").expect("a file");
    fs::hard_link(&victim, at("hard")).expect("a hard link");
    assert!(special("FIFO", &at("fifo")), "a FIFO");
    let disk = disk::open(&stage.fixture.repo, Locks::Needed).expect("the repository");
    let below = |name: &str| Name::new(name.as_bytes()).expect("a name");
    let exists =
        |result: std::io::Result<()>| result.is_err_and(|error| error.kind() == std::io::ErrorKind::AlreadyExists);
    for name in ["link", "dangling", "loop", "file", "hard", "fifo"] {
        assert!(exists(disk.create(&below(name)).map(drop)), "{name} is not created anew");
        fs::write(at("new"), "new").expect("a new file");
        assert!(exists(disk.rename_new(&below("new"), &below(name))), "{name} is not renamed over");
    }
    for name in ["link", "dangling", "loop", "fifo"] {
        assert!(disk.open_for_writing(&below(name)).is_err(), "{name} is not opened for writing");
    }
    for name in ["link", "dangling", "loop", "fifo"] {
        assert!(disk.lock(&below(name), "held").is_err(), "{name} is no lock");
    }
    drop(disk.lock(&below("hard"), "held").expect("a lock"));
    assert_eq!(stage.snapshot(Some(&stage.fixture.repo)), before);
    assert_eq!(fs::read(at("file")).expect("a file"), b"precious");
}
