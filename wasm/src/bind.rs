//! The JavaScript classes. Numbers are plain numbers: offsets stay exact below 2^53.
//!
//! A worker's whole life with them:
//!
//! ```js
//! const listing = new Listing();
//! files.forEach((file, number) => listing.add(file.name, false, number));
//! const survey = new Survey(listing, "repozo", "folder", "digest", undefined, false, 1, 1);
//! for (survey.step(); !survey.done(); survey.step()) {
//!     const wants = survey.wants();
//!     for (let i = 0; i < wants.length; i += 4) {
//!         const [id, number, at, length] = wants.subarray(i, i + 4);
//!         const some = Math.min(length, 4 << 20);
//!         const bytes = new Uint8Array(await files[number].slice(at, at + some).arrayBuffer());
//!         if (bytes.length < some) survey.last(id, bytes);
//!         else survey.bytes(id, bytes);
//!     }
//! }
//! const text = survey.finish().json();
//! ```

use std::collections::VecDeque;

use highwater_core::facts::Shape;
use highwater_core::formats;
use highwater_core::inspect::{Format, Kind, Of, Scope};
use highwater_core::key::{self, KeyFile};
use highwater_core::point::Point;
use highwater_core::report::{self, Depth};
use highwater_core::shard::Shard;
use highwater_core::{render, survey};
use wasm_bindgen::prelude::*;

use highwater_core::drive::restore;
use highwater_core::drive::{Answer, Drive, Event, Known, Want, What};

/// The key of encrypted sets.
#[wasm_bindgen]
pub struct Key(key::Key);

#[wasm_bindgen]
impl Key {
    /// The key in a key file; none when it takes a passphrase and that is empty.
    ///
    /// # Errors
    /// One sentence: a wrong passphrase, or what is wrong with the file.
    pub fn open(file: &[u8], passphrase: &str) -> Result<Option<Self>, JsError> {
        let file = KeyFile::parse(file).map_err(|message| JsError::new(&message))?;
        if file.is_locked() && passphrase.is_empty() {
            return Ok(None);
        }
        let key = file.open(passphrase.as_bytes()).map_err(|message| JsError::new(&message))?;
        Ok(Some(Self(key)))
    }

    /// What names it in public.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    /// The key itself, for [`Survey`] and [`Restore`].
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn secret(&self) -> Vec<u8> {
        self.0.secret().to_vec()
    }
}

/// What was dropped: the entries of one root.
#[wasm_bindgen]
#[derive(Default)]
pub struct Listing(highwater_core::drive::listing::Listing);

#[wasm_bindgen]
impl Listing {
    /// No entries yet.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file or a folder by its name, which is known as `number`. False when no backup could have such a name.
    pub fn add(&mut self, name: &str, folder: bool, number: u32) -> bool {
        self.0.add(name, if folder { Kind::Folder } else { Kind::File }, number)
    }

    /// The name of the format that this looks like.
    #[must_use]
    pub fn format(&self) -> Option<String> {
        self.0.format().map(|format| format.facts().name.to_owned())
    }

    /// Whether that format has names with colons.
    #[must_use]
    pub fn colons(&self) -> bool {
        self.0.format().is_some_and(|format| format.facts().colons)
    }

    /// Whether points of that format are restored; others are used as they lie.
    #[must_use]
    pub fn restores(&self) -> bool {
        self.0.format().is_some_and(|format| !matches!(format.facts().shape, Shape::Nothing | Shape::Tree))
    }
}

/// One shard of one root on its way.
#[wasm_bindgen]
pub struct Survey {
    drive: Drive,
    /// News that was not told yet, and how many sets were.
    news: VecDeque<Event>,
    told: usize,
}

/// How much one piece of news tells of: a page that takes it in must not freeze.
const NEWS: usize = 4096;

