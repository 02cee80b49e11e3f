//! `pxar`: the trees of files in archives of a datastore, read as a stream of bytes that nobody vouches for.
//!
//! An archive is a stream of items: 8 bytes type, 8 bytes length with these 16, content; all numbers are little-endian.
//! A tree is written depth first. An entry is the item of its name (the root has none), the item of its metadata, then
//! its extended attributes, access control lists, capabilities and quota project, then what it holds: a payload, a
//! target, a device, or, of a folder, its entries and a *goodbye* table, which finds each of them by a hash of its name
//! from the end of the archive. A hard link is a name and the way back to the name of a file before it. In a *split*
//! archive (`.mpxar`, `.ppxar`; edition 2) the contents of files lie in a stream of their own, and the tree has their
//! places in it.
//!
//! Format: that of `pxar` 1.0, as Proxmox Backup Server 4.2 stores it; split archives since its 3.3 of 2024.
//!
//! What is kept in memory is bounded whatever an archive says: entries whose folder is not over, files that a hard link
//! may lead to, contents of a split archive, and the length of a path. What is beyond that is said to be not looked at.

mod content;
mod item;
mod member;
mod payloads;
mod reader;
mod siphash;
mod table;

pub use member::{Content, Device, Member, MemberKind, Stat};
pub use payloads::{Payloads, Places};
pub use reader::{Event, Reader};

pub(super) use reader::LONGEST_PATH;
pub(super) use siphash::hash;

use super::odd::Odd;
