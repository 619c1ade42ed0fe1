//! What a condition comes to.

use super::names::{any_column, path};
use super::parts::{comparison, outside, parts, plain, split, unwrapped};
use super::{Kind, Scope, Term, Truth, both};

/// How deep AND and OR may alternate. What goes deeper was written to be misread.
const MOST_DEPTH: u8 = 40;

/// How many alternatives are compared with each other.
const MOST_COMPARED: usize = 30;

/// What a condition is for the rows of a table.
pub(in crate::sql) fn truth(terms: &[Term], scope: &Scope) -> Truth {
    at_depth(terms, scope, MOST_DEPTH)
}

fn at_depth(terms: &[Term], scope: &Scope, depth: u8) -> Truth {
    let Some(depth) = depth.checked_sub(1) else {
        return Truth::Whole;
    };
    let terms = unwrapped(terms);
    let any = split(terms, "or");
    if any.len() > 1 {
        return either(&any, scope, depth);
    }
    let all = split(terms, "and");
    if all.len() > 1 {
        return all.iter().fold(Truth::True, |truth, one| {
            both(truth, at_depth(one, scope, depth))
        });
    }
    if let [first, rest @ ..] = terms
        && first.is("not")
    {
        return not(at_depth(rest, scope, depth));
    }
    let found = leaf(terms, scope, depth);
    if found == Truth::Some && !any_column(terms, scope) {
        return Truth::Whole;
    }
    found
}

fn not(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Null => Truth::Null,
        Truth::Never | Truth::Whole => Truth::Whole,
        Truth::NotNull(_) | Truth::Some => Truth::Some,
    }
}

fn either(parts: &[&[Term]], scope: &Scope, depth: u8) -> Truth {
    let truths: Vec<Truth> = parts
        .iter()
        .map(|one| at_depth(one, scope, depth))
        .collect();
    if truths.contains(&Truth::True) {
        return Truth::True;
    }
    let few = parts.get(..MOST_COMPARED.min(parts.len())).unwrap_or(parts);
    for (place, one) in few.iter().enumerate() {
        for other in few.get(place + 1..).unwrap_or_default() {
            if let Some(truth) = complement(one, other) {
                return truth;
            }
        }
    }
    if truths.contains(&Truth::Whole) {
        return Truth::Whole;
    }
    if truths.contains(&Truth::Some) {
        return Truth::Some;
    }
    let mut columns = truths.iter().filter_map(|truth| match truth {
        Truth::NotNull(columns) => Some(columns.clone()),
        _ => None,
    });
    match columns.next() {
        Some(columns) => Truth::NotNull(columns),
        None => Truth::Never,
    }
}

/// What two alternatives come to that leave nothing between them.
fn complement(one: &[Term], other: &[Term]) -> Option<Truth> {
    let (one, other) = (unwrapped(one), unwrapped(other));
    if is_null(one).is_some_and(|it| is_not_null(other) == Some(it))
        || is_null(other).is_some_and(|it| is_not_null(one) == Some(it))
    {
        return Some(Truth::True);
    }
    let negates = |one: &[Term], other: &[Term]| matches!(one, [not, rest @ ..] if not.is("not") && unwrapped(rest) == other);
    if negates(one, other) || negates(other, one) {
        return Some(Truth::Whole);
    }
    let (left, sign, right) = comparison(one)?;
    let (other_left, other_sign, other_right) = comparison(other)?;
    let covers = |one: &str, other: &str| {
        let of = |sign: &str| match sign {
            "=" | "==" => 0b010,
            "<" => 0b100,
            ">" => 0b001,
            "<=" => 0b110,
            ">=" => 0b011,
            _ => 0b101,
        };
        of(one) | of(other) == 0b111
    };
    (left == other_left && right == other_right && covers(&sign, &other_sign))
        .then_some(Truth::Whole)
}

fn is_null(terms: &[Term]) -> Option<&[Term]> {
    match terms {
        [of @ .., is, null] if is.is("is") && null.is("null") => Some(unwrapped(of)),
        [of @ .., last] if last.is("isnull") => Some(unwrapped(of)),
        _ => None,
    }
}

fn is_not_null(terms: &[Term]) -> Option<&[Term]> {
    match terms {
        [of @ .., is, not, null] if is.is("is") && not.is("not") && null.is("null") => {
            Some(unwrapped(of))
        }
        [of @ .., not, null] if not.is("not") && null.is("null") => Some(unwrapped(of)),
        [of @ .., last] if last.is("notnull") => Some(unwrapped(of)),
        _ => None,
    }
}

