//! Targets for stores of DirectoryStorage: names, settings, transactions, heads of revisions.

use highwater_core::digest::md5_of;
use highwater_core::formats::dirstorage::names::{self, File, Layout};
use highwater_core::formats::dirstorage::revision::Head;
use highwater_core::formats::dirstorage::transaction::{Read, Reading};
use highwater_core::formats::dirstorage::{pointer, settings};

use super::compose::{settings as settings_of, tid};
use super::samples;
use crate::fuzz::Target;
use crate::fuzz::feed::pieces;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target { name: "dirstorage_names", run: names, seeds: seeds::names, words: seeds::NAMES },
        Target { name: "dirstorage_settings", run: settings, seeds: seeds::settings, words: seeds::SETTINGS },
        Target { name: "dirstorage_transaction", run: transaction, seeds: seeds::transaction, words: seeds::MAGICS },
        Target { name: "dirstorage_revision", run: revision, seeds: seeds::revision, words: seeds::MAGICS },
    ]
}

/// Any bytes as a path in a database and as a name in the journal: what is read is written so again, and lies in
/// folders that are entered.
fn names(path: &[u8]) {
    if let Some(file) = File::parse(path) {
        assert_eq!(file.name().as_bytes(), path);
    }
    for layout in Layout::ALL {
        if let Some(file) = layout.file(path) {
            assert_eq!(layout.path(file).as_bytes(), path, "{layout:?}");
            let folders = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            folders.for_each(|(at, _)| assert!(layout.is_folder(&path[..at]), "{layout:?} {at}"));
            assert!(!layout.is_folder(path));
        }
        // No file lies deeper than a folder for every two digits.
        assert!(!layout.is_folder(path) || path.iter().filter(|byte| **byte == b'/').count() < 8, "{layout:?}");
    }
    if let Some(names::Waiting::Done(id)) = names::waiting(path) {
        assert!(path.starts_with(format!("working_{id:016X}_done").as_bytes()));
    }
}

/// Any bytes as settings: what is read is what a file of nothing else says.
fn settings(bytes: &[u8]) {
    match settings::parse(bytes) {
        Ok(read) => {
            let class = match read.class {
                settings::Class::Full => "Full",
                settings::Class::Minimal => "Minimal",
            };
            assert_eq!(settings::parse(settings_of(read.layout.name(), class).as_bytes()), Ok(read));
            let has = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(has(read.layout.name()) && has(class) && has("0.11"));
        }
        Err(odd) => assert!(odd.at <= bytes.len() as u64, "{odd}"),
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

/// Any bytes as a transaction: any cut gives the same, and an independent reader finds the same objects.
fn transaction(bytes: &[u8]) {
    let read = |pieces: &[&[u8]]| {
        let (mut reading, mut objects) = (Reading::default(), Vec::new());
        pieces.iter().for_each(|piece| reading.push(piece, &mut |object| objects.push(object)));
        (reading.end(), objects)
    };
    let (whole, objects) = read(&[bytes]);
    assert_eq!(read(&pieces(bytes)), (whole.clone(), objects.clone()));
    match whole {
        Ok(Read { transaction, length, digest }) => {
            assert_eq!((length, digest), (bytes.len() as u64, md5_of(&bytes[48..])));
            assert_eq!((transaction.id, transaction.previous), (number(bytes, 8), number(bytes, 24)));
            let texts: usize =
                [48, 50, 52].iter().map(|at| usize::from(bytes[*at]) << 8 | usize::from(bytes[at + 1])).sum();
            let count = number(bytes, 50) & 0xffff_ffff;
            let named = bytes.get(60 + texts..).unwrap_or_default().chunks_exact(8).take(count as usize / 8);
            assert!(named.map(|object| number(object, 0)).eq(objects));
        }
        Err(odd) => assert!(odd.at <= bytes.len() as u64 && objects.is_empty(), "{odd}"),
    }
}

/// Any bytes as the head of a revision and as what says which one is current: what is read is all that stands there.
fn revision(bytes: &[u8]) {
    match Head::parse(bytes) {
        Ok(head) => {
            let zeros = if head.is_odd { &bytes[24..40] } else { &[0; 16] };
            let digest = head.digest.map_or(vec![0; 16], |digest| digest.as_bytes().to_vec());
            let numbers = |some: &[u64]| some.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
            let again = [
                &[0xbd, 0xb8, 0x2a, 0x71][..],
                &head.length.to_be_bytes(),
                &numbers(&[head.oid, head.copied]),
                zeros,
                &digest,
                &numbers(&[head.previous, head.serial]),
            ];
            assert_eq!(again.concat(), bytes[..72]);
        }
        Err(odd) => assert!(odd.at <= bytes.len().min(72) as u64, "{odd}"),
    }
    match pointer::current(bytes) {
        Ok(serial) => assert_eq!(number(bytes, bytes.len() - 8), serial),
        Err(odd) => assert!(odd.at <= bytes.len() as u64, "{odd}"),
    }
    assert_eq!(pointer::number(bytes).is_ok(), bytes.len() == 8);
}

/// Inputs to start from.
mod seeds {
    use super::{File, Layout, samples, settings_of, tid};

    pub(super) static NAMES: &[&[u8]] =
        &[b"o0/", b"t0/", b"x/oid", b"x.serial", b"/c", b".c", b"0123456789ABCDEF", b"working_", b"_done", b"-deleted"];

    pub(super) static SETTINGS: &[&[u8]] = &[
        b"[structure]\n",
        b"[storage]\n",
        b"format: ",
        b"version: 0.11\n",
        b"classname = ",
        b"bushy\n",
        b"Minimal\n",
        b"\n  ",
        b"# ",
        b" ;",
    ];

    pub(super) static MAGICS: &[&[u8]] =
        &[b"\xbd\xb8\x2a\x71", b"\x47\x40\x07\x76", b"\x0b\xfe\xe8\xec", b"\x03\x52\x80", &[0; 8]];

    pub(super) fn names() -> Vec<Vec<u8>> {
        let files = [File::Oid, File::Current(7), File::Revision(u64::MAX, tid(3)), File::Transaction(tid(3))];
        let paths = files.iter().flat_map(|file| Layout::ALL.map(|layout| layout.path(*file)));
        let others = ["working_0352800300000000_done", "working_0352800300000000_temp", "replica.tar"];
        paths.chain(others.map(str::to_owned)).map(String::into_bytes).collect()
    }

    pub(super) fn settings() -> Vec<Vec<u8>> {
        let full = settings_of("bushy", "Full");
        vec![
            settings_of("flat", "Minimal").replace(": ", " = ").into_bytes(),
            format!("# of a test\n\n{full}[md5policy]\nwrite: 1\n").into_bytes(),
            full.replace("bushy", "bushy\n  4").into_bytes(),
            full.replace("0.11", "0.11 ; of 2002").into_bytes(),
        ]
    }

    fn files(is: fn(&File) -> bool) -> Vec<Vec<u8>> {
        samples::small().database.into_iter().filter(|(file, _)| is(file)).map(|(_, bytes)| bytes).collect()
    }

    pub(super) fn transaction() -> Vec<Vec<u8>> {
        files(|file| matches!(file, File::Transaction(_)))
    }

    pub(super) fn revision() -> Vec<Vec<u8>> {
        let mut seeds = files(|file| matches!(file, File::Revision(..)));
        seeds.extend([File::Current(1), File::Oid].map(|file| samples::frozen().database[&file].clone()));
        seeds
    }
}
