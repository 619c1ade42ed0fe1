//! The review as one HTML page: no script, no font, no image, nothing from elsewhere. Every text of the plan
//! is escaped, and the page itself forbids whatever would be loaded.

use super::{Page, Review, Step, lines, said};
use crate::report::markup::escaped;

const STYLE: &str = include_str!("page.css");

/// The review as a page.
#[must_use]
pub fn html(review: &Review<'_>) -> String {
    let page = review.page();
    let title = escaped(&page.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Saved plan: {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Saved plan: {title}</h1>\n"
    );
    if !page.alarms.is_empty() {
        out.push_str("<ul class=\"alarms\">\n");
        for alarm in &page.alarms {
            out.push_str(&format!("<li>{}</li>\n", escaped(alarm)));
        }
        out.push_str("</ul>\n");
    }
    let facts = page.facts.iter();
    out.push_str(&table(facts.map(|(label, fact)| (*label, fact.as_str()))));
    out.push_str("<h2>Steps</h2>\n");
    for (place, it) in page.steps.iter().enumerate() {
        out.push_str(&step(place + 1, it));
    }
    out.push_str("<h2>Gates</h2>\n");
    out.push_str(&gates(&page));
    if !page.waivers.is_empty() {
        out.push_str("<h2>Waivers</h2>\n<ul>\n");
        for waiver in &page.waivers {
            out.push_str(&format!("<li>{}</li>\n", escaped(waiver)));
        }
        out.push_str("</ul>\n");
    }
    if !page.approvals.is_empty() {
        out.push_str("<h2>Approvals</h2>\n<ul>\n");
        for approval in &page.approvals {
            out.push_str(&format!("<li>{}</li>\n", escaped(approval)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<h2>Policy</h2>\n");
    let words = page.policy.iter();
    out.push_str(&table(
        words.map(|(key, word)| (key.as_str(), word.as_str())),
    ));
    out.push_str(&format!(
        "<h2>Next</h2>\n<pre><code>{}</code></pre>\n</main>\n</body>\n</html>\n",
        escaped(&page.next)
    ));
    out
}

fn step(place: usize, step: &Step) -> String {
    let mut out = format!(
        "<section>\n<h3>{place}. <code>{}</code></h3>\n",
        escaped(&step.name)
    );
    let facts = step.facts.iter();
    out.push_str(&table(facts.map(|(label, fact)| (*label, fact.as_str()))));
    for (name, script) in &step.scripts {
        // A line feed right after <pre> is not shown.
        out.push_str(&format!(
            "<details open><summary>{name}, {}</summary>\n<pre>\n<code>",
            lines(script)
        ));
        for line in script.lines() {
            out.push_str(&escaped(line));
            out.push('\n');
        }
        out.push_str("</code></pre></details>\n");
    }
    out.push_str("</section>\n");
    out
}

fn gates(page: &Page<'_>) -> String {
    let mut out = String::from("<table>\n");
    for gate in &page.gates {
        for (state, of, how) in &gate.says {
            let lines: Vec<String> = how.iter().map(|line| escaped(line)).collect();
            let class = match *state {
                "met" => "met",
                "not-asked" => "quiet",
                _ => "warned",
            };
            out.push_str(&format!(
                "<tr class=\"{class}\"><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n",
                escaped(gate.name),
                escaped(&said(state, of, page.steps.len())),
                lines.join("<br>")
            ));
        }
    }
    out.push_str("</table>\n");
    out
}

fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rows = rows.map(|(label, text)| {
        let class = match label {
            "destroys" | "accepted" | "may fail" => " class=\"warned\"",
            _ => "",
        };
        format!(
            "<tr{class}><th scope=\"row\">{}</th><td>{}</td></tr>\n",
            escaped(label),
            escaped(text)
        )
    });
    format!("<table>\n{}</table>\n", rows.collect::<String>())
}