fn leaf(terms: &[Term], scope: &Scope, depth: u8) -> Truth {
    if let [only] = terms {
        return alone(only, scope);
    }
    if let Some(of) = is_not_null(terms) {
        return not_null(of, scope);
    }
    if let Some(of) = is_null(terms) {
        return match of {
            [only] if only.is("null") => Truth::True,
            [only] if matches!(only.kind, Kind::Text | Kind::Number) => Truth::False,
            _ => Truth::Some,
        };
    }
    if let Some(at) = outside(terms, |term| term.is("is")) {
        let (left, right) = (&terms[..at], &terms[at + 1..]);
        return is(left, right, scope, depth);
    }
    if let Some(at) = outside(terms, |term| term.is("in")) {
        return within(&terms[..at], &terms[at + 1..], scope, depth);
    }
    if let Some((left, sign, right)) = comparison(terms) {
        return compared(left, &sign, right, scope, depth);
    }
    // LIKE '%'
    if let [of @ .., pattern] = terms
        && pattern.kind == Kind::Text
        && matches!(pattern.text.as_str(), "%" | "%%" | "*" | "" | ".*" | "^")
        && !of.iter().any(|term| term.is("not"))
        && of.last().is_some_and(|term| {
            term.is_any(&["like", "ilike", "glob", "to", "~", "*"])
                && (pattern.text.is_empty() == term.is_any(&["~", "*"]) || !pattern.text.is_empty())
        })
    {
        return Truth::Whole;
    }
    Truth::Some
}

fn alone(term: &Term, scope: &Scope) -> Truth {
    match term.kind {
        Kind::Number => match term.text.parse::<f64>() {
            Ok(0.0) => Truth::False,
            _ => Truth::True,
        },
        Kind::Text => {
            let text = term.text.trim().to_lowercase();
            let is_one_of = |words: &[&str]| words.contains(&text.as_str());
            if is_one_of(&["t", "true", "y", "yes", "on", "1"]) {
                Truth::Whole
            } else if is_one_of(&["f", "false", "n", "no", "off", "0"]) {
                Truth::False
            } else {
                Truth::Some
            }
        }
        Kind::Word if term.text == "true" => Truth::True,
        Kind::Word if term.text == "false" => Truth::False,
        Kind::Word if term.text == "null" => Truth::Null,
        // The row itself.
        Kind::Word | Kind::Quoted if scope.called.contains(&term.text) => Truth::Whole,
        // A condition that is computed.
        Kind::Quoted if term.text.starts_with('<') => Truth::Whole,
        _ => Truth::Some,
    }
}

fn not_null(of: &[Term], scope: &Scope) -> Truth {
    let (parts, end) = path(of, 0);
    if end < of.len() || parts.is_empty() {
        return Truth::Some;
    }
    match parts.as_slice() {
        [only] if of[0].is("null") && only == "null" => Truth::False,
        [only] if scope.called.contains(only) => Truth::Whole,
        [column] => Truth::NotNull(vec![column.clone()]),
        [.., table, column] if scope.called.contains(table) => Truth::NotNull(vec![column.clone()]),
        _ => Truth::Some,
    }
}

/// `IS`, other than of NULL.
fn is(left: &[Term], right: &[Term], scope: &Scope, depth: u8) -> Truth {
    let (is_not, right) = match right {
        [first, rest @ ..] if first.is("not") => (true, rest),
        _ => (false, right),
    };
    if let [distinct, from, rest @ ..] = right
        && distinct.is("distinct")
        && from.is("from")
    {
        return match (is_not, unwrapped(left) == unwrapped(rest)) {
            (true, true) => Truth::True,
            (false, true) => Truth::False,
            _ => Truth::Some,
        };
    }
    if let [only] = right
        && only.is_any(&["true", "false", "unknown"])
    {
        let truth = at_depth(left, scope, depth);
        let asked = match only.text.as_str() {
            "true" => Truth::True,
            "false" => Truth::False,
            _ => Truth::Null,
        };
        return match truth {
            Truth::True | Truth::False | Truth::Null => {
                if (truth == asked) == is_not {
                    Truth::False
                } else {
                    Truth::True
                }
            }
            Truth::Whole => Truth::Whole,
            Truth::NotNull(_) if asked == Truth::True && !is_not => truth,
            Truth::NotNull(_) if asked == Truth::False && is_not => Truth::True,
            Truth::Never if asked != Truth::True || is_not => Truth::Whole,
            Truth::Never => Truth::Never,
            // Of most conditions nothing is unknown.
            _ if asked == Truth::Null && is_not => Truth::Whole,
            _ => Truth::Some,
        };
    }
    // SQLite: any two values.
    match (unwrapped(left) == unwrapped(right), is_not) {
        (true, false) => Truth::True,
        (true, true) => Truth::False,
        _ => Truth::Some,
    }
}

/// `IN`, and `= ANY`.
fn within(left: &[Term], right: &[Term], scope: &Scope, depth: u8) -> Truth {
    if left.last().is_some_and(|term| term.is("not")) {
        return Truth::Some;
    }
    let left = plain(unwrapped(left));
    let inner = unwrapped(right);
    if inner.first().is_some_and(|term| term.is("select")) {
        return of_the_same(&left, inner, scope, depth);
    }
    let is_listed = parts(inner).iter().any(|one| plain(one) == left);
    if is_listed { Truth::Whole } else { Truth::Some }
}

