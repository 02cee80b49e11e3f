//! Folders with a list of mtree(5) beside them: `NAME` and `NAME.mtree`, as `highwater checkpoint` leaves them, or as
//! `mtree -c -p NAME -K sha256` and `bsdtar -cf - --format=mtree --options=mtree:sha256 -C NAME .` make them.
//!
//! The root is the folder that both lie in, and each list in it is a point. The list is read to its last line, which
//! seals one of ours; each file that it names is claimed with its size, and with its digest where the list has it.
//! Files that a live store's own head keeps digests of are listed without: the store itself is looked at for those.
//! Folders, links and devices have no bytes, and nothing is claimed of them.

mod inspect;

use crate::facts::{Facts, Lock, Shape};
use crate::finding::Code;
use crate::inspect::{Entry, Format, Inspect, Scope};
use crate::point::{NoPoint, Point};
use crate::report::Depth;

/// What follows the name of a folder in that of its list.
pub const LIST: &str = ".mtree";

/// Its word for `--kind`.
pub const NAME: &str = "listed";

/// The format.
#[derive(Debug)]
pub struct Listed;

static FACTS: Facts = Facts {
    name: NAME,
    looks: "",
    hint: None,
    lock: Lock::Alone(".highwater-listed-lock"),
    pool: None,
    parts: None,
    shape: Shape::Nothing,
    // From here on, files without a digest are another's affair.
    trails: Depth::Digest,
    moves: false,
    colons: false,
    advice,
    notes: |_| None,
    proves: |_| None,
};

fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Missing | Code::Length | Code::Digest => {
            "If a program has opened this copy since, it wrote in it; if not, make a new checkpoint and throw this one \
             away."
        }
        Code::Malformed => {
            "Make a new checkpoint, or where another program made the list a new list: without one, nothing says what \
             the folder should hold."
        }
        Code::Unverifiable => {
            "Make checkpoints with --verify, which puts a digest of every file into the list; `mtree` does with \
             `-K sha256`, and `bsdtar` with `--options=mtree:sha256`."
        }
        _ => return None,
    })
}

impl Format for Listed {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    /// A folder of any kind may hold such lists: only whoever names one asks for this.
    fn recognise(&self, _: &[Entry]) -> bool {
        false
    }

    fn point(&self, text: &str) -> Result<Point, NoPoint> {
        Ok(Point::new(text.strip_suffix(LIST).unwrap_or(text)))
    }

    fn inspect(&self, scope: &Scope) -> Box<dyn Inspect> {
        Box::new(inspect::Lists::new(scope))
    }
}
