//! The review as Markdown, for a comment or the description of a pull request.
//!
//! Whatever comes from the plan stands in a code span or a fence: nothing in it is a link, a mention, an
//! image or HTML there. A page that a pull request would not take is made shorter, and says so.

use super::{Page, Review, Step, lines, said};
use crate::report::markdown::{fence, one_line, span};

/// GitHub takes 65,536 characters.
const MOST: usize = 60_000;

/// How much of the scripts is shown, in bytes each, and of how many steps: less and less.
const CUTS: [(usize, usize); 8] = [
    (usize::MAX, usize::MAX),
    (8_000, usize::MAX),
    (2_000, usize::MAX),
    (500, usize::MAX),
    (0, usize::MAX),
    (0, 50),
    (0, 10),
    (0, 0),
];

/// The review as Markdown, ending in a line feed.
#[must_use]
pub fn markdown(review: &Review<'_>) -> String {
    let page = review.page();
    let mut out = String::new();
    for (place, (bytes, steps)) in CUTS.into_iter().enumerate() {
        out = shown(review, &page, bytes, steps, place > 0);
        if out.chars().count() <= MOST {
            break;
        }
    }
    out
}

fn shown(review: &Review<'_>, page: &Page<'_>, bytes: usize, steps: usize, is_cut: bool) -> String {
    let mut out = format!("## Saved plan: {}\n\n", page.title);
    for alarm in &page.alarms {
        out.push_str(&format!("> **Attention.** {}\n>\n", span(alarm)));
    }
    if is_cut {
        out.push_str(&format!(
            "> **This page leaves something out: a pull request takes no more.** All of it: {}\n>\n",
            span(&format!("tollgate review {}", review.file))
        ));
    }
    if out.ends_with(">\n") {
        out.truncate(out.len() - 2);
        out.push('\n');
    }
    for (label, fact) in &page.facts {
        out.push_str(&format!("- {label}: {}\n", span(fact)));
    }
    for (place, it) in page.steps.iter().enumerate().take(steps) {
        out.push_str(&step(place + 1, it, bytes));
    }
    if let Some(more) = page.steps.len().checked_sub(steps).filter(|more| *more > 0) {
        out.push_str(&format!("\n{more} more steps are left out here.\n"));
    }
    out.push_str("\n### Gates\n\n");
    for gate in &page.gates {
        // Long lists are cut together with the scripts.
        let most = if is_cut { 5 } else { usize::MAX };
        for (state, of, how) in gate.says.iter().take(most) {
            let said = said(state, of, page.steps.len());
            out.push_str(&format!("- {} {}\n", span(gate.name), span(&said)));
            for line in how.iter().take(most) {
                out.push_str(&format!("  - {}\n", span(line)));
            }
        }
        if let Some(more) = gate.says.len().checked_sub(most).filter(|more| *more > 0) {
            out.push_str(&format!("- {} says {more} things more\n", span(gate.name)));
        }
    }
    if !page.waivers.is_empty() {
        out.push_str("\n### Waivers\n\n");
        for waiver in &page.waivers {
            out.push_str(&format!("- {}\n", span(waiver)));
        }
    }
    if !page.approvals.is_empty() {
        out.push_str("\n### Approvals\n\n");
        for approval in &page.approvals {
            out.push_str(&format!("- {}\n", span(approval)));
        }
    }
    out.push_str("\n### Policy\n\n");
    for (key, word) in page.policy {
        out.push_str(&format!("- {}: {}\n", span(key), span(word)));
    }
    let next = fence(&page.next);
    out.push_str(&format!("\n{next}sh\n{}\n{next}\n", one_line(&page.next)));
    out
}

fn step(place: usize, step: &Step, bytes: usize) -> String {
    let mut out = format!("\n### {place}. {}\n\n", span(&step.name));
    for (label, fact) in &step.facts {
        out.push_str(&format!("- {label}: {}\n", span(fact)));
    }
    for (name, script) in &step.scripts {
        let part = beginning(script, bytes);
        let cut = match part.len() == script.len() {
            true => String::new(),
            false => format!(", of which {} are shown", lines(part)),
        };
        if part.is_empty() && !script.is_empty() {
            out.push_str(&format!("- {name}: {}, left out here\n", lines(script)));
            continue;
        }
        let fence = fence(part);
        out.push_str(&format!(
            "\n<details><summary>{name}, {}{cut}</summary>\n\n{fence}sql\n",
            lines(script)
        ));
        for line in part.lines() {
            out.push_str(line);
            out.push('\n');
        }
        out.push_str(&format!("{fence}\n\n</details>\n"));
    }
    out
}

/// The first whole lines of a script.
fn beginning(script: &str, bytes: usize) -> &str {
    if script.len() <= bytes {
        return script;
    }
    let mut end = bytes;
    while !script.is_char_boundary(end) {
        end -= 1;
    }
    let end = script[..end].rfind('\n').map_or(0, |at| at + 1);
    &script[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_ends_with_a_line() {
        assert_eq!(beginning("ä\nb\n", 100), "ä\nb\n");
        assert_eq!(beginning("ä\nb\n", 4), "ä\n");
        assert_eq!(beginning("ä\nb\n", 1), "");
        assert_eq!(beginning("äöü", 3), "");
    }
}
