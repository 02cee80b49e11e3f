//! `--max-bandwidth`: how much goes over the line to a bucket or another machine.

use clap::Args;

/// How much goes over the line.
#[derive(Debug, Default, Clone, Copy, Args)]
pub(in crate::cli) struct Bandwidth {
    /// Bytes a second from or to a bucket, or from another machine, at most: a number, or one with k, M or G behind it
    /// for thousands, millions or billions.
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    max_bandwidth: Option<u64>,
}

impl Bandwidth {
    /// Bytes a second; none where there is no limit.
    pub(in crate::cli) fn limit(self) -> Option<u64> {
        self.max_bandwidth
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    let units = [('k', 1_000), ('M', 1_000_000), ('G', 1_000_000_000)];
    let unit = units.iter().find_map(|(letter, unit)| Some((text.strip_suffix(*letter)?, *unit)));
    let (number, unit) = unit.unwrap_or((text, 1));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = number.parse::<u64>().ok().filter(|_| is_number).and_then(|number| number.checked_mul(unit));
    let bytes = bytes.filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "write a number of bytes a second, as 5000000, 500k, 20M or 1G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_strictly() {
        assert_eq!(bytes("5000000"), Ok(5_000_000));
        assert_eq!(bytes("500k"), Ok(500_000));
        assert_eq!(bytes("20M"), Ok(20_000_000));
        assert_eq!(bytes("1G"), Ok(1_000_000_000));
        for bad in ["", "k", "0", "0M", "-1", "+1", "1.5M", "1MB", "1 M", "99999999999G"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
