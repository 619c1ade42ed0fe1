//! What people and machines read: models built from the ledger and a plan, and functions from a
//! model to text. Pure.

pub mod baseline;
pub mod lint;
pub mod log;
pub mod matrix;
pub mod plan;
pub mod rehearsal;
pub mod reset;
pub mod script_error;
mod snippet;
pub mod strays;
pub mod verify;

use anstyle::{AnsiColor, Style};

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

/// How many columns a text takes, near enough for names of migrations.
pub(crate) fn width(text: &str) -> usize {
    text.chars().count()
}

/// A text made at least `columns` wide.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}
