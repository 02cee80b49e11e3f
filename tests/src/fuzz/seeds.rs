//! Inputs that each target starts from, and the words that its inputs are made of.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use highwater_core::claim::Sum;
use highwater_core::codec::member::{Lengths, header};
use highwater_core::digest::{Algorithm, md5_of};
use highwater_core::filestorage::{Indexer, Walk, encode};
use highwater_core::finding::Code;
use highwater_core::marks::Marker;
use highwater_core::render::json;
use highwater_core::report::Depth;

use super::feed::NUMBERS;
use crate::memory::Host;
use crate::repo::{Data, Image};
use crate::specimens::repozo::set::{COMPRESS, MAKE_DATS, MAKE_INDICES, packed};

pub(crate) static NAME_WORDS: &[&[u8]] = &[
    b"2026-03-01-00-00-00",
    b".fs",
    b".fsz",
    b".deltafs",
    b".deltafsz",
    b".dat",
    b".index",
    b".highwater-tmp",
    b"..",
    b"/",
    b"\\x00",
    b"\xe2\x80\xae",
    b"tmp.tmp",
    b"HW103",
    b"digest",
    b"1/8",
    b"2026-03",
    b"T",
    b"Z",
    b"\n",
];
pub(crate) static DAT_WORDS: &[&[u8]] = &[
    b"/repo/2026-03-01-00-00-00.fs 0 ",
    b"2026-03-01-00-01-00.deltafs ",
    b".deltafsz ",
    b" 18446744073709551615 ",
    b" -1 ",
    b"d41d8cd98f00b204e9800998ecf8427e",
    b"\r\n",
    b"\x0b",
    b"\xc2\xa0",
    b"\\",
    b"/",
];
pub(crate) static LINE_WORDS: &[&[u8]] =
    &[b"\r\n", b"\n", b"\r", b"\xfe\x40x", b"\xfe\xffx", b"\xfe\x3f\n", b"\xfe\x40\r"];
pub(crate) static GZIP_WORDS: &[&[u8]] =
    &[b"\x1f\x8b\x08", b"\x00\x00\x00\x00\x00\x00\x00\x00", b"\x03\x00", b"\x01\x00\x00\xff\xff", b"HW\x08\x00"];
pub(crate) static MARK_WORDS: &[&[u8]] = &[
    b"HWMARKS\x01",
    b"\x01\x0a",
    b"\x02\x0a",
    b"\x00\x04\x00\x00\x00\x00\x00\x00",
    b"\x01\x04\x00\x00\x00\x00\x00\x00",
    b"\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x0c\x00HW\x08\x00",
];
pub(crate) static RECORD_WORDS: &[&[u8]] = &[
    b"FS30",
    b"FS21",
    b"\x00\x00\x00\x00\x00\x00\x00\x17",
    b"\x00\x00\x00\x00\x00\x00\x00\x2a",
    b" ",
    b"p",
    b"c",
    b"u",
];
pub(crate) static INDEX_WORDS: &[&[u8]] = &[
    b"\x80\x03",
    b"\x80\x01",
    b"C\x06\x00\x00\x00\x00\x00\x00",
    b"C\x08",
    b"B\x00\x08\x00\x00",
    b"T\x08\x00\x00\x00",
    b"U\x06",
    b"\x86.",
    b"t.",
    b"(",
    b"N.",
    b"K\x04.",
    b"J",
    b"M",
    b"\x8a\x08",
    b"\x8a\x09",
    b"L18446744073709551615L\n.",
    b"I7\n.",
    b"}",
];
pub(crate) static REPORT_WORDS: &[&[u8]] = &[
    b"\"schema\": 2",
    b"\"tallies\": {",
    b"\"digest\": 1",
    b"\"shards\": [",
    b"\"1/1\"",
    b"\"2/3\"",
    b"\"sound\"",
    b"\"damaged\"",
    b"null",
    b"true",
    b"\\u001b",
    b"\\ud800",
    b"18446744073709551615",
    b"-1",
    b"1e400",
    b"[",
    b"{",
    b"\0",
];
pub(crate) static RENDER_WORDS: &[&[u8]] = &[
    b"]]>",
    b"<!--",
    b"::error::",
    b"\x1b[2J",
    b"\xe2\x80\xae",
    b"&#0;",
    b"%0A",
    b"`",
    b"|",
    b"\\",
    b"\n",
    b"\xef\xbf\xbe",
];
pub(crate) static SET_WORDS: &[&[u8]] = &[
    b"/r/2026-03-01-00-00-00.fs 0 ",
    b"2026-03-01-00-01-00.deltafs ",
    b" 0 0 d41d8cd98f00b204e9800998ecf8427e\n",
    b"FS30",
    b"\x04\x00\x00",
    b"\x05\x00\x00",
    b"\x0a\x00\x00",
    b"\x1f\x8b\x08",
    b"C\x06\x00\x00\x00\x00\x00\x00",
    b"\n",
];

