//! A writer as a child process: started, heard, killed by its id, started again.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::Kind;

/// A writer that acknowledges nothing for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running writer; it ends with this value.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    killer: Option<JoinHandle<()>>,
}

/// What the writer, the thread that hears it and the thread that kills it know of each other.
#[derive(Debug)]
struct Shared {
    kind: Kind,
    store: PathBuf,
    words: Vec<String>,
    child: Mutex<Child>,
    /// The newest number that was acknowledged.
    acknowledged: Mutex<u64>,
    heard: Condvar,
    kills: AtomicU64,
    ending: Mutex<bool>,
    ended: Condvar,
}

impl Writer {
    /// Start writing to `store` at `rate` batches a second (0: as fast as it goes), with flags of its kind; what it
    /// says on its standard error goes to a file beside the store. If there is a time between kills, it is killed and
    /// started again at that pace once it is `warm`.
    ///
    /// Returns when the store has begun to drop old files.
    #[track_caller]
    pub fn start(kind: Kind, store: &Path, rate: u64, flags: &[&str], kills: Option<Duration>) -> Self {
        let mut words: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        words.extend(["--rate".to_owned(), rate.to_string()]);
        let mut child = spawn(kind, store, &words);
        let said = child.stdout.take().expect("a piped stdout");
        let shared = Arc::new(Shared {
            kind,
            store: store.to_owned(),
            words,
            child: Mutex::new(child),
            acknowledged: Mutex::new(0),
            heard: Condvar::new(),
            kills: AtomicU64::new(0),
            ending: Mutex::new(false),
            ended: Condvar::new(),
        });
        hear(&shared, said);
        let mut writer = Self { shared, killer: None };
        writer.wait_for(kind.warm());
        if let Some(every) = kills {
            let shared = Arc::clone(&writer.shared);
            writer.killer = Some(thread::spawn(move || kill_at_times(&shared, every)));
        }
        writer
    }

    /// The newest number that was acknowledged.
    pub fn acknowledged(&self) -> u64 {
        *self.shared.acknowledged.lock().expect("no panic")
    }

    /// How often it was killed.
    pub fn kills(&self) -> u64 {
        self.shared.kills.load(Ordering::Relaxed)
    }

    /// Return when `number` is acknowledged.
    #[track_caller]
    pub fn wait_for(&self, number: u64) {
        let Shared { acknowledged, heard, .. } = &*self.shared;
        let mut before = acknowledged.lock().expect("no panic");
        let mut since = Instant::now();
        while *before < number {
            let last = *before;
            (before, _) = heard.wait_timeout(before, PATIENCE).expect("no panic");
            if *before > last {
                since = Instant::now();
            }
            assert!(
                since.elapsed() < PATIENCE && self.shared.is_running(),
                "the writer of {} does not come to {number} from {last}: see {}",
                self.shared.store.display(),
                log(&self.shared.store).display()
            );
        }
    }

    /// Kill it for good, and give the newest number that was acknowledged.
    #[track_caller]
    pub fn end(mut self) -> u64 {
        let died = !self.shared.is_running();
        self.stop();
        let store = &self.shared.store;
        assert!(!died, "the writer of {} ended by itself: see {}", store.display(), log(store).display());
        self.acknowledged()
    }

    fn stop(&mut self) {
        *self.shared.ending.lock().expect("no panic") = true;
        self.shared.ended.notify_all();
        if let Some(killer) = self.killer.take() {
            // Its panic has been told.
            let _ = killer.join();
        }
        kill(&mut self.shared.child.lock().expect("no panic"));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn is_running(&self) -> bool {
        matches!(self.child.lock().expect("no panic").try_wait(), Ok(None))
    }
}

/// Where a writer's standard error goes.
fn log(store: &Path) -> PathBuf {
    store.with_extension("log")
}

/// Start the program in a process group of its own, so that what it starts can be ended with it.
fn spawn(kind: Kind, store: &Path, words: &[String]) -> Child {
    let log = File::options().append(true).create(true).open(log(store)).expect("a file beside the store");
    let mut command = kind.program();
    command.arg("write").arg(store).args(words).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    command.spawn().expect("the writer starts")
}

/// Take in what it acknowledges, until its output ends.
fn hear(shared: &Arc<Shared>, said: ChildStdout) {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        // A line that was cut off by a kill is no number that counts.
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            let number: u64 = line.parse().unwrap_or(0);
            let mut acknowledged = shared.acknowledged.lock().expect("no panic");
            *acknowledged = number.max(*acknowledged);
            shared.heard.notify_all();
        }
        // It ended: whoever waits is to look.
        shared.heard.notify_all();
    });
}

/// Kill the child and all that it started, with no chance to tidy up.
fn kill(child: &mut Child) {
    if matches!(child.try_wait(), Ok(None)) {
        let group = Pid::from_child(child);
        // It may just have ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.wait().expect("a child can be waited for");
}

/// Kill and start again, a little sooner and later in turns, until told otherwise.
fn kill_at_times(shared: &Arc<Shared>, every: Duration) {
    for turn in 0u32.. {
        let wait = every * (8 + turn * 5 % 9) / 12;
        let ending = shared.ending.lock().expect("no panic");
        let (ending, _) = shared.ended.wait_timeout_while(ending, wait, |ending| !*ending).expect("no panic");
        if *ending {
            return;
        }
        drop(ending);
        let mut child = shared.child.lock().expect("no panic");
        if !matches!(child.try_wait(), Ok(None)) {
            // It ended by itself, which the test is to see.
            return;
        }
        kill(&mut child);
        *child = spawn(shared.kind, &shared.store, &shared.words);
        hear(shared, child.stdout.take().expect("a piped stdout"));
        shared.kills.fetch_add(1, Ordering::Relaxed);
    }
}
