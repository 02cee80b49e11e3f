//! What is done to a repository: to the lines of its index, the names beside it, what lies in the place of its files.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::{Compression, write::GzEncoder};

use super::{Stage, bomb};
use crate::repo::Data;
use crate::score::size;
use crate::specimens::hostile::{Case, NOW, Set, link, name, special};

/// A case that anybody can make.
fn made(name: impl Into<String>, codes: impl Into<String>, make: impl Fn(&mut Stage) + Send + Sync + 'static) -> Case {
    made_if(name, codes, move |stage| {
        make(stage);
        true
    })
}

/// A case that says whether this user can make it.
fn made_if(
    name: impl Into<String>,
    codes: impl Into<String>,
    make: impl Fn(&mut Stage) -> bool + Send + Sync + 'static,
) -> Case {
    Case::new(name, codes, move || {
        let mut stage = Stage::new();
        make(&mut stage).then(|| Box::new(stage) as Box<dyn Set>)
    })
}

/// Every case.
pub(super) fn all() -> Vec<Case> {
    [paths(), numbers(), names(), links(), kinds()].into_iter().flatten().collect()
}

/// Makes a path of a file's name.
type Naming = Box<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

/// What the last line of the index calls its file.
fn paths() -> Vec<Case> {
    let long = |count: usize| move |file: &str| [vec![b'/'], vec![b'n'; count], b"/".to_vec(), file.into()].concat();
    let case = |what: &str, codes: &str, path: Naming| {
        made(format!("index: {what}"), codes, move |stage| stage.rename_in_last_line(&path))
    };
    vec![
        case(
            "a way out before the name",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            Box::new(|file| format!("../../../../etc/{file}").into()),
        ),
        case("an absolute path elsewhere", "1 1 1 1 | 1 1 | 1 1 | 0 1", Box::new(|_| b"/etc/passwd".to_vec())),
        case(
            "a way out behind the name",
            "1 1 1 1 | 1 1 | 1 1 | 0 1",
            Box::new(|file| format!("/repo/{file}/../../../etc/passwd").into()),
        ),
        case("the name is ..", "1 1 1 1 | 1 1 | 1 1 | 0 1", Box::new(|_| b"/repo/..".to_vec())),
        case("no name", "1 1 1 1 | 1 1 | 1 1 | 0 1", Box::new(|_| b"/repo/".to_vec())),
        case("NUL in the folder", "0 0 0 0 | 0 0 | 0 0 | 0 0", Box::new(|file| format!("/re\0po/{file}").into())),
        case("NUL in the name", "1 1 1 1 | 1 1 | 1 1 | 0 1", Box::new(|file| format!("/repo/{file}\0").into())),
        case("backslashes", "0 0 0 0 | 0 0 | 0 0 | 0 0", Box::new(|file| format!("C:\\repo\\{file}").into())),
        case("a way out with backslashes", "1 1 1 1 | 1 1 | 1 1 | 0 1", Box::new(|_| b"..\\..\\victim".to_vec())),
        case(
            "an escape in the folder",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            Box::new(|file| format!("/\x1b[31mrepo/{file}").into()),
        ),
        case(
            "an escape in the name",
            "1 1 1 1 | 1 1 | 1 1 | 0 1",
            Box::new(|file| format!("/repo/\x1b]0;x\x07{file}").into()),
        ),
        case(
            "no UTF-8 in the folder",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            Box::new(|file| [b"/\xff\xfe/", file.as_bytes()].concat()),
        ),
        case(
            "no UTF-8 in the name",
            "1 1 1 1 | 1 1 | 1 1 | 0 1",
            Box::new(|file| [b"/repo/\xff", file.as_bytes()].concat()),
        ),
        case(
            "another case",
            "1 1 1 1 | 1 1 | 1 1 | 0 1",
            Box::new(|file| format!("/repo/{}", file.to_uppercase()).into()),
        ),
        case("a folder of 3 KiB", "0 0 0 0 | 0 0 | 0 0 | 0 0", Box::new(long(3000))),
        case("a folder of 4 KiB", "0 0 0 0 | 0 0 | 0 0 | 0 0", Box::new(long(4096))),
        case("a folder of a MiB", "1 1 1 1 | 1 1 | 1 1 | 0 1", Box::new(long(1 << 20))),
        case(
            "a name of 4 KiB",
            "1 1 1 1 | 1 1 | 1 1 | 0 1",
            Box::new(|_| [b"/repo/".to_vec(), vec![b'n'; 4096]].concat()),
        ),
    ]
}

