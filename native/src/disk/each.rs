//! Many things are done on a disk side by side.

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::Disk;
use crate::error::Error;

/// Does something with each of these: side by side, on as many threads as the disk has use for.
///
/// # Errors
/// The first of `deed`, or no thread can be started.
pub(crate) fn each<T: Sync>(
    disk: &dyn Disk,
    items: &[T],
    deed: impl Fn(&T) -> Result<(), Error> + Sync + Send,
) -> Result<(), Error> {
    match disk.ways() {
        Some(ways) if items.len() > 1 => {
            let threads = ThreadPoolBuilder::new().num_threads(ways.min(items.len())).build();
            let threads = threads.map_err(Error::no_thread)?;
            threads.install(|| items.par_iter().with_max_len(1).try_for_each(deed))
        }
        _ if disk.takes_threads() => items.par_iter().try_for_each(deed),
        _ => items.iter().try_for_each(deed),
    }
}
