//! Which of a script's directives is the one that allows a finding: the closest to it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Allow, Covers, DATA_LOSS};
use crate::lint::{Finding, Topic, rules};

/// The places of a script's directives by their codes. Of several that say the same of the same, the first.
#[derive(Default)]
struct Codes<'a> {
    first: BTreeMap<&'a str, usize>,
    others: Vec<(&'a str, usize)>,
}

/// A script's directives, to be looked up by what they cover: a script may have as many as statements.
pub(super) struct Choice<'a> {
    script: Codes<'a>,
    /// By where the statement begins, with its end. No statement stands in another one.
    statements: BTreeMap<usize, (usize, Codes<'a>)>,
}

impl<'a> Codes<'a> {
    fn add(&mut self, code: &'a str, place: usize) {
        if self.first.contains_key(code) {
            self.others.push((code, place));
        } else {
            self.first.insert(code, place);
        }
    }

    /// A rule's own code is closer to it than the word for all of its topic.
    fn of(&self, finding: &Finding) -> Option<usize> {
        let named = codes(finding).find_map(|code| self.first.get(code));
        named.copied()
    }

    fn all(&self) -> impl Iterator<Item = (&'a str, usize)> {
        let first = self.first.iter().map(|(code, place)| (*code, *place));
        first.chain(self.others.iter().copied())
    }
}

/// The words that allow a finding, the closest first; of what is found about directives none.
fn codes(finding: &Finding) -> impl Iterator<Item = &'static str> {
    let can = !rules::allowing::ALL.contains(&finding.rule);
    let topic = (finding.rule.topic == Topic::DataLoss).then_some(DATA_LOSS);
    [Some(finding.rule.code), topic]
        .into_iter()
        .flatten()
        .filter(move |_| can)
}

impl<'a> Choice<'a> {
    pub(super) fn new(allows: &'a [Allow]) -> Self {
        let mut choice = Self {
            script: Codes::default(),
            statements: BTreeMap::new(),
        };
        for (place, allow) in allows.iter().enumerate() {
            match &allow.covers {
                Covers::Script => choice.script.add(&allow.code, place),
                Covers::Statement(range) => {
                    let new = || (range.end, Codes::default());
                    let (_, codes) = choice.statements.entry(range.start).or_insert_with(new);
                    codes.add(&allow.code, place);
                }
                Covers::Nothing => {}
            }
        }
        choice
    }

    /// The place of the directive that allows a finding: one of its statement goes before one of the script.
    pub(super) fn of(&self, finding: &Finding) -> Option<usize> {
        let statement = self.statement(finding).and_then(|codes| codes.of(finding));
        statement.or_else(|| self.script.of(finding))
    }

    /// The places of all directives that cover and name any of these findings.
    pub(super) fn covering(&self, findings: &[Finding]) -> BTreeSet<usize> {
        let mut named: BTreeSet<&str> = BTreeSet::new();
        let mut in_statements: BTreeSet<(usize, &str)> = BTreeSet::new();
        for finding in findings {
            named.extend(codes(finding));
            if let Some(start) = self.start(finding) {
                in_statements.extend(codes(finding).map(|code| (start, code)));
            }
        }
        let script = self.script.all();
        let script = script.filter(|(code, _)| named.contains(code));
        let statements = self.statements.iter().flat_map(|(start, (_, codes))| {
            let all = codes.all();
            all.filter(|(code, _)| in_statements.contains(&(*start, *code)))
                .collect::<Vec<_>>()
        });
        script.chain(statements).map(|(_, place)| place).collect()
    }

    /// Where the statement begins that a finding is in, if a directive covers it.
    fn start(&self, finding: &Finding) -> Option<usize> {
        if finding.range.is_empty() {
            return None;
        }
        let before = self.statements.range(..=finding.range.start);
        let (start, (end, _)) = before.last()?;
        (finding.range.start < *end).then_some(*start)
    }

    fn statement(&self, finding: &Finding) -> Option<&Codes<'a>> {
        let start = self.start(finding)?;
        self.statements.get(&start).map(|(_, codes)| codes)
    }
}