fn owned(texts: &[&[u8]]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.to_vec()).collect()
}

/// A `Data.fs` of some transactions, and where each ends.
fn data(transactions: u64) -> (Vec<u8>, Vec<usize>) {
    let (mut data, mut ends) = (Data::new(3), Vec::new());
    for number in 0..transactions {
        data.commit(&[(number % 3, 5), (number, 11 * usize::from(number % 2 == 0))]);
        ends.push(data.bytes.len());
    }
    (data.bytes, ends)
}

fn saved(file: &[u8]) -> Vec<u8> {
    let (mut walk, mut indexer) = (Walk::new(0, file.len() as u64), Indexer::default());
    walk.push(file, &mut indexer);
    let mut out = Vec::new();
    encode(&indexer.finish().expect("a short file"), walk.end(), &mut |piece| out.extend_from_slice(piece));
    out
}

fn member(content: &[u8], builder: GzBuilder, level: u32) -> Vec<u8> {
    let mut member = builder.write(Vec::new(), Compression::new(level));
    member.write_all(content).expect("memory");
    member.finish().expect("memory")
}

pub(crate) fn names() -> Vec<Vec<u8>> {
    let endings = [".fs", ".fsz", ".deltafs", ".deltafsz", ".dat", ".index", ".fs.set-aside", ".fs.highwater-tmp"];
    let mut seeds: Vec<Vec<u8>> = endings.iter().map(|end| format!("2026-03-01-00-00-00{end}").into_bytes()).collect();
    seeds.extend(owned(&[
        b"tmp.tmp",
        b".highwater.lock",
        b"a/b/../c",
        b"a\nb\\\xff\xe2\x80\xae\x1b[2J",
        b"/etc/passwd",
    ]));
    seeds
}

pub(crate) fn words() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = Code::ALL.iter().map(|code| code.to_string().into_bytes()).collect();
    let stems = "\n2026-03-01-00-00-00.fs\n2026-03-01-01-00-00.deltafs\n2026-03-02-00-00-00.deltafsz";
    for point in ["2026", "2026-03", "2026-03-01T01", "2026-03-01 01:00:00Z", "2026-03-01-01-00"] {
        seeds.push(format!("{point}{stems}").into_bytes());
    }
    seeds.extend(owned(&[
        b"digest",
        b"1/1\na",
        b"3/8\n2026-03-01-00-00-00.fs",
        b"d41d8cd98f00b204e9800998ecf8427e",
        b"HW999",
    ]));
    seeds
}

pub(crate) fn dat() -> Vec<Vec<u8>> {
    let sum = md5_of(b"");
    let good = format!(
        "/repo/2026-03-01-00-00-00.fs 0 100 {sum}\n/repo/2026-03-01-00-01-00.deltafsz 100 250 {sum}\n\
         my repo/2026-03-01-00-02-00.deltafs 250 250 {sum}\n"
    );
    let texts = [
        good.clone(),
        good.replace("100 250", "101 250"),
        good.replace("100 250", "99 250"),
        good.replace("/repo/", "C:\\repo\\"),
        good.replace(' ', "\t  "),
        good.replace('\n', "\r\n"),
        format!("x.fs 0 18446744073709551616 {sum}\n{good}"),
    ];
    texts.map(String::into_bytes).to_vec()
}

pub(crate) fn lines() -> Vec<Vec<u8>> {
    owned(&[b"one\r\n\ntwo\nno end", b"\xfe\x40x\n", b"\xfe\xffx\r\n", b"\xfe\x40xy\r\nz", b"a\xfe\x3f\n\xfe\x41\r\n"])
}

