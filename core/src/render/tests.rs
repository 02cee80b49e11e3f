//! What every renderer promises for every report, the hostile ones first.

use serde_json::Value;

use super::samples::{all, damaged, hostile, large, note, report, root, set, sound, strict};
use super::{annotations, from_json, json, junit, sarif, summary, text};
use crate::finding::Code;
use crate::report::{Report, Soundness};

/// Counts the elements of each name, and fails on anything that is no well-formed XML 1.0.
fn elements(xml: &str) -> std::collections::BTreeMap<String, usize> {
    let allowed = |c: char| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(|c| allowed(c) && !c.is_control() || c == '\n'), "{xml:?}");
    let references = ["amp;", "lt;", "gt;", "quot;", "apos;"];
    assert!(xml.split('&').skip(1).all(|rest| references.iter().any(|name| rest.starts_with(name))), "{xml}");
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    let (mut open, mut found) = (Vec::new(), std::collections::BTreeMap::new());
    for piece in body.split('<').skip(1) {
        let (tag, after) = piece.split_once('>').unwrap();
        assert!(!after.contains('>') && (!open.is_empty() || after.trim().is_empty()), "{piece}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{xml}");
            assert!(!open.is_empty() || after == "\n", "text after the root element: {after}");
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let quotes: Vec<&str> = attributes.split('"').collect();
        assert_eq!(quotes.len() % 2, 1, "{tag}");
        assert!(quotes.iter().step_by(2).all(|key| key.is_empty() || key.ends_with('=')), "{tag}");
        assert!(quotes.iter().skip(1).step_by(2).all(|value| !value.contains('\n')), "{tag}");
        *found.entry(name.to_owned()).or_default() += 1;
        if !closed {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    found
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    for report in all() {
        let xml = junit(&report);
        let found = elements(&xml);
        let number = |name: &str| found.get(name).copied().unwrap_or(0);
        let head = format!(
            "<testsuites name=\"highwater\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
            number("testcase"),
            number("failure"),
            number("error"),
        );
        assert!(xml.contains(&head), "{head}\n{xml}");
        let green = number("failure") + number("error") == 0;
        assert_eq!(green, report.verdict == Soundness::Sound, "{xml}");
    }
}

#[test]
#[should_panic(expected = "left: Some(\"b\")")]
fn the_xml_checker_can_fail() {
    elements("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a><b></a>\n");
}

#[test]
fn hostile_text_stays_text() {
    let report = hostile();
    let outputs = [text(&report, false), text(&report, true), annotations(&report), summary(&report), junit(&report)];
    for output in outputs.iter().chain([&json(&report), &sarif(&report)]) {
        assert!(output.ends_with('\n'));
        assert!(output.chars().all(|c| !c.is_control() && c != '\u{202e}' || c == '\n'), "{output:?}");
        assert!(output.lines().all(|line| !line.trim_start().starts_with("::error::x")), "{output}");
    }
    let [plain, _, commands, markdown, xml] = outputs;
    assert_eq!(plain.lines().filter(|line| line.starts_with("HW103 digest  ")).count(), 2);
    assert!(plain.lines().last().unwrap().starts_with("damaged: "));
    for line in commands.lines() {
        assert!(line.starts_with("::error title="), "{line}");
        assert!(!line.contains("%0A"), "{line}");
        assert!(
            line.contains("title=highwater::") || line.contains(",file=]]>\\n\\u{3a}%3Aerror\\u{3a}%3Ax|"),
            "{line}"
        );
        let properties = line.strip_prefix("::error ").unwrap().split("::").next().unwrap();
        assert!(properties.matches(',').count() <= 1 && !properties.contains(':'), "{line}");
    }
    assert!(!xml.contains("<script") && !xml.contains("]]>"));
    let bare = markdown.replace("<code>", "").replace("</code>", "");
    assert!(!bare.contains(['<', '>', '`', '*', '[', ']', '$', '@']), "{bare}");
    for row in markdown.lines().filter(|line| line.starts_with('|')) {
        assert!([4, 5, 9].contains(&row.matches('|').count()), "{row}");
    }
}

#[test]
fn json_comes_back_as_it_was() {
    for report in all() {
        let text = json(&report);
        assert!(text.ends_with("}\n"));
        assert_eq!(from_json(&text).unwrap(), report);
    }
    let other = json(&sound()).replacen("\"schema\": 2", "\"schema\": 7", 1);
    let words = "this report has schema 7, and this highwater reads schema 2: use the version that wrote it";
    assert_eq!(from_json(&other).unwrap_err().to_string(), words);
    for text in ["", "{}", "[2]", "{\"schema\": 2}", "{\"schema\": -1}", "\u{0}"] {
        let error = from_json(text).unwrap_err().to_string();
        assert!(error.starts_with("this is not a highwater report: "), "{error}");
    }
}

#[test]
fn sarif_names_rules_places_and_the_verdict() {
    for report in all() {
        let log: Value = serde_json::from_str(&sarif(&report)).unwrap();
        let run = &log["runs"][0];
        assert_eq!((&log["version"], &run["tool"]["driver"]["name"]), (&"2.1.0".into(), &"highwater".into()));
        assert_eq!(run["results"].as_array().unwrap().len(), report.findings.len());
        for result in run["results"].as_array().unwrap() {
            let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
            let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.contains([':', '\\', ' ', '<']), "{uri}");
            assert!(uri.split('/').all(|part| part != ".." && !part.is_empty()), "{uri}");
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        }
        let told = run["invocations"][0]["toolExecutionNotifications"].as_array();
        assert_eq!(told.is_none(), report.verdict == Soundness::Sound);
    }
    let log: Value = serde_json::from_str(&sarif(&damaged())).unwrap();
    let (rules, results) = (&log["runs"][0]["tool"]["driver"]["rules"], &log["runs"][0]["results"]);
    assert_eq!((rules[0]["id"].as_str(), rules[0]["name"].as_str()), (Some("HW103"), Some("digest")));
    assert_eq!(rules[0]["defaultConfiguration"]["level"], "error");
    assert_eq!(rules[1]["defaultConfiguration"]["level"], "note");
    assert!(rules[0]["help"]["text"].as_str().unwrap().contains("WHAT TO DO"));
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "srv/zodb/2026-11-02-00-00-00.deltafs");
    assert_eq!(place["region"]["byteOffset"], 123);
    assert_eq!(results[0]["properties"]["sets_total"], 2);
    assert_eq!(results[0]["properties"]["severity"], "damage");
    assert!(results[1]["locations"][0]["physicalLocation"]["region"].is_null());
    let log: Value = serde_json::from_str(&sarif(&strict())).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["level"], "error");
    assert_eq!(log["runs"][0]["properties"]["verdict"], "damaged");
}