/// Numbers and lengths that the index claims.
fn numbers() -> Vec<Case> {
    let delta = format!("{NOW}.deltafs");
    let gzip = format!("{delta}z");
    let far = "9223372036854775808";
    let case = |what: &str, codes: &str, end: String, delta: &str| {
        let delta = delta.to_owned();
        made(format!("index: {what}"), codes, move |stage| stage.add_line(&delta, b"", Some(&end)))
    };
    let stored = |what: &str, codes: &str, bytes: Vec<u8>, end: Option<&'static str>, mebibytes: u64| {
        let gzip = gzip.clone();
        made(format!("gzip: {what}"), codes, move |stage: &mut Stage| {
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
        case("it ends at 2^64-1", "1 1 1 1 | 0 0 | 1 1 | 0 1", u64::MAX.to_string(), &delta),
        case("it ends at 2^64", "1 1 1 1 | 1 1 | 1 1 | 0 1", "18446744073709551616".to_owned(), &delta),
        case("it ends at 10^400", "1 1 1 1 | 1 1 | 1 1 | 0 1", format!("1{}", "0".repeat(400)), &delta),
        case("it ends at 2^63, in gzip", "1 1 1 1 | 0 0 | 1 1 | 0 1", far.to_owned(), &gzip),
        stored("a bomb for 100 bytes", "0 1 1 1 | 0 0 | 1 1 | 0 1", bomb(1 << 30), None, 0),
        stored("a bomb for 2^63 bytes", "0 1 1 1 | 0 0 | 1 1 | 0 1", bomb(64 << 20), Some(far), 64),
        stored("a bomb in gzip for 100 bytes", "0 1 1 1 | 0 0 | 1 1 | 0 1", nested.finish().expect("memory"), None, 0),
        made("index: lines end with CR LF", "0 0 0 0 | 0 0 | 0 0 | 0 0", |stage: &mut Stage| {
            let text = String::from_utf8(stage.dat()).expect("text");
            stage.write_dat(text.replace('\n', "\r\n").as_bytes());
        }),
        made("index: a line of a sparse hole", "1 1 1 1 | 1 1 | 1 1 | 0 1", |stage: &mut Stage| {
            stage.grow_sparse(&stage.file(0, "dat"), b"\n")
        }),
        made("index: a hole without an end", "1 1 1 1 | 1 1 | 1 1 | 0 1", |stage: &mut Stage| {
            stage.grow_sparse(&stage.file(0, "dat"), b"")
        }),
        made("index: millions of empty lines", "0 0 0 0 | 0 0 | 0 0 | 0 0", |stage: &mut Stage| {
            let mebibytes = size(8, 32);
            let empty = "\n".repeat(usize::try_from(mebibytes << 20).expect("some million"));
            stage.write_dat(&[stage.dat(), empty.into_bytes()].concat());
            // A line takes as long as some ten bytes of a long one.
            stage.large = 10 * mebibytes;
        }),
        made("data: a sparse hole more", "0 1 1 1 | 0 0 | 1 1 | 0 1", |stage: &mut Stage| {
            stage.grow_sparse(&stage.file(2, "deltafs"), b"")
        }),
        made("OID index: a sparse hole more", "0 0 0 1 | 0 0 | 0 0 | 0 1", |stage: &mut Stage| {
            stage.grow_sparse(&stage.file(2, "index"), b"")
        }),
        made("OID index: 2^64-1 bytes to come", "0 0 0 1 | 0 0 | 0 0 | 0 1", |stage: &mut Stage| {
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
    let case = |what: &str, codes: &str, names: Vec<Vec<u8>>| {
        made(format!("names: {what}"), codes, move |stage: &mut Stage| {
            for bytes in &names {
                fs::write(stage.fixture.repo.join(name(bytes)), "x").expect("a file");
            }
        })
    };
    let clash = |suffix: &str| format!("2026-03-01-00-01-00.{suffix}").into_bytes();
    vec![
        case(
            "of 255 bytes",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            vec![vec![b'n'; 255], [b"2026-03-01-00-03-30.deltafs".to_vec(), vec![b'z'; 228]].concat()],
        ),
        case(
            "that write to a terminal",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            vec![b"\x1b[2J".to_vec(), b"a\nb".to_vec(), b"\x7f".to_vec(), b"\xc2\x9b".to_vec()],
        ),
        case(
            "that are no UTF-8",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            vec![b"\xff\xfe".to_vec(), b"2026-03-01-00-03-30.delta\xffs".to_vec()],
        ),
        case(
            "with backslashes",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            vec![b"..\\victim".to_vec(), b"C:\\2026-03-01-00-03-30.deltafs".to_vec()],
        ),
        case(
            "that clash in case",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            vec![clash("FS"), clash("Dat"), clash("INDEX"), clash("deltaFS")],
        ),
        case(
            "that look like flags",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            vec![b"-rf".to_vec(), b"--help".to_vec(), b"@2026".to_vec(), b"...".to_vec()],
        ),
        case("a stamp that sorts last", "3 3 3 3 | 3 3 | 3 3 | 4 3", vec![b"9999-99-99-99-99-99.fs".to_vec()]),
        case("a stamp that sorts first", "3 3 3 3 | 3 0 | 0 0 | 0 3", vec![b"0000-00-00-00-00-00.fs".to_vec()]),
        case("an index alone that sorts last", "1 1 1 1 | 1 1 | 1 1 | 4 3", vec![b"9999-99-99-99-99-99.dat".to_vec()]),
        case("the next backup's own", "3 3 3 3 | 3 3 | 3 3 | 0 0", vec![format!("{NOW}.deltafs").into_bytes()]),
        case("the next backup's OID index", "0 0 0 0 | 0 0 | 0 0 | 0 0", vec![format!("{NOW}.index").into_bytes()]),
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
        made("link: the repository is one", "0 0 0 0 | 0 0 | 0 0 | 0 0", through("")),
        made("link: above the repository", "0 0 0 0 | 0 0 | 0 0 | 0 0", through("repo")),
        made("link: full backup, same bytes", "3 3 3 3 | 0 0 | 3 3 | 0 3", moved(0, "fs")),
        made("link: increment, same bytes", "3 3 3 3 | 0 0 | 3 3 | 0 3", moved(2, "deltafs")),
        made("link: index, same bytes", "3 3 3 3 | 3 3 | 3 3 | 3 3", moved(0, "dat")),
        made("link: OID index, same bytes", "0 0 0 3 | 0 3 | 3 3 | 0 3", moved(2, "index")),
        made("link: full backup to a victim", "3 3 3 3 | 0 0 | 3 3 | 0 3", to_victim(0, "fs", "victim")),
        made("link: increment to a victim", "3 3 3 3 | 0 0 | 3 3 | 0 3", to_victim(2, "deltafs", "victim")),
        made("link: index to a victim", "3 3 3 3 | 3 3 | 3 3 | 3 3", to_victim(0, "dat", "victim")),
        made("link: OID index to a victim", "0 0 0 3 | 0 3 | 3 3 | 0 3", to_victim(2, "index", "victim")),
        made("link: index to nowhere", "3 3 3 3 | 3 3 | 3 3 | 3 3", to_victim(0, "dat", "nowhere")),
        made("link: increment to a folder", "3 3 3 3 | 0 0 | 3 3 | 0 3", to_victim(2, "deltafs", ".")),
        made("link: increment to itself", "3 3 3 3 | 0 0 | 3 3 | 0 3", |stage: &mut Stage| {
            stage.instead(&stage.file(2, "deltafs"), |path| link(path, path));
        }),
        made("link: lock to a victim", "0 0 0 0 | 0 0 | 0 0 | 4 0", |stage: &mut Stage| {
            let lock = stage.fixture.file(".highwater.lock");
            stage.instead(&lock, |path| link(stage.outside("victim"), path));
        }),
        made("link: lock to nowhere", "0 0 0 0 | 0 0 | 0 0 | 4 0", |stage: &mut Stage| {
            let lock = stage.fixture.file(".highwater.lock");
            stage.instead(&lock, |path| link(stage.outside("nowhere"), path));
        }),
        made(
            "planted: work files to a victim",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            planted(
                &[
                    "2026-03-01-00-04-00.deltafs.highwater-tmp",
                    "2026-03-01-00-04-00.index.highwater-tmp",
                    "2026-03-01-00-01-00.dat.highwater-tmp",
                ],
                "victim",
            ),
        ),
        made(
            "planted: work files to nowhere",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            planted(
                &[
                    "2026-03-01-00-04-00.deltafs.highwater-tmp",
                    "2026-03-01-00-04-00.index.highwater-tmp",
                    "2026-03-01-00-01-00.dat.highwater-tmp",
                ],
                "nowhere",
            ),
        ),
        made(
            "planted: next increment to a victim",
            "3 3 3 3 | 3 3 | 3 3 | 0 0",
            planted(&["2026-03-01-00-04-00.deltafs"], "victim"),
        ),
        made(
            "planted: next increment to nowhere",
            "3 3 3 3 | 3 3 | 3 3 | 0 0",
            planted(&["2026-03-01-00-04-00.deltafs"], "nowhere"),
        ),
        made(
            "planted: next OID index to a victim",
            "0 0 0 0 | 0 0 | 0 0 | 0 0",
            planted(&["2026-03-01-00-04-00.index"], "victim"),
        ),
        made(
            "planted: an orphan to a victim",
            "3 3 3 3 | 3 3 | 3 3 | 0 0",
            planted(&["2026-03-01-00-03-30.deltafs"], "victim"),
        ),
        made("planted: files of a full backup", "0 0 0 0 | 0 0 | 0 0 | 0 0", |stage: &mut Stage| {
            // The source was packed and grew, so that the next backup is a full one.
            stage.fixture.data = Data::new(9);
            stage.fixture.grow(30);
            for suffix in ["dat.highwater-tmp", "index", "fs.highwater-tmp"] {
                link(stage.outside("victim"), stage.fixture.file(&format!("{NOW}.{suffix}")));
            }
        }),
        made("hard links: a snapshot by cp -al", "0 0 0 0 | 0 0 | 0 0 | 0 0", |stage: &mut Stage| {
            let snapshot = stage.outside("snapshot");
            fs::create_dir(&snapshot).expect("a folder");
            for entry in fs::read_dir(&stage.fixture.repo).expect("a folder") {
                let entry = entry.expect("an entry");
                fs::hard_link(entry.path(), snapshot.join(entry.file_name())).expect("a hard link");
            }
        }),
        made("hard links: lock and work file", "0 0 0 0 | 0 0 | 0 0 | 0 0", |stage: &mut Stage| {
            let planted = ["lock", "deltafs.highwater-tmp"].map(|suffix| match suffix {
                "lock" => ".highwater.lock".to_owned(),
                suffix => format!("{NOW}.{suffix}"),
            });
            for name in planted {
                let _ = fs::remove_file(stage.fixture.file(&name));
                fs::hard_link(stage.outside("victim"), stage.fixture.file(&name)).expect("a hard link");
            }
        }),
        made("hard links: two points, one file", "0 1 1 1 | 0 0 | 1 1 | 0 1", |stage: &mut Stage| {
            let to = stage.file(1, "deltafs");
            stage.instead(&stage.file(2, "deltafs"), |path| fs::hard_link(to, path).expect("a hard link"));
        }),
    ]
}

/// What is no file in the place of each kind of file; in some places, a folder is a stray.
fn kinds() -> Vec<Case> {
    let mut cases = Vec::new();
    for what in ["FIFO", "socket", "null", "zero", "folder"] {
        let folder = what == "folder";
        let stray = |codes| if folder { "0 0 0 0 | 0 0 | 0 0 | 0 0" } else { codes };
        for (at, path, codes) in [
            ("full backup", "2026-03-01-00-01-00.fs", "3 3 3 3 | 0 0 | 3 3 | 0 3"),
            ("increment", "2026-03-01-00-02-00.deltafs", "3 3 3 3 | 0 0 | 3 3 | 0 3"),
            ("index", "2026-03-01-00-01-00.dat", "3 3 3 3 | 3 3 | 3 3 | 3 3"),
            ("OID index", "2026-03-01-00-03-00.index", stray("0 0 0 3 | 0 0 | 0 0 | 0 3")),
            ("lock", ".highwater.lock", "0 0 0 0 | 0 0 | 0 0 | 4 0"),
            ("work file", "2026-03-01-00-04-00.deltafs.highwater-tmp", "0 0 0 0 | 0 0 | 0 0 | 0 0"),
            ("orphan", "2026-03-01-00-03-30.deltafs", stray("3 3 3 3 | 3 3 | 3 3 | 0 0")),
        ] {
            cases.push(made_if(format!("{what}: {at}"), codes, move |stage: &mut Stage| {
                let path: PathBuf = stage.fixture.file(path);
                let _ = fs::remove_file(&path);
                if folder { fs::create_dir(path).is_ok() } else { special(what, &path) }
            }));
        }
    }
    cases
}
