//! `Blocks`: follows a table from its start, and checks the checksum of every block.

use crate::digest::crc::crc32c_append;

use super::super::HURTS;
use super::footer::Handle;
use super::layout::{Layout, length};
use super::sum::{Context, Kind, Sum};
use crate::codec::Flow;
use crate::digest::Digest;
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Findings};
use crate::name::Name;
use crate::trail::{Ended, Follow, Part};

/// The follower of one table.
pub(in super::super) struct Blocks {
    object: Name,
    layout: Layout,
    kind: Kind,
    context: Context,
    /// Which block comes next, or is being read.
    next: usize,
    at: u64,
    sum: Sum,
    /// What stands behind the block, as far as it was read.
    trailer: Vec<u8>,
    /// The checksum of the whole file, where one is on record: that, and what was read so far gives.
    whole: Option<(Digest, u32)>,
    /// A byte before this block was found not to be zero: one is enough.
    dirty: Option<usize>,
    bad: bool,
    over: bool,
    unread: bool,
}

impl Blocks {
    /// A table of this name whose blocks lie so; `digest` is that of the whole file, if one is on record.
    pub(in super::super) fn new(object: Name, layout: Layout, digest: Option<Digest>) -> Self {
        let footer = layout.footer.as_ref();
        let (kind, context) = footer.map_or((Kind::None, Context::default()), |footer| (footer.sum, footer.context));
        let whole = digest.filter(|digest| matches!(digest, Digest::Crc32c(_))).map(|digest| (digest, 0));
        Self {
            object,
            layout,
            kind,
            context,
            next: 0,
            at: 0,
            sum: Sum::new(kind),
            trailer: Vec::new(),
            whole,
            dirty: None,
            bad: false,
            over: false,
            unread: false,
        }
    }

    fn report(&mut self, code: Code, offset: Option<u64>, message: String, out: &mut Findings) {
        self.bad = true;
        out.push(Finding { code, object: Some(self.object.clone()), offset, message, hurts: HURTS });
    }

    /// Takes bytes of one block, or of what lies between two; how many.
    fn some(&mut self, bytes: &[u8], out: &mut Findings) -> usize {
        let rest = |to: u64| usize::try_from(to.saturating_sub(self.at)).unwrap_or(usize::MAX).min(bytes.len());
        let Some(block) = self.layout.blocks.get(self.next).copied() else {
            let end = self.layout.footer.as_ref().map_or(self.layout.size, |footer| footer.at);
            // The footer itself was looked at when the blocks were searched for.
            let taken = if self.at < end { rest(end) } else { bytes.len() };
            if self.at < end {
                self.between(bytes.get(..taken).unwrap_or_default(), out);
            }
            return taken;
        };
        let end = block.at.saturating_add(block.size);
        if self.at < block.at {
            let taken = rest(block.at);
            self.between(bytes.get(..taken).unwrap_or_default(), out);
            return taken;
        }
        if self.at < end {
            let taken = rest(end);
            self.sum.update(bytes.get(..taken).unwrap_or_default());
            return taken;
        }
        let taken = rest(block.at.saturating_add(length(block)));
        self.trailer.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if let Ok([kind, a, b, c, d]) = <[u8; 5]>::try_from(self.trailer.as_slice()) {
            self.trailer.clear();
            self.next += 1;
            self.judge(block, kind, u32::from_le_bytes([a, b, c, d]), out);
        }
        taken
    }

    /// Compares the checksum of a block with the one behind it.
    fn judge(&mut self, block: Handle, kind: u8, on_record: u32, out: &mut Findings) {
        let found = self.sum.finish(kind).wrapping_add(self.context.modifier(block.at));
        if found == on_record || self.layout.waived == Some((block.at, found)) {
            return;
        }
        let name = if self.kind == Kind::None { "place of a checksum" } else { self.kind.name() };
        let message = format!(
            "the {name} of its block of {} bytes here is {found:08x}, the table says {on_record:08x}",
            block.size
        );
        self.report(Code::Digest, Some(block.at), message, out);
    }

    /// Looks at bytes that belong to no block: padding. Where not all blocks are known, they may be anything.
    fn between(&mut self, bytes: &[u8], out: &mut Findings) {
        let is_known = !self.layout.complete || self.dirty == Some(self.next);
        let dirt = bytes.iter().position(|byte| *byte != 0).filter(|_| !is_known);
        if let Some(behind) = dirt {
            self.dirty = Some(self.next);
            let at = self.at.saturating_add(behind as u64);
            let message = "a byte that belongs to no block is not zero".to_owned();
            self.report(Code::OddIndex, Some(at), message, out);
        }
    }

    /// All of the table was read.
    fn ends(&mut self, out: &mut Findings) {
        let size = self.layout.size;
        if self.at != size || self.over {
            let more = if self.over { "more than " } else { "" };
            let message = format!("it has {more}{} bytes, the MANIFEST says {size}", self.at);
            return self.report(Code::Length, Some(self.at), message, out);
        }
        let found = self.whole.map(|(digest, crc)| (digest, Digest::Crc32c(crc.to_be_bytes())));
        if let Some((digest, found)) = found.filter(|(digest, found)| digest != found && !self.bad) {
            let message = format!("its digest is {found}, the MANIFEST says {digest}");
            self.report(Code::Digest, None, message, out);
        }
    }
}

impl Follow for Blocks {
    fn begin(&mut self, _: usize, _: &Part) {}

    fn push(&mut self, mut bytes: &[u8], out: &mut Findings) -> Flow {
        while !bytes.is_empty() {
            if self.at >= self.layout.size {
                self.over = true;
                return Flow::Break(());
            }
            let room = usize::try_from(self.layout.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
            let within = bytes.get(..room).unwrap_or(bytes);
            let taken = self.some(within, out).clamp(1, within.len());
            let (some, rest) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
            if let Some((_, crc)) = &mut self.whole {
                *crc = crc32c_append(*crc, some);
            }
            self.at = self.at.saturating_add(some.len() as u64);
            bytes = rest;
        }
        Flow::Continue(())
    }

    fn end(&mut self, ended: Ended<'_>, out: &mut Findings) {
        match ended {
            Ended::Failed(fault) => {
                self.unread = true;
                out.push(failed(&self.object, fault));
            }
            Ended::Whole | Ended::Broken(_) => self.ends(out),
        }
    }

    fn is_whole(&self) -> bool {
        !self.unread && (self.bad || self.layout.complete && self.kind != Kind::None)
    }

    fn bytes(&self) -> u64 {
        self.at
    }
}

/// What is said of an object that a MANIFEST names and that could not be read.
pub(in super::super) fn failed(object: &Name, fault: &Fault) -> Finding {
    let (code, message) = match fault.kind {
        FaultKind::Absent => (Code::Missing, "the MANIFEST names it, but it is not there".to_owned()),
        _ => (Code::Unreadable, fault.message.clone()),
    };
    Finding { code, object: Some(object.clone()), offset: None, message, hurts: HURTS }
}
