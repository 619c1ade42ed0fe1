//! What was tried and how it ended, as one table.

use std::fmt::Write as _;

use crate::world::Verdict;

/// The answers of one section.
pub(crate) struct Tally {
    section: &'static str,
    tried: usize,
    recovered: usize,
    human: usize,
    lost: usize,
    doubled: usize,
    /// What did not hold, lost and doubled included: the case, and what was found.
    wrong: Vec<(String, String)>,
}

impl Tally {
    pub(crate) fn new(section: &'static str, answers: Vec<(String, Verdict)>) -> Self {
        let mut tally = Self {
            section,
            tried: answers.len(),
            recovered: 0,
            human: 0,
            lost: 0,
            doubled: 0,
            wrong: Vec::new(),
        };
        for (case, verdict) in answers {
            match verdict {
                Verdict::Recovered => tally.recovered += 1,
                Verdict::Human => tally.human += 1,
                Verdict::Wrong(what) => {
                    // One fault may do both.
                    tally.lost += usize::from(what.lines().any(|line| line.starts_with("lost")));
                    tally.doubled +=
                        usize::from(what.lines().any(|line| line.starts_with("doubled")));
                    tally.wrong.push((case, what));
                }
            }
        }
        tally
    }

    /// Nothing was lost, doubled or otherwise wrong.
    pub(crate) fn holds(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// The whole table, and below it every case that did not hold.
pub(crate) fn render(tallies: &[Tally], seed: u64) -> String {
    let mut out = String::new();
    let mut line = |cells: [&str; 6]| {
        let [section, tried, recovered, human, lost, doubled] = cells;
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{section:<12} | {tried:>12} | {recovered:>19} | {human:>17} | {lost:>4} | {doubled:>7}"
        );
    };
    line([
        "section",
        "faults tried",
        "recovered by itself",
        "handed to a human",
        "lost",
        "doubled",
    ]);
    line(["---", "---", "---", "---", "---", "---"]);
    let mut sums = [0; 5];
    for tally in tallies {
        let numbers = [
            tally.tried,
            tally.recovered,
            tally.human,
            tally.lost,
            tally.doubled,
        ];
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum += number;
        }
        row(&mut line, tally.section, numbers);
    }
    row(&mut line, "all", sums);
    for tally in tallies {
        for (case, what) in &tally.wrong {
            let _ = write!(
                out,
                "\n{} did not hold (seed {seed}): {case}\n",
                tally.section
            );
            for line in what.lines() {
                let _ = writeln!(out, "    {line}");
            }
        }
    }
    out
}

fn row(line: &mut impl FnMut([&str; 6]), section: &str, numbers: [usize; 5]) {
    let [tried, recovered, human, lost, doubled] = numbers.map(|number| number.to_string());
    line([section, &tried, &recovered, &human, &lost, &doubled]);
}
