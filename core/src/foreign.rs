//! Names that file systems, storage boxes and desktops put into folders that are not theirs: nothing of a backup, and
//! no stray either.

/// Names as they are.
const NAMES: [&str; 17] = [
    "lost+found",
    ".zfs",
    ".snapshot",
    ".snapshots",
    "System Volume Information",
    "$RECYCLE.BIN",
    "@eaDir",
    "@Recycle",
    "@Recently-Snapshot",
    "#recycle",
    "#snapshot",
    ".DS_Store",
    ".Trashes",
    ".fseventsd",
    ".Spotlight-V100",
    "Thumbs.db",
    "desktop.ini",
];

/// What names begin with.
const PREFIXES: [&str; 2] = [".Trash-", ".nfs"];

/// Whether a name in a folder is one of them.
#[must_use]
pub fn is_foreign(name: &[u8]) -> bool {
    NAMES.iter().any(|known| known.as_bytes() == name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_put_into_folders_is_known_by_its_whole_name() {
        for name in ["lost+found", ".Trash-1000", ".DS_Store", "System Volume Information", "@eaDir", ".nfs0000000001"]
        {
            assert!(is_foreign(name.as_bytes()), "{name}");
        }
        for name in ["", "lost", "lost+found2", "Trash-1000", ".snapshot-of-mine", ".chunks", "vm", "ns"] {
            assert!(!is_foreign(name.as_bytes()), "{name}");
        }
    }
}
