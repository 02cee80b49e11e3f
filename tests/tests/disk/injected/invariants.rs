//! What must hold after a fault, whatever it was, and after the run that follows, for every format.

use std::fs;
use std::path::Path;

use highwater_tests::inject::Fault;
use highwater_tests::run::Run;
use highwater_tests::specimens::injected::{Checked, Kind, LAST, LATER, NOW, Scene};

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
    scene.judge.whole(scene, folder)?;
    match run.code {
        _ if killed => Ok(()),
        0 => scene.judge.done(scene, folder, run, printed, NOW),
        3 | 4 => failed(scene, run, fault),
        // What is damaged here and cannot be read there stays damaged.
        1 if scene.kind == Kind::Heal && run.text().contains("cannot be healed") => Ok(()),
        code => Err(format!("exit {code} after a fault: only 0, 3 and 4 are true then")),
    }
}

/// A failure says so: the right words, and no verdict.
fn failed(scene: &Scene, run: &Run, fault: Option<&Fault>) -> Checked {
    let text = run.text();
    let all = format!("{text}{}", run.stderr);
    let last = run.stderr.lines().last().unwrap_or_default();
    let (reports, heals) = (scene.kind == Kind::Read && scene.words[0] != "restore", scene.kind == Kind::Heal);
    must!(reports || heals || last.starts_with("highwater: "), "the last line on stderr is no sentence of ours");
    must!(heals || !all.contains("HW1"), "a finding of damage, where a call failed");
    must!(
        heals || !text.lines().any(|line| line.starts_with("sound: ") || line.starts_with("damaged")),
        "a false verdict"
    );
    if let Some(fault) = fault.filter(|_| scene.kind != Kind::Refusal) {
        must!(scene.judge.is_named(fault, &all), "no word about any of {:?}", fault.hit);
    }
    Ok(())
}

/// The same verb again, with nothing in its way, puts all of it right.
pub(crate) fn again(scene: &Scene, folder: &Path, printed: &Printed) -> Checked {
    let run = scene.call(folder, LATER, 2).run(&[], &[]);
    let told = |what: String| format!("in the run after it: {what}\n{}", run.account());
    scene.judge.whole(scene, folder).map_err(told)?;
    if scene.kind == Kind::Refusal {
        must!(run.code == 4, "the run after it did not refuse\n{}", run.account());
        return Ok(());
    }
    must!(run.code == 0, "the run after it failed\n{}", run.account());
    scene.judge.done(scene, folder, &run, printed, LATER).map_err(told)?;
    let left = |name: &String| name.contains(".highwater-") || name.ends_with(".part");
    let names: Vec<String> = names(folder).into_iter().filter(left).collect();
    must!(names.is_empty(), "the run after it left {names:?}");
    if scene.backs_up() {
        let mut verify = scene.call(folder, LAST, 2);
        verify.arguments = ["verify", "--depth", "deep"].map(Into::into).to_vec();
        verify.arguments.push(folder.join(scene.root).into());
        let run = verify.run(&[], &[]);
        must!(run.code == 0 && run.text().contains("\nsound: "), "verify after it\n{}", run.account());
    }
    Ok(())
}

/// The names of all files and folders below a folder.
fn names(folder: &Path) -> Vec<String> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            found.push(path.strip_prefix(folder).expect("below it").to_string_lossy().into_owned());
            waiting.extend(Some(path).filter(|path| path.is_dir()));
        }
    }
    found
}
