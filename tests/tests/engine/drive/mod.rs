//! The browser's drive comes to the native command's report, byte for byte, in whatever order its reads are answered.

mod facts;
mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use highwater::store::{Files, Links};
use highwater::watch::Watch;
use highwater_core::claim::Sum;
use highwater_core::codec::member::{HEADER, Lengths, header};
use highwater_core::digest::{Algorithm, md5_of, sha256_of};
use highwater_core::drive::listing::Listing;
use highwater_core::drive::restore::Restore;
use highwater_core::drive::{Answer, Drive, Event, Known, Want, What};
use highwater_core::formats::by_name;
use highwater_core::inspect::{self, Of, Scope};
use highwater_core::key::Key;
use highwater_core::marks::Marker;
use highwater_core::render;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::shard::Shard;
use highwater_core::survey::{Options, Survey};
use highwater_tests::dice::Dice;
use highwater_tests::harm::harmed;
use highwater_tests::repo::{Image, Sample, sample, store};
use highwater_tests::repository::{decoded, is_data_file};
use highwater_tests::score::{Score, size};
use highwater_tests::specimens::{self, Case, Point};

/// The most that the host reads at a time.
const PIECE: u64 = 1 << 20;

const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];

fn survey(depth: Depth, shard: Shard) -> Survey {
    survey_of(REPOZO, depth, shard)
}

/// A format, and the key of what is encrypted.
type Kind = (&'static str, Option<Key>);

const REPOZO: Kind = ("repozo", None);

fn survey_of((format, key): Kind, depth: Depth, shard: Shard) -> Survey {
    let format = by_name(format).expect("a known format");
    let options = Options { label: "set".to_owned(), format: Some(format), depth, strict: false, shard };
    Survey::new(format.inspect(&Scope::new(Of::All).trailing(depth == Depth::Deep).keyed(key)), options)
}

/// The files of a set and the folders they are in.
fn listed(image: &Image) -> Listing {
    let mut listing = Listing::default();
    let mut folders = BTreeSet::new();
    for (number, name) in image.keys().enumerate() {
        assert!(listing.add(name, inspect::Kind::File, u32::try_from(number).expect("a number")));
        folders.extend(name.match_indices('/').map(|(at, _)| &name[..at]));
    }
    folders.iter().for_each(|name| assert!(listing.add(name, inspect::Kind::Folder, u32::MAX)));
    listing
}

/// The native command's report on the files of a folder.
fn native(kind: Kind, folder: &Path, depth: Depth) -> Report {
    let survey = survey_of(kind, depth, Shard::WHOLE);
    let watch = Watch::silent();
    let root = Files::open(folder, Links::Beneath).expect("a folder");
    highwater::drive::run(&root, survey, depth, &watch, &mut |_, _| {}).expect("it ends").finish()
}

/// A host in memory that answers in an order of its own.
struct Host<'a> {
    files: Vec<&'a [u8]>,
    dice: Dice,
    /// Files that cannot be read from some offset on; those from the very last on were replaced.
    failing: BTreeMap<usize, u64>,
}

impl Host<'_> {
    fn answer(&mut self, want: &Want) -> Answer {
        let number = usize::try_from(want.file).expect("a number");
        let file = self.files[number];
        match want.what {
            What::Length => Answer::Length(file.len() as u64),
            What::Unchanged if self.failing.get(&number) == Some(&u64::MAX) => {
                Answer::Failed("it is another".to_owned())
            }
            What::Unchanged => Answer::Unchanged,
            What::Digest => panic!("its bytes are not in a file"),
            What::Bytes { at, length } => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(file.len());
                // Most of it, or a little.
                let most = if self.dice.below(2) == 0 { PIECE } else { 1 + self.dice.below(300) };
                let end = at + length.min(most);
                if self.failing.get(&number).is_some_and(|from| end > *from) {
                    return Answer::Failed("it was not meant to be".to_owned());
                }
                let bytes = file[place(at)..place(end)].to_vec();
                // That it is the end may be known only when it is looked for.
                let sure = end > file.len() as u64;
                if sure && (bytes.is_empty() || self.dice.below(2) == 0) {
                    Answer::Last(bytes)
                } else {
                    Answer::Bytes(bytes)
                }
            }
        }
    }
}

