//! Verifies sets that come in on one stream and writes their reports to another: the same program on every target.
//!
//! Numbers are little endian. A job is its depth, flags and step (4 bytes each), its part and the number of parts (8
//! bytes each), its key (32 bytes), the number of files (4 bytes), the name of its format, and for each file its name
//! and its bytes, all after their length (4 bytes). The stream ends where a job would begin.

pub mod dice;
pub mod memory;

use std::io::{self, Read, Write};

use highwater_core::formats::by_name;
use highwater_core::key::Key;
use highwater_core::render;
use highwater_core::report::{Depth, Report};

use memory::{Host, Steps};

/// The files of a set, by their paths in it.
pub type Image = std::collections::BTreeMap<String, Vec<u8>>;

/// Warnings count as damage.
pub const STRICT: u32 = 1;
/// Every rendering is written, not JSON alone.
pub const RENDERED: u32 = 2;
/// The report is merged into those before it that had this flag.
pub const MERGED: u32 = 4;
/// What was merged so far is written as well, as a whole, and forgotten.
pub const ENDS: u32 = 8;

/// The job's key is used.
pub const KEYED: u32 = 16;

const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];

/// One verification.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    /// How thoroughly.
    pub depth: Depth,
    /// The constants of this module, added up.
    pub flags: u32,
    /// The length of the pieces that the input comes in; 0 for all at once.
    pub step: u32,
    /// Which part of how many.
    pub part: (u64, u64),
    /// What opens what is encrypted, with [`KEYED`].
    pub key: [u8; 32],
    /// The name of its format.
    pub format: &'static str,
    /// The set.
    pub files: &'a Image,
}

impl Job<'_> {
    /// Appends the job to a stream.
    pub fn write(&self, to: &mut Vec<u8>) {
        for number in [self.depth as u32, self.flags, self.step] {
            to.extend(number.to_le_bytes());
        }
        to.extend(self.part.0.to_le_bytes());
        to.extend(self.part.1.to_le_bytes());
        to.extend(self.key);
        let mut counted = |bytes: &[u8], count: usize| {
            to.extend(u32::try_from(count).expect("a small number").to_le_bytes());
            to.extend(bytes);
        };
        counted(&[], self.files.len());
        counted(self.format.as_bytes(), self.format.len());
        for (name, bytes) in self.files {
            counted(name.as_bytes(), name.len());
            counted(bytes, bytes.len());
        }
    }
}

/// The line before the output of each job.
pub fn title(number: u64) -> String {
    format!("=== job {number}\n")
}

/// Does the jobs of one stream and writes what comes of them to another.
///
/// # Errors
/// When a stream fails, or the first one ends within a job.
pub fn run(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<()> {
    let empty = || Report::empty(Depth::Deep, false);
    let mut merged = empty();
    let mut number = 0;
    while let Some(depth) = first(from)? {
        let (flags, step) = (short(from)?, short(from)?);
        let (part, parts) = (long(from)?, long(from)?);
        let mut key = [0; 32];
        from.read_exact(&mut key)?;
        let (mut files, count) = (Image::new(), short(from)?);
        let format = String::from_utf8(counted(from)?).map_err(io::Error::other)?;
        let format = by_name(&format).ok_or_else(|| io::Error::other("an unknown format"))?;
        for _ in 0..count {
            let name = String::from_utf8(counted(from)?).map_err(io::Error::other)?;
            files.insert(name, counted(from)?);
        }
        let depth = DEPTHS.into_iter().find(|known| *known as u32 == depth);
        let mut host = Host::at(depth.ok_or_else(|| io::Error::other("an unknown depth"))?).part(part, parts);
        host.strict = flags & STRICT > 0;
        host.format = format.facts().name;
        host.key = (flags & KEYED > 0).then(|| Key::new(key));
        if let Some(step) = usize::try_from(step).ok().filter(|step| *step > 0) {
            host = host.cut(Steps::Of(step));
        }
        let report = host.report(&files, "set");
        to.write_all(title(number).as_bytes())?;
        write(&report, flags & RENDERED > 0, to)?;
        if flags & MERGED > 0 {
            merged = merged.merge(report);
        }
        if flags & ENDS > 0 {
            write(&std::mem::replace(&mut merged, empty()).into_whole(), true, to)?;
        }
        number += 1;
    }
    to.flush()
}

fn write(report: &Report, rendered: bool, to: &mut dyn Write) -> io::Result<()> {
    to.write_all(render::json(report).as_bytes())?;
    if rendered {
        for text in [
            render::text(report, false),
            render::text(report, true),
            render::junit(report),
            render::sarif(report),
            render::annotations(report),
            render::summary(report),
        ] {
            to.write_all(text.as_bytes())?;
        }
    }
    Ok(())
}

/// The first number of a job; none at the end of the stream.
fn first(from: &mut dyn Read) -> io::Result<Option<u32>> {
    let mut bytes = [0; 4];
    if from.read(&mut bytes[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut bytes[1..])?;
    Ok(Some(u32::from_le_bytes(bytes)))
}

fn short(from: &mut dyn Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn long(from: &mut dyn Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn counted(from: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(short(from)?).map_err(io::Error::other)?];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}
