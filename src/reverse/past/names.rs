//! Names and words, read so roughly that none is missed.

use std::collections::BTreeSet;

use crate::model::entry::Engine;

/// A name as it is kept: SQLite does not tell small letters from capitals.
pub(super) fn folded(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Postgresql => name.to_owned(),
        Engine::Sqlite => name.to_ascii_lowercase(),
    }
}

/// Whatever may be a word of a text, in small letters: names, keywords, pieces of strings and comments.
/// A name in quotes is as many words as it has pieces.
pub(super) fn words_of(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Names before an opening bracket, in small letters: whatever may be called.
pub(super) fn called(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices('(') {
        let before = text.get(..at).unwrap_or_default().trim_end();
        let before = before.trim_end_matches('"');
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, c)| is_part(*c))
            .last()
            .map_or(before.len(), |(start, _)| start);
        let name = before.get(start..).unwrap_or_default();
        if !name.is_empty() {
            names.insert(name.to_lowercase());
        }
    }
    names
}
