//! `Header`: the one block of a member that every reader knows (IEEE Std 1003.1-2001, ustar Interchange Format).

use super::BLOCK;

/// A header on its way.
pub(super) struct Header([u8; BLOCK]);

/// Whether a number has the seven octal digits of a short field.
pub(super) fn fits_in_eight(value: u64) -> bool {
    value <= 0o7_777_777
}

/// Whether a number has the eleven octal digits of a long field.
pub(super) fn fits_in_twelve(value: u64) -> bool {
    value <= 0o77_777_777_777
}

impl Header {
    /// That of a member of this type, with permissions.
    pub(super) fn new(flag: u8, mode: u32) -> Self {
        let mut header = Self([0; BLOCK]);
        header.put(100, format!("{mode:07o}").as_bytes());
        header.put(156, &[flag]);
        header.put(257, b"ustar\x0000");
        header.put(329, b"0000000\x000000000");
        header
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(field) = self.0.get_mut(at..at.saturating_add(bytes.len())) {
            field.copy_from_slice(bytes);
        }
    }

    /// Puts a path in; false where it does not fit, and then as much of it as does.
    pub(super) fn name(&mut self, path: &[u8]) -> bool {
        if path.len() <= 100 {
            self.put(0, path);
            return true;
        }
        // The slash between the two parts is in neither; a last one belongs to the name.
        let last = path.len().saturating_sub(1).min(156);
        let cut = path.iter().take(last).rposition(|byte| *byte == b'/');
        if let Some((prefix, name)) = cut.and_then(|cut| path.split_at_checked(cut))
            && let Some(name) = name.strip_prefix(b"/").filter(|name| name.len() <= 100 && !name.is_empty())
        {
            self.put(345, prefix);
            self.put(0, name);
            return true;
        }
        self.put(0, path.get(..100).unwrap_or(path));
        false
    }

    /// Puts the text of a link in; false where it does not fit.
    pub(super) fn link(&mut self, text: &[u8]) -> bool {
        self.put(157, text.get(..100).unwrap_or(text));
        text.len() <= 100
    }

    /// Puts user and group, size and time in; 0 for what does not fit.
    pub(super) fn numbers(&mut self, (uid, gid): (u64, u64), size: u64, seconds: u64) {
        for (at, value) in [(108, uid), (116, gid)] {
            let value = if fits_in_eight(value) { value } else { 0 };
            self.put(at, format!("{value:07o}").as_bytes());
        }
        for (at, value) in [(124, size), (136, seconds)] {
            let value = if fits_in_twelve(value) { value } else { 0 };
            self.put(at, format!("{value:011o}").as_bytes());
        }
    }

    /// The block, with its sum.
    pub(super) fn finish(mut self) -> [u8; BLOCK] {
        self.put(148, b"        ");
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.put(148, format!("{sum:06o}\0").as_bytes());
        self.0
    }
}
