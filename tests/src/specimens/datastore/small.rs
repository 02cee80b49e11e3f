//! A store of two snapshots in some kilobytes, made here byte by byte.

use highwater_core::codec::{Packer, encode_blob};
use highwater_core::digest::{Algorithm, Hasher};
use highwater_core::formats::datastore::{Fixed, New, NewFile, names};
use highwater_core::key::Key;

use crate::repo::Image;

/// The plain snapshot.
pub(super) const PLAIN: &str = "vm/1/2025-06-16T15:06:40Z";

/// The encrypted one.
pub(super) const SEALED: &str = "ns/a/host/b/2025-06-16T15:06:40Z";

/// The one key.
pub fn small_key() -> Key {
    Key::new([7; 32])
}

/// What the archive of each snapshot holds.
pub(super) fn data() -> Vec<u8> {
    (0..150u8).chain([0; 114]).collect()
}

/// The store: a plain snapshot, and one that is encrypted and shares nothing with it.
pub fn small_store() -> Image {
    let mut image = Image::new();
    image.insert(".lock".to_owned(), b"pid 1\n".to_vec());
    let data = data();
    for (snapshot, key) in [(PLAIN, None), (SEALED, Some(small_key()))] {
        let (group, _) = snapshot.rsplit_once('/').expect("a group and a time");
        let mut packer = Packer::new(1).expect("a level");
        let mut digests = Vec::new();
        for (number, chunk) in (0u8..).zip(data.chunks(64)) {
            let mut hasher = Hasher::new(Algorithm::Sha256);
            hasher.update(chunk);
            hasher.update(key.as_ref().map_or(&[], |key| key.id()));
            let digest = hasher.finish();
            let name = names::chunk(&digest).expect("a chunk's name").to_string();
            let packed = packer.pack(chunk).expect("memory");
            image.insert(name, encode_blob(chunk, packed, key.as_ref().map(|key| (key, [number; 16]))));
            digests.push(digest);
        }
        let index = Fixed { size: data.len() as u64, chunk: 64, digests };
        let (kind, id) = group.rsplit_once('/').expect("two parts");
        let files = [NewFile { name: "d.img.fidx".to_owned(), size: index.size, sum: index.sum() }];
        let manifest = New {
            kind: kind.rsplit('/').next().unwrap_or(kind),
            id,
            time: 1_750_086_400,
            files: &files,
            chunks: (5, 0),
            size: index.size,
            stored: 300,
            key: key.as_ref(),
        };
        image.insert(format!("{group}/owner"), b"root@pam\n".to_vec());
        image.insert(format!("{snapshot}/d.img.fidx"), index.encode([1; 16], 0));
        let text = manifest.encode();
        image.insert(format!("{snapshot}/index.json.blob"), encode_blob(&text, &vec![0; text.len() + 1], None));
    }
    image
}
