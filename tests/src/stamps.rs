//! A clock that only moves when told, and gives stamps as repozo writes them.

/// Seconds since 1970, UTC.
#[derive(Debug, Clone)]
pub struct Clock {
    seconds: i64,
}

impl Clock {
    /// A clock that stands at a stamp of six numbers.
    #[track_caller]
    pub fn at(stamp: &str) -> Self {
        let parts: Vec<i64> = stamp.split('-').map(|part| part.parse().expect("a number")).collect();
        let [year, month, day, hour, minute, second] = parts[..] else {
            panic!("{stamp} is not YYYY-MM-DD-HH-MM-SS");
        };
        let days = days_before(year, month, day);
        Self { seconds: ((days * 24 + hour) * 60 + minute) * 60 + second }
    }

    /// Move on and give the new stamp.
    pub fn tick(&mut self, seconds: u64) -> String {
        self.seconds += i64::try_from(seconds).expect("a short while");
        self.stamp()
    }

    /// The stamp of now.
    pub fn stamp(&self) -> String {
        let (year, month, day) = date(self.seconds.div_euclid(86_400));
        let rest = self.seconds.rem_euclid(86_400);
        format!("{year:04}-{month:02}-{day:02}-{:02}-{:02}-{:02}", rest / 3600, rest / 60 % 60, rest % 60)
    }
}

/// Days from 1970-01-01 to a date, by counting years from March so that the leap day comes last.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let in_era = year.rem_euclid(400);
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468
}

/// The date a number of days after 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let in_era = shifted.rem_euclid(146_097);
    let years = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * years + years / 4 - years / 100);
    let march_month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = years + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn a_stamp_survives_the_way_to_seconds_and_back() {
        for stamp in ["1970-01-01-00-00-00", "2000-02-29-23-59-59", "2024-12-31-12-00-01", "2026-03-01-00-00-00"] {
            assert_eq!(Clock::at(stamp).stamp(), stamp);
        }
        assert_eq!(Clock::at("2026-11-20-00-00-00").seconds, 1_795_132_800);
    }

    #[test]
    fn a_tick_crosses_the_end_of_a_leap_february() {
        assert_eq!(Clock::at("2024-02-28-23-59-59").tick(86_401), "2024-03-01-00-00-00");
    }
}
