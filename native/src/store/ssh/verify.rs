//! Has the far end verify its folder: the report comes, and no bytes of the folder do.

use highwater_core::name::printable;
use highwater_core::render;
use highwater_core::report::Report;
use highwater_core::wire::{Answer, Request, Verification, Why};

use super::Ssh;
use crate::error::{Class, Error};
use crate::shown::quoted;
use crate::watch::Watch;

impl Ssh {
    /// Has it verified there.
    ///
    /// # Errors
    /// Those of the far end, with its sentence; when the line breaks; [`Error::Interrupted`].
    pub fn verify(&self, how: Verification, watch: &Watch<'_>) -> Result<Report, Error> {
        let root = quoted(&self.told);
        let broke = |error: std::io::Error| match watch.go_on() {
            Err(interrupted) => interrupted,
            Ok(()) => Error::failed(format!("cannot verify {root}: {error}")),
        };
        let (depth, strict, label) = (how.depth, how.strict, how.label.clone());
        let pending = self.link.ask(Request::Verify(Box::new(how))).map_err(broke)?;
        let (mut text, mut before) = (Vec::new(), (0, 0));
        loop {
            match pending.whatever().map_err(broke)? {
                Answer::Progress { done, total } => {
                    watch.expect(total.saturating_sub(before.1));
                    watch.advance(done.saturating_sub(before.0));
                    before = (done.max(before.0), total.max(before.1));
                }
                Answer::Notice(notice) => watch.notice(printable(notice.as_bytes())),
                Answer::Report { bytes, last } => {
                    text.extend_from_slice(&bytes);
                    if last {
                        break;
                    }
                }
                Answer::Failed { why, text } => {
                    let what = format!("{root}, verified there: {}", printable(text.as_bytes()));
                    let class = match why {
                        Why::Usage => Class::Usage,
                        Why::CannotStart => Class::CannotStart,
                        _ => Class::Failed,
                    };
                    return Err(Error::Refused { class, what });
                }
                _ => return Err(broke(self.link.broken("a verification"))),
            }
        }
        let no_report = |why: String| broke(self.link.broken(&format!("a report, and {why}")));
        let text = String::from_utf8(text).map_err(|_| no_report("it is no text".to_owned()))?;
        let mut report = render::from_json(&text).map_err(|error| no_report(error.to_string()))?;
        // Which run it is of is for this machine to say.
        report.origins.clear();
        // What has nothing deeper to look at is looked at less deeply.
        let is_it = report.depth <= depth && report.strict == strict && report.roots.iter().all(|of| of.label == label);
        if is_it { Ok(report) } else { Err(no_report("it is another".to_owned())) }
    }
}
