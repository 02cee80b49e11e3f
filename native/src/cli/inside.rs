//! `POINT/PATH`: a part of a tree.

use highwater_core::facts::Shape;
use highwater_core::inspect::Format;
use highwater_core::name::Name;

use super::repository::usage;
use crate::error::Error;

/// Divides what was named into a point and a path in its tree, or what an entry of it is called.
pub(super) fn divided(format: &'static dyn Format, text: Option<String>) -> (Option<String>, Option<String>) {
    let Some(text) = text else { return (None, None) };
    let point = format.point(&text).ok().filter(|_| format.facts().shape == Shape::Tree);
    let divided = point.as_ref().and_then(|point| Some((point.as_str(), point.within()?)));
    let Some((point, path)) = divided else { return (Some(text), None) };
    (Some(point.to_owned()), Some(path.to_owned()))
}

/// A path in a tree, as it was named.
pub(super) fn path_in(path: &str) -> Result<Name, Error> {
    Name::new(path.as_bytes()).map_err(|error| usage(format!("'{path}' is no path in a tree: {error}")))
}
