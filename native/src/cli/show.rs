//! `highwater show`: what a restore of a point reads, and which bytes each file gives.

use highwater_core::render::thousands;
use serde_json::json;

use super::exit::Exit;
use super::repository::{Repository, kind_of, open};
use super::{args, key, out};
use crate::error::Error;
use crate::restore::{Plan, plan};

pub(super) fn run(args: &args::Show) -> Result<Exit, Error> {
    let repository = Repository::parse(&args.repository)?;
    let store = open(&repository.path, &args.root)?;
    let format = kind_of(&store, &args.root)?;
    let plan = plan(&store, format, repository.point, key::load(&args.keys)?)?;
    if args.json {
        let chunks: Vec<_> = plan.claims.iter().map(|claim| json!({
            "object": claim.object.to_string(), "codec": claim.codec.name(), "start": claim.target.start, "end": claim.target.end, "digest": claim.expect.digest.to_string(),
        })).collect();
        let index = plan.index.as_ref().map(ToString::to_string);
        let document = json!({ "schema": 1, "point": plan.point, "bytes": plan.end, "chunks": chunks, "index": index });
        out::print(&format!("{document:#}\n"))?;
    } else {
        out::print(&table(&plan))?;
    }
    Ok(Exit::Sound)
}

/// The chunks of a plan, a line each.
pub(super) fn table(plan: &Plan) -> String {
    let width = thousands(plan.end).len();
    let mut text = format!("{}: {} bytes from {} files\n", plan.point, thousands(plan.end), plan.claims.len());
    for claim in &plan.claims {
        let (start, end) = (thousands(claim.target.start), thousands(claim.target.end));
        let digest = claim.expect.digest;
        text.push_str(&format!("  bytes {start:>width$} to {end:>width$}  {}", claim.object));
        // The chunks of a store are named after theirs.
        if !claim.object.to_string().ends_with(&digest.to_string()) {
            text.push_str(&format!("  {} {digest}", digest.algorithm().name()));
        }
        text.push('\n');
    }
    match &plan.index {
        Some(_) => text.push_str(&format!("  OID index           {}.index\n", plan.point)),
        None if plan.grows => text.push_str("  OID index           none: the database rebuilds it\n"),
        None => {}
    }
    plan.doubts.iter().for_each(|doubt| text.push_str(&format!("  doubtful: {doubt}\n")));
    text
}
