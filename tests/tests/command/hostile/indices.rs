//! Indices, gzip files and OID indices that were written to lead a restore astray or to exhaust a machine.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use highwater_core::digest::md5_of;
use highwater_core::render::json;
use highwater_core::report::{Depth, Soundness};
use highwater_tests::memory::{Host, Steps};
use highwater_tests::repo::{Fixture, Image, Sample, sample, store};
use highwater_tests::specimens::repozo::hostile::bomb;
use serde_json::Value;

const FULL: &str = "2026-03-01-00-01-00";

/// A repository of one chain whose `.dat` is `lines`, beside a full backup of the four bytes `FS30`.
fn with_lines(lines: &[String]) -> Image {
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    text.insert_str(0, &format!("{}\n", line(&format!("/repo/{FULL}.fs"), 0, 4, b"FS30")));
    Image::from([(format!("{FULL}.fs"), b"FS30".to_vec()), (format!("{FULL}.dat"), text.into_bytes())])
}

/// A line that is right about `bytes`.
fn line(path: &str, start: u64, end: u64, bytes: &[u8]) -> String {
    format!("{path} {start} {end} {}", md5_of(bytes))
}

#[test]
fn no_line_leads_out_of_its_chain() {
    let outside = b"root:x:0:0:";
    let next = "2026-03-01-00-02-00";
    for (case, path) in [
        ("a relative way out", "../../etc/passwd"),
        ("an absolute path", "/etc/passwd"),
        ("a way out in a data file's name", &format!("/repo/{next}.deltafs/../../../etc/passwd")),
        ("a name with a way out at its end", &format!("{next}.deltafs/..")),
        ("no name", "/repo/"),
        ("a name with NUL", &format!("/repo/{next}.deltafs\0")),
        ("an index", &format!("/repo/{FULL}.dat")),
        ("the full backup again", &format!("/repo/{FULL}.fs")),
        ("a full backup of another chain", "/repo/2027-01-01-00-00-00.fs"),
        ("an increment of another chain", "/repo/2027-01-01-00-00-01.deltafs"),
        ("an increment from before", "/repo/2001-01-01-00-00-00.deltafs"),
    ] {
        let mut files = with_lines(&[line(path, 4, 4 + outside.len() as u64, outside)]);
        files.insert("2027-01-01-00-00-00.fs".to_owned(), outside.to_vec());
        files.insert("2027-01-01-00-00-01.deltafs".to_owned(), outside.to_vec());
        for depth in [Depth::List, Depth::Deep] {
            let report = Host::at(depth).report(&files, "r");
            assert_eq!(report.verdict, Soundness::Damaged, "{case}");
            assert_eq!(report.tallies.get("malformed-index"), Some(&1), "{case}: {:?}", report.tallies);
            assert!(report.sets.iter().all(|set| set.bytes <= 4 || set.root != "r"), "{case}: {:?}", report.sets);
        }
        let fixture = Fixture::new();
        store(&files, &fixture.repo);
        let out = fixture.path("out.fs");
        let run = fixture.restore("@2026", &out, &[]);
        let got = fs::read(&out).unwrap_or_default();
        assert!(!got.ends_with(outside), "{case}: {}", run.account());
    }
}

