//! Why a migration can go to an environment, or cannot: what every gate says.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::plan::finding_json;
use super::{Paint, count, waiver_json};
use crate::ledger::view::Success;
use crate::model::MigrationId;
use crate::model::approval::NOT_SIGNED;
use crate::planner::gates::shell;
use crate::planner::{Answer, Finding, Plan, State, Verdict};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The migration.
    pub migration: &'a MigrationId,
    /// The plan up to it.
    pub plan: &'a Plan,
    /// What the gates say of that plan.
    pub answers: &'a [Answer],
    /// How it came to stand there, where it does.
    pub stands: Option<&'a Success>,
}

impl Question<'_> {
    /// Whether it could go, or is there.
    #[must_use]
    pub fn could_go(&self) -> bool {
        self.stands.is_some() || self.plan.verdict() == Verdict::Ready
    }

    /// What is about it, or about all.
    fn about(&self) -> impl Iterator<Item = &Answer> {
        let is = |answer: &&Answer| {
            answer
                .migration
                .as_ref()
                .is_none_or(|of| of == self.migration)
        };
        self.answers.iter().filter(is)
    }

    /// The other migrations that stand in its way.
    fn in_the_way(&self) -> BTreeSet<&MigrationId> {
        let others = self.answers.iter().filter(|answer| answer.state.refuses());
        let others = others.filter_map(|answer| answer.migration.as_ref());
        others.filter(|of| *of != self.migration).collect()
    }
}

/// The answer for people, ending in a line feed.
#[must_use]
pub fn text(question: &Question<'_>, paint: Paint) -> String {
    let environment = &question.plan.environment;
    let migration = question.migration;
    if let Some(success) = question.stands {
        return stands(question, success, paint);
    }
    let refused = question.about().filter(|it| it.state.refuses()).count();
    let others = question.in_the_way();
    let mut out = match (question.could_go(), refused) {
        (true, _) => format!(
            "{} {}\n\n",
            paint.good("yes:"),
            paint.bold(&format!("{migration} could go to {environment}"))
        ),
        (false, 0) => format!(
            "{} {}\n\n",
            paint.bad("no:"),
            paint.bold(&format!(
                "{migration} cannot go to {environment} before what stands before it"
            ))
        ),
        (false, refused) => format!(
            "{} {}\n\n",
            paint.bad("no:"),
            paint.bold(&format!(
                "{migration} cannot go to {environment}: {} not met",
                match refused {
                    1 => "1 gate is".to_owned(),
                    _ => format!("{refused} gates are"),
                }
            ))
        ),
    };
    let mut not_asked = Vec::new();
    for answer in question.about() {
        if answer.state == State::NotAsked {
            not_asked.push(answer.gate.as_str());
        } else {
            out.push_str(&shown(answer, paint));
        }
    }
    if !not_asked.is_empty() {
        out.push_str(&format!("  {:<11} {}\n", "not asked", not_asked.join(", ")));
    }
    if !others.is_empty() {
        out.push_str(&in_the_way(question, &others));
    }
    if question.could_go() {
        let before = question.plan.steps.len().saturating_sub(1);
        let with = match before {
            0 => String::new(),
            _ => format!("   # with {} before it", count(before, "migration")),
        };
        out.push_str(&format!(
            "\n  next      tollgate apply {environment} --to {}{with}\n",
            shell(migration.as_str())
        ));
    }
    out
}

fn in_the_way(question: &Question<'_>, others: &BTreeSet<&MigrationId>) -> String {
    let environment = &question.plan.environment;
    let mut out = format!(
        "\n  before it {} pending that cannot go:\n",
        match others.len() {
            1 => "1 migration is".to_owned(),
            many => format!("{many} migrations are"),
        }
    );
    for other in others.iter().take(3) {
        let gates: BTreeSet<&str> = question
            .answers
            .iter()
            .filter(|it| it.state.refuses() && it.migration.as_ref() == Some(*other))
            .map(|it| it.gate.as_str())
            .collect();
        let gates: Vec<&str> = gates.into_iter().collect();
        out.push_str(&format!("    {other}   {}\n", gates.join(", ")));
    }
    if others.len() > 3 {
        out.push_str(&format!("    and {} more\n", others.len() - 3));
    }
    out.push_str(&format!("  remedy    tollgate plan {environment}\n"));
    out
}

