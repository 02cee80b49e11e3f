//! `highwater web`: the page goes to browsers of this computer that ask for it by its address, and to nobody else.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use highwater_tests::binary::highwater;
use highwater_tests::run::Run;
use tempfile::TempDir;

const PAGE: &str = "<!doctype html><title>a page</title>";

/// A server, and its port.
struct Web {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Web {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let page = folder.path().join("page.html");
        fs::write(&page, PAGE).expect("a page");
        let mut command = Command::new(highwater());
        command.args(["web", "--no-open", "--page"]).arg(page).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("a server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("its address");
        let port = line.trim().trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
        Self { child, port: port.expect("a port"), _folder: folder }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).expect("it listens")
    }

    /// What is answered to a request whose host is `{port}` with the port in its place.
    fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.replace("{port}", &self.port.to_string()).as_bytes()).expect("it takes it");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn get(&self, host: &str) -> String {
        self.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_page_is_given_by_its_own_address_and_in_no_frame() {
    let web = Web::start();
    for host in ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"] {
        let answer = web.get(host);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(PAGE), "{host}: {answer}");
        for header in ["Content-Security-Policy: frame-ancestors 'none'", "X-Frame-Options: DENY", "nosniff"] {
            assert!(answer.contains(header), "{answer}");
        }
    }
    // A name that leads here belongs to somebody else.
    for host in ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:{port}.evil.example", "127.0.0.1:1"] {
        let answer = web.get(host);
        assert!(answer.starts_with("HTTP/1.1 421 ") && !answer.contains(PAGE), "{host}: {answer}");
    }
}

#[test]
fn what_is_no_request_for_the_page_is_refused() {
    let web = Web::start();
    let host = "Host: localhost:{port}\r\n";
    let many = format!("GET / HTTP/1.1\r\n{host}{}\r\n", "a: b\r\n".repeat(200));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\n{host}{host}\r\n"), "400"),
        ("GET /\r\n\r\n".to_owned(), "400"),
        ("\x16\x03\x01 hello\r\n\r\n".to_owned(), "400"),
        (many, "400"),
        (format!("GET / HTTP/1.1\r\n{host}a: {}\r\n\r\n", "b".repeat(20_000)), "400"),
        (format!("POST / HTTP/1.1\r\n{host}Content-Length: 3\r\n\r\nabc"), "405"),
        (format!("GET /../../etc/passwd HTTP/1.1\r\n{host}\r\n"), "404"),
        (format!("GET /favicon.ico HTTP/1.1\r\n{host}\r\n"), "404"),
    ] {
        let answer = web.ask(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && !answer.contains(PAGE), "{request}: {answer}");
    }
    let answer = web.ask(&format!("HEAD /?a=b HTTP/1.1\r\n{host}\r\n"));
    let length = format!("Content-Length: {}\r\n", PAGE.len());
    assert!(answer.contains(&length) && answer.ends_with("\r\n\r\n"), "{answer}");
}

/// Whoever connects and says nothing makes room for who does.
#[test]
fn the_page_comes_however_many_wait_in_silence() {
    let web = Web::start();
    let mut idle: Vec<TcpStream> = (0..200).map(|_| web.connect()).collect();
    assert!(web.get("localhost:{port}").ends_with(PAGE));
    // Those that came last are still there, each with a thread.
    let threads = fs::read_dir(format!("/proc/{}/task", web.child.id())).expect("a process").count();
    assert!(threads < 50, "{threads} threads");
    for stream in &mut idle[..160] {
        assert!(!matches!(stream.read(&mut [0]), Ok(1..)));
    }
}

#[test]
fn a_program_has_its_page_within_or_says_how_it_gets_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("none.html");
    let run = Run::of(Command::new(highwater()).args(["web", "--no-open", "--page"]).arg(&missing));
    assert!(run.code == 4 && run.stderr.contains("none.html"), "{}", run.account());
}
