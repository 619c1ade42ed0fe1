//! Page one in the terminal.

use super::Report;
use super::page::{Mood, sections};
use crate::report::{Paint, padded, width};

/// A line is no longer than this.
const COLUMNS: usize = 110;

/// The summary, ending in a line feed.
#[must_use]
pub fn text(report: &Report, paint: Paint) -> String {
    let mut out = format!(
        "{}\n",
        paint.bold("Change report: evidence from the ledger")
    );
    for section in sections(report) {
        out.push_str(&format!("\n{}\n", paint.bold(section.title)));
        let label = section
            .lines
            .iter()
            .map(|line| width(&line.label))
            .max()
            .unwrap_or(0);
        for line in &section.lines {
            let said = match line.mood {
                Mood::Plain => wrapped(&line.says, label + 4),
                Mood::Good => paint.good(&wrapped(&line.says, label + 4)),
                Mood::Warn => paint.warn(&wrapped(&line.says, label + 4)),
                Mood::Bad => paint.bad(&wrapped(&line.says, label + 4)),
            };
            out.push_str(&format!("  {}  {said}\n", padded(&line.label, label)));
        }
    }
    out.push_str(&format!(
        "\n{}\n",
        paint.bold("What this report does not prove")
    ));
    for limit in &report.does_not_prove {
        out.push_str(&format!("  - {}\n", wrapped(limit, 4)));
    }
    out
}

/// A text in lines, the second and later ones indented.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut at = indent;
    for word in text.split(' ') {
        let length = width(word);
        if at > indent && at + 1 + length > COLUMNS {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            at = indent;
        } else if at > indent {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += length;
    }
    out
}
