//! What small reports look like, word for word.

use super::samples::{damaged, hostile, idle, inconclusive, lacking, several, shard, sound, stamped, strict};
use super::{annotations, json, junit, summary, text};
use crate::report::Report;

#[test]
fn sound_text() {
    let golden = "\
in /srv/zodb (repozo): 2 points in time, 2 sound
  sound         2026-11-01-00-00-00  1.5 GiB
  sound         2026-11-02-00-00-00  1.5 GiB

2 of 2 claims checked at depth digest, 3.0 GiB read
sound: 2 points in time, 2 of 2 claims checked at depth digest; the newest sound point is 2026-11-02-00-00-00
";
    assert_eq!(text(&sound(), false), golden);
}

#[test]
fn shallow_text() {
    let mut report = sound();
    report.depth = crate::report::Depth::Size;
    let last = "sound: 2 points in time, 2 of 2 claims checked at depth size; the newest sound point is 2026-11-02-00-00-00; \
                no digest was compared: --depth digest does that\n";
    assert!(text(&report, false).ends_with(last));
}

#[test]
fn damaged_text() {
    let golden = "\
in /srv/zodb (repozo): 3 points in time, 1 sound, 2 damaged
  sound         2026-11-01-00-00-00  1.5 GiB
  damaged       2026-11-02-00-00-00  1.5 GiB
  damaged       2026-11-03-00-00-00  1.5 GiB

HW103 digest  2026-11-02-00-00-00.deltafs at byte 123: the MD5 is 00 instead of ff
  hurts 2 points: 2026-11-02-00-00-00, 2026-11-03-00-00-00
  and 4,321 more of HW103 digest
  -> Copy the object again from where it came from; if it is the only copy, make a new backup now.

HW301 stray  notes.txt: no index names it
  -> Nothing needs it; look at it, then move it away.

3 of 3 claims checked at depth digest, 4.5 GiB read
damaged: 2 of 3 points in time, 4,322 pieces of damage, 3 of 3 claims checked at depth digest; the newest sound point is 2026-11-01-00-00-00: \
restore from a sound point only, and follow the advice
";
    assert_eq!(text(&damaged(), false), golden);
}

#[test]
fn inconclusive_text() {
    let golden = "\
in /srv/zodb (repozo): 2 points in time, 1 sound, 1 inconclusive
  sound         2026-11-01-00-00-00  1.5 GiB
  inconclusive  2026-11-02-00-00-00  1.5 GiB

HW201 unreadable  2026-11-02-00-00-00.deltafs: permission denied
  concerns 1 point: 2026-11-02-00-00-00
  -> Mend the permission, mount or disk that the message names, then verify again.

1 of 2 claims checked at depth digest, 1.5 GiB read
inconclusive: 1 thing could not be read or judged, 1 of 2 claims checked at depth digest; the newest sound point is 2026-11-01-00-00-00; \
mend what the findings name, then verify again
";
    assert_eq!(text(&inconclusive(), false), golden);
}

#[test]
fn strict_text() {
    let golden = "\
in /srv/zodb (repozo): 1 point in time, 1 sound
  sound         2026-11-01-00-00-00  1.5 GiB

HW301 stray  notes.txt: no index names it
  -> Nothing needs it; look at it, then move it away.

1 of 1 claim checked at depth digest, 1.5 GiB read, warnings count as damage
damaged: 1 warning, counted as damage by --strict, 1 of 1 claim checked at depth digest; the newest sound point is 2026-11-01-00-00-00; \
follow the advice, or verify without --strict
";
    assert_eq!(text(&strict(), false), golden);
}

#[test]
fn parts_text() {
    let golden = "\
in /srv/zodb (repozo): 1 point in time, 1 sound so far
  sound so far  2026-11-01-00-00-00  1.5 GiB

lacking: /srv/zodb 2/3
2 of 2 claims checked at depth digest, 3.0 GiB read, shards 1/3, 3/3
inconclusive: 1 shard is missing or doubled (/srv/zodb 2/3), 2 of 2 claims checked at depth digest; the newest sound point so far is 2026-11-01-00-00-00; \
merge exactly one report of each shard
";
    assert_eq!(text(&lacking(), false), golden);
    let last = "sound: 1 point in time, 1 of 1 claim checked at depth digest; the newest sound point so far is 2026-11-01-00-00-00; \
                only shard 1/3 was looked at: merge the reports of the others\n";
    assert!(text(&shard(), false).ends_with(last));
}