#[wasm_bindgen]
impl Survey {
    /// Begins to look at part `part` of `parts` of a listing, as `format`, at a depth (`list`, `size`, `digest`,
    /// `deep`), at all points or at one; with the bytes of a key, at what is encrypted too.
    ///
    /// # Errors
    /// One sentence, when an argument is none of those words, or no point in time.
    #[wasm_bindgen(constructor)]
    #[expect(clippy::too_many_arguments, reason = "an object of options would need a parser of its own")]
    pub fn new(
        listing: Listing,
        format: &str,
        label: &str,
        depth: &str,
        point: Option<String>,
        strict: bool,
        part: u32,
        parts: u32,
        key: Option<Vec<u8>>,
    ) -> Result<Self, JsError> {
        let (format, depth, key) = (format_of(format)?, depth_of(depth)?, key_of(key)?);
        let shard = Shard::new(part.into(), parts.into()).ok_or_else(|| JsError::new("there is no such part"))?;
        let trails = depth >= format.facts().trails;
        let of = match point {
            None => Of::All,
            Some(point) => Of::Point(Some(point_of(format, &point)?)),
        };
        let scope = Scope::new(of).trailing(trails).keyed(key).part(shard);
        let options = survey::Options { label: label.to_owned(), format: Some(format), depth, strict, shard };
        let survey = survey::Survey::new(format.inspect(&scope), options);
        Ok(Self { drive: Drive::new(survey, depth, listing.0), news: VecDeque::new(), told: 0 })
    }

    /// Says that this host makes digests too: see `wants`.
    #[wasm_bindgen(js_name = askDigests)]
    pub fn ask_digests(&mut self) {
        self.drive.ask_digests();
    }

    /// Takes what has come as far as it goes.
    pub fn step(&mut self) {
        self.drive.step();
    }

    /// What to read now: number of the answer, number of the file, offset and how much at most, one after another. What
    /// comes of it may be less; the rest is wanted next. A length of -1 asks how long the file is, and -2 whether it is
    /// still what it was. A length of -3 asks for the SHA-256 of bytes in the module's own memory: then the number of
    /// the file is how many they are, and the offset where.
    pub fn wants(&mut self) -> Vec<f64> {
        let wants = self.drive.wants();
        let numbers = wants.iter().map(|want| match want.what {
            What::Digest => {
                let bytes = self.drive.offloaded(want.id).unwrap_or_default();
                [want.id.into(), bytes.len() as f64, bytes.as_ptr().addr() as f64, -3.0]
            }
            _ => numbers(want),
        });
        numbers.flatten().collect()
    }

    /// Takes bytes that want `id` asked for, at least one.
    pub fn bytes(&mut self, id: u32, bytes: Vec<u8>) {
        self.drive.answer(id, Answer::Bytes(bytes));
    }

    /// Takes those with which the file ends; maybe none.
    pub fn last(&mut self, id: u32, bytes: Vec<u8>) {
        self.drive.answer(id, Answer::Last(bytes));
    }

    /// Takes the length that want `id` asked for.
    pub fn length(&mut self, id: u32, length: u64) {
        self.drive.answer(id, Answer::Length(length));
    }

    /// Takes the digest that want `id` asked for.
    pub fn digest(&mut self, id: u32, digest: Vec<u8>) {
        self.drive.answer(id, Answer::Digest(digest));
    }

    /// Says that the file of want `id` is still what it was.
    pub fn unchanged(&mut self, id: u32) {
        self.drive.answer(id, Answer::Unchanged);
    }

    /// Says that what want `id` asked for cannot be read.
    pub fn failed(&mut self, id: u32, message: &str) {
        self.drive.answer(id, Answer::Failed(message.to_owned()));
    }

    /// Everything was checked.
    #[must_use]
    pub fn done(&self) -> bool {
        self.drive.is_done()
    }

