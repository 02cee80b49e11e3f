//! `Item`: the kinds of items that an archive is made of, and how long each may be.

use std::fmt;
use std::ops::RangeInclusive;

use super::Odd;
use super::member::Stat;
use crate::formats::datastore::names::LONGEST_FILE;

/// The bytes of an item before its content: its type and its length.
pub(super) const HEAD: usize = 16;

/// The longest extended attribute with its name, in bytes.
const LONGEST_ATTRIBUTE: u64 = 65_791;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Version,
    Prelude,
    Entry,
    /// As the first edition writes it, with its time in nanoseconds.
    OldEntry,
    Name,
    Attribute,
    Access,
    Capabilities,
    Quota,
    Payload,
    Reference,
    Link,
    Hard,
    Device,
    Goodbye,
    PayloadsBegin,
    PayloadsEnd,
}

/// The numbers of the types. Six are of access control lists, of which only the length is looked at.
const NUMBERS: [(u64, Item); 22] = [
    (0x730f_6c75_df16_a40d, Item::Version),
    (0xe309_d79d_9f7b_771b, Item::Prelude),
    (0xd595_6474_e588_acef, Item::Entry),
    (0x11da_850a_1c1c_ceff, Item::OldEntry),
    (0x1670_1121_0639_17b3, Item::Name),
    (0x0dab_0229_b57d_cd03, Item::Attribute),
    (0x2ce8_540a_457d_55b8, Item::Access),
    (0x136e_3ece_b04c_03ab, Item::Access),
    (0x1086_8031_e958_2876, Item::Access),
    (0xbbbb_1341_5a68_96f5, Item::Access),
    (0xc893_57b4_0532_cd1f, Item::Access),
    (0xf90a_8a58_1603_8ffe, Item::Access),
    (0x2da9_dd9d_b5f7_fb67, Item::Capabilities),
    (0xe075_40e8_2f7d_1cbb, Item::Quota),
    (0x2814_7a1b_0b7c_1a25, Item::Payload),
    (0x419d_3d6b_c4ba_977e, Item::Reference),
    (0x27f9_71e7_dbf5_dc5f, Item::Link),
    (0x5126_9c84_22bd_7275, Item::Hard),
    (0x9fc9_e906_586d_5ce9, Item::Device),
    (0x2fec_4fa6_42d5_731d, Item::Goodbye),
    (0x834c_68c2_194a_4ed2, Item::PayloadsBegin),
    (0x6c72_b78b_984c_81b5, Item::PayloadsEnd),
];

impl Item {
    fn of(number: u64) -> Option<Self> {
        NUMBERS.iter().find(|(of, _)| *of == number).map(|(_, item)| *item)
    }

    /// How many bytes its content may have.
    fn lengths(self) -> RangeInclusive<u64> {
        match self {
            Self::Version | Self::Quota => 8..=8,
            Self::Prelude | Self::Payload => 0..=u64::MAX,
            Self::Entry => 40..=40,
            Self::OldEntry => 32..=32,
            // With the NUL at their ends.
            Self::Name | Self::Link => 2..=LONGEST_FILE + 1,
            Self::Hard => 10..=LONGEST_FILE + 9,
            Self::Attribute => 2..=LONGEST_ATTRIBUTE,
            Self::Access => 8..=32,
            Self::Capabilities => 1..=LONGEST_ATTRIBUTE,
            Self::Reference | Self::Device => 16..=16,
            Self::Goodbye => 24..=u64::MAX,
            Self::PayloadsBegin | Self::PayloadsEnd => 0..=0,
        }
    }

    /// The place of what may stand between the metadata of an entry and its content; none for all else.
    pub(super) fn rank(self) -> Option<u8> {
        Some(match self {
            Self::Attribute => 1,
            Self::Access => 2,
            Self::Capabilities => 3,
            Self::Quota => 4,
            _ => return None,
        })
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "an edition",
            Self::Prelude => "a prelude",
            Self::Entry | Self::OldEntry => "metadata",
            Self::Name => "a name",
            Self::Attribute => "an extended attribute",
            Self::Access => "an access control list",
            Self::Capabilities => "capabilities",
            Self::Quota => "a quota project",
            Self::Payload => "a payload",
            Self::Reference => "the place of a payload",
            Self::Link => "the target of a link",
            Self::Hard => "a hard link",
            Self::Device => "a device",
            Self::Goodbye => "the table of a folder",
            Self::PayloadsBegin => "the begin of payloads",
            Self::PayloadsEnd => "the end of payloads",
        })
    }
}

/// What the first bytes of an item say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) item: Item,
    /// Bytes of content.
    pub(super) length: u64,
}

impl Head {
    /// Reads the first [`HEAD`] bytes of the item at `at` of an archive of so many bytes.
    pub(super) fn read(bytes: &[u8], at: u64, archive: u64) -> Result<Self, Odd> {
        let (kind, whole) = (number(bytes, 0), number(bytes, 8));
        let item =
            Item::of(kind).ok_or_else(|| Odd::record(at, format!("an item has the unknown type {kind:016x}")))?;
        let room = archive.saturating_sub(at);
        let length = whole.checked_sub(HEAD as u64).filter(|length| item.lengths().contains(length) && whole <= room);
        let access = item != Item::Access || whole % 8 == 0;
        match length.filter(|_| access) {
            Some(length) => Ok(Self { item, length }),
            None if whole > room => {
                Err(Odd::record(at, format!("the item of {item} has {whole} bytes, and {room} follow")))
            }
            None => Err(Odd::record(at, format!("the item of {item} has {whole} bytes, which none has"))),
        }
    }
}

/// The content of an item of metadata: mode with its type, and all else; the last tells a field that should be zero.
pub(super) fn stat(item: Item, content: &[u8]) -> (u64, Stat, bool) {
    let short = |at: usize| u32::from_le_bytes(*content.get(at..).and_then(<[u8]>::first_chunk).unwrap_or(&[0; 4]));
    let (mode, time) = (number(content, 0), number(content, 24));
    let (modified, zero) = if item == Item::OldEntry {
        const SECOND: u64 = 1_000_000_000;
        let second = i64::try_from(time / SECOND).unwrap_or(i64::MAX);
        ((second, u32::try_from(time % SECOND).unwrap_or_default()), true)
    } else {
        ((time.cast_signed(), short(32)), short(36) == 0)
    };
    let permissions = u32::try_from(mode & 0o7777).unwrap_or_default();
    (mode, Stat { mode: permissions, uid: short(16), gid: short(20), modified }, zero)
}

/// Bytes with a NUL at their end and none before it; `None` if they are not.
pub(super) fn text(content: &[u8]) -> Option<&[u8]> {
    content.strip_suffix(&[0]).filter(|text| !text.contains(&0))
}

/// The eight bytes at an offset as a number.
pub(super) fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*bytes.get(at..).and_then(<[u8]>::first_chunk).unwrap_or(&[0; 8]))
}
