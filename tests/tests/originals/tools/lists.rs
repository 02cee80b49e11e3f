//! Lists that `mtree` and `bsdtar` wrote say of every entry what lstat says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_core::digest::Digest;
use highwater_core::mtree::{Line, Lines};
use highwater_core::node::NodeKind;
use highwater_tests::run::{Run, ours};

use super::tree::{Seen, TIMES, make, seen};

const NOW: &str = "2026-11-27-00-00-00";

/// Keywords that say everything.
const ALL: &str = "type,size,link,mode,uid,gid,time,nlink,sha256";

/// How a list is made, as a command line of the shell: `$0` is the folder.
fn makers() -> Vec<(&'static str, String)> {
    let bsdtar = |what: &str| format!("bsdtar -cf - --format={what} -C \"$0\" .");
    vec![
        ("mtree, nested", format!("mtree -c -k {ALL} -p \"$0\"")),
        ("mtree, full paths", format!("mtree -c -k {ALL} -p \"$0\" | mtree -C -k {ALL}")),
        ("mtree, paths last", format!("mtree -c -k {ALL} -p \"$0\" | mtree -D -k {ALL}")),
        ("bsdtar", bsdtar("mtree --options=mtree:sha256")),
        ("bsdtar with all keywords", bsdtar("mtree --options=mtree:all")),
        ("bsdtar, defaults and long lines", bsdtar("mtree --options=mtree:use-set,mtree:indent,mtree:sha256")),
        ("bsdtar, nested", bsdtar("mtree-classic --options=mtree:sha256")),
    ]
}

fn list(line: &str, folder: &Path) -> Vec<u8> {
    let run = Run::of(Command::new("sh").arg("-c").arg(line).arg(folder));
    run.expect(0);
    run.stdout
}

/// What a list says, in pieces of some length, as [`seen`] tells it.
fn told(list: &[u8], step: usize) -> BTreeMap<Vec<u8>, Seen> {
    let (mut lines, mut found) = (Lines::foreign(), BTreeMap::new());
    let mut each = |line| match line {
        Line::Comment(_) => {}
        Line::Special { path, .. } => {
            found.insert(path.expect("below the top").as_bytes().to_vec(), None);
        }
        Line::Entry(entry) => {
            let (kind, file, link) = match entry.node.kind {
                NodeKind::Folder => ("folder", None, None),
                NodeKind::File(length) => ("file", entry.digest.map(|digest| (length, digest)), None),
                NodeKind::Link(text) => ("link", None, Some(text)),
                NodeKind::Hard(_) | NodeKind::Part(_) | NodeKind::LeftOut(_) => panic!("a list has no such line"),
            };
            let meta = entry.node.meta;
            let seen = Seen {
                kind,
                mode: meta.mode.expect("a mode"),
                owner: (meta.uid.expect("a user"), meta.gid.expect("a group")),
                modified: meta.modified.expect("a time"),
                file,
                link,
            };
            let path = entry.node.path.map(|path| path.as_bytes().to_vec()).unwrap_or_default();
            assert!(found.insert(path, Some(seen)).is_none(), "it is listed twice");
        }
    };
    list.chunks(step).for_each(|piece| lines.push(piece, &mut each));
    assert_eq!(lines.end(), Ok(()), "{}", String::from_utf8_lossy(list));
    let special = || Seen { kind: "special", mode: 0, owner: (0, 0), modified: (0, 0), file: None, link: None };
    found.into_iter().map(|(path, seen)| (path, seen.unwrap_or_else(special))).collect()
}

#[test]
fn lists_of_other_programs_say_what_lstat_says() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let folder = scratch.path().join("folder");
    make(&folder, true, &TIMES);
    let mut wanted = seen(&folder);
    for (path, seen) in &mut wanted {
        if seen.kind == "special" {
            *seen = Seen { mode: 0, owner: (0, 0), modified: (0, 0), ..seen.clone() };
        }
        assert!(seen.kind != "special" || path.starts_with(b"a/"));
    }
    assert!(wanted.len() > 90, "{}", wanted.len());
    for (maker, line) in makers() {
        let list = list(&line, &folder);
        for step in [1, 4096] {
            let found = told(&list, step);
            let paths = |of: &BTreeMap<Vec<u8>, Seen>| -> Vec<String> {
                of.keys().map(|path| path.escape_ascii().to_string()).collect()
            };
            assert_eq!(paths(&found), paths(&wanted), "{maker}");
            for (path, seen) in &found {
                assert_eq!(seen, &wanted[path], "{maker}: {}", path.escape_ascii());
            }
        }
        // Nothing that was cut is taken for more than it is: a line is read whole or the list is refused.
        let at = list.len() * 2 / 3;
        let mut lines = Lines::foreign();
        lines.push(&list[..at], &mut |_| {});
        assert_eq!(lines.end().is_ok(), list[..at].ends_with(b"\n") && !list[..at].ends_with(b"\\\n"), "{maker}");
    }
}

#[test]
fn a_folder_is_verified_by_the_list_of_another_program() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let folder = scratch.path().join("folder");
    make(&folder, true, &TIMES);
    let beside = scratch.path().join("folder.mtree");
    let files = seen(&folder).values().filter(|seen| seen.kind == "file").count();
    for (maker, line) in makers() {
        fs::write(&beside, list(&line, &folder)).expect("a list");
        let verify = || ours(NOW, &["verify".as_ref(), "--json".as_ref(), folder.as_os_str()]);
        let sound = verify();
        let report: serde_json::Value = serde_json::from_slice(&sound.expect(0).stdout).expect("JSON");
        assert_eq!(report["coverage"]["checked"], files, "{maker}: {report}");
        let victim = folder.join("folders/eq=ual/eq=ual");
        fs::write(&victim, b"eq=uaL").expect("other bytes");
        verify().expect(1).prints("HW103").prints("eq=ual");
        fs::remove_file(&victim).expect("it was there");
        verify().expect(1).prints("HW101");
        fs::write(&victim, b"eq=ual").expect("as it was");
        verify().expect(0);
    }
    // Without digests nothing is called sound.
    fs::write(&beside, list("mtree -c -p \"$0\"", &folder)).expect("a list");
    let verify = |depth| ours(NOW, &["verify".as_ref(), "--depth".as_ref(), depth, folder.as_os_str()]);
    verify("digest".as_ref()).expect(3).prints("HW204").prints("-K sha256");
    verify("size".as_ref()).expect(0);
}

#[test]
fn a_digest_of_another_kind_is_looked_at_too() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let folder = scratch.path().join("folder");
    make(&folder, false, &TIMES);
    for sum in ["md5", "sha1"] {
        let list = list(&format!("mtree -c -K {sum} -p \"$0\""), &folder);
        let (mut lines, mut digests) = (Lines::foreign(), 0);
        lines.push(&list, &mut |line| {
            if let Line::Entry(entry) = line {
                digests += usize::from(matches!(entry.digest, Some(Digest::Md5(_) | Digest::Sha1(_))));
            }
        });
        assert!(lines.end().is_ok() && digests > 40, "{digests}");
        fs::write(scratch.path().join("folder.mtree"), &list).expect("a list");
        ours(NOW, &["verify".as_ref(), folder.as_os_str()]).expect(0);
        fs::write(folder.join("a b"), b"other bytes ..").expect("a file");
        ours(NOW, &["verify".as_ref(), folder.as_os_str()]).expect(1).prints("HW103");
        fs::write(folder.join("a b"), b"\0what it holds").expect("as it was");
    }
}
