//! `packaging/gitlab/highwater.yml`: the script of its job, run as a runner of GitLab runs it.

use std::fs;
use std::process::Command;

use highwater_tests::run::Run;
use tempfile::TempDir;

use super::{VERSION, archive, damaged, release, sound, yaml};

/// Runs the job in a new folder with these variables in place of its own.
fn job(folder: &TempDir, shell: &str, variables: &[(&str, String)]) -> Run {
    let job = &yaml("packaging/gitlab/highwater.yml")[".highwater"];
    let lines: Vec<&str> =
        job["script"].as_array().expect("a script").iter().filter_map(|line| line.as_str()).collect();
    let mut command = Command::new(shell);
    command.args(["-ec", &lines.join("\n")]).current_dir(folder.path());
    for (name, value) in job["variables"].as_object().expect("variables") {
        command.env(name, value.as_str().expect("text"));
    }
    Run::of(command.envs(variables.iter().map(|(name, value)| (name, value))))
}

#[test]
fn a_job_of_gitlab_installs_verifies_and_keeps_what_it_promises() {
    for shell in ["sh", "bash"] {
        let folder = tempfile::tempdir().expect("a folder");
        let from = release(&folder.path().join("release")).display().to_string();
        let set = sound(&folder.path().join("a set")).display().to_string();
        let variables =
            [("HIGHWATER_FROM", from), ("HIGHWATER_SET", set), ("HIGHWATER_OPTIONS", "--depth deep".into())];
        job(&folder, shell, &variables).expect(0).prints("deep was asked for").prints(VERSION);
        let kept = &yaml("packaging/gitlab/highwater.yml")[".highwater"]["artifacts"];
        let junit = kept["reports"]["junit"].as_str().expect("a report");
        assert!(fs::read_to_string(folder.path().join(junit)).expect("it").contains("<testsuite"));
        assert_eq!((&kept["when"], kept["paths"][0].as_str()), (&"always".into(), junit.split('/').next()));
    }
}

#[test]
fn damage_fails_a_job_of_gitlab_and_so_does_another_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = release(&folder.path().join("release"));
    let set = damaged(&folder.path().join("set")).display().to_string();
    let variables = [("HIGHWATER_FROM", from.display().to_string()), ("HIGHWATER_SET", set)];
    job(&folder, "sh", &variables).expect(1).prints("HW101");
    // A whole archive with a program that works, but not the one of the list.
    let name = archive();
    let line = format!("tar -xzf {name}.tar.gz && echo >{name}/more && tar -czf {name}.tar.gz {name}");
    Run::of(Command::new("sh").args(["-c", &line]).current_dir(&from)).expect(0);
    let refused = job(&folder, "sh", &variables);
    assert!(refused.code != 0 && !refused.text().contains("HW101"), "{}", refused.account());
}

#[test]
fn a_job_of_gitlab_that_names_no_set_fails_where_it_runs_in_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = release(&folder.path().join("release")).display().to_string();
    let set = sound(&folder.path().join("set"));
    for entry in fs::read_dir(&set).expect("a set") {
        let entry = entry.expect("an entry");
        fs::rename(entry.path(), folder.path().join(entry.file_name())).expect("a part of the set");
    }
    for shell in ["sh", "bash"] {
        let run = job(&folder, shell, &[("HIGHWATER_FROM", from.clone())]);
        assert!(run.code != 0 && !run.text().contains("sound"), "{}", run.account());
    }
}

#[test]
fn the_template_names_the_version_that_it_comes_with() {
    let job = &yaml("packaging/gitlab/highwater.yml")[".highwater"];
    assert_eq!(job["variables"]["HIGHWATER_VERSION"], VERSION);
}
