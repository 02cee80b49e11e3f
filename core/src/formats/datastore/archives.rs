//! Which file of a snapshot holds an archive, by the archive's name, as a server's own clients have it.
//!
//! | an archive that ends in | is | its file |
//! |---|---|---|
//! | `.img` | an image | a fixed index: `.fidx` is added |
//! | `.pxar`, `.mpxar`, `.ppxar`, `.pcat1` | a stream of files, or their catalogue | a dynamic index: `.didx` is added |
//! | `.conf`, `.log` | a small file | a blob: `.blob` is added |
//! | `.fidx`, `.didx`, `.blob` | named by its file | that |
//! | anything else | unknown to them, but by the name of its file | |

use super::kind::Kind;
use super::names::{self, LOG, MANIFEST, is_id};

/// The ending of a key that was encrypted to another, which servers keep in a snapshot.
const KEY: &str = "rsa-encrypted.key.blob";

/// What an archive that ends so is kept in.
const ENDINGS: [(&str, Kind); 7] = [
    (".img", Kind::Fixed),
    (".pxar", Kind::Dynamic),
    (".mpxar", Kind::Dynamic),
    (".ppxar", Kind::Dynamic),
    (".pcat1", Kind::Dynamic),
    (".conf", Kind::Blob),
    (".log", Kind::Blob),
];

/// What of a tree of files an archive holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of it.
    Whole,
    /// Everything but the contents of its files.
    Tree,
    /// Those.
    Payloads,
    /// What is in the trees of its snapshot: names, sizes and times.
    Catalogue,
}

/// What of a tree the archive of this name holds, or the file that it is in, and what the tree is called; none if it is
/// another kind of archive.
#[must_use]
pub fn part_of(name: &str) -> Option<(&str, Part)> {
    let archive = name.strip_suffix(".didx").unwrap_or(name);
    let (stem, ending) = archive.rsplit_once('.')?;
    let part = match ending {
        "pxar" => Part::Whole,
        "mpxar" => Part::Tree,
        "ppxar" => Part::Payloads,
        "pcat1" => Part::Catalogue,
        _ => return None,
    };
    Some((stem, part))
}

/// The first tree of files, or catalogue of them, that is named in what stands after the `@` of `STORE@POINT`, as such,
/// and the path in it; none where none is. The file that one is in, which ends in `.didx`, stands for the stream of
/// bytes.
#[must_use]
pub fn tree(text: &str) -> Option<(&str, &str)> {
    let ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
    ends.filter_map(|end| text.split_at_checked(end)).find(|(point, _)| {
        let archive = names::wanted(point).and_then(|wanted| wanted.archive).filter(|name| !name.ends_with(".didx"));
        archive.and_then(part_of).is_some_and(|(_, part)| part != Part::Payloads)
    })
}

/// How an archive is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// In chunks, under a fixed index.
    Chunks,
    /// Whole, as a blob.
    Whole,
}

/// Why an archive cannot be written under a name. The texts are clauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoArchive {
    /// It has letters that no archive has.
    #[error("names of archives begin with a letter, a digit or _, and go on with those, '.' and '-'")]
    Letters,
    /// It is that of something else in a snapshot.
    #[error("that is the name of another file of a snapshot")]
    Taken,
    /// It is that of a stream.
    #[error("to a server what ends so is a stream of files, and what is written here is an image or a small file")]
    Stream,
}

/// The file of an archive that is to be written, and how.
///
/// # Errors
/// Why it can have no such name.
pub fn stored(archive: &str) -> Result<(String, Stored), NoArchive> {
    if !is_id(archive) {
        return Err(NoArchive::Letters);
    }
    let (kind, file) = match (kind_of(archive), ending_of(archive)) {
        (Some(kind), _) => (kind, archive.to_owned()),
        (None, Some(Kind::Blob)) => (Kind::Blob, format!("{archive}.blob")),
        (None, Some(Kind::Dynamic)) => return Err(NoArchive::Stream),
        // What it is called is up to the user; `called` says what servers know it as.
        (None, Some(Kind::Fixed) | None) => (Kind::Fixed, format!("{archive}.fidx")),
    };
    match kind {
        Kind::Dynamic => Err(NoArchive::Stream),
        Kind::Blob if [MANIFEST, LOG, KEY].contains(&&*file) => Err(NoArchive::Taken),
        Kind::Blob => Ok((file, Stored::Whole)),
        Kind::Fixed => Ok((file, Stored::Chunks)),
    }
}

/// What a server's clients call the archive in a file of a snapshot: without the ending of the file only where that
/// follows from the rest.
#[must_use]
pub fn called(file: &str) -> &str {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    match (kind_of(file), ending_of(stem)) {
        (Some(kind), Some(of_stem)) if kind == of_stem => stem,
        _ => file,
    }
}

/// What a file of a snapshot is.
pub(super) fn kind_of(file: &str) -> Option<Kind> {
    match file.rsplit_once('.') {
        Some((_, "fidx")) => Some(Kind::Fixed),
        Some((_, "didx")) => Some(Kind::Dynamic),
        Some((_, "blob")) => Some(Kind::Blob),
        _ => None,
    }
}

fn ending_of(archive: &str) -> Option<Kind> {
    ENDINGS.iter().find(|(ending, _)| archive.ends_with(ending)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_the_file_that_a_servers_clients_look_for() {
        let chunks = |file: &str| Ok((file.to_owned(), Stored::Chunks));
        let whole = |file: &str| Ok((file.to_owned(), Stored::Whole));
        for (archive, wanted) in [
            ("drive-scsi0.img", chunks("drive-scsi0.img.fidx")),
            ("drive-scsi0.img.fidx", chunks("drive-scsi0.img.fidx")),
            ("Data.fs", chunks("Data.fs.fidx")),
            ("Data.fs.fidx", chunks("Data.fs.fidx")),
            ("all.log", whole("all.log.blob")),
            ("all.log.img", chunks("all.log.img.fidx")),
            ("all.log.fidx", chunks("all.log.fidx")),
            ("notes.txt.blob", whole("notes.txt.blob")),
            ("root.pxar", Err(NoArchive::Stream)),
            ("root.pxar.didx", Err(NoArchive::Stream)),
            ("catalog.pcat1", Err(NoArchive::Stream)),
            ("index.json.blob", Err(NoArchive::Taken)),
            ("client.log", Err(NoArchive::Taken)),
            ("client.log.blob", Err(NoArchive::Taken)),
            ("../x.img", Err(NoArchive::Letters)),
            ("a b.img", Err(NoArchive::Letters)),
        ] {
            assert_eq!(stored(archive), wanted, "{archive}");
        }
        for (file, wanted) in [
            ("drive-scsi0.img.fidx", "drive-scsi0.img"),
            ("root.pxar.didx", "root.pxar"),
            ("Data.fs.fidx", "Data.fs.fidx"),
            ("root.pxar.fidx", "root.pxar.fidx"),
            ("qemu-server.conf.blob", "qemu-server.conf"),
            ("notes.txt.blob", "notes.txt.blob"),
        ] {
            assert_eq!(called(file), wanted);
        }
    }
}
