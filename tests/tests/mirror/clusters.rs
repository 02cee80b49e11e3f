//! The ready files of `web/docs/cluster`, as they are: on a real Slurm, and by the commands of the Jobs of Kubernetes.

#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::python;
use highwater_tests::run::Run;
use highwater_tests::s3::{Fault, Rule};
use highwater_tests::slurm::Slurm;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::scene::Scene;
use crate::segments::{BODIES, folder, large, run, same};

fn ready(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/docs/cluster").join(name).canonicalize().expect("a ready file")
}

/// A command that finds the program by its name, and the bucket as ours do.
fn beside(scene: &Scene, program: &str) -> Command {
    let (ours, mut command) = (scene.command(&[]), Command::new(program));
    for (name, value) in ours.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut path = highwater().parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    command.env("PATH", path).current_dir(scene.folder.path());
    command
}

/// The process that fetches a segment of a mirror.
fn fetching(mirror: &Path, segment: &str) -> Option<Pid> {
    let words = ["mirror", "fetch", mirror.to_str().expect("text"), "--segment", segment].join("\0");
    // The shell that runs the script has the program's name as a part of a line only.
    pids(|line| line.starts_with("highwater\0") && line.contains(&words)).next()
}

/// Processes by their command lines.
fn pids(is_it: impl Fn(&str) -> bool) -> impl Iterator<Item = Pid> {
    fs::read_dir("/proc").expect("a folder").flatten().filter_map(move |entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).ok()?).into_owned();
        is_it(&line).then(|| Pid::from_raw(pid)).flatten()
    })
}

/// What the tasks said.
fn logs(scene: &Scene) -> String {
    let files = fs::read_dir(scene.folder.path()).expect("a folder").flatten().map(|entry| entry.path());
    let logs = files.filter(|path| path.extension().is_some_and(|ending| ending == "log"));
    logs.map(|path| format!("{}: {}\n", path.display(), fs::read_to_string(&path).unwrap_or_default())).collect()
}

/// An array of four, one task of which is killed and another requeued, is the mirror of one sync when the script was
/// run again.
#[test]
fn a_slurm_array_makes_the_mirror_of_one_sync() {
    let slurm = match Slurm::start() {
        Ok(slurm) => slurm,
        Err(why) => return println!("not run: a mirror on a real Slurm: {why}"),
    };
    let scene = large();
    let (one, parted) = (folder(&scene, "one"), folder(&scene, "parted"));
    let submit = || {
        let mut command = beside(&scene, "sh");
        command.arg(ready("slurm-mirror.sh")).arg("s3://inventories/of/archive/daily/").arg(&parted).arg("4");
        let submitted = Run::of(command.env("SLURM_CONF", slurm.conf()));
        submitted.expect(0);
        submitted.text().trim().to_owned()
    };
    // The second and the third segment wait for a body each until they are ended.
    let mut keys: Vec<String> = (0..BODIES).map(|number| format!("a/{}/{number:04}", number % 7)).collect();
    keys.sort();
    for at in [300, 600] {
        scene.server.plan(Rule::next(Fault::Stall(1)).to(&format!("{}?", keys[at])));
    }
    let apply = submit();
    let array = slurm.ask("squeue", &["-h", "-n", "mirror-fetch", "-o", "%F"]).text();
    let array = array.lines().next().expect("an array").trim().to_owned();
    slurm.until("two segments wait", |_| scene.server.left() == 0);
    slurm.until("the others are done", |slurm| {
        slurm.states(&array).iter().filter(|state| *state == "COMPLETED").count() == 2
    });
    kill_process(fetching(&parted, "2/4").expect("the second segment"), Signal::KILL).expect("a signal");
    let third = format!("{array}_3");
    slurm.ask("scontrol", &["requeue", &third]).expect(0);
    // A requeued task would wait for two minutes.
    slurm.until("it is requeued", |slurm| slurm.ask("squeue", &["-h", "-j", &third, "-o", "%t"]).text().trim() == "PD");
    // Slurm fails a task that it starts where what is left of it has not ended.
    slurm.until("nothing of it is left", |_| pids(|line| line.starts_with("slurmstepd: [")).next().is_none());
    slurm.until("it may start", |slurm| {
        slurm.ask("scontrol", &["update", &format!("JobId={third}"), "StartTime=now"]).code == 0
    });
    slurm.until("the array is at its end", |slurm| {
        slurm.states(&array).iter().all(|state| ["COMPLETED", "FAILED"].contains(&state.as_str()))
    });
    let told = slurm.ask("scontrol", &["-o", "show", "job", &third]).text();
    assert!(told.contains("Restarts=1"), "{told}: {}", logs(&scene));
    assert!(slurm.states(&array).iter().any(|state| state == "FAILED"), "{:?}", slurm.states(&array));
    // What was to apply it waits for nothing any more, and would not.
    slurm.until("nothing is applied", |slurm| {
        let shown = slurm.ask("scontrol", &["-o", "show", "job", &apply]).text();
        shown.contains("Reason=DependencyNeverSatisfied")
    });
    slurm.ask("scancel", &[&apply]).expect(0);
    // A task ends when its script does, which what it started may outlive for a while.
    slurm.until("no worker is left", |_| fetching(&parted, "").is_none());
    run(&scene, "apply", &parted, &["--segments", "4"]).expect(4).says("of the segments 2/4");
    let apply = submit();
    slurm.until("it is applied", |slurm| {
        let states = slurm.states(&apply);
        assert!(!states.iter().any(|state| state == "FAILED"), "{states:?}");
        states == ["COMPLETED"]
    });
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    same(&one, &parted);
}

