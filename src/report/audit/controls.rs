//! Where each control of the usual frameworks finds its evidence. Evidence that supports, never compliance.

use serde::Serialize;

use super::{Change, Known, MISSING, Row, Verdicts};

/// One control.
#[derive(Debug, Serialize)]
pub struct Control {
    /// The framework.
    pub framework: &'static str,
    /// Its number there.
    pub control: &'static str,
    /// What it asks, in short.
    pub asks: &'static str,
    /// `evidence`, `MISSING` or `out of scope`.
    pub state: &'static str,
    /// What there is, or is not.
    pub says: String,
    /// Where in the report: `population`, `changes`, `integrity` ...
    pub place: Option<&'static str>,
}

/// The controls, in their order.
pub(super) fn controls(
    known: &Known<'_>,
    verdicts: &Verdicts,
    rows: &[Row],
    changes: &[Change],
) -> Vec<Control> {
    let change_numbers = rows.iter().filter(|row| row.change.is_some()).count();
    let attempts = verdicts.attempts;
    let reviewed = changes.iter().filter(|it| it.reviewer != MISSING).count();
    let approved = rows
        .iter()
        .filter(|row| row.kind == "attempt" && !row.approved_by.is_empty())
        .count();
    let approvals = match approved {
        0 => format!("{MISSING}, or kept elsewhere"),
        some => format!("on {some} of {attempts} attempts, recorded, not signed"),
    };
    let met = changes.iter().filter(|it| it.duties.state == "met").count();
    let rehearsed = changes
        .iter()
        .filter(|it| !it.rehearsals.is_empty())
        .count();
    let (all, production) = (changes.len(), verdicts.production_changes);
    let refused = verdicts.refusals;
    let anchored = known.entries.len();
    let full = verdicts.full_chain;
    let evidence = |some: bool| if some { "evidence" } else { MISSING };
    let one = |framework, control, asks, state, says: String, place| Control {
        framework,
        control,
        asks,
        state,
        says,
        place,
    };
    let out = |framework, control, asks, says: &str| Control {
        framework,
        control,
        asks,
        state: "out of scope",
        says: says.to_owned(),
        place: None,
    };
    vec![
        one("SOC 2", "CC8.1", "Changes are authorized, documented, tested, approved and implemented", evidence(attempts > 0),
            format!("{attempts} attempts on record; {full} of {production} production changes ran first, byte for byte, in every earlier environment. Approvals: {approvals}"), Some("population")),
        one("ISO 27001", "A.8.31", "Development, test and production are separated", evidence(known.chain.len() > 1),
            format!("a chain of {} environments, each bound to a target of its own by its identity", known.chain.len()), Some("environments")),
        one("ISO 27001", "A.8.32", "Changes follow change management procedures", evidence(attempts > 0),
            format!("every attempt and {refused} refusals, with who, when and which bytes"), Some("population")),
        one("PCI DSS", "6.5.1", "Changes are documented: reason, impact, approval, testing, security, back-out", evidence(all > 0),
            format!("reasons and impact in each change; change numbers on {change_numbers} of {attempts} attempts; reversal rehearsed for {rehearsed} of {all}; documented approval: {approvals}"), Some("changes")),
        one("PCI DSS", "6.5.2", "Requirements are confirmed after significant changes", MISSING,
            "no confirmation is recorded by this tool".to_owned(), None),
        one("PCI DSS", "6.5.3", "Pre-production is separated from production", evidence(known.chain.len() > 1),
            "identities of the targets; production is refused where its target is another environment's".to_owned(), Some("environments")),
        one("PCI DSS", "6.5.4", "Roles and functions are separated, with accountability", evidence(met > 0),
            format!("separation of duties met, as far as names tell, for {met} of {all} changes; the others say so, with the compensating control"), Some("changes")),
        out("PCI DSS", "6.5.5", "Live account numbers are not used in pre-production", "the tool does not look at rows"),
        out("PCI DSS", "6.5.6", "Test data and accounts are removed before production", "the tool does not look at rows"),
        one("SOX", "change management", "Changes that reach financial systems are tested, approved and traceable", evidence(production > 0),
            format!("{production} production changes, {} with an exception; samples can be followed from each row to its entries. Approvals: {approvals}", verdicts.exceptions.len()), Some("verdicts")),
        one("NIST SP 800-53", "CM-3", "Changes are controlled, documented, reviewed and retained", evidence(attempts > 0),
            format!("the population, and what was refused ({refused}); reviews on record for {reviewed} of {all} changes"), Some("population")),
        one("NIST SP 800-53", "CM-5", "Access for change is restricted, and its use recorded", evidence(attempts > 0),
            "who, from where, for every attempt and refusal; access rights themselves are the database's".to_owned(), Some("population")),
        one("NIST SP 800-53", "AU-9", "Audit information is protected against alteration", evidence(anchored > 0),
            "hash-chained entries, whose heads stand in the targets' receipts; what that cannot show is said".to_owned(), Some("integrity")),
        one("NIST SP 800-53", "AU-10", "Actions cannot be denied", MISSING,
            "entries are chained, not signed: names are recorded and not proven".to_owned(), Some("limits")),
    ]
}
