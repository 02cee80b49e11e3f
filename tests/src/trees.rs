//! Trees of files as datastores archive them, written here from the table of the format, by chance or by hand; and what
//! the engine's reader says of one.

use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::ops::Range;

use highwater_core::codec::encode_blob;
use highwater_core::digest::{Algorithm, Digest, Hasher, sha256_of};
use highwater_core::formats::datastore::pxar::{Content, Event, MemberKind, Payloads, Places, Reader};
use highwater_core::formats::datastore::{New, NewFile, Odd, names};

use crate::dice::Dice;
use crate::repo::Image;

/// The item of a name.
pub const NAME: u64 = 0x1670_1121_0639_17b3;
/// The item of metadata.
pub const ENTRY: u64 = 0xd595_6474_e588_acef;
/// The item of a hard link.
pub const HARD: u64 = 0x5126_9c84_22bd_7275;
/// The item of a file's content.
pub const PAYLOAD: u64 = 0x2814_7a1b_0b7c_1a25;
/// The item of a folder's table.
pub const GOODBYE: u64 = 0x2fec_4fa6_42d5_731d;
const OLD: u64 = 0x11da_850a_1c1c_ceff;
const VERSION: u64 = 0x730f_6c75_df16_a40d;
const PRELUDE: u64 = 0xe309_d79d_9f7b_771b;
const LINK: u64 = 0x27f9_71e7_dbf5_dc5f;
const DEVICE: u64 = 0x9fc9_e906_586d_5ce9;
const REFERENCE: u64 = 0x419d_3d6b_c4ba_977e;
const BEGIN: u64 = 0x834c_68c2_194a_4ed2;
const END: u64 = 0x6c72_b78b_984c_81b5;
const LAST: u64 = 0xef5e_ed5b_753e_1555;

/// What may stand between metadata and content, in its order: attributes, lists, capabilities, a quota project.
const BESIDE: [(u64, usize); 7] = [
    (0x0dab_0229_b57d_cd03, 11),
    (0x0dab_0229_b57d_cd03, 9),
    (0x2ce8_540a_457d_55b8, 16),
    (0x1086_8031_e958_2876, 8),
    (0xbbbb_1341_5a68_96f5, 32),
    (0x2da9_dd9d_b5f7_fb67, 20),
    (0xe075_40e8_2f7d_1cbb, 8),
];

/// An entry of a folder.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: Vec<u8>,
    /// What it is.
    pub what: What,
    /// It has everything that may stand beside its metadata.
    pub beside: bool,
}

/// What an entry is.
#[derive(Debug, Clone)]
pub enum What {
    /// A folder.
    Folder(Vec<Entry>),
    /// A file.
    File(Vec<u8>),
    /// A symbolic link.
    Link(Vec<u8>),
    /// Another name of the file of this path.
    Hard(Vec<u8>),
    /// A block device.
    Block,
    /// A character device.
    Character,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
}

impl Entry {
    /// One with nothing beside its metadata.
    pub fn new(name: &[u8], what: What) -> Self {
        Self { name: name.to_vec(), what, beside: false }
    }
}

/// An archive, and what is known of its bytes.
#[derive(Debug, Clone, Default)]
pub struct Archive {
    /// The tree; of an archive that is not split, all of it.
    pub tree: Vec<u8>,
    /// The payloads of a split one.
    pub payloads: Option<Vec<u8>>,
    /// Bytes of the tree that nothing in the archive covers, each with what it is.
    pub free: Vec<(Range<usize>, &'static str)>,
    /// The same of the payloads.
    pub free_apart: Vec<Range<usize>>,
    /// Every entry: its path, and a word with what it holds.
    pub members: Vec<(Vec<u8>, String)>,
    /// Metadata as the first edition has it.
    old: bool,
    starts: BTreeMap<Vec<u8>, usize>,
}

/// An item.
pub fn item(kind: u64, content: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(16 + content.len() as u64).to_le_bytes(), content].concat()
}

/// Metadata of a mode.
pub fn entry(mode: u64) -> Vec<u8> {
    let words = [mode, 0, 1000 << 32 | 1000, 1_750_086_400, 7];
    item(ENTRY, words.map(u64::to_le_bytes).as_flattened())
}