pub(crate) fn md5() -> Vec<Vec<u8>> {
    [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000].map(|length| vec![b'a'; length]).to_vec()
}

pub(crate) fn lanes() -> Vec<Vec<u8>> {
    // Sets of instructions, streams, rounds, kinds; chance says the rest.
    let mut seeds: Vec<Vec<u8>> = (0..6).map(|without| vec![without, 69, 3, 0x42 + without]).collect();
    seeds.extend([[0, 1, 3, 0x40], [0, 2, 1, 0], [0, 16, 3, 0x41], [0, 33, 1, 1]].map(|head| head.to_vec()));
    let lengths = |head: [u8; 4], length: fn(u8) -> u8| [&head[..], &[0, 1, 2, 3].map(length), &[7; 40]].concat();
    seeds.push(lengths([0, 17, 3, 0x40], |_| 151));
    seeds.push(lengths([0, 68, 3, 0x52], |number| 199 + number));
    seeds.push(lengths([2, 9, 2, 0x43], |number| 250 + number));
    seeds.push((0..120).map(|number: u8| number.wrapping_mul(37)).collect());
    seeds
}

pub(crate) fn marks() -> Vec<Vec<u8>> {
    let stream: Vec<u8> = (0..5000u32).flat_map(|number| number.to_le_bytes()).take(5000).collect();
    let mut seeds: Vec<Vec<u8>> = [Algorithm::Md5, Algorithm::Sha256]
        .map(|algorithm| {
            let mut marker = Marker::new(algorithm, 1024);
            marker.update(&stream);
            let expect = Sum { length: 5000, digest: marker.hasher().clone().finish() };
            marker.marks(expect).expect("all of it was taken").encode()
        })
        .to_vec();
    seeds.push(header(Lengths { stored: 1234, decoded: 5678 }).to_vec());
    // Files that say how long the stream is: as many marks as there are, one more, one less, and far too many.
    for how in [[2, 9], [1, 9], [3, 9], [0, 253]] {
        seeds.push([&[3, 0, 0][..], &how, &[7; 16 * 5]].concat());
    }
    // A stream of 5000 or 20,000 bytes, then changes of three bytes each: what, and where.
    for flags in [0, 4, 8, 0x2c, 0x10, 0x38] {
        let change = |changes: &[u8]| [&[flags, 0x13, 0x88, 9], changes].concat();
        seeds.extend([change(&[]), change(&[0x41, 4, 1]), change(&[0x63, 0, 99, 0x21, 6, 6])]);
    }
    let long = |flags: u8, changes: &[u8]| [&[flags, 0x4e, 0x20, 5], changes].concat();
    seeds.push(long(0, &[0, 3, 0, 0, 20, 0, 19, 0, 0]));
    // The last of them: forged marks, a mark in the place of another, cuts, what follows, and zeros between members.
    seeds.extend([long(0, &[0, 3, 0, 8, 0, 0]), long(4, &[7, 1, 2]), long(0, &[5, 9, 9]), long(0, &[6, 0, 1])]);
    // Marks that end before the stream does; a mark in which a bit is another.
    seeds.extend([long(0, &[3, 0, 0, 0, 60, 0]), long(4, &[2, 0, 20])]);
    seeds.extend([long(8, &[9, 0, 3]), long(8, &[0x9e - 5, 0, 3]), long(8, &[4, 0, 60]), long(0, &[8, 0, 2, 0, 3, 3])]);
    seeds
}

pub(crate) fn gunzip() -> Vec<Vec<u8>> {
    let text = b"to be, or not to be, that is the question: ".repeat(6);
    let plain = member(&text, GzBuilder::new(), 6);
    let full = GzBuilder::new().filename("name").comment("comment").extra(&b"HW\x08\x00abcdefgh"[..]);
    let full = member(&text, full, 9);
    let mut header_sum = plain.clone();
    header_sum[3] |= 2;
    header_sum.splice(10..10, [1, 2]);
    let mut seeds = vec![plain.clone(), full.clone(), header_sum, [&plain[..], &full, &[0; 40]].concat()];
    seeds.push(member(b"", GzBuilder::new(), 0));
    seeds.push(member(&[0; 30_000], GzBuilder::new(), 9));
    seeds.push(member(&text, GzBuilder::new(), 0));
    let raw = |member: &[u8]| [&[1], &member[10..member.len() - 8]].concat();
    let wrapped: Vec<Vec<u8>> = [&seeds[0], &seeds[4], &seeds[5], &seeds[6]].map(|member| raw(member)).to_vec();
    seeds = seeds.iter().map(|member| [&[0], &member[..]].concat()).collect();
    seeds.extend(wrapped);
    seeds
}

