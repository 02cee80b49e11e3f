//! What lies behind ssh is judged as the same files in a folder are, read here and verified there.

use std::fs;
use std::time::Instant;

use super::machine::Machine;
use crate::both::Both as _;
use crate::same::{are_brought_to_what_is_there, gives_the_same, heals_a_folder, is_judged_alike};

#[test]
fn what_is_read_through_a_line_is_judged_as_a_folder_is() {
    is_judged_alike(&Machine::new(), "ssh, read here", &["--here"]);
}

#[test]
fn what_is_verified_there_is_judged_as_a_folder_is() {
    is_judged_alike(&Machine::new(), "ssh, verified there", &[]);
}

#[test]
fn a_line_gives_what_a_folder_gives() {
    gives_the_same(&Machine::new(), "ssh");
}

#[test]
fn a_file_and_a_folder_are_brought_to_what_another_machine_has() {
    are_brought_to_what_is_there(&Machine::new());
}

#[test]
fn what_another_machine_has_heals_a_folder() {
    let machine = Machine::new();
    // The two are one folder here, unless the other is its copy.
    struct Copied(Machine);
    impl crate::both::Both for Copied {
        fn lay(&self, files: &highwater_tests::repo::Image) {
            self.0.lay(files);
            highwater_tests::specimens::lay(files, &self.0.scratch.path().join("copy/set"));
        }
        fn near(&self) -> std::path::PathBuf {
            self.0.near()
        }
        fn far(&self) -> std::path::PathBuf {
            format!("ssh://elsewhere{}", self.0.scratch.path().join("copy/set").display()).into()
        }
        fn command(&self, words: &[&std::ffi::OsStr]) -> std::process::Command {
            self.0.command(words)
        }
    }
    heals_a_folder(&Copied(machine));
}

/// A report, and little more, comes of what is verified there; of what is read here, every byte does.
#[test]
fn what_is_verified_there_sends_its_report_alone() {
    let mut machine = Machine::new();
    let (source, set) = (machine.scratch.path().join("source"), machine.near());
    fs::create_dir(&source).expect("a folder");
    let body: Vec<u8> = (0_u32..2 << 20).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    fs::write(source.join("body"), &body).expect("a file");
    fs::create_dir(&set).expect("a folder");
    machine.run(&["backup"], &source, &[set.as_os_str()]).expect(0);
    let count = machine.scratch.path().join("count");
    let counted = |machine: &Machine, options: &[&str]| -> u64 {
        machine.run(options, &machine.far(), &[]).expect(0);
        fs::read_to_string(&count).expect("a count").parse().expect("a number")
    };
    machine.by(format!("count {}", count.display()));
    let there = counted(&machine, &["verify"]);
    assert!(there < 16 << 10, "{there} bytes");
    let here = counted(&machine, &["verify", "--here"]);
    assert!(here > body.len() as u64, "{here} bytes");
    let events = counted(&machine, &["verify", "--events=/dev/null"]);
    assert!(events > body.len() as u64, "{events} bytes");
}

/// A rate has its time, whoever is faster: that is no matter of how fast the machine is.
#[test]
fn bytes_come_through_a_line_no_faster_than_they_may() {
    let machine = Machine::new();
    let (source, set) = (machine.scratch.path().join("source"), machine.near());
    fs::create_dir(&source).expect("a folder");
    fs::write(source.join("body"), vec![7; 300_000]).expect("a file");
    fs::create_dir(&set).expect("a folder");
    machine.run(&["backup"], &source, &[set.as_os_str()]).expect(0);
    let started = Instant::now();
    machine.run(&["verify", "--here", "--max-bandwidth", "100k"], &machine.far(), &[]).expect(0);
    // Three seconds, less a burst of a quarter of one.
    assert!(started.elapsed().as_millis() >= 2750, "{:?}", started.elapsed());
}
