//! `--shard` and `--subset`: which part of the claims is checked.

use clap::Args;
use highwater_core::shard::Shard;

use crate::cli::repository::usage;
use crate::clock;
use crate::error::Error;

/// Which part of the claims is checked.
#[derive(Debug, Args)]
pub(super) struct Part {
    /// Check part I of N; `report merge` puts the reports together, and takes --max-age then.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["subset", "max_age"])]
    shard: Option<String>,
    /// Check a part: I/N, or daily/N for one that changes every day and covers all in N days.
    #[arg(long, value_name = "I/N")]
    subset: Option<String>,
}

impl Part {
    /// The shard that it is; all where none was named.
    ///
    /// # Errors
    /// When the user named none that there can be, or the clock says no day.
    pub(super) fn shard(&self) -> Result<Shard, Error> {
        let parse = |text: &str| text.parse::<Shard>().map_err(|bad| usage(bad.to_string()));
        match (&self.shard, &self.subset) {
            (Some(text), _) => parse(text),
            (None, Some(text)) => match text.strip_prefix("daily/") {
                Some(count) => {
                    let count: u64 = count
                        .parse()
                        .ok()
                        .filter(|count| *count > 0)
                        .ok_or_else(|| usage(format!("'{text}' is no subset: write daily/N, as in daily/30")))?;
                    Shard::new(clock::day()? % count + 1, count).ok_or_else(|| usage(format!("'{text}' is no subset")))
                }
                None => parse(text),
            },
            (None, None) => Ok(Shard::WHOLE),
        }
    }
}
