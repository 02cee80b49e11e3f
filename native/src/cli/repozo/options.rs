//! repozo's options, read as Python's `getopt` reads them: bundles, unique prefixes, the last one wins.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use highwater_core::name::printable;

/// Exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// `-B`
    Backup,
    /// `-R`
    Recover,
    /// `-V`
    Verify,
}

/// What was asked for, without what the mode ignores.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) mode: Mode,
    pub(super) verbose: bool,
    pub(super) repository: PathBuf,
    pub(super) file: PathBuf,
    pub(super) full: bool,
    pub(super) quick: bool,
    pub(super) gzip: bool,
    pub(super) kill_old: bool,
    pub(super) with_verify: bool,
    /// A source that contradicts itself is taken as it is.
    pub(super) damaged_source: bool,
    /// The source may be an older state than the newest point, or another database.
    pub(super) other_source: bool,
    /// Links that lead out of the repository are followed, as the original follows them.
    pub(super) follow_links: bool,
    pub(super) date: Option<String>,
    pub(super) output: Option<PathBuf>,
    /// Lines that say which options are ignored.
    pub(super) ignored: Vec<String>,
}

/// Why there is nothing to run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Help was asked for.
    Help,
    /// The command line makes no sense.
    Usage(String),
}

/// Long name, short letter, takes an argument.
const KNOWN: [(&str, u8, bool); 17] = [
    ("backup", b'B', false),
    ("recover", b'R', false),
    ("verify", b'V', false),
    ("verbose", b'v', false),
    ("help", b'h', false),
    ("repository", b'r', true),
    ("file", b'f', true),
    ("full", b'F', false),
    ("quick", b'Q', false),
    ("gzip", b'z', false),
    ("kill-old-on-full", b'k', false),
    ("date", b'D', true),
    ("output", b'o', true),
    ("with-verify", b'w', false),
    ("follow-links", FOLLOW_LINKS, false),
    ("damaged-source", DAMAGED_SOURCE, false),
    ("other-source", OTHER_SOURCE, false),
];

/// Our own options, which have no letter.
const FOLLOW_LINKS: u8 = 0;
const DAMAGED_SOURCE: u8 = 1;
const OTHER_SOURCE: u8 = 2;

impl Options {
    /// Reads the arguments.
    pub(super) fn parse(args: &[OsString]) -> Result<Self, Stop> {
        let (given, rest) = getopt(args).map_err(Stop::Usage)?;
        let usage = |message: &str| Stop::Usage(message.to_owned());
        let mut mode = None;
        let mut flags = Vec::new();
        let (mut repository, mut file, mut date, mut output) = (None, None, None, None);
        for (letter, argument) in given {
            match letter {
                b'h' => return Err(Stop::Help),
                b'B' | b'R' | b'V' => {
                    let new = match letter {
                        b'B' => Mode::Backup,
                        b'R' => Mode::Recover,
                        _ => Mode::Verify,
                    };
                    if mode.replace(new).is_some() {
                        return Err(usage("-B, -R, and -V are mutually exclusive"));
                    }
                }
                b'r' => repository = Some(argument),
                b'f' => file = Some(argument),
                b'D' => date = Some(argument),
                b'o' => output = Some(argument),
                flag => flags.push(flag),
            }
        }
        if !rest.is_empty() {
            let shown: Vec<String> = rest.iter().map(|arg| printable(arg.as_bytes())).collect();
            return Err(Stop::Usage(format!("Invalid arguments: {}", shown.join(", "))));
        }
        let mode = mode.ok_or_else(|| usage("Either --backup, --recover or --verify is required"))?;
        let repository = repository.ok_or_else(|| usage("--repository is required"))?;
        let has = |flag: u8| flags.contains(&flag);
        let mut options = Self {
            mode,
            verbose: has(b'v'),
            repository: PathBuf::from(repository),
            file: PathBuf::new(),
            full: has(b'F'),
            quick: has(b'Q'),
            gzip: has(b'z'),
            kill_old: has(b'k'),
            with_verify: has(b'w'),
            follow_links: has(FOLLOW_LINKS),
            damaged_source: has(DAMAGED_SOURCE),
            other_source: has(OTHER_SOURCE),
            date: None,
            output: None,
            ignored: Vec::new(),
        };
        let word = match mode {
            Mode::Backup => "backup",
            Mode::Recover => "recover",
            Mode::Verify => "verify",
        };
        let mut ignore = |name: &str, given: bool| {
            if given {
                options.ignored.push(format!("--{name} option is ignored in {word} mode"));
            }
        };
        if mode != Mode::Recover {
            ignore("date", date.is_some());
            ignore("output", output.is_some());
        }
        match mode {
            Mode::Backup => {
                ignore("with-verify", has(b'w'));
                options.file = file
                    .filter(|file| !file.is_empty())
                    .map(PathBuf::from)
                    .ok_or_else(|| usage("--file is required in backup mode"))?;
            }
            Mode::Recover => {
                ignore("file", file.is_some());
                ignore("kill-old-on-full", has(b'k'));
                ignore("quick", options.full && options.quick);
                options.quick &= !options.full;
                options.date = date.filter(|date| !date.is_empty()).map(|date| printable(date.as_bytes()));
                options.output = output.map(PathBuf::from);
            }
            Mode::Verify => {
                ignore("full", options.full);
                ignore("gzip", options.gzip);
                ignore("file", file.is_some());
                ignore("kill-old-on-full", options.kill_old);
                ignore("with-verify", has(b'w'));
            }
        }
        Ok(options)
    }
}

/// Options with their arguments, in order, and what is no option.
type Given = (Vec<(u8, OsString)>, Vec<OsString>);

