//! Archived trees that are restored to folders: what another reader finds in an archive is what is there then.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::digest::sha256_of;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::Sample;
use highwater_tests::dice::Dice;
use highwater_tests::python;
use highwater_tests::run::Run;
use highwater_tests::score::size;
use highwater_tests::specimens::lay;
use highwater_tests::trees::{Entry, SNAPSHOT, What, archive, random, sample, store};
use serde_json::Value;

fn run(words: &[&str]) -> Run {
    Run::of(Command::new(highwater()).args(words))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// What lies below a folder, by path: kind with what it holds, mode, and which file it is.
fn found(folder: &Path) -> BTreeMap<Vec<u8>, (String, u32, u64)> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![PathBuf::new()];
    while let Some(path) = ahead.pop() {
        let whole = folder.join(&path);
        let meta = fs::symlink_metadata(&whole).expect("it is there");
        let what = if meta.is_dir() {
            let names = fs::read_dir(&whole).expect("a folder").map(|entry| entry.expect("an entry").file_name());
            ahead.extend(names.map(|name| path.join(name)));
            "folder".to_owned()
        } else if meta.is_symlink() {
            format!("link {}", fs::read_link(&whole).expect("a link").as_os_str().as_bytes().escape_ascii())
        } else {
            format!("file {}", sha256_of(&fs::read(&whole).expect("a file")))
        };
        found.insert(path.as_os_str().as_bytes().to_vec(), (what, meta.mode() & 0o7777, meta.ino()));
    }
    found
}

#[test]
fn every_tree_is_restored_as_another_reader_reads_it() {
    let mut restored = 0;
    for sample in Sample::all() {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let at = |name: &str| fixture.path().join(name);
        let key = sample.truth("key.json");
        let names: Vec<String> = sample.sums().into_iter().map(|(name, _)| name).collect();
        for name in names.iter().filter(|name| name.ends_with("pxar.didx") && !name.contains(".ppxar")) {
            let index = format!("{}@{name}", sample.store().display());
            let stream = |of: &str, to: &str| {
                run(&["restore", "--full", "--keyfile", text(&key), of, text(&at(to))]).expect(0);
                at(to)
            };
            let mut command = python::command("pxar.py");
            command.arg("sums").arg(stream(&index, "tree"));
            if name.contains(".mpxar") {
                command.arg(stream(&index.replace(".mpxar", ".ppxar"), "payloads"));
            }
            let sums: Value = serde_json::from_str(&Run::of(&mut command).expect(0).text()).expect("sums");
            let list = Run::of(python::command("pxar.py").arg("list").arg(at("tree"))).expect(0).text();
            let wanted: Vec<Vec<Value>> = serde_json::from_str(&list).expect("a list");

            let (named, target) = (index.strip_suffix(".didx").expect("an index"), at("target"));
            let done = run(&["restore", "--keyfile", text(&key), named, text(&target)]);
            let is_left_out = |entry: &&Vec<Value>| {
                ["block", "character", "pipe", "socket"].contains(&entry[1].as_str().expect("a word"))
            };
            let left_out: Vec<&Vec<Value>> = wanted.iter().filter(is_left_out).collect();
            done.expect(if left_out.is_empty() { 0 } else { 3 });
            left_out
                .iter()
                .for_each(|entry| _ = done.says(&format!("left out: '{}' is a", entry[0].as_str().unwrap())));
            let there = found(&target);
            assert_eq!(there.len() + left_out.len(), wanted.len(), "{name}: {there:?}");
            for entry in wanted.iter().filter(|entry| !is_left_out(entry)) {
                let path = entry[0].as_str().expect("a path");
                let (what, mode, inode) = &there[path.as_bytes()];
                let meta = fs::symlink_metadata(target.join(path)).expect("it is there");
                match entry[1].as_str().expect("a word") {
                    "folder" => assert_eq!(what, "folder"),
                    "file" => assert_eq!(*what, format!("file {}", sums[path].as_str().expect("a sum"))),
                    "link" => assert_eq!(*what, format!("link {}", entry[6].as_str().expect("a target"))),
                    _ => assert_eq!(*inode, there[entry[6].as_str().expect("a file").as_bytes()].2),
                }
                if !entry[5].is_null() {
                    assert_eq!(meta.mtime(), entry[5].as_i64().expect("seconds"), "{path}");
                    assert!(meta.is_symlink() || u64::from(*mode) == entry[2].as_u64().expect("a mode"), "{path}");
                }
            }
            // And once more; then over what was changed.
            let again = || run(&["restore", "--full", "--keyfile", text(&key), named, text(&target)]);
            assert!(again().text().contains(" already"), "{}", again().account());
            let file = wanted.iter().rfind(|entry| entry[1] == "file" && entry[6].as_u64() > Some(0)).expect("a file");
            let file = target.join(file[0].as_str().expect("a path"));
            let mut bytes = fs::read(&file).expect("a file");
            *bytes.last_mut().expect("a byte") ^= 1;
            fs::write(&file, bytes).expect("ours");
            fs::write(target.join("new"), "mine").expect("ours");
            again();
            let plain = |tree: BTreeMap<Vec<u8>, (String, u32, u64)>| -> Vec<(Vec<u8>, String, u32)> {
                tree.into_iter().map(|(path, (what, mode, _))| (path, what, mode)).collect()
            };
            assert_eq!(plain(found(&target)), plain(there), "{name}");
            fs::remove_dir_all(&target).expect("ours");
            restored += 1;
        }
        if names.iter().any(|name| name.starts_with("ns/team/ns/a/ct")) {
            let named = format!("{}@ns/team/ns/a/ct/201/latest/root.pxar", sample.store().display());
            run(&["restore", &named, text(&at("sealed"))]).expect(3).says("it is encrypted");
            assert!(!at("sealed").exists());
        }
    }
    assert!(restored >= 6, "{restored} trees");
}

