//! The entries of a point that is a tree, a line or a JSON object each.

use highwater_core::name::{Name, printable};
use highwater_core::node::Meta;
use highwater_core::render::thousands;
use serde_json::{Value, json};

use super::tree::time;
use crate::cli::{left_out, out};
use crate::error::Error;
use crate::restore::tree::{Entry, Is, TreePlan};

/// Prints all that a point has, or what is at a path and below it.
pub(super) fn show(plan: &TreePlan, path: Option<&Name>, json: bool) -> Result<(), Error> {
    let (top, is) = (Entry { what: Is::Folder, meta: plan.top }, path.is_none());
    let is_in = |name: &Name| {
        path.is_none_or(|path| {
            name.as_bytes().strip_prefix(path.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    };
    let below = plan.entries.iter().filter(|(name, _)| is_in(name)).map(|(name, entry)| (Some(name), entry));
    let mut entries: Vec<_> = is.then_some((None, &top)).into_iter().chain(below).collect();
    // What is in a folder comes right behind it.
    entries.sort_by_cached_key(|(path, _)| path.map(parts));
    if let (true, Some(path)) = (entries.is_empty(), path) {
        return Err(Error::cannot_start(format!("there is no '{path}' in {}", plan.point)));
    }
    let length =
        |(_, entry): &(Option<&Name>, &Entry)| if let Is::File(file) = &entry.what { file.length() } else { 0 };
    let bytes = entries.iter().map(length).fold(0, u64::saturating_add);
    if json {
        let entries: Vec<Value> = entries.into_iter().map(|(path, entry)| object(plan, path, entry)).collect();
        let mut document = json!({ "schema": 1, "point": plan.point, "bytes": bytes, "entries": entries });
        if let Some(fields) = document.as_object_mut().filter(|_| !plan.lacks.is_nothing()) {
            fields.insert("left_out".to_owned(), json!(plan.lacks));
        }
        if let Some(fields) = document.as_object_mut().filter(|_| !plan.left_out.is_empty()) {
            let left = |(path, what): &(Name, String)| json!({ "path": path.to_string(), "what": what });
            let left = plan.left_out.iter().filter(|(path, _)| is_in(path)).map(left).collect();
            fields.insert("not_to_be_had".to_owned(), left);
        }
        return out::document(document);
    }
    let mut text = format!("{}: {}, {} bytes\n", plan.point, counted(entries.len()), thousands(bytes));
    for (path, entry) in entries {
        let size = if let Is::File(file) = &entry.what { thousands(file.length()) } else { String::new() };
        let (letter, _, target) = kind(&entry.what);
        let called = path.and_then(|path| plan.called.get(path)).map(Vec::as_slice);
        text.push_str(&line(letter, &size, entry.meta, path, (called, target.as_deref())));
    }
    plan.doubts.iter().for_each(|doubt| text.push_str(&format!("  doubtful: {doubt}\n")));
    for (path, what) in plan.left_out.iter().filter(|(path, _)| is_in(path)) {
        text.push_str(&format!("  not to be had: '{path}' is {what}\n"));
    }
    left_out::lines(&plan.lacks).for_each(|line| text.push_str(&format!("  left out: {line}\n")));
    out::print(&text)
}

fn parts(path: &Name) -> Vec<Vec<u8>> {
    path.as_bytes().split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect()
}

/// So many entries, in words.
pub(in crate::cli) fn counted(entries: usize) -> String {
    let noun = if entries == 1 { "entry" } else { "entries" };
    format!("{} {noun}", thousands(entries as u64))
}

/// What an entry is, in a letter as `ls` has it and in a word, and where it leads.
fn kind(what: &Is) -> (char, &'static str, Option<Vec<u8>>) {
    match what {
        Is::Folder => ('d', "folder", None),
        Is::File(_) => ('-', "file", None),
        Is::Link(text) => ('l', "link", Some(text.clone())),
        Is::Hard(of) => ('h', "hardlink", Some(of.as_bytes().to_vec())),
    }
}

/// An entry in a line: by what it is called where it came from, and the path that it has instead.
pub(in crate::cli) fn line(
    letter: char,
    size: &str,
    meta: Meta,
    path: Option<&Name>,
    (called, target): (Option<&[u8]>, Option<&[u8]>),
) -> String {
    let Meta { mode, uid, gid, modified } = meta;
    let mode = mode.map(|mode| format!("{mode:04o}")).unwrap_or_default();
    let owner = |id: Option<u32>| id.map(|id| id.to_string()).unwrap_or_default();
    let owner = format!("{}:{}", owner(uid), owner(gid));
    let time = modified.map(|(seconds, _)| time(seconds)).unwrap_or_default();
    let path = path.map_or_else(|| ".".to_owned(), ToString::to_string);
    let path = match called {
        Some(called) => format!("{}  (lies at {path})", printable(called)),
        None => path,
    };
    let target = target.map(|target| format!(" -> {}", printable(target))).unwrap_or_default();
    format!("{letter}{mode:>5} {owner:>11} {size:>15} {time:>20}  {path}{target}\n")
}

fn object(plan: &TreePlan, path: Option<&Name>, entry: &Entry) -> Value {
    let (_, word, target) = kind(&entry.what);
    let called = path.and_then(|path| plan.called.get(path));
    let path = path.map(ToString::to_string).unwrap_or_default();
    let mut object = json!({ "path": path, "type": word });
    let Some(fields) = object.as_object_mut() else { return object };
    let mut put = |key: &str, value: Option<Value>| fields.extend(value.map(|value| (key.to_owned(), value)));
    put("called", called.map(|called| json!(printable(called))));
    let Meta { mode, uid, gid, modified } = entry.meta;
    put("mode", mode.map(|mode| json!(format!("{mode:04o}"))));
    put("uid", uid.map(|uid| json!(uid)));
    put("gid", gid.map(|gid| json!(gid)));
    put("modified", modified.map(|(seconds, _)| json!(seconds)));
    put("nanoseconds", modified.map(|(_, nanoseconds)| json!(nanoseconds)));
    put("target", target.map(|target| json!(printable(&target))));
    if let Is::File(file) = &entry.what {
        put("size", Some(json!(file.length())));
        // Of a file that is put together of several, none is the file's own.
        if let [claim] = plan.claims_of(file) {
            put("object", Some(json!(claim.object)));
            let digest = claim.expect.digest.filter(|_| claim.expect.length == file.length());
            put("digest", digest.map(|digest| json!(digest.to_string())));
        }
    }
    object
}
