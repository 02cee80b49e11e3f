//! `Open`: which keys are files and folders at once, out of all keys in their order.
//!
//! Between a key and what lies in the folder of its name others may come: `a`, `a-x`, `a/b`. So each key is kept until
//! no key can follow that begins with it and a slash. Those that are kept begin with one another, so they are few: no
//! more than a key has bytes.

/// Keys that may turn out to be folders.
#[derive(Debug, Default)]
pub struct Open {
    /// Each begins with the one before it; and whether it was given already.
    kept: Vec<(Vec<u8>, bool)>,
    /// Memory of those that were kept.
    spare: Vec<Vec<u8>>,
}

impl Open {
    /// Takes the next key, which may be the last one again, and gives each that is a folder too, once.
    pub fn take(&mut self, key: &[u8], each: &mut dyn FnMut(&[u8])) {
        // What follows `a` before `a/` begins with `a` and a smaller byte than a slash.
        let may_follow = |kept: &[u8]| match key.strip_prefix(kept) {
            Some(rest) => rest.first().is_none_or(|byte| *byte <= b'/'),
            None => false,
        };
        while let Some((kept, _)) = self.kept.pop_if(|(kept, _)| !may_follow(kept)) {
            self.spare.push(kept);
        }
        for (kept, is_given) in &mut self.kept {
            if !*is_given && key.strip_prefix(kept.as_slice()).is_some_and(|rest| rest.first() == Some(&b'/')) {
                *is_given = true;
                each(kept);
            }
        }
        if self.kept.last().is_none_or(|(kept, _)| kept != key) {
            let mut kept = self.spare.pop().unwrap_or_default();
            kept.clear();
            kept.extend_from_slice(key);
            self.kept.push((kept, false));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keys: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let (mut open, mut found) = (Open::default(), Vec::new());
        for key in keys {
            open.take(key, &mut |key| found.push(key.to_vec()));
            assert!(open.kept.len() <= key.len());
        }
        found.sort();
        found
    }

    #[test]
    fn a_key_between_a_file_and_its_folder_hides_nothing() {
        let keys = |all: &[&str]| -> Vec<Vec<u8>> { all.iter().map(|key| key.as_bytes().to_vec()).collect() };
        assert_eq!(found(&keys(&["a", "a-x", "a/b", "a/b/c"])), keys(&["a", "a/b"]));
        assert_eq!(found(&keys(&["a", "a", "a-", "a-/y", "a/x", "a/y"])), keys(&["a", "a-"]));
        assert!(found(&keys(&["a", "a0", "aa", "b/c"])).is_empty());
        // An empty segment is one.
        assert_eq!(found(&keys(&["a", "a/", "a//"])), keys(&["a", "a/"]));
    }

    /// Against the definition, over all sets of three short keys.
    #[test]
    fn it_finds_what_the_definition_says() {
        let letters = b"-/0a";
        let mut all: Vec<Vec<u8>> = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..3 {
            last = last.iter().flat_map(|one| letters.iter().map(move |byte| [one, &[*byte][..]].concat())).collect();
            all.extend(last.clone());
        }
        all.retain(|key| !key.is_empty());
        for one in 0..all.len() * all.len() * all.len() {
            let mut keys: Vec<Vec<u8>> =
                [1, all.len(), all.len() * all.len()].iter().map(|by| all[one / by % all.len()].clone()).collect();
            keys.sort();
            let is_folder = |key: &Vec<u8>| keys.iter().any(|other| other.starts_with(&[key, &b"/"[..]].concat()));
            let mut wanted: Vec<Vec<u8>> = keys.iter().filter(|key| is_folder(key)).cloned().collect();
            wanted.dedup();
            assert_eq!(found(&keys), wanted, "{keys:?}");
        }
    }
}
