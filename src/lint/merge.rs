//! What one statement does to one table several times is told once: "drops column t.a and t.b".

use super::Finding;
use super::at::Found;

/// Merges what a rule found several times about the same statement and table, with the same consequence.
pub(super) fn merged(found: Vec<Found>) -> Vec<Finding> {
    let mut out: Vec<(usize, Vec<String>, Finding)> = Vec::new();
    for Found {
        statement, finding, ..
    } in found
    {
        // Only what was found about this statement is looked through.
        let same = out
            .iter_mut()
            .rev()
            .take_while(|(of, _, _)| *of == statement)
            .take(MOST_APART)
            .find(|(_, _, first)| is_alike(first, &finding));
        if let Some((_, facts, first)) = same {
            first.range =
                first.range.start.min(finding.range.start)..first.range.end.max(finding.range.end);
            if let Some((_, column)) = &mut first.subject {
                *column = None;
            }
            facts.push(finding.fact);
        } else {
            out.push((statement, vec![finding.fact.clone()], finding));
        }
    }
    out.into_iter()
        .map(|(_, facts, finding)| Finding {
            fact: together(&facts),
            ..finding
        })
        .collect()
}

/// So many different findings about a statement are compared with a new one.
const MOST_APART: usize = 50;

fn is_alike(one: &Finding, other: &Finding) -> bool {
    let table = |finding: &Finding| finding.subject.as_ref().map(|(table, _)| table.clone());
    one.rule == other.rule
        && one.consequence == other.consequence
        && one.help == other.help
        && table(one).is_some()
        && table(one) == table(other)
}

/// Facts that begin and end alike, as one.
fn together(facts: &[String]) -> String {
    let words: Vec<Vec<&str>> = facts.iter().map(|fact| fact.split(' ').collect()).collect();
    let Some((first, rest)) = words.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return facts.concat();
    };
    let shortest = words.iter().map(Vec::len).min().unwrap_or_default();
    let alike =
        |at: &dyn Fn(&[&str]) -> Option<String>| rest.iter().all(|other| at(other) == at(first));
    let head = (0..shortest.saturating_sub(1))
        .take_while(|place| alike(&|words| words.get(*place).map(ToString::to_string)))
        .count();
    let tail = (1..shortest - head)
        .take_while(|back| {
            alike(&|words| {
                let place = words.len().checked_sub(*back)?;
                words.get(place).map(ToString::to_string)
            })
        })
        .count();
    let middles: Vec<String> = words
        .iter()
        .filter_map(|words| words.get(head..words.len() - tail))
        .map(|middle| middle.join(" "))
        .collect();
    let comma = if middles.iter().all(|middle| middle.ends_with(',')) {
        ","
    } else {
        ""
    };
    let middles: Vec<&str> = middles
        .iter()
        .map(|middle| middle.trim_end_matches(','))
        .collect();
    let (last, before) = middles.split_last().unwrap_or((&"", &[]));
    let list = format!("{} and {last}{comma}", before.join(", "));
    let mut out = first.get(..head).unwrap_or_default().to_vec();
    out.push(&list);
    out.extend(first.get(first.len() - tail..).unwrap_or_default());
    out.join(" ")
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn facts_as_one() {
        let all =
            |facts: &[&str]| together(&facts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(all(&["drops column t.a"]), "drops column t.a");
        assert_eq!(
            all(&["drops column t.a", "drops column t.b", "drops column t.c"]),
            "drops column t.a, t.b and t.c"
        );
        assert_eq!(
            all(&[
                "adds t.a, required and without a default",
                "adds t.b, required and without a default"
            ]),
            "adds t.a and t.b, required and without a default"
        );
        assert_eq!(
            all(&["drops column t.a and adds it anew", "drops column t.b"]),
            "drops column t.a and adds it anew and t.b"
        );
        assert_eq!(all(&["a", "a"]), "a and a");
    }
}
