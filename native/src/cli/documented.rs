//! Holds the README, `web/docs` and the examples of the help to the command line: each line of theirs is understood,
//! and each option that they name is there.

#![expect(clippy::print_stdout, reason = "a test says how much it looked at")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Parser};

use super::verb::Cli;

/// Options of other programs that the pages name by themselves: of cargo, of the benchmarks, of Slurm.
const FOREIGN: [&str; 7] =
    ["--all-cores", "--mib", "--no-default-features", "--requeue", "--rounds", "--size", "--test"];

/// A command line of ours that some text shows.
struct Shown {
    /// The file or verb, and the line.
    place: String,
    /// Its words, from `highwater` on.
    words: Vec<String>,
    /// It stands in a sentence, and need not be whole.
    in_prose: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The pages, by their paths from the root, with their texts.
fn pages() -> Vec<(String, String)> {
    let mut paths: Vec<String> = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(Into::into).into();
    for entry in fs::read_dir(root().join("web/docs")).expect("the pages") {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        if name.ends_with(".md") {
            paths.push(format!("web/docs/{name}"));
        }
    }
    paths.sort();
    let text = |path: String| (fs::read_to_string(root().join(&path)).expect("a page"), path);
    paths.into_iter().map(text).map(|(text, path)| (path, text)).collect()
}

/// The command lines of ours in a line of a shell, or of a file that holds such lines.
fn lines_of_ours(line: &str, by_spaces: bool) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = line[from..].find("highwater ").map(|at| at + from) {
        let (before, rest) = line.split_at(at);
        from = at + "highwater ".len();
        let is_comment = before.starts_with('#') || before.contains(" #");
        let quote = before.chars().next_back().filter(|last| matches!(last, '"' | '\'' | '['));
        if is_comment || !before.chars().next_back().is_none_or(|last| last.is_whitespace() || "\"'[=(".contains(last))
        {
            continue;
        }
        found.push(words(rest, quote, by_spaces));
    }
    found
}

/// The words of a command, up to where a shell ends it; `quote` is what stands before it and ends it, too. `by_spaces`:
/// two spaces end it, behind which an example of the help tells what it does.
fn words(text: &str, quote: Option<char>, by_spaces: bool) -> Vec<String> {
    let closing = quote.map(|open| if open == '[' { ']' } else { open });
    let (mut words, mut word, mut within) = (Vec::new(), None::<String>, None);
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match (within, letter) {
            (Some(open), _) if open == letter => within = None,
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, _) if Some(letter) == closing => break,
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                within = Some(letter);
            }
            (None, '|' | ';' | '&' | '>' | '<' | ')') => break,
            (None, '#') if word.is_none() => break,
            (None, ' ') => {
                words.extend(word.take());
                if by_spaces && rest.peek() == Some(&' ') {
                    break;
                }
            }
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    // What GNU parallel fills in stands behind it.
    words.into_iter().take_while(|word| word != ":::").map(|word| filled(&word)).collect()
}

/// A word with something in the place of a variable, or of a letter that stands for a number.
fn filled(word: &str) -> String {
    match word {
        "i/n" | "I/N" => return "1/2".into(),
        "n" => return "2".into(),
        _ => {}
    }
    let mut filled = String::new();
    let mut rest = word.replace("{}", "1");
    while let Some((before, after)) = rest.clone().split_once('$') {
        filled.push_str(before);
        filled.push('1');
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let sum = after.strip_prefix("((").and_then(|inner| inner.split_once("))"));
        rest = sum.map_or(after.trim_start_matches(is_name), |(_, behind)| behind).to_owned();
    }
    filled + &rest
}

/// The commands in a page's blocks and in its sentences, and the options that stand in its sentences.
fn shown_by(path: &str, text: &str, options: &mut Vec<(String, String)>) -> Vec<Shown> {
    let mut found = Vec::new();
    let (mut block, mut begun) = (None::<String>, String::new());
    for (line, number) in text.lines().zip(1..) {
        let place = format!("{path}:{number}");
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(kind.to_owned()) };
            continue;
        }
        if block.is_some() || line.starts_with("    ") {
            let line = begun.clone() + line.trim_start();
            if let Some(part) = line.strip_suffix('\\') {
                begun = part.to_owned();
                continue;
            }
            begun.clear();
            // What a command printed is none.
            let command = match &block {
                Some(kind) if kind.starts_with("console") => line.strip_prefix("$ "),
                _ => Some(line.as_str()),
            };
            let line = without_expressions(command.unwrap_or_default());
            let lines = lines_of_ours(&line, false).into_iter();
            found.extend(lines.map(|words| Shown { place: place.clone(), words, in_prose: false }));
            continue;
        }
        for span in line.split('`').skip(1).step_by(2) {
            if span.starts_with("highwater ") {
                found.push(Shown { place: place.clone(), words: words(span, None, false), in_prose: true });
            }
            if span.starts_with("--") {
                let ends = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
                let option = span.split(ends).next().unwrap_or_default();
                options.push((place.clone(), option.to_owned()));
            }
        }
    }
    found
}

