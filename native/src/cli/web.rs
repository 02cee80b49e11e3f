//! `highwater web`: serves the page on loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use tiny_http::{Header, Method, Request, Response, Server};

use super::exit::Exit;
use super::out;
use super::verb::Run;
use crate::error::Error;
use crate::shown::quoted;

/// The page in one file.
const FILE: &str = "highwater.html";

/// How often the wish to stop is looked at.
const PATIENCE: Duration = Duration::from_millis(100);

/// Show the page that checks a dropped folder in a browser, served to this computer only.
///
/// The same page works without this: highwater.html is one file, which any browser opens with the network off.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater web                      opens the page in the browser
  highwater web --no-open --port 8080
  highwater web --page highwater.html")]
pub(super) struct Web {
    /// The port on 127.0.0.1; any free one otherwise.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Only print the address; open no browser.
    #[arg(long)]
    no_open: bool,
    /// The page, when it does not lie beside the program.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

impl Run for Web {
    fn is_threaded(&self) -> bool {
        false
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        serve(self, stop)
    }
}

fn serve(args: &Web, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    let path = args.page.clone().map_or_else(find, Ok)?;
    let page =
        std::fs::read(&path).map_err(|error| Error::cannot_start(format!("cannot read {}: {error}", quoted(&path))))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let server =
        Server::http(address).map_err(|error| Error::cannot_start(format!("cannot listen on {address}: {error}")))?;
    let url = format!("http://{}/", server.server_addr());
    out::print(&format!("{url}\n"))?;
    out::say("serving the page to this computer only; Ctrl-C ends it");
    if !args.no_open {
        open(&url);
    }
    while !stop.load(Ordering::Relaxed) {
        match server.recv_timeout(PATIENCE) {
            Ok(Some(request)) => {
                // Whoever asked may have gone away; that is no fault of ours.
                _ = answer(request, &page);
            }
            Ok(None) => {}
            Err(error) => return Err(Error::failed(format!("cannot take requests: {error}"))),
        }
    }
    // Ending it is how it is meant to end.
    Ok(Exit::Sound)
}

fn answer(request: Request, page: &[u8]) -> io::Result<()> {
    let headers =
        ["Content-Type: text/html; charset=utf-8", "Cache-Control: no-store", "X-Content-Type-Options: nosniff"];
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::empty(405));
    }
    if !matches!(request.url(), "/" | "/index.html" | "/highwater.html") {
        return request.respond(Response::empty(404));
    }
    let response = Response::from_data(page);
    request.respond(headers.iter().filter_map(|line| line.parse::<Header>().ok()).fold(response, Response::with_header))
}

/// The page beside the program: as installed, as unpacked, or as built.
fn find() -> Result<PathBuf, Error> {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new("."));
    let places = [FILE, "../share/highwater/highwater.html", "../web/highwater.html"].map(|place| folder.join(place));
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
        let place = quoted(&places[0]);
        Error::cannot_start(format!(
            "the page is not there: build it with web/build, and name it with --page or put it at {place}"
        ))
    })
}

/// Shows the page in the person's browser, if there is one.
fn open(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let started =
        Command::new(opener).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if started.is_err() {
        out::say("open that address in a browser");
    }
}
