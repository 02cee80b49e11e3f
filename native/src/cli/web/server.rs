//! `Server`: gives the page to browsers of this computer, one request a connection.
//!
//! A page of somebody else may send a browser here, too: under another name that leads to this address, which `Host`
//! tells, or in a frame, which a header forbids. Whoever connects and asks nothing is let go of after a while, or as
//! soon as others wait.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How often the wish to stop is looked at.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Connections at once: the one that came first makes room for the next.
const MOST: usize = 32;

/// So long a request may take to come, and the page to be taken.
const ASKING: Duration = Duration::from_secs(5);
const TAKING: Duration = Duration::from_secs(60);

/// The longest head of a request, in bytes, and the most fields.
const HEAD: usize = 16 << 10;
const FIELDS: usize = 100;

/// What each answer says beside its length and kind.
const ALWAYS: &str = "\
Cache-Control: no-store\r
X-Content-Type-Options: nosniff\r
Content-Security-Policy: frame-ancestors 'none'\r
X-Frame-Options: DENY\r
Referrer-Policy: no-referrer\r
Cross-Origin-Resource-Policy: same-origin\r
Cross-Origin-Opener-Policy: same-origin\r
Connection: close\r
";

/// Listens on 127.0.0.1.
pub(super) struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    page: Cow<'static, [u8]>,
    port: u16,
}

/// A connection, and the thread that answers it.
struct Connection {
    stream: TcpStream,
    thread: JoinHandle<()>,
}

impl Connection {
    /// Ends both: the thread waits for nothing but its stream.
    fn end(self) {
        _ = self.stream.shutdown(Shutdown::Both);
        _ = self.thread.join();
    }
}

impl Server {
    /// Listens on a port; on any free one, if that is 0.
    pub(super) fn new(port: u16, page: Cow<'static, [u8]>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, shared: Arc::new(Shared { page, port }) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.shared.port))
    }

    /// Answers until it is to stop.
    pub(super) fn serve(&self, stop: &AtomicBool) {
        // The oldest first.
        let mut open = VecDeque::new();
        while !stop.load(Ordering::Relaxed) {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let_go(&mut open, MOST - 1);
                    // One that cannot be served is let go of; its browser tries again.
                    open.extend(self.take(stream));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    forget(&mut open);
                    // A signal ends it early, which is no matter.
                    _ = poll(&mut [PollFd::new(&self.listener, PollFlags::IN)], Some(&LOOK));
                }
                // It was over before it began, or too much is open: the oldest goes.
                Err(_) => {
                    let_go(&mut open, 0);
                    _ = poll(&mut [], Some(&LOOK));
                }
            }
        }
    }

    fn take(&self, stream: TcpStream) -> io::Result<Connection> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        let (shared, ours) = (Arc::clone(&self.shared), stream.try_clone()?);
        let thread = thread::Builder::new().spawn(move || {
            // Whoever asked may have gone away; that is no fault of ours.
            _ = shared.answer(&ours);
            // The server has the stream open, too, until it looks again.
            _ = ours.shutdown(Shutdown::Both);
        })?;
        Ok(Connection { stream, thread })
    }
}

/// Closes the connections that are over.
fn forget(open: &mut VecDeque<Connection>) {
    open.retain(|connection| !connection.thread.is_finished());
}

/// Closes the connections that are over and ends the oldest of the others, until so many are left.
fn let_go(open: &mut VecDeque<Connection>, left: usize) {
    forget(open);
    while open.len() > left
        && let Some(oldest) = open.pop_front()
    {
        oldest.end();
    }
}

impl Shared {
    fn answer(&self, stream: &TcpStream) -> io::Result<()> {
        let Some(head) = head(stream)? else { return Ok(()) };
        let (status, kind, body) = match self.judge(&head) {
            Ok(()) => ("200 OK", "text/html", &*self.page),
            Err((status, why)) => (status, "text/plain; charset=utf-8", why.as_bytes()),
        };
        let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
        let length = body.len();
        let said =
            format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{allow}{ALWAYS}\r\n");
        let sent = if head.starts_with(b"HEAD ") { &[][..] } else { body };
        let until = Instant::now() + TAKING;
        for mut rest in [said.as_bytes(), sent] {
            while !rest.is_empty() {
                stream.set_write_timeout(Some(left(until)?))?;
                match (&*stream).write(rest)? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    count => rest = &rest[count..],
                }
            }
        }
        stream.shutdown(Shutdown::Write)?;
        // A connection that is closed over bytes that were not read is reset, and the answer lost with it.
        let until = Instant::now() + ASKING;
        let mut rest = [0; 4096];
        loop {
            stream.set_read_timeout(Some(left(until)?))?;
            if (&*stream).read(&mut rest)? == 0 {
                return Ok(());
            }
        }
    }

    /// Whether the page is what was asked for, and of this computer; else what is answered.
    fn judge(&self, head: &[u8]) -> Result<(), (&'static str, &'static str)> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        if !matches!(request.parse(head), Ok(httparse::Status::Complete(_))) {
            return Err(("400 Bad Request", "This is no request that a browser sends.\n"));
        }
        let mut hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(("400 Bad Request", "A request names one host.\n"));
        };
        let ours = ["127.0.0.1", "localhost"].into_iter().any(|name| {
            let whole = format!("{name}:{}", self.port);
            host.value.eq_ignore_ascii_case(whole.as_bytes())
                || self.port == 80 && host.value.eq_ignore_ascii_case(name.as_bytes())
        });
        if !ours {
            return Err(("421 Misdirected Request", "This page has another address, which highwater web printed.\n"));
        }
        if !matches!(request.method, Some("GET" | "HEAD")) {
            return Err(("405 Method Not Allowed", "The page is read, and nothing else.\n"));
        }
        let path = request.path.and_then(|path| path.split('?').next());
        match path {
            Some("/" | "/index.html" | "/highwater.html") => Ok(()),
            _ => Err(("404 Not Found", "There is one page here: /\n")),
        }
    }
}

/// The head of a request, or as much of it as is taken; none when nothing comes.
fn head(mut stream: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let (until, mut head, mut some) = (Instant::now() + ASKING, Vec::new(), [0; 4096]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") && head.len() < HEAD {
        stream.set_read_timeout(Some(left(until)?))?;
        match stream.read(&mut some)? {
            0 if head.is_empty() => return Ok(None),
            0 => break,
            count => head.extend_from_slice(&some[..count]),
        }
    }
    Ok(Some(head))
}

/// The time that is left.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}
