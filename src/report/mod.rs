//! What people and machines read: models built from the ledger and a plan, and functions from a
//! model to text. Pure.

pub mod audit;
pub mod baseline;
pub mod environment;
pub mod github;
pub mod glass;
pub mod lint;
pub mod log;
mod markdown;
mod markup;
pub mod matrix;
pub mod plan;
pub mod rehearsal;
pub mod reset;
pub mod review;
pub mod script_error;
mod snippet;
pub mod strays;
pub mod summary;
pub mod verify;
pub mod waiting;
pub mod why;

use anstyle::{AnsiColor, Style};

use crate::model::{Debt, Waiver};

/// Whether text is coloured. Nothing is ever said by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.0 {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// What matters most.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// What went well.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// What went wrong, or was refused.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    /// What deserves a look.
    #[must_use]
    pub fn warn(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// What may be passed over.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }
}

/// `1 migration`, `2 migrations`.
#[must_use]
pub fn count(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}

/// What is said behind a step or a success that stands on waivers: ` (order waived by ada: the hotfix goes
/// first)`; empty where there is none.
#[must_use]
pub fn told_waivers(waivers: &[Waiver]) -> String {
    match waivers {
        [] => String::new(),
        all => {
            let all: Vec<String> = all.iter().map(Waiver::told).collect();
            format!(" ({})", all.join("; "))
        }
    }
}

/// What is said behind a step or a success that came through broken glass; empty where it did not.
#[must_use]
pub fn told_debts(debts: &[Debt]) -> String {
    let told: Vec<String> = debts.iter().map(Debt::told).collect();
    match told.is_empty() {
        true => String::new(),
        false => format!(" ({})", told.join("; ")),
    }
}

/// A length of time in its largest two units: `1 d 2 h`.
pub(crate) fn length_of_time(time: std::time::Duration) -> String {
    crate::planner::gates::backup::length(time.as_millis())
}

/// One waiver, as the documents of every verb have it.
pub(crate) fn waiver_json(waiver: &Waiver) -> serde_json::Value {
    serde_json::json!({
        "gate": waiver.gate,
        "migration": waiver.migration,
        "reason": waiver.reason,
        "by": waiver.actor,
        "at": waiver.at,
        "writer": waiver.entry.writer,
        "number": waiver.entry.number,
    })
}

/// How many columns a text takes, near enough for names of migrations.
pub(crate) fn width(text: &str) -> usize {
    text.chars().count()
}

/// A text made at least `columns` wide.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}