impl Host<'_> {
    /// The digest of `bytes`; now and then it has none.
    fn digest(&mut self, bytes: &[u8]) -> Answer {
        match self.dice.below(10) {
            0 => Answer::Failed("it has no time".to_owned()),
            1 => Answer::Digest(vec![1; 20]),
            2 => Answer::Unchanged,
            _ => Answer::Digest(sha256_of(bytes).as_bytes().to_vec()),
        }
    }
}

/// What a drive came to, and the most reads that were waited for at a time.
struct Driven {
    report: Report,
    events: Vec<Event>,
    under_way: usize,
    /// How many digests it asked for.
    digests: usize,
    /// How much there is was known before all of it was checked.
    foreseen: bool,
}

/// Drives a survey over `image`, answering several reads at a time, in any order.
fn driven(image: &Image, depth: Depth, shard: Shard, dice: Dice, failing: &[(&str, u64)]) -> Driven {
    driven_over(image, survey(depth, shard), depth, dice, failing)
}

fn driven_over(image: &Image, survey: Survey, depth: Depth, dice: Dice, failing: &[(&str, u64)]) -> Driven {
    let place = |name: &str| image.keys().position(|other| other == name).expect("a file of the set");
    let failing = failing.iter().map(|(name, from)| (place(name), *from)).collect();
    let mut host = Host { files: image.values().map(Vec::as_slice).collect(), dice, failing };
    let mut drive = Drive::new(survey, depth, listed(image));
    let (mut digests, lends) = (Vec::new(), host.dice.below(4) > 0);
    if lends {
        drive.ask_digests();
    }
    let (mut waiting, mut events, mut under_way, mut foreseen) = (Vec::<Want>::new(), Vec::new(), 0, false);
    loop {
        drive.step();
        events.extend(drive.events());
        if drive.is_done() {
            break;
        }
        waiting.extend(drive.wants());
        assert!(!waiting.is_empty(), "it waits for nothing");
        under_way = waiting.len().max(under_way);
        foreseen |= drive.progress().complete;
        for _ in 0..1 + host.dice.below(5) {
            if waiting.is_empty() {
                break;
            }
            let at = usize::try_from(host.dice.below(waiting.len() as u64)).expect("a place");
            let want = waiting.swap_remove(at);
            let answer = match want.what {
                What::Digest => {
                    digests.push(want.id);
                    host.digest(drive.offloaded(want.id).expect("its bytes"))
                }
                _ => host.answer(&want),
            };
            drive.answer(want.id, answer);
        }
        // An answer that nobody asked for changes nothing.
        drive.answer(u32::MAX, Answer::Length(1));
    }
    let progress = drive.progress();
    assert!(progress.complete && (lends || digests.is_empty()));
    assert!(digests.iter().all(|id| drive.offloaded(*id).is_none()), "nothing is kept");
    let digests = digests.len();
    Driven { report: drive.finish(), events, under_way, digests, foreseen }
}

/// Bytes as gzip members of `size` bytes each, which say how long they are.
fn members(raw: &[u8], size: usize) -> Vec<u8> {
    let mut stored = Vec::new();
    for raw in raw.chunks(size) {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(raw).expect("memory");
        let deflated = deflate.finish().expect("memory");
        let mut crc = Crc::new();
        crc.update(raw);
        let number = |length: usize| u32::try_from(length).expect("a short member");
        let lengths = Lengths { stored: number(HEADER + deflated.len() + 8), decoded: number(raw.len()) };
        stored.extend(header(lengths));
        stored.extend(deflated);
        stored.extend(crc.sum().to_le_bytes());
        stored.extend(lengths.decoded.to_le_bytes());
    }
    stored
}

