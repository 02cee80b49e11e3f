//! Composes stores byte by byte: transactions, packs, and what waits outside of the database.

use std::collections::BTreeMap;

use highwater_core::digest::md5_of;
use highwater_core::formats::dirstorage::names::{File, Layout};

use crate::repo::Image;

/// A transaction of these stores: a time of 2004, in steps of a minute.
pub(super) const fn tid(number: u64) -> u64 {
    0x0352_8000_0000_0000 + (number << 32)
}

/// What a store does when it is written to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    pub(super) layout: Layout,
    /// Works out an MD5 of whatever it writes.
    pub(super) sums: bool,
    /// Says which revision is current in 12 bytes.
    pub(super) old: bool,
}

/// A store in memory.
#[derive(Debug, Clone)]
pub(super) struct Store {
    policy: Policy,
    /// What lies in the database.
    pub(super) database: BTreeMap<File, Vec<u8>>,
    /// What lies beside it, by path.
    pub(super) others: Image,
    current: BTreeMap<u64, u64>,
    last: u64,
}

/// Something that a transaction writes.
#[derive(Debug, Clone)]
pub(super) enum Write<'a> {
    /// This pickle.
    Pickle(&'a [u8]),
    /// What an earlier revision says, as an undo does.
    Copy(u64),
    /// Nothing: the object's creation is undone.
    Nothing,
}

impl Store {
    /// One without transactions.
    pub(super) fn new(policy: Policy) -> Self {
        let mut database = BTreeMap::new();
        for file in [File::Oid, File::Serial, File::Packed] {
            database.insert(file, vec![0; 8]);
        }
        let settings = settings(policy.layout.name(), "Full");
        let others = Image::from([
            ("config/settings".to_owned(), settings.into_bytes()),
            ("config/identity".to_owned(), b"5f0d6b1a9c3e47288e1f02b4d6a8c0e2".to_vec()),
        ]);
        Self { policy, database, others, current: BTreeMap::new(), last: 0 }
    }

    fn sum(&self, bytes: &[u8]) -> Vec<u8> {
        if self.policy.sums { md5_of(bytes).as_bytes().to_vec() } else { vec![0; 16] }
    }

    fn revision(&self, oid: u64, serial: u64, copied: u64, pickle: &[u8]) -> Vec<u8> {
        let previous = self.current.get(&oid).copied().unwrap_or_default();
        let body = [&previous.to_be_bytes()[..], &serial.to_be_bytes(), pickle].concat();
        let length = u32::try_from(56 + body.len()).expect("a length").to_be_bytes();
        let head = [&[0xbd, 0xb8, 0x2a, 0x71][..], &length, &oid.to_be_bytes(), &copied.to_be_bytes(), &[0; 16]];
        [head.concat(), self.sum(&body), body].concat()
    }

    /// The files of the next transaction, which is not in the database then.
    pub(super) fn begin(&mut self, id: u64, writes: &[(u64, Write<'_>)]) -> BTreeMap<File, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut oids = Vec::new();
        for (oid, write) in writes {
            let revision = match write {
                Write::Pickle(pickle) => self.revision(*oid, id, 0, pickle),
                Write::Nothing => self.revision(*oid, id, 0, b""),
                Write::Copy(from) => {
                    let copy = self.database[&File::Revision(*oid, *from)][72..].to_vec();
                    self.revision(*oid, id, *from, &copy)
                }
            };
            let magic = if self.policy.old { &[0x0b, 0xfe, 0xe8, 0xec][..] } else { &[] };
            files.insert(File::Revision(*oid, id), revision);
            files.insert(File::Current(*oid), [magic, &id.to_be_bytes()].concat());
            self.current.insert(*oid, id);
            oids.extend(oid.to_be_bytes());
        }
        files.insert(File::Transaction(id), self.transaction(id, &oids));
        let highest = self.current.keys().max().copied().unwrap_or_default();
        files.insert(File::Oid, highest.to_be_bytes().to_vec());
        files.insert(File::Serial, id.to_be_bytes().to_vec());
        self.last = id;
        files
    }

    fn transaction(&self, id: u64, oids: &[u8]) -> Vec<u8> {
        let length = |text: &[u8]| u16::try_from(text.len()).expect("a short text").to_be_bytes();
        let (user, text, extension) = (&b"kim"[..], &b"/edit"[..], &b"}."[..]);
        let count = u32::try_from(oids.len()).expect("a count").to_be_bytes();
        let lengths = [&length(user)[..], &length(text), &length(extension), &count, &[0, 0]].concat();
        let body = [&lengths[..], user, text, extension, oids].concat();
        let whole = u32::try_from(48 + body.len()).expect("a length").to_be_bytes();
        let head = [&[0x47, 0x40, 0x07, 0x76][..], &whole, &id.to_be_bytes(), &[0; 8], &self.last.to_be_bytes()];
        [head.concat(), self.sum(&body), body].concat()
    }

    /// A transaction that goes into the database.
    pub(super) fn commit(&mut self, id: u64, writes: &[(u64, Write<'_>)]) {
        let files = self.begin(id, writes);
        self.database.extend(files);
    }

    /// Removes what is older than `floor` and not needed any more, as a pack of a storage that keeps details does.
    pub(super) fn pack(&mut self, floor: u64) {
        let mut kept = vec![File::Oid, File::Serial, File::Packed];
        for (oid, current) in &self.current {
            kept.push(File::Current(*oid));
            let mut serial = *current;
            loop {
                let revision = File::Revision(*oid, serial);
                let Some(bytes) = self.database.get(&revision) else { break };
                kept.extend([revision, File::Transaction(serial)]);
                serial = u64::from_be_bytes(bytes[56..64].try_into().expect("8 bytes"));
                if serial < floor {
                    break;
                }
            }
        }
        self.database.insert(File::Packed, floor.to_be_bytes().to_vec());
        self.database.retain(|file, _| kept.contains(file));
        // Those that are left lead back to each other.
        let mut before = None;
        for (file, bytes) in self.database.iter_mut().filter(|(file, _)| matches!(file, File::Transaction(_))) {
            let File::Transaction(id) = file else { unreachable!("it is filtered") };
            if let Some(before) = before.replace(*id) {
                bytes[24..32].copy_from_slice(&u64::to_be_bytes(before));
            }
        }
    }

    /// Where a file of the database lies.
    pub(super) fn path(&self, file: File) -> String {
        format!("A/{}", self.policy.layout.path(file))
    }

    /// Puts the files of a transaction into a folder of the journal.
    pub(super) fn wait(&mut self, folder: &str, files: BTreeMap<File, Vec<u8>>) {
        for (file, bytes) in files {
            self.others.insert(format!("journal/{folder}/{}", file.name()), bytes);
        }
    }

    /// Puts the files of a transaction beside the database.
    pub(super) fn put_beside(&mut self, files: BTreeMap<File, Vec<u8>>) {
        for (file, bytes) in files {
            self.others.insert(format!("B/{}", self.policy.layout.path(file)), bytes);
        }
    }

    /// All files, by path.
    pub(super) fn image(&self) -> Image {
        let mut files = self.others.clone();
        files.extend(self.database.iter().map(|(file, bytes)| (self.path(*file), bytes.clone())));
        files
    }
}

/// Settings, as far as anything depends on them here.
pub(super) fn settings(format: &str, class: &str) -> String {
    format!("[structure]\nformat: {format}\nversion: 0.11\n[storage]\nclassname: {class}\n")
}
