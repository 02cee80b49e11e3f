//! What must hold after a fault, whatever it was, and after the run that follows.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use highwater_core::filestorage::{State, Walk};
use highwater_core::report::{Depth, Report, Verdict};
use highwater_tests::inject::Fault;
use highwater_tests::memory::Host;
use highwater_tests::repo::{Image, load};
use highwater_tests::run::Run;

use crate::injected::scenes::{LAST, LATER, MODE, NOW, Scene, TARGET, Wants};

/// The permissions of what nobody but its owner may read.
const PRIVATE: u32 = 0o600;

type Checked = Result<(), String>;

/// Fails with a message unless something holds.
macro_rules! must {
    ($holds:expr, $($why:tt)*) => {
        if !$holds {
            return Err(format!($($why)*));
        }
    };
}

/// What an undisturbed run printed, for the scenes that are about it.
pub(crate) type Printed = Vec<u8>;

/// After a run that a fault may have hit: the exit code is true, and nothing is half made.
pub(crate) fn after(scene: &Scene, folder: &Path, run: &Run, printed: &Printed, fault: Option<&Fault>) -> Checked {
    must!(!run.stderr.contains("panicked at"), "it panicked");
    let killed = fault.is_some_and(Fault::kills) || run.code == -1;
    whole(scene, folder)?;
    match run.code {
        _ if killed => Ok(()),
        0 => done(scene, folder, run, printed, NOW),
        3 | 4 => failed(scene, run, fault),
        code => Err(format!("exit {code} after a fault: only 0, 3 and 4 are true then")),
    }
}

/// A failure says so: the right words, and no verdict.
fn failed(scene: &Scene, run: &Run, fault: Option<&Fault>) -> Checked {
    let text = run.text();
    let all = format!("{text}{}", run.stderr);
    let last = run.stderr.lines().last().unwrap_or_default();
    let reports = scene.words[0] == "verify" || scene.words[0] == "list";
    must!(reports || last.starts_with("highwater: "), "the last line on stderr is no sentence of ours");
    must!(!all.contains("HW1"), "a finding of damage, where a call failed");
    must!(!text.lines().any(|line| line.starts_with("sound: ") || line.starts_with("damaged")), "a false verdict");
    if let Some(fault) = fault.filter(|_| scene.wants != Wants::Refusal) {
        must!(fault.is_named_in(&all), "no word about any of {:?}", fault.hit);
    }
    Ok(())
}

/// Whatever happened: no point is lost or half made, and the target is a whole database.
pub(crate) fn whole(scene: &Scene, folder: &Path) -> Checked {
    let mut image = load(&folder.join("repo"));
    if !scene.backs_up() {
        let mut before = below(scene, "repo/");
        // Whoever asks for the lock makes its file.
        image.remove(".highwater.lock");
        before.remove(".highwater.lock");
        must!(image == before, "the repository was changed: {:?}", image.keys());
    } else {
        let report = verified(&image);
        for set in &report.sets {
            must!(set.verdict == Verdict::Sound, "{} is named and not sound: {:#?}", set.name, report.findings);
        }
        let alone = scene.wants == Wants::Point { alone: true };
        let points = restored(&image)?;
        for (stamp, length) in &scene.points {
            match points.get(stamp) {
                Some(bytes) => must!(bytes[..] == scene.source[..*length], "the point {stamp} has other bytes"),
                None => must!(alone, "the point {stamp} is lost"),
            }
        }
        for (stamp, bytes) in &points {
            must!(scene.source.starts_with(bytes), "the point {stamp} is no beginning of the source");
        }
        must!(!points.is_empty() || scene.points.is_empty(), "no point is left");
        for stamp in [NOW, LATER, LAST] {
            let complete = points.get(stamp).is_none_or(|bytes| *bytes == scene.source);
            must!(complete, "the new point {stamp} is not the source");
        }
    }
    target(scene, folder)
}