/// A whole archive of what is in its root.
pub fn archive(root: &[Entry], split: bool, old: bool) -> Archive {
    let mut archive = Archive { payloads: split.then(|| item(BEGIN, &[])), old, ..Archive::default() };
    if split {
        archive.tree.extend(item(VERSION, &2u64.to_le_bytes()));
        archive.beside(PRELUDE, b"anything", "the prelude");
    }
    archive.folder(root, &[], false);
    if let Some(payloads) = &mut archive.payloads {
        payloads.extend(item(END, &[]));
    }
    archive
}

impl Archive {
    /// These bytes, whatever they are; with payloads, if it is the tree of a split one.
    pub fn of(tree: Vec<u8>, payloads: Option<Vec<u8>>) -> Self {
        Self { tree, payloads, ..Self::default() }
    }

    fn free(&mut self, range: Range<usize>, what: &'static str) {
        self.free.push((range, what));
    }

    /// An item of whose content nothing is covered but that it is there.
    fn beside(&mut self, kind: u64, content: &[u8], what: &'static str) {
        let at = self.tree.len() + 16;
        self.tree.extend(item(kind, content));
        self.free(at..at + content.len(), what);
    }

    fn stat(&mut self, mode: u64) {
        let at = self.tree.len() + 16;
        if self.old {
            let words = [mode, 0, 1000 << 32 | 1000, 1_750_086_400_000_000_007];
            self.tree.extend(item(OLD, words.map(u64::to_le_bytes).as_flattened()));
        } else {
            self.tree.extend(entry(mode));
        }
        self.free(at..at + 2, "permissions");
        self.free(at + 8..at + 32 + if self.old { 0 } else { 4 }, "flags, owner and time");
    }

    fn extras(&mut self) {
        for (kind, length) in BESIDE {
            let mut content = vec![7; length];
            content[1] = 0;
            self.beside(kind, &content, "attributes, lists, capabilities, quota");
        }
    }

    fn folder(&mut self, entries: &[Entry], path: &[u8], beside: bool) {
        let at = self.tree.len();
        self.stat(0o040_755);
        if beside {
            self.extras();
        }
        self.members.push((path.to_vec(), "folder".to_owned()));
        let mut lines = Vec::new();
        for entry in entries {
            let begin = self.tree.len();
            let below = if path.is_empty() { entry.name.clone() } else { [path, b"/", &entry.name].concat() };
            self.starts.insert(below.clone(), begin);
            self.tree.extend(item(NAME, &[&entry.name[..], &[0]].concat()));
            let apart = self.entry(entry, &below, begin);
            lines.push((hash(&entry.name), begin, self.tree.len() - begin + apart));
        }
        self.tree.extend(goodbye(self.tree.len(), at, lines));
    }

    /// Gives the bytes that it has apart.
    fn entry(&mut self, entry: &Entry, path: &[u8], begin: usize) -> usize {
        let mode = match &entry.what {
            What::Folder(entries) => {
                self.folder(entries, path, entry.beside);
                return 0;
            }
            What::Hard(of) => {
                let back = (begin - self.starts[of]) as u64;
                self.tree.extend(item(HARD, &[&back.to_le_bytes()[..], of, &[0]].concat()));
                self.members.push((path.to_vec(), format!("hard {}", of.escape_ascii())));
                return 0;
            }
            What::File(_) => 0o100_644,
            What::Link(_) => 0o120_777,
            What::Block => 0o060_660,
            What::Character => 0o020_660,
            What::Pipe => 0o010_600,
            What::Socket => 0o140_600,
        };
        self.stat(mode);
        if entry.beside {
            self.extras();
        }
        let mut apart = 0;
        let word = match &entry.what {
            What::File(content) => {
                match &mut self.payloads {
                    None => self.beside(PAYLOAD, content, "the content of a file"),
                    Some(payloads) => {
                        apart = content.len();
                        let place = [payloads.len() as u64, apart as u64];
                        self.tree.extend(item(REFERENCE, place.map(u64::to_le_bytes).as_flattened()));
                        let at = payloads.len() + 16;
                        payloads.extend(item(PAYLOAD, content));
                        self.free_apart.push(at..at + apart);
                    }
                }
                format!("file {}", content.len())
            }
            What::Link(target) => {
                self.beside(LINK, &[&target[..], &[0]].concat(), "the target of a link");
                format!("link {}", target.escape_ascii())
            }
            What::Block | What::Character => {
                self.beside(DEVICE, &[[8; 8], [9; 8]].concat(), "the numbers of a device");
                "device".to_owned()
            }
            _ => "nothing".to_owned(),
        };
        self.members.push((path.to_vec(), word));
        apart
    }
}

