//! What came of a round.

use std::time::Duration;

use super::Round;

/// Counts, and what was wrong.
#[derive(Debug)]
pub struct Tally {
    /// Kind and flags.
    pub name: String,
    /// The pause of the round.
    pub pause: Duration,
    /// How often the writer was killed.
    pub kills: u64,
    /// How many checkpoints were asked for.
    pub copies: u64,
    /// What was wrong with each that was wrong.
    pub bad: Vec<String>,
    /// How many tries each took that was made.
    pub tries: Vec<u64>,
    /// How long each took that was made, pauses included.
    pub took: Vec<Duration>,
    /// How many links were made in all.
    pub linked: u64,
}

impl Tally {
    /// Nothing yet.
    pub fn new(round: &Round) -> Self {
        Self {
            name: round.name(),
            pause: round.pause,
            kills: 0,
            copies: 0,
            bad: Vec::new(),
            tries: Vec::new(),
            took: Vec::new(),
            linked: 0,
        }
    }

    /// Tries of a checkpoint, on average.
    pub fn mean_tries(&self) -> f64 {
        mean(&self.tries)
    }

    /// The middle of the times, in milliseconds.
    pub fn median_ms(&self) -> u128 {
        let mut took = self.took.clone();
        took.sort_unstable();
        took.get(took.len() / 2).map_or(0, Duration::as_millis)
    }

    /// The head of the table that rows are for.
    pub const HEAD: &str = "| kind | pause | kills | copies | good | bad | tries: mean | max | median ms |\n\
        |---|--:|--:|--:|--:|--:|--:|--:|--:|";

    /// A row of the table.
    pub fn row(&self) -> String {
        let bad = self.bad.len() as u64;
        format!(
            "| {} | {} ms | {} | {} | {} | {bad} | {:.2} | {} | {} |",
            self.name,
            self.pause.as_millis(),
            self.kills,
            self.copies,
            self.copies.saturating_sub(bad),
            self.mean_tries(),
            self.tries.iter().max().unwrap_or(&0),
            self.median_ms(),
        )
    }
}

/// The average of whole numbers; 0 of none.
pub fn mean(numbers: &[u64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let (sum, count) = (numbers.iter().sum::<u64>() as f64, numbers.len().max(1) as f64);
    sum / count
}
