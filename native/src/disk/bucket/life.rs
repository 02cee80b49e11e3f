//! `Life`: which process of which machine a lock is held by, so that one is known to have ended.

use std::fmt;
use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// A process, told from every other: of which start of which machine, in which namespace, by its number, and when it
/// began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    boot: String,
    space: String,
    pid: u32,
    /// In ticks since the machine started.
    began: u64,
}

impl Life {
    /// This process; none where the system does not tell.
    pub(super) fn own() -> Option<Self> {
        let pid = std::process::id();
        Some(Self { boot: boot()?, space: space()?, pid, began: began(pid)? })
    }

    /// Reads what a lock says, behind the word that begins it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut words = text.split_once(WORD)?.1.split([' ', ';', '\n']).next()?.split('/');
        let mut next = || words.next().filter(|word| !word.is_empty());
        let (boot, space) = (next()?.to_owned(), next()?.to_owned());
        Some(Self { boot, space, pid: next()?.parse().ok()?, began: next()?.parse().ok()? })
    }

    /// Whether it has certainly ended: it was of this start of this machine, and no such process is there.
    pub(super) fn has_ended(&self) -> bool {
        let is_here = Some(&self.boot) == boot().as_ref() && Some(&self.space) == space().as_ref();
        is_here
            && match began(self.pid) {
                Some(began) => began != self.began,
                // Where others' processes are hidden, only the system's word counts.
                None => is_none(self.pid),
            }
    }
}

/// What stands before it in a lock.
const WORD: &str = "process ";

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{WORD}{}/{}/{}/{}", self.boot, self.space, self.pid, self.began)
    }
}

fn boot() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn space() -> Option<String> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(link.to_str()?.chars().filter(char::is_ascii_digit).collect()).filter(|text: &String| !text.is_empty())
}

/// Whether there is no process of this number.
fn is_none(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}

/// When a process began; 0 when it has ended and nobody has asked how yet, and none when there is none to be seen.
fn began(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // What it is called stands in brackets, and may hold anything.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let state = fields.next()?;
    let began = fields.nth(18)?.parse().ok()?;
    Some(if matches!(state, "Z" | "X") { 0 } else { began })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_others_are_told_from_it() {
        let own = Life::own().expect("the system tells");
        assert_eq!(Life::read(&format!("pid 1 on x; {own}; run 2")), Some(own.clone()));
        assert!(!own.has_ended());
        assert!(Life { began: own.began + 1, ..own.clone() }.has_ended());
        // Of another machine, nobody knows.
        assert!(!Life { boot: "other".to_owned(), began: 1, ..own.clone() }.has_ended());
        assert!(!Life { space: "7".to_owned(), began: 1, ..own }.has_ended());
        for bad in ["", "process ", "process a/b/c/d", "process a/b/1", "process a//1/2"] {
            assert_eq!(Life::read(bad), None, "{bad}");
        }
    }
}
