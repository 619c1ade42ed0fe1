//! What is said of a change: its title and its reason.

use crate::model::{MigrationId, script_header};
use crate::sql;

/// So many characters of a commit's message are shown.
const LONGEST_REASON: usize = 1_000;

/// The words of its name: `add users`.
pub(super) fn named(id: &MigrationId) -> String {
    let name = id.as_str();
    let name = name.split_once('_').map_or(name, |(_, name)| name);
    name.replace(['_', '-'], " ")
}

/// Title and reason, from the comments before the first statement. What tools wrote there is no reason.
pub(super) fn header(script: &str) -> (Option<String>, Option<String>) {
    let lines = script_header(script);
    let lines = lines
        .iter()
        .map(|line| line.trim().trim_start_matches('*').trim());
    let mut said = lines
        .take_while(|line| !line.starts_with("Warnings:"))
        .filter(|line| {
            let is_label = line.starts_with(|c: char| c.is_ascii_uppercase())
                && line.chars().all(|c| c.is_ascii_alphabetic())
                && ["Create", "Alter", "Drop", "Add", "Rename", "Redefine"]
                    .iter()
                    .any(|verb| line.strip_prefix(verb).is_some_and(|rest| !rest.is_empty()));
            !line.is_empty() && !is_label && !line.to_ascii_lowercase().starts_with("tollgate:")
        });
    let title = said.next().map(str::to_owned);
    let rest: Vec<&str> = said.collect();
    (title, (!rest.is_empty()).then(|| rest.join(" ")))
}

/// The subject of a commit, and what it says of the reason: its body, or the subject where that is all.
pub(super) fn message(commit: &str, said: &str) -> (Option<String>, Option<String>) {
    let said = sql::without_passwords(said);
    let (subject, body) = said.split_once('\n').unwrap_or((&said, ""));
    let subject = one_line(subject);
    if subject.is_empty() {
        return (None, None);
    }
    let body = one_line(body);
    let reason = if body.is_empty() { &subject } else { &body };
    let commit: String = commit.chars().take(12).collect();
    let reason = format!("{reason} (the message of commit {commit})");
    (Some(subject), Some(reason))
}

/// A text on one line, and not longer than is read.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}\u{2026}", &line[..end]),
        None => line,
    }
}
