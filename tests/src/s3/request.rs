//! Requests as they come in over a connection.

use std::io::{self, Read};
use std::net::TcpStream;

/// No head of a request is longer.
const LONGEST: usize = 64 << 10;

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query, as sent.
    pub(super) target: String,
    /// Names in lower case, in the order of the wire.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What has come in and was not yet looked at.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    buffer: Vec<u8>,
}

impl Incoming {
    /// The next request; `None` at the end of the connection.
    pub(super) fn next(&mut self, stream: &mut TcpStream) -> io::Result<Option<Request>> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if self.buffer.len() > LONGEST || !self.more(stream)? {
                return Ok(None);
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        let bad = || io::Error::other("no request");
        let text = std::str::from_utf8(&head[..end]).map_err(|_| bad())?;
        let mut lines = text.split("\r\n");
        let mut words = lines.next().ok_or_else(bad)?.split(' ');
        let (method, target) = (words.next().ok_or_else(bad)?, words.next().ok_or_else(bad)?);
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = lines.map(header).collect::<Option<_>>().ok_or_else(bad)?;
        let mut request = Request { method: method.to_owned(), target: target.to_owned(), headers, body: Vec::new() };
        let length: usize = request.header("content-length").map_or(Ok(0), str::parse).map_err(|_| bad())?;
        while self.buffer.len() < length {
            if !self.more(stream)? {
                return Ok(None);
            }
        }
        request.body = self.buffer.drain(..length).collect();
        Ok(Some(request))
    }

    fn more(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        let mut piece = [0; 8 << 10];
        let some = stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..some]);
        Ok(some > 0)
    }
}