pub(crate) fn gzip() -> Vec<Vec<u8>> {
    let mut one = vec![1, 7, 0x67, 4];
    one.extend(b"name\x03why\x02HW\x00\x20");
    one.extend([b'x'; 32]);
    one.extend([9, 0x90, 0, 5]);
    one.extend(b"hello\x01");
    vec![one, vec![0, 0, 0, 0, 0, 0], [&[0, 1, 0x10, 1, 0][..], &[7; 256], &[3]].concat()]
}

pub(crate) fn claim() -> Vec<Vec<u8>> {
    let stored = gunzip();
    let mut seeds = Vec::new();
    for flags in [0, 1, 3, 5, 0x81, 0x91, 0xc1, 0xd1] {
        seeds.extend(stored.iter().take(3).map(|member| [&[flags, flags ^ 3], &member[1..]].concat()));
    }
    seeds
}

pub(crate) fn walk() -> Vec<Vec<u8>> {
    let (file, ends) = data(5);
    let status = |byte, at: usize| {
        let mut file = file.clone();
        file[at + 16] = byte;
        file
    };
    let mut seeds = vec![file.clone(), b"FS21".to_vec(), Vec::new(), file[..ends[3] + 30].to_vec()];
    seeds.extend([b'p', b'c', b'u', b'x', 0xff].map(|byte| status(byte, ends[1])));
    seeds.push([&file[..], &[0; 23]].concat());
    seeds
}

pub(crate) fn sane() -> Vec<Vec<u8>> {
    let (file, ends) = data(5);
    let pair = |index: &[u8], file: &[u8]| {
        let length = u16::try_from(index.len()).expect("a short index").to_be_bytes();
        [&length[..], index, file].concat()
    };
    let (whole, older) = (saved(&file), saved(&file[..ends[2]]));
    vec![
        pair(&whole, &file),
        pair(&older, &file),
        pair(&whole, &file[..ends[2]]),
        pair(&[200], &file),
        pair(&[], &file),
    ]
}

pub(crate) fn compose() -> Vec<Vec<u8>> {
    let plain = b"\x10\x01\x02me\x03why\x00\x01\x04data\x02\x05other".to_vec();
    let again = b"\x18\x05\x00\x00\x00\x01\x01a\x01\x01b\xff\x80\x00\x00\x00\x00\x00\x00\x01\x01c".to_vec();
    let odd = b"\x0f\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00\x00".to_vec();
    vec![[&plain[..], &again].concat(), plain, again, odd]
}

pub(crate) fn fsindex() -> Vec<Vec<u8>> {
    let (file, _) = data(9);
    let old = b"\x80\x01L2949673300L\n.\x80\x01(U\x06\0\0\0\0\0\0U\x08\0\x01\0\0\0\0\0\x04t.\x80\x01N.".to_vec();
    let none = b"\x80\x03K\x04.\x80\x03N.".to_vec();
    let wide = b"\x80\x03\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00.\x80\x03N.".to_vec();
    vec![saved(&file), old, none, wide, b"\x80\x03}.".to_vec(), b"I7\n.N.".to_vec()]
}

pub(crate) fn oids() -> Vec<Vec<u8>> {
    let mut dense = vec![4];
    (0..90).for_each(|number| dense.extend([2, number]));
    let mut wide = vec![240];
    for (number, _) in (0..).zip(NUMBERS) {
        wide.extend([number & 1, 240 + number, 4]);
    }
    vec![dense, wide, vec![250, 0, 5, 7, 15, 251, 6, 250, 6, 252]]
}

