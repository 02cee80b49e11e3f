//! What happens between `Data.fs` and its blobs: each at the very moment, by a source that does it there.

use std::fs;

use highwater::backup::tree::{Frozen, Lack, Set, Source, Zodb, ZodbOptions};
use highwater::disk::Disk;
use highwater::error::Error;
use highwater::watch::Watch;
use highwater_core::name::Name;
use serde_json::json;

use super::{Site, files_below, make, source};

/// A source that does something after `Data.fs` was kept and its blobs are known, and before any is read.
struct Between<'a> {
    inner: Zodb,
    freezes: u32,
    then: &'a mut (dyn FnMut(u32) -> Result<(), Error> + Send),
}

impl Source for Between<'_> {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn store(&self) -> &dyn Disk {
        self.inner.store()
    }

    fn freeze(&mut self, set: &Set<'_>, watch: &Watch<'_>) -> Result<Frozen, Error> {
        let frozen = self.inner.freeze(set, watch)?;
        self.freezes += 1;
        (self.then)(self.freezes)?;
        Ok(frozen)
    }

    fn lacks(&mut self, files: &[Name], watch: &Watch<'_>) -> Result<Lack, Error> {
        self.inner.lacks(files, watch)
    }

    fn thaw(&mut self, watch: &Watch<'_>) -> Result<(), Error> {
        self.inner.thaw(watch)
    }
}

impl Site {
    /// Makes a point; `then` is done at the moment. Gives what came of it, and how often the source was frozen.
    fn make_between(
        &mut self,
        mut then: impl FnMut(&mut Self, u32) -> Result<(), Error> + Send,
    ) -> (Result<highwater::backup::tree::TreeMade, Error>, u32) {
        let (inner, stamp) = (source(&self.path("var"), ZodbOptions::default()), self.clock.tick(60));
        let set = self.path("set");
        let mut then = |freezes| then(self, freezes);
        let mut between = Between { inner, freezes: 0, then: &mut then };
        let made = make(&mut between, &set, &stamp);
        (made, between.freezes)
    }
}

#[test]
fn a_pack_that_takes_blobs_away_meanwhile_is_survived() {
    for keep_old in [false, true] {
        let mut site = Site::new(json!({ "keep_old": keep_old }));
        site.commit(20);
        let (before, mut after) = (site.blobs().len(), 0);
        let (made, freezes) = site.make_between(|site, freezes| {
            if freezes == 1 {
                site.ask("pack", json!({}));
                after = site.blobs().len();
            }
            Ok(())
        });
        let point = made.expect("a point").point;
        assert!(after < before, "the pack took blobs away");
        assert_eq!(freezes, 2, "it was begun again once");
        assert_eq!(site.expect_good(&point, "out"), after as u64);
        assert_eq!(site.kept("fs").len(), 2, "Data.fs from before and from after the pack");
        // A pack that keeps what was gives every blob a second name, which is no reason to read it again.
        site.commit(1);
        site.ask("pack", json!({}));
        let (made, _) = site.make_between(|_, _| Ok(()));
        let read = made.expect("a point").read.0;
        assert!(read <= 4, "{read} files were read, of which at most 3 are new blobs");
        site.ours(&["verify", ":set"]).expect(0);
    }
}

#[test]
fn packs_without_end_are_given_up_and_said() {
    let mut site = Site::new(json!({ "keep_old": false }));
    let (made, freezes) = site.make_between(|site, _| {
        site.commit(10);
        site.ask("pack", json!({}));
        site.commit(10);
        site.ask("pack", json!({}));
        Ok(())
    });
    let error = made.expect_err("no point").to_string();
    assert!(error.contains("has gone on from what was frozen each of 5 times"), "{error}");
    assert_eq!((freezes, site.points()), (5, Vec::new()));
    site.back_up_now();
}

#[test]
fn what_is_committed_meanwhile_is_left_out() {
    let mut site = Site::plone(3);
    let last = site.commit(5);
    let (made, freezes) = site.make_between(|site, _| {
        site.commit(10);
        site.ask("undo", json!({}));
        Ok(())
    });
    let point = made.expect("a point").point;
    assert_eq!((freezes, site.transaction(&point)), (1, last));
    site.expect_good(&point, "out");
}

