//! What a job is to do: an object of options, read by its fields' names.

use highwater_core::drive::restore::Restore;
use highwater_core::drive::tree::Files;
use highwater_core::drive::{Drive, listing};
use highwater_core::facts::Shape;
use highwater_core::formats;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::key::Key;
use highwater_core::report::Depth;
use highwater_core::shard::Shard;
use highwater_core::survey::{self, Survey};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use super::fault::Fault;

/// What is to be done with a root.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    /// Check it.
    Verify,
    /// Name its points.
    List,
    /// Give out a point.
    Restore,
    /// Name the files of a point.
    Files,
}

/// A job's options.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Options {
    pub(super) verb: Verb,
    /// The name of the format.
    pub(super) format: String,
    /// What the root is called.
    #[serde(default)]
    pub(super) label: String,
    #[serde(default)]
    depth: Option<String>,
    /// The point to look at alone, or to restore.
    #[serde(default)]
    pub(super) point: Option<String>,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    part: Option<u32>,
    #[serde(default)]
    parts: Option<u32>,
    /// The bytes of a key.
    #[serde(default)]
    key: Option<Vec<u8>>,
    /// Of files, those alone whose bytes are in one of these.
    #[serde(default)]
    pub(super) objects: Option<Vec<String>>,
    /// How many files are named at most.
    #[serde(default)]
    pub(super) most: Option<u32>,
    /// The page reads the beginnings of short files.
    #[serde(default)]
    pub(super) near: bool,
}

impl Options {
    /// Reads them.
    pub(super) fn of(value: JsValue) -> Result<Self, Fault> {
        serde_wasm_bindgen::from_value(value).map_err(Fault::option)
    }

    /// This part is the one that tells of sets: every part knows of all.
    pub(super) fn tells(&self) -> bool {
        self.part.is_none_or(|part| part == 1)
    }

    /// A look at `listing`.
    pub(super) fn drive(&self, listing: listing::Listing) -> Result<Drive, Fault> {
        let format = self.format()?;
        let shard = Shard::new(self.part.unwrap_or(1).into(), self.parts.unwrap_or(1).into());
        let shard = shard.ok_or_else(|| Fault::option("there is no such part"))?;
        let (of, depth) = match (self.verb, &self.point) {
            (Verb::List, _) => (Of::Catalogue, Depth::List),
            (_, None) => (Of::All, depth_of(self.depth.as_deref())?),
            (_, Some(point)) => {
                let point = format.point(point).map_err(Fault::point)?;
                (Of::Under(point), depth_of(self.depth.as_deref())?)
            }
        };
        let trails = depth >= format.facts().trails && self.verb == Verb::Verify;
        let scope = Scope::new(of).trailing(trails).keyed(self.key()?).part(shard);
        let options =
            survey::Options { label: self.label.clone(), format: Some(format), depth, strict: self.strict, shard };
        Ok(Drive::new(Survey::new(format.inspect(&scope), options), depth, listing))
    }

    /// What a report on a root says that was not looked at.
    pub(super) fn about(&self) -> Result<survey::Options, Fault> {
        let depth = depth_of(self.depth.as_deref())?;
        let (label, strict) = (self.label.clone(), self.strict);
        Ok(survey::Options { label, format: None, depth, strict, shard: Shard::WHOLE })
    }

    /// The restore of a point out of `listing`.
    pub(super) fn restore(&self, listing: listing::Listing) -> Result<Restore, Fault> {
        let format = self.format()?;
        let point = self.point.as_deref().ok_or_else(|| Fault::option("there must be a point to restore"))?;
        let point = format.point(point).map_err(Fault::point)?;
        point.restores().map_err(Fault::point)?;
        Ok(Restore::new(format, point, self.key()?, listing))
    }

    /// The files of a point out of `listing`.
    pub(super) fn files(&self, listing: listing::Listing) -> Result<Files, Fault> {
        let format = self.format()?;
        let point = self.point.as_deref().ok_or_else(|| Fault::option("there must be a point to name the files of"))?;
        let point = format.point(point).map_err(Fault::point)?;
        if format.facts().shape != Shape::Tree && !point.is_tree() {
            return Err(Fault::point("this point is one file, and no tree"));
        }
        Ok(Files::new(format, point, self.key()?, listing))
    }

    fn format(&self) -> Result<&'static dyn Format, Fault> {
        formats::by_name(&self.format).ok_or_else(|| Fault::option(format!("there is no format '{}'", self.format)))
    }

    #[cfg(feature = "keys")]
    fn key(&self) -> Result<Option<Key>, Fault> {
        let Some(bytes) = &self.key else { return Ok(None) };
        let secret = bytes.as_slice().try_into().map_err(|_| Fault::key("a key has 32 bytes"))?;
        Ok(Some(Key::new(secret)))
    }

    /// Whatever takes a key takes the module that has them.
    #[cfg(not(feature = "keys"))]
    fn key(&self) -> Result<Option<Key>, Fault> {
        if self.key.is_some() { Err(Fault::key("this module knows of no keys")) } else { Ok(None) }
    }
}

/// A depth by its word: that of digests where none is said.
pub(super) fn depth_of(word: Option<&str>) -> Result<Depth, Fault> {
    match word {
        Some("list") => Ok(Depth::List),
        Some("size") => Ok(Depth::Size),
        Some("digest") | None => Ok(Depth::Digest),
        Some("deep") => Ok(Depth::Deep),
        Some(other) => Err(Fault::option(format!("there is no depth '{other}': list, size, digest and deep are"))),
    }
}

/// Plain data as a plain object.
pub(super) fn object(data: &impl Serialize) -> Result<JsValue, Fault> {
    data.serialize(&Serializer::json_compatible()).map_err(Fault::internal)
}
