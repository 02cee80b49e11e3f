//! A restore onto a block device: in place, as a device has no second file that could take its name.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use highwater_core::claim::Claim;
use highwater_core::render::thousands;

use crate::disk::Writable;
use crate::error::Error;
use crate::restore::ready::{self, Look};
use crate::restore::target::holds;
use crate::restore::write;
use crate::restore::zeros::Zeros;
use crate::restore::{How, RestoreSummary, Run, sound};
use crate::shown::quoted;

/// Writes all of the plan to the device that the target is. What it holds already is not written again.
///
/// # Errors
/// When nobody said that it may be overwritten, it is in use or too small, or something that will be read is not there:
/// it is then as it was. After that, it is overwritten in part, and that is said.
pub(super) fn write(run: &Run<'_>) -> Result<RestoreSummary, Error> {
    let Run { job, plan, from, to, target, watch } = *run;
    let path = quoted(&run.told());
    if !job.force {
        let what = format!("{path} is a block device, and whatever it holds is overwritten in place");
        return Err(Error::cannot_start(format!("{what}; say with --force that this is meant, or name a file")));
    }
    let device = to.open_device(target).map_err(|error| match error.kind() {
        io::ErrorKind::ResourceBusy => Error::cannot_start(format!(
            "{path} is in use: it is mounted, or belongs to something that is; end that first"
        )),
        _ => Error::at("open for writing", to, target)(error),
    })?;
    let length = device.as_object().length().map_err(run.failed("look at"))?;
    if length < plan.end {
        let (length, end) = (thousands(length), thousands(plan.end));
        return Err(Error::cannot_start(format!("{path} is too small: it has {length} bytes, and {end} are needed")));
    }
    let zeros = Zeros::of(plan);
    ready::files(from, plan, 0, Look::Closely, &zeros, watch)?;
    if job.dry_run {
        return Ok(RestoreSummary::new(plan, How::Full, 0, plan.end));
    }
    watch.notice(format!("overwriting {path}: until this ends, it holds neither what it held nor the point"));
    watch.expect(plan.end);
    let written = fill(run, &*device, &zeros).map_err(|error| {
        let what = error.to_string();
        let what = what.trim_end_matches('.');
        let what = format!("{what}. {path} is overwritten in part: restore to it again, from a sound point");
        Error::Refused { class: error.class(), what }
    })?;
    if length > plan.end {
        let more = thousands(length - plan.end);
        watch.notice(format!("{path} has {more} bytes more than the point; they are as they were"));
    }
    Ok(RestoreSummary::new(plan, How::Full, 0, written))
}

/// Writes every chunk that is not there, for good; gives how many bytes those are.
fn fill(run: &Run<'_>, device: &dyn Writable, zeros: &Zeros) -> Result<u64, Error> {
    let Run { plan, from, watch, .. } = *run;
    let path = run.told();
    let written = AtomicU64::new(0);
    let count = |claim: &Claim| written.fetch_add(claim.expect.length, Ordering::Relaxed);
    // Gives the chunk if it is still to be written.
    let look = |at: usize| -> Result<Option<Claim>, Error> {
        watch.go_on()?;
        let claim = plan.claims.get(at);
        if holds(device.as_object(), (&claim, plan.opens.as_ref()), watch).map_err(Error::io("read", &path))? {
            return Ok(None);
        }
        if zeros.are(&claim) {
            count(&claim);
            Zeros::put(&claim, |at, bytes| device.write_at(at, bytes)).map_err(Error::io("write", &path))?;
            return Ok(None);
        }
        Ok(Some(claim))
    };
    let settled = |claim: &Claim, verdict| {
        count(claim);
        sound(from, claim, verdict)
    };
    write::chunks(run, (device, &path), u64::MAX, &look, &settled)?;
    device.sync().map_err(Error::io("write", &path))?;
    Ok(written.into_inner())
}
