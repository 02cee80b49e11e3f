//! Numbers of 8 bytes that are a file each: `x.oid`, `x.serial`, `x.packed`, and which revision of an object is
//! current.

use super::Odd;

/// How long the longest such file is, in bytes.
pub const LONGEST: usize = 12;

/// What a file of the first versions of the engine begins with that says which revision is current.
pub const MAGIC: [u8; 4] = [0x0b, 0xfe, 0xe8, 0xec];

/// Reads a file of one number, all of it.
///
/// # Errors
/// What is wrong with it, and where.
pub fn number(bytes: &[u8]) -> Result<u64, Odd> {
    let number = <[u8; 8]>::try_from(bytes).map(u64::from_be_bytes);
    number.map_err(|_| Odd::new(bytes.len().min(8) as u64, format!("it has {}, and must have 8", length(bytes))))
}

/// Reads which revision of an object is current: all of the file.
///
/// # Errors
/// What is wrong with it, and where.
pub fn current(bytes: &[u8]) -> Result<u64, Odd> {
    match bytes.split_first_chunk() {
        Some((&MAGIC, serial)) if bytes.len() == LONGEST => number(serial),
        Some(_) if bytes.len() == LONGEST => {
            Err(Odd::new(0, "it has 12 bytes, as those of old have, and does not begin as they do"))
        }
        _ if bytes.len() == 8 => number(bytes),
        _ => {
            let what = format!("it has {}, and must have 8, or 12 as those of old", length(bytes));
            Err(Odd::new(bytes.len().min(LONGEST) as u64, what))
        }
    }
}

fn length(bytes: &[u8]) -> String {
    if bytes.len() > LONGEST { format!("more than {LONGEST} bytes") } else { format!("{} bytes", bytes.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lengths_are_read_and_no_other() {
        let serial = [3, 0x46, 0x25, 0xa0, 0, 0, 0, 0xff];
        let old = [&MAGIC[..], &serial].concat();
        assert_eq!((current(&serial), current(&old)), (Ok(0x0346_25A0_0000_00FF), Ok(0x0346_25A0_0000_00FF)));
        assert_eq!(number(&serial), current(&serial));
        assert!(number(&old).is_err() && number(&serial[1..]).is_err());
        for length in (0..20).filter(|length| *length != 8 && *length != 12) {
            let odd = current(&vec![0; length]).unwrap_err();
            assert_eq!(odd.at, length.min(12) as u64);
        }
        assert_eq!(current(&[0; 12]).unwrap_err().at, 0);
    }
}