    /// What became known since this was asked last, or as much of it as is told at a time. Every shard knows of all
    /// sets: one of them is to tell.
    pub fn told(&mut self, sets: bool) -> Updates {
        let mut updates = Updates::default();
        self.news.extend(self.drive.events());
        for event in self.news.drain(..self.news.len().min(NEWS)) {
            match event {
                Event::Claim { group, from, .. } => updates.claims.extend([group as f64, from as f64]),
                Event::Settled { number, known } => {
                    let known = match known {
                        Known::Sound => 1,
                        Known::Damaged => 2,
                        Known::Unreadable => 3,
                    };
                    updates.settled.extend([number, known]);
                }
            }
        }
        let new = self.drive.sets().get(self.told..).filter(|_| sets).unwrap_or_default();
        for set in new.iter().take(NEWS) {
            updates.sets.push(set.name.clone());
            updates.spans.extend([set.group as f64, set.bytes as f64]);
        }
        self.told += updates.sets.len();
        updates.more = !self.news.is_empty() || new.len() > updates.sets.len();
        let progress = self.drive.progress();
        updates.progress = vec![progress.done as f64, progress.expected as f64, f64::from(u8::from(progress.complete))];
        updates
    }

    /// The report. What was not checked by now is inconclusive.
    #[must_use]
    pub fn finish(self) -> Report {
        Report(self.drive.finish())
    }
}

/// News of a survey, as arrays for whoever draws them.
#[wasm_bindgen(getter_with_clone)]
#[derive(Default)]
pub struct Updates {
    /// For each new claim: its group of sets, and the first set that needs it.
    pub claims: Vec<f64>,
    /// Claims that were settled, by their number from 0, each with 1 (sound), 2 (damaged) or 3 (unreadable).
    pub settled: Vec<u32>,
    /// The names of new sets.
    pub sets: Vec<String>,
    /// For each of them: its group, and how long what it restores is.
    pub spans: Vec<f64>,
    /// Bytes hashed, bytes known of, and 1 when no more will be known of.
    pub progress: Vec<f64>,
    /// There is more to tell at once.
    pub more: bool,
}

/// A report: merges, and renders as the command line does.
#[wasm_bindgen]
pub struct Report(report::Report);

#[wasm_bindgen]
impl Report {
    /// A report of nothing, which merges with any other.
    ///
    /// # Errors
    /// One sentence, when that is no depth.
    pub fn empty(depth: &str, strict: bool) -> Result<Self, JsError> {
        Ok(Self(report::Report::empty(depth_of(depth)?, strict)))
    }

    /// Reads what [`Report::json`] wrote.
    ///
    /// # Errors
    /// One sentence, when that is no report.
    pub fn parse(text: &str) -> Result<Self, JsError> {
        Ok(Self(render::from_json(text)?))
    }

    /// Both as one.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self(self.0.merge(other.0))
    }

    /// The report as that of everything.
    #[must_use]
    pub fn whole(self) -> Self {
        Self(self.0.into_whole())
    }

    /// The verdict in a sentence: the last line of the text.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.text(false).lines().next_back().unwrap_or_default().to_owned()
    }

    /// What a page shows of it, as JSON: `verdict`, `coverage`, `tallies`, `findings`, and of each root its `label`,
    /// how many `points` it has, and the `newest` of them, so many at most, the newest first.
    #[must_use]
    pub fn digest(&self, newest: usize) -> String {
        let report = &self.0;
        let roots = report.roots.iter().map(|root| {
            let sets = report.sets.iter().filter(|set| set.root == root.label);
            let newest: Vec<_> = sets.clone().rev().take(newest).collect();
            serde_json::json!({ "label": root.label, "points": sets.count(), "newest": newest })
        });
        let roots: Vec<_> = roots.collect();
        let digest = serde_json::json!({
            "verdict": report.verdict, "coverage": report.coverage, "tallies": report.tallies,
            "findings": report.findings, "roots": roots,
        });
        digest.to_string()
    }

    /// As `highwater verify` prints it.
    #[must_use]
    pub fn text(&self, verbose: bool) -> String {
        render::text(&self.0, verbose)
    }

    /// As `highwater verify --json` writes it.
    #[must_use]
    pub fn json(&self) -> String {
        render::json(&self.0)
    }

    /// As `highwater verify --junit` writes it.
    #[must_use]
    pub fn junit(&self) -> String {
        render::junit(&self.0)
    }

    /// As `highwater verify --sarif` writes it.
    #[must_use]
    pub fn sarif(&self) -> String {
        render::sarif(&self.0)
    }

    /// As `highwater verify --summary` writes it.
    #[must_use]
    pub fn summary(&self) -> String {
        render::summary(&self.0)
    }
}

