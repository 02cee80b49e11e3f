//! Frames: a message with its length before it.

use super::{Bad, LONGEST};

/// Bytes that say how long a frame is.
pub const HEAD: usize = 4;

/// A message as a frame.
#[must_use]
pub fn framed(message: &[u8]) -> Vec<u8> {
    // No message is longer than a frame may be: its parts are bounded.
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), message].concat()
}

/// How many bytes follow the head of a frame.
///
/// # Errors
/// When they are none, or more than any message has.
pub fn length(head: [u8; HEAD]) -> Result<usize, Bad> {
    let length = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    match length {
        0 => Err(Bad { at: 0, what: "a frame has nothing in it" }),
        _ if length > LONGEST => Err(Bad { at: 0, what: "a frame is longer than any message" }),
        _ => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_its_length_and_no_length_is_beyond_bounds() {
        let frame = framed(b"abc");
        assert_eq!(frame, b"\x03\0\0\0abc");
        assert_eq!(length([3, 0, 0, 0]), Ok(3));
        let most = u32::try_from(LONGEST).unwrap();
        assert_eq!(length(most.to_le_bytes()), Ok(LONGEST));
        for wrong in [0, most + 1, u32::MAX] {
            assert_eq!(length(wrong.to_le_bytes()).map_err(|bad| bad.at), Err(0));
        }
    }
}
