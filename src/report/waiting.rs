//! What waits where, for how long, and what blocks it: the second half of `status`.

use serde_json::{Map, Value, json};

use super::{Paint, count, length_of_time, padded, width};
use crate::model::{EnvironmentName, Timestamp};
use crate::planner::gates::shell;
use crate::planner::{Block, Gate, Glance, Waiting};

/// A line that is longer does not fit where people read it.
const COLUMNS: usize = 80;

/// Of so many in a row with the same words the first and the last are shown.
const IN_A_ROW: usize = 3;

/// So many lines are shown of one environment.
const MOST: usize = 12;

/// What stands in the place of a name where the whole environment is meant.
const ALL: &str = "all of it";

/// What waits, for people, ending in a line feed; it begins with an empty line.
#[must_use]
pub fn text(glances: &[Glance], now: Timestamp, paint: Paint) -> String {
    if glances.iter().all(is_quiet) {
        return "\nnothing waits\n".to_owned();
    }
    let mut out = "\n".to_owned();
    for glance in glances {
        out.push_str(&environment(glance, now, paint));
    }
    out
}

fn is_quiet(glance: &Glance) -> bool {
    glance.waiting.is_empty() && glance.blocked.is_empty() && glance.drift.is_none()
}

fn environment(glance: &Glance, now: Timestamp, paint: Paint) -> String {
    let name = glance.environment.as_str();
    let many = glance.waiting.len() + glance.more;
    let ready = glance.waiting.iter().filter(|it| it.is_ready).count();
    let verb = if many == 1 { "waits" } else { "wait" };
    let waits = match (many, ready) {
        (0, _) => "nothing waits".to_owned(),
        (1, 1) => "1 migration waits, ready".to_owned(),
        (_, 0) => format!("{} {verb}", count(many, "migration")),
        (_, all) if all == many => format!("{many} migrations wait, all ready"),
        // What is ready stands before all that is not.
        (_, 1) => format!("{many} migrations wait, the first ready"),
        (_, some) => format!("{many} migrations wait, the first {some} ready"),
    };
    let mut out = format!("{}: {waits}\n", paint.bold(name));
    let rows = rows(glance, now);
    let names = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0);
    let times = rows.iter().map(|row| width(&row.time)).max().unwrap_or(0);
    // Name, time and words on one line, where that fits for all; else the words below.
    let before = 2 + names + 2 + if times == 0 { 0 } else { times + 2 };
    let fits = |row: &Row| before + row.words_wide() <= COLUMNS;
    let one_line = rows.iter().all(fits);
    for row in &rows {
        let words = row.painted(paint);
        let line = match one_line {
            true if times == 0 => format!("  {}  {words}", padded(&row.name, names)),
            true => format!(
                "  {}  {}  {words}",
                padded(&row.name, names),
                padded(&row.time, times)
            ),
            false if row.time.is_empty() => format!("  {}", row.name),
            false => format!("  {}, {}", row.name, row.time),
        };
        out.push_str(line.trim_end());
        out.push('\n');
        if !one_line {
            out.push_str(&below(row, paint));
        }
    }
    out
}

/// The words under the name, as many on a line as fit.
fn below(row: &Row, paint: Paint) -> String {
    let mut out = String::new();
    let mut line: Vec<&Word> = Vec::new();
    let wide = |line: &[&Word]| 4 + line.iter().map(|word| width(&word.text) + 2).sum::<usize>();
    for word in &row.words {
        if !line.is_empty() && wide(&line) + width(&word.text) > COLUMNS {
            out.push_str(&format!("    {};\n", joined(&line, paint)));
            line.clear();
        }
        line.push(word);
    }
    if !line.is_empty() {
        out.push_str(&format!("    {}\n", joined(&line, paint)));
    }
    out
}

fn joined(words: &[&Word], paint: Paint) -> String {
    let words: Vec<String> = words.iter().map(|word| word.painted(paint)).collect();
    words.join("; ")
}

/// One line, or one and what is below it.
struct Row {
    name: String,
    time: String,
    words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Good,
    Blocks,
    Warns,
    Calm,
}

impl Word {
    fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }

    fn painted(&self, paint: Paint) -> String {
        match self.tone {
            Tone::Good => paint.good(&self.text),
            Tone::Blocks => paint.bad(&self.text),
            Tone::Warns => paint.warn(&self.text),
            Tone::Calm => paint.dim(&self.text),
        }
    }
}

impl Row {
    fn words_wide(&self) -> usize {
        let words = self.words.iter().map(|word| width(&word.text) + 2);
        words.sum::<usize>().saturating_sub(2)
    }

    fn painted(&self, paint: Paint) -> String {
        joined(&self.words.iter().collect::<Vec<_>>(), paint)
    }
}

