//! `Ssh`: a folder on another machine, as a root that is read: `highwater serve --read-only FOLDER` is started there by
//! ssh, and its standard input and output are the line.
//!
//! What is asked for goes over one line, by all threads at a time; an object that is held open is one version. A line
//! that breaks, or an end that does not keep to the protocol, makes things unreadable, and never damaged.

mod address;
mod checkpoint;
mod far;
mod link;
mod object;
mod settings;
mod talk;
mod verify;

use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use highwater_core::inspect::Entry;
use highwater_core::name::{Name, printable};
use highwater_core::wire::{Answer, Hello, Limits, Meta, Request, VERSION, framed};

use super::ahead::{Ahead, Room};
use super::{Identity, Object, Store};
use crate::error::Error;
use crate::shown::quoted;
use address::Address;
pub use address::Asks;
pub use checkpoint::{Made, Sum};
use far::Far;
use link::Link;
use object::Remote;
pub use settings::SshSettings;
use talk::Talk;

/// Requests that are worth having under way at a time.
const WAYS: usize = 32;

/// Blocks that come ahead, of all objects.
const AHEAD: usize = 32;

/// The first bytes of an object that come when it is opened: of a short one, all.
const FIRST: u32 = 64 << 10;

/// How often it is looked for an end while the far end is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// How many far ends this process has had. Folders of two of them are never one, nor one of this machine's.
static MARKS: AtomicU64 = AtomicU64::new(1);

/// A folder on another machine.
pub struct Ssh {
    link: Arc<Link>,
    told: PathBuf,
    mark: u64,
    /// Where blocks come ahead.
    room: Arc<Room>,
}

impl Ssh {
    /// Whether a path is the name of such a root.
    #[must_use]
    pub fn is_named(path: &Path) -> bool {
        path.as_os_str().as_encoded_bytes().starts_with(address::SCHEME)
    }

    /// Where the folder begins in the name of such a root.
    #[must_use]
    pub fn folder(url: &[u8]) -> usize {
        address::folder(url)
    }

    /// Reaches the root `ssh://[USER@]HOST[:PORT]/FOLDER`.
    ///
    /// # Errors
    /// When it is no such name; when the far end cannot be reached, or is of another version, or serves another folder.
    pub fn open(url: &Path, settings: &SshSettings) -> Result<Self, Error> {
        Self::reach(url, Asks::Folder, settings)
    }

    /// Reaches what is asked for of a root.
    ///
    /// # Errors
    /// As [`Ssh::open`].
    pub fn reach(url: &Path, asks: Asks<'_>, settings: &SshSettings) -> Result<Self, Error> {
        let address = Address::parse(url).map_err(|what| Error::usage(format!("{}: {what}", quoted(url))))?;
        let cannot = |what: String| Error::cannot_start(format!("cannot read {}: {what}", quoted(url)));
        let words = address::divided(&settings.ssh);
        let Some((program, words)) = words.split_first() else {
            return Err(Error::usage("HIGHWATER_SSH names no command"));
        };
        let mut command = Command::new(program);
        command.args(words).args(address.words(&settings.far, asks));
        let talk = Arc::new(Talk::new(settings.bandwidth));
        let (far, hello) = Far::start(command, &talk, settings.say)
            .map_err(|error| cannot(format!("{} cannot be run: {error}", quoted(Path::new(program)))))?;
        let program = env!("CARGO_PKG_VERSION");
        let ours = Hello {
            protocol: VERSION,
            program: program.to_owned(),
            root: address.folder.clone(),
            is_it: false,
            limits: Limits::default(),
        };
        // Where it cannot be sent, there is no hello either.
        _ = far.send(framed(&ours.encode()));
        let theirs = heard(&hello, &talk, settings).map_err(|error| error.unwrap_or_else(cannot))?;
        if theirs.protocol != VERSION {
            let (protocol, there) = (theirs.protocol, printable(theirs.program.as_bytes()));
            return Err(cannot(format!(
                "highwater {there} there speaks protocol {protocol}, and highwater {program} here protocol {VERSION}; \
                 install the same version at both ends, or name another program there with HIGHWATER_FAR"
            )));
        }
        if !theirs.is_it {
            let serves = printable(&theirs.root);
            return Err(cannot(format!(
                "the far end serves '{serves}' and nothing else, as its authorized_keys may say; name that folder"
            )));
        }
        let link = Link::new(far, talk, theirs.limits, settings.patience, Arc::clone(&settings.stop));
        let mark = MARKS.fetch_add(1, Ordering::Relaxed);
        Ok(Self { link: Arc::new(link), told: address.told, mark, room: Room::of(AHEAD) })
    }

