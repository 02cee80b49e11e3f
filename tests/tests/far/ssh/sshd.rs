//! A real sshd on loopback: a key that can read one folder, and nothing else.

use std::ffi::OsStr;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use highwater_tests::binary::highwater;
use highwater_tests::repo::Image;
use highwater_tests::run::Run;
use highwater_tests::specimens::{self, Specimen as _, lay};
use highwater_tests::writers::{Kind, Writer};
use tempfile::TempDir;

use super::machine::quoted;
use crate::both::{Both, NAME, NOW};

/// Where Debian has it.
const SSHD: &str = "/usr/sbin/sshd";

/// An sshd, and a folder.
struct Server {
    scratch: TempDir,
    port: u16,
    sshd: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.sshd.kill();
        _ = self.sshd.wait();
    }
}

fn keygen(file: &Path) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file);
    Run::of(&mut command).expect(0);
}

impl Server {
    /// Starts it; its one key is pinned to the folder.
    fn start() -> Self {
        Self::serving("--read-only")
    }

    /// Starts it; its one key is pinned to what this option says of the folder.
    fn serving(option: &str) -> Self {
        assert!(Path::new(SSHD).is_file(), "there is no {SSHD}: run tests/run once, which installs openssh-server");
        let scratch = tempfile::tempdir().expect("a folder");
        let in_it = |name: &str| scratch.path().join(name);
        keygen(&in_it("host"));
        keygen(&in_it("key"));
        let key = fs::read_to_string(in_it("key.pub")).expect("a key");
        let root = in_it(NAME);
        let serve = quoted(&[highwater().as_os_str(), "serve".as_ref(), option.as_ref(), root.as_os_str()]);
        fs::write(in_it("keys"), format!("restrict,command=\"{serve}\" {key}")).expect("a file");
        // Somebody else may take the port meanwhile; then another is tried.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
            let config = format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile {}\nStrictModes no\n\
                 UsePAM no\nPasswordAuthentication no\nLogLevel ERROR\n",
                in_it("host").display(),
                in_it("keys").display(),
                in_it("pid").display()
            );
            fs::write(in_it("config"), config).expect("a file");
            // What Debian's service makes.
            fs::create_dir_all("/run/sshd").ok();
            let mut command = Command::new(SSHD);
            command.args(["-D", "-e", "-f"]).arg(in_it("config")).stdin(Stdio::null()).stderr(Stdio::null());
            let mut sshd = command.spawn().expect("an sshd");
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(20) && !matches!(sshd.try_wait(), Ok(Some(_))) {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { scratch, port, sshd };
                }
                std::thread::yield_now();
            }
            _ = sshd.kill();
            _ = sshd.wait();
        }
        panic!("no sshd listens");
    }

    fn ssh(&self) -> String {
        let in_it = |name: &str| self.scratch.path().join(name).display().to_string();
        format!(
            "ssh -F /dev/null -i '{}' -o IdentitiesOnly=yes -o UserKnownHostsFile='{}' -o StrictHostKeyChecking=accept-new \
             -o BatchMode=yes -o LogLevel=ERROR",
            in_it("key"),
            in_it("hosts")
        )
    }
}

impl Both for Server {
    fn lay(&self, files: &Image) {
        lay(files, &self.near());
    }

    fn near(&self) -> PathBuf {
        self.scratch.path().join(NAME)
    }

    fn far(&self) -> PathBuf {
        PathBuf::from(format!("ssh://127.0.0.1:{}{}", self.port, self.near().display()))
    }

    fn command(&self, words: &[&OsStr]) -> Command {
        let mut command = Command::new(highwater());
        command.args(words).env("HIGHWATER_NOW", NOW).env("HIGHWATER_SSH", self.ssh()).env_remove("HIGHWATER_FAR");
        command
    }
}

#[test]
fn a_real_ssh_gives_what_a_folder_gives() {
    let server = Server::start();
    for specimen in specimens::all() {
        let sample = specimen.small();
        let cases: Vec<_> = specimen.damages(&sample).collect();
        for case in [cases.first(), cases.last()].into_iter().flatten() {
            server.lay(&case.files);
            for options in [
                &["verify", "--json", "--kind", specimen.name()][..],
                &["verify", "--json", "--here", "--kind", specimen.name()],
            ] {
                let (near, far) = (server.run(options, &server.near(), &[]), server.run(options, &server.far(), &[]));
                assert!(
                    (near.code, &near.stdout) == (far.code, &far.stdout),
                    "{}\nbut\n{}",
                    near.account(),
                    far.account()
                );
            }
        }
    }
    let sample = specimens::repozo::Repozo.small();
    server.lay(&sample.files);
    let target = server.near().with_file_name("Data.fs");
    let near = server.run(&["restore"], &server.near(), &[OsStr::new("-")]);
    server.run(&["restore", "--full"], &server.far(), &[target.as_os_str()]).expect(0);
    assert!(fs::read(&target).expect("a file") == near.expect(0).stdout);
}

#[test]
fn a_forced_command_pins_its_folder() {
    let server = Server::start();
    server.lay(&specimens::repozo::Repozo.small().files);
    let other = server.scratch.path().join("other");
    lay(&specimens::repozo::Repozo.small().files, &other);
    let far = PathBuf::from(format!("ssh://127.0.0.1:{}{}", server.port, other.display()));
    server.run(&["list"], &far, &[]).expect(4).says("and nothing else");
    // Whatever program is asked for, the one of the key runs.
    let mut command = server.command(&["list".as_ref(), server.far().as_os_str()]);
    Run::of(command.env("HIGHWATER_FAR", "cat /etc/passwd; highwater")).expect(0);
    let mut ssh = Command::new("sh");
    ssh.args(["-c", &format!("{} -p {} 127.0.0.1 cat /etc/passwd", server.ssh(), server.port)]);
    let run = Run::of(&mut ssh);
    assert!(run.stdout.is_empty(), "{}", run.account());
    // A port where nobody listens.
    let nowhere = PathBuf::from(format!("ssh://127.0.0.1:1{}", server.near().display()));
    server.run(&["verify"], &nowhere, &[]).expect(4).says("exit code 255");
}

/// A store that its engine writes to comes as of one moment, by a key that lets nobody do anything else.
#[test]
fn a_forced_command_lets_a_live_store_be_copied_and_nothing_else() {
    let server = Server::serving("--checkpoint");
    let (store, dest) = (server.near(), server.scratch.path().join("replica"));
    let writer = Writer::start(Kind::Rocksdb, &store, Kind::Rocksdb.rate(), &[], None);
    for round in 0..3 {
        let before = writer.acknowledged();
        server.run(&["replicate", "--checkpoint"], &server.far(), &[dest.as_os_str()]).expect(0).prints("own digests");
        // Its engine writes in what it opens.
        let opened = server.scratch.path().join(format!("opened-{round}"));
        let mut copy = Command::new("cp");
        Run::of(copy.arg("-a").args([&dest, &opened])).expect(0);
        let judgement = Kind::Rocksdb.judge(&opened, before);
        assert!(judgement.good, "{}", judgement.why);
        server.run(&["verify"], &dest, &[]).expect(0);
        writer.wait_for(before + Kind::Rocksdb.rate() / 2);
    }
    writer.end();
    for verb in ["list", "verify"] {
        let run = server.run(&[verb], &server.far(), &[]);
        assert!([3, 4].contains(&run.code) && run.stderr.contains("serves nothing else"), "{}", run.account());
    }
    let left: Vec<_> = fs::read_dir(server.scratch.path()).expect("a folder").flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().starts_with('.')), "{left:?}");
}