/// A line of a workflow with a number in the place of each `${{ expression }}`.
fn without_expressions(line: &str) -> String {
    let mut parts = line.split("${{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |before, part| before + "1" + part.split_once("}}").map_or("", |(_, after)| after))
}

/// The examples in the help of a verb and of those below it.
fn examples(command: &Command, name: &str) -> Vec<Shown> {
    let help = command.get_after_long_help().or(command.get_after_help()).map(ToString::to_string).unwrap_or_default();
    let mut parts = help.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    let joined = parts.fold(first, |before, part| before + part.trim_start());
    let lines = joined.lines().filter(|line| line.starts_with("  "));
    let lines = lines.flat_map(|line| lines_of_ours(line, true));
    let mut found: Vec<Shown> =
        lines.map(|words| Shown { place: format!("help of {name}"), words, in_prose: false }).collect();
    for below in command.get_subcommands() {
        found.extend(examples(below, &format!("{name} {}", below.get_name())));
    }
    found
}

/// Every long option of a verb and of those below it.
fn options_of(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|option| option.get_long()).map(|long| format!("--{long}"));
    own.chain(command.get_subcommands().flat_map(options_of)).collect()
}

/// What the command line has against it, if anything.
fn refused(shown: &Shown) -> Option<String> {
    let is_placeholder = |word: &String| word == "…" || word == "VERB";
    if shown.in_prose && shown.words.iter().skip(1).any(is_placeholder) {
        return None;
    }
    let error = Cli::try_parse_from(&shown.words).err()?;
    let is_incomplete = matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let is_fine = is_help || shown.in_prose && is_incomplete;
    (!is_fine).then(|| format!("{}: {}\n{error}", shown.place, shown.words.join(" ")))
}

#[test]
fn every_command_line_of_pages_and_help_is_understood() {
    let mut options = Vec::new();
    let mut shown: Vec<Shown> = pages().iter().flat_map(|(path, text)| shown_by(path, text, &mut options)).collect();
    let of_pages = shown.len();
    let in_blocks = shown.iter().filter(|shown| !shown.in_prose).count();
    shown.extend(examples(&built(), "highwater"));
    println!("{in_blocks} lines of blocks, {} of sentences, {} of help", of_pages - in_blocks, shown.len() - of_pages);
    assert!(in_blocks > 100 && of_pages > in_blocks && shown.len() > of_pages + 50, "too few were found");
    let refused: Vec<String> = shown.iter().filter_map(refused).collect();
    assert!(refused.is_empty(), "{} of {}:\n{}", refused.len(), shown.len(), refused.join("\n"));
}

#[test]
fn every_option_that_a_page_names_is_there() {
    let mut named = Vec::new();
    for (path, text) in pages() {
        shown_by(&path, &text, &mut named);
    }
    let ours = options_of(&built());
    println!("{} options named", named.len());
    assert!(named.len() > 50, "{}", named.len());
    named.retain(|(_, option)| !ours.contains(option) && !FOREIGN.contains(&option.as_str()));
    assert!(named.is_empty(), "no such option: {named:#?}");
}

#[test]
fn a_wrong_line_is_seen() {
    let page = "    highwater verify --dept deep /b # why\n```console\n$ highwater lst | wc\nhighwater out\n```\nso `highwater verify --x`, `--y`";
    let mut options = Vec::new();
    let shown = shown_by("page", page, &mut options);
    let refused: Vec<String> = shown.iter().filter_map(refused).collect();
    assert_eq!((shown.len(), refused.len(), options.len()), (3, 3, 1), "{refused:?}");
}

/// The command as clap knows it when it is asked, with `--help` and `--version`.
fn built() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}
