//! `Stream`: a file being read from an offset on, into memory that is used again where the browser can.

use js_sys::{ArrayBuffer, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, ReadableStream, ReadableStreamByobReader, ReadableStreamDefaultReader, ReadableStreamGetReaderOptions,
    ReadableStreamReaderMode,
};

use super::source::{Source, buffer};

/// How much of a file is asked of the browser at a time, in bytes.
const STRETCH: f64 = 64.0 * 1024.0 * 1024.0;

/// A file up to this length, in bytes, is read in one piece.
const WHOLE: f64 = 5.0 * 1024.0 * 1024.0;

/// How many bytes of others the engine gets at a time: what it holds depends on this, and browsers may give any number.
const MOST: f64 = 1024.0 * 1024.0;

/// How many bytes of them are read at a time.
const PIECE: f64 = 512.0 * 1024.0;

/// How long a read into memory may take, in milliseconds.
const PATIENCE: i32 = 1000;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(then: &Function, after: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);

    /// What a read of a stream came to.
    type Read;

    #[wasm_bindgen(method, getter)]
    fn done(this: &Read) -> bool;

    #[wasm_bindgen(method, getter)]
    fn value(this: &Read) -> Uint8Array;
}

/// A file being read from an offset on. The browser reads ahead of it, so that a long range takes much less than many
/// short ones. Offsets are in bytes.
pub(super) struct Stream {
    /// The number of the file.
    pub(super) number: u32,
    /// What is read next.
    pub(super) next: f64,
    source: Source,
    size: f64,
    /// What was read and not taken.
    rest: Uint8Array,
    reader: Option<Reader>,
    /// Where the reader's stretch ends.
    end: f64,
    /// What is read into, again and again, as long as the reader lends itself to that: fresh memory for every piece
    /// takes longer than to read it.
    memory: Option<ArrayBuffer>,
    lends: bool,
}

enum Reader {
    Plain(ReadableStreamDefaultReader),
    Lending(ReadableStreamByobReader),
}

impl Stream {
    pub(super) fn new(number: u32, source: Source, at: f64) -> Self {
        let (size, rest) = (source.size(), Uint8Array::new_with_length(0));
        Self { number, next: at, source, size, rest, reader: None, end: at, memory: None, lends: true }
    }

    /// At most so many bytes, and whether the file ends with them.
    pub(super) async fn read(&mut self, length: f64) -> Result<(Vec<u8>, bool), JsValue> {
        let most = length.min(if self.size <= WHOLE { WHOLE } else { MOST });
        if self.rest.length() == 0 && self.next < self.size {
            self.rest = match &self.source {
                Source::Blob(blob) => {
                    let blob = blob.clone();
                    self.more(&blob).await?
                }
                Source::Disk(disk) => JsFuture::from(disk.read(self.next, most)).await?.unchecked_into(),
            };
            if self.rest.length() == 0 {
                return Err(shorter());
            }
        }
        let taken = if f64::from(self.rest.length()) <= most { self.rest.length() } else { whole(most) };
        let bytes = self.rest.subarray(0, taken).to_vec();
        self.rest = self.rest.subarray(taken, self.rest.length());
        self.next += f64::from(taken);
        Ok((bytes, self.next >= self.size))
    }

    /// The next bytes of the file, at least one.
    async fn more(&mut self, blob: &Blob) -> Result<Uint8Array, JsValue> {
        if self.next == self.end {
            return self.begin(blob).await;
        }
        let read = match &self.reader {
            Some(Reader::Lending(reader)) if self.lends => {
                let memory = self.memory.take();
                let memory = memory.unwrap_or_else(|| ArrayBuffer::new(whole(PIECE.min(self.size - self.next))));
                in_time(&reader.read_with_array_buffer_view(&Uint8Array::new(&memory))).await?
            }
            Some(Reader::Plain(reader)) => Some(JsFuture::from(reader.read()).await?.unchecked_into()),
            Some(Reader::Lending(_)) | None => None,
        };
        let Some(read) = read else {
            self.lends = false;
            return self.begin(blob).await;
        };
        self.taken(&read)
    }

    /// Begins a stretch: gives its first bytes. Chromium has been seen to leave a read into memory without an answer,
    /// if it waits when the stretch begins or ends: so none does, and one that waits for long elsewhere is given up for
    /// one that needs no memory.
    async fn begin(&mut self, blob: &Blob) -> Result<Uint8Array, JsValue> {
        self.close();
        if self.next == 0.0 && self.size <= WHOLE {
            self.end = self.size;
            return buffer(blob).await;
        }
        self.end = self.size.min(self.next + STRETCH);
        let stream = blob.slice_with_f64_and_f64(self.next, self.end)?.stream();
        let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
        let read: Read = JsFuture::from(reader.read()).await?.unchecked_into();
        if read.done() {
            return Err(shorter());
        }
        if self.lends {
            reader.release_lock();
            let lending = lending(&stream);
            self.lends = lending.is_some();
            self.reader = Some(match lending {
                Some(reader) => Reader::Lending(reader),
                None => Reader::Plain(stream.get_reader().unchecked_into()),
            });
        } else {
            self.reader = Some(Reader::Plain(reader));
        }
        Ok(read.value())
    }

    /// What a read gave; its memory is read into again.
    fn taken(&mut self, read: &Read) -> Result<Uint8Array, JsValue> {
        if read.done() {
            return Err(shorter());
        }
        let bytes = read.value();
        self.memory = self.lends.then(|| bytes.buffer());
        Ok(bytes)
    }

    pub(super) fn close(&mut self) {
        let ended = match self.reader.take() {
            Some(Reader::Plain(reader)) => reader.cancel(),
            Some(Reader::Lending(reader)) => reader.cancel(),
            None => {
                if let Source::Disk(disk) = &self.source {
                    disk.close();
                }
                return;
            }
        };
        // That it fails is of no interest; that nobody hears of it would be an error of the page.
        wasm_bindgen_futures::spawn_local(async move {
            let _ = JsFuture::from(ended).await;
        });
    }
}

/// A reader that reads into memory that it is given, where the browser has it.
fn lending(stream: &ReadableStream) -> Option<ReadableStreamByobReader> {
    let options = ReadableStreamGetReaderOptions::new();
    options.set_mode(ReadableStreamReaderMode::Byob);
    // By name, as a browser that has it not throws.
    let get: Function = Reflect::get(stream, &"getReader".into()).ok()?.dyn_into().ok()?;
    get.call1(stream, &options).ok().map(JsCast::unchecked_into)
}

/// What a read comes to; none when it is late.
async fn in_time(read: &Promise) -> Result<Option<Read>, JsValue> {
    let mut timer = JsValue::UNDEFINED;
    let late = Promise::new(&mut |give, _| timer = set_timeout(&give, PATIENCE));
    let both = js_sys::Array::of2(read, &late);
    let first = JsFuture::from(Promise::race(&both)).await;
    clear_timeout(&timer);
    let first = first?;
    Ok(first.is_instance_of::<Object>().then(|| first.unchecked_into()))
}

fn shorter() -> JsValue {
    js_sys::Error::new("it is shorter than it was").into()
}

/// A number of bytes below 2^32, as what takes one wants it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates, and reads go on")]
fn whole(bytes: f64) -> u32 {
    bytes as u32
}
