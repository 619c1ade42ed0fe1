//! The checker: it knows just enough Rust. It blanks out comments and literals, resolves `crate::` and
//! `super::` paths, groups included, and looks for words that belong to one layer only.

use std::collections::BTreeSet;
use std::fmt;

/// What a module may import from the crate. A module that is not named here is new: it must be
/// given a place first.
const LAYERS: &[(&str, &[&str])] = &[
    ("failpoint", &["failpoint"]),
    ("model", &["model", "digest", "sql"]),
    ("digest", &["model", "digest", "sql"]),
    ("sql", &["model", "digest", "sql"]),
    ("ledger", &["ledger", "failpoint", "model", "digest", "sql"]),
    (
        "targets",
        &["targets", "failpoint", "model", "digest", "sql"],
    ),
    ("catalog", &["catalog", "model", "digest", "sql"]),
    ("lint", &["lint", "model", "digest", "sql"]),
    ("reverse", &["reverse", "model", "digest", "sql"]),
    (
        "planner",
        &[
            "planner", "lint", "reverse", "ledger", "targets", "model", "digest", "sql",
        ],
    ),
    (
        "report",
        &[
            "report", "planner", "lint", "ledger", "targets", "model", "digest", "sql",
        ],
    ),
    (
        "workflows",
        &[
            "workflows",
            "planner",
            "report",
            "lint",
            "reverse",
            "ledger",
            "targets",
            "catalog",
            "failpoint",
            "model",
            "digest",
            "sql",
        ],
    ),
    (
        "cli",
        &[
            "cli",
            "workflows",
            "planner",
            "report",
            "lint",
            "reverse",
            "ledger",
            "targets",
            "catalog",
            "failpoint",
            "model",
            "digest",
            "sql",
        ],
    ),
];

/// What the pure layers may take from the layers that do I/O: the fold, and plain data.
const PURE_MAY_IMPORT: &[&str] = &[
    "ledger::assemble",
    "ledger::view",
    "ledger::View",
    "targets::Fault",
    "targets::Gone",
    "targets::Inventory",
    "targets::Journal",
    "targets::Last",
    "targets::Observed",
    "targets::Part",
    "targets::Recorded",
    "targets::Rows",
    "targets::ScriptError",
    "targets::State",
    "targets::history::History",
    "targets::history::Row",
];

/// Words that the pure layers never say.
const PURE_NEVER_SAYS: &[&str] = &[
    "rusqlite",
    "tokio_postgres",
    "tokio",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "now_utc",
    "now_local",
    "getrandom",
];

/// Words that only `src/cli` and `src/main.rs` say.
const ONLY_CLI_SAYS: &[&str] = &[
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "dbg!",
    "std::env",
    "stdout",
    "stderr",
    "stdin",
    "SystemTime::now",
    "now_utc",
    "now_local",
    "process::exit",
    "anstream",
];

/// Where the streams of a child process are meant, and not our own.
const SAYS_STREAMS_OF_CHILDREN: &str = "targets/postgres/client.rs";

/// One line that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offence {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) rule: String,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.rule)
    }
}

/// Blanks out comments, strings and character literals; line feeds stay where they are.
fn blank(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut out = String::with_capacity(source.len());
    let mut i = 0;
    while i < chars.len() {
        let start = i;
        let word_before = i > 0 && (at(i - 1).is_alphanumeric() || at(i - 1) == '_');
        let raw_hashes = (at(i) == 'r' && !word_before)
            .then(|| (1..).take_while(|n| at(i + n) == '#').count())
            .filter(|n| at(i + 1 + n) == '"');
        if at(i) == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if at(i) == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 || i >= chars.len() {
                    break;
                }
            }
        } else if let Some(hashes) = raw_hashes {
            i += hashes + 2;
            while i < chars.len() && !(at(i) == '"' && (1..=hashes).all(|n| at(i + n) == '#')) {
                i += 1;
            }
            i += hashes + 1;
        } else if at(i) == '"' {
            i += 1;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            // A character; a lifetime has no quote after its first letter.
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < chars.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
        } else {
            out.push(at(i));
            i += 1;
            continue;
        }
        for c in &chars[start..i.min(chars.len())] {
            out.push(if *c == '\n' { '\n' } else { ' ' });
        }
    }
    out
}

/// The names, colons, braces, commas and stars of a blanked source, each with its line.
fn tokens(blanked: &str) -> Vec<(String, usize)> {
    let mut out: Vec<(String, usize)> = Vec::new();
    let mut in_word = false;
    for (line, text) in (1..).zip(blanked.lines()) {
        for c in text.chars() {
            let word = c.is_alphanumeric() || c == '_';
            match out.last_mut() {
                Some((last, _)) if word && in_word => last.push(c),
                Some((last, _)) if c == ':' && last == ":" => last.push(c),
                _ if !c.is_whitespace() => out.push((c.to_string(), line)),
                _ => {}
            }
            in_word = word;
        }
        in_word = false;
    }
    out
}

