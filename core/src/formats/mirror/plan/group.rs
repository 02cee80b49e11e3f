//! `Group`: all that inventory and index say of one key, as rows of the next index; its memory is used again.

use std::ops::Range;

use super::super::index::{Latest, Proof, Row, Seen};
use crate::inventory::{self, Etag};

/// The versions of a key.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) key: Vec<u8>,
    pub(super) versions: Vec<Version>,
    /// Versions and ETags, one behind the other.
    words: Vec<u8>,
    /// When each was the latest, one behind the other.
    spans: Vec<Seen>,
}

/// A version of a key.
#[derive(Debug, Clone)]
pub(super) struct Version {
    version: Range<usize>,
    /// The ETag, whose text is the next field if it is of no known form.
    etag: Etag<'static>,
    text: Range<usize>,
    pub(super) size: u64,
    pub(super) modified: (i64, u32),
    pub(super) marker: bool,
    pub(super) proof: Proof,
    own: Option<[u8; 32]>,
    pub(super) seen: Seen,
    spans: Range<usize>,
    /// The inventory lists it, and as the latest.
    pub(super) listed: bool,
    pub(super) says_latest: bool,
    /// It is the latest of the point that is planned.
    pub(super) latest: bool,
    /// It lies in the mirror, and as the latest of the point that is applied.
    pub(super) had: bool,
    pub(super) was_latest: bool,
    /// The index has it, and wants it.
    pub(super) known: bool,
    pub(super) wanted: bool,
    /// It was pruned.
    pub(super) pruned: bool,
    /// The index says that it was written at another time.
    pub(super) touched: bool,
    /// Which of the wanted rows of the next index is its, if it is wanted.
    pub(super) number: u64,
}

impl Group {
    /// Begins with another key.
    pub(super) fn begin(&mut self, key: &[u8]) {
        self.key.clear();
        self.key.extend_from_slice(key);
        self.versions.clear();
        self.words.clear();
        self.spans.clear();
    }

    fn keep(&mut self, word: &[u8]) -> Range<usize> {
        let from = self.words.len();
        self.words.extend_from_slice(word);
        from..self.words.len()
    }

    fn etag(&mut self, etag: Etag<'_>) -> (Etag<'static>, Range<usize>) {
        match etag {
            Etag::Plain(sum) => (Etag::Plain(sum), 0..0),
            Etag::Parts(sum, parts) => (Etag::Parts(sum, parts), 0..0),
            Etag::Other(text) => (Etag::Other(b""), self.keep(text)),
        }
    }

    /// Takes a row of the index, where `applied` is the point that the tree shows.
    pub(super) fn know(&mut self, row: &Row<'_>, applied: u32) {
        let (version, (etag, text)) = (self.keep(row.version), self.etag(row.etag));
        let from = self.spans.len();
        self.spans.extend(row.latest_spans());
        self.versions.push(Version {
            version,
            etag,
            text,
            size: row.size,
            modified: row.modified,
            marker: row.marker,
            proof: row.proof,
            own: row.own,
            seen: row.seen,
            spans: from..self.spans.len(),
            listed: false,
            says_latest: false,
            latest: false,
            had: !row.marker && !row.wanted && !row.pruned,
            was_latest: row.is_latest(applied),
            known: !row.pruned,
            wanted: row.wanted,
            pruned: row.pruned,
            touched: false,
            number: 0,
        });
    }

    /// Takes a row of the inventory of this point; false if one such was taken already.
    pub(super) fn list(&mut self, row: &inventory::Row<'_>, point: u32) -> bool {
        let etag = Etag::parse(row.etag);
        let is_it = |version: &Version| {
            version.marker == row.marker
                && self.words.get(version.version.clone()) == Some(row.version)
                && self.etag_of(version) == etag
        };
        let found = self.versions.iter().position(is_it);
        let seen = Seen { first: point, last: point };
        if let Some(version) = found.and_then(|at| self.versions.get_mut(at)) {
            version.says_latest |= row.latest;
            if std::mem::replace(&mut version.listed, true) {
                return false;
            }
            version.touched = version.modified != row.modified;
            version.modified = row.modified;
            version.seen.last = point;
            // One ETag, and another length: what lies there is not what is listed.
            if version.size != row.size {
                version.size = row.size;
                version.wanted = !version.marker && !version.pruned;
                (version.proof, version.own) = (Proof::Nothing, None);
            }
            return true;
        }
        let (version, (etag, text)) = (self.keep(row.version), self.etag(etag));
        self.versions.push(Version {
            version,
            etag,
            text,
            size: row.size,
            modified: row.modified,
            marker: row.marker,
            proof: Proof::Nothing,
            own: None,
            seen,
            spans: 0..0,
            listed: true,
            says_latest: row.latest,
            latest: false,
            had: false,
            was_latest: false,
            known: false,
            wanted: !row.marker,
            pruned: false,
            touched: false,
            number: 0,
        });
        true
    }

