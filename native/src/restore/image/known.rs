//! Whether what an existing image holds is known to the set.
//!
//! It is if it is, byte for byte, that archive of a point of the same group: nothing in its bytes says how old they
//! are.

use std::sync::Arc;

use highwater_core::render::thousands;

use crate::error::Error;
use crate::restore::Run;
use crate::restore::known::{self, Unread, agrees, all, is, known_or_unread};
use crate::restore::target::holds;
use crate::store::Object;

/// Refuses to give up a target that is not the point, unless the set knows what it holds.
pub(in crate::restore) fn or_refuse(run: &Run<'_>, object: &Arc<dyn Object>) -> Result<(), Error> {
    known::or_refuse(
        run,
        &**object,
        |length, unread| is_known(run, &**object, length, unread),
        |length| {
            if length > run.plan.end && is(run, &**object, &run.plan.claims)? {
                return Ok(known::more(run, length - run.plan.end));
            }
            Ok(format!("its {} bytes are not this archive as any snapshot of its group has it", thousands(length)))
        },
    )
}

fn is_known(run: &Run<'_>, object: &dyn Object, length: u64, unread: &Unread) -> Result<bool, Error> {
    let Run { from, plan, watch, .. } = *run;
    let related = plan.related(from, unread)?;
    for set in related.iter().filter(|set| set.name != plan.point && set.bytes == Some(length)) {
        let claims = plan.claims_of(from, &set.name, unread)?;
        if claims.end() == length && is(run, object, &claims)? {
            return Ok(true);
        }
    }
    // Whether it is what the point begins with.
    Ok(length <= plan.claims.end()
        && all(run, &plan.claims, 0..length, |claim| {
            if claim.target().end <= length {
                return holds(object, (claim, plan.opens.as_ref()), watch);
            }
            let same = agrees(from, object, (claim, plan.opens.as_ref()), length, |new, old, _| new == old)?;
            Ok(known_or_unread(from, claim, same, unread))
        })?)
}