#[test]
fn huge_numbers_and_crossed_ranges_are_damage_and_no_trouble() {
    let next = "/repo/2026-03-01-00-02-00.deltafs";
    let max = u64::MAX;
    for (case, text, code) in [
        ("the highest end", format!("{next} 4 {max} {}", md5_of(b"")), "missing"),
        ("from the highest to the highest", format!("{next} {max} {max} {}", md5_of(b"")), "gap"),
        ("beyond 64 bits", format!("{next} 4 18446744073709551616 {}", md5_of(b"")), "malformed-index"),
        ("a hundred digits", format!("{next} 4 {} {}", "9".repeat(100), md5_of(b"")), "malformed-index"),
        ("backward", format!("{next} 4 3 {}", md5_of(b"")), "malformed-index"),
        ("negative", format!("{next} 4 -1 {}", md5_of(b"")), "malformed-index"),
        ("an overlap", format!("{next} 3 9 {}", md5_of(b"")), "overlap"),
        ("the full range twice", format!("{next} 0 {max} {}", md5_of(b"")), "overlap"),
    ] {
        for there in [false, true] {
            let mut files = with_lines(std::slice::from_ref(&text));
            if there {
                files.insert(next.trim_start_matches("/repo/").to_owned(), b"x".to_vec());
            }
            let mut fixture = Fixture::new();
            fixture.clock.tick(3600);
            store(&files, &fixture.repo);
            for depth in ["list", "size", "digest", "deep"] {
                let path = fixture.repo.to_string_lossy();
                let run = fixture.run(&["verify", "--depth", depth, "--json", "--", &path]);
                let wanted = if there && code == "missing" && depth == "list" { 0 } else { 1 };
                let report: Value = serde_json::from_slice(&run.expect(wanted).stdout).expect("JSON");
                let code = if there && code == "missing" { "length" } else { code };
                assert!(wanted == 0 || report["tallies"][code] == 1, "{case} {depth}: {report}");
            }
            fixture.run(&["list", &fixture.repo.to_string_lossy()]);
            fixture.run(&["show", &fixture.repo.to_string_lossy()]);
            let out = fixture.path("out.fs");
            // What a restore of the newest point makes of a last line that says nothing is for another test to judge.
            let run = fixture.restore("", &out, &[]);
            let says_nothing = code == "malformed-index";
            assert!(says_nothing || (run.code != 0 && !out.exists()), "{case}: {}", run.account());
            let run = fixture.run(&["backup", &fixture.source.to_string_lossy(), &fixture.repo.to_string_lossy()]);
            run.expect(0).never_says("panic");
        }
    }
}

#[test]
fn a_gzip_bomb_costs_one_buffer() {
    let bomb = bomb(1 << 30);
    assert!(bomb.len() < 2 << 20, "1:1000, {} bytes", bomb.len());
    let next = "2026-03-01-00-02-00.deltafsz";
    let mut files = with_lines(&[line(next, 4, 104, &[0; 100])]);
    files.insert(next.to_owned(), bomb);
    let fixture = Fixture::new();
    store(&files, &fixture.repo);
    let stored: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    for depth in ["size", "digest", "deep"] {
        let run = fixture.run(&["verify", "--depth", depth, "--json", "--", &fixture.repo.to_string_lossy()]);
        let report: Value = serde_json::from_slice(&run.expect(1).stdout).expect("JSON");
        assert_eq!(report["tallies"]["length"], 1, "{report}");
        // Not a clock but the report tells that it stopped: of the bomb, no more than a piece is read.
        let read = report["coverage"]["bytes"].as_u64().expect("a number");
        assert!(read < stored, "{depth}: {read} of {stored} stored bytes were inflated for a claim of 100 bytes");
    }
    let out = fixture.path("out.fs");
    fixture.restore("", &out, &[]).expect(1).says("more than");
    assert!(!out.exists());
}

#[test]
fn a_bomb_in_the_place_of_any_file_is_no_trouble() {
    let Sample { files, .. } = sample();
    let bomb = bomb(64 << 20);
    for name in files.keys() {
        let mut image = files.clone();
        image.insert(name.clone(), bomb.clone());
        let report = Host::at(Depth::Deep).report(&image, "r");
        assert_eq!(report.verdict, Soundness::Damaged, "{name}");
    }
}

