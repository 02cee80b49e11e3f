//! `highwater web`: serves the page on loopback.

mod page;
mod server;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::exit::Exit;
use super::out;
use super::verb::Run;
use crate::error::Error;
use server::Server;

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
    /// Another page than the one in the program.
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

fn serve(args: &Web, stop: &AtomicBool) -> Result<Exit, Error> {
    let page = page::page(args.page.as_deref())?;
    let port = args.port;
    let server = Server::new(port, page)
        .map_err(|error| Error::cannot_start(format!("cannot listen on 127.0.0.1:{port}: {error}")))?;
    let url = format!("http://{}/", server.address());
    out::print(&format!("{url}\n"))?;
    out::say("serving the page to this computer only; Ctrl-C ends it");
    if !args.no_open {
        open(&url);
    }
    server.serve(stop);
    // Ending it is how it is meant to end.
    Ok(Exit::Sound)
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