/// A table at `at`, of the folder whose metadata is at `folder`, with these entries: hash, start and length.
pub fn goodbye(at: usize, folder: usize, mut lines: Vec<(u64, usize, usize)>) -> Vec<u8> {
    fn place(slot: usize, sorted: &mut impl Iterator<Item = [u64; 3]>, table: &mut [[u64; 3]]) {
        if slot < table.len() {
            place(2 * slot + 1, sorted, table);
            table[slot] = sorted.next().expect("as many as places");
            place(2 * slot + 2, sorted, table);
        }
    }
    lines.sort_unstable();
    let mut table = vec![[0; 3]; lines.len()];
    let mut sorted = lines.into_iter().map(|(hash, start, length)| [hash, (at - start) as u64, length as u64]);
    place(0, &mut sorted, &mut table);
    let length = 16 + 24 * (table.len() as u64 + 1);
    table.push([LAST, (at - folder) as u64, length]);
    let bytes: Vec<u8> = table.as_flattened().iter().flat_map(|word| word.to_le_bytes()).collect();
    item(GOODBYE, &bytes)
}

/// The hash of a name, by the standard library's SipHash.
pub fn hash(name: &[u8]) -> u64 {
    #[expect(deprecated, reason = "nothing else in the standard library is SipHash-2-4 with a key")]
    let mut hasher = std::hash::SipHasher::new_with_keys(0x83ac_3f1c_fbb4_50db, 0xaa4f_1b68_7936_9fbd);
    hasher.write(name);
    hasher.finish()
}

/// What a reader says of an archive, cut into pieces where `cut` says; with `skip`, what it does not look at is passed
/// over.
pub fn read(archive: &Archive, cut: &mut dyn FnMut() -> usize, skip: bool) -> (Vec<(Vec<u8>, String)>, Vec<Odd>) {
    let (mut members, mut odds, mut places) = (Vec::new(), Vec::new(), Places::default());
    let mut reader = Reader::new(archive.tree.len() as u64, archive.payloads.is_some());
    let mut rest = &archive.tree[..];
    let mut end = Ok(());
    while !rest.is_empty() && end.is_ok() {
        let (now, then) = rest.split_at(cut().clamp(1, rest.len()));
        rest = then;
        if skip && reader.skips() >= now.len() as u64 {
            reader.skip(now.len() as u64);
            continue;
        }
        end = reader.push(now, &mut |event| match event {
            Event::Odd(odd) => odds.push(odd),
            Event::Member(member) => {
                let word = match &member.kind {
                    MemberKind::Folder => "folder".to_owned(),
                    MemberKind::File(content) => {
                        if let Content::Apart { at, length } = content {
                            assert!(places.push(*at, *length));
                        }
                        format!("file {}", content.length())
                    }
                    MemberKind::Link(target) => format!("link {}", target.escape_ascii()),
                    MemberKind::Hard(of) => format!("hard {}", of.escape_ascii()),
                    MemberKind::Block(_) | MemberKind::Character(_) => "device".to_owned(),
                    MemberKind::Pipe | MemberKind::Socket => "nothing".to_owned(),
                };
                members.push((member.path.to_vec(), word));
            }
        });
    }
    odds.extend(end.and_then(|()| reader.end()).err());
    if let Some(bytes) = archive.payloads.as_ref().filter(|_| odds.is_empty()) {
        let mut payloads = Payloads::new(bytes.len() as u64, places);
        let mut rest = &bytes[..];
        let mut end = Ok(());
        while !rest.is_empty() && end.is_ok() {
            let (now, then) = rest.split_at(cut().clamp(1, rest.len()));
            rest = then;
            if skip && payloads.skips() >= now.len() as u64 {
                payloads.skip(now.len() as u64);
            } else {
                end = payloads.push(now);
            }
        }
        odds.extend(end.and_then(|()| payloads.end()).err());
    }
    (members, odds)
}