/// The target is the old database or the new one to any reader, and an index beside it is of its beginning.
fn target(scene: &Scene, folder: &Path) -> Checked {
    let old = scene.files.get(TARGET);
    let now = fs::read(folder.join(TARGET)).ok();
    let refused = scene.wants == Wants::Refusal;
    if let (true, None, Some(now)) = (refused, &scene.link, &now) {
        must!(old == Some(now), "the target was changed");
    }
    let Wants::Target { bytes: new, in_place, .. } = &scene.wants else { return Ok(()) };
    let Some(now) = now else {
        must!(old.is_none() || *in_place, "there is no target any more");
        return Ok(());
    };
    let mut end = now.len();
    if now != *new && Some(&now) != old {
        let mut walk = Walk::new(0, now.len() as u64).with_tail(now.last_chunk().copied());
        walk.push(&now, &mut ());
        must!(!matches!(walk.state(), State::Corrupt { .. }), "a database would refuse the target: {:?}", walk.state());
        end = usize::try_from(walk.end()).map_err(|error| error.to_string())?;
        let seen = &now[..end];
        let known = seen == new || old.is_some_and(|old| seen == old);
        must!(known, "a database would see neither the old target nor the new one, but {end} bytes");
    }
    if let Ok(index) = fs::read(folder.join(format!("{TARGET}.index"))) {
        let fits = scene.indices.iter().any(|(known, of)| *known == index && now[..end].starts_with(of));
        must!(fits, "the index beside the target is not of it");
    }
    Ok(())
}

/// Exit 0: the job is done, all of it.
fn done(scene: &Scene, folder: &Path, run: &Run, printed: &Printed, now: &str) -> Checked {
    match &scene.wants {
        Wants::Refusal => Err("it did what it must refuse".to_owned()),
        Wants::Output => {
            must!(run.stdout == *printed, "exit 0, and another output than without the fault");
            Ok(())
        }
        Wants::Point { alone } => {
            let image = load(&folder.join("repo"));
            let report = verified(&image);
            must!(report.verdict == Verdict::Sound, "exit 0, but {:?}: {:#?}", report.verdict, report.findings);
            let points = restored(&image)?;
            let newest = points.last_key_value();
            must!(newest.is_some_and(|(_, bytes)| *bytes == scene.source), "exit 0, but the source is not there");
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

/// The same verb again, with nothing in its way, puts all of it right.
pub(crate) fn again(scene: &Scene, folder: &Path, printed: &Printed) -> Checked {
    let run = scene.call(folder, LATER, 2).run(&[], &[]);
    let told = |what: String| format!("in the run after it: {what}\n{}", run.account());
    whole(scene, folder).map_err(told)?;
    if scene.wants == Wants::Refusal {
        must!(run.code == 4, "the run after it did not refuse\n{}", run.account());
        return Ok(());
    }
    must!(run.code == 0, "the run after it failed\n{}", run.account());
    done(scene, folder, &run, printed, LATER).map_err(told)?;
    let left = |name: &String| name.contains(".highwater-") || name.ends_with(".part");
    let names: Vec<String> = ["repo", "standby"].iter().flat_map(|part| load(&folder.join(part)).into_keys()).collect();
    must!(!names.iter().any(left), "the run after it left {names:?}");
    if scene.backs_up() {
        let mut verify = scene.call(folder, LAST, 2);
        verify.arguments = ["verify", "--depth", "deep"].map(Into::into).to_vec();
        verify.arguments.push(folder.join("repo").into());
        let run = verify.run(&[], &[]);
        must!(run.code == 0 && run.text().contains("\nsound: "), "verify after it\n{}", run.account());
    }
    Ok(())
}

fn below(scene: &Scene, folder: &str) -> Image {
    let inside = |(name, bytes): (&String, &Vec<u8>)| Some((name.strip_prefix(folder)?.to_owned(), bytes.clone()));
    scene.files.iter().filter_map(inside).collect()
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
