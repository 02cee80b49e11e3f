//! Scenes of repozo's verbs for injected faults, and what must hold after them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use highwater_core::filestorage::{State, Walk};
use highwater_core::report::{Depth, Report, Soundness};

use crate::memory::Host;
use crate::repo::{Data, Fixture, Image, load};
use crate::run::Run;
use crate::specimens::injected::{Checked, Judge, Kind, LAST, LATER, MODE, NOW, Scene, must};

/// The target of every restore, below the scene's folder.
const TARGET: &str = "standby/Data.fs";

/// The permissions of what nobody but its owner may read.
const PRIVATE: u32 = 0o600;

/// What a verb is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wants {
    /// A new point that holds all of the source.
    Point {
        /// And no other one.
        alone: bool,
    },
    /// A target of these bytes, with this OID index.
    Target {
        /// The bytes.
        bytes: Vec<u8>,
        /// The index.
        index: Vec<u8>,
        /// The old file is given up first.
        in_place: bool,
    },
    /// What an undisturbed run prints.
    Output,
    /// To say no.
    Refusal,
}

/// A verb, what it finds, and what is known of that.
#[derive(Debug)]
struct Draft {
    scene: Scene,
    known: Known,
}

/// What is known of a scene.
#[derive(Debug)]
struct Known {
    /// The source from which the repository's points were made; each is a prefix of it.
    source: Vec<u8>,
    /// The points that are there before, with their lengths.
    points: Vec<(String, usize)>,
    /// Every OID index that may lie beside a target, with the database that it is of.
    indices: Vec<(Vec<u8>, Vec<u8>)>,
    wants: Wants,
}

impl Draft {
    fn new(name: &'static str, made: &Made, words: &'static [&'static str], wants: Wants) -> Self {
        let mut files: BTreeMap<String, Vec<u8>> =
            made.repo.iter().map(|(name, bytes)| (format!("repo/{name}"), bytes.clone())).collect();
        if words[0] == "backup" {
            files.insert("Data.fs".to_owned(), made.source.clone());
        }
        let indices = made.points.iter().map(|(stamp, length)| (made.index(stamp), made.source[..*length].to_vec()));
        let kind = match wants {
            Wants::Point { .. } => Kind::Backup,
            Wants::Target { .. } => Kind::Restore,
            Wants::Output => Kind::Read,
            Wants::Refusal => Kind::Refusal,
        };
        let known =
            Known { source: made.source.clone(), points: made.points.clone(), indices: indices.collect(), wants };
        let scene = Scene {
            name,
            kind,
            root: "repo",
            target: TARGET,
            files,
            folders: &["repo", "standby"],
            words: words.to_vec(),
            locked: None,
            link: None,
            large: made.source.len() > 1 << 20,
            weight: 1,
            judge: Box::new(Nobody),
        };
        Self { scene, known }
    }

    /// Puts a database, and its index, in the target's place.
    fn with_target(mut self, (bytes, index): &(Vec<u8>, Vec<u8>)) -> Self {
        self.known.indices.push((index.clone(), bytes.clone()));
        self.with_file(TARGET, bytes.clone()).with_file(&format!("{TARGET}.index"), index.clone())
    }

    fn with_file(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.scene.files.insert(name.to_owned(), bytes);
        self
    }

    fn ready(self) -> Scene {
        Scene { judge: Box::new(self.known), ..self.scene }
    }
}

/// A repository, and the source that it came from, which has grown since.
#[derive(Debug)]
struct Made {
    repo: Image,
    source: Vec<u8>,
    points: Vec<(String, usize)>,
}

impl Made {
    /// A backup with each set of flags, of a source that grows by transactions of about this many bytes.
    fn new(backups: &[&[&str]], large: usize) -> Self {
        let mut fixture = Fixture::new();
        let mut points = Vec::new();
        let grow = |fixture: &mut Fixture| {
            if large > 0 {
                fixture.data.grow_large((large >> 20) as u64);
            }
            fixture.grow(3);
        };
        for flags in backups {
            grow(&mut fixture);
            points.push((fixture.backup(flags), fixture.data.bytes.len()));
        }
        grow(&mut fixture);
        let mut repo = load(&fixture.repo);
        repo.remove(".highwater.lock");
        Self { repo, source: fixture.data.bytes.clone(), points }
    }

    fn index(&self, stamp: &str) -> Vec<u8> {
        self.repo[&format!("{stamp}.index")].clone()
    }

    /// The database at a point, and its index.
    fn at(&self, point: usize) -> (Vec<u8>, Vec<u8>) {
        let (stamp, length) = &self.points[point];
        (self.source[..*length].to_vec(), self.index(stamp))
    }