#[test]
fn a_run_that_ends_after_data_fs_leaves_no_point_and_the_next_goes_on_from_there() {
    let mut site = Site::plone(4);
    let (made, _) = site.make_between(|_, _| Err(Error::Interrupted));
    assert!(matches!(made, Err(Error::Interrupted)));
    assert_eq!((site.points(), site.kept("fs").len()), (Vec::new(), 1));
    // The repository is ahead of the points, which are none.
    site.ours(&["verify", ":set/repozo"]).expect(0);
    let point = site.back_up_now();
    assert_eq!((site.kept("fs").len(), site.kept("deltafs").len()), (1, 0), "nothing of Data.fs is kept twice");
    site.expect_good(&point, "out");
    // Ahead of a point, too.
    site.commit(3);
    let (made, _) = site.make_between(|_, _| Err(Error::Interrupted));
    assert!(made.is_err());
    site.ours(&["verify", ":set"]).expect(0);
    site.expect_good(&point, "out");
    let point = site.back_up_now();
    assert_eq!(site.kept("deltafs").len(), 1);
    site.expect_good(&point, "out");
}

#[test]
fn a_commit_that_is_not_finished_is_left_out_with_its_blob() {
    let mut site = Site::plone(5);
    let last = site.commit(3);
    let before = site.blobs().len();
    site.ask("half", json!({}));
    assert_eq!(site.blobs().len(), before + 1, "its blob is in its place");
    let point = site.back_up_now();
    assert_eq!(site.transaction(&point), last);
    assert_eq!(site.expect_good(&point, "out"), before as u64);
    site.ask("finish", json!({}));
    let point = site.back_up_now();
    assert!(site.transaction(&point) > last);
    assert_eq!(files_below(&site.path("set").join("objects")).len(), distinct(&site) + 1, "the layout, and each blob");
}

#[test]
fn what_the_newest_point_has_is_not_looked_for_again_and_what_it_lacks_is() {
    let mut site = Site::plone(6);
    let read_from = |site: &mut Site| {
        let run = site.ours(&["backup", "-v", ":var", ":set"]);
        let (_, rest) = run.stderr.split_once("read from byte ").unwrap_or_else(|| panic!("{}", run.stderr));
        let from: u64 = rest.split_once(' ').expect("more").0.parse().expect("a number");
        (from, run.code, site.points().pop().expect("a point"))
    };
    let length = |site: &Site| fs::metadata(site.path("var").join("filestorage/Data.fs")).expect("Data.fs").len();
    assert_eq!((read_from(&mut site).0, read_from(&mut site).0), (0, length(&site)));
    let before = length(&site);
    // Records that copy what lies before what is read.
    site.commit(1);
    site.ask("undo", json!({}));
    let (from, _, point) = read_from(&mut site);
    assert_eq!(from, before);
    site.expect_good(&point, "grown");
    // A pack changes what lies before.
    site.ask("pack", json!({}));
    let (from, _, point) = read_from(&mut site);
    assert_eq!(from, 0);
    site.expect_good(&point, "packed");
    // A blob that a point lacks is looked for again, as it may be back.
    let lost = site.blobs().pop().expect("a blob");
    fs::rename(&lost, site.path("lost")).expect("moved");
    site.commit(1);
    assert_eq!(read_from(&mut site).1, 3);
    fs::rename(site.path("lost"), &lost).expect("moved");
    let (from, code, point) = read_from(&mut site);
    assert_eq!((from, code), (0, 0));
    site.expect_good(&point, "found");
    // A list that cannot be relied on is not.
    let list = site.path("set").join("points").join(format!("{point}.mtree"));
    let text = fs::read_to_string(&list).expect("a list");
    fs::write(&list, &text[..text.len() - 2]).expect("a list");
    assert_eq!(read_from(&mut site).0, 0);
}

/// How many different blobs the source has.
fn distinct(site: &Site) -> usize {
    let bytes = site.blobs().into_iter().map(|blob| fs::read(blob).expect("a blob"));
    bytes.collect::<std::collections::BTreeSet<_>>().len()
}

impl Site {
    /// Makes a point with nothing between; gives its name.
    #[track_caller]
    fn back_up_now(&mut self) -> String {
        let (made, _) = self.make_between(|_, _| Ok(()));
        made.unwrap_or_else(|error| panic!("{error}")).point
    }
}