    /// What is known of an object without opening it.
    fn look(&self, name: &Name) -> io::Result<Meta> {
        match self.link.one(Request::Look { name: name.clone() })? {
            Answer::Looked(meta) => Ok(meta),
            _ => Err(self.link.broken("a look at an object")),
        }
    }
}

/// Why there is no hello.
enum NoHello {
    Interrupted,
    Because(String),
}

impl NoHello {
    fn unwrap_or_else(self, cannot: impl FnOnce(String) -> Error) -> Error {
        match self {
            Self::Interrupted => Error::Interrupted,
            Self::Because(what) => cannot(what),
        }
    }
}

/// Waits for what the far end says first.
fn heard(hello: &Receiver<Hello>, talk: &Talk, settings: &SshSettings) -> Result<Hello, NoHello> {
    let begun = Instant::now();
    loop {
        match hello.recv_timeout(LOOK) {
            Ok(hello) => return Ok(hello),
            _ if settings.stop.load(Ordering::Relaxed) => return Err(NoHello::Interrupted),
            Err(RecvTimeoutError::Disconnected) => {
                // The thread that heard nothing tells why, a moment later.
                if let Some(why) = talk.why() {
                    return Err(NoHello::Because(why));
                }
                std::thread::sleep(LOOK);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if begun.max(talk.heard()).elapsed() >= settings.patience {
            let seconds = settings.patience.as_secs();
            return Err(NoHello::Because(format!("nothing came from the far end for {seconds} s")));
        }
    }
}

impl Store for Ssh {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        name.map_or_else(|| self.told.clone(), |name| self.told.join(OsStr::from_bytes(name.as_bytes())))
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        let pending = self.link.ask(Request::List { folder: folder.cloned() })?;
        loop {
            match pending.next()? {
                Answer::Entries { entries, last } => {
                    entries.into_iter().for_each(&mut *each);
                    if last {
                        return Ok(());
                    }
                }
                _ => return Err(self.link.broken("a list of a folder")),
            }
        }
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        match self.link.one(Request::Open { name: name.clone(), first: FIRST })? {
            Answer::Opened { handle, meta, bytes } => {
                let count = bytes.len() as u64;
                let fits = match handle {
                    Some(_) => count <= u64::from(FIRST).min(meta.length),
                    None => count == meta.length,
                };
                let object = Remote { link: Arc::clone(&self.link), handle, meta };
                let object = Ahead::new(object, bytes, Arc::clone(&self.room));
                if fits { Ok(Box::new(object)) } else { Err(self.link.broken("other bytes than an object has")) }
            }
            _ => Err(self.link.broken("that an object be opened")),
        }
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.look(name).map(|meta| meta.length)
    }

    fn is_locked(&self, name: &Name) -> bool {
        matches!(self.link.one(Request::IsLocked { name: name.clone() }), Ok(Answer::Locked(true)))
    }

    fn identity(&self, folder: Option<&Name>) -> Option<Identity> {
        match self.link.one(Request::Identity { folder: folder.cloned() }) {
            // A device of this machine has no such number.
            Ok(Answer::Identity(Some((device, inode)))) => Some((device ^ (1 << 63 | self.mark << 40), inode)),
            _ => None,
        }
    }

    fn ways(&self) -> Option<usize> {
        Some(WAYS)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