fn rows(glance: &Glance, now: Timestamp) -> Vec<Row> {
    let mut rows = Vec::new();
    if !glance.blocked.is_empty() {
        rows.push(Row {
            name: ALL.to_owned(),
            time: String::new(),
            words: whole(&glance.blocked),
        });
    }
    if let Some((found, at)) = glance.drift {
        let found = count(usize::try_from(found).unwrap_or(usize::MAX), "object");
        rows.push(Row {
            name: "drift".to_owned(),
            time: age(at, now),
            words: vec![Word::new(Tone::Warns, format!("in {found}"))],
        });
    }
    let mut shown = 0;
    let mut left = glance.waiting.as_slice();
    while let Some(first) = left.first() {
        let words = own(glance, first);
        let alike = left.iter().take_while(|it| {
            let other = own(glance, it);
            gates(it) == gates(first)
                && other.first().map(|it| it.tone) == words.first().map(|it| it.tone)
        });
        let (group, rest) = left.split_at(alike.count());
        if shown >= MOST {
            break;
        }
        match group {
            [first, between @ .., last] if group.len() > IN_A_ROW => {
                rows.push(row(glance, first, now));
                rows.push(Row {
                    name: format!("... {} more ...", between.len()),
                    time: String::new(),
                    words: Vec::new(),
                });
                rows.push(row(glance, last, now));
                shown += 3;
            }
            group => {
                rows.extend(group.iter().map(|it| row(glance, it, now)));
                shown += group.len();
            }
        }
        left = rest;
    }
    let more = left.len() + glance.more;
    if more > 0 {
        rows.push(Row {
            name: format!("... and {more} more"),
            time: String::new(),
            words: Vec::new(),
        });
    }
    rows
}

fn row(glance: &Glance, waiting: &Waiting, now: Timestamp) -> Row {
    Row {
        name: waiting.migration.to_string(),
        time: waiting.since.map_or_else(String::new, |at| age(at, now)),
        words: own(glance, waiting),
    }
}

fn gates(waiting: &Waiting) -> Vec<(Gate, &[EnvironmentName])> {
    let blocks = waiting.blocks.iter();
    let gates = blocks.map(|block| (block.gate, block.missing_in.as_slice()));
    gates.collect()
}

/// The words of one migration.
fn own(glance: &Glance, waiting: &Waiting) -> Vec<Word> {
    if !waiting.blocks.is_empty() {
        let words = waiting
            .blocks
            .iter()
            .map(|block| Word::new(Tone::Blocks, word(block)));
        return words.collect();
    }
    match (waiting.is_ready, glance.blocked.is_empty()) {
        (true, _) => vec![Word::new(Tone::Good, "ready")],
        (false, true) => vec![Word::new(Tone::Calm, "behind those before it")],
        // What is above says it of all.
        (false, false) => Vec::new(),
    }
}

/// The words of the whole environment: each gate once.
fn whole(blocks: &[Block]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for (place, block) in blocks.iter().enumerate() {
        let same = |other: &&Block| other.gate == block.gate;
        if blocks[..place].iter().any(|other| same(&other)) {
            continue;
        }
        let about = blocks
            .iter()
            .filter(same)
            .filter_map(|it| it.migration.as_ref());
        let about: Vec<_> = about.collect();
        let about = match about.as_slice() {
            [] => String::new(),
            [one] => format!(": {one}"),
            many => format!(": {}", count(many.len(), "migration")),
        };
        words.push(Word::new(Tone::Blocks, format!("{}{about}", word(block))));
    }
    words
}

/// The gate, and the shortest word for how.
fn word(block: &Block) -> String {
    let gate = block.gate.as_str();
    if let Some(until) = block.until {
        return format!("{gate} until {}", until.minute());
    }
    if block.missing_in.is_empty() {
        return gate.to_owned();
    }
    let missing: Vec<&str> = block
        .missing_in
        .iter()
        .map(EnvironmentName::as_str)
        .collect();
    format!("{gate}: not in {}", missing.join(" and "))
}

fn age(at: Timestamp, now: Timestamp) -> String {
    let age = now.unix_millis().checked_sub(at.unix_millis());
    match age.and_then(|age| u64::try_from(age).ok()) {
        Some(age) => length_of_time(std::time::Duration::from_millis(age)),
        None => "of the future".to_owned(),
    }
}

/// What waits, by environment, as `tollgate/status/v1` has it.
#[must_use]
pub fn json(glances: &[Glance]) -> Value {
    let block = |block: &Block| {
        let mut told = json!({ "gate": block.gate.as_str() });
        if let Some(migration) = &block.migration {
            told["migration"] = json!(migration);
        }
        if let Some(until) = block.until {
            told["until"] = json!(until);
        }
        if !block.missing_in.is_empty() {
            told["missing_in"] = json!(block.missing_in);
        }
        told
    };
    let all: Map<String, Value> = glances
        .iter()
        .map(|glance| {
            let migrations = glance.waiting.iter().map(|it| {
                json!({
                    "migration": it.migration,
                    "since": it.since,
                    "ready": it.is_ready,
                    "blocked_by": it.blocks.iter().map(block).collect::<Vec<_>>(),
                })
            });
            let told = json!({
                "count": glance.waiting.len() + glance.more,
                "migrations": migrations.collect::<Vec<_>>(),
                "blocked_by": glance.blocked.iter().map(block).collect::<Vec<_>>(),
                "drift": glance.drift.map(|(found, at)| json!({ "differences": found, "at": at })),
                "next": next(glance),
            });
            (glance.environment.to_string(), told)
        })
        .collect();
    Value::Object(all)
}

/// The command that tells the rest, or does it.
fn next(glance: &Glance) -> String {
    let name = glance.environment.as_str();
    let ready = glance.waiting.iter().rfind(|it| it.is_ready);
    match ready {
        Some(_) if glance.waiting.iter().all(|it| it.is_ready) && glance.more == 0 => {
            format!("tollgate apply {name}")
        }
        Some(last) => format!(
            "tollgate apply {name} --to {}",
            shell(last.migration.as_str())
        ),
        None => format!("tollgate status {name}"),
    }
}
