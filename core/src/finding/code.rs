//! `Code`: the stable, numbered kinds of findings, with severity, summary and advice.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "json")]
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How much a kind of finding weighs for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "lowercase"))]
pub enum Severity {
    /// Worth a look; fails only a strict run.
    Warning,
    /// Something could not be read or judged.
    Inconclusive,
    /// Something a set needs is not what its index says.
    Damage,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $severity:ident, $summary:literal, $advice:literal;)*) => {
        /// A kind of finding. Numbers and names are stable: they are never reused or renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $variant = $number,)* }

        impl Code {
            /// Every code, by number.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number, as printed after `HW`.
            #[must_use]
            pub fn number(self) -> u16 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The name: a stable word for scripts.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How much it weighs.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What it means, in half a sentence.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// What to do, in one sentence.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

codes! {
    /// An object that an index names is not there.
    Missing = 101, "missing", Damage, "an object that the index names is not there",
        "Copy the object back from another copy of the set, or back up again.";
    /// An object is shorter or longer than its index says.
    Length = 102, "length", Damage, "an object's length is not the one on record",
        "Copy the object again from where it came from; if it is the only copy, make a new backup now.";
    /// The bytes of an object are not the recorded ones.
    Digest = 103, "digest", Damage, "an object's bytes do not give the digest on record",
        "Copy the object again from where it came from; if it is the only copy, make a new backup now.";
    /// Compressed bytes cannot be decompressed.
    Encoding = 104, "encoding", Damage, "the compressed bytes of an object are broken",
        "Copy the object again from where it came from; if it is the only copy, make a new backup now.";
    /// A part of an index cannot be understood.
    Malformed = 111, "malformed-index", Damage, "a part of an index cannot be understood",
        "Bring the index back from another copy of the set; what it lists cannot be restored without it.";
    /// Two neighbouring parts leave bytes out between them.
    Gap = 112, "gap", Damage, "bytes are missing between two parts of a chain",
        "Use a point in time before the gap, and make a new full backup.";
    /// Two neighbouring parts cover the same bytes.
    Overlap = 113, "overlap", Damage, "two parts of a chain cover the same bytes",
        "Use a point in time before the overlap, and make a new full backup.";
    /// Increments without the full backup that they build on.
    NoBase = 114, "missing-base", Damage, "increments have no full backup to build on",
        "Bring the full backup back from another copy; without it these increments restore nothing.";
    /// A signed manifest, its signature or the name of its key was changed.
    Signature = 115, "signature", Damage, "a signed manifest is not what was signed",
        "Copy the manifest again from another copy of the snapshot; if there is none, do not trust what it names.";
    /// A record inside the data contradicts itself or its neighbours.
    Record = 121, "record", Damage, "a record inside the data contradicts itself",
        "The source was damaged before it was backed up: run the database's own checks on it (fstest, fsrefs).";
    /// The OID index does not fit the records.
    OidIndex = 122, "oid-index", Damage, "a saved OID index does not fit the records it indexes",
        "Delete that .index file: the database rebuilds it from the records when it opens.";
    /// Something could not be read; that is not damage.
    Unreadable = 201, "unreadable", Inconclusive, "something could not be read, which says nothing about its bytes",
        "Mend the permission, mount or disk that the message names, then verify again.";
    /// A data file that no index line mentions.
    Unlisted = 202, "unlisted", Inconclusive, "a data file that no index lists, so nothing says what it should be",
        "Run the backup again: it finishes the interrupted run or sets the file aside.";
    /// A chain has no index at all.
    NoIndex = 203, "no-index", Inconclusive, "a backup without an index, so nothing says what it should be",
        "Bring the index back from another copy, or run the backup again: it finishes or replaces this one.";
    /// Something is encrypted, or its digest is of a kind that cannot be worked out.
    Unverifiable = 204, "unverifiable", Inconclusive, "an object that cannot be judged without its key",
        "Give the key that it was encrypted with, or have its owner verify it.";
    /// A snapshot without a manifest.
    Unfinished = 205, "unfinished", Inconclusive, "a snapshot without a manifest, so nothing says what it should be",
        "Verify again when no backup is running; if it is the same then, the backup was interrupted, or its manifest \
         is lost.";
    /// A manifest that the key at hand does not prove.
    Unproven = 206, "unproven", Inconclusive, "a manifest that is signed, or should be, and that the key at hand does not prove",
        "Verify with the key that it was signed with; if that is this one, the manifest was changed.";
    /// A snapshot where nothing looks for one.
    Misnamed = 207, "misnamed", Inconclusive, "a snapshot under a name that nothing reads",
        "Rename it to the name that the message gives, then verify again; do not remove it, as its chunks may be the \
         only ones.";
    /// A store that its engine changed at each look.
    Moved = 208, "moved", Inconclusive, "a store that changed faster than it could be looked at",
        "Make a checkpoint of it and verify that: highwater checkpoint STORE DEST --verify.";
    /// An object that was listed where the set was made, and could not be fetched.
    NotHad = 209, "not-had", Inconclusive, "an object that a mirror lacks, as it could not be fetched",
        "Sync again, which asks for it once more; if the bucket has it no more, nothing else can bring it back.";
    /// A series of points whose newest sound one is older than it may be.
    Outdated = 210, "outdated", Inconclusive, "the newest sound point is older than it may be",
        "Find out why no backup was made since: look at the log of its timer, and back up now.";
    /// A file that does not belong to the set.
    Stray = 301, "stray", Warning, "a file that does not belong to the set",
        "Nothing needs it; look at it, then move it away.";
    /// A work file that an interrupted run left behind.
    Temporary = 302, "temporary", Warning, "a work file of a run that is still going on or was interrupted",
        "If no backup is running, it can be deleted; highwater's own are removed by its next backup.";
    /// A point without a saved OID index.
    NoOidIndex = 303, "no-oid-index", Warning, "a point in time without a saved OID index",
        "Nothing is lost: the database rebuilds the index when it opens, which takes a while.";
    /// A record that the database accepts with a warning.
    OddRecord = 304, "odd-record", Warning, "a record that the database accepts, but warns about",
        "Run the database's own checks (fstest) on the source.";
    /// A file that a running backup has not listed yet.
    BeingWritten = 305, "being-written", Warning, "a file that a backup which is running now has not listed yet",
        "Verify again when the backup is done.";
    /// An index with something in it that nothing reads and nothing covers.
    OddIndex = 306, "odd-index", Warning, "bytes of an index that nobody reads are not what they should be",
        "Nothing is lost; copy the index again from where it came from, as the disk may be failing.";
    /// A snapshot without a signature among others that have one.
    Unsigned = 307, "unsigned", Warning, "a snapshot that is not signed, and others of its group are",
        "Find out why: the key was taken out of the backup job, or somebody removed the signature; --strict makes it \
         count.";
    /// An index or a blob that the manifest beside it does not name.
    Unnamed = 308, "unnamed", Warning, "an archive in a snapshot whose manifest does not name it",
        "Compare the manifest with another copy of it before anything is removed: the archive may have been dropped \
         from it.";
    /// A group without an owner.
    NoOwner = 309, "no-owner", Warning, "a group without the file that says whose it is",
        "Write the owner into the file again, as in root@pam: a server leaves a group without it out.";
    /// The last entry of the newest log of a store is not whole.
    TornTail = 310, "torn-tail", Warning, "the newest log of a store ends in the middle of an entry",
        "Nothing to do if the store's program was killed or is running: it cuts such an end off when it opens the \
         store.";
    /// Transactions that are committed and wait to be taken into the files that were looked at.
    Pending = 311, "pending", Warning, "committed transactions that a store has not taken into its database yet",
        "Nothing to do if the store's program is running; otherwise start it, and it takes them in.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HW{}", self.number())
    }
}

/// The text is neither a code's number nor its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no finding code; `highwater explain` lists them all")]
pub struct UnknownCode(pub String);

impl FromStr for Code {
    type Err = UnknownCode;

    /// Reads `HW103`, `hw103`, `103` or `digest`.
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let bare = text.strip_prefix("HW").or_else(|| text.strip_prefix("hw")).unwrap_or(text);
        let found = Self::ALL.iter().find(|code| code.number().to_string() == bare || code.name() == text);
        found.copied().ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

#[cfg(feature = "json")]
impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "json")]
impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_parse_back() {
        for (i, code) in Code::ALL.iter().enumerate() {
            assert_eq!(code.to_string().parse(), Ok(*code));
            assert_eq!(code.name().parse(), Ok(*code));
            assert!(Code::ALL[..i].iter().all(|c| c.number() < code.number() && c.name() != code.name()));
            let page = code.page();
            assert!(page.contains(code.name()) && page.len() > 200, "{code}: {page}");
        }
        assert!("HW999".parse::<Code>().is_err());
    }
}
