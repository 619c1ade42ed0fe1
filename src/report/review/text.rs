//! The review in a terminal.

use super::{Gate, Page, Review, lines, said};
use crate::report::Paint;

/// The review for a terminal, ending in a line feed.
#[must_use]
pub fn text(review: &Review<'_>, paint: Paint) -> String {
    let page = review.page();
    let mut out = format!(
        "{} {}\n\n",
        paint.bold("saved plan:"),
        paint.bold(&page.title)
    );
    for alarm in &page.alarms {
        out.push_str(&format!("  {}\n", paint.bad(&format!("!! {alarm}"))));
    }
    if !page.alarms.is_empty() {
        out.push('\n');
    }
    for (label, fact) in &page.facts {
        out.push_str(&row(label, fact));
    }
    for (place, step) in page.steps.iter().enumerate() {
        out.push_str(&format!(
            "\n  {}\n",
            paint.bold(&format!("{}. {}", place + 1, step.name))
        ));
        for (label, fact) in &step.facts {
            out.push_str(&format!("  {}", row(label, fact)));
        }
        for (name, script) in &step.scripts {
            out.push_str(&format!(
                "\n    {}\n",
                paint.dim(&format!("{name}, {}", lines(script)))
            ));
            for line in script.lines() {
                out.push_str(&format!("    | {line}\n"));
            }
        }
    }
    out.push_str(&format!("\n  {}\n", paint.bold("gates")));
    for gate in &page.gates {
        out.push_str(&shown(&page, gate, paint));
    }
    if !page.waivers.is_empty() {
        out.push_str(&format!("\n  {}\n", paint.bold("waivers")));
        for waiver in &page.waivers {
            out.push_str(&format!("    {}\n", one_line(waiver)));
        }
    }
    if !page.approvals.is_empty() {
        out.push_str(&format!("\n  {}\n", paint.bold("approvals")));
        for approval in &page.approvals {
            out.push_str(&format!("    {}\n", one_line(approval)));
        }
    }
    out.push_str(&format!("\n  {}\n", paint.bold("policy")));
    for (key, word) in page.policy {
        out.push_str(&format!("  {}", row(key, word)));
    }
    out.push_str(&format!(
        "\n  {}\n",
        paint.dim(&format!("next      {}", page.next))
    ));
    out
}

fn shown(page: &Page<'_>, gate: &Gate<'_>, paint: Paint) -> String {
    let mut out = String::new();
    let mut label = one_line(gate.name);
    for (state, of, how) in &gate.says {
        let said = said(state, of, page.steps.len());
        let said = match *state {
            "met" | "not-asked" => said,
            _ => paint.warn(&one_line(&said)),
        };
        out.push_str(&format!("    {label:<12} {said}\n"));
        label = String::new();
        for line in *how {
            out.push_str(&format!("    {:<12}   {}\n", "", one_line(line)));
        }
    }
    out
}

fn row(label: &str, text: &str) -> String {
    format!("  {:<12} {}\n", one_line(label), one_line(text))
}

/// A line feed in somebody's text must not begin a line that looks like ours.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
