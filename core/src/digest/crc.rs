//! CRC-32 and CRC-32C: by the processor's instructions where crates use them, by few and small tables elsewhere.

#[cfg(not(target_family = "wasm"))]
pub(crate) use crc32c::{crc32c, crc32c_append};
#[cfg(not(target_family = "wasm"))]
pub(crate) use crc32fast::Hasher as Crc32;
#[cfg(target_family = "wasm")]
pub(crate) use small::{Crc32, crc32c, crc32c_append};

/// The CRC-32 (RFC 1952, section 8) of some bytes.
#[cfg(any(test, feature = "blob", feature = "inventory"))]
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    crc.update(bytes);
    crc.finalize()
}

/// For a page: tables in a module are read by all who load it, and no compression makes them smaller.
#[cfg(any(test, target_family = "wasm"))]
mod small {
    use std::sync::LazyLock;

    /// A running CRC-32. The inflater has its table in any case.
    #[derive(Clone, Default)]
    pub(crate) struct Crc32(u32);

    impl Crc32 {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            self.0 = zlib_rs::crc32::crc32(self.0, bytes);
        }

        pub(crate) fn finalize(self) -> u32 {
            self.0
        }

        pub(crate) fn reset(&mut self) {
            *self = Self::new();
        }
    }

    /// The polynomial of CRC-32C (RFC 3720, appendix B.4), the lowest power in the highest bit.
    const CASTAGNOLI: u32 = 0x82f6_3b78;

    /// What a byte comes to with so many bytes after it. Made when it is needed first.
    static TABLES: LazyLock<Box<[[u32; 256]; 8]>> = LazyLock::new(|| {
        let mut tables = Box::new([[0; 256]; 8]);
        let mut crcs: [u32; 256] = [0; 256];
        for (crc, byte) in crcs.iter_mut().zip(0..) {
            *crc = (0..8).fold(byte, |crc, _| if crc & 1 == 1 { crc >> 1 ^ CASTAGNOLI } else { crc >> 1 });
        }
        let first = crcs;
        for table in tables.iter_mut() {
            *table = crcs;
            crcs = crcs.map(|crc| crc >> 8 ^ at(&first, crc));
        }
        tables
    });

    /// The CRC-32C of some bytes.
    pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
        crc32c_append(0, bytes)
    }

    /// The CRC-32C of what has `crc`, and some bytes after it.
    pub(crate) fn crc32c_append(crc: u32, bytes: &[u8]) -> u32 {
        let [t0, t1, t2, t3, t4, t5, t6, t7] = &**TABLES;
        let mut crc = !crc;
        let (eights, rest) = bytes.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in eights {
            let low = crc ^ u32::from_le_bytes([*a, *b, *c, *d]);
            let high = u32::from_le_bytes([*e, *f, *g, *h]);
            crc = at(t7, low) ^ at(t6, low >> 8) ^ at(t5, low >> 16) ^ at(t4, low >> 24);
            crc ^= at(t3, high) ^ at(t2, high >> 8) ^ at(t1, high >> 16) ^ at(t0, high >> 24);
        }
        for byte in rest {
            crc = crc >> 8 ^ at(t0, crc ^ u32::from(*byte));
        }
        !crc
    }

    /// The entry for the lowest eight bits.
    #[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
    fn at(table: &[u32; 256], bits: u32) -> u32 {
        table[(bits & 0xff) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::small;

    #[test]
    fn small_tables_give_what_the_crates_give() {
        let bytes: Vec<u8> = (0..4099u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for end in (0..80).chain([1023, 4099]) {
            let (one, other) = bytes[..end].split_at(end / 3);
            let mut crc = small::Crc32::new();
            crc.update(other);
            crc.reset();
            crc.update(one);
            crc.update(other);
            assert_eq!(crc.finalize(), super::crc32(&bytes[..end]), "{end}");
            let appended = small::crc32c_append(small::crc32c(one), other);
            assert_eq!(appended, crc32c::crc32c(&bytes[..end]), "{end}");
        }
        // RFC 3720, appendix B.4: 32 bytes of zeros, the first byte the lowest.
        assert_eq!(small::crc32c(&[0; 32]), 0x8a91_36aa);
    }
}