    /// Finds out which version is the latest in the point that is planned; false if the inventory does not say it of
    /// exactly one.
    pub(super) fn choose(&mut self) -> bool {
        let listed = || self.versions.iter().enumerate().filter(|(_, version)| version.listed);
        let said = listed().filter(|(_, version)| version.says_latest).count();
        let newest = listed()
            .filter(|(_, version)| version.says_latest || said == 0)
            .max_by_key(|(_, version)| (version.modified, self.words.get(version.version.clone())))
            .map(|(at, _)| at);
        let is_clear = said == 1 || newest.is_none();
        if let Some(version) = newest.and_then(|at| self.versions.get_mut(at)) {
            version.latest = true;
            // What was pruned is what the bucket shows again.
            version.wanted |= std::mem::take(&mut version.pruned);
        }
        is_clear
    }

    /// Puts the versions into the order of an index, and takes down when they are the latest.
    pub(super) fn settle(&mut self, point: u32) {
        let Self { versions, words, spans, .. } = self;
        for version in versions.iter_mut().filter(|version| version.latest) {
            let from = spans.len();
            spans.extend_from_within(version.spans.clone());
            match spans.get_mut(from..).and_then(<[Seen]>::last_mut) {
                Some(last) if last.last.saturating_add(1) == point => last.last = point,
                _ => spans.push(Seen { first: point, last: point }),
            }
            version.spans = from..spans.len();
        }
        let word = |range: &Range<usize>| words.get(range.clone()).unwrap_or_default();
        let etag = |version: &Version| match version.etag {
            Etag::Other(_) => Etag::Other(words.get(version.text.clone()).unwrap_or_default()),
            etag => etag,
        };
        versions.sort_by(|one, other| (word(&one.version), etag(one)).cmp(&(word(&other.version), etag(other))));
    }

    /// The version's word.
    pub(super) fn version_of(&self, version: &Version) -> &[u8] {
        self.words.get(version.version.clone()).unwrap_or_default()
    }

    /// Its ETag.
    pub(super) fn etag_of(&self, version: &Version) -> Etag<'_> {
        match version.etag {
            Etag::Plain(sum) => Etag::Plain(sum),
            Etag::Parts(sum, parts) => Etag::Parts(sum, parts),
            Etag::Other(_) => Etag::Other(self.words.get(version.text.clone()).unwrap_or_default()),
        }
    }

    /// When it was the latest.
    pub(super) fn spans_of(&self, version: &Version) -> &[Seen] {
        self.spans.get(version.spans.clone()).unwrap_or_default()
    }

    /// Says anew which points have the version of this number, and when it was the latest: spans in order, which may
    /// touch. One that is `pruned` has no bytes from now on.
    pub(super) fn renew(&mut self, at: usize, pruned: bool, seen: Seen, spans: &[Seen]) {
        let Some(version) = self.versions.get_mut(at) else { return };
        let from = self.spans.len();
        for span in spans {
            match self.spans.get_mut(from..).and_then(<[Seen]>::last_mut) {
                Some(last) if last.last.saturating_add(1) >= span.first => last.last = span.last,
                _ => self.spans.push(*span),
            }
        }
        (version.spans, version.seen) = (from..self.spans.len(), seen);
        if pruned {
            (version.pruned, version.wanted, version.proof, version.own) = (true, false, Proof::Nothing, None);
        }
    }

    /// Its row in the next index: as long as it was not fetched, it is wanted.
    pub(super) fn row(&self, version: &Version) -> Row<'_> {
        let latest = match self.spans_of(version) {
            [] => Latest::Never,
            [all] if *all == version.seen => Latest::Seen,
            spans => Latest::Spans(spans),
        };
        Row {
            key: &self.key,
            version: self.version_of(version),
            etag: self.etag_of(version),
            size: version.size,
            modified: version.modified,
            marker: version.marker,
            wanted: version.wanted,
            pruned: version.pruned,
            proof: version.proof,
            own: version.own,
            seen: version.seen,
            latest,
        }
    }
}
