//! What `strace` logged: each call, the file that it is about, and how a fault is aimed at it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Aim, Fault, LEFT_ALONE, Occurrence};

/// Calls that are given a name, after the folder that it lies in where they end with `at`.
const BY_NAME: [&str; 22] = [
    "openat",
    "openat2",
    "newfstatat",
    "statx",
    "readlinkat",
    "faccessat",
    "faccessat2",
    "unlinkat",
    "renameat",
    "renameat2",
    "mkdirat",
    "linkat",
    "symlinkat",
    "fchmodat",
    "fchownat",
    "utimensat",
    "rename",
    "unlink",
    "mkdir",
    "link",
    "readlink",
    "chmod",
];

/// Hexadecimal digits in the name of a draft.
const DIGITS: usize = 16;

/// One call of a log.
#[derive(Debug)]
struct Logged<'a> {
    thread: &'a str,
    call: &'a str,
    arguments: &'a str,
    /// Its number among all of its kind in the log, of its thread.
    number: u64,
    injected: bool,
}

/// The calls of a log, in the order in which they began.
fn logged(log: &str) -> Vec<Logged<'_>> {
    let mut calls: Vec<Logged<'_>> = Vec::new();
    let mut numbers: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let (rest, injected) = (rest.trim_start(), line.ends_with("(INJECTED)"));
        if rest.starts_with("<... ") {
            // The end of the last call that the thread began.
            if let Some(begun) = calls.iter_mut().rfind(|call| call.thread == thread) {
                begun.injected |= injected;
            }
            continue;
        }
        let Some((call, arguments)) = rest.split_once('(') else { continue };
        if !call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let number = numbers.entry((thread, call)).or_default();
        *number += 1;
        calls.push(Logged { thread, call, arguments, number: *number, injected });
    }
    calls
}

/// The files below `folder` that a fault hit.
pub(super) fn hit(log: &str, fault: &Fault, folder: &Path) -> Vec<PathBuf> {
    let killed = fault.kills() && log.contains("killed by SIGKILL");
    // A kill leaves no mark at its call: it is the one of the right number.
    let is_hit = |call: &Logged<'_>| call.injected || (killed && call.number.to_string() == fault.when);
    let mut files: Vec<PathBuf> =
        logged(log).iter().filter(|call| is_hit(call)).filter_map(|call| below(call, folder)).collect();
    files.dedup();
    files
}

/// What a call is about, below `folder`, with a star for the digits of a draft.
fn below(call: &Logged<'_>, folder: &Path) -> Option<PathBuf> {
    let path = path_named(call)?;
    path.strip_prefix(folder).ok().map(starred).filter(|path| !path.as_os_str().is_empty())
}

/// Sorts the calls of a log by kind and file.
pub(super) fn occurrences(log: &str, folder: &Path) -> Vec<Occurrence> {
    let calls = logged(log);
    let is_folder = |call: &&Logged<'_>| call.arguments.contains("O_DIRECTORY") || call.call == "mkdirat";
    let folders: BTreeSet<PathBuf> = calls.iter().filter(is_folder).filter_map(|call| below(call, folder)).collect();
    let mut found: BTreeMap<(&str, PathBuf, Aim), Occurrence> = BTreeMap::new();
    let mut numbers: BTreeMap<(&str, &str, Aim), u64> = BTreeMap::new();
    let mut taken: BTreeSet<(&str, Aim, u64)> = BTreeSet::new();
    for call in calls.iter().filter(|call| !LEFT_ALONE.contains(&call.call)) {
        let mut number = None;
        let aim = below(call, folder).map(|_| aim(call, folder));
        for counted in counted(call, folder) {
            let count = numbers.entry((call.thread, call.call, counted.clone())).or_default();
            *count += 1;
            // Where another thread makes a call of this number before, that one is hit.
            let is_first = taken.insert((call.call, counted.clone(), *count));
            number = number.or((is_first && aim.as_ref() == Some(&counted)).then_some(*count));
        }
        let (Some(path), Some(aim)) = (below(call, folder), aim) else { continue };
        let occurrence = found.entry((call.call, path.clone(), aim.clone())).or_insert_with(|| Occurrence {
            call: call.call.to_owned(),
            folder: folders.contains(&path),
            path,
            times: 0,
            numbers: BTreeSet::new(),
            aim: aim.clone(),
            creates: false,
        });
        occurrence.times += 1;
        occurrence.creates |= call.arguments.contains("O_CREAT");
        occurrence.numbers.extend(number);
    }
    found.into_values().collect()
}

