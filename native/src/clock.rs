//! The clock, as repository stamps use it: UTC, to the second, with an override for reproducible runs.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::error::{Class, Error};

/// The variable that overrides the clock: `YYYY-MM-DD-hh-mm-ss`, UTC.
pub const OVERRIDE: &str = "HIGHWATER_NOW";

/// Set when [`OVERRIDE`] was taken for the time.
static OVERRIDDEN: AtomicBool = AtomicBool::new(false);

const FORMAT: &str = "%Y-%m-%d-%H-%M-%S";

/// Now, as a stamp: `YYYY-MM-DD-hh-mm-ss`, UTC.
///
/// # Errors
/// When [`OVERRIDE`] is set to something that is no such time.
pub fn stamp() -> Result<String, Error> {
    match env::var(OVERRIDE) {
        Ok(text) if DateTime::strptime(FORMAT, &text).is_ok_and(|time| time.strftime(FORMAT).to_string() == text) => {
            OVERRIDDEN.store(true, Ordering::Relaxed);
            Ok(text)
        }
        Ok(text) => {
            let what = format!("{OVERRIDE} is '{text}', which is no time of the form YYYY-MM-DD-hh-mm-ss");
            Err(Error::Refused { class: Class::Usage, what })
        }
        Err(_) => Ok(Timestamp::now().to_zoned(TimeZone::UTC).strftime(FORMAT).to_string()),
    }
}

/// What [`OVERRIDE`] says, if it was taken for the time: whoever left it set should know.
#[must_use]
pub fn overridden() -> Option<String> {
    env::var(OVERRIDE).ok().filter(|_| OVERRIDDEN.load(Ordering::Relaxed))
}

/// Whether [`stamp`] moves on by itself.
#[must_use]
pub fn ticks() -> bool {
    env::var_os(OVERRIDE).is_none()
}

/// Days since 1970-01-01, UTC: what a daily subset counts by.
///
/// # Errors
/// As [`stamp`].
pub fn day() -> Result<u64, Error> {
    Ok(u64::try_from(seconds()?).unwrap_or(0) / 86_400)
}

/// Seconds since 1970-01-01, UTC.
///
/// # Errors
/// As [`stamp`].
pub fn seconds() -> Result<i64, Error> {
    let now = stamp()?;
    let date = DateTime::strptime(FORMAT, &now).map_err(|error| Error::failed(error.to_string()))?;
    Ok(date.to_zoned(TimeZone::UTC).map_err(|error| Error::failed(error.to_string()))?.timestamp().as_second())
}

/// The second so many `unit`s before now: `d` days, `w` weeks, `m` months, `y` years, by the calendar, UTC. None where
/// that is no unit, or no calendar reaches back so far.
///
/// # Errors
/// As [`stamp`].
pub fn ago(count: i64, unit: char) -> Result<Option<i64>, Error> {
    let now = DateTime::strptime(FORMAT, stamp()?).map_err(|error| Error::failed(error.to_string()))?;
    let span = match unit {
        'd' => Span::new().try_days(count),
        'w' => Span::new().try_weeks(count),
        'm' => Span::new().try_months(count),
        'y' => Span::new().try_years(count),
        _ => return Ok(None),
    };
    let then = span.and_then(|span| now.checked_sub(span)).and_then(|then| then.to_zoned(TimeZone::UTC));
    Ok(then.ok().map(|then| then.timestamp().as_second()))
}

/// A second as snapshots of datastores are named: `YYYY-MM-DDThh:mm:ssZ`.
///
/// # Errors
/// When no calendar has it.
pub fn snapshot(second: i64) -> Result<String, Error> {
    let time = Timestamp::from_second(second).map_err(|error| Error::failed(error.to_string()))?;
    Ok(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