fn shown(answer: &Answer, paint: Paint) -> String {
    let gate = format!("{:<11}", answer.gate.as_str());
    let mut out = String::new();
    let mut line = |label: &str, text: &str| {
        out.push_str(&format!("  {label:<11} {text}\n"));
    };
    match &answer.state {
        State::Met(how) => {
            let mut label = paint.good(&gate);
            for how in how {
                line(&label, &format!("met: {how}"));
                label = String::new();
            }
        }
        State::NotAsked => {}
        State::Warned(finding) => {
            line(&paint.warn(&gate), &format!("warns: {}", finding.fact));
            rest(finding, &mut line);
        }
        State::Refused(finding) => {
            line(&paint.bad(&gate), &format!("not met: {}", finding.fact));
            rest(finding, &mut line);
        }
        State::Waived(waived) => {
            let waiver = &waived.waiver;
            line(
                &paint.warn(&gate),
                &format!(
                    "waived by {} {}: {}",
                    waiver.actor,
                    waiver.at.minute(),
                    waiver.reason
                ),
            );
            line("", &format!("  {:<9} {}", "what", waived.finding.fact));
        }
    }
    out
}

fn rest(finding: &Finding, line: &mut impl FnMut(&str, &str)) {
    let mut label = "found";
    for found in &finding.found {
        line("", &format!("  {label:<9} {found}"));
        label = "";
    }
    line("", &format!("  {:<9} {}", "required", finding.required));
    line("", &format!("  {:<9} {}", "remedy", finding.remedy));
}

/// It stands there: by whom, and on what.
fn stands(question: &Question<'_>, success: &Success, paint: Paint) -> String {
    let environment = &question.plan.environment;
    let migration = question.migration;
    let mut out = format!(
        "{} {}\n\n",
        paint.good("applied:"),
        paint.bold(&format!("{migration} stands in {environment}"))
    );
    out.push_str(&format!(
        "  {:<11} {} by {}, receipt {} ({})\n  {:<11} {}\n",
        "since",
        success.at.minute(),
        success.by,
        success.receipt.seq,
        success.receipt.hash,
        "bytes",
        success.bytes(),
    ));
    if let Some(release) = &success.release {
        let change = release.change.as_ref();
        let change = change.map_or_else(String::new, |change| format!(", change {change}"));
        out.push_str(&format!("  {:<11} {}{change}\n", "saved plan", release.id));
        for approval in &release.approvals {
            out.push_str(&format!(
                "  {:<11} {}, {NOT_SIGNED}\n",
                "approved",
                approval.told()
            ));
        }
    }
    for waiver in &success.waivers {
        out.push_str(&format!(
            "  {:<11} {} by {} {}: {}\n",
            "waived",
            waiver.gate,
            waiver.actor,
            waiver.at.minute(),
            waiver.reason
        ));
    }
    for debt in &success.debts {
        out.push_str(&format!(
            "  {:<11} {}; it is no evidence\n",
            "glass",
            debt.told()
        ));
    }
    out.push_str(&format!(
        "\n  next      tollgate log --migration {}\n",
        shell(migration.as_str())
    ));
    out
}

/// The answer as `tollgate/why/v1`.
#[must_use]
pub fn json(question: &Question<'_>) -> Value {
    json!({
        "schema": "tollgate/why/v1",
        "migration": question.migration,
        "environment": question.plan.environment,
        "could_go": question.could_go(),
        "stands": question.stands.map(|success| json!({
            "at": success.at,
            "by": success.by,
            "checksum": success.checksum,
            "receipt": success.receipt,
            "release": success.release,
            "waived": success.waivers.iter().map(waiver_json).collect::<Vec<_>>(),
            "debts": success.debts,
        })),
        "gates": question.about().map(answer_json).collect::<Vec<_>>(),
        "in_the_way": question.in_the_way(),
    })
}

/// What one gate says, as the documents have it.
#[must_use]
pub fn answer_json(answer: &Answer) -> Value {
    let (how, finding, waiver) = match &answer.state {
        State::Met(how) => (Some(how), None, None),
        State::NotAsked => (None, None, None),
        State::Warned(finding) | State::Refused(finding) => (None, Some(finding), None),
        State::Waived(waived) => (None, Some(&waived.finding), Some(&waived.waiver)),
    };
    json!({
        "gate": answer.gate.as_str(),
        "migration": answer.migration,
        "state": answer.state.as_str(),
        "how": how,
        "finding": finding.map(finding_json),
        "waiver": waiver.map(waiver_json),
    })
}
