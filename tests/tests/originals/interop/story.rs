//! A history in progress: a real database that changes, one repository two programs write to, and a copy of every
//! point.

use std::fs;
use std::path::{Path, PathBuf};

use highwater_tests::dice::Dice;
use highwater_tests::repository::{self, contents, dat_lines, data_files, decoded, expect_same_bytes};
use highwater_tests::run::{Run, drop_in, ours};
use highwater_tests::scene::{Scene, bytes};

/// A restorable point and what it must restore to.
pub(crate) struct Point {
    pub(crate) stamp: String,
    kept: PathBuf,
}

/// What may lie behind the last complete transaction.
struct Tail {
    start: u64,
}

/// The whole history.
pub(crate) struct Story {
    pub(crate) scene: Scene,
    pub(crate) points: Vec<Point>,
    dice: Dice,
    tail: Option<Tail>,
    told: Vec<String>,
}

impl Story {
    /// A new database with an empty repository.
    pub(crate) fn new(seed: u64) -> Self {
        Self { scene: Scene::new(), points: Vec::new(), dice: Dice::new(seed), tail: None, told: Vec::new() }
    }

    /// What happened so far, for messages.
    pub(crate) fn told(&self) -> String {
        self.told.join("; ")
    }

    /// Change the database in one of the ways a life has.
    #[track_caller]
    pub(crate) fn change(&mut self) {
        let seed = self.dice.bits() >> 16;
        let data = self.scene.data.clone();
        let bench = &mut self.scene.bench;
        if let Some(tail) = self.tail.take() {
            let finished = bench.finish_tail(&data, tail.start);
            self.told.push(format!("tail finished: {finished}"));
        }
        let what = match self.dice.below(100) {
            0..=34 => {
                bench.commit(&data, seed, 1 + self.dice.below(6), "few");
                "few".to_owned()
            }
            35..=54 => {
                bench.commit(&data, seed, 1 + self.dice.below(2), "many");
                "many".to_owned()
            }
            55..=66 => format!("undo: {}", bench.undo(&data, seed)),
            67..=80 => format!("pack: {}", bench.pack(&data)),
            81..=92 => {
                let kind = *self.dice.pick(&["voted", "torn", "header", "stray", "zeros"]);
                bench.commit(&data, seed, self.dice.below(2), "few");
                self.tail = Some(Tail { start: bench.leave_tail(&data, seed, kind) });
                format!("tail {kind}")
            }
            _ => "nothing".to_owned(),
        };
        self.told.push(what);
        self.treat_index();
    }

    /// The index beside the database may be fresh, old, or gone.
    fn treat_index(&mut self) {
        let index = self.scene.path("Data.fs.index");
        let old = self.scene.path("old.index");
        match self.dice.below(3) {
            0 => drop(fs::remove_file(&index)),
            1 if old.exists() => drop(fs::copy(&old, &index)),
            _ => {}
        }
        if index.exists() && self.dice.chance(30) {
            let _ = fs::copy(&index, &old);
        }
    }

    /// Back up with both programs on identical repositories, compare what they did, and go on with one of the two.
    #[track_caller]
    pub(crate) fn back_up(&mut self) {
        let stamp = self.scene.clock.tick(1 + self.dice.below(90_000));
        let flags = self.flags();
        let repo = self.scene.repo.clone();
        let (before, of_original) = (self.scene.path("before"), self.scene.path("of-the-original"));
        repository::copy(&repo, &before);
        let arguments = self.scene.backup_arguments(&repo, &flags);
        let words: Vec<&str> = arguments.iter().map(|word| word.to_str().expect("plain text")).collect();

        let theirs = self.scene.bench.original(&stamp, &words);
        theirs.expect(0);
        fs::rename(&repo, &of_original).expect("the original's outcome steps aside");
        repository::copy(&before, &repo);
        let mine = drop_in(&stamp, &arguments);
        mine.expect(0);
        self.told.push(format!("backup {flags:?} at {stamp}"));
        self.compare(&before, &of_original, &theirs, &mine);

        let original_goes_on = self.dice.chance(50);
        self.told.push(if original_goes_on { "with the original's" } else { "with ours" }.to_owned());
        if original_goes_on {
            fs::remove_dir_all(&repo).expect("our outcome goes");
            fs::rename(&of_original, &repo).expect("the original's outcome stays");
        } else {
            fs::remove_dir_all(&of_original).expect("the original's outcome goes");
        }
        fs::remove_dir_all(&before).expect("the start goes");
        // An empty increment of the original is a point too, if that is the repository that goes on.
        if data_files(&repo).iter().any(|name| name.starts_with(&stamp)) {
            self.keep(&stamp);
        }
        self.expect_whole();
    }