    fn target(&self, point: usize) -> Wants {
        let (bytes, index) = self.at(point);
        Wants::Target { bytes, index, in_place: false }
    }
}

/// Another database, longer than none of the first one's points, with its index.
fn another() -> (Vec<u8>, Vec<u8>) {
    let mut fixture = Fixture::new();
    fixture.data = Data::new(9);
    fixture.grow(5);
    let stamp = fixture.backup(&[]);
    (fixture.data.bytes.clone(), fs::read(fixture.file(&format!("{stamp}.index"))).expect("an index"))
}

/// What a run that was killed at its worst leaves: a work file, and an increment without its line, whose chain's last
/// line is torn.
fn interrupted(made: &Made) -> Draft {
    let words = &["backup", "=/Data.fs", "=/repo"];
    let mut draft = Draft::new("increment after an interrupted one", made, words, Wants::Point { alone: false });
    let (first, _) = made.points[0].clone();
    let (last, _) = draft.known.points.pop().expect("a point");
    let dat = draft.scene.files.get_mut(&format!("repo/{first}.dat")).expect("an index");
    let line = dat.len() - 20;
    dat.truncate(line);
    draft.scene.files.remove(&format!("repo/{last}.index"));
    // As they are called, and as they were called.
    let left = draft.with_file(&format!("repo/{last}.deltafs.0123456789abcdef.highwater-tmp"), b"unfinished".to_vec());
    left.with_file(&format!("repo/{last}.deltafs.highwater-tmp"), b"unfinished".to_vec())
}

/// Every scene.
pub(super) fn scenes() -> Vec<Scene> {
    let none = Made::new(&[], 0);
    let plain = Made::new(&[&[], &["-z"], &[]], 0);
    let gzip = Made::new(&[&["-z"], &[], &["-z"]], 0);
    let large = Made::new(&[&[], &[]], 9 << 20);
    let point = Wants::Point { alone: false };
    let (first, last) = (plain.points[0].0.clone(), plain.points.len() - 1);
    let mut in_place = plain.target(last);
    if let Wants::Target { in_place, .. } = &mut in_place {
        *in_place = true;
    }
    let restore = &["restore", "=/repo", "=/standby/Data.fs"];
    let quick = &["restore", "--quick", "=/repo", "=/standby/Data.fs"];
    let inside = &["restore", "=/repo", "=/repo/Data.fs"];
    // Another database is given up only when that is asked for.
    let anew = &["restore", "--full", "=/repo", "=/standby/Data.fs"];
    let give_up = &["restore", "--full", "--in-place", "=/repo", "=/standby/Data.fs"];
    let cut = &["restore", "=/repo@2026-03-01-00-01-00", "=/standby/Data.fs"];
    let first_file = format!("repo/{first}.fs");
    let mut locked = Draft::new("restore onto an open database", &plain, restore, Wants::Refusal)
        .with_target(&plain.at(0))
        .with_file("standby/Data.fs.lock", b"1\n".to_vec());
    locked.scene.locked = Some("standby/Data.fs.lock");
    let mut linked = Draft::new("restore onto a link of a backup", &plain, restore, Wants::Refusal);
    linked.scene.link = Some((first_file, TARGET));
    let mut busy = Draft::new("backup beside another one", &plain, &["backup", "=/Data.fs", "=/repo"], Wants::Refusal)
        .with_file("repo/.highwater.lock", b"pid 1 on other\n".to_vec());
    busy.scene.locked = Some("repo/.highwater.lock");
    let mut part = plain.at(last).0;
    part.truncate(plain.points[1].1 + 9);
    let scenes = vec![
        Draft::new("full backup", &none, &["backup", "=/Data.fs", "=/repo"], point.clone()),
        Draft::new("increment", &plain, &["backup", "=/Data.fs", "=/repo"], point.clone()),
        Draft::new("increment onto gzip", &gzip, &["backup", "=/Data.fs", "=/repo"], point.clone()),
        Draft::new("quick increment", &plain, &["backup", "--quick", "=/Data.fs", "=/repo"], point.clone()),
        Draft::new("quick increment onto gzip", &gzip, &["backup", "-Q", "=/Data.fs", "=/repo"], point.clone()),
        Draft::new("gzip increment", &gzip, &["backup", "--gzip", "=/Data.fs", "=/repo"], point.clone()),
        Draft::new(
            "full, kill old",
            &plain,
            &["backup", "--full", "--kill-old", "=/Data.fs", "=/repo"],
            Wants::Point { alone: true },
        ),
        interrupted(&plain),
        Draft::new("restore", &plain, restore, plain.target(last)),
        Draft::new("restore from gzip", &gzip, restore, gzip.target(last)),
        Draft::new("restore over another file", &plain, anew, plain.target(last)).with_target(&another()),
        Draft::new("resumed restore", &plain, anew, plain.target(last))
            .with_target(&another())
            .with_file("standby/Data.fs.part", part.clone()),
        Draft::new("restore in place", &plain, give_up, in_place.clone()).with_target(&another()),
        Draft::new("resumed restore in place", &plain, give_up, in_place)
            .with_file("standby/Data.fs.0123456789abcdef.old.part", part.clone()),
        Draft::new("restore beside two that were killed", &plain, anew, plain.target(last))
            .with_target(&another())
            .with_file("standby/Data.fs.0123456789abcdef.part", part)
            .with_file("standby/Data.fs.fedcba9876543210.part", b"FS30".to_vec()),
        Draft::new("incremental restore", &plain, restore, plain.target(last)).with_target(&plain.at(0)),
        Draft::new("quick incremental restore", &gzip, quick, gzip.target(last)).with_target(&gzip.at(1)),
        Draft::new("restore cutting back", &plain, cut, plain.target(0)).with_target(&plain.at(last)),
        Draft::new("restore to a stream", &plain, &["restore", "=/repo", "-"], Wants::Output),
        Draft::new("verify deep", &plain, &["verify", "--depth", "deep", "=/repo"], Wants::Output),
        Draft::new("verify deep, gzip", &gzip, &["verify", "--depth", "deep", "=/repo"], Wants::Output),
        Draft::new("list", &plain, &["list", "=/repo"], Wants::Output),
        Draft::new("restore into the repository", &plain, inside, Wants::Refusal),
        locked,
        linked,
        busy,
        Draft::new("large gzip increment", &large, &["backup", "--gzip=1", "=/Data.fs", "=/repo"], point),
        Draft::new("large incremental restore", &large, restore, large.target(1)).with_target(&large.at(0)),
        Draft::new("large restore", &large, anew, large.target(1)).with_target(&another()),
    ];
    scenes.into_iter().map(Draft::ready).collect()
}

/// Who judges a scene that is not ready.
#[derive(Debug)]
struct Nobody;

impl Judge for Nobody {
    fn whole(&self, scene: &Scene, _: &Path) -> Checked {
        Err(format!("{} is not ready", scene.name))
    }

