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

/// Makes every file, the manifest last, and hands each on as soon as it is made: of a large ledger they are large.
/// `clean` takes out of a text what must never be shown; the entries, whose bytes must stay, were looked at before.
///
/// # Errors
/// The first of `put`.
pub fn each_file<E>(
    report: &Report,
    clean: &dyn Fn(&str) -> String,
    put: &mut dyn FnMut(File) -> Result<(), E>,
) -> Result<(), E> {
    let mut manifest = String::new();
    let mut take = |name: &'static str, text: String| {
        manifest.push_str(&format!("{}  {name}\n", sha256(text.as_bytes())));
        put(File { name, text })
    };
    take("report.html", clean(&html::html(report)))?;
    take("population.csv", clean(&csv::csv(report)))?;
    let mut json = serde_json::to_string_pretty(report).unwrap_or_default();
    json.push('\n');
    take("report.json", clean(&json))?;
    drop(json);
    take("report.schema.json", JSON_SCHEMA.to_owned())?;
    take("report.md", clean(&markdown::markdown(report)))?;
    let entries = report.bodies.iter().flat_map(|body| [body.as_str(), "\n"]);
    take("entries.jsonl", entries.collect())?;
    take("VERIFY.txt", verify::verify(report))?;
    put(File {
        name: "MANIFEST.sha256",
        text: manifest,
    })
}
