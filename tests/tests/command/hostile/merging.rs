//! Reports that nobody wrote: what `report merge` makes of depth, length and numbers without end.

use std::ffi::OsString;
use std::fs;

use highwater_tests::score::{Score, size};
use highwater_tests::specimens::repozo::hostile::Stage;
use serde_json::{Value, json};

use super::table::{Trial, baseline, tell};

/// A report of one sound point, to be spoilt.
fn report() -> Value {
    json!({
        "schema": 2, "verdict": "sound", "depth": "deep", "strict": false, "whole": true,
        "coverage": { "claims": 1, "checked": 1, "bytes": 1 },
        "roots": [{ "label": "r", "format": "repozo", "shards": ["1/1"], "coverage": { "claims": 1, "checked": 1, "bytes": 1 } }],
        "sets": [{ "root": "r", "name": "2026", "ordinal": 0, "group": 0, "bytes": 1, "verdict": "sound" }],
        "tallies": {}, "findings": [], "lacking": []
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut report = report();
    change(&mut report);
    report.to_string().into_bytes()
}

/// So many bytes of points, newest first: the worst order to sort.
fn points(bytes: u64) -> Vec<u8> {
    let text = String::from_utf8(with(|report| report["sets"] = json!([]))).expect("text");
    let one = |at: u64| {
        format!(r#"{{"root":"r","name":"p{at:09}","ordinal":{at},"group":0,"bytes":{at},"verdict":"sound"}}"#)
    };
    let points: Vec<String> = (0..bytes / 90).rev().map(one).collect();
    text.replace(r#""sets":[]"#, &format!(r#""sets":[{}]"#, points.join(","))).into_bytes()
}

fn cases() -> Vec<(&'static str, Vec<u8>, i32)> {
    let max = u64::MAX;
    let large = size(10_000_000, 100_000_000);
    let text = |bytes: u64| "x".repeat(usize::try_from(bytes).expect("a length"));
    let note = json!({
        "code": "HW101", "root": "r", "name": "missing", "severity": "damage", "object": "x\u{1b}[31m", "offset": max,
        "message": "m\u{202e}\n", "advice": "a\u{9b}", "sets": ["s"], "sets_total": max
    });
    let huge = json!({ "claims": max, "checked": max, "bytes": max });
    vec![
        ("as it should be", with(|_| ()), 0),
        ("lists 10^5 deep", vec![b'['; 100_000], 2),
        ("objects 10^5 deep", b"{\"x\":".repeat(100_000), 2),
        (
            "a report with a field 10^5 deep",
            {
                let text = String::from_utf8(with(|_| ())).expect("text");
                let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
                text.replacen('{', &format!("{{\"more\":{deep},"), 1).into_bytes()
            },
            0,
        ),
        (
            "numbers of 2^64-1",
            with(|report| {
                report["coverage"] = huge.clone();
                report["roots"][0]["coverage"] = huge.clone();
                for field in ["ordinal", "group", "bytes"] {
                    report["sets"][0][field] = max.into();
                }
                report["tallies"] = json!({ "missing": max, "stray": max });
                report["findings"] = json!([note, note]);
            }),
            1,
        ),
        ("numbers of 2^64", with(|report| report["sets"][0]["bytes"] = json!(18_446_744_073_709_551_616.0)), 2),
        ("numbers below zero", with(|report| report["sets"][0]["bytes"] = json!(-1)), 2),
        ("shard 1 of 2^64-1", with(|report| report["roots"][0]["shards"] = json!([format!("1/{max}")])), 3),
        (
            "10^5 shards",
            with(|report| {
                report["roots"][0]["shards"] = (1..=100_000).map(|at| Value::from(format!("{at}/{at}"))).collect();
            }),
            3,
        ),
        ("no shards", with(|report| report["roots"][0]["shards"] = json!([])), 3),
        ("schema 2^64-1", with(|report| report["schema"] = max.into()), 2),
        ("tallies of unknown codes", with(|report| report["tallies"] = json!({ "\u{1b}[31m": 1 })), 1),
        ("a verdict that its numbers belie", with(|report| report["roots"][0]["coverage"]["checked"] = 0.into()), 3),
        (
            "a label that writes to a terminal",
            with(|report| {
                report["roots"][0]["label"] = "\u{1b}[31m\n\u{202e}".into();
                report["sets"][0]["root"] = "\u{1b}[31m\n\u{202e}".into();
            }),
            0,
        ),
        (
            "20,000 roots",
            with(|report| {
                let root = report["roots"][0].clone();
                let roots = (0..20_000).rev().map(|at| {
                    let mut root = root.clone();
                    root["label"] = format!("r{at:09}").into();
                    root
                });
                report["roots"] = roots.collect();
            }),
            0,
        ),
        ("many MB of a label", with(|report| report["roots"][0]["label"] = text(large).into()), 0),
        ("100 MB of a field that is none", with(|report| report["more"] = text(100_000_000).into()), 0),
        ("many MB of points, newest first", points(large), 0),
        ("no text", vec![0xff; 1000], 2),
        ("nothing", Vec::new(), 2),
        ("NUL", vec![0; 1000], 2),
    ]
}

/// Merges each alone, and with itself, which is refused.
pub(crate) fn run(score: &mut Score) {
    let baseline = baseline();
    for (what, bytes, wanted) in cases() {
        let stage = Stage::new();
        let mut trial = Trial::new(&format!("report: {what}"), baseline, &stage);
        let path = stage.outside("report.json");
        fs::write(&path, &bytes).expect("a report");
        // A report is held whole, as text and as what it says, and printed from there.
        trial.held_kib = 8 * (bytes.len() as u64 >> 10);
        trial.large = 8 * (bytes.len() as u64 >> 20);
        drop(bytes);
        let words: [OsString; 5] = ["report".into(), "merge".into(), "--json".into(), path.clone().into(), path.into()];
        // Twice the same part is never the whole.
        let again = if what != "no shards" && [0, 1, 3].contains(&wanted) { 2 } else { wanted };
        for (files, wanted) in [(&words[4..], wanted), (&words[3..], again)] {
            for words in [&words[..2], &words[..3]].map(|verb| [verb, files].concat()) {
                let code = trial.run_ending(&[0, 1, 2, 3, 4], "merge", &words, None).run.code;
                if code != wanted {
                    trial.wrong(format!("{} files: ended with {code}, not {wanted}", files.len()));
                }
            }
        }
        tell(score, trial);
    }
}
