//! `--max-age` and `--nagios`: what whoever watches backups every night asks for.

use clap::Args;
use highwater_core::age::judged;
use highwater_core::report::Report;

use crate::clock;
use crate::error::Error;

/// What whoever watches asks for.
#[derive(Debug, Default, Clone, Copy, Args)]
pub(in crate::cli) struct Watched {
    /// A newest sound point that is older than that is a finding (HW210): 90m, 26h, 8d or 2w.
    #[arg(long, value_name = "AGE", value_parser = seconds)]
    max_age: Option<i64>,
    /// Print what a plugin of Nagios prints, with figures, and end with its codes: 0 sound, 1 something to look at,
    /// 2 damaged or too old, 3 nobody can tell, a wrong command line among it.
    #[arg(long)]
    nagios: bool,
}

impl Watched {
    /// Whether a monitoring plugin's words and codes are asked for.
    pub(in crate::cli) fn is_plugin(self) -> bool {
        self.nagios
    }

    /// In seconds; none where it may be of any age.
    pub(in crate::cli) fn limit(self) -> Option<i64> {
        self.max_age
    }

    /// The report, with a finding for each series of points that is too old.
    ///
    /// # Errors
    /// When nobody knows the time.
    pub(in crate::cli) fn judge(self, report: Report) -> Result<Report, Error> {
        let Some(most) = self.max_age else { return Ok(report) };
        Ok(judged(report, clock::seconds()?, most))
    }
}

fn seconds(text: &str) -> Result<i64, String> {
    let units = [('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];
    let read = || {
        let (number, unit) = units.iter().find_map(|(letter, unit)| Some((text.strip_suffix(*letter)?, *unit)))?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: i64 = number.parse().ok().filter(|_| is_number)?;
        number.checked_mul(unit).filter(|seconds| *seconds > 0)
    };
    read().ok_or_else(|| "write a number of minutes, hours, days or weeks, as 90m, 26h, 8d or 2w".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_strictly() {
        assert_eq!(
            [seconds("90m"), seconds("26h"), seconds("8d"), seconds("2w")],
            [5_400, 93_600, 691_200, 1_209_600].map(Ok)
        );
        for bad in [
            "",
            "26",
            "h",
            "0h",
            "-1h",
            "+1h",
            "1.5h",
            "1 h",
            "26H",
            "1y",
            "9999999999999999999w",
            "999999999999999999w",
        ] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
