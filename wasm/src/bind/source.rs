//! `Source`: a file that a worker was handed: the browser's, or one that lies on a disk of node.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::host::Disk;

/// A file.
#[derive(Clone)]
pub(super) enum Source {
    /// A browser's. It fails to read one that was changed since it was given.
    Blob(Blob),
    /// Another host's.
    Disk(Disk),
}

impl Source {
    /// What a host handed over.
    pub(super) fn of(file: JsValue) -> Self {
        match file.dyn_into::<Blob>() {
            Ok(blob) => Self::Blob(blob),
            Err(other) => Self::Disk(other.unchecked_into()),
        }
    }

    /// Its length, in bytes.
    pub(super) fn size(&self) -> f64 {
        match self {
            Self::Blob(blob) => blob.size(),
            Self::Disk(disk) => disk.size(),
        }
    }

    /// Fails when it is not what it was.
    pub(super) async fn confirm(&self) -> Result<(), JsValue> {
        match self {
            // A stream goes on through a file that is replaced; a new read of the same `File` fails.
            Self::Blob(blob) => buffer(&blob.slice_with_f64_and_f64(0.0, 1.0)?).await.map(|_| ()),
            Self::Disk(disk) => JsFuture::from(disk.confirm()).await.map(|_| ()),
        }
    }
}

/// All bytes of a blob.
pub(super) async fn buffer(blob: &Blob) -> Result<Uint8Array, JsValue> {
    let buffer = JsFuture::from(blob.array_buffer()).await?;
    Ok(Uint8Array::new(buffer.unchecked_ref::<ArrayBuffer>()))
}
