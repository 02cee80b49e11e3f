//! Gunzip: a push decoder of gzip members on the raw inflate state.
//!
//! The convenience decoders of the usual crates drop what they have buffered when they meet a fault,
//! so how much is seen of a broken stream depends on how it was cut. This one hands every decoded byte on
//! before it reports the fault, which makes "any split of the input gives the same output" hold for damaged input too.

use crate::digest::crc::Crc32 as Crc;
use flate2::{Decompress, FlushDecompress, Status};

use super::{Broken, Flow};

/// Bytes of output buffered at a time.
const OUTPUT: usize = 32 * 1024;

/// RFC 1952 section 2.3.1: flag bits of a member's header.
const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;

/// Where in a member the next byte lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Byte `n` of the ten fixed ones.
    Fixed(usize),
    /// Byte `n` of the extra field's two-byte length.
    ExtraLength(usize),
    /// Bytes of the extra field that are left.
    Extra(u64),
    /// Inside the file name, up to its NUL.
    FileName,
    /// Inside the comment, up to its NUL.
    Comment,
    /// Header checksum bytes that are left.
    HeaderSum(u64),
    /// Inside the deflate stream.
    Body,
    /// Byte `n` of the eight of the trailer.
    Trailer(usize),
    /// After a member: another one, zero padding, or the end.
    Between,
    /// Only zero padding may follow.
    Padding,
}

/// The decoder's state.
pub struct Gunzip {
    stage: Stage,
    flags: u8,
    extra: u64,
    inflate: Decompress,
    crc: Crc,
    trailer: [u8; 8],
    output: Box<[u8]>,
    at: u64,
    broken: Option<Broken>,
}

impl Default for Gunzip {
    fn default() -> Self {
        Self {
            stage: Stage::Fixed(0),
            flags: 0,
            extra: 0,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            trailer: [0; 8],
            output: vec![0; OUTPUT].into_boxed_slice(),
            at: 0,
            broken: None,
        }
    }
}

impl Gunzip {
    /// One that buffers more output: whoever reads few streams, and long ones, copies less.
    pub(super) fn roomy() -> Self {
        Self { output: vec![0; 4 * OUTPUT].into_boxed_slice(), ..Self::default() }
    }

    /// See [`super::Decoder::push`].
    pub(super) fn push(&mut self, mut stored: &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<Flow, Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        while !stored.is_empty() {
            if self.stage == Stage::Body {
                let (used, flow) = self.body(stored, each)?;
                stored = stored.get(used..).unwrap_or_default();
                if flow.is_break() {
                    return Ok(flow);
                }
            } else if let Some((&byte, rest)) = stored.split_first() {
                self.byte(byte)?;
                self.at += 1;
                stored = rest;
            }
        }
        Ok(Flow::Continue(()))
    }

    /// See [`super::Decoder::is_between`].
    pub(super) fn is_between(&self) -> bool {
        self.broken.is_none() && self.stage == Stage::Between
    }

