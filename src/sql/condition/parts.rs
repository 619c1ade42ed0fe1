//! Terms taken apart: at words outside of brackets, at a comparison, without what stands around them.

use super::Term;
use super::names::{closing, opens_query, path};

/// A comparison outside of brackets, its sign between both sides.
pub(super) fn comparison(terms: &[Term]) -> Option<(&[Term], String, &[Term])> {
    const SIGNS: [&str; 4] = ["=", "<", ">", "!"];
    let at = outside(terms, |term| term.is_any(&SIGNS))?;
    let length = terms[at..]
        .iter()
        .take_while(|term| term.is_any(&SIGNS))
        .count();
    let sign: String = terms[at..at + length]
        .iter()
        .map(|term| term.text.as_str())
        .collect();
    let is_one = ["=", "==", "<", ">", "<=", ">=", "<>", "!="].contains(&sign.as_str());
    // `->`, `@>`, `~=` and their like are other operators.
    let alone = |term: Option<&Term>| {
        term.is_none_or(|term| !term.is_any(&["-", "@", "~", "&", "|", "#", "?", "*", "%"]))
    };
    let is_alone = alone(at.checked_sub(1).and_then(|at| terms.get(at)))
        && (sign != "<" && sign != ">" || alone(terms.get(at + length)) || {
            // `a < -1`
            terms.get(at + length).is_some_and(|term| term.is("-"))
        });
    (is_one && is_alone && at > 0).then(|| (&terms[..at], sign, &terms[at + length..]))
}

/// Without the brackets around the whole, and without a cast of it to a boolean.
pub(super) fn unwrapped(terms: &[Term]) -> &[Term] {
    let mut terms = terms;
    loop {
        let is_whole = |terms: &[Term]| {
            terms.first().is_some_and(|term| term.is("(")) && closing(terms, 0) + 1 == terms.len()
        };
        let around = brackets_around(terms);
        if around > 0 {
            terms = &terms[around..terms.len() - around];
            continue;
        }
        terms = match terms {
            [one @ .., first, second, ty]
                if first.is(":")
                    && second.is(":")
                    && ty.is_any(&["bool", "boolean"])
                    && (one.len() == 1 || is_whole(one)) =>
            {
                one
            }
            [cast, rest @ ..] if cast.is("cast") && is_whole(rest) => match rest {
                [_, one @ .., word, ty, _] if word.is("as") && ty.is_any(&["bool", "boolean"]) => {
                    one
                }
                _ => return terms,
            },
            _ => return terms,
        };
    }
}

/// How many brackets stand around the whole.
fn brackets_around(terms: &[Term]) -> usize {
    let opened = terms.iter().take_while(|term| term.is("(")).count();
    let closed = terms.iter().rev().take_while(|term| term.is(")")).count();
    let (mut depth, mut least) = (opened, opened);
    let middle = terms.get(opened..terms.len().saturating_sub(closed));
    for term in middle.unwrap_or_default() {
        if term.is("(") {
            depth += 1;
        } else if term.is(")") {
            depth = depth.saturating_sub(1);
            least = least.min(depth);
        }
    }
    opened.min(closed).min(least)
}

/// Splits at a word outside of brackets and of CASE. The AND of BETWEEN splits nothing.
pub(super) fn split<'a>(terms: &'a [Term], word: &str) -> Vec<&'a [Term]> {
    let mut out = Vec::new();
    let (mut depth, mut first, mut between) = (0_usize, 0, false);
    for (at, term) in terms.iter().enumerate() {
        if term.is_any(&["(", "case"]) {
            depth += 1;
        } else if term.is_any(&[")", "end"]) {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && term.is("between") {
            between = true;
        } else if depth == 0 && term.is("and") && between {
            between = false;
        } else if depth == 0 && term.is(word) {
            out.push(&terms[first..at]);
            first = at + 1;
        }
    }
    out.push(&terms[first..]);
    out
}

pub(super) fn parts(terms: &[Term]) -> Vec<&[Term]> {
    split(terms, ",")
}

/// The first term outside of brackets and of CASE that satisfies.
pub(super) fn outside(terms: &[Term], wanted: impl Fn(&Term) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, term) in terms.iter().enumerate() {
        if depth == 0 && wanted(term) {
            return Some(at);
        }
        if term.is_any(&["(", "[", "case"]) {
            depth += 1;
        } else if term.is_any(&[")", "]", "end"]) {
            depth = depth.saturating_sub(1);
        }
    }
    None
}

/// Every column without the table in front of it.
pub(super) fn plain(terms: &[Term]) -> Vec<Term> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(term) = terms.get(at) {
        if term.is("(") && opens_query(terms, at) {
            out.extend_from_slice(terms.get(at..).unwrap_or_default());
            return out;
        }
        let (_, end) = path(terms, at);
        out.push(terms.get(end - 1).unwrap_or(term).clone());
        at = end;
    }
    out
}
