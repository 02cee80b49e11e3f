//! SipHash-2-4 of the names in goodbye tables.

/// The key under which archives hash names, in two halves.
const KEY: [u64; 2] = [0x83ac_3f1c_fbb4_50db, 0xaa4f_1b68_7936_9fbd];

/// The hash of a name.
pub(in crate::formats::datastore) fn hash(name: &[u8]) -> u64 {
    keyed(KEY, name)
}

fn keyed([k0, k1]: [u64; 2], bytes: &[u8]) -> u64 {
    let mut state = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    // The last word ends with the length, of which one byte has room.
    let length = u64::try_from(bytes.len() & 0xff).unwrap_or_default() << 56;
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    for word in words.chain([u64::from_le_bytes(last) | length]) {
        state[3] ^= word;
        (0..2).for_each(|_| round(&mut state));
        state[0] ^= word;
    }
    state[2] ^= 0xff;
    (0..4).for_each(|_| round(&mut state));
    let [a, b, c, d] = state;
    a ^ b ^ c ^ d
}

fn round([a, b, c, d]: &mut [u64; 4]) {
    *a = a.wrapping_add(*b);
    *b = b.rotate_left(13) ^ *a;
    *a = a.rotate_left(32);
    *c = c.wrapping_add(*d);
    *d = d.rotate_left(16) ^ *c;
    *a = a.wrapping_add(*d);
    *d = d.rotate_left(21) ^ *a;
    *c = c.wrapping_add(*b);
    *b = b.rotate_left(17) ^ *c;
    *c = c.rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_papers_vectors_and_of_a_real_archive() {
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        let bytes: Vec<u8> = (0..15).collect();
        assert_eq!(keyed(key, &bytes), 0xa129_ca61_49be_45e5);
        assert_eq!(keyed(key, &[]), 0x726f_db47_dd0e_0e31);
        // Out of the goodbye table of an archive that Proxmox's own encoder wrote.
        assert_eq!(hash(b"secret.txt"), 0x8ba6_fbed_ed16_f226);
    }
}