#[test]
fn the_last_line_is_the_verdict() {
    for report in all() {
        for verbose in [false, true] {
            let text = text(&report, verbose);
            let verdict = super::words::verdict(report.verdict);
            assert!(text.lines().last().unwrap().starts_with(&format!("{verdict}: ")), "{text}");
        }
    }
}

#[test]
fn large_reports_stay_bounded() {
    let report = large();
    let page = summary(&report);
    assert!(page.len() < 1024 * 1024, "{}", page.len());
    assert!(page.contains("and 9,900 more points"));
    let last = page.lines().last().unwrap();
    assert!(last.starts_with("The rest was cut") || last.starts_with('|'), "{last}");
    assert_eq!(annotations(&report).lines().count(), 10);
    let short = text(&report, false);
    assert!(short.contains("  and 9,980 more that are not sound\n"));
    assert!(short.contains("  and 80 more of HW103 digest\n"));
    assert_eq!(text(&report, true).lines().filter(|line| line.starts_with("HW103 digest  ")).count(), 100);
    elements(&junit(&report));
}

#[test]
fn an_endless_summary_is_cut() {
    let mut report = large();
    let many = report.findings.clone();
    (0..20).for_each(|_| report.findings.extend(many.clone()));
    let page = summary(&report);
    assert!(page.len() < 1024 * 1024, "{}", page.len());
    assert!(page.ends_with("\nThe rest was cut, because a summary holds at most 1 MiB.\n"));
}

#[test]
fn several_roots_are_told_apart() {
    let mut twice = report(root("b", "1/1", 1, 1), vec![set("b", 0, Soundness::Sound)], Vec::new());
    let mut gap = note(Code::Gap, "x.dat", Some(7), "a gap", &["2026-11-01-00-00-00"]);
    gap.root = "a".to_owned();
    twice = twice.merge(report(root("a", "1/1", 1, 1), vec![set("a", 0, Soundness::Damaged)], vec![gap]));
    assert!(text(&twice, false).contains("\nHW112 gap  a/x.dat at byte 7: a gap\n"));
    let xml = junit(&twice);
    let case = "<testcase classname=\"a@2026-11-01-00-00-00\" name=\"HW112 gap x.dat at byte 7\">\n      <failure";
    assert!(xml.contains(case), "{xml}");
    assert!(xml.contains("<testsuite name=\"b@2026-11-01-00-00-00\" tests=\"1\" failures=\"0\""), "{xml}");
}

#[test]
fn the_worst_comes_first_and_nothing_is_uncounted() {
    let mut report = strict();
    report.tallies.clear();
    assert!(annotations(&report).ends_with(" (1 finding)\n"));
    report.tallies.insert("from-the-future".to_owned(), 2);
    let text = text(&report, false);
    let [future, stray] = ["\nunknown code from-the-future  2 findings", "\nHW301 stray"].map(|line| text.find(line));
    assert!(future.is_some() && future < stray, "{text}");
}

#[test]
fn nothing_checked_is_never_green() {
    let nothing = Report::empty(crate::report::Depth::Deep, false);
    assert!(junit(&nothing).contains("tests=\"1\" failures=\"0\" errors=\"1\""));
    let mut two = sound();
    two = two.merge(report(root("/srv/other", "1/1", 0, 0), Vec::new(), Vec::new()));
    assert!(junit(&two).contains("<error message=\"0 of 0 claims checked\" type=\"nothing-checked\">"));
}
