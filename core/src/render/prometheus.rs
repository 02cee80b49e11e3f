//! The report as metrics, in the text format that Prometheus' node exporter reads from files
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::BTreeMap;

use crate::age::newest;
use crate::report::{Report, Root, Set, Soundness};

/// Renders what an alert needs: verdicts, counts, and when the newest sound point was made. `at` is when the run ended,
/// in seconds since 1970. Every sample has the label `run` with this name: a machine may have files of several runs,
/// and no two samples of all may have the same labels.
#[must_use]
pub fn prometheus(report: &Report, at: i64, run: &str) -> String {
    let labels = |pairs: &[(&str, &str)]| labels(&[pairs, &[("run", run)]].concat());
    let mut text = String::new();
    let mut family = |name: &str, help: &str, samples: Vec<(String, String)>| {
        if samples.is_empty() {
            return;
        }
        text.push_str(&format!("# HELP highwater_{name} {help}\n# TYPE highwater_{name} gauge\n"));
        for (labels, value) in samples {
            text.push_str(&format!("highwater_{name}{labels} {value}\n"));
        }
    };
    let ended = vec![(labels(&[]), at.to_string())];
    family("verify_timestamp_seconds", "When the last verify ended, in seconds since 1970.", ended);
    let verdict = |soundness: Soundness| if report.verdict == soundness { "1" } else { "0" }.to_owned();
    let verdicts = [Soundness::Sound, Soundness::Damaged, Soundness::Inconclusive];
    let all = verdicts.map(|soundness| (labels(&[("verdict", word(soundness))]), verdict(soundness)));
    family("verdict", "1 for the verdict of all that was looked at, 0 for the others.", all.to_vec());
    let one = |((root, soundness), count): ((&str, Soundness), u64)| {
        (labels(&[("root", root), ("verdict", word(soundness))]), count.to_string())
    };
    family("points", "Points in time, by what is known of them.", points(report).into_iter().map(one).collect());
    let of_series = |root: &str, series: &str| labels(&[("root", root), ("series", series.trim_end_matches('/'))]);
    let made = newest(report).map(|(root, series, _, made)| (of_series(root, series), made.to_string()));
    family("newest_sound_timestamp_seconds", "When the newest sound point of a series was made.", made.collect());
    let left_out = newest(report).map(|(root, series, name, _)| {
        let its = report.sets.iter().find(|set| set.root == root && set.name == name);
        (of_series(root, series), its.map_or(0, |set| set.left_out.total).to_string())
    });
    family("newest_sound_left_out", "What the newest sound point of a series left out.", left_out.collect());
    let of_root = |value: fn(&Root) -> u64| {
        let one = |root: &Root| (labels(&[("root", &root.label), ("kind", &root.format)]), value(root).to_string());
        report.roots.iter().map(one).collect()
    };
    family("claims", "Claims that the indices make.", of_root(|root| root.coverage.claims));
    family("claims_checked", "Claims that were judged.", of_root(|root| root.coverage.checked));
    family("bytes_checked", "Bytes that were checked.", of_root(|root| root.coverage.bytes));
    let finding = |(name, count): (&String, &u64)| (labels(&[("code", name)]), count.to_string());
    family("findings", "Findings, by their code.", report.tallies.iter().map(finding).collect());
    text
}

fn points(report: &Report) -> BTreeMap<(&str, Soundness), u64> {
    let mut counts: BTreeMap<(&str, Soundness), u64> = BTreeMap::new();
    for root in &report.roots {
        for soundness in [Soundness::Sound, Soundness::Damaged, Soundness::Inconclusive] {
            counts.insert((&root.label, soundness), 0);
        }
    }
    for Set { root, verdict, .. } in &report.sets {
        let count = counts.entry((root, *verdict)).or_default();
        *count = count.saturating_add(1);
    }
    counts
}

fn word(soundness: Soundness) -> &'static str {
    match soundness {
        Soundness::Sound => "sound",
        Soundness::Damaged => "damaged",
        Soundness::Inconclusive => "inconclusive",
    }
}

/// Labels of a sample. What a name holds may be chosen by somebody hostile.
fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}
