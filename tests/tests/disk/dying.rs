//! A disk or a line that dies while a set is verified: what was not read is not called sound.

use highwater::drive;
use highwater::watch::Watch;
use highwater_core::finding::Code;
use highwater_core::inspect::{Of, Scope};
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::survey::{Options, Survey};
use highwater_tests::model::Model;
use highwater_tests::score::Score;
use highwater_tests::specimens::crash::REPO;
use highwater_tests::specimens::{self, Specimen};

fn verify(specimen: &dyn Specimen, model: &Model) -> Report {
    let format = specimen.format();
    let scope = Scope::new(Of::All).trailing(true).keyed(specimen.key());
    let survey = Survey::new(format.inspect(&scope), Options::whole(format, "set", Depth::Digest));
    let survey = drive::run(&model.root(REPO), survey, Depth::Digest, &Watch::silent(), &mut |_, _| {});
    survey.expect("nobody interrupts").finish()
}

#[test]
fn of_a_set_whose_disk_dies_no_point_is_sound_that_shares_what_was_not_read() {
    let mut score = Score::new("dying disks");
    let shared = |specimen: &&dyn Specimen| specimen.format().facts().pool.is_some();
    for specimen in specimens::all().into_iter().filter(shared) {
        let pool = specimen.format().facts().pool.expect("a pool").folder;
        for is_damaged in [false, true] {
            let mut files = specimen.small().files.clone();
            if is_damaged {
                let object =
                    files.keys().rfind(|name| name.starts_with(&format!("{pool}/"))).expect("an object").clone();
                files.remove(&object);
            }
            let set = || {
                let model = Model::default();
                model.put_folder(REPO);
                files.iter().for_each(|(name, bytes)| model.put(format!("{REPO}/{name}"), bytes));
                model
            };
            let whole = set();
            let report = verify(specimen, &whole);
            assert!(report.verdict == if is_damaged { Soundness::Damaged } else { Soundness::Sound }, "{report:?}");
            for at in 0..whole.reads() {
                let dying = set();
                dying.die_at_read(at);
                let report = verify(specimen, &dying);
                let unread = report.tallies.contains_key(Code::Unreadable.name());
                let sound = report.sets.iter().any(|set| set.verdict == Soundness::Sound);
                score.ran(1);
                if unread && (sound || report.verdict == Soundness::Sound) {
                    score.fail(format!("{}, damaged: {is_damaged}, read {at}: {:?}", specimen.name(), report.sets));
                }
            }
        }
    }
    score.end();
}