/// A restore on its way: reads go in as with a survey, checked bytes come out in order.
#[wasm_bindgen]
pub struct Restore(restore::Restore);

#[wasm_bindgen]
impl Restore {
    /// Begins to restore the newest point at or before `point`, or the archive that it names; with the bytes of a key,
    /// what is encrypted too.
    ///
    /// # Errors
    /// One sentence, when an argument is no format, no point in time, none that is restored, or no key.
    #[wasm_bindgen(constructor)]
    pub fn new(listing: Listing, format: &str, point: &str, key: Option<Vec<u8>>) -> Result<Self, JsError> {
        let (format, key) = (format_of(format)?, key_of(key)?);
        let at = point_of(format, point)?;
        at.restores().map_err(JsError::new)?;
        Ok(Self(restore::Restore::new(format, at, key, listing.0)))
    }

    /// The next checked bytes of what is restored; nothing when more must be read first. Call it until it gives
    /// nothing.
    ///
    /// # Errors
    /// One sentence, when the point cannot be restored: throw away what was written.
    pub fn step(&mut self) -> Result<Option<Vec<u8>>, JsError> {
        self.0.step().map_err(|message| JsError::new(&message))
    }

    /// As [`Survey::wants`].
    pub fn wants(&mut self) -> Vec<f64> {
        self.0.wants().iter().flat_map(numbers).collect()
    }

    /// As [`Survey::bytes`].
    pub fn bytes(&mut self, id: u32, bytes: Vec<u8>) {
        self.0.answer(id, Answer::Bytes(bytes));
    }

    /// As [`Survey::last`].
    pub fn last(&mut self, id: u32, bytes: Vec<u8>) {
        self.0.answer(id, Answer::Last(bytes));
    }

    /// As [`Survey::failed`].
    pub fn failed(&mut self, id: u32, message: &str) {
        self.0.answer(id, Answer::Failed(message.to_owned()));
    }

    /// Everything was given out, and is what was backed up.
    #[must_use]
    pub fn done(&self) -> bool {
        self.0.is_done()
    }

    /// How long what is restored is, in bytes, once the indices were read.
    #[must_use]
    pub fn end(&self) -> Option<f64> {
        self.0.end().map(|end| end as f64)
    }
}

/// A want as numbers.
fn numbers(want: &Want) -> [f64; 4] {
    let (at, length) = match want.what {
        What::Bytes { at, length } => (at as f64, length as f64),
        What::Length => (0.0, -1.0),
        What::Unchanged => (0.0, -2.0),
        What::Digest => (0.0, -3.0),
    };
    [want.id.into(), want.file.into(), at, length]
}

fn point_of(format: &dyn Format, text: &str) -> Result<Point, JsError> {
    format.point(text).map_err(|no| JsError::new(&no.to_string()))
}

fn format_of(name: &str) -> Result<&'static dyn Format, JsError> {
    formats::by_name(name).ok_or_else(|| JsError::new("there is no such format"))
}

fn key_of(bytes: Option<Vec<u8>>) -> Result<Option<key::Key>, JsError> {
    let Some(bytes) = bytes else { return Ok(None) };
    let secret = bytes.try_into().map_err(|_| JsError::new("a key has 32 bytes"))?;
    Ok(Some(key::Key::new(secret)))
}

fn depth_of(word: &str) -> Result<Depth, JsError> {
    match word {
        "list" => Ok(Depth::List),
        "size" => Ok(Depth::Size),
        "digest" => Ok(Depth::Digest),
        "deep" => Ok(Depth::Deep),
        _ => Err(JsError::new("there is no such depth")),
    }
}
