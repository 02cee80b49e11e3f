//! Whether standard output was closed when the program began.
//!
//! Before `main`, Rust opens `/dev/null` in the place of a standard stream that is closed, so that no file is opened
//! there by chance. What is printed then seems to be written and is gone; so it is asked before that.

use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

ctor::declarative::ctor! {
    /// Runs before all else: one system call, and none of the standard library's services.
    #[ctor(unsafe)]
    fn look() {
        CLOSED.store(rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err(), Ordering::Relaxed);
    }
}

/// Whether it was.
pub(super) fn stdout() -> bool {
    CLOSED.load(Ordering::Relaxed)
}
