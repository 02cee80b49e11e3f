//! What a report calls a root.

use std::path::Path;

use highwater_core::formats::listed;
use highwater_core::name::printable;

use super::repository::Repository;

/// The last part of a root's path, so that the same set has the same report wherever it lies.
pub(super) fn label(path: &Path) -> String {
    let real = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = real.file_name().unwrap_or(real.as_os_str());
    printable(name.as_encoded_bytes())
}

/// Labels for several roots: the whole path for those whose last part is not enough to tell them apart.
pub(super) fn labels(repositories: &[Repository]) -> Vec<String> {
    let name = |repository: &Repository| match (&repository.point, repository.kind) {
        (Some(point), Some(listed::NAME)) => label(&repository.path.join(format!("{point}{}", listed::LIST))),
        _ => label(&repository.path),
    };
    let short: Vec<String> = repositories.iter().map(name).collect();
    let whole = |repository: &Repository| {
        let point = repository.point.as_ref().map(|point| format!("@{point}")).unwrap_or_default();
        printable(repository.path.as_os_str().as_encoded_bytes()) + &point
    };
    let unique = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    repositories
        .iter()
        .zip(&short)
        .map(|(repository, name)| if unique(name) { name.clone() } else { whole(repository) })
        .collect()
}
