//! Sends an answer, or as much of it as a fault lets through.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::answer::Answer;
use super::fault::Fault;

/// Sends an answer as the fault has it; `false` ends the connection.
pub(super) fn send(
    stream: &mut TcpStream,
    method: &str,
    answer: &Answer,
    fault: &Fault,
    date: &str,
) -> io::Result<bool> {
    match fault {
        Fault::Closed => return Ok(false),
        // Until the client has enough of it.
        Fault::Hang => return stream.read(&mut [0]).map(|_| false),
        Fault::Raw(bytes) => return stream.write_all(bytes).map(|()| false),
        _ => {}
    }
    let body = if method == "HEAD" { &[][..] } else { &answer.body[answer.range.clone()] };
    let mut out = Vec::with_capacity(512 + body.len().min(64 << 10));
    write!(out, "HTTP/1.1 {} Answer\r\ndate: {date}\r\nserver: fake\r\n", answer.status)?;
    let has = |name: &str| answer.headers.iter().any(|(known, _)| known == name);
    if !has("content-length") {
        write!(out, "content-length: {}\r\n", answer.range.len())?;
    }
    for (name, value) in answer.headers.iter().filter(|(_, value)| !value.is_empty()) {
        write!(out, "{name}: {value}\r\n")?;
    }
    out.extend_from_slice(b"\r\n");
    match fault {
        Fault::Cut(at) | Fault::Reset(at) | Fault::Stall(at) => {
            out.extend_from_slice(&body[..(*at).min(body.len())]);
            stream.write_all(&out)?;
            match fault {
                Fault::Reset(_) => rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO))?,
                // Until the client has enough of it.
                Fault::Stall(_) => drop(stream.read(&mut [0])?),
                _ => {}
            }
            Ok(false)
        }
        Fault::Slow(piece, pause) => {
            stream.write_all(&out)?;
            for piece in body.chunks(*piece) {
                thread::sleep(*pause);
                stream.write_all(piece)?;
            }
            Ok(true)
        }
        _ => {
            out.extend_from_slice(body);
            stream.write_all(&out).map(|()| true)
        }
    }
}