#[test]
fn damaged_annotations() {
    let golden = "::error title=HW103 digest,file=/srv/zodb/2026-11-02-00-00-00.deltafs::the MD5 is 00 instead of \
ff; hurts 2 points: 2026-11-02-00-00-00, 2026-11-03-00-00-00
::notice title=HW301 stray,file=/srv/zodb/notes.txt::no \
index names it
::error title=highwater::damaged: 2 of 3 points in time, 4,322 pieces of damage, 3 of 3 claims \
checked at depth digest; the newest sound point is 2026-11-01-00-00-00: restore from a sound point only, and follow \
the advice (4,323 findings)
";
    assert_eq!(annotations(&damaged()), golden);
    assert!(annotations(&inconclusive()).starts_with("::warning title=HW201 unreadable,file="));
    assert!(annotations(&strict()).starts_with("::error title=HW301 stray,file="));
    let golden = "::notice title=highwater::sound: 2 points in time, 2 of 2 claims checked at depth digest; the \
        newest sound point is 2026-11-02-00-00-00 (0 findings)\n";
    assert_eq!(annotations(&sound()), golden);
}

#[test]
fn damaged_summary() {
    let golden = "\
## highwater: damaged

damaged: 2 of 3 points in time, 4,322 pieces of damage, 3 of 3 claims checked at depth digest; the newest sound point is 2026-11-01-00-00-00: \
restore from a sound point only, and follow the advice

| root | format | points | sound | damaged | inconclusive | checked | read |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
| <code>/srv/zodb</code> | repozo | 3 | 1 | 2 | 0 | 3 of 3 | 4.5 GiB |

### Points in time that are not sound

| point | verdict | size |
| --- | --- | ---: |
| <code>/srv/zodb&#64;2026-11-02-00-00-00</code> | damaged | 1.5 GiB |
| <code>/srv/zodb&#64;2026-11-03-00-00-00</code> | damaged | 1.5 GiB |

### HW103 digest (damage, 4,322)

Copy the object again from where it came from; if it is the only copy, make a new backup now.

| where | at byte | what | points |
| --- | ---: | --- | --- |
| <code>/srv/zodb/2026-11-02-00-00-00.deltafs</code> | 123 | the MD5 is 00 instead of ff | \
2026-11-02-00-00-00, 2026-11-03-00-00-00 |

and 4,321 more

### HW301 stray (warning, 1)

Nothing needs it; look at it, then move it away.

| where | at byte | what | points |
| --- | ---: | --- | --- |
| <code>/srv/zodb/notes.txt</code> |  | no index names it |  |
";
    assert_eq!(summary(&damaged()).replace("&#58;", ":"), golden);
}

#[test]
fn the_last_line_names_what_to_restore() {
    let last = |report: &Report| text(report, false).lines().next_back().unwrap_or_default().to_owned();
    assert_eq!(
        last(&idle()),
        "sound: none is due: no claim on 1 point in time falls to shard 2/3; the others hold them"
    );
    let hurt = "damaged: 2 of 4 points in time, 1 piece of damage, 4 of 4 claims checked at depth digest; \
                the newest sound point is vm/100/2026-11-01T00:00:00Z, and there is none of vm/101: \
                restore from a sound point only, and follow the advice";
    assert_eq!(last(&several()), hurt);
    let both = last(&sound().merge(several()));
    let named = "; the newest sound point is store@vm/100/2026-11-01T00:00:00Z, and there is none of store@vm/101: ";
    assert!(both.contains(named), "{both}");
    let mut other = sound();
    other.roots[0].label = "/srv/b".to_owned();
    other.sets.iter_mut().for_each(|set| set.root = "/srv/b".to_owned());
    let both = last(&sound().merge(other));
    let named = "; the newest sound points are /srv/b@2026-11-02-00-00-00, /srv/zodb@2026-11-02-00-00-00";
    assert!(both.ends_with(named), "{both}");
}

