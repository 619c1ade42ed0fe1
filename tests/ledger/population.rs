//! The population of a report: whatever the entries are, a row for each attempt and for each migration of each
//! refusal in scope, and no other.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tollgate::digest::ChainHash;
use tollgate::ledger::Strays;
use tollgate::model::{Entry, EnvironmentName, Fact, Policy, Timestamp};
use tollgate::report::audit::{Inputs, Report, Scope, build};

use crate::union::{Draw, chains, draw};

fn entries(draws: &[Draw]) -> Vec<(ChainHash, Entry)> {
    let all = chains(draws).into_values().flatten();
    all.map(|entry| {
        let body = entry.to_body().unwrap();
        (Entry::hash_of(body.as_bytes()), entry)
    })
    .collect()
}

fn report(entries: &[(ChainHash, Entry)], scope: &Scope) -> Report {
    build(&Inputs {
        entries,
        strays: &Strays::default(),
        scripts: &BTreeMap::new(),
        policy: &Policy::default(),
        authors: None,
        scope,
        tool: "tollgate test",
        is_secret: &|_| false,
    })
}

/// What an entry of the ledger, read as JSON, says of attempts: independent of how the report reads it.
fn attempts(entries: &[(ChainHash, Entry)]) -> BTreeSet<(String, String)> {
    let mut out = BTreeSet::new();
    for (_, entry) in entries {
        let body: serde_json::Value = serde_json::from_str(&entry.to_body().unwrap()).unwrap();
        let payload = &body["payload"];
        let inner = match body["kind"].as_str().unwrap() {
            "intent" | "outcome" | "resolved" => payload.clone(),
            "absorbed" => serde_json::from_str(payload["body"].as_str().unwrap()).unwrap(),
            _ => continue,
        };
        if inner["kind"] == "rehearsed" {
            continue;
        }
        let text = |key: &str| inner[key].as_str().unwrap().to_owned();
        out.insert((text("environment"), text("attempt")));
    }
    out
}

fn refusals(entries: &[(ChainHash, Entry)]) -> usize {
    let of = |entry: &Entry| match &entry.fact {
        Fact::Refused(refused) => {
            let about: BTreeSet<_> = refused
                .gates
                .iter()
                .filter_map(|it| it.migration.clone())
                .collect();
            about.len().max(1)
        }
        _ => 0,
    };
    entries.iter().map(|(_, entry)| of(entry)).sum()
}

const LATER: i64 = 1_900_000_000_000;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_attempts_and_refusals(draws in prop::collection::vec(draw(), 0..60)) {
        let entries = entries(&draws);
        let report = report(&entries, &Scope::all(Timestamp::from_unix_millis(LATER)));
        let known = attempts(&entries);
        prop_assert_eq!(report.population.len(), known.len() + refusals(&entries));
        let rows: BTreeSet<(String, String)> = report
            .population
            .iter()
            .filter_map(|row| Some((row.environment.to_string(), row.attempt?.to_string())))
            .collect();
        prop_assert_eq!(rows, known);
        let count = |what: &str| report.population.iter().filter(|row| row.outcome == what).count();
        prop_assert_eq!(count("refused"), report.verdicts.refusals);
        prop_assert_eq!(count("failed"), report.verdicts.failures);
        prop_assert_eq!(
            report.verdicts.full_chain + report.verdicts.exceptions.len(),
            report.verdicts.production_changes
        );
    }

    /// A period and its complement, and the environments one by one, divide the rows among them.
    #[test]
    fn scopes_divide_the_rows(draws in prop::collection::vec(draw(), 0..60), part in 0..60_000i64) {
        let entries = entries(&draws);
        let as_of = Timestamp::from_unix_millis(LATER);
        let all = report(&entries, &Scope::all(as_of)).population.len();
        let parts = Timestamp::from_unix_millis(1_760_000_000_000 + part);
        let before = Scope { to: Some(parts), ..Scope::all(as_of) };
        let after = Scope { from: Some(parts), ..Scope::all(as_of) };
        let rows = |scope: &Scope| report(&entries, scope).population.len();
        prop_assert_eq!(rows(&before) + rows(&after), all);
        let one = |name: &str| -> usize {
            let name: EnvironmentName = name.parse().unwrap();
            rows(&Scope { environments: vec![name], ..Scope::all(as_of) })
        };
        prop_assert_eq!(one("dev") + one("test") + one("prod"), all);
    }

    /// What comes later changes nothing in a report of an earlier instant but the count of what is later.
    #[test]
    fn a_report_of_an_instant_stays_what_it_is(draws in prop::collection::vec(draw(), 1..40), kept in 0..40usize) {
        let draws: Vec<Draw> = draws.into_iter().map(|mut draw| { draw.skew = 0; draw }).collect();
        let all = entries(&draws);
        let instant = Timestamp::from_unix_millis(1_760_000_000_000 + 1_000 * i64::try_from(kept).unwrap());
        let then: Vec<_> = all.iter().filter(|(_, entry)| entry.at <= instant).cloned().collect();
        let json = |entries: &[(ChainHash, Entry)]| {
            let mut value = serde_json::to_value(report(entries, &Scope::all(instant))).unwrap();
            value["integrity"]["later"] = 0.into();
            value
        };
        prop_assert_eq!(json(&then), json(&all));
    }
}
