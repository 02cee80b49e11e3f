//! `Device`: a block device, which is written in place and keeps its length.

use std::io;
use std::os::fd::OwnedFd;

use super::opened::Opened;
use super::{Inode, Look, Time, Writable};
use crate::store::{BlockDevice, Identity, Object};

/// A block device that this process has alone.
pub(super) struct Device {
    file: Opened,
    read: BlockDevice,
}

impl Device {
    pub(super) fn new(file: OwnedFd) -> io::Result<Self> {
        Ok(Self { read: BlockDevice::new(file.try_clone()?.into()), file: file.into() })
    }
}

impl Object for Device {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.read.read_at(at, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        self.read.length()
    }

    fn identity(&self) -> io::Result<Identity> {
        self.read.identity()
    }
}

impl Inode for Device {
    fn look(&self) -> io::Result<Look> {
        Inode::look(&self.file)
    }

    fn set_owner(&self, _: Option<u32>, _: Option<u32>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn set_mode(&self, _: u32) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn set_modified(&self, _: Time) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Inode::sync(&self.file)
    }

    fn try_lock(&self) -> io::Result<bool> {
        Inode::try_lock(&self.file)
    }
}

impl Writable for Device {
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        Writable::write_at(&self.file, at, bytes)
    }

    fn set_length(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn as_object(&self) -> &dyn Object {
        self
    }

    fn reflink(&self, _: &dyn Object) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plain file stands in for a device: its length is found in the same way.
    #[test]
    fn it_is_written_in_place_and_keeps_its_length() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(10_000).unwrap();
        let device = Device::new(file.into()).unwrap();
        assert_eq!(device.length().unwrap(), 10_000);
        Writable::write_at(&device, 5000, b"here").unwrap();
        let mut found = [0; 6];
        device.as_object().read_exact_at(4999, &mut found).unwrap();
        assert_eq!(&found, b"\0here\0");
        assert!(device.set_length(1).is_err() && device.set_mode(0).is_err() && device.set_owner(None, None).is_err());
        assert_eq!(device.length().unwrap(), 10_000);
        device.sync().unwrap();
    }
}