fn marks(data: &[u8], distance: u64) -> Vec<u8> {
    let mut marker = Marker::new(Algorithm::Md5, distance);
    marker.update(data);
    let expect = Sum { length: data.len() as u64, digest: md5_of(data) };
    marker.marks(expect).expect("all of it was taken").encode()
}

/// The sample with marks beside every data file.
fn marked(Sample { files, .. }: &Sample) -> Image {
    let folder = tempfile::tempdir().expect("a scratch folder");
    store(files, folder.path());
    let mut image = files.clone();
    for name in files.keys().filter(|name| is_data_file(name)) {
        image.insert(format!("{name}.marks"), marks(&decoded(&folder.path().join(name)), 1024));
    }
    image
}

/// A set whose only backup is stored in members, with marks at their borders: `borders` members to a mark.
fn in_members(borders: u64) -> Image {
    const MEMBER: usize = 64 * 1024;
    let data: Vec<u8> = (0..600_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 12).to_le_bytes()).collect();
    let stem = "2026-03-01-00-00-00";
    let dat = format!("r/{stem}.fsz 0 {} {}\n", data.len(), md5_of(&data));
    Image::from([
        (format!("{stem}.dat"), dat.into_bytes()),
        (format!("{stem}.fsz.marks"), marks(&data, borders * MEMBER as u64)),
        (format!("{stem}.fsz"), members(&data, MEMBER)),
    ])
}

/// Compares both for one set, whole and in shards.
fn compare(kind: Kind, image: &Image, folder: &Path, dice: &mut Dice, score: &mut Score) {
    specimens::lay(image, folder);
    for depth in DEPTHS {
        let wanted = render::json(&native(kind.clone(), folder, depth));
        let parts = 1 + dice.below(4);
        let mut merged = Report::empty(depth, false);
        for part in 1..=parts {
            let shard = Shard::new(part, parts).expect("a part");
            let survey = survey_of(kind.clone(), depth, shard);
            let Driven { report, events, .. } = driven_over(image, survey, depth, Dice::new(dice.bits()), &[]);
            places(&report, &events, kind.0);
            merged = merged.merge(report);
        }
        score.ran(1);
        let found = render::json(&merged.into_whole());
        if found != wanted {
            score.fail(format!("{depth:?} in {parts} parts: {:?}\n{wanted}\n{found}", image.keys()));
        }
    }
}

/// Every claim is told with a point and its group, for whoever draws them, and settled once.
fn places(report: &Report, events: &[Event], what: &str) {
    let mut settled = Vec::new();
    let mut claims = 0;
    for event in events {
        match event {
            Event::Claim { number, group, from } => {
                assert_eq!(*number, claims, "{what}");
                claims += 1;
                let set = &report.sets[usize::try_from(*from).expect("a number")];
                assert_eq!(set.group, *group, "{what}: {}", set.name);
            }
            Event::Settled { number, known } => {
                assert!(matches!(known, Known::Sound | Known::Damaged | Known::Unreadable));
                settled.push(*number);
            }
        }
    }
    settled.sort_unstable();
    assert_eq!(settled, (0..claims).collect::<Vec<u32>>(), "{what}");
}

#[test]
fn any_order_of_answers_gives_the_native_report() {
    for specimen in specimens::all() {
        let mut score = Score::part("the browser's drive", specimen.name());
        let mut dice = Dice::new(5);
        let folder = tempfile::tempdir().expect("a scratch folder");
        let folder = folder.path().join("set");
        let small = specimen.small();
        let kind = |key| (specimen.name(), key);
        for image in [&small.files, &Image::new()] {
            small.keys().into_iter().for_each(|key| compare(kind(key), image, &folder, &mut dice, &mut score));
        }
        for _ in 0..size(60, 1_500) {
            let key = dice.pick(&small.keys()).clone();
            let image = specimen.harmed(&small.files, &mut dice).1;
            compare(kind(key), &image, &folder, &mut dice, &mut score);
        }
        score.end();
    }
}

