//! `Slurm`: a real slurmctld, slurmd and munged on loopback, of one node with four CPUs, in a folder of their own; they
//! end with this value.

use std::fs::{self, File};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::run::Run;

/// Whatever is waited for comes in this time, or the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

/// What Debian installs, in the order in which it is started.
const PROGRAMS: [&str; 3] = ["/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd"];

/// A cluster.
#[derive(Debug)]
pub struct Slurm {
    folder: TempDir,
    children: Vec<Child>,
}

impl Slurm {
    /// Starts one; or says why it cannot run here.
    ///
    /// # Errors
    /// A program is not installed, or this user is not root.
    pub fn start() -> Result<Self, String> {
        if let Some(lacking) = PROGRAMS.iter().find(|program| !Path::new(program).exists()) {
            return Err(format!("{lacking} is not installed"));
        }
        if !rustix::process::geteuid().is_root() {
            return Err("slurmctld is started by root alone".to_owned());
        }
        let folder = tempfile::Builder::new().prefix("slurm").tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
        let mut slurm = Self { folder, children: Vec::new() };
        let at = slurm.folder.path().to_owned();
        for name in ["state", "spool"] {
            fs::create_dir(at.join(name)).expect("a folder");
        }
        let mut key = [0; 1024];
        File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut key)).expect("random bytes");
        fs::write(at.join("munge.key"), key).expect("a file");
        fs::set_permissions(at.join("munge.key"), fs::Permissions::from_mode(0o400)).expect("a mode");
        fs::write(at.join("cgroup.conf"), "").expect("a file");
        fs::write(slurm.conf(), conf(&at)).expect("a file");
        let of = |name: &str, file: &str| format!("--{name}={}", at.join(file).display());
        let mut munged = Command::new(PROGRAMS[0]);
        munged.args(["--foreground", "--force"]).args([
            of("key-file", "munge.key"),
            of("socket", "munge.sock"),
            of("pid-file", "munged.pid"),
            of("log-file", "munged.log"),
            of("seed-file", "munge.seed"),
        ]);
        slurm.begin(&mut munged, "munged.out");
        slurm.until("munged listens", |_| at.join("munge.sock").exists());
        slurm.begin(Command::new(PROGRAMS[1]).arg("-D"), "slurmctld.out");
        slurm.begin(Command::new(PROGRAMS[2]).args(["-D", "-N", "localhost"]), "slurmd.out");
        slurm.until("the node is idle", |slurm| slurm.ask("sinfo", &["-h", "-o", "%t"]).text().trim() == "idle");
        Ok(slurm)
    }

    fn begin(&mut self, command: &mut Command, out: &str) {
        let out = File::create(self.folder.path().join(out)).expect("a file");
        let other = out.try_clone().expect("a descriptor");
        command.env("SLURM_CONF", self.conf()).stdin(Stdio::null()).stdout(out).stderr(other);
        self.children.push(command.spawn().expect("a child"));
    }

    /// Its settings, which every command of Slurm finds by `SLURM_CONF`.
    pub fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// Runs a command of Slurm.
    pub fn ask(&self, program: &str, words: &[&str]) -> Run {
        Run::of(Command::new(program).args(words).env("SLURM_CONF", self.conf()).current_dir(self.folder.path()))
    }

    /// The states of a job: of an array, those of its tasks, as far as each is a job of its own.
    pub fn states(&self, job: &str) -> Vec<String> {
        let shown = self.ask("scontrol", &["-o", "show", "job", job]).text();
        let state = |line: &str| line.split(' ').find_map(|word| word.strip_prefix("JobState=").map(str::to_owned));
        shown.lines().filter_map(state).collect()
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// If it is not in two minutes; what the daemons said is told then.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !is_so(self) {
            let told = || {
                let log = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
                ["munged.out", "slurmctld.out", "slurmd.out"].map(log).concat()
            };
            assert!(started.elapsed() < PATIENCE, "not in {PATIENCE:?}: {what}\n{}", told());
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        if self.children.len() == PROGRAMS.len() {
            let _ = Command::new("scancel").args(["-u", "root"]).env("SLURM_CONF", self.conf()).status();
        }
        for child in self.children.iter_mut().rev() {
            let _ =
                rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM);
            let started = Instant::now();
            while child.try_wait().is_ok_and(|ended| ended.is_none()) && started.elapsed() < Duration::from_secs(10) {
                thread::sleep(LOOK);
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Settings by which nothing listens but on loopback, and nothing of the machine's own Slurm is touched.
fn conf(at: &Path) -> String {
    // Held at the same time, so that they are two.
    let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let [controller, node] = ports.map(|port| port.local_addr().expect("an address").port());
    let at = at.display();
    format!(
        "ClusterName=test\n\
         SlurmctldHost=localhost(127.0.0.1)\n\
         SlurmctldPort={controller}\n\
         SlurmdPort={node}\n\
         CommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n\
         AuthType=auth/munge\n\
         AuthInfo=socket={at}/munge.sock\n\
         SlurmUser=root\n\
         SlurmdUser=root\n\
         StateSaveLocation={at}/state\n\
         SlurmdSpoolDir={at}/spool\n\
         SlurmctldPidFile={at}/slurmctld.pid\n\
         SlurmdPidFile={at}/slurmd.pid\n\
         ProctrackType=proctrack/linuxproc\n\
         TaskPlugin=task/none\n\
         JobAcctGatherType=jobacct_gather/none\n\
         SelectType=select/cons_tres\n\
         SelectTypeParameters=CR_CPU\n\
         SlurmdParameters=config_overrides\n\
         SwitchType=switch/none\n\
         MpiDefault=none\n\
         ReturnToService=2\n\
         MinJobAge=300\n\
         KillWait=5\n\
         SchedulerParameters=sched_interval=1,bf_interval=1\n\
         NodeName=localhost NodeAddr=127.0.0.1 NodeHostname=localhost CPUs=4\n\
         PartitionName=all Nodes=localhost Default=YES MaxTime=INFINITE State=UP\n"
    )
}