/// A tree with one of everything, in about two kilobytes. No file's length is a power of two: in a split archive, one
/// flipped bit of a table would do for whether it counts that.
pub fn sample() -> Vec<Entry> {
    let file = |name: &[u8], content: &[u8]| Entry::new(name, What::File(content.to_vec()));
    let all = Entry { beside: true, ..file(b"all", b"with everything beside it") };
    let inner =
        vec![file(b"one", b"one"), file(b"", b"").with(b"empty"), Entry::new(b"deep", What::Folder(Vec::new()))];
    vec![
        Entry { beside: true, ..Entry::new(b"folder", What::Folder(inner)) },
        all,
        Entry::new(b"link", What::Link(b"folder/one".to_vec())),
        Entry::new(b"hard", What::Hard(b"folder/one".to_vec())),
        Entry::new(b"block", What::Block),
        Entry::new(b"character", What::Character),
        Entry::new(b"pipe", What::Pipe),
        Entry::new(b"socket", What::Socket),
        file(b"last", &[5; 40]),
    ]
}

impl Entry {
    fn with(self, name: &[u8]) -> Self {
        Self { name: name.to_vec(), ..self }
    }
}

/// A tree made by chance.
pub fn random(dice: &mut Dice) -> Vec<Entry> {
    let mut files = Vec::new();
    grow(dice, 0, &[], &mut files)
}

fn grow(dice: &mut Dice, depth: u64, path: &[u8], files: &mut Vec<Vec<u8>>) -> Vec<Entry> {
    let count = dice.below(9);
    let mut entries = Vec::new();
    for number in 0..count {
        let name = format!("{}{number}", ["a", "name with spaces ", "\u{e9}", "..."][number as usize % 4]).into_bytes();
        let below = if path.is_empty() { name.clone() } else { [path, b"/", &name].concat() };
        let what = match dice.below(10) {
            0 | 1 if depth < 4 => What::Folder(grow(dice, depth + 1, &below, files)),
            2 => What::Link(vec![b'x'; 1 + dice.below(30) as usize]),
            3 => [What::Block, What::Character, What::Pipe, What::Socket][dice.below(4) as usize].clone(),
            4 if !files.is_empty() => What::Hard(files[dice.below(files.len() as u64) as usize].clone()),
            _ => {
                files.push(below);
                What::File(vec![3; dice.below(200) as usize])
            }
        };
        entries.push(Entry { name, what, beside: dice.below(5) == 0 });
    }
    entries
}

/// The snapshot of a store of archives.
pub const SNAPSHOT: &str = "host/h/2025-06-16T15:06:40Z";

/// A store whose one snapshot holds these archives, by the names of their files, each in chunks of so many bytes.
pub fn store(archives: &[(&str, &[u8])], chunk: usize) -> Image {
    let mut image = Image::new();
    image.insert(".lock".to_owned(), Vec::new());
    image.insert("host/h/owner".to_owned(), b"root@pam\n".to_vec());
    let mut files = Vec::new();
    for (name, bytes) in archives {
        let (mut lines, mut end) = (Vec::new(), 0u64);
        for piece in bytes.chunks(chunk) {
            let digest = sha256_of(piece);
            let object = names::chunk(&digest).expect("a chunk's name").to_string();
            image.insert(object, encode_blob(piece, &vec![0; piece.len() + 1], None));
            end += piece.len() as u64;
            lines.extend_from_slice(&end.to_le_bytes());
            lines.extend_from_slice(digest.as_bytes());
        }
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(&lines);
        let sum: Digest = hasher.finish();
        let mut index = vec![0x1c, 0x91, 0x4e, 0xa5, 0x19, 0xba, 0xb3, 0xcd];
        index.resize(32, 1);
        index.extend_from_slice(sum.as_bytes());
        index.resize(4096, 0);
        index.extend(lines);
        image.insert(format!("{SNAPSHOT}/{name}"), index);
        files.push(NewFile { name: (*name).to_owned(), size: end, sum });
    }
    let size = files.iter().map(|file| file.size).sum();
    let (kind, id) = ("host", "h");
    let manifest =
        New { kind, id, time: 1_750_086_400, files: &files, chunks: (1, 0), size, stored: size, key: None }.encode();
    let blob = encode_blob(&manifest, &vec![0; manifest.len() + 1], None);
    image.insert(format!("{SNAPSHOT}/index.json.blob"), blob);
    image
}
