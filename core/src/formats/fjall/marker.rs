//! The marker `version` of a store: which layout it has.
//!
//! `FJL` and the number of the layout, a byte; the engine (fjall 3.1.13, `version.rs` and `db.rs`) reads no further.

use super::Odd;

/// What the marker of a store begins with that fjall 3 wrote.
pub const MAGIC: [u8; 4] = *b"FJL\x03";

/// Looks at a marker, all of it.
///
/// # Errors
/// Why the engine does not open a store with it.
pub fn parse(bytes: &[u8]) -> Result<(), Odd> {
    let what = match bytes {
        [b'F', b'J', b'L', 3, ..] => return Ok(()),
        [b'F', b'J', b'L', layout @ (1 | 2), ..] => {
            return Err(Odd::new(
                3,
                format!(
                    "this store was written by fjall {layout}, whose layout is another; migrate it to fjall 3 before \
                     it is checked"
                ),
            ));
        }
        [b'F', b'J', b'L', layout, ..] => {
            return Err(Odd::new(3, format!("its layout is number {layout}, and only 3 is known")));
        }
        [] => "the marker is empty".to_owned(),
        short if MAGIC.starts_with(short) => format!("the marker ends after {} of its 4 bytes", short.len()),
        _ => "the marker does not begin with FJL".to_owned(),
    };
    Err(Odd::new(0, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_third_layout_is_read_and_the_second_is_named() {
        assert_eq!(parse(&MAGIC), Ok(()));
        assert_eq!(parse(b"FJL\x03 and more"), Ok(()));
        for (bytes, at, word) in [
            (&b"FJL\x02"[..], 3, "fjall 2"),
            (b"FJL\x01", 3, "fjall 1"),
            (b"FJL\x04", 3, "number 4"),
            (b"FJL", 0, "3 of its 4"),
            (b"", 0, "empty"),
            (b"FJX\x03", 0, "FJL"),
        ] {
            let odd = parse(bytes).unwrap_err();
            assert!(odd.at == at && odd.what.contains(word), "{odd}");
        }
    }
}
