//! What a browser costs: its memory, its time, and how long its pages waited for a core that others had.

use std::fs;
use std::path::PathBuf;

use super::Browser;

impl Browser {
    /// How many seconds of CPU time all of its processes took so far.
    ///
    /// # Panics
    /// Where there is no `/proc`.
    #[must_use]
    pub fn cpu(&self) -> f64 {
        let mut ticks = 0;
        for entry in fs::read_dir("/proc").expect("/proc").filter_map(Result::ok) {
            // One may have ended meanwhile.
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            let Some((_, fields)) = stat.rsplit_once(") ") else { continue };
            let fields: Vec<u64> = fields.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
            // proc_pid_stat(5): the group is field 5, the times are 14 and 15.
            if let (Some(group), Some(times)) = (fields.get(2), fields.get(11..13))
                && *group == u64::from(self.child.id())
            {
                ticks += times.iter().sum::<u64>();
            }
        }
        // USER_HZ, which is 100 wherever Linux runs.
        ticks as f64 / 100.0
    }

    /// Memory that all its processes hold at the moment, in bytes: shared pages are counted once.
    pub fn memory(&self) -> u64 {
        let group = self.child.id().to_string();
        let in_group =
            |stat: &str| stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(2)) == Some(&group);
        let processes = fs::read_dir("/proc").expect("Linux").filter_map(|entry| Some(entry.ok()?.path()));
        let ours =
            processes.filter(|process| fs::read_to_string(process.join("stat")).is_ok_and(|stat| in_group(&stat)));
        let kilobytes = |process: PathBuf| {
            let rollup = fs::read_to_string(process.join("smaps_rollup")).ok()?;
            let line = rollup.lines().find(|line| line.starts_with("Pss:"))?.to_owned();
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        ours.filter_map(kilobytes).sum::<u64>() * 1024
    }

    /// The threads that run pages, by their files of the scheduler: see [`spent`].
    ///
    /// # Panics
    /// Where there is no `/proc`.
    #[must_use]
    pub fn pages(&self) -> Vec<PathBuf> {
        let group = self.child.id().to_string();
        let of_page = |process: &PathBuf| {
            let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
            let line = fs::read(process.join("cmdline")).unwrap_or_default();
            let in_group = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(2)) == Some(&group);
            in_group && String::from_utf8_lossy(&line).contains("--type=renderer")
        };
        let processes = fs::read_dir("/proc").expect("Linux").filter_map(|entry| Some(entry.ok()?.path()));
        processes.filter(of_page).map(|process| process.join("schedstat")).collect()
    }
}

/// How many milliseconds these threads were on a core so far, and how many they waited for one, all together.
#[must_use]
pub fn spent(threads: &[PathBuf]) -> [f64; 2] {
    // Documentation/scheduler/sched-stats.rst: nanoseconds on a core, nanoseconds in wait of one, time slices.
    let of = |at: usize| {
        let one = |thread: &PathBuf| fs::read_to_string(thread).ok()?.split(' ').nth(at)?.parse::<u64>().ok();
        threads.iter().filter_map(one).sum::<u64>() as f64 / 1e6
    };
    [of(0), of(1)]
}
