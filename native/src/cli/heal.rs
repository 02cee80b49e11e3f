//! `highwater heal`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::finding::{Code, Severity};
use highwater_core::render::thousands;
use highwater_core::report::{Depth, Note, Verdict};
use serde_json::json;

use super::exit::Exit;
use super::repository::{kind_of, open, open_to_write, usage};
use super::{args, key, out, progress};
use crate::error::Error;
use crate::heal::{Fate, Job, heal};
use crate::shown::quoted;

pub(super) fn run(args: &args::Heal, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    let repository = open_to_write(&args.repository, args.root.following, args.writing)?;
    let from = open(&args.from, &args.root)?;
    let format = kind_of(&repository, &args.root)?;
    let other = kind_of(&from, &args::Root::default())?;
    // A cache and a store hold the same objects.
    let pooled = format.facts().pool.is_some() && format.facts().pool == other.facts().pool;
    if format.facts().name != other.facts().name && !pooled {
        let (one, two) = (quoted(&args.repository), quoted(&args.from));
        return Err(usage(format!(
            "{one} is of the kind {}, and {two} of the kind {}",
            format.facts().name,
            other.facts().name
        )));
    }
    let label = super::verify::label(&args.repository);
    let depth = if args.quick { Depth::Size } else { Depth::Digest };
    let job = Job { label: &label, key: key::load(&args.keys)?, depth, dry_run: args.dry_run };
    let watch = out::watch(args.talk, stop);
    let done = progress::with(&format!("healing {label}"), args.talk.quiet, &watch, || {
        heal(job, format, &from, &repository, &watch)
    });
    out::doubts(&repository);
    let done = done?;
    let healed = done.objects.iter().filter(|(_, fate)| *fate == Fate::Healed).count();
    let left = done.objects.len() - healed;
    // What no claim speaks of, as a broken index, is not healed by copying objects.
    let is_object = |name: &str| done.objects.iter().any(|(object, _)| object == name);
    let notes = done.report.findings.iter().filter(|note| note.severity > Severity::Warning);
    // What is shut is told in one sentence.
    let is_shut = |note: &Note| done.shut > 0 && done.elsewhere == 0 && note.code == Code::Unverifiable;
    let others: Vec<_> = notes.filter(|note| !is_object(&note.object) && !is_shut(note)).collect();
    let exit = match others.iter().map(|note| note.severity).max() {
        Some(Severity::Damage) => Exit::Damage,
        _ if left > 0 => Exit::Damage,
        Some(_) => Exit::Inconclusive,
        None if done.elsewhere > 0 => Exit::Inconclusive,
        None if done.shut == 0 && done.report.verdict == Verdict::Inconclusive => Exit::Inconclusive,
        None => Exit::Sound,
    };
    let named = |note: &&Note| if note.object.is_empty() { note.root.clone() } else { note.object.clone() };
    let others: Vec<String> =
        others.iter().map(|note| format!("{} {}: {}", note.code, named(note), note.message)).collect();
    if args.json {
        let objects = done.objects.iter().map(|(object, fate)| match fate {
            Fate::Healed => json!({ "object": object, "healed": true }),
            Fate::Left(why) => json!({ "object": object, "healed": false, "why": why }),
        });
        let objects: Vec<_> = objects.collect();
        let report =
            json!({ "schema": 1, "dry_run": args.dry_run, "objects": objects, "others": others, "shut": done.shut });
        out::print(&format!("{report:#}\n"))?;
        return Ok(exit);
    }
    let would = if args.dry_run { "would be healed" } else { "healed" };
    for (object, fate) in &done.objects {
        match fate {
            Fate::Healed => out::print(&format!("{would}: {object}\n"))?,
            Fate::Left(why) => out::say(&format!("highwater: cannot be healed: {object}: {why}")),
        }
    }
    others.iter().for_each(|other| out::say(&format!("highwater: {other}")));
    out::print(&format!("objects {would}: {healed}; left as they are: {left}\n"))?;
    if done.shut > 0 {
        let whole = if exit == Exit::Sound && !args.dry_run { "all else is whole; " } else { "" };
        out::say(&format!(
            "highwater: {whole}of {} encrypted objects only the checksums were judged: --keyfile judges their bytes",
            thousands(done.shut)
        ));
    }
    if exit != Exit::Sound {
        out::say("highwater: not everything is whole; `highwater verify` says more");
    }
    Ok(exit)
}