/// Python's `getopt.getopt`: the first argument that is no option ends the options.
fn getopt(args: &[OsString]) -> Result<Given, String> {
    let mut given = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.as_slice().first().filter(|arg| arg.as_bytes().starts_with(b"-") && *arg != "-") {
        args.next();
        let bytes = arg.as_bytes();
        if bytes == b"--" {
            break;
        }
        if let Some(long) = bytes.strip_prefix(b"--") {
            let at = long.iter().position(|byte| *byte == b'=');
            let (name, value) = at.map_or((long, None), |at| (&long[..at], Some(&long[at + 1..])));
            let shown = printable(name);
            let (letter, takes) = find_long(name, &shown)?;
            let value = match (takes, value) {
                (true, Some(value)) => OsStr::from_bytes(value).to_owned(),
                (true, None) => {
                    args.next().ok_or_else(|| format!("option --{} requires argument", full_name(letter)))?.clone()
                }
                (false, Some(_)) => return Err(format!("option --{} must not have an argument", full_name(letter))),
                (false, None) => OsString::new(),
            };
            given.push((letter, value));
            continue;
        }
        let mut letters = &bytes[1..];
        while let Some((&letter, after)) = letters.split_first() {
            let known = KNOWN.iter().find(|(_, short, _)| *short == letter);
            let (_, _, takes) = known.ok_or_else(|| format!("option -{} not recognized", printable(&[letter])))?;
            letters = after;
            let mut value = OsString::new();
            if *takes {
                value = if after.is_empty() {
                    args.next().ok_or_else(|| format!("option -{} requires argument", printable(&[letter])))?.clone()
                } else {
                    OsString::from_vec(after.to_vec())
                };
                letters = &[];
            }
            given.push((letter, value));
        }
    }
    Ok((given, args.cloned().collect()))
}

/// The option that a long name, or the beginning of one, means. What is short for one of the original's never is for
/// one of ours.
fn find_long(name: &[u8], shown: &str) -> Result<(u8, bool), String> {
    let begins = |&&(long, _, _): &&(&str, u8, bool)| long.as_bytes().starts_with(name);
    let is_theirs = |(_, letter, _): &&(&str, u8, bool)| letter.is_ascii_alphabetic();
    let theirs = KNOWN.iter().filter(begins).any(|option| is_theirs(&option));
    let mut possible = KNOWN.iter().filter(begins).filter(|option| !theirs || is_theirs(option));
    let exact = KNOWN.iter().find(|(long, _, _)| long.as_bytes() == name);
    match (exact, possible.next(), possible.next()) {
        (Some((_, letter, takes)), _, _) | (None, Some((_, letter, takes)), None) => Ok((*letter, *takes)),
        (None, None, _) => Err(format!("option --{shown} not recognized")),
        (None, Some(_), Some(_)) => Err(format!("option --{shown} not a unique prefix")),
    }
}

fn full_name(letter: u8) -> &'static str {
    KNOWN.iter().find(|(_, short, _)| *short == letter).map_or("", |(long, _, _)| long)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Stop> {
        Options::parse(&line.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect::<Vec<_>>())
    }

    fn message(line: &str) -> String {
        match parse(line) {
            Err(Stop::Usage(message)) => message,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn bundles_prefixes_and_the_last_one_wins() {
        let options = parse("-BQzvrfirst -f a --rep=second --fi b").unwrap();
        assert_eq!((options.mode, options.quick, options.gzip, options.verbose), (Mode::Backup, true, true, true));
        assert_eq!((options.repository, options.file), (PathBuf::from("second"), PathBuf::from("b")));
        assert_eq!(parse("-R -r x --output - -D 2026").unwrap().output, Some(PathBuf::from("-")));
    }

    #[test]
    fn what_is_short_for_an_option_of_the_originals_stays_so() {
        let options = parse("-R -r x --d 2026 --o y").unwrap();
        assert_eq!((options.date.as_deref(), options.output), (Some("2026"), Some(PathBuf::from("y"))));
        let options = parse("-B -r x -f y --dam --oth --fo").unwrap();
        assert!(options.damaged_source && options.other_source && options.follow_links);
    }

    #[test]
    fn errors_are_in_the_originals_words() {
        for (line, expected) in [
            ("", "Either --backup, --recover or --verify is required"),
            ("-B", "--repository is required"),
            ("-B -r x", "--file is required in backup mode"),
            ("-BR", "-B, -R, and -V are mutually exclusive"),
            ("-x", "option -x not recognized"),
            ("-B -r", "option -r requires argument"),
            ("--crash-please", "option --crash-please not recognized"),
            ("--ver", "option --ver not a unique prefix"),
            ("--repo", "option --repository requires argument"),
            ("--full=1", "option --full must not have an argument"),
            ("crash please", "Invalid arguments: crash, please"),
        ] {
            assert_eq!(message(line), expected, "{line}");
        }
        assert_eq!(parse("-B --help").unwrap_err(), Stop::Help);
    }

    #[test]
    fn what_a_mode_ignores_is_told() {
        let told = parse("-V -r x -w -o y -D z -f a -z -k -F").unwrap().ignored;
        for name in ["date", "output", "full", "gzip", "file", "kill-old-on-full", "with-verify"] {
            assert!(told.contains(&format!("--{name} option is ignored in verify mode")), "{name}: {told:?}");
        }
        assert!(parse("-B -r x -f y -v").unwrap().ignored.is_empty());
        assert_eq!(parse("-R -r x -F -Q").unwrap().ignored, ["--quick option is ignored in recover mode"]);
    }
}
