//! `highwater strays`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::render::{bytes, thousands};
use serde_json::json;

use super::exit::Exit;
use super::repository::{kind_of, open, usage};
use super::{args, out, progress};
use crate::error::Error;
use crate::shown::quoted;
use crate::strays::{What, strays};

pub(super) fn run(args: &args::Strays, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    let store = open(&args.store, &args.root)?;
    let format = kind_of(&store, &args.root)?;
    if format.facts().pool.is_none() {
        let what = "`highwater verify` names what belongs to no backup in it";
        return Err(usage(format!("{} is of the kind {}: {what}", quoted(&args.store), format.facts().name)));
    }
    let watch = out::watch(args.talk, stop);
    let found = progress::with("looking", args.talk.quiet, &watch, || strays(&store, format, &watch))?;
    let word = |what| match what {
        What::Unreferenced => "unreferenced",
        What::Bad => "set aside",
        What::Other => "no chunk",
    };
    let exit = if found.doubts.is_empty() { Exit::Sound } else { Exit::Inconclusive };
    if args.json {
        let list = found
            .strays
            .iter()
            .map(|stray| json!({ "name": stray.name, "what": word(stray.what), "bytes": stray.bytes }));
        let list: Vec<_> = list.collect();
        let report = json!({ "schema": 1, "referenced": found.referenced, "strays": list, "doubts": found.doubts });
        out::print(&format!("{report:#}\n"))?;
        return Ok(exit);
    }
    for stray in &found.strays {
        out::print(&format!("{:<12}  {}  {}\n", word(stray.what), stray.name, bytes(stray.bytes)))?;
    }
    found.doubts.iter().for_each(|doubt| out::say(&format!("highwater: {doubt}")));
    let total: u64 = found.strays.iter().map(|stray| stray.bytes).sum();
    let (count, referenced) = (thousands(found.strays.len() as u64), thousands(found.referenced));
    out::print(&format!("{count} strays of {}; {referenced} chunks are named by indices\n", bytes(total)))?;
    if exit != Exit::Sound {
        out::say(
            "highwater: chunks are not called unreferenced, as nobody knows what the above names; `highwater verify` says more",
        );
    }
    Ok(exit)
}
