//! Looks at a repozo repository with a few independent lines of code, so that no test trusts the program it tests.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// A line of a `.dat` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatLine {
    /// The base name of the data file.
    pub name: String,
    /// Where its bytes begin in the database.
    pub start: u64,
    /// Where they end.
    pub end: u64,
    /// The MD5 on record.
    pub sum: String,
}

/// Is this the name of a data file: a stamp and `.fs`, `.fsz`, `.deltafs` or `.deltafsz`?
pub fn is_data_file(name: &str) -> bool {
    let Some((stamp, suffix)) = name.split_once('.') else { return false };
    let parts: Vec<&str> = stamp.split('-').collect();
    let numbers = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    numbers && widths == [4, 2, 2, 2, 2, 2] && matches!(suffix, "fs" | "fsz" | "deltafs" | "deltafsz")
}

/// All names in a folder, sorted.
#[track_caller]
pub fn names(folder: &Path) -> Vec<String> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    let mut names: Vec<String> =
        listed.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The data files of a repository, sorted, oldest first.
#[track_caller]
pub fn data_files(repository: &Path) -> Vec<String> {
    names(repository).into_iter().filter(|name| is_data_file(name)).collect()
}

/// The decoded content of a data file.
#[track_caller]
pub fn decoded(path: &Path) -> Vec<u8> {
    let stored = fs::read(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    if !path.extension().is_some_and(|suffix| suffix == "fsz" || suffix == "deltafsz") {
        return stored;
    }
    let mut bytes = Vec::new();
    MultiGzDecoder::new(&stored[..])
        .read_to_end(&mut bytes)
        .unwrap_or_else(|error| panic!("{} is no whole gzip: {error}", path.display()));
    bytes
}

/// The lines of a `.dat` file, split from the right as a path may hold spaces.
#[track_caller]
pub fn dat_lines(path: &Path) -> Vec<DatLine> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    text.lines()
        .map(|line| {
            let mut fields = line.rsplitn(4, ' ');
            let sum = fields.next().expect("a sum").to_owned();
            let end = fields.next().expect("an end").parse().expect("a number");
            let start = fields.next().expect("a start").parse().expect("a number");
            let named = fields.next().expect("a path");
            DatLine { name: named.rsplit('/').next().expect("a name").to_owned(), start, end, sum }
        })
        .collect()
}

/// Everything a repository holds, data files decoded, for comparing two of them; files of other programs left out.
#[track_caller]
pub fn contents(repository: &Path) -> BTreeMap<String, Vec<u8>> {
    names(repository)
        .into_iter()
        .filter(|name| is_data_file(name) || name.ends_with(".dat") || name.ends_with(".index"))
        .map(|name| {
            let bytes = decoded(&repository.join(&name));
            (name, bytes)
        })
        .collect()
}

/// Copy a flat folder to a new place.
#[track_caller]
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap_or_else(|error| panic!("cannot make {}: {error}", to.display()));
    for name in names(from) {
        let source = from.join(&name);
        if source.is_file() {
            fs::copy(&source, to.join(&name)).unwrap_or_else(|error| panic!("cannot copy {name}: {error}"));
        }
    }
}

/// Fail unless two byte strings are equal; say where they part, not what they hold.
#[track_caller]
pub fn expect_same_bytes(found: &[u8], wanted: &[u8], what: &str) {
    if found != wanted {
        let at = found.iter().zip(wanted).position(|(one, other)| one != other);
        let at = at.unwrap_or_else(|| found.len().min(wanted.len()));
        panic!("{what}: {} bytes, wanted {}, first difference at {at}", found.len(), wanted.len());
    }
}
