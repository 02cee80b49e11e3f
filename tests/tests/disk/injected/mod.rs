//! Faults injected into the real binary: failing system calls, kills, short transfers and full disks, at every place of
//! every verb. The scenes are those of the specimens.
//!
//! | file | about |
//! |---|---|
//! | `invariants.rs` | what must hold after a fault, and after the run that follows it |
//! | `faults.rs` | `injected faults` and `injected kills`: the n-th call on each file fails, or is the last one; by `strace` |
//! | `found.rs` | the faults that once did harm |
//! | `lacking.rs` | `lacking calls`: kernels and file systems without `openat2`, without locks, without `fsync` of folders |
//! | `short.rs` | `short counts`: a preloaded library makes transfers short and interrupts them |
//! | `disks.rs` | `full disks`: small file systems and file size limits of every size that matters |

mod disks;
mod faults;
mod found;
mod invariants;
mod lacking;
mod short;

use std::sync::OnceLock;

use highwater_tests::score::is_asked_for;
use highwater_tests::specimens::{self, injected::Scene};

/// Every scene of every format.
fn all() -> &'static [Scene] {
    static ALL: OnceLock<Vec<Scene>> = OnceLock::new();
    let scenes = || specimens::all().into_iter().flat_map(|specimen| specimen.injected());
    ALL.get_or_init(|| scenes().filter(|scene| is_asked_for(scene.name)).collect())
}
