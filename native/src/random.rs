//! Random bytes from the system: for vectors that must not come twice, and names that should not.

use rustix::rand::{GetRandomFlags, getrandom};

use crate::error::Error;

/// So many bytes that nobody can foresee.
///
/// # Errors
/// When the system has none.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(some) => filled += some,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Error::failed(format!("the system has no random bytes: {error}"))),
        }
    }
    Ok(bytes)
}
