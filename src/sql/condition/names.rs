//! Whether terms name a column of the table.

use super::{Kind, Scope, Term};

/// Words that name nothing. Those that may be a column's name too are left out where they rarely stand alone.
const KEYWORDS: [&str; 45] = [
    "and",
    "or",
    "not",
    "is",
    "null",
    "isnull",
    "notnull",
    "true",
    "false",
    "unknown",
    "in",
    "exists",
    "any",
    "all",
    "some",
    "like",
    "ilike",
    "similar",
    "glob",
    "between",
    "symmetric",
    "escape",
    "case",
    "when",
    "then",
    "else",
    "end",
    "cast",
    "as",
    "collate",
    "distinct",
    "from",
    "interval",
    "array",
    "row",
    "over",
    "select",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "current_user",
    "session_user",
    "current_role",
];

/// Whether any of these terms may be a column of the table, so that it can tell one row from another.
pub(super) fn any_column(terms: &[Term], scope: &Scope) -> bool {
    let mut at = 0;
    while let Some(term) = terms.get(at) {
        if term.is("(") && opens_query(terms, at) {
            let end = closing(terms, at);
            if is_tied(terms.get(at + 1..end).unwrap_or_default(), scope) {
                return true;
            }
            at = end + 1;
            continue;
        }
        if starts_with(terms, at, &["at", "time", "zone"]) {
            at += 3;
            continue;
        }
        if !term.is_name() {
            at += 1;
            continue;
        }
        let (path, after) = path(terms, at);
        if is_column(terms, at, after) {
            match path.len().checked_sub(2).and_then(|place| path.get(place)) {
                None => return true,
                Some(qualifier) if scope.called.contains(qualifier) => return true,
                Some(_) => {}
            }
        }
        at = after;
    }
    false
}

/// Whether the name that stands between these places is one of a column, by what is around it.
fn is_column(terms: &[Term], at: usize, after: usize) -> bool {
    let Some(term) = terms.get(at) else {
        return false;
    };
    let before = |back: usize| at.checked_sub(back).and_then(|at| terms.get(at));
    let next = terms.get(after);
    let is_keyword = term.kind == Kind::Word && KEYWORDS.contains(&term.text.as_str());
    let is_call = next.is_some_and(|next| next.is("("));
    // `date '2020-01-01'`
    let is_typed = term.kind == Kind::Word && next.is_some_and(|next| next.kind == Kind::Text);
    let is_type = before(1).is_some_and(|term| term.is(":"))
        && before(2).is_some_and(|term| term.is(":"))
        || before(1).is_some_and(|term| term.is_any(&["as", "collate"]));
    !is_keyword && !is_call && !is_typed && !is_type
}

/// `a.b.c`, and the place after it.
pub(super) fn path(terms: &[Term], at: usize) -> (Vec<String>, usize) {
    let mut parts = Vec::new();
    let mut place = at;
    while let Some(term) = terms.get(place).filter(|term| term.is_name()) {
        parts.push(term.text.clone());
        place += 1;
        let goes_on = terms.get(place).is_some_and(|term| term.is("."))
            && terms.get(place + 1).is_some_and(Term::is_name);
        if !goes_on {
            break;
        }
        place += 1;
    }
    (parts, place.max(at + 1))
}

/// Whether a query within the condition looks at the row: it names the table from outside, or compares
/// two names, one of which may be a column of that row.
fn is_tied(query: &[Term], scope: &Scope) -> bool {
    let reads = |name: &String| {
        query.windows(2).any(|pair| {
            pair[0].is_any(&["from", "join", ",", "as"])
                && pair[1].is_name()
                && pair[1].text == *name
        })
    };
    let outer: Vec<&String> = scope.called.iter().filter(|name| !reads(name)).collect();
    let mut at = 0;
    while at < query.len() {
        let (one, after) = path(query, at);
        if one.len() > 1 && outer.contains(&&one[one.len() - 2]) {
            return true;
        }
        let is_plain = one.len() == 1 && is_column(query, at, after);
        let mut other = after;
        while query
            .get(other)
            .is_some_and(|term| term.is_any(&["=", "<", ">", "!"]))
        {
            other += 1;
        }
        if !one.is_empty() && other > after {
            let (second, end) = path(query, other);
            let is_second = !second.is_empty() && is_column(query, other, end);
            let is_pair = is_second && (is_plain || second.len() == 1 && one.len() > 1);
            if is_pair && !(one.len() > 1 && second.len() > 1) && one.last() != second.last()
                || is_pair && one.len() != second.len()
            {
                return true;
            }
        }
        at = after;
    }
    false
}

/// Whether a query stands in the bracket that opens here.
pub(super) fn opens_query(terms: &[Term], at: usize) -> bool {
    terms
        .get(at + 1)
        .is_some_and(|term| term.is_any(&["select", "with", "values", "table"]))
}

/// Where the bracket that opens here closes, or the end.
pub(super) fn closing(terms: &[Term], at: usize) -> usize {
    let mut depth = 0_usize;
    for (place, term) in terms.iter().enumerate().skip(at) {
        if term.is("(") {
            depth += 1;
        } else if term.is(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return place;
            }
        }
    }
    terms.len()
}

pub(super) fn starts_with(terms: &[Term], at: usize, words: &[&str]) -> bool {
    words
        .iter()
        .enumerate()
        .all(|(more, word)| terms.get(at + more).is_some_and(|term| term.is(word)))
}