/// A manifest, held against the schema of the API.
fn manifest(name: &str) -> Value {
    let read = Run::of(python::command("kubernetes_job.py").arg(ready(name)));
    read.expect(0);
    if read.stderr.contains("not installed") {
        println!("not run: the schema of Kubernetes: kubernetes-validate is not installed");
    }
    serde_json::from_slice(&read.stdout).expect("JSON")
}

/// What the only container of a Job runs, as its node would: with the variables of the manifest, and those of
/// Kubernetes.
fn runs(scene: &Scene, job: &Value, mirror: &Path, index: Option<u64>) -> Run {
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let words = |field: &str| -> Vec<String> { serde_json::from_value(container[field].clone()).expect("words") };
    let (command, args) = (words("command"), words("args"));
    let text = args[0].replace("s3://inventories/photos/daily/", "s3://inventories/of/archive/daily/");
    let variable = &container["env"][0];
    let mut node = beside(scene, &command[0]);
    node.args(&command[1..]).arg(text).env(variable["name"].as_str().expect("a name"), mirror);
    if let Some(index) = index {
        node.env("JOB_COMPLETION_INDEX", index.to_string());
    }
    Run::of(&mut node)
}

#[test]
fn the_jobs_of_kubernetes_make_the_mirror_of_one_sync() {
    let scene = large();
    let (one, parted) = (folder(&scene, "one"), folder(&scene, "parted"));
    let [plan, fetch, apply] = ["plan", "fetch", "apply"].map(|name| manifest(&format!("kubernetes-{name}.yaml")));
    for job in [&plan, &fetch, &apply] {
        assert_eq!((&job["apiVersion"], &job["kind"]), (&"batch/v1".into(), &"Job".into()), "{job}");
        let pod = &job["spec"]["template"]["spec"];
        // One that failed is made again by the Job, which counts how often.
        assert_eq!(pod["restartPolicy"], "Never", "{job}");
        assert_eq!(pod["containers"][0]["volumeMounts"][0]["name"], pod["volumes"][0]["name"], "{job}");
    }
    let spec = &fetch["spec"];
    assert_eq!((&spec["completionMode"], &spec["completions"]), (&"Indexed".into(), &spec["parallelism"]), "{spec}");
    runs(&scene, &plan, &parted, None).expect(0);
    let completions = spec["completions"].as_u64().expect("a number");
    // One is left out at first: what applies them fails, and is tried again.
    for index in 1..completions {
        runs(&scene, &fetch, &parted, Some(index)).expect(0);
    }
    runs(&scene, &apply, &parted, None).expect(4).says(&format!("of the segments 1/{completions}:"));
    runs(&scene, &plan, &parted, None).expect(0).prints("was planned already");
    runs(&scene, &fetch, &parted, Some(0)).expect(0);
    runs(&scene, &apply, &parted, None).expect(0);
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    same(&one, &parted);
    // What cannot be had fails no Pod that fetches, and the Job that applies, once.
    let version = scene.put("gone", "before it is fetched");
    scene.list(2);
    scene.server.shelves(|shelves| shelves.remove(crate::scene::BUCKET, b"gone", &version));
    runs(&scene, &plan, &parted, None).expect(0);
    for index in 0..completions {
        runs(&scene, &fetch, &parted, Some(index)).expect(0);
    }
    runs(&scene, &apply, &parted, None).expect(3);
    let ends = &apply["spec"]["podFailurePolicy"]["rules"][0];
    assert_eq!((&ends["action"], &ends["onExitCodes"]["values"][0]), (&"FailJob".into(), &3.into()), "{ends}");
}
