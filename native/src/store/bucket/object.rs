//! `Far`: how the bytes of an object of a bucket are asked for.

use std::io;
use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::Lists;
use crate::s3::{Ask, Client, Reading};
use crate::store::ahead::{Fetch, Place};

/// An object of a bucket, of one version.
pub(super) struct Far(pub(super) Arc<Which>);

/// Which object.
pub(super) struct Which {
    pub(super) client: Arc<Client>,
    pub(super) bucket: Arc<str>,
    pub(super) key: Vec<u8>,
    pub(super) length: u64,
    /// That of its one version, once it is known.
    pub(super) etag: Mutex<Option<String>>,
    pub(super) known: Arc<Lists>,
}

/// Bytes that were asked for.
pub(super) enum Coming {
    /// They are taken from the connection.
    Body(Box<Reading>),
    /// Another thread takes them.
    Block(Receiver<io::Result<Block>>),
    /// It has.
    Here(Block),
}

/// Bytes that came ahead.
pub(super) struct Block {
    place: Place,
    /// Those that were not taken yet.
    rest: Range<usize>,
}

impl Which {
    /// Asks for some bytes; says so when they are of another version than the last ones.
    fn begin(&self, range: Range<u64>) -> io::Result<Reading> {
        let etag = self.etag.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ask = Ask { if_match: etag.as_deref(), range: Some(range), ..Ask::latest(&self.bucket, &self.key) };
        let reading = self.client.reading(&ask).map_err(|error| self.known.cannot(error))?;
        let head = reading.head();
        let mut etag = self.etag.lock().unwrap_or_else(PoisonError::into_inner);
        if head.length != self.length || etag.as_ref().zip(head.etag.as_ref()).is_some_and(|(was, is)| was != is) {
            let (was, is) = (self.length, head.length);
            let what = format!("it changed while it was read: it had {was} bytes and has {is}, or its ETag is another");
            return Err(io::Error::other(what));
        }
        if etag.is_some() && head.etag.is_none() {
            let what = "the answer has no ETag, or a weak one, so that nobody knows whether this is the object that was \
                        listed; see what lies between, and run again";
            return Err(io::Error::other(what));
        }
        // Without one in the list, the first answer says which version it is.
        if etag.is_none() {
            etag.clone_from(&head.etag);
        }
        Ok(reading)
    }

    fn take(&self, reading: &mut Reading, buffer: &mut [u8]) -> io::Result<usize> {
        self.client.read(reading, buffer).map_err(|error| self.known.cannot(error))
    }

    /// Reads all of some bytes.
    fn block(&self, range: Range<u64>, mut place: Place) -> io::Result<Block> {
        let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        let memory = place.memory(length);
        let (mut reading, mut filled) = (self.begin(range)?, 0);
        while filled < length {
            match self.take(&mut reading, &mut memory[filled..])? {
                0 => return Err(io::Error::other("a body ended early")),
                some => filled += some,
            }
        }
        Ok(Block { place, rest: 0..length })
    }
}

impl Fetch for Far {
    type Coming = Coming;

    const BLOCK: u64 = 4 << 20;

    fn length(&self) -> u64 {
        self.0.length
    }

    fn ask(&self, range: Range<u64>) -> io::Result<Coming> {
        let mut reading = self.0.begin(range)?;
        // Whoever reads it may ask for others before its end.
        reading.lands();
        Ok(Coming::Body(Box::new(reading)))
    }

    fn ask_ahead(&self, range: Range<u64>, place: Place) -> io::Result<Option<Coming>> {
        let ((send, receive), of) = (sync_channel(1), Arc::clone(&self.0));
        let read = move || {
            // Nobody waits for it any more when the object was given up.
            _ = send.send(of.block(range, place));
        };
        Ok(thread::Builder::new().spawn(read).is_ok().then_some(Coming::Block(receive)))
    }

    fn next(&self, coming: &mut Coming, buffer: &mut [u8]) -> io::Result<usize> {
        if let Coming::Block(receive) = coming {
            *coming = Coming::Here(receive.recv().unwrap_or_else(|_| Err(io::Error::other("a read ended early")))?);
        }
        match coming {
            Coming::Body(reading) => self.0.take(reading, buffer),
            Coming::Block(_) => Ok(0),
            Coming::Here(Block { place, rest }) => {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&place.memory(rest.end)[rest.start..][..count]);
                rest.start += count;
                Ok(count)
            }
        }
    }
}
