//! `Records`: what stands in an extended header: lines of `LENGTH KEY=VALUE`, of which the length counts itself.

/// Records on their way.
#[derive(Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    is_binary: bool,
}

impl Records {
    /// Adds text, which is said to be bytes where it is no UTF-8.
    pub(super) fn text(&mut self, key: &[u8], value: &[u8]) {
        self.is_binary |= std::str::from_utf8(value).is_err();
        self.push(key, value);
    }

    /// Adds a record.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend(record(key, value));
    }

    /// The content of the header; empty if there is nothing to say.
    pub(super) fn finish(self) -> Vec<u8> {
        let before = if self.is_binary { record(b"hdrcharset", b"BINARY") } else { Vec::new() };
        [before, self.bytes].concat()
    }
}

fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    // A space, an equals sign, a newline.
    let rest = key.len().saturating_add(value.len()).saturating_add(3);
    let digits = |number: usize| number.to_string().len();
    let mut length = rest.saturating_add(digits(rest));
    if digits(length) > digits(rest) {
        length = length.saturating_add(1);
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_counts_itself() {
        for count in 0..1200 {
            let record = record(b"path", &vec![b'x'; count]);
            let text = std::str::from_utf8(&record).unwrap();
            let told: usize = text.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(told, record.len(), "{count}");
        }
    }
}