#[test]
fn every_damage_gets_the_report_of_a_host_in_memory() {
    let (mut dice, mut asked) = (Dice::new(71), 0);
    for specimen in specimens::all() {
        let mut score = Score::part("the browser's drive", &format!("{}, damages", specimen.name()));
        for sample in specimen.samples() {
            for (case, key) in specimen.damages(&sample).flat_map(|case| {
                let with = |key| (case.clone(), key);
                sample.keys().into_iter().map(with).collect::<Vec<_>>()
            }) {
                let depth = *dice.pick(&[Depth::Digest, Depth::Digest, Depth::Deep, Depth::List]);
                let survey = survey_of((specimen.name(), key.clone()), depth, Shard::WHOLE);
                let Driven { report, events, digests, .. } =
                    driven_over(&case.files, survey, depth, Dice::new(dice.bits()), &[]);
                asked += digests;
                let wanted = render::json(&specimen.host(depth, key.clone()).report(&case.files, "set"));
                let found = render::json(&report);
                score.ran(1);
                if found != wanted {
                    let Case { name, .. } = &case;
                    score.fail(format!("{name} at {depth:?}, key {}: {found}\nnot {wanted}", key.is_some()));
                }
                places(&report, &events, &case.name);
            }
        }
        score.end();
    }
    assert!(asked > 1000, "{asked} digests were asked for");
}

#[test]
fn marks_change_no_report() {
    let mut score = Score::part("the browser's drive", "marks");
    let sample = sample();
    let mut dice = Dice::new(5);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let folder = folder.path().join("set");
    let mut bases = vec![marked(&sample), in_members(1), in_members(4)];
    // Marks that fit no border of a member.
    bases.push(Image::from_iter(in_members(1).into_iter().map(|(name, bytes)| {
        let odd = name.ends_with(".marks");
        (name, if odd { in_members(2).remove("2026-03-01-00-00-00.fsz.marks").expect("marks") } else { bytes })
    })));
    for image in &bases {
        compare(REPOZO, image, &folder, &mut dice, &mut score);
    }
    // More than a mark expects behind the last segment, and less in it.
    for image in &bases[..2] {
        for name in image.keys().filter(|name| is_data_file(name)) {
            for change in [-1, 1, 700] {
                let mut image = image.clone();
                let bytes = image.get_mut(name).expect("its bytes");
                bytes.resize(bytes.len().saturating_add_signed(change), 0);
                compare(REPOZO, &image, &folder, &mut dice, &mut score);
            }
        }
    }
    for number in 0..size(80, 2_000) {
        let base = &bases[if number % 8 == 0 { 1 + usize::from(number % 16 == 0) } else { 0 }];
        compare(REPOZO, &harmed(base, &mut dice).1, &folder, &mut dice, &mut score);
    }
    score.end();
}

