//! The borders of the house, read off its sources: which rooms may know a format, touch files by themselves, or say
//! what.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the engine and of the native crate that are the same for every kind of backup.
const GENERAL: [&str; 42] = [
    "core/src/check.rs",
    "core/src/claim.rs",
    "core/src/codec",
    "core/src/codec.rs",
    "core/src/digest",
    "core/src/drive",
    "core/src/facts.rs",
    "core/src/fault.rs",
    "core/src/finding",
    "core/src/finding.rs",
    "core/src/fit.rs",
    "core/src/inspect.rs",
    "core/src/keep.rs",
    "core/src/marks.rs",
    "core/src/node.rs",
    "core/src/plan.rs",
    "core/src/point.rs",
    "core/src/removal.rs",
    "core/src/render",
    "core/src/report.rs",
    "core/src/seen.rs",
    "core/src/segments.rs",
    "core/src/shard.rs",
    "core/src/shared.rs",
    "core/src/survey.rs",
    "core/src/tar",
    "core/src/trail.rs",
    "core/src/wire",
    "native/src/store",
    "native/src/disk",
    "native/src/drive",
    "native/src/export",
    "native/src/lock.rs",
    "native/src/mark.rs",
    "native/src/heal.rs",
    "native/src/marking.rs",
    "native/src/prune/needs.rs",
    "native/src/prune/plan.rs",
    "native/src/restore",
    "native/src/s3",
    "native/src/serve",
    "native/src/strays.rs",
];

/// The rooms in those that are of one kind.
const SPECIAL: [&str; 2] = ["native/src/restore/append/", "native/src/restore/image/"];

/// Words that name a format, or a file of one.
const NAMES: [&str; 8] = ["repozo", "datastore", "filestorage", ".fs\"", ".dat", ".bad", ".fidx", "tmp.tmp"];

/// Where files are touched without a store or a disk between.
const FILES: [&str; 5] =
    ["native/src/store/", "native/src/disk/", "native/src/live/", "native/src/cli/", "native/src/s3/files.rs"];

/// How many methods a format may have.
const METHODS: usize = 5;

/// The longest line, as in `.rustfmt.toml`.
const COLUMNS: usize = 120;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sources below a file or folder, with their paths from the root.
fn sources(path: &str) -> Vec<(String, String)> {
    let whole = root().join(path);
    if whole.is_file() {
        return vec![(path.to_owned(), fs::read_to_string(whole).expect("a source"))];
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&whole).unwrap_or_else(|error| panic!("{path}: {error}")) {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        let inner = format!("{path}/{name}");
        if root().join(&inner).is_dir() || name.ends_with(".rs") {
            found.extend(sources(&inner));
        }
    }
    found
}

/// The lines of code, numbered, without comments and without the tests at a file's end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().zip(1..).take_while(|(line, _)| !line.starts_with("#[cfg(test)]"));
    lines.filter(|(line, _)| !line.trim_start().starts_with("//")).map(|(line, number)| (number, line))
}

/// Files that hold nothing but tests.
fn is_test(path: &str) -> bool {
    ["tests.rs", "goldens.rs", "samples.rs"].iter().any(|name| path.ends_with(name))
}

#[test]
fn no_general_room_names_a_format() {
    let mut named = Vec::new();
    let mut looked = 0;
    let is_special = |path: &str| SPECIAL.iter().any(|room| path.starts_with(room));
    let general = GENERAL.iter().flat_map(|path| sources(path));
    for (path, text) in general.filter(|(path, _)| !is_test(path) && !is_special(path)) {
        for (number, line) in code(&text) {
            looked += 1;
            let lower = line.to_lowercase();
            named.extend(NAMES.iter().filter(|name| lower.contains(*name)).map(|_| format!("{path}:{number}: {line}")));
        }
    }
    assert!(looked > 5_000, "{looked} lines");
    assert!(named.is_empty(), "{}", named.join("\n"));
}

#[test]
fn files_are_touched_through_a_store_or_a_disk() {
    let mut touched = Vec::new();
    let is_free = |path: &str| is_test(path) || FILES.iter().any(|room| path.starts_with(room));
    for (path, text) in sources("native/src").into_iter().filter(|(path, _)| !is_free(path)) {
        touched.extend(
            code(&text).filter(|(_, line)| line.contains("std::fs")).map(|(at, line)| format!("{path}:{at}: {line}")),
        );
    }
    for (path, text) in sources("core/src") {
        let mut lines = code(&text).filter(|(_, line)| {
            ["std::fs", "std::io", "std::thread", "std::time"].iter().any(|word| line.contains(word))
        });
        touched.extend(lines.by_ref().map(|(at, line)| format!("{path}:{at}: {line}")));
    }
    assert!(touched.is_empty(), "{}", touched.join("\n"));
}

#[test]
fn a_format_has_few_methods() {
    let text = fs::read_to_string(root().join("core/src/inspect.rs")).expect("the engine's question");
    let (_, body) = text.split_once("pub trait Format").expect("the trait");
    let (body, _) = body.split_once("\n}\n").expect("its end");
    let methods = body.lines().filter(|line| line.starts_with("    fn ")).count();
    assert!((1..=METHODS).contains(&methods), "{methods} methods");
}

#[test]
fn no_source_is_included_by_its_path() {
    let all = ["core/src", "native/src", "wasm/src", "tests/src", "tests/tests", "tests/wasm/src"];
    let by_path: Vec<String> = all
        .iter()
        .flat_map(|path| sources(path))
        .filter(|(_, text)| code(text).any(|(_, line)| line.trim_start().starts_with("#[path")))
        .map(|(path, _)| path)
        .collect();
    assert!(by_path.is_empty(), "{by_path:?}");
}

/// Tables, and what stands in columns or is quoted, may be longer: no line break would help.
fn is_prose(comment: &str) -> bool {
    let text = comment.trim_start_matches(['/', '!']);
    let text = text.strip_prefix(' ').unwrap_or(text);
    !text.starts_with(['|', ' ', '"']) && text.contains(' ')
}

#[test]
fn comments_keep_to_the_width_of_the_code() {
    let all = ["core", "native", "wasm", "web/builder", "tests/src", "tests/tests", "tests/examples", "tests/wasm/src"];
    let (mut looked, mut long) = (0, Vec::new());
    for (path, text) in all.iter().flat_map(|path| sources(path)) {
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| line.trim_start().starts_with("//")) {
            looked += 1;
            if line.chars().count() > COLUMNS && is_prose(line.trim_start()) {
                long.push(format!("{path}:{number}: {line}"));
            }
        }
    }
    assert!(looked > 5_000, "{looked} comments");
    assert!(long.is_empty(), "{}", long.join("\n"));
}