    /// Flags by chance. After an empty line in the `.dat` the original's `-Q` corrupts (defect 1), so it is not used
    /// then.
    fn flags(&mut self) -> Vec<&'static str> {
        let mut flags = Vec::new();
        if self.dice.chance(10) {
            flags.push("-F");
        }
        if self.dice.chance(40) {
            flags.push("-z");
        }
        let last_full = data_files(&self.scene.repo).into_iter().rfind(|name| !name.contains("delta"));
        let last_line = last_full.and_then(|name| {
            let stem = name.split('.').next().expect("a stamp").to_owned();
            dat_lines(&self.scene.repo.join(format!("{stem}.dat"))).pop()
        });
        let quick = self.dice.chance(45);
        if quick && last_line.is_none_or(|line| line.start != line.end) {
            flags.push("-Q");
        }
        if self.dice.chance(50) {
            flags.push("-v");
        }
        flags
    }

    /// Fail unless both did the same, file for file and byte for byte once unpacked, and said the same; but where the
    /// original writes an empty increment we write nothing.
    #[track_caller]
    fn compare(&self, before: &Path, of_original: &Path, theirs: &Run, mine: &Run) {
        let (wanted, found) = (contents(of_original), contents(&self.scene.repo));
        let old = contents(before);
        let empty = wanted
            .iter()
            .any(|(name, bytes)| repository::is_data_file(name) && bytes.is_empty() && !old.contains_key(name));
        if empty {
            assert!(found == old, "an unfinished tail is nothing to back up: {}\n{}", self.told(), mine.account());
            return;
        }
        let names = |of: &std::collections::BTreeMap<String, Vec<u8>>| of.keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(&found),
            names(&wanted),
            "files after: {}\n{}{}",
            self.told(),
            theirs.account(),
            mine.account()
        );
        for (name, bytes) in &wanted {
            expect_same_bytes(&found[name], bytes, &format!("{name} after: {}", self.told()));
        }
        assert_eq!(mine.stderr, theirs.stderr, "what was said after: {}", self.told());
    }

    /// Remember what the point of `stamp` must restore to, up to the end that the real FileStorage sees.
    #[track_caller]
    fn keep(&mut self, stamp: &str) {
        let end = self.scene.bench.end_of_history(&self.scene.data);
        let mut source = self.scene.source();
        source.truncate(usize::try_from(end).expect("a small file"));
        let kept = self.scene.path(&format!("kept-{stamp}.fs"));
        fs::write(&kept, source).expect("a kept copy");
        let index = self.scene.repo.join(format!("{stamp}.index"));
        self.scene.bench.expect_index(&kept, &index);
        self.points.push(Point { stamp: stamp.to_owned(), kept });
    }

    /// The newest chain in the folder is without a gap and ends where the newest point ends.
    #[track_caller]
    fn expect_whole(&self) {
        let Some(point) = self.points.last() else { return };
        let files = data_files(&self.scene.repo);
        let full = files.iter().rfind(|name| !name.contains("delta")).expect("a full");
        let stem = full.split('.').next().expect("a stamp");
        let mut at = 0;
        for line in dat_lines(&self.scene.repo.join(format!("{stem}.dat"))) {
            assert_eq!(line.start, at, "{} begins where the one before ends: {}", line.name, self.told());
            let length = decoded(&self.scene.repo.join(&line.name)).len() as u64;
            assert_eq!(line.end - line.start, length, "{} is as long as its line says", line.name);
            at = line.end;
        }
        assert_eq!(at, bytes(&point.kept).len() as u64, "the chain ends with the newest point: {}", self.told());
    }

    /// Both sides recover the newest point and a random one, in every way there is, and verify.
    #[track_caller]
    pub(crate) fn recover_and_verify(&mut self) {
        let Some(newest) = self.points.len().checked_sub(1) else { return };
        let chosen = usize::try_from(self.dice.below(self.points.len() as u64)).expect("an index");
        for (at, dated) in [(newest, false), (chosen, true)] {
            let point = &self.points[at];
            let (stamp, wanted) = (point.stamp.clone(), bytes(&point.kept));
            self.recover_both(&stamp, dated, &wanted);
            self.restore(&stamp, dated, &wanted);
        }
        let now = self.scene.clock.tick(0);
        for flags in [&[][..], &["-Q"][..]] {
            let arguments = Scene::verify_arguments(&self.scene.repo, flags);
            let words: Vec<&str> = arguments.iter().map(|word| word.to_str().expect("plain text")).collect();
            let theirs = self.scene.bench.original(&now, &[&words[..], &["-v"]].concat());
            theirs.expect(0);
            let mine = drop_in(&now, &[&words[..], &["-v"]].concat());
            mine.expect(0);
            assert_eq!(mine.stderr, theirs.stderr, "what -V said after: {}", self.told());
        }
        let repo = self.scene.repo.to_str().expect("plain text");
        for depth in ["size", "digest", "deep"] {
            ours(&now, &["verify", repo, "--depth", depth]).expect(0);
        }
    }

    #[track_caller]
    fn recover_both(&mut self, stamp: &str, dated: bool, wanted: &[u8]) {
        let now = self.scene.clock.stamp();
        let (target, repo) = (self.scene.path("recovered.fs"), self.scene.repo.clone());
        let mut flags = if self.dice.chance(50) { vec!["-w"] } else { vec![] };
        if dated {
            flags.extend(["-D", stamp]);
        }
        let arguments = Scene::recover_arguments(&repo, &target, &flags);
        let words: Vec<&str> = arguments.iter().map(|word| word.to_str().expect("plain text")).collect();
        let index = self.scene.path("recovered.fs.index");
        let wanted_index = bytes(&repo.join(format!("{stamp}.index")));
        for ours_now in [false, true] {
            let run = if ours_now { drop_in(&now, &arguments) } else { self.scene.bench.original(&now, &words) };
            run.expect(0);
            let what = format!("{stamp} by {} after: {}", run.line, self.told());
            expect_same_bytes(&bytes(&target), wanted, &what);
            expect_same_bytes(&bytes(&index), &wanted_index, &format!("index of {what}"));
            fs::remove_file(&target).expect("it goes");
            fs::remove_file(&index).expect("it goes");
        }
    }

    /// Our own verb: to a new file, to standard output, and onto a standby target that the last rounds left.
    #[track_caller]
    fn restore(&mut self, stamp: &str, dated: bool, wanted: &[u8]) {
        let now = self.scene.clock.stamp();
        let repo = self.scene.repo.to_str().expect("plain text");
        let from = if dated { format!("{repo}@{stamp}") } else { repo.to_owned() };
        let piped = ours(&now, &["restore", &from, "-"]);
        expect_same_bytes(&piped.expect(0).stdout, wanted, &format!("{stamp} to stdout after: {}", self.told()));
        let standby = self.scene.path("standby.fs");
        let quick: &[&str] = if self.dice.chance(50) { &["--quick"] } else { &[] };
        let words = [&["restore", &from, standby.to_str().expect("plain text")], quick].concat();
        ours(&now, &words).expect(0);
        expect_same_bytes(&bytes(&standby), wanted, &format!("{stamp} onto the standby after: {}", self.told()));
        let index = bytes(&self.scene.path("standby.fs.index"));
        let wanted_index = bytes(&self.scene.repo.join(format!("{stamp}.index")));
        expect_same_bytes(&index, &wanted_index, &format!("the standby's index of {stamp}"));
    }
}
