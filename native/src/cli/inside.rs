//! `POINT/PATH`: a part of a tree.

use highwater_core::facts::Shape;
use highwater_core::inspect::Format;
use highwater_core::name::Name;

use super::repository::usage;
use crate::error::Error;

/// Divides what was named into a point and a path in its tree. What the kind itself takes for a point is one.
pub(super) fn divided(
    format: &'static dyn Format,
    text: Option<String>,
) -> Result<(Option<String>, Option<Name>), Error> {
    let Some(text) = text else { return Ok((None, None)) };
    let is_point = format.point(&text).is_ok();
    let Some((point, path)) = text.split_once('/').filter(|_| !is_point && format.facts().shape == Shape::Tree) else {
        return Ok((Some(text), None));
    };
    let path = path.trim_end_matches('/').trim_start_matches("./");
    if path.is_empty() || path == "." {
        return Ok((Some(point.to_owned()), None));
    }
    let name = Name::new(path.as_bytes()).map_err(|error| usage(format!("'{path}' is no path in a tree: {error}")))?;
    Ok((Some(point.to_owned()), Some(name)))
}
