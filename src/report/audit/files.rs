//! The files of a report.

use super::{JSON_SCHEMA, Report, change::sha256, csv, html, markdown, verify};

/// One file.
#[derive(Debug)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// Its bytes.
    pub text: String,
}

/// The names of the files, the manifest last.
pub const NAMES: [&str; 8] = [
    "report.html",
    "population.csv",
    "report.json",
    "report.schema.json",
    "report.md",
    "entries.jsonl",
    "VERIFY.txt",
    "MANIFEST.sha256",
];

/// Every file, the manifest last. `clean` takes out of a text what must never be shown; the entries, whose
/// bytes must stay, were looked at before.
#[must_use]
pub fn files(report: &Report, clean: &dyn Fn(&str) -> String) -> Vec<File> {
    let mut json = serde_json::to_string_pretty(report).unwrap_or_default();
    json.push('\n');
    let file = |name, text: String| File { name, text };
    let shown = |name, text: String| file(name, clean(&text));
    let entries: String = report
        .bodies
        .iter()
        .flat_map(|body| [body.as_str(), "\n"])
        .collect();
    let mut files = vec![
        shown("report.html", html::html(report)),
        shown("population.csv", csv::csv(report)),
        shown("report.json", json),
        file("report.schema.json", JSON_SCHEMA.to_owned()),
        shown("report.md", markdown::markdown(report)),
        file("entries.jsonl", entries),
        file("VERIFY.txt", verify::verify(report)),
    ];
    let lines = files
        .iter()
        .map(|it| format!("{}  {}\n", sha256(it.text.as_bytes()), it.name));
    let manifest = lines.collect();
    files.push(file("MANIFEST.sha256", manifest));
    files
}
