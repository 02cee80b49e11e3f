//! `Settings`: what `config/settings` says of the shape of a store.
//!
//! The file is one of Python's `configparser`: sections in brackets, options before `:` or `=`, comments behind `#` or
//! `;`. The engine (1.1.21, `BaseFilesystem.py`) opens a store whose `structure.version` is 0.11, with the layout of
//! `structure.format`, as the class of `storage.classname`.

use super::Odd;
use super::names::Layout;

/// The longest settings that are read, in bytes: those of the engine have five thousand.
pub const LONGEST: usize = 64 << 10;

/// What keeps the objects of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Revisions and transactions.
    Full,
    /// The last revision of each object and nothing else.
    Minimal,
}

/// What the settings say of the shape of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How names are spread over folders.
    pub layout: Layout,
    /// What keeps the objects.
    pub class: Class,
}

/// The options that are read: their sections and names.
const OPTIONS: [(&str, &str); 3] = [("structure", "format"), ("structure", "version"), ("storage", "classname")];

/// An option that was read: where it stands and what it says.
#[derive(Default)]
struct Said {
    at: u64,
    value: Option<String>,
}

/// Reads the settings, all of them.
///
/// # Errors
/// Why the engine does not open a store with them.
pub fn parse(bytes: &[u8]) -> Result<Settings, Odd> {
    if bytes.len() > LONGEST {
        return Err(Odd::new(LONGEST as u64, format!("it has more than {LONGEST} bytes, and no settings are as long")));
    }
    let mut options = [Said::default(), Said::default(), Said::default()];
    let (mut section, mut at, mut last) = (None, 0u64, None);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at = at.saturating_add(line.len() as u64);
        let text = String::from_utf8_lossy(line);
        let bare = text.trim();
        if bare.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        if text.starts_with(char::is_whitespace) {
            // It goes on with the value of the line before it.
            if let Some(value) = last.and_then(|place: usize| options.get_mut(place)?.value.as_mut()) {
                value.push('\n');
                value.push_str(bare);
            }
        } else if let Some((title, _)) = bare.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            (section, last) = (Some(title.to_owned()), None);
        } else if let (Some(section), Some((option, value))) = (&section, bare.split_once([':', '='])) {
            let named = (section.as_str(), option.trim().to_ascii_lowercase());
            last = OPTIONS.iter().position(|(section, option)| (*section, *option) == (named.0, named.1.as_str()));
            let value = value.split(" ;").next().unwrap_or_default().trim();
            if let Some(option) = last.and_then(|place| options.get_mut(place)) {
                *option = Said { at: start, value: Some(value.to_owned()) };
            }
        } else {
            return Err(Odd::new(start, "the line is neither a section nor an option of one"));
        }
    }
    let [format, version, class] = options;
    let missing = |option: &str| Odd::new(at, format!("it ends without the option {option}"));
    let (word, format_at) = (format.value.ok_or_else(|| missing("format of the section structure"))?, format.at);
    let number = version.value.ok_or_else(|| missing("version of the section structure"))?;
    if number != "0.11" {
        return Err(Odd::new(
            version.at,
            format!("the version of the structure is '{number}', and only 0.11 is known"),
        ));
    }
    let layout = Layout::by_name(&word)
        .ok_or_else(|| Odd::new(format_at, format!("the format '{word}' is none of bushy, chunky, lawn and flat")))?;
    let class = match class.value.as_deref() {
        Some("Full") => Class::Full,
        Some("Minimal") => Class::Minimal,
        Some(other) => return Err(Odd::new(class.at, format!("the class '{other}' is neither Full nor Minimal"))),
        None => return Err(missing("classname of the section storage")),
    };
    Ok(Settings { layout, class })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\n[structure]\n\nformat: chunky\nversion: 0.11\n\n# how\n[storage]\nclassname: Full\n\n[filesystem]\nsync: 1\n";

    #[test]
    fn what_the_engine_writes_is_read() {
        let settings = parse(TEXT.as_bytes()).unwrap();
        assert_eq!(settings, Settings { layout: Layout::Chunky, class: Class::Full });
        for (from, to) in [("chunky", "flat"), ("format: ", "Format="), ("\n", "\r\n"), ("chunky", "chunky ; of old")] {
            assert!(parse(TEXT.replace(from, to).as_bytes()).is_ok(), "{to}");
        }
        let minimal = parse(TEXT.replace("Full", "Minimal").as_bytes()).unwrap();
        assert_eq!(minimal.class, Class::Minimal);
    }

    #[test]
    fn what_the_engine_refuses_is_refused_at_its_line() {
        for (from, to, at, word) in [
            ("chunky", "bushy4", 14, "bushy4"),
            ("chunky", "chunky\n  flat", 14, "flat"),
            ("0.11", "0.12", 29, "0.12"),
            ("Full", "Half", 60, "Half"),
            ("[structure]", "structure", 1, "neither"),
            ("classname", "class name", 99, "classname"),
            ("sync: 1", "sync", 90, "neither"),
        ] {
            let odd = parse(TEXT.replace(from, to).as_bytes()).unwrap_err();
            assert!(odd.at == at && odd.what.contains(word), "{to}: {odd}");
        }
        assert!(parse(b"").is_err() && parse(&vec![b'\n'; LONGEST + 1]).is_err());
    }
}