pub(crate) fn report() -> Vec<Vec<u8>> {
    let mut files = image();
    let sound = json(&Host::at(Depth::Deep).report(&files, "r"));
    let part = json(&Host::at(Depth::Digest).part(1, 2).report(&files, "r"));
    let rest = json(&Host::at(Depth::Digest).part(2, 2).report(&files, "r"));
    files.remove("2026-03-01-00-01-00.deltafs");
    files.insert("<notes>\u{202e}".to_owned(), Vec::new());
    let damaged = json(&Host::at(Depth::Deep).report(&files, "r"));
    let short = |text: &str| text.lines().map(str::trim_start).collect::<String>();
    let texts = [short(&sound), short(&damaged), format!("{}\0{}", short(&part), short(&rest))];
    texts.map(String::into_bytes).to_vec()
}

pub(crate) fn render() -> Vec<Vec<u8>> {
    let dice = crate::dice::Dice::new(9);
    let random = |length: usize, most: u64| {
        let mut dice = dice.clone();
        (0..length).map(|_| u8::try_from(dice.below(most)).expect("a byte")).collect::<Vec<u8>>()
    };
    vec![random(400, 5), random(800, 9), random(900, 100), random(600, 256), vec![1; 300]]
}

/// A small repository that is sound: a full backup, an increment, a gzipped increment, then another chain.
pub(crate) fn image() -> Image {
    let (file, ends) = data(6);
    let mut files = Image::new();
    let mut add = |name: &str, dat: &str, from: usize, to: usize| {
        let bytes = file[from..to].to_vec();
        let line = format!("/r/{name} {from} {to} {}\n", md5_of(&bytes));
        files.entry(dat.to_owned()).or_default().extend(line.bytes());
        let stem = name.split('.').next().unwrap_or_default();
        files.insert(format!("{stem}.index"), saved(&file[..to]));
        let stored = if name.ends_with('z') { member(&bytes, GzBuilder::new(), 6) } else { bytes };
        files.insert(name.to_owned(), stored);
    };
    let dat = "2026-03-01-00-00-00.dat";
    add("2026-03-01-00-00-00.fs", dat, 0, ends[1]);
    add("2026-03-01-00-01-00.deltafs", dat, ends[1], ends[2]);
    let dat = "2026-03-02-00-00-00.dat";
    add("2026-03-02-00-00-00.fsz", dat, 0, ends[3]);
    add("2026-03-02-00-01-00.deltafsz", dat, ends[3], ends[5]);
    files
}

pub(crate) fn set() -> Vec<Vec<u8>> {
    let files = image();
    // The same with what is gzipped stored plain, for the target to compress.
    let mut plain = files.clone();
    for (name, content) in plain.iter_mut().filter(|(name, _)| name.ends_with('z')) {
        *content = super::reference::gunzip(content).unwrap_or_else(|| panic!("{name} is gzip"));
    }
    let first = plain.iter().filter(|(name, _)| name.starts_with("2026-03-01"));
    let mut first: Image = first.map(|(name, content)| (name.clone(), content.clone())).collect();
    let mut seeds = vec![packed(0, &files), packed(MAKE_DATS | MAKE_INDICES | COMPRESS, &plain)];
    seeds.push(packed(MAKE_DATS | MAKE_INDICES, &first));
    seeds.push(packed(MAKE_DATS, &first));
    first.insert("notes".to_owned(), Vec::new());
    first.insert("2026-03-01-00-02-00.deltafs".to_owned(), b"x".to_vec());
    first.remove("2026-03-01-00-01-00.index");
    seeds.push(packed(0, &first));
    seeds
}

#[cfg(test)]
mod tests {
    use highwater_core::report::Soundness;

    use super::super::records::trusted;
    use super::*;
    use crate::specimens::repozo::set::unpacked;

    #[test]
    fn the_seeds_of_saved_indices_reach_both_ends_of_the_check() {
        let trusted: Vec<bool> = sane().iter().map(|seed| trusted(seed).is_ok()).collect();
        assert_eq!(trusted, [true, true, false, true, true]);
    }

    #[test]
    fn the_seeds_of_sets_are_sound_so_that_what_is_made_of_them_can_be() {
        let verdict = |seed: &Vec<u8>| Host::at(Depth::Deep).report(&unpacked(seed), "r").verdict;
        let verdicts: Vec<Soundness> = set().iter().map(verdict).collect();
        assert_eq!(verdicts[..4], [Soundness::Sound; 4]);
        assert_ne!(verdicts[4], Soundness::Sound);
        assert_eq!(unpacked(&set()[0]), image());
    }
}
