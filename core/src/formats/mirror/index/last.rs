//! `Last`: what orders the row before, whose memory is used again for the next one.

use super::row::Row;
use crate::inventory::Etag;

/// What orders the row before.
#[derive(Debug, Default)]
pub(super) struct Last {
    key: Vec<u8>,
    version: Vec<u8>,
    /// Its ETag, whose text is the next field if it is of no known form.
    etag: Option<Etag<'static>>,
    text: Vec<u8>,
}

impl Last {
    /// Takes a row; false if it is not behind the last one.
    pub(super) fn take(&mut self, row: &Row<'_>) -> bool {
        let etag = self.etag.map(|etag| if let Etag::Other(_) = etag { Etag::Other(&self.text) } else { etag });
        let is_behind = etag.is_none_or(|etag| row.order() > (&*self.key, &*self.version, etag));
        for (kept, new) in [(&mut self.key, row.key), (&mut self.version, row.version)] {
            kept.clear();
            kept.extend_from_slice(new);
        }
        self.etag = Some(match row.etag {
            Etag::Plain(sum) => Etag::Plain(sum),
            Etag::Parts(sum, parts) => Etag::Parts(sum, parts),
            Etag::Other(text) => {
                self.text.clear();
                self.text.extend_from_slice(text);
                Etag::Other(b"")
            }
        });
        is_behind
    }
}
