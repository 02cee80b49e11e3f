//! Names that give commands to what reads logs, or that nobody sees, are escaped in everything that is printed.

use std::ffi::OsStr;
use std::fs;

use highwater_tests::repo::Fixture;
use highwater_tests::score::Score;

use super::LINE;

/// Names, each with something that must not be printed as it is.
const NAMES: [&str; 14] = [
    "##vso[task.setvariable variable=x]y",
    "##[error]x",
    "a ##vso[task.complete result=Succeeded]",
    "::error::x",
    "::set-output name=x::y",
    "arabic\u{61c}mark",
    "zero\u{200b}width",
    "left\u{200e}right\u{200f}",
    "turned\u{202e}sf.tad",
    "kept\u{2066}apart\u{2069}",
    "tags\u{e0041}\u{e0042}\u{e007f}",
    "form\u{fe0f}",
    "soft\u{ad}hyphen",
    "bell\u{7}\u{1b}[31m\u{9b}",
];

/// What of these must not be printed as it is.
fn is_hidden(c: char) -> bool {
    let ranges = [
        '\u{ad}'..='\u{ad}',
        '\u{61c}'..='\u{61c}',
        '\u{200b}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2066}'..='\u{2069}',
        '\u{fe00}'..='\u{fe0f}',
        '\u{e0000}'..='\u{e007f}',
    ];
    (c.is_control() && c != '\n') || ranges.iter().any(|range| range.contains(&c))
}

/// Fails on text that a service or a person would be misled by.
fn expect_plain(what: &str, text: &str) {
    let hidden = text.chars().find(|c| is_hidden(*c));
    assert!(hidden.is_none(), "{what} holds {hidden:?}\n{text:?}");
    for line in text.lines() {
        assert!(!line.contains("##vso[") && !line.contains("##["), "{what} gives a command: {line:?}");
        assert!(!line.trim_start().starts_with("::"), "{what} gives a command: {line:?}");
    }
}

#[test]
fn names_are_escaped_in_everything_that_is_printed() {
    let mut score = Score::part(LINE, "escapes");
    let (fixture, _) = Fixture::with_chain();
    for name in NAMES {
        fs::write(fixture.repo.join(name), "x").expect("a stray");
    }
    let repo = fixture.repo.to_str().expect("text").to_owned();
    let outputs = ["r.json", "r.xml", "r.sarif", "r.md", "events"].map(|name| fixture.path(name));
    let [json, xml, log, page, events] = &outputs;
    let words = [
        "verify".to_owned(),
        "-v".to_owned(),
        format!("--json={}", json.display()),
        format!("--junit={}", xml.display()),
        format!("--sarif={}", log.display()),
        format!("--summary={}", page.display()),
        format!("--events={}", events.display()),
        repo,
    ];
    let run = fixture.run(&words);
    let text = run.expect(0).text();
    assert_eq!(text.matches("HW301 stray").count(), NAMES.len(), "{text}");
    assert!(text.contains("\\u{23}#vso[task") && text.contains("\\u{e0041}"), "they are told all the same\n{text}");
    expect_plain("the text", &text);
    score.ran(1);
    for output in outputs.iter().filter(|output| !output.ends_with("events")) {
        expect_plain(&output.display().to_string(), &fs::read_to_string(output).expect("a report"));
        score.ran(1);
    }
    // A path in an error is a name as well.
    for name in NAMES {
        let path = fixture.path("absent").join(name);
        for words in [&["verify"][..], &["list"], &["show"]] {
            let words: Vec<&OsStr> = words.iter().map(OsStr::new).chain([path.as_os_str()]).collect();
            expect_plain("the error", &fixture.run(&words).stderr);
            score.ran(1);
        }
    }
    score.end();
}