    /// See [`super::Decoder::end`].
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        match self.stage {
            Stage::Between | Stage::Padding => Ok(()),
            Stage::Fixed(0) if self.at == 0 => self.fail("the object is empty where a gzip stream should be"),
            _ => self.fail("the gzip stream ends in the middle of a member"),
        }
    }

    /// Inflates until the input is used up or the deflate stream ends.
    fn body(&mut self, stored: &[u8], each: &mut dyn FnMut(&[u8]) -> Flow) -> Result<(usize, Flow), Broken> {
        let mut used = 0usize;
        loop {
            let (in_before, out_before) = (self.inflate.total_in(), self.inflate.total_out());
            let rest = stored.get(used..).unwrap_or_default();
            let result = self.inflate.decompress(rest, &mut self.output, FlushDecompress::None);
            let taken = usize::try_from(self.inflate.total_in() - in_before).unwrap_or(usize::MAX);
            let made = usize::try_from(self.inflate.total_out() - out_before).unwrap_or(usize::MAX);
            used = used.saturating_add(taken);
            self.at += taken as u64;
            let output = self.output.get(..made).unwrap_or_default();
            self.crc.update(output);
            if !output.is_empty() && each(output).is_break() {
                return Ok((used, Flow::Break(())));
            }
            match result {
                Err(_) => return self.fail("the compressed data is damaged"),
                Ok(Status::StreamEnd) => {
                    self.stage = Stage::Trailer(0);
                    return Ok((used, Flow::Continue(())));
                }
                // A full output buffer means that more may wait inside, even without further input.
                Ok(_) if made == self.output.len() => {}
                Ok(_) if used >= stored.len() => return Ok((used, Flow::Continue(()))),
                Ok(_) if taken == 0 && made == 0 => return self.fail("the compressed data is damaged"),
                Ok(_) => {}
            }
        }
    }

    /// Takes one byte of a header, a trailer or padding.
    fn byte(&mut self, byte: u8) -> Result<(), Broken> {
        self.stage = match self.stage {
            Stage::Between if byte == 0 => Stage::Padding,
            Stage::Between | Stage::Fixed(0) => match byte {
                0x1f => Stage::Fixed(1),
                _ if self.stage == Stage::Between => {
                    return self.fail("bytes that are no gzip member follow the last one");
                }
                _ => return self.fail("the object does not begin with gzip's magic number"),
            },
            Stage::Fixed(1) if byte != 0x8b => return self.fail("the gzip header has a wrong magic number"),
            Stage::Fixed(2) if byte != 8 => return self.fail("the gzip header names an unknown compression method"),
            Stage::Fixed(3) if byte & 0xe0 != 0 => return self.fail("the gzip header has reserved flags set"),
            Stage::Fixed(n) => {
                if n == 3 {
                    self.flags = byte;
                }
                if n < 9 { Stage::Fixed(n + 1) } else { self.after_fixed() }
            }
            Stage::ExtraLength(0) => {
                self.extra = u64::from(byte);
                Stage::ExtraLength(1)
            }
            Stage::ExtraLength(_) => match self.extra | u64::from(byte) << 8 {
                0 => self.after_extra(),
                length => Stage::Extra(length),
            },
            Stage::Extra(left) if left > 1 => Stage::Extra(left - 1),
            Stage::Extra(_) => self.after_extra(),
            Stage::FileName if byte == 0 => self.after_name(),
            Stage::Comment if byte == 0 => self.after_comment(),
            Stage::HeaderSum(left) if left > 1 => Stage::HeaderSum(left - 1),
            Stage::HeaderSum(_) => Stage::Body,
            Stage::Trailer(n) => {
                if let Some(slot) = self.trailer.get_mut(n) {
                    *slot = byte;
                }
                if n < 7 { Stage::Trailer(n + 1) } else { self.member_ends()? }
            }
            Stage::Padding if byte != 0 => return self.fail("bytes that are no gzip member follow the last one"),
            same @ (Stage::FileName | Stage::Comment | Stage::Padding | Stage::Body) => same,
        };
        Ok(())
    }

    fn after_fixed(&self) -> Stage {
        if self.flags & FEXTRA != 0 { Stage::ExtraLength(0) } else { self.after_extra() }
    }

    fn after_extra(&self) -> Stage {
        if self.flags & FNAME != 0 { Stage::FileName } else { self.after_name() }
    }

    fn after_name(&self) -> Stage {
        if self.flags & FCOMMENT != 0 { Stage::Comment } else { self.after_comment() }
    }

    fn after_comment(&self) -> Stage {
        if self.flags & FHCRC != 0 { Stage::HeaderSum(2) } else { Stage::Body }
    }

    /// Compares the trailer with what was inflated, and gets ready for another member.
    fn member_ends(&mut self) -> Result<Stage, Broken> {
        let [a, b, c, d, e, f, g, h] = self.trailer;
        if u32::from_le_bytes([a, b, c, d]) != self.crc.clone().finalize() {
            return self.fail("the decompressed bytes do not give the CRC-32 in gzip's trailer");
        }
        if u64::from(u32::from_le_bytes([e, f, g, h])) != self.inflate.total_out() & 0xffff_ffff {
            return self.fail("the decompressed length is not the one in gzip's trailer");
        }
        self.inflate.reset(false);
        self.crc.reset();
        Ok(Stage::Between)
    }

    fn fail<T>(&mut self, what: &'static str) -> Result<T, Broken> {
        let broken = Broken { at: self.at, what };
        self.broken = Some(broken.clone());
        Err(broken)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::super::{Codec, Decoder};
    use super::*;

    fn member(data: &[u8]) -> Vec<u8> {
        let mut writer = GzBuilder::new()
            .filename("name")
            .comment("comment")
            .extra(vec![7; 300])
            .write(Vec::new(), Compression::fast());
        writer.write_all(data).unwrap();
        writer.finish().unwrap()
    }

    fn text(n: usize) -> Vec<u8> {
        (0..n).map(|i| (i * i / 7 % 251) as u8).collect()
    }

    fn decode(stored: &[u8], step: usize) -> (Vec<u8>, Result<(), Broken>) {
        let mut decoder = Decoder::new(Codec::Gzip, None);
        let mut out = Vec::new();
        let mut result = Ok(());
        for piece in stored.chunks(step) {
            result = decoder
                .push(piece, &mut |b| {
                    out.extend_from_slice(b);
                    Flow::Continue(())
                })
                .map(|_| ());
        }
        (out, result.and_then(|()| decoder.end()))
    }

    #[test]
    fn members_and_padding_are_read_as_one_stream() {
        let mut stored = member(&text(100_000));
        stored.extend(member(b""));
        stored.extend(member(&text(10)));
        stored.extend([0; 512]);
        let whole = [text(100_000), text(10)].concat();
        for step in [1, 2, 7, 4096, stored.len()] {
            let (out, result) = decode(&stored, step);
            assert!(out == whole && result.is_ok(), "step {step}: {result:?}");
        }
    }

    #[test]
    fn every_truncation_and_every_flip_gives_the_same_at_any_split() {
        let stored = [member(&text(700)), member(&text(50))].concat();
        let first = member(&text(700)).len();
        for cut in 0..stored.len() {
            let (out, result) = decode(&stored[..cut], cut.max(1));
            assert_eq!(result.is_ok(), cut == first, "cut {cut}");
            assert_eq!(decode(&stored[..cut], 1), (out, result), "cut {cut}");
        }
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let whole = decode(&flipped, flipped.len());
            for step in [1, 13] {
                assert_eq!(decode(&flipped, step), whole, "bit {bit} step {step}");
            }
        }
    }

    #[test]
    fn garbage_after_the_last_member_is_refused() {
        let mut stored = member(b"x");
        let end = stored.len() as u64;
        stored.extend([0, 0, 1]);
        let (out, result) = decode(&stored, 64);
        assert_eq!((out, result.unwrap_err().at), (b"x".to_vec(), end + 2));
    }

    #[test]
    fn a_consumer_can_stop_a_bomb() {
        let stored = member(&vec![0; 50_000_000]);
        let mut taken = 0usize;
        let flow = Decoder::new(Codec::Gzip, None).push(&stored, &mut |bytes| {
            taken += bytes.len();
            if taken > 1000 { Flow::Break(()) } else { Flow::Continue(()) }
        });
        assert!(flow.unwrap().is_break() && taken <= OUTPUT);
    }
}