/// Every path into the crate that a source names, without `crate::`, with its line.
fn crate_paths(module: &[&str], source: &str) -> Vec<(Vec<String>, usize)> {
    let tokens = tokens(&blank(source));
    let word = |i: usize| tokens.get(i).map_or("", |(word, _)| word.as_str());
    let mut found = Vec::new();
    // The inline modules around token `i`: the name, and how many braces were open before it.
    let mut inline: Vec<(&str, usize)> = Vec::new();
    let mut braces = 0;
    let mut i = 0;
    while i < tokens.len() {
        match word(i) {
            "mod" if word(i + 2) == "{" => inline.push((word(i + 1), braces)),
            "{" => braces += 1,
            "}" => {
                braces = braces.saturating_sub(1);
                inline.retain(|(_, before)| *before < braces);
            }
            _ => {}
        }
        let begins = i == 0 || word(i - 1) != "::";
        let mut path: Vec<String> = Vec::new();
        let mut next = i;
        if begins && (word(i) == "crate" || word(i) == "tollgate") && word(i + 1) == "::" {
            next = i + 2;
        } else if begins && word(i) == "super" && word(i + 1) == "::" {
            let mut up = 0;
            while word(next) == "super" && word(next + 1) == "::" {
                (up, next) = (up + 1, next + 2);
            }
            let inline = inline.iter().map(|(name, _)| *name);
            let here: Vec<&str> = module.iter().copied().chain(inline).collect();
            let stays = here.len().saturating_sub(up);
            path.extend(here[..stays].iter().map(|name| (*name).to_owned()));
        }
        if next == i {
            i += 1;
            continue;
        }
        i = group(&tokens, next, &path, &mut found);
    }
    found
}

/// Reads one path, or a group of them, from token `i` on; returns where it ended.
fn group(
    tokens: &[(String, usize)],
    mut i: usize,
    before: &[String],
    found: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let word = |i: usize| tokens.get(i).map_or("", |(word, _)| word.as_str());
    let line = |i: usize| tokens.get(i).map_or(0, |(_, line)| *line);
    if word(i) == "{" {
        i += 1;
        while i < tokens.len() && word(i) != "}" {
            i = group(tokens, i, before, found);
            while word(i) == "as" || word(i - 1) == "as" {
                i += 1;
            }
            if word(i) == "," {
                i += 1;
            }
        }
        return i + 1;
    }
    let mut path = before.to_vec();
    if word(i) != "self" {
        path.push(word(i).to_owned());
    }
    if word(i + 1) == "::" && word(i + 2) != "<" {
        return group(tokens, i + 2, &path, found);
    }
    found.push((path, line(i)));
    i + 1
}

/// The lines on which a blanked source says a word, whole.
fn says(blanked: &str, word: &str) -> Vec<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let on = |text: &str| {
        text.match_indices(word).any(|(start, _)| {
            !text[..start].ends_with(part) && !text[start + word.len()..].starts_with(part)
        })
    };
    (1..)
        .zip(blanked.lines())
        .filter(|(_, text)| on(text))
        .map(|(line, _)| line)
        .collect()
}

/// Checks one source: `file` is its path below `src`, with `/`.
pub(crate) fn check(file: &str, source: &str) -> BTreeSet<Offence> {
    let mut offences = BTreeSet::new();
    let mut offend = |line: usize, rule: String| {
        offences.insert(Offence {
            file: format!("src/{file}"),
            line,
            rule,
        });
    };
    let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let module: Vec<&str> = stem.split('/').collect();
    let top = module[0];
    let blanked = blank(source);
    if top != "cli" && top != "main" {
        let is_a_childs = |word: &str| {
            file == SAYS_STREAMS_OF_CHILDREN && ["stdin", "stdout", "stderr"].contains(&word)
        };
        for word in ONLY_CLI_SAYS.iter().filter(|word| !is_a_childs(word)) {
            for line in says(&blanked, word) {
                offend(line, format!("only cli may say `{word}`"));
            }
        }
    }
    if top == "main" || top == "lib" {
        return offences;
    }
    let Some((_, may)) = LAYERS.iter().find(|(name, _)| *name == top) else {
        offend(
            1,
            format!("`{top}` has no layer: give it one in tests/layers.rs"),
        );
        return offences;
    };
    let pure = ["planner", "report", "lint", "reverse"].contains(&top);
    for (path, line) in crate_paths(&module, source) {
        let to = path.first().map_or("*", String::as_str);
        if !may.contains(&to) {
            offend(line, format!("{top} must not import `{}`", path.join("::")));
        } else if pure && (to == "ledger" || to == "targets") {
            let path = path.join("::");
            let allowed = |plain: &str| path == plain || path.starts_with(&format!("{plain}::"));
            if !PURE_MAY_IMPORT.iter().any(|plain| allowed(plain)) {
                offend(line, format!("{top} is pure and must not import `{path}`"));
            }
        }
    }
    if pure {
        for word in PURE_NEVER_SAYS {
            for line in says(&blanked, word) {
                offend(line, format!("{top} is pure and must not say `{word}`"));
            }
        }
    }
    offences
}