/// `id IN (SELECT id FROM the_same)`.
fn of_the_same(left: &[Term], query: &[Term], scope: &Scope, depth: u8) -> Truth {
    let Some(from) = outside(query, |term| term.is("from")) else {
        return Truth::Some;
    };
    let list = &query[1..from];
    let list = match list {
        [first, rest @ ..] if first.is_any(&["distinct", "all"]) => rest,
        _ => list,
    };
    let (table, mut at) = path(query, from + 1);
    if plain(unwrapped(list)) != left || table.last() != Some(&scope.table) {
        return Truth::Some;
    }
    if query.get(at).is_some_and(|term| term.is("as")) {
        at += 1;
    }
    let alias = (query.get(at))
        .filter(|term| term.is_name() && !term.is_any(&["where", "order", "group", "limit"]))
        .map(|term| term.text.clone());
    if alias.is_some() {
        at += 1;
    }
    let rest = query.get(at..).unwrap_or_default();
    let end = outside(rest, |term| term.is("order")).unwrap_or(rest.len());
    // What is ordered only is all there; LIMIT stands after it.
    let leaves_out = |terms: &[Term]| {
        outside(terms, |term| {
            term.is_any(&[
                "limit",
                "offset",
                "fetch",
                "group",
                "having",
                "join",
                ",",
                "union",
                "except",
                "intersect",
                "tablesample",
            ])
        })
        .is_some()
    };
    let condition = &rest[..end];
    if leaves_out(condition)
        || outside(&rest[end..], |term| {
            term.is_any(&["limit", "offset", "fetch"])
        })
        .is_some()
    {
        return Truth::Some;
    }
    match condition {
        [] => Truth::Whole,
        [first, condition @ ..] if first.is("where") => {
            let mut inner = scope.clone();
            let name = alias.unwrap_or_else(|| scope.table.clone());
            inner.called.push(name);
            match at_depth(condition, &inner, depth) {
                Truth::True | Truth::Whole => Truth::Whole,
                Truth::NotNull(columns) => Truth::NotNull(columns),
                other => other,
            }
        }
        _ => Truth::Some,
    }
}

fn compared(left: &[Term], sign: &str, right: &[Term], scope: &Scope, depth: u8) -> Truth {
    let (left, right) = (unwrapped(left), unwrapped(right));
    if let [any, rest @ ..] = right
        && any.is_any(&["any", "some"])
        && sign == "="
    {
        let inner = unwrapped(rest);
        let inner = match inner {
            [array, rest @ ..] if array.is("array") => unwrapped(rest),
            _ => inner,
        };
        return match inner.first() {
            Some(first) if first.is("select") => of_the_same(&plain(left), inner, scope, depth),
            _ => Truth::Some,
        };
    }
    let is_reflexive = matches!(sign, "=" | "==" | "<=" | ">=");
    if let ([one], [other]) = (left, right)
        && let Some(truth) = literals(one, sign, other)
    {
        return truth;
    }
    let null = |terms: &[Term]| matches!(terms, [only] if only.is("null"));
    if null(left) || null(right) {
        return Truth::Null;
    }
    if left == right {
        return if is_reflexive {
            Truth::Whole
        } else {
            Truth::Never
        };
    }
    let own = |terms: &[Term]| {
        let (parts, end) = path(terms, 0);
        let of_table = match parts.as_slice() {
            [_] => true,
            [.., table, _] => scope.called.contains(table) || scope.again.contains(table),
            [] => false,
        };
        (end == terms.len() && of_table)
            .then(|| parts.last().cloned())
            .flatten()
    };
    // `id = t.id`; `a.id = b.id` where both are the same table.
    if let (Some(one), Some(other)) = (own(left), own(right))
        && one == other
        && is_reflexive
    {
        return Truth::Whole;
    }
    Truth::Some
}

/// What two constants come to.
fn literals(one: &Term, sign: &str, other: &Term) -> Option<Truth> {
    let order = match (one.kind, other.kind) {
        (Kind::Number, Kind::Number) => {
            let number = |term: &Term| term.text.parse::<f64>().ok();
            number(one)?.partial_cmp(&number(other)?)?
        }
        (Kind::Text, Kind::Text) => {
            // How strings sort depends on where; whether they are the same does not.
            if one.text != other.text && !matches!(sign, "=" | "==" | "<>" | "!=") {
                return None;
            }
            one.text.cmp(&other.text)
        }
        (Kind::Word, Kind::Word) => {
            let value = |term: &Term| match term.text.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            };
            value(one)?.cmp(&value(other)?)
        }
        _ => return None,
    };
    let holds = match sign {
        "=" | "==" => order.is_eq(),
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        ">=" => order.is_ge(),
        _ => order.is_ne(),
    };
    Some(if holds { Truth::True } else { Truth::False })
}