/// Gives files bytes of their own, of lengths around those of chunks.
fn fill(entries: &mut [Entry], dice: &mut Dice) {
    for entry in entries {
        match &mut entry.what {
            What::Folder(entries) => fill(entries, dice),
            What::File(bytes) => {
                let length =
                    usize::try_from([dice.below(4), dice.below(300), dice.below(3000)][dice.below(3) as usize]);
                *bytes = dice.bytes(length.expect("a length"));
                if dice.below(6) == 0 {
                    bytes.fill(0);
                }
            }
            _ => {}
        }
    }
}

/// What is to be there, by path, as [`found`] has it; and how many entries are not.
fn wanted(entries: &[Entry], path: &[u8], all: &mut BTreeMap<Vec<u8>, String>) -> usize {
    let mut left_out = 0;
    for entry in entries {
        let below = if path.is_empty() { entry.name.clone() } else { [path, b"/", &entry.name].concat() };
        let what = match &entry.what {
            What::Folder(entries) => {
                left_out += wanted(entries, &below, all);
                "folder".to_owned()
            }
            What::File(bytes) => format!("file {}", sha256_of(bytes)),
            What::Link(text) => format!("link {}", text.escape_ascii()),
            What::Hard(of) => all[of].clone(),
            _ => {
                left_out += 1;
                continue;
            }
        };
        all.insert(below, what);
    }
    left_out
}

#[test]
fn trees_of_every_shape_come_back_whole_or_split_in_chunks_of_any_length() {
    let trees = size(25, 400);
    for seed in 0..trees {
        let mut dice = Dice::new(seed);
        let mut root = random(&mut dice);
        fill(&mut root, &mut dice);
        let (split, old, chunk) =
            (dice.below(2) == 0, dice.below(3) == 0, [40, 100, 1000, 9000][dice.below(4) as usize]);
        let made = archive(&root, split, old);
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let (at, target) = (fixture.path().join("store"), fixture.path().join("target"));
        match &made.payloads {
            Some(payloads) => {
                lay(&store(&[("root.mpxar.didx", &made.tree), ("root.ppxar.didx", payloads)], chunk), &at)
            }
            None => lay(&store(&[("root.pxar.didx", &made.tree)], chunk), &at),
        }
        let mut all = BTreeMap::from([(Vec::new(), "folder".to_owned())]);
        let code = if wanted(&root, &[], &mut all) > 0 { 3 } else { 0 };
        // A split one is found by the name of a whole one, too.
        let named =
            format!("{}@{SNAPSHOT}/root.{}", at.display(), if split && seed % 3 == 0 { "mpxar" } else { "pxar" });
        run(&["restore", &named, text(&target)]).expect(code);
        let there: BTreeMap<Vec<u8>, String> =
            found(&target).into_iter().map(|(path, (what, ..))| (path, what)).collect();
        assert_eq!(there, all, "seed {seed}");
        assert!(run(&["restore", &named, text(&target)]).expect(code).text().contains(" already"), "seed {seed}");
    }
}

