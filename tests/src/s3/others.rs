//! moto and SeaweedFS from PyPI, as processes on free ports of loopback.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use highwater::s3::credentials::{Credentials, Source};
use highwater::s3::{Client, Settings};
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::{Admin, KEY, REGION, SECRET};
use crate::python;

/// Neither takes longer to start, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server; its process ends with this value.
#[derive(Debug)]
pub struct Other {
    /// `moto` or `seaweedfs`.
    pub name: &'static str,
    address: SocketAddr,
    child: Child,
    folder: TempDir,
}

/// A program beside the interpreter that tests use; a panic with advice if there is none.
fn program(name: &str) -> PathBuf {
    let path = python::interpreter().with_file_name(name);
    assert!(
        path.is_file(),
        "there is no {}: run tests/run once, which installs what tests/requirements.txt names",
        path.display()
    );
    path
}

/// Ports that were free a moment ago.
fn ports<const N: usize>() -> [u16; N] {
    let held: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("a port of loopback"));
    held.map(|listener| listener.local_addr().expect("an address").port())
}

impl Other {
    /// Start moto: a wide imitation in Python that checks no signatures.
    pub fn moto() -> Self {
        let [port] = ports();
        let mut command = Command::new(program("moto_server"));
        command.args(["-H", "127.0.0.1", "-p"]).arg(port.to_string());
        Self::start("moto", &mut command, port)
    }

    /// Start SeaweedFS: a real store in Go, which checks signatures.
    pub fn seaweedfs() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let keys = format!(
            r#"{{"identities":[{{"name":"t","actions":["Admin"],
                "credentials":[{{"accessKey":"{KEY}","secretKey":"{SECRET}"}}]}}]}}"#
        );
        fs::write(folder.path().join("keys.json"), keys).expect("a file");
        let ports: [u16; 8] = ports();
        let names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc"];
        let more = ["filer.port", "filer.port.grpc", "s3.port.grpc", "s3.port"];
        let mut command = Command::new(program("weed"));
        command.args([
            "server",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-s3",
            "-s3.iam=false",
            "-master.telemetry=false",
        ]);
        command.args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=40", "-master.volumeSizeLimitMB=64"]);
        command.args(names.iter().chain(&more).zip(ports).map(|(name, port)| format!("-{name}={port}")));
        for (name, file) in [
            ("dir", ""),
            ("s3.config", "keys.json"),
            ("s3.localSocket", "s3.sock"),
            ("filer.localSocket", "filer.sock"),
        ] {
            command.arg(format!("-{name}={}", folder.path().join(file).display()));
        }
        Self::start_in("seaweedfs", &mut command, ports[7], folder)
    }

    fn start(name: &'static str, command: &mut Command, port: u16) -> Self {
        Self::start_in(name, command, port, tempfile::tempdir().expect("a scratch folder"))
    }

    fn start_in(name: &'static str, command: &mut Command, port: u16, folder: TempDir) -> Self {
        let log = File::create(folder.path().join("log")).expect("a log");
        command.current_dir(folder.path()).env("HOME", folder.path()).stdin(Stdio::null()).process_group(0);
        command.stdout(log.try_clone().expect("one more")).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let mut other = Self { name, address: (Ipv4Addr::LOCALHOST, port).into(), child, folder };
        other.wait();
        other
    }

    /// Return when it makes buckets.
    fn wait(&mut self) {
        let started = Instant::now();
        loop {
            let made = self.admin().make("ready-bucket");
            if made.as_ref().is_ok_and(|said| said.status == 200) {
                return;
            }
            let ended = self.child.try_wait().expect("a child can be waited for");
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                ended.is_none() && started.elapsed() < PATIENCE,
                "{} is not there ({made:?}):\n{}",
                self.name,
                log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What fills it.
    pub fn admin(&self) -> Admin {
        Admin::new(self.address)
    }

    /// A client for it.
    pub fn client(&self) -> Client {
        Client::new(self.settings()).expect("a client")
    }

    /// Settings for it.
    pub fn settings(&self) -> Settings {
        Settings {
            endpoint: Some(format!("http://{}", self.address)),
            region: Some(REGION.to_owned()),
            sources: vec![Source::Fixed(Credentials::new(KEY, SECRET, None, None))],
            clock: Arc::new(highwater::s3::time::System::new()),
            ..Settings::anonymous()
        }
    }

    /// Where it keeps its log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Those that it started go with it; it may have ended.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