/// How a call is aimed at.
fn aim(call: &Logged<'_>, folder: &Path) -> Aim {
    let (held, name) = held_and_name(call);
    let below = |path: &Path| path.strip_prefix(folder).ok().filter(|path| starred(path) == *path).map(Path::to_owned);
    let plain = name.filter(|name| !matches!(name.to_str(), Some("" | ".")));
    match plain {
        Some(name) if name.is_absolute() => below(&name).map(Aim::File),
        Some(name) if starred(&name) == name => Some(Aim::Name(name)),
        _ => held.and_then(|held| below(&held)).map(Aim::File),
    }
    .unwrap_or(Aim::Kind)
}

/// All the ways in which a call counts.
fn counted(call: &Logged<'_>, folder: &Path) -> Vec<Aim> {
    let mut found = vec![Aim::Kind];
    let mut rest = call.arguments;
    let by_name = BY_NAME.contains(&call.call);
    while !rest.is_empty() {
        let end = rest.find(", ").unwrap_or(rest.len());
        let one = &rest[..end];
        let held = one.trim_start_matches(|c: char| c.is_ascii_digit());
        let held = held.strip_prefix('<').filter(|_| held.len() < one.len()).and_then(|held| held.split('>').next());
        let name = one.strip_prefix('"').filter(|_| by_name).and_then(|name| name.split('"').next());
        for path in held.into_iter().chain(name).map(Path::new) {
            let below = path.strip_prefix(folder).map(|path| Aim::File(path.to_owned()));
            let aim = below.unwrap_or_else(|_| Aim::Name(path.to_owned()));
            found.extend((!found.contains(&aim)).then_some(aim));
        }
        // What a call gives back is no argument of it; only its first ones are paths.
        if one.contains(" = ") || !by_name {
            break;
        }
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    found
}

/// The path that a call is about: that of the handle in its first argument, joined with the name that follows, or the
/// first one in quotes.
fn path_named(call: &Logged<'_>) -> Option<PathBuf> {
    match held_and_name(call) {
        // Also what is no more than a dot, or nothing.
        (Some(held), Some(name)) => Some(held.join(name).components().collect()),
        (None, Some(name)) => Some(name),
        (Some(_), None) if call.arguments.starts_with("AT_FDCWD") => None,
        (held, None) => held,
    }
}

/// The file or folder of the handle in the first argument of a call, and the name in the one after it, or in the first.
fn held_and_name(call: &Logged<'_>) -> (Option<PathBuf>, Option<PathBuf>) {
    let quoted = |text: &str| Some(PathBuf::from(text.strip_prefix('"')?.split('"').next()?));
    let handle = call.arguments.strip_prefix("AT_FDCWD");
    let handle = handle.unwrap_or_else(|| call.arguments.trim_start_matches(|c: char| c.is_ascii_digit()));
    let Some((held, rest)) = handle.strip_prefix('<').and_then(|handle| handle.split_once('>')) else {
        return (None, quoted(call.arguments));
    };
    let name = rest.split_once(", ").filter(|_| BY_NAME.contains(&call.call)).and_then(|(_, rest)| quoted(rest));
    (Some(held.into()), name)
}

/// A path with a star for the digits of each draft.
fn starred(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    let mut pieces: Vec<String> = Vec::new();
    for part in text.split('/') {
        let pieced: Vec<&str> = part
            .split('.')
            .enumerate()
            .map(|(at, piece)| {
                let is_digits = piece.len() == DIGITS && piece.bytes().all(|byte| byte.is_ascii_hexdigit());
                if at > 0 && is_digits { "*" } else { piece }
            })
            .collect();
        pieces.push(pieced.join("."));
    }
    pieces.join("/").into()
}

#[cfg(test)]
mod tests {
    use super::{Aim, Fault, Logged, Path, PathBuf, hit, occurrences, path_named, starred};

    fn about(call: &str, arguments: &str) -> Option<String> {
        let logged = Logged { thread: "1", call, arguments, number: 1, injected: false };
        path_named(&logged).map(|path| path.to_string_lossy().into_owned())
    }

    #[test]
    fn a_call_is_about_its_first_path() {
        let is = |path: &str| Some(path.to_owned());
        assert_eq!(about("pwrite64", "5</x/repo/a.dat>, \"/x/b 0 62\"..., 9, 0) = 9"), is("/x/repo/a.dat"));
        assert_eq!(about("fstat", "5</x/repo/a.dat>(deleted), {}) = 0"), is("/x/repo/a.dat"));
        assert_eq!(about("openat", "AT_FDCWD</home>, \"/x/a\", O_RDONLY) = 3"), is("/x/a"));
        assert_eq!(about("rename", "\"/x/a\", \"/x/b\") = 0"), is("/x/a"));
        assert_eq!(about("mmap", "NULL, 7, PROT_READ) = 0"), None);
    }

    #[test]
    fn a_name_is_looked_up_in_the_folder_before_it() {
        let is = |path: &str| Some(path.to_owned());
        assert_eq!(
            about("openat2", "5</x/repo>, \"a.dat\", {flags=O_RDWR}, 24) = 6</x/repo/a.dat>"),
            is("/x/repo/a.dat")
        );
        assert_eq!(about("openat2", "5</x>, \"repo/a.dat\",  <unfinished ...>"), is("/x/repo/a.dat"));
        assert_eq!(about("renameat", "5</x/repo>, \"a\", 5</x/repo>, \"b\") = 0"), is("/x/repo/a"));
        assert_eq!(about("openat", "5</x/repo>, \".\", O_RDONLY) = 6</x/repo>"), is("/x/repo"));
        assert_eq!(about("newfstatat", "5</x/repo>, \"\", {}, AT_EMPTY_PATH) = 0"), is("/x/repo"));
        assert_eq!(about("openat2", "AT_FDCWD</home>, \".\", {flags=O_PATH}, 24) = 3</home>"), is("/home"));
    }

    #[test]
    fn the_digits_of_a_draft_are_a_star() {
        let shown = |path: &str| starred(Path::new(path)).to_string_lossy().into_owned();
        assert_eq!(shown("a/Data.fs.0123456789abcdef.old.part"), "a/Data.fs.*.old.part");
        assert_eq!(shown(".highwater-folder.0123456789abcdef/b"), ".highwater-folder.*/b");
        assert_eq!(shown("0123456789abcdef/Data.fs.0123456789abcdeg"), "0123456789abcdef/Data.fs.0123456789abcdeg");
    }

    #[test]
    fn calls_are_counted_by_thread_and_file_and_foreign_ones_are_not() {
        let log = "1  pread64(3</x/a>, \"\", 4, 0) = 4\n\
                   1  pread64(3</x/a>,  <unfinished ...>\n\
                   2  pread64(3</x/a>, \"\", 4, 0) = 4\n\
                   1  <... pread64 resumed>\"\", 4, 0) = 4\n\
                   1  pread64(3</lib/libc.so>, \"\", 4, 0) = 4\n\
                   1  openat(AT_FDCWD</>, \"/x/b\", O_RDWR|O_CREAT, 0666) = 5</x/b>\n\
                   1  close(3</x/a>) = 0\n";
        let found = occurrences(log, Path::new("/x"));
        let numbers = |o: &super::Occurrence| o.numbers.iter().copied().collect::<Vec<_>>();
        let short: Vec<_> = found.iter().map(|o| (o.call.as_str(), o.times, numbers(o), o.creates)).collect();
        assert_eq!(short, [("openat", 1, vec![1], true), ("pread64", 3, vec![1, 2], false)]);
        assert!(found[0].aim == Aim::File("b".into()) && found[1].aim == Aim::File("a".into()));
    }

    #[test]
    fn what_is_done_to_a_draft_counts_among_the_calls_on_its_folder_or_all_of_its_kind() {
        let log = "1  openat(AT_FDCWD</>, \"/lib/libc.so\", O_RDONLY) = 3</lib/libc.so>\n\
                   1  openat(4</x/r>, \".\", O_RDONLY|O_DIRECTORY) = 5</x/r>\n\
                   1  fsync(6</x/other>) = 0\n\
                   1  fsync(5</x/r>) = 0\n\
                   1  fsync(7</x/r/a.0123456789abcdef.part>) = 0\n\
                   1  renameat(4</x/r>, \"b\", 4</x/r>, \"c\") = 0\n\
                   1  renameat(4</x/r>, \"a.0123456789abcdef.part\", 4</x/r>, \"a\") = 0\n\
                   2  fsync(6</x/b.0123456789abcdef.part>) = 0\n\
                   2  renameat(4</x/r>, \"a\", 4</x/r>, \"b\") = 0\n";
        let found = occurrences(log, Path::new("/x"));
        let of = |call: &str, path: &str| {
            let one = found.iter().find(|o| o.call == call && o.path == Path::new(path)).expect(path);
            (one.numbers.first().copied(), one.aim.clone(), one.folder)
        };
        assert_eq!(of("openat", "r"), (Some(1), Aim::File("r".into()), true));
        assert_eq!(of("fsync", "r"), (Some(1), Aim::File("r".into()), true));
        assert_eq!(of("fsync", "r/a.*.part"), (Some(3), Aim::Kind, false));
        assert_eq!(of("renameat", "r/a.*.part"), (Some(2), Aim::File("r".into()), false));
        // The first thread is given that name before, as its second.
        assert_eq!(of("renameat", "r/a"), (None, Aim::Name("a".into()), false));
        // The first thread's first is before it.
        assert_eq!(of("fsync", "b.*.part"), (None, Aim::Kind, false));
    }

    #[test]
    fn the_log_tells_which_files_were_hit() {
        let fault = |what: &str, when: &str| Fault {
            call: "fsync".to_owned(),
            path: PathBuf::from("a.*.part"),
            what: what.to_owned(),
            when: when.to_owned(),
            aim: Aim::Kind,
            hit: Vec::new(),
        };
        let failed = "1  fsync(6</x/b>) = 0\n\
                      1  fsync(7</x/a.0123456789abcdef.part> <unfinished ...>\n\
                      2  fsync(6</x/b>) = 0\n\
                      1  <... fsync resumed>) = -1 EIO (Input/output error) (INJECTED)\n";
        assert_eq!(hit(failed, &fault("error=EIO", "2"), Path::new("/x")), [Path::new("a.*.part")]);
        let killed = "1  fsync(6</x/b>) = 0\n\
                      1  fsync(7</x/a.0123456789abcdef.part> <unfinished ...>\n\
                      1  +++ killed by SIGKILL +++\n";
        assert_eq!(hit(killed, &fault("signal=KILL", "2"), Path::new("/x")), [Path::new("a.*.part")]);
        assert!(
            hit(failed, &fault("signal=KILL", "2"), Path::new("/x")).iter().all(|path| path == Path::new("a.*.part"))
        );
        let named = Fault { hit: vec!["r/Data.fs.*.part".into()], ..fault("error=EIO", "1") };
        assert!(named.is_named_in("cannot write '/x/r/Data.fs'") && !named.is_named_in("cannot write"));
    }
}