/// A store of one archive with one of everything, and its name in it.
fn everything() -> (tempfile::TempDir, String) {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let at = fixture.path().join("store");
    lay(&store(&[("root.pxar.didx", &archive(&sample(), false, false).tree)], 100), &at);
    let named = format!("{}@{SNAPSHOT}/root.pxar", at.display());
    (fixture, named)
}

#[test]
fn a_part_of_a_tree_is_what_lies_at_its_path() {
    let (fixture, named) = everything();
    let target = fixture.path().join("target");
    let at = |path: &str| format!("{named}/{path}");
    run(&["restore", &at("folder"), text(&target)]).expect(0).prints("root.pxar/folder: ");
    let paths = |target: &Path| -> Vec<String> {
        found(target).into_keys().map(|path| String::from_utf8(path).expect("text")).collect()
    };
    assert_eq!(paths(&target), ["", "deep", "empty", "one"]);
    // Another name of a file that lies elsewhere is that file.
    run(&["restore", "--full", &at("hard"), text(&target)]).expect(0);
    assert_eq!(paths(&target), ["", "hard"]);
    assert_eq!(fs::read(target.join("hard")).expect("a file"), b"one");
    run(&["restore", "--full", &at("folder/one/"), text(&target)]).expect(0);
    assert_eq!(paths(&target), ["", "one"]);
    for (path, code, says) in [
        ("nothing", 4, "there is no 'nothing' in"),
        ("folder/one/more", 4, "there is no"),
        ("../folder", 2, "'..'"),
        ("folder//one", 2, ""),
    ] {
        run(&["restore", "--full", &at(path), text(&target)]).expect(code).says(says);
    }
    // To standard output goes one file, or the archive as the stream that it is.
    run(&["restore", &at("folder"), "-"]).expect(2).says("is a folder");
    run(&["restore", &at("link"), "-"]).expect(2).says("is a link");
    for file in ["folder/one", "hard"] {
        assert_eq!(run(&["restore", &at(file), "-"]).expect(0).stdout, b"one");
    }
    run(&["show", "--chunks", &at("folder")]).expect(2).says("one stream of bytes");
    let shown = run(&["show", &at("folder/")]).expect(0).text();
    let shown: Vec<&str> = shown.lines().skip(1).filter_map(|line| line.split("Z  ").nth(1)).collect();
    assert_eq!(shown, ["folder", "folder/one", "folder/empty", "folder/deep"]);
    run(&["show", &at("fold")]).expect(4).says("there is no 'fold' in");
    let stream = run(&["restore", &named, "-"]).expect(0).stdout.clone();
    assert_eq!(stream, archive(&sample(), false, false).tree);
}

#[test]
fn a_dry_run_says_each_thing_that_a_run_does_and_does_none() {
    let (fixture, named) = everything();
    let target = fixture.path().join("target");
    let first = run(&["restore", "-n", &named, text(&target)]);
    first.expect(3).prints("would write folder/one\n").prints("would make folder\n").prints("would make hard\n");
    first.says("left out: 'socket' is a socket").says("not restored: extended attributes");
    assert!(!target.exists());
    run(&["restore", &named, text(&target)]).expect(3);
    let before = found(&target);
    fs::write(target.join("folder/one"), "two").expect("ours");
    fs::remove_file(target.join("last")).expect("ours");
    fs::create_dir(target.join("new")).expect("ours");
    fs::set_permissions(target.join("all"), fs::Permissions::from_mode(0o600)).expect("ours");
    fs::remove_file(target.join("link")).expect("ours");
    symlink("elsewhere", target.join("link")).expect("ours");
    let changed = found(&target);
    let dry = run(&["restore", "-n", "--full", &named, text(&target)]).expect(3).text();
    let lines: Vec<&str> = dry.lines().filter(|line| line.starts_with("would ")).collect();
    let wanted = [
        "would set all",
        "would set folder",
        "would write folder/one",
        "would write last",
        "would make link",
        "would remove new",
    ];
    // The time of a folder in which something was written may be the old one.
    assert_eq!(lines.iter().filter(|line| **line != "would set folder").count(), wanted.len() - 1, "{lines:?}");
    assert!(lines.iter().all(|line| wanted.contains(line)), "{lines:?}");
    assert_eq!(found(&target), changed);
    run(&["restore", "--full", &named, text(&target)]).expect(3);
    let what = |tree: BTreeMap<Vec<u8>, (String, u32, u64)>| -> Vec<(Vec<u8>, String, u32)> {
        tree.into_iter().map(|(path, (what, mode, _))| (path, what, mode)).collect()
    };
    assert_eq!(what(found(&target)), what(before));
}