    fn done(&self, scene: &Scene, folder: &Path, _: &Run, _: &[u8], _: &str) -> Checked {
        self.whole(scene, folder)
    }
}

impl Judge for Known {
    /// No point is lost or half made, and the target is a whole database.
    fn whole(&self, scene: &Scene, folder: &Path) -> Checked {
        let mut image = load(&folder.join("repo"));
        if !scene.backs_up() {
            let mut before = scene.below("repo/");
            // Whoever asks for the lock makes its file.
            image.remove(".highwater.lock");
            before.remove(".highwater.lock");
            must!(image == before, "the repository was changed: {:?}", image.keys());
        } else {
            let report = verified(&image);
            for set in &report.sets {
                must!(set.verdict == Soundness::Sound, "{} is named and not sound: {:#?}", set.name, report.findings);
            }
            let alone = self.wants == Wants::Point { alone: true };
            let points = restored(&image)?;
            for (stamp, length) in &self.points {
                match points.get(stamp) {
                    Some(bytes) => must!(bytes[..] == self.source[..*length], "the point {stamp} has other bytes"),
                    None => must!(alone, "the point {stamp} is lost"),
                }
            }
            for (stamp, bytes) in &points {
                must!(self.source.starts_with(bytes), "the point {stamp} is no beginning of the source");
            }
            must!(!points.is_empty() || self.points.is_empty(), "no point is left");
            for stamp in [NOW, LATER, LAST] {
                let complete = points.get(stamp).is_none_or(|bytes| *bytes == self.source);
                must!(complete, "the new point {stamp} is not the source");
            }
        }
        self.target(scene, folder)
    }