#[test]
fn an_oid_index_with_hostile_counts_is_refused() {
    let Sample { files, .. } = sample();
    let name = files.keys().find(|name| name.ends_with(".index")).expect("an index").clone();
    let pos = &files[&name][..files[&name].iter().position(|byte| *byte == b'.').expect("a stop") + 1];
    let pair = |prefix: &[u8], bucket: &[u8]| [pos, b"\x80\x03", prefix, bucket, b"\x86.\x80\x03N."].concat();
    let prefix = b"C\x06\0\0\0\0\0\0";
    let nested = [b"\x80\x03".as_slice(), &[b'('; 100_000]].concat();
    for (case, bytes) in [
        ("a bucket of 4 GiB", pair(prefix, b"B\xff\xff\xff\xff")),
        ("a negative bucket", pair(prefix, b"T\xff\xff\xff\xff")),
        ("a prefix of 4 GiB", pair(b"B\xff\xff\xff\xff", b"C\x08\0\0\0\0\0\0\0\0")),
        ("a bucket of nothing", pair(prefix, b"C\0")),
        ("a bucket of seven bytes", pair(prefix, b"C\x07\0\0\0\0\0\0\0")),
        ("a number of 255 bytes", [b"\x80\x03\x8a\xff".as_slice(), &[1; 255], b"."].concat()),
        ("a text number without an end", [b"\x80\x03L".as_slice(), &[b'9'; 100_000]].concat()),
        ("marks without an end", nested),
        ("a call of os.system", b"\x80\x03cos\nsystem\nX\x02\0\0\0id\x85R.".to_vec()),
        ("a dictionary", b"\x80\x03}.".to_vec()),
        ("zeros", vec![0; 100_000]),
    ] {
        let mut image = files.clone();
        image.insert(name.clone(), bytes);
        let whole = Host::at(Depth::Deep).report(&image, "r");
        assert_eq!(whole.tallies, BTreeMap::from([("oid-index".to_owned(), 1)]), "{case}");
        let cut = Host::at(Depth::Deep).cut(Steps::Of(1)).report(&image, "r");
        assert_eq!(json(&cut), json(&whole), "{case}");
        let fixture = Fixture::new();
        store(&image, &fixture.repo);
        let out = fixture.path("out.fs");
        let point = name.trim_end_matches(".index");
        fixture.restore(&format!("@{point}"), &out, &[]).expect(0).says("is not the one that the records give");
        assert_eq!(std::fs::read(fixture.path("out.fs.index")).expect("one that is made"), files[&name], "{case}");
    }
}

#[test]
fn nothing_hangs_on_what_is_no_file() {
    for (case, suffix) in [("a data file", "deltafs"), ("an index", "dat"), ("an OID index", "index")] {
        for to in ["fifo", "/dev/zero", "/dev/tty", "/proc/self/mem", "."] {
            let (mut fixture, stamps) = Fixture::with_chain();
            let stamp = &stamps[usize::from(suffix != "dat")];
            let path = fixture.file(&format!("{stamp}.{suffix}"));
            fs::remove_file(&path).expect("the file goes");
            if to == "fifo" {
                assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
            } else {
                symlink(to, &path).expect("a link");
            }
            let run = fixture.verify("deep");
            // A folder in the place of an OID index is a stray, and the point one without an index.
            let stray = suffix == "index" && to == ".";
            assert!(stray || [1, 3].contains(&run.code), "{case} {to}: {}", run.account());
            let run = fixture.restore("", &fixture.path("out.fs"), &[]);
            assert!(run.code != 0 || suffix == "index", "{case} {to}: {}", run.account());
            // A backup goes on; with an index that cannot be read it must not build upon it.
            fixture.grow(1);
            fixture.try_backup(&["--quick"]);
        }
    }
}

#[test]
fn a_hundred_thousand_stray_files_are_counted_and_a_hundred_named() {
    let (fixture, _) = Fixture::with_chain();
    for number in 0..100_000 {
        fs::write(fixture.file(&format!("stray-{number:06}")), "").expect("a stray file");
    }
    let run = fixture.run(&["verify", "--json", &fixture.repo.to_string_lossy()]);
    let report: Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
    assert_eq!(report["tallies"]["stray"], 100_000);
    let named = report["findings"].as_array().expect("findings");
    assert_eq!((named.len(), &named[99]["object"]), (100, &Value::from("stray-000099")));
    assert!(run.stdout.len() < 200_000, "{} bytes", run.stdout.len());
}
