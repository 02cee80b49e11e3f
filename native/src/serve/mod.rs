//! Serves a folder to a near end: reads what it asks for on one stream, and answers on another. Nothing is written, and
//! nothing outside of the folder is read. Or serves checkpoints of a live store: one is made when it is asked for, is
//! all that is read, and is removed when it was read, or the near end is gone.
//!
//! A near end may be anybody. Requests wait in a line of bounded length, and while it is full none is read; what is
//! held open is bounded; an answer is made when there is a thread that sends it. What is no request ends the
//! conversation.

mod answer;
mod checkpoint;
mod handles;
mod near;
mod out;
mod verify;

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use highwater_core::wire::{Asked, Hello, Limits, VERSION};

use crate::error::Error;
use crate::store::Files;
use answer::Far;
use near::Near;
use out::Out;

/// Threads that answer: as many reads as a disk has use for at a time.
const THREADS: usize = 8;

/// Requests that wait for one of them.
const UNDER_WAY: usize = 256;

/// What is served.
pub struct Served<'a> {
    /// The folder.
    pub root: Files,
    /// Its path, and others that lead to it, all of them absolute.
    pub paths: &'a [PathBuf],
    /// What relative paths begin at.
    pub home: &'a Path,
    /// What of it is served.
    pub serves: Serves<'a>,
}

/// What of a folder is served.
#[derive(Debug, Clone, Copy)]
pub enum Serves<'a> {
    /// All that is in it.
    Folder,
    /// Checkpoints of the live store that it is, which lie beside it or in this folder meanwhile.
    Checkpoints(Option<&'a Path>),
}

/// Serves a folder until the near end is gone, or `stop` is set; sets it then.
///
/// # Errors
/// When the near end sends what is no request, or no thread is to be had.
pub fn serve(
    served: Served<'_>,
    input: impl Read + AsFd,
    output: impl Write + Send,
    stop: &Arc<AtomicBool>,
) -> Result<(), Error> {
    let mut near = Near::new(input, stop);
    let out = Out::new(output, stop);
    let handles = handles::room();
    let Some(hello) = near.hello().map_err(no_request)? else { return Ok(()) };
    let is_it = served.is_called(&hello.root);
    let limits = Limits { handles, under_way: u32::try_from(UNDER_WAY).unwrap_or(u32::MAX) };
    let root = served.paths.first().map(|path| path.as_os_str().as_encoded_bytes().to_vec()).unwrap_or_default();
    let program = env!("CARGO_PKG_VERSION").to_owned();
    out.send(&Hello { protocol: VERSION, program, root, is_it, limits }.encode());
    // The near end tells what does not fit.
    if hello.protocol != VERSION || !is_it {
        return Ok(());
    }
    let store = served.paths.first().cloned().unwrap_or_default();
    let far = Far::new((served.root, store), served.serves, handles, &out, stop);
    let (send, receive) = sync_channel::<Asked>(UNDER_WAY);
    let line = Mutex::new(receive);
    thread::scope(|scope| {
        let mut threads = 0;
        for _ in 0..THREADS {
            let started = thread::Builder::new().spawn_scoped(scope, || work(&far, &line, stop));
            match started {
                Ok(_) => threads += 1,
                // With some of them it goes, slower.
                Err(_) if threads > 0 => break,
                Err(error) => return Err(Error::no_thread(error)),
            }
        }
        let ended = loop {
            match near.asked() {
                Ok(Some(asked)) => {
                    if send.send(asked).is_err() {
                        break Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(what) => break Err(no_request(what)),
            }
        };
        stop.store(true, Ordering::Relaxed);
        drop(send);
        ended
    })
}

/// Answers what waits in line, until it ends.
fn work(far: &Far<'_, '_>, line: &Mutex<Receiver<Asked>>, stop: &AtomicBool) {
    loop {
        let next = line.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(asked) if !stop.load(Ordering::Relaxed) => far.answer(asked),
            // The line is emptied, so that whoever fills it ends, too.
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn no_request(what: String) -> Error {
    Error::usage(format!(
        "standard input has what is no request of this program: {what}; this verb is for the end that starts it through ssh"
    ))
}

impl Served<'_> {
    /// Whether the folder is what a path means, by the path alone: nothing is looked at for it.
    fn is_called(&self, path: &[u8]) -> bool {
        use std::os::unix::ffi::OsStrExt;
        let asked = plain(&self.home.join(std::ffi::OsStr::from_bytes(path)));
        self.paths.iter().any(|path| plain(path) == asked)
    }
}

/// A path without parts that say nothing.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}
