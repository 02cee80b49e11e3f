//! `Host`: gives the files of a folder to a browser, from a port of loopback, and remembers what was asked for.

use std::fs;
use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server that ends with the test.
pub(crate) struct Host {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Host {
    /// Serves a folder, and a page under the address itself.
    pub(crate) fn of(folder: &Path, page: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/", listener.local_addr().expect("its address"));
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (folder, page, noted) = (folder.to_owned(), page.to_owned(), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (folder, page, noted) = (folder.clone(), page.clone(), Arc::clone(&noted));
                thread::spawn(move || stream.and_then(|stream| answer(stream, &folder, &page, &noted)));
            }
        });
        Self { address, asked }
    }

    /// The names that were asked for since this was called last, in their order.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }
}

fn answer(mut stream: TcpStream, folder: &Path, page: &str, noted: &Mutex<Vec<String>>) -> Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let name = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let kind = match Path::new(&name).extension().and_then(|end| end.to_str()) {
        None | Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("png") => "image/png",
        Some(_) => "application/octet-stream",
    };
    let at: PathBuf = folder.join(&name);
    let (status, body) = match if name.is_empty() { Ok(page.as_bytes().to_vec()) } else { fs::read(at) } {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    noted.lock().expect("no panic").push(name);
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}
