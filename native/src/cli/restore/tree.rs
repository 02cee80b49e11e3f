//! `highwater restore` of a tree.

use highwater_core::name::Name;
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use super::Restore;
use super::words::how;
use crate::cli::exit::Exit;
use crate::cli::repository::usage;
use crate::cli::{left_out, out, progress};
use crate::disk;
use crate::error::Error;
use crate::restore::tree::{Change, Run, TreeOptions, TreePlan, TreeSummary, file_to_stream, to_folder};
use crate::restore::{Asked, How};
use crate::shown::{quoted, shown};
use crate::store::Store;
use crate::watch::Watch;

impl Restore {
    /// Restores a tree to the folder that is the target.
    pub(super) fn to_tree(&self, from: &dyn Store, asked: Asked, watch: &Watch<'_>) -> Result<Exit, Error> {
        let format = asked.format.facts().name;
        let plan = TreePlan::make(from, asked)?;
        if self.target.as_os_str() == "-" {
            if self.dry_run {
                return Err(usage("a dry run says what a target would become: name a folder".to_owned()));
            }
            progress::with("restoring", self.talk.quiet, watch, || {
                file_to_stream(&plan, from, &mut out::stream()?, watch)
            })?;
            return Ok(Exit::Sound);
        }
        let here = self.is_here();
        let job = TreeOptions { full: self.full, dry_run: self.dry_run };
        let summary = progress::with("restoring", self.talk.quiet, watch, || {
            let target = disk::target_folder(&self.target, self.writing.locks())?;
            let (to, name) = (&*target.root, &target.name);
            let made = to_folder(&Run { job: &job, plan: &plan, from, to, target: name, watch });
            out::shortcomings(&*target.root);
            made
        })?;
        if self.json.is_asked() {
            out::document(self.tree_document(&plan, &summary, format))?;
        } else if !self.talk.quiet {
            let each = |(path, change): &(Name, Change)| format!("would {} {path}\n", change.word());
            let changes: String = summary.changes.iter().map(each).collect();
            out::print(&format!("{changes}{}", self.tree_words(&summary)))?;
            if here && summary.how != How::Nothing && !self.dry_run {
                out::say(
                    "highwater: the folder that you are in was replaced as a whole: `cd \"$PWD\"` enters the new one",
                );
            }
        }
        left_out::tell(&plan.point, &plan.lacks);
        Ok(left_out::tell_entries(&plan.left_out))
    }

    /// Whether the user is in the folder that is the target, or in one below it.
    fn is_here(&self) -> bool {
        let here = std::env::current_dir().ok().zip(self.target.canonicalize().ok());
        here.is_some_and(|(here, target)| here.starts_with(target))
    }

    /// What was done, as `--json` writes it.
    fn tree_document(&self, plan: &TreePlan, made: &TreeSummary, format: &str) -> Value {
        let change = |(path, change): &(Name, Change)| json!({ "path": path.to_string(), "change": change.word() });
        let left = |(path, what): &(Name, String)| json!({ "path": path.to_string(), "what": what });
        json!({
            "schema": 1, "format": format, "point": made.point, "target": shown(&self.target), "how": how(made.how),
            "files": made.files, "kept": made.kept, "written": made.written, "given_up": made.given_up,
            "changes": made.changes.iter().map(change).collect::<Vec<_>>(),
            "left_out": plan.left_out.iter().map(left).collect::<Vec<_>>(),
            "lacks": plan.lacks, "dry_run": self.dry_run,
        })
    }

    /// What was done.
    fn tree_words(&self, made: &TreeSummary) -> String {
        let (target, point) = (quoted(&self.target), &made.point);
        let would = if self.dry_run { "would be " } else { "" };
        let files = format!(
            "{} written, {} of {} files kept",
            bytes(made.written),
            thousands(made.kept),
            thousands(made.files)
        );
        let given_up = match made.given_up {
            0 => String::new(),
            count => format!("; {} entries that it does not have {would}given up", thousands(count)),
        };
        match made.how {
            How::Nothing => format!("{target} is at {point} already\n"),
            _ => format!("{target} {would}restored to {point}: {files}{given_up}\n"),
        }
    }
}
