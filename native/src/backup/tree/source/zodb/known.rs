//! `Known`: the blobs of the newest point of a set, where the next one goes on from there.

use highwater_core::filestorage::{BlobLayout, Oid, Tid};
use highwater_core::formats::tree::{LEFT_OUT, Within};
use highwater_core::mtree::{Line, Lines};
use highwater_core::name::Name;
use highwater_core::node::NodeKind;

use super::super::parent::newest;
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// What a point has.
pub(super) struct Known {
    /// The state of `Data.fs` that it has: the point of the repository, and how long it is.
    pub(super) data: (String, u64),
    /// Its blobs.
    pub(super) blobs: Vec<(Oid, Tid)>,
}

/// Where a database lies in its points.
pub(super) struct Places<'a> {
    pub(super) data: &'a Name,
    pub(super) repository: &'a Name,
    pub(super) blobs: &'a Name,
    pub(super) layout: BlobLayout,
}

impl Known {
    /// What the newest point has; none where there is no point, or it lies elsewhere, lacks something, or cannot be
    /// understood.
    ///
    /// # Errors
    /// The set cannot be read.
    pub(super) fn newest(set: &dyn Disk, places: &Places<'_>, watch: &Watch<'_>) -> Result<Option<Self>, Error> {
        let Some((_, list)) = newest(set)? else { return Ok(None) };
        let object = set.open(&list).map_err(Error::at("open", set, &list))?;
        let mut reading =
            Reading { places, point: None, length: None, blobs: Vec::new(), is_there: false, is_all: true };
        let mut lines = Lines::default();
        object
            .for_each_piece(0, u64::MAX, &mut vec![0; 64 << 10], |piece| {
                lines.push(piece, &mut |line| reading.take(line));
                reading.is_all && !watch.stopping()
            })
            .map_err(Error::at("read", set, &list))?;
        watch.go_on()?;
        let Reading { point, length, blobs, is_there, is_all, .. } = reading;
        let is_whole = is_all && is_there && lines.end().is_ok();
        Ok(point.zip(length).filter(|_| is_whole).map(|data| Self { data, blobs }))
    }
}

/// A list that is being read.
struct Reading<'a> {
    places: &'a Places<'a>,
    point: Option<String>,
    length: Option<u64>,
    blobs: Vec<(Oid, Tid)>,
    /// The folder of the blobs is in it.
    is_there: bool,
    /// All of it was understood, and nothing is left out.
    is_all: bool,
}

impl Reading<'_> {
    fn take(&mut self, line: Line) {
        let Places { data, repository, blobs, layout } = self.places;
        let entry = match line {
            Line::Comment(comment) => {
                self.is_all &= !comment.starts_with(LEFT_OUT);
                if let Some(within) = Within::parse(&comment) {
                    let it = within.ok().filter(|it| it.path == **data && it.folder == **repository);
                    self.is_all &= it.is_some();
                    self.point = it.map(|it| it.point);
                }
                return;
            }
            Line::Entry(entry) => entry,
            Line::Special { .. } => return self.is_all = false,
        };
        match (entry.node.kind, entry.node.path) {
            (NodeKind::Folder, Some(path)) => self.is_there |= path == **blobs,
            (NodeKind::File(length), Some(path)) if path == **data => self.length = Some(length),
            (NodeKind::File(_), Some(path)) if path.as_bytes().ends_with(b".blob") => {
                let below = path.as_bytes().strip_prefix(blobs.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
                match below.and_then(|below| layout.parse_path(below)) {
                    Some(blob) => self.blobs.push(blob),
                    None => self.is_all = false,
                }
            }
            _ => {}
        }
    }
}
