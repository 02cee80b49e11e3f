//! Verifies the backup in a folder as `highwater verify` does: `cargo run --example verify -- FOLDER`.
#![expect(clippy::disallowed_types, clippy::print_stdout, reason = "an example is a host, and the engine is none")]
use std::{env, error::Error, fs, os::unix::fs::FileExt, path::Path, path::PathBuf};

use highwater_core::drive::{host, listing::Listing};
use highwater_core::{inspect::Kind, render, report::Depth, report::Report};

struct Folder(Vec<PathBuf>);

impl host::Host for Folder {
    fn length(&mut self, file: u32) -> Result<u64, String> {
        fs::metadata(&self.0[file as usize]).map(|file| file.len()).map_err(|why| why.to_string())
    }
    fn read(&mut self, file: u32, at: u64, most: u64) -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; most.min(1 << 20) as usize];
        let read = fs::File::open(&self.0[file as usize]).and_then(|file| file.read_at(&mut bytes, at));
        bytes.truncate(read.map_err(|why| why.to_string())?);
        Ok(bytes)
    }
}

fn verified(folder: &Path) -> Result<Report, Box<dyn Error>> {
    let (mut files, mut listing) = (Folder(Vec::new()), Listing::default());
    for (entry, number) in fs::read_dir(folder)?.zip(0..) {
        let entry = entry?;
        listing.add(&entry.file_name().to_string_lossy(), Kind::File, number);
        files.0.push(entry.path());
    }
    let format = listing.format().ok_or("this looks like no backup")?;
    let label = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok(host::verify(&mut files, (format, None), listing, &label, Depth::Digest))
}

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", render::text(&verified(env::args_os().nth(1).ok_or("which folder?")?.as_ref())?, false));
    Ok(())
}
