//! How the bucket is asked: by `sync`, `plan` and `fetch`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::cli::options::Bandwidth;
use crate::error::{Class, Error};
use crate::s3::{Client, Environment, Settings};

/// How the bucket is asked.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Asking {
    /// Requests at a time, at most.
    #[arg(short, long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    jobs: u32,
    #[command(flatten)]
    bandwidth: Bandwidth,
    /// Pay for the requests, in a bucket whose owner does not.
    #[arg(long)]
    requester_pays: bool,
}

impl Asking {
    /// Requests at a time.
    pub(super) fn jobs(self) -> usize {
        self.jobs as usize
    }

    /// Whoever asks.
    pub(super) fn client(self, stop: &Arc<AtomicBool>) -> Result<Client, Error> {
        let make = || {
            let settings = Settings {
                in_flight: self.jobs,
                bandwidth: self.bandwidth.limit(),
                requester_pays: self.requester_pays,
                stop: Arc::clone(stop),
                ..Settings::from_environment(&Environment::process())?
            };
            Client::new(settings)
        };
        make().map_err(|error| Error::Refused { class: Class::CannotStart, what: error.to_string() })
    }
}
