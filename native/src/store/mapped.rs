//! `Mapped`: the machine's files, read through memory maps.
//!
//! Reading copies each byte from the system's cache, which takes longer than hashing it in lanes; a map does not. The
//! price: when a file is cut off while it is mapped, the system ends the process (SIGBUS), and when it is rewritten,
//! bytes change under the reader. So maps are only for finished files, and only when the user asks for them.
#![expect(unsafe_code, reason = "a memory map cannot be had without; the user vouches for the files")]

use std::fs::File;
use std::io;
use std::path::PathBuf;

use highwater_core::inspect::Entry;
use highwater_core::name::Name;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::{Files, Identity, Object, Store};

/// A folder of this machine, whose files are mapped where that can be done.
#[derive(Debug)]
pub struct Mapped(pub Files);

impl Store for Mapped {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        self.0.told(name)
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        self.0.list(folder, each)
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        let file = self.0.open_file(name)?;
        Ok(match Map::of(&file) {
            Some(map) => Box::new(MappedFile { file, map }),
            None => Box::new(file),
        })
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.0.length(name)
    }

    fn place(&self, name: &Name) -> u64 {
        self.0.place(name)
    }

    fn is_locked(&self, name: &Name) -> bool {
        self.0.is_locked(name)
    }

    fn identity(&self, folder: Option<&Name>) -> Option<Identity> {
        self.0.identity(folder)
    }

    fn around(&self) -> io::Result<Vec<Identity>> {
        self.0.around()
    }
}

struct MappedFile {
    file: File,
    map: Map,
}

impl Object for MappedFile {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(at, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        Object::length(&self.file)
    }

    fn bytes(&self) -> Option<&[u8]> {
        Some(self.map.bytes())
    }

    fn will_need(&self, at: u64, length: u64) {
        self.file.will_need(at, length);
    }

    fn identity(&self) -> io::Result<Identity> {
        self.file.identity()
    }
}

/// All of a file, mapped for reading.
struct Map {
    at: *mut std::ffi::c_void,
    length: usize,
}

// SAFETY: the map is only read, and belongs to this value alone until it is dropped.
unsafe impl Send for Map {}
// SAFETY: as above; reading from several threads at once is no conflict.
unsafe impl Sync for Map {}

impl Map {
    /// Maps a file; none when it is empty or the system will not.
    fn of(file: &File) -> Option<Self> {
        let length = usize::try_from(file.metadata().ok()?.len()).ok().filter(|length| *length > 0)?;
        // SAFETY: the system chooses a free place, so that nothing else is mapped over.
        let at = unsafe { mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, file, 0) }.ok()?;
        Some(Self { at, length })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: `length` bytes at `at` are mapped for reading until `self` is dropped. That nobody cuts the file off
        // or rewrites it meanwhile is what the user vouches for; should they change, digests differ, and nothing but
        // bytes is read from them.
        unsafe { std::slice::from_raw_parts(self.at.cast::<u8>(), self.length) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: the map is this value's own, and no slice of it outlives the value.
        _ = unsafe { munmap(self.at, self.length) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_mapped_file_shows_the_bytes_that_reading_shows() {
        let folder = tempfile::tempdir().unwrap();
        let mapped = Mapped(Files::open(folder.path(), crate::store::Links::Beneath).unwrap());
        let mut file = File::create(folder.path().join("file")).unwrap();
        let name = Name::new(b"file").unwrap();
        assert!(mapped.open(&name).unwrap().bytes().is_none());
        file.write_all(&[7; 10_000]).unwrap();
        let object = mapped.open(&name).unwrap();
        let mut read = vec![0; 10_000];
        object.read_exact_at(0, &mut read).unwrap();
        assert_eq!(object.bytes(), Some(&read[..]));
        assert_eq!(object.length().unwrap(), 10_000);
    }
}