#[test]
fn marks_are_used_and_say_where_the_damage_is() {
    for (mut image, wanted) in [(in_members(1), 2_400_000), (marked(&sample()), 0)] {
        let report = driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(1), &[]).report;
        assert_eq!(report.verdict, Soundness::Sound);
        let bytes = report.coverage.bytes;
        assert!(report.coverage.marked == wanted || wanted == 0 && report.coverage.marked > 0, "{report:?}");
        assert!(report.coverage.marked <= bytes);
        let name = image.keys().find(|name| name.ends_with(".fs") || name.ends_with(".fsz")).expect("a full").clone();
        if name.ends_with(".fs") {
            image.get_mut(&name).expect("its bytes")[2000] ^= 1;
            let report = driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(1), &[]).report;
            let note = report.findings.first().expect("a finding");
            assert!(note.offset == Some(1024) && note.message.contains("in bytes 1024-2047"), "{note:?}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_not_damage_and_every_claim_is_settled_once() {
    let image = marked(&sample());
    let names: Vec<&String> = image.keys().filter(|name| !name.ends_with(".marks")).collect();
    for name in names {
        for from in [0, 100] {
            let long = image[name].len() as u64 > from;
            let Driven { report, events, .. } =
                driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(from), &[(name, from)]);
            let (mut begun, mut settled) = (Vec::new(), BTreeMap::new());
            for event in events {
                match event {
                    Event::Claim { number, .. } => begun.push(number),
                    Event::Settled { number, known } => {
                        assert!(settled.insert(number, known).is_none(), "{number} is settled twice");
                        assert_ne!(known, Known::Damaged, "{name} from {from}");
                    }
                }
            }
            assert!(begun.iter().copied().eq(0..u32::try_from(begun.len()).expect("a few")), "{begun:?}");
            assert!(begun.iter().eq(settled.keys()), "{begun:?} {settled:?}");
            let unreadable = long && !name.ends_with(".index");
            let wanted = if unreadable { Soundness::Inconclusive } else { Soundness::Sound };
            assert_eq!(report.verdict, wanted, "{name} from {from}: {report:?}");
        }
    }
}

#[test]
fn damage_is_said_only_of_a_file_that_is_still_the_same() {
    for mut image in [sample().files, marked(&sample())] {
        let name = image.keys().find(|name| is_data_file(name)).expect("a data file").clone();
        image.entry(name.clone()).and_modify(|bytes| bytes[0] ^= 1);
        let verdict = |failing: &[(&str, u64)]| {
            let Driven { report, .. } = driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(5), failing);
            (report.verdict, report.tallies.contains_key("unreadable"))
        };
        assert_eq!(verdict(&[]), (Soundness::Damaged, false));
        assert_eq!(verdict(&[(&name, u64::MAX)]), (Soundness::Inconclusive, true));
    }
}

/// What a restore of `point` gives, with reads answered in any order; or why it cannot be.
fn restored(image: &Image, point: &str, dice: Dice) -> Result<Vec<u8>, String> {
    restored_of(REPOZO, image, point, dice)
}

fn restored_of((format, key): Kind, image: &Image, point: &str, dice: Dice) -> Result<Vec<u8>, String> {
    let mut host = Host { files: image.values().map(Vec::as_slice).collect(), dice, failing: BTreeMap::new() };
    let format = by_name(format).expect("a known format");
    let mut restore = Restore::new(format, format.point(point).expect("a point"), key, listed(image));
    let (mut waiting, mut out): (Vec<Want>, _) = (Vec::new(), Vec::new());
    loop {
        while let Some(bytes) = restore.step()? {
            out.extend(bytes);
        }
        if restore.is_done() {
            assert_eq!(restore.end(), Some(out.len() as u64));
            return Ok(out);
        }
        waiting.extend(restore.wants());
        let at = host.dice.below(waiting.len() as u64);
        let want = waiting.swap_remove(usize::try_from(at).expect("a place"));
        restore.answer(want.id, host.answer(&want));
    }
}

