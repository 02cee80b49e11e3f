//! The names of what lies in a set, both directions.

use crate::digest::{Algorithm, Digest};
use crate::name::Name;
use crate::stamp;

/// The folder of the lists.
pub const POINTS: &str = "points";

/// The folder whose folders hold the objects.
pub const OBJECTS: &str = "objects";

/// What the names of lists end with.
pub const LIST: &str = ".mtree";

/// What the last backup remembers ([`super::known`]).
pub const KNOWN: &str = ".highwater.known";

/// What writers lock.
pub const LOCK: &str = ".highwater.lock";

/// The object that holds bytes of this digest; none for what is no SHA-256.
#[must_use]
pub fn object(digest: &Digest) -> Option<Name> {
    let text = Some(digest).filter(|digest| digest.algorithm() == Algorithm::Sha256)?.to_string();
    Name::new(format!("{OBJECTS}/{}/{text}", text.get(..2)?).as_bytes()).ok()
}

/// The list of a point.
#[must_use]
pub fn list(point: &str) -> Option<Name> {
    Name::new(format!("{POINTS}/{point}{LIST}").as_bytes()).ok()
}

/// The point that a list in the folder of lists is of: `YYYY-MM-DDThh-mm-ssZ`.
#[must_use]
pub fn point_of(list: &Name) -> Option<String> {
    let text = std::str::from_utf8(list.as_bytes().strip_suffix(LIST.as_bytes())?).ok()?;
    let whole = stamp::point(text).ok().filter(|stamp| stamp.len() == stamp::STAMP.len())?;
    (self::point(&whole).as_deref() == Some(text)).then(|| text.to_owned())
}

/// How a stamp is written as a point.
#[must_use]
pub fn point(stamp: &str) -> Option<String> {
    let (day, time) = stamp.split_at_checked(10)?;
    Some(format!("{day}T{}Z", time.strip_prefix('-')?))
}

/// The stamp of a point.
#[must_use]
pub fn stamp_of(point: &str) -> Option<String> {
    stamp::point(point).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256_of;

    #[test]
    fn names_are_read_as_they_are_written() {
        let point = "2026-11-26T17-10-05Z";
        assert_eq!(super::point("2026-11-26-17-10-05").as_deref(), Some(point));
        assert_eq!(stamp_of(point).as_deref(), Some("2026-11-26-17-10-05"));
        let name = |text: &str| Name::new(text.as_bytes()).unwrap();
        assert_eq!(list(point), Some(name("points/2026-11-26T17-10-05Z.mtree")));
        assert_eq!(point_of(&name("2026-11-26T17-10-05Z.mtree")).as_deref(), Some(point));
        for other in ["2026-11-26T17-10-05Z", "2026-11-26.mtree", "2026-13-26T17-10-05Z.mtree", "x.mtree", ".mtree"] {
            assert_eq!(point_of(&name(other)), None, "{other}");
        }
        let sum = sha256_of(b"");
        assert_eq!(object(&sum), Some(name(&format!("objects/e3/{sum}"))));
    }
}