#[test]
fn nothing_is_made_of_a_tree_that_contradicts_itself_or_of_a_damaged_chunk() {
    for (split, harm) in [(false, 0), (false, 1), (true, 2), (true, 3), (false, 4)] {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let (at, target) = (fixture.path().join("store"), fixture.path().join("target"));
        let mut made = archive(&sample(), split, false);
        match harm {
            // The head of a payload: of the last file.
            0 => {
                let (free, _) = made.free.last().expect("the last file").clone();
                made.tree[free.start - 16] ^= 1;
            }
            // The end.
            1 => made.tree.truncate(made.tree.len() - 24),
            // A payload is not where the tree says.
            2 => {
                let free = made.free_apart[1].clone();
                made.payloads.as_mut().expect("payloads")[free.start - 8] ^= 1;
            }
            _ => {}
        }
        let mut image = match &made.payloads {
            Some(payloads) => store(&[("root.mpxar.didx", &made.tree), ("root.ppxar.didx", payloads)], 100),
            None => store(&[("root.pxar.didx", &made.tree)], 100),
        };
        if harm > 2 {
            let chunk = image.keys().filter(|name| name.starts_with(".chunks/")).nth(5).expect("a chunk").clone();
            image.get_mut(&chunk).expect("it is there")[14] ^= 1;
        }
        lay(&image, &at);
        let named = format!("{}@{SNAPSHOT}/root.pxar", at.display());
        run(&["restore", &named, text(&target)]).expect(1);
        assert!(!target.exists(), "{harm}");
        let left: Vec<_> = fs::read_dir(fixture.path()).expect("a folder").collect();
        assert_eq!(left.len(), 1, "{harm}: {left:?}");
    }
}

#[test]
fn no_name_in_an_archive_leads_out_of_the_folder() {
    let file = |name: &[u8]| Entry::new(name, What::File(b"in".to_vec()));
    let folder = |name: &[u8], entries| Entry::new(name, What::Folder(entries));
    let link = |name: &[u8]| Entry::new(name, What::Link(b"../outside".to_vec()));
    let cases = [
        vec![file(b"..")],
        vec![file(b"../outside/new")],
        vec![file(b"/etc/new")],
        vec![file(b".")],
        vec![file(b"")],
        vec![folder(b"..", vec![file(b"new")])],
        vec![link(b"x"), folder(b"x", vec![file(b"new")])],
        vec![folder(b"x", vec![file(b"new")]), link(b"x")],
        vec![file(b"x"), file(b"x")],
        vec![link(b"x"), file(b"x/new")],
        vec![folder(b"x", vec![folder(b"..", vec![folder(b"outside", vec![file(b"new")])])])],
    ];
    for (number, root) in cases.iter().enumerate() {
        for split in [false, true] {
            let fixture = tempfile::tempdir().expect("a scratch folder");
            let at = |name: &str| fixture.path().join(name);
            fs::create_dir(at("outside")).expect("a folder");
            let made = archive(root, split, false);
            match &made.payloads {
                Some(payloads) => {
                    lay(&store(&[("a.mpxar.didx", &made.tree), ("a.ppxar.didx", payloads)], 50), &at("store"))
                }
                None => lay(&store(&[("a.pxar.didx", &made.tree)], 50), &at("store")),
            }
            run(&["restore", &format!("{}@{SNAPSHOT}/a.pxar", at("store").display()), text(&at("target"))]).expect(1);
            assert!(
                !at("target").exists() && fs::read_dir(at("outside")).expect("a folder").next().is_none(),
                "{number}"
            );
        }
    }
    // What lies in the target is no way out either.
    let (fixture, named) = everything();
    let at = |name: &str| fixture.path().join(name);
    fs::create_dir(at("outside")).expect("a folder");
    fs::create_dir(at("target")).expect("a folder");
    symlink("../outside", at("target").join("folder")).expect("a link");
    run(&["restore", &named, text(&at("target"))]).expect(4).says("'folder', it is something else");
    run(&["restore", "--full", &named, text(&at("target"))]).expect(3);
    assert!(fs::read_dir(at("outside")).expect("a folder").next().is_none());
    assert!(fs::symlink_metadata(at("target").join("folder")).expect("it is there").is_dir());
}
