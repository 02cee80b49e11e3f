//! `Frames`: walks Zstandard frames by the headers of their blocks alone, to where they end.

/// RFC 8878 section 3.1.1: the magic number, as it is stored.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// RFC 8878 section 3.1.1.2.3: what a block decodes to, at most, in bytes.
pub(super) const BLOCK: usize = 128 * 1024;

/// Where a walk is.
pub(crate) struct Frames {
    /// The offset of the next header in the frames, in bytes.
    at: u64,
    /// The next header is that of a block, and the frame ends with a checksum.
    within: Option<bool>,
    /// What the frames say that they decode to, as far as each says so.
    declared: Option<u64>,
}

impl Frames {
    pub(crate) fn new() -> Self {
        Self { at: 0, within: None, declared: Some(0) }
    }

    /// Where the next header begins, or the frames end.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Whether another frame may follow, or nothing.
    pub(crate) fn is_between(&self) -> bool {
        self.within.is_none() && self.at > 0
    }

    /// How many bytes the frames say that they decode to.
    pub(crate) fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// Takes bytes that begin where the next header does, and goes on as far as they tell.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        let from = self.at;
        loop {
            let passed = usize::try_from(self.at.saturating_sub(from)).unwrap_or(usize::MAX);
            let Some(rest) = bytes.get(passed..) else { return Ok(()) };
            let Some(length) = (match self.within {
                None => self.frame(rest)?,
                Some(summed) => self.block(rest, summed)?,
            }) else {
                return Ok(());
            };
            self.at = self.at.saturating_add(length);
        }
    }

    /// Takes the header of a frame (RFC 8878 section 3.1.1.1); none when it has not come in full.
    fn frame(&mut self, bytes: &[u8]) -> Result<Option<u64>, &'static str> {
        if !bytes.iter().zip(MAGIC).all(|(byte, magic)| *byte == magic) {
            return Err("the zstd data have a wrong magic number");
        }
        let Some(&descriptor) = bytes.get(MAGIC.len()) else { return Ok(None) };
        let length = MAGIC.len() + 1 + rest_of_header(descriptor)?;
        let Some(header) = bytes.get(..length) else { return Ok(None) };
        let single = descriptor & 32 != 0;
        let size = header.get(MAGIC.len() + 1 + usize::from(!single)..).unwrap_or_default();
        let mut number = [0; 8];
        number.iter_mut().zip(size).for_each(|(to, byte)| *to = *byte);
        let size = match size.len() {
            0 => None,
            // RFC 8878 section 3.1.1.1.4.
            2 => Some(u64::from_le_bytes(number).saturating_add(256)),
            _ => Some(u64::from_le_bytes(number)),
        };
        self.declared = self.declared.zip(size).map(|(all, size)| all.saturating_add(size));
        self.within = Some(descriptor & 4 != 0);
        Ok(Some(length as u64))
    }

    /// Takes the header of a block (section 3.1.1.2), and passes over the block.
    fn block(&mut self, bytes: &[u8], summed: bool) -> Result<Option<u64>, &'static str> {
        let Some(&[a, b, c]) = bytes.first_chunk() else { return Ok(None) };
        let header = u32::from_le_bytes([a, b, c, 0]);
        let (last, kind, size) = (header & 1 != 0, header >> 1 & 3, u64::from(header >> 3));
        if kind == 3 || size > BLOCK as u64 {
            return Err("a block of the zstd data has an impossible header");
        }
        if last {
            self.within = None;
        }
        Ok(Some(3 + if kind == 1 { 1 } else { size } + if last && summed { 4 } else { 0 }))
    }
}

/// How many bytes of a frame's header follow its descriptor (RFC 8878 section 3.1.1.1).
pub(super) fn rest_of_header(descriptor: u8) -> Result<usize, &'static str> {
    if descriptor & 8 != 0 {
        return Err("a zstd frame has a reserved bit set");
    }
    if descriptor & 3 != 0 {
        return Err("a zstd frame needs a dictionary");
    }
    let single = descriptor & 32 != 0;
    let size = match descriptor >> 6 {
        0 => usize::from(single),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    Ok(size + usize::from(!single))
}
