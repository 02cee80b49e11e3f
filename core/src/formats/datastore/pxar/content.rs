//! What the content of each item of an archive says.

use super::item::{HEAD, Head, Item, number, stat, text};
use super::member::{Content, Device, MemberKind, Stat};
use super::reader::{ENTRIES, Event, Expect, FILES, LONGEST_PATH, PERMISSIONS, Reader, TYPE, file_key};
use super::table::Line;
use super::{Odd, siphash};
use crate::formats::datastore::names::is_file;
use crate::name::printable;

impl Reader {
    /// Takes the content of an item, all of it.
    pub(super) fn content(&mut self, head: Head, content: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        let mut tell = |at: u64, what: &str| each(Event::Odd(Odd::record(at, what)));
        match (head.item, self.expect) {
            (Item::Version, _) => {
                let edition = number(content, 0);
                if edition != 2 {
                    return Err(Odd::unlooked(self.start, format!("it is of edition {edition}, which is not known")));
                }
                self.expect = Expect::Prelude;
            }
            (Item::Entry | Item::OldEntry, _) => {
                let (mode, stat, zero) = stat(head.item, content);
                let is_known = [0o040_000, 0o100_000, 0o120_000, 0o060_000, 0o020_000, 0o010_000, 0o140_000];
                if !is_known.contains(&(mode & TYPE)) || mode > TYPE | PERMISSIONS {
                    return Err(Odd::record(self.start, format!("the mode {mode:o} is that of nothing")));
                }
                if self.folders.is_empty() && mode & TYPE != 0o040_000 {
                    return Err(Odd::record(self.start, "the root of an archive is a folder, and this one is none"));
                }
                let (_, nanoseconds) = stat.modified;
                if nanoseconds >= 1_000_000_000 {
                    tell(self.start, &format!("a time has {nanoseconds} nanoseconds"));
                }
                if !zero {
                    tell(self.start, "a reserved field of metadata is not zero");
                }
                self.expect = Expect::Beside(mode, stat, 0);
            }
            (Item::Name, _) => self.name(content, each)?,
            // Its name ends with a NUL.
            (Item::Attribute, _) if content.iter().position(|byte| *byte == 0).unwrap_or(0) == 0 => {
                tell(self.start, "an extended attribute has no name");
            }
            (Item::Link, Expect::Beside(_, stat, _)) => {
                match text(content) {
                    Some(target) => self.member(MemberKind::Link(target.to_vec()), Some(stat), each),
                    None => tell(self.start, "the target of a link does not end with the only NUL in it"),
                }
                self.expect = Expect::Entries;
            }
            (Item::Device, Expect::Beside(mode, stat, _)) => {
                let device = Device { major: number(content, 0), minor: number(content, 8) };
                let is_block = mode & TYPE == 0o060_000;
                let kind = if is_block { MemberKind::Block(device) } else { MemberKind::Character(device) };
                self.member(kind, Some(stat), each);
                self.expect = Expect::Entries;
            }
            (Item::Reference, Expect::Beside(_, stat, _)) => self.reference(content, stat, each)?,
            (Item::Hard, _) => self.hard(content, each),
            _ => {}
        }
        Ok(())
    }

    /// Takes the name of an entry.
    fn name(&mut self, content: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        let Some(folder) = self.folders.last_mut() else { return Ok(()) };
        let start = self.start;
        let name = content.strip_suffix(&[0]).unwrap_or(content);
        let is_name = text(content).is_some() && is_file(name);
        if !is_name {
            let shown = printable(name);
            each(Event::Odd(Odd::record(start, format!("'{shown}' is no name of a file"))));
        }
        folder.lines.push(Line { hash: siphash::hash(name), start, length: 0, apart: 0 });
        self.remembered = self.remembered.saturating_add(1);
        if self.remembered > ENTRIES {
            let what =
                format!("more than {ENTRIES} entries wait for the ends of their folders, and no more are followed");
            return Err(Odd::unlooked(start, what));
        }
        self.path.truncate(folder.path);
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name);
        if self.path.len() > LONGEST_PATH {
            let what = format!("a path has more than {LONGEST_PATH} bytes, and no longer one is followed");
            return Err(Odd::unlooked(start, what));
        }
        self.begin = start;
        self.expect = Expect::Named;
        Ok(())
    }

    /// Takes the place of a file's content in the payloads.
    fn reference(&mut self, content: &[u8], stat: Stat, each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        let (at, length) = (number(content, 0), number(content, 8));
        if !self.split {
            return Err(Odd::record(self.start, "a file is in payloads, and the archive has none"));
        }
        let end = at.checked_add(HEAD as u64).and_then(|from| from.checked_add(length));
        let Some(end) = end.filter(|_| at >= self.apart) else {
            let what = format!(
                "a file is said to be at byte {at} of the payloads, and the one before it ends at {}",
                self.apart
            );
            return Err(Odd::record(self.start, what));
        };
        self.apart = end;
        if let Some(line) = self.folders.last_mut().and_then(|folder| folder.lines.last_mut()) {
            line.apart = length;
        }
        self.file(Content::Apart { at, length }, stat, each);
        Ok(())
    }

    /// Takes a hard link.
    fn hard(&mut self, content: &[u8], each: &mut dyn FnMut(Event<'_>)) {
        let (back, target) = content.split_at_checked(8).unwrap_or((content, &[]));
        let back = number(back, 0);
        let found = text(target).zip(self.begin.checked_sub(back));
        let known = found.is_some_and(|(path, at)| self.files.noted(file_key(at, path)) > 0);
        let path = target.strip_suffix(&[0]).unwrap_or(target);
        if !known {
            let shown = printable(path);
            let what =
                format!("a hard link leads {back} bytes back to '{shown}', and no file of that path begins there");
            let is_known_of_all = self.filed <= FILES;
            let odd = if is_known_of_all { Odd::record(self.start, what) } else { Odd::unlooked(self.start, what) };
            each(Event::Odd(odd));
        }
        self.member(MemberKind::Hard(path.to_vec()), None, each);
        self.expect = Expect::Entries;
    }
}