#[test]
fn what_is_only_too_old_is_not_called_unread() {
    let last = |report: &Report| text(report, false).lines().next_back().unwrap_or_default().to_owned();
    let after = "1 of 2 claims checked at depth digest; the newest sound point is 2026-11-01-00-00-00; mend what the \
                 findings name, then verify again";
    // The first of December; the newest sound point is of the second or the first of November.
    let judge = |report: Report, now| crate::age::judged(report, now, 86_400);
    let now = 1_796_083_200;
    assert_eq!(
        last(&judge(sound(), now)),
        "inconclusive: no sound point is known to be young enough, 2 of 2 claims checked at depth digest; the newest \
         sound point is 2026-11-02-00-00-00; back up now, and find out why no backup was made"
    );
    let several = last(&judge(several(), now));
    assert!(several.starts_with("damaged: 2 of 4 points in time, 1 piece of damage, "), "{several}");
    let both = last(&judge(inconclusive(), now));
    let before = "inconclusive: 1 thing could not be read or judged, and no sound point is known to be young enough";
    assert_eq!(both, format!("{before}, {after}"));
    let early = last(&judge(sound(), now - 60 * 86_400));
    assert!(early.ends_with("; follow the advice"), "{early}");
}

#[test]
fn inconclusive_junit() {
    let golden = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="highwater" tests="5" failures="0" errors="3">
  <testsuite name="/srv/zodb" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="/srv/zodb" name="coverage">
      <system-out>1 of 2 claims checked, 1.5 GiB read, format repozo</system-out>
    </testcase>
  </testsuite>
  <testsuite name="/srv/zodb@2026-11-01-00-00-00" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="/srv/zodb@2026-11-01-00-00-00" name="sound at depth digest">
      <system-out>sound, 1.5 GiB</system-out>
    </testcase>
  </testsuite>
  <testsuite name="/srv/zodb@2026-11-02-00-00-00" tests="2" failures="0" errors="2" skipped="0">
    <testcase classname="/srv/zodb@2026-11-02-00-00-00" name="sound at depth digest">
      <error message="inconclusive, 1.5 GiB" type="inconclusive">inconclusive, 1.5 GiB</error>
    </testcase>
    <testcase classname="/srv/zodb@2026-11-02-00-00-00" name="HW201 unreadable 2026-11-02-00-00-00.deltafs">
      <error message="permission denied" type="HW201">/srv/zodb/2026-11-02-00-00-00.deltafs: permission denied
concerns 1 point: 2026-11-02-00-00-00
-&gt; Mend the permission, mount or disk that the message names, then verify again.</error>
    </testcase>
  </testsuite>
  <testsuite name="highwater" tests="1" failures="0" errors="1" skipped="0">
    <testcase classname="highwater" name="verdict">
      <error message="VERDICT" type="inconclusive">VERDICT
HW201 unreadable: 1 finding
-&gt; Mend the permission, mount or disk that the message names, then verify again.</error>
    </testcase>
  </testsuite>
</testsuites>
"#;
    let verdict = "inconclusive: 1 thing could not be read or judged, 1 of 2 claims checked at depth digest; the \
                   newest sound point is 2026-11-01-00-00-00; mend what the findings name, then verify again";
    assert_eq!(junit(&inconclusive()), golden.replace("VERDICT", verdict));
    assert!(junit(&lacking()).contains("<skipped message=\"sound so far: only a part was looked at, 1.5 GiB\"/>"));
    assert!(junit(&strict()).contains("<failure message=\"no index names it\" type=\"HW301\">"));
    let passed = "name=\"HW301 stray notes.txt\">\n      <system-out>/srv/zodb/notes.txt: no index names it\n";
    assert!(junit(&damaged()).contains(passed));
}

/// Whole reports as JSON, which the schema is held to as well.
#[test]
fn whole_json() {
    for (report, golden) in [
        (sound(), include_str!("goldens/sound.json")),
        (damaged(), include_str!("goldens/damaged.json")),
        (inconclusive(), include_str!("goldens/inconclusive.json")),
        (strict(), include_str!("goldens/strict.json")),
        (shard(), include_str!("goldens/shard.json")),
        (idle(), include_str!("goldens/idle.json")),
        (several(), include_str!("goldens/several.json")),
        (lacking(), include_str!("goldens/lacking.json")),
        (stamped(), include_str!("goldens/stamped.json")),
        (hostile(), include_str!("goldens/hostile.json")),
    ] {
        assert_eq!(json(&report), golden);
    }
}