#[test]
fn every_point_is_restored_and_damage_is_refused() {
    let mut dice = Dice::new(72);
    for specimen in specimens::all() {
        for sample in specimen.samples() {
            assert!(sample.points.len() > 1, "{} has points", sample.name);
            let mut refused = 0;
            for Point { name, sum, sealed } in &sample.points {
                let mut restore =
                    |key, files: &Image| restored_of((specimen.name(), key), files, name, Dice::new(dice.bits()));
                let bytes = restore(sample.key(), &sample.files).unwrap_or_else(|why| panic!("{name}: {why}"));
                assert_eq!(sha256_of(&bytes).to_string(), *sum, "{name}");
                assert!(!sealed || restore(None, &sample.files).is_err(), "{name} is sealed");
                // Each file of a small sample is harmed, and every sixth of another; what is given all the same is
                // right.
                let step = if sample.is_small() { 1 } else { 6 };
                for (file, whole) in sample.files.iter().step_by(step).filter(|(_, bytes)| !bytes.is_empty()) {
                    let mut files = sample.files.clone();
                    files.get_mut(file).expect("its bytes")[whole.len() / 2] ^= 1;
                    match restore(sample.key(), &files) {
                        Ok(bytes) => assert_eq!(sha256_of(&bytes).to_string(), *sum, "{name} with harm to {file}"),
                        Err(_) => refused += 1,
                    }
                    files.remove(file);
                    match restore(sample.key(), &files) {
                        Ok(bytes) => assert_eq!(sha256_of(&bytes).to_string(), *sum, "{name} without {file}"),
                        Err(_) => refused += 1,
                    }
                }
                // The last byte of all that is stored: of every chunk and every data file.
                let mut files = sample.files.clone();
                files.values_mut().filter_map(|bytes| bytes.last_mut()).for_each(|byte| *byte ^= 1);
                assert!(bytes.is_empty() || restore(sample.key(), &files).is_err(), "{name}");
            }
            assert!(refused >= sample.points.len(), "{}: {refused} were refused", sample.name);
        }
    }
}

#[test]
fn a_restore_that_is_refused_names_the_file() {
    let Sample { files, points, .. } = sample();
    assert!(restored(&files, "1999", Dice::new(1)).expect_err("there is none").contains("no point in time"));
    let newest = &points.last().expect("a point").0;
    // The second chain: its full backup, its index, and an increment in the middle.
    for ending in [".fs", ".dat", ".deltafsz"] {
        let name = files.keys().rfind(|name| name.ends_with(ending)).expect("a file of the kind");
        let mut image = files.clone();
        let bytes = image.get_mut(name).expect("its bytes");
        // Of the index, the last digest's last digit: what its lines say of folders is not looked at.
        let at = if ending == ".dat" { bytes.len() - 2 } else { bytes.len() / 2 };
        bytes[at] ^= 1;
        let why = restored(&image, newest, Dice::new(2)).expect_err(name);
        let told = if ending == ".dat" { ".deltafs" } else { name.as_str() };
        assert!(why.contains(told), "{name}: {why}");
        image.remove(name);
        let why = restored(&image, newest, Dice::new(2)).expect_err(name);
        assert!(ending == ".dat" || why.contains("is missing") && why.contains(name), "{name}: {why}");
    }
}

#[test]
fn memory_stays_bounded_whatever_the_set() {
    // A hundred backups that claim 100 GB each, in files of a few bytes.
    let mut image = Image::new();
    let sum = "d41d8cd98f00b204e9800998ecf8427e";
    let line = |number: u64| {
        let kind = if number == 0 { "fs" } else { "deltafs" };
        let name = format!("2026-03-01-00-{:02}-{:02}.{kind}", number / 60, number % 60);
        let (start, end) = (number * 100_000_000_000, (number + 1) * 100_000_000_000);
        (name.clone(), format!("r/{name} {start} {end} {sum}\n"))
    };
    let (names, lines): (Vec<String>, Vec<String>) = (0..100).map(line).unzip();
    image.extend(names.into_iter().map(|name| (name, b"short".to_vec())));
    image.insert("2026-03-01-00-00-00.dat".to_owned(), lines.concat().into_bytes());
    let Driven { report, under_way, foreseen, .. } = driven(&image, Depth::Digest, Shard::WHOLE, Dice::new(1), &[]);
    assert_eq!((report.verdict, report.tallies["length"]), (Soundness::Damaged, 100));
    assert!(foreseen);
    assert!(under_way > 12 && under_way <= 18, "{under_way} reads are waited for");
}