    fn done(&self, scene: &Scene, folder: &Path, run: &Run, printed: &[u8], now: &str) -> Checked {
        match &self.wants {
            Wants::Refusal => Err("it did what it must refuse".to_owned()),
            Wants::Output => {
                must!(run.stdout == printed, "exit 0, and another output than without the fault");
                Ok(())
            }
            Wants::Point { alone } => {
                let image = load(&folder.join("repo"));
                let report = verified(&image);
                must!(report.verdict == Soundness::Sound, "exit 0, but {:?}: {:#?}", report.verdict, report.findings);
                let points = restored(&image)?;
                let newest = points.last_key_value();
                must!(newest.is_some_and(|(_, bytes)| *bytes == self.source), "exit 0, but the source is not there");
                // The run after one that failed late may find nothing to do, with its point there already.
                let stamped = points.contains_key(now) || (now != NOW && points.contains_key(NOW)) || now == LAST;
                must!(stamped, "exit 0, but no point of {now}");
                must!(!alone || points.len() == 1, "exit 0, but older points are left: {:?}", points.keys());
                Ok(())
            }
            Wants::Target { bytes, index, .. } => {
                must!(fs::read(folder.join(TARGET)).ok().as_ref() == Some(bytes), "exit 0, but not the point's bytes");
                let beside = fs::read(folder.join(format!("{TARGET}.index"))).ok();
                let told = beside.is_none() && run.text().contains("without .index");
                must!(told || beside.as_ref() == Some(index), "exit 0, but another index beside it, or none");
                // Where there are no locks, another restore may be writing it.
                let alone = run.stderr.contains("the file system has no locks: it is left alone");
                let left: Vec<String> =
                    load(&folder.join("standby")).into_keys().filter(|name| name.ends_with(".part")).collect();
                must!(alone || left.is_empty(), "exit 0, but work files are left: {left:?}");
                let mode = fs::metadata(folder.join(TARGET)).map_or(0, |meta| meta.permissions().mode() & 0o777);
                // What was given up and got lost by a kill is nobody's but its owner's.
                let lost = mode == PRIVATE && run.stderr.contains("nobody knows who could read it");
                let refused = mode == PRIVATE && run.stderr.contains("could not be set, and fewer people");
                // The run after that finds the target as it should be, and changes nothing of it.
                let refused = refused || (mode == PRIVATE && now == LATER && run.text().contains(" already; "));
                let kept = mode == MODE || lost || refused || !scene.files.contains_key(TARGET);
                must!(kept, "exit 0, but the target's permissions are {mode:o}");
                Ok(())
            }
        }
    }
}

impl Known {
    /// The target is the old database or the new one to any reader, and an index beside it is of its beginning.
    fn target(&self, scene: &Scene, folder: &Path) -> Checked {
        let old = scene.files.get(TARGET);
        let now = fs::read(folder.join(TARGET)).ok();
        let refused = self.wants == Wants::Refusal;
        if let (true, None, Some(now)) = (refused, &scene.link, &now) {
            must!(old == Some(now), "the target was changed");
        }
        let Wants::Target { bytes: new, in_place, .. } = &self.wants else { return Ok(()) };
        let Some(now) = now else {
            must!(old.is_none() || *in_place, "there is no target any more");
            return Ok(());
        };
        let mut end = now.len();
        if now != *new && Some(&now) != old {
            let mut walk = Walk::new(0, now.len() as u64).with_tail(now.last_chunk().copied());
            walk.push(&now, &mut ());
            must!(
                !matches!(walk.state(), State::Corrupt { .. }),
                "a database would refuse the target: {:?}",
                walk.state()
            );
            end = usize::try_from(walk.end()).map_err(|error| error.to_string())?;
            let seen = &now[..end];
            let known = seen == new || old.is_some_and(|old| seen == old);
            must!(known, "a database would see neither the old target nor the new one, but {end} bytes");
        }
        if let Ok(index) = fs::read(folder.join(format!("{TARGET}.index"))) {
            let fits = self.indices.iter().any(|(known, of)| *known == index && now[..end].starts_with(of));
            must!(fits, "the index beside the target is not of it");
        }
        Ok(())
    }
}

fn verified(image: &Image) -> Report {
    Host::at(Depth::Deep).report(image, "repo")
}

/// Every point that the indices name, put together by a few lines that share nothing with the engine.
fn restored(image: &Image) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut points = BTreeMap::new();
    for (_, dat) in image.iter().filter(|(name, _)| name.ends_with(".dat")) {
        let mut bytes = Vec::new();
        let text = String::from_utf8_lossy(dat);
        // A torn last line names nothing.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let file = line.split(' ').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
            let stored = image.get(file).ok_or_else(|| format!("'{file}' is named and not there"))?;
            if file.ends_with('z') {
                let read = MultiGzDecoder::new(&stored[..]).read_to_end(&mut bytes);
                read.map_err(|error| format!("'{file}': {error}"))?;
            } else {
                bytes.extend_from_slice(stored);
            }
            points.insert(file.split('.').next().unwrap_or_default().to_owned(), bytes.clone());
        }
    }
    Ok(points)
}
