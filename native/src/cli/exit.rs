//! Exit codes, in one place.

use std::process::ExitCode;

use highwater_core::render::State;
use highwater_core::report::Soundness;

use crate::error::Class;

/// The table that `--help` shows.
pub(super) const TABLE: &str = "\
Exit codes:
  0    done; for verify: everything claimed was checked at the asked depth and is sound
  1    damage was found
  2    the command line makes no sense
  3    inconclusive: something could not be read, judged or finished, or nothing was claimed
  4    could not start: no repository or point, no thread, or another writer holds the lock
  130  interrupted, or hung up";

/// How the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0.
    Sound,
    /// 1.
    Damage,
    /// 2.
    Usage,
    /// 3.
    Inconclusive,
    /// 4.
    CannotStart,
    /// 130.
    Interrupted,
    /// As a monitoring plugin does in such a state.
    Plugin(State),
    /// As the command did that was run.
    Command(u8),
}

impl Exit {
    /// As a command ended.
    pub(super) fn of_command(code: u8) -> Self {
        if code == 0 { Self::Sound } else { Self::Command(code) }
    }

    /// The code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Sound => 0,
            Self::Damage => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::CannotStart => 4,
            Self::Interrupted => 130,
            Self::Plugin(state) => state as u8,
            Self::Command(code) => code,
        }
    }

    /// A word for it, where no exit code is seen. Sound is what was checked, as `has_checked` says.
    pub(super) fn word(self, has_checked: bool) -> &'static str {
        match self {
            Self::Sound if has_checked => "sound",
            Self::Sound => "done",
            Self::Damage => "damaged",
            Self::Usage => "usage",
            Self::Inconclusive => "inconclusive",
            Self::CannotStart => "cannot start",
            Self::Interrupted => "interrupted",
            Self::Plugin(state) => state.word(),
            Self::Command(_) => "command failed",
        }
    }

    /// This exit, or inconclusive if all was well so far: something could not be written.
    pub(super) fn unless_worse(self) -> Self {
        match self {
            Self::Sound => Self::Inconclusive,
            Self::Plugin(State::Ok | State::Warning) => Self::Plugin(State::Unknown),
            worse => worse,
        }
    }
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::Damage => Self::Damage,
            Class::Usage => Self::Usage,
            Class::Failed => Self::Inconclusive,
            Class::CannotStart => Self::CannotStart,
            Class::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Soundness> for Exit {
    fn from(verdict: Soundness) -> Self {
        match verdict {
            Soundness::Sound => Self::Sound,
            Soundness::Damaged => Self::Damage,
            Soundness::Inconclusive => Self::Inconclusive,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
