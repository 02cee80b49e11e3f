//! `Inside`: reads the chunks that say what is in the tree of an archive, one after another, and gives its nodes.
//!
//! For a restore, which makes nothing of a chunk that is not what its index says. Chunks in which nothing but the bytes
//! of one file lies are not read; claims are on those.

use super::trees::Tree;
use crate::check::{Check, Verdict};
use crate::claim::Claim;
use crate::fault::Fault;
use crate::finding::Findings;
use crate::inspect::Batch;
use crate::name::Name;
use crate::report::Depth;
use crate::trail::{Ended, Follow};

/// A tree of which a chunk is being read.
pub(super) struct Inside {
    tree: Tree,
    claim: Claim,
    check: Check,
    findings: Findings,
}

impl Inside {
    /// Begins with a tree; none where it has no chunk.
    pub(super) fn begin(tree: Tree, out: &mut Batch) -> Option<Self> {
        Self::next(tree, Findings::default(), out)
    }

    /// Goes on with the next chunk; at the end, tells what was found.
    fn next(mut tree: Tree, mut findings: Findings, out: &mut Batch) -> Option<Self> {
        let part = tree.more(&mut findings);
        out.nodes.append(&mut tree.nodes());
        match part.and_then(|part| Some((part, tree.claim()?))) {
            Some((part, claim)) => {
                tree.begin(0, &part);
                let check = Check::new(&claim, Depth::Digest, tree.key());
                Some(Self { tree, claim, check, findings })
            }
            None => {
                out.findings.extend(findings.sample().cloned());
                // No part of a tree is taken for all of it.
                if !tree.is_whole() && findings.is_empty() {
                    out.findings.push(tree.unread());
                }
                None
            }
        }
    }

    /// The chunk.
    pub(super) fn name(&self) -> &Name {
        &self.claim.object
    }

    /// Takes its next stored bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let Self { tree, check, findings, .. } = self;
        _ = check.push(bytes, &mut |decoded| _ = tree.push(decoded, findings));
    }

    /// The chunk is over, or could not be read; goes on with the next, if there is one and this one is sound.
    pub(super) fn end(self: Box<Self>, fault: Option<Fault>, out: &mut Batch) -> Option<Self> {
        let Self { mut tree, claim, check, mut findings } = *self;
        let verdict = fault.map_or_else(|| check.end(), Verdict::of_fault);
        if let Some(finding) = verdict.finding(&claim) {
            out.findings.push(finding);
            return None;
        }
        tree.end(Ended::Whole, &mut findings);
        Self::next(tree, findings, out)
    }
}
