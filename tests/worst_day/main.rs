//! The worst day: every fault that can be made, and after each the same command again. Then every
//! statement stands exactly once, or a person was told what to look at, did it, and so it is.
//!
//! ```text
//! tests/crash [--seed N] [SECTION...]          all of it, on a PostgreSQL server of its own
//! cargo test --features failpoints --test worst-day -- --bounded   what tests/run runs
//! ```
//!
//! The last lines are a table; the exit code is 1 where anything was lost or doubled, or did not hold.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test reads its surroundings, prints, and panics where something is wrong"
)]

mod backup;
mod contention;
mod failpoints;
mod human;
mod kill;
mod network;
mod postgres_scripts;
mod prisma_lock;
mod proxy;
mod reference;
mod rehearsal;
mod reversing;
mod scripts;
mod sees;
#[path = "../support/mod.rs"]
mod server;
mod server_stop;
mod small;
mod sqlite_scripts;
mod table;
mod team;
mod terminate;
mod trees;
mod window;
mod workers;
mod world;

use std::process::{Command, ExitCode};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use table::Tally;
use world::Verdict;

/// Runs one section: `true` for all of it, `false` for the bounded part. The answers are the cases
/// that were tried, each in words that tell it from the others, and how it ended.
type Section = fn(full: bool, random: &mut Random) -> Vec<(String, Verdict)>;

const SECTIONS: &[(&str, Section)] = &[
    ("failpoints", failpoints::run),
    ("kill", kill::run),
    ("proxy", network::run),
    ("server-stop", server_stop::run),
    ("terminate", terminate::run),
    ("contention", contention::run),
    ("prisma-lock", prisma_lock::run),
    ("scripts", scripts::run),
    ("window", window::run),
    ("backup", backup::run),
    ("rehearsal", rehearsal::run),
    ("reversing", reversing::run),
    ("team-crash", team::crash::run),
    ("team-kill", team::kill::run),
    ("team-cut", team::cut::run),
    ("team-disk", team::disk::run),
    ("team-race", team::race::run),
];

/// Numbers that a seed repeats (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where there is none.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }

    /// A place in a list of that length.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }
}

fn main() -> ExitCode {
    if let Some(code) = without_core_dumps() {
        return code;
    }
    let mut full = false;
    let mut seed = None;
    let mut names: Vec<String> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Whoever lists all tests finds none of its kind here.
            "--list" => return ExitCode::SUCCESS,
            "--bounded" => full = false,
            "--full" => full = true,
            "--seed" => match arguments.next().map(|seed| seed.parse()) {
                Some(Ok(given)) => seed = Some(given),
                _ => return usage("--seed takes a number"),
            },
            name if SECTIONS.iter().any(|(known, _)| *known == name) => {
                names.push(name.to_owned());
            }
            other => return usage(&format!("there is no section or option {other}")),
        }
    }
    let seed = seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(1, |since| since.as_millis() as u64 % 1_000_000)
    });
    println!(
        "worst day: {}, seed {seed}",
        if full { "all of it" } else { "bounded" }
    );
    sees::check();
    let mut tallies = Vec::new();
    for (name, section) in SECTIONS {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        let begun = Instant::now();
        // A section alone tries the same as among the others.
        let answers = section(full, &mut Random::new(seed));
        eprintln!(
            "worst day: {name}: {} cases in {} s",
            answers.len(),
            begun.elapsed().as_secs()
        );
        tallies.push(Tally::new(name, answers));
    }
    println!("\n{}", table::render(&tallies, seed));
    ExitCode::from(u8::from(!tallies.iter().all(Tally::holds)))
}

fn usage(what: &str) -> ExitCode {
    let names: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
    eprintln!(
        "worst day: {what}\n  usage: [--bounded | --full] [--seed N] [{}]",
        names.join(" | ")
    );
    ExitCode::from(2)
}

/// Thousands of processes abort here, and none of them is worth a core dump: where the limit is not
/// zero, runs itself once more below one that is.
fn without_core_dumps() -> Option<ExitCode> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))?;
    if line.split_whitespace().nth(4) == Some("0") {
        return None;
    }
    let status = Command::new("sh")
        .args(["-c", "ulimit -c 0 && exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().ok()?)
        .args(std::env::args_os().skip(1))
        .status()
        .ok()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Some(ExitCode::from(code.unwrap_or(1)))
}
