//! baseline: take a database that already has a history into the ledger.
//!
//! Every row of Prisma's that proves its bytes becomes evidence; what has no proof counts as applied only
//! on a person's word, and is never evidence. Nothing runs, and a refusal writes nothing to the target.

use super::contact::{absorb, emptied, judged, other_url, reach, taken};
use super::history::{Part, has_rows, is_kept, make_ready, may_write, write};
use super::tie::{bound, enter, take_in_emptied};
use super::{Run, WorkflowError};
use crate::ledger::view::EnvironmentView;
use crate::model::entry::RefusedGate;
use crate::model::{EnvironmentName, MigrationId};
use crate::planner::gates::identity::Identity;
use crate::planner::gates::reset::may_reset;
use crate::planner::gates::{provider, shell};
use crate::planner::history::{self, Claim, ClaimKind};
use crate::planner::{Finding, Gate};
use crate::targets::{Earlier, Gone, Survey, Target};

/// What to take in.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whose target.
    pub environment: &'a EnvironmentName,
    /// Where there is no history: the last migration whose work stands there, on a person's word.
    pub to: Option<&'a MigrationId>,
    /// Take rows without proof too: applied on a person's word, never evidence.
    pub accept_unproven: bool,
    /// Why a person gives a word.
    pub reason: Option<&'a str>,
}

/// How it ended.
#[derive(Debug)]
pub enum Baseline {
    /// There is nothing that is not in the ledger already.
    Nothing,
    /// It was taken in.
    Done(Taken),
    /// It may not be; the target is as it was.
    Refused(Vec<Finding>),
}

/// What was taken in.
#[derive(Debug, Default)]
pub struct Taken {
    /// Migrations that Prisma ran, with the bytes on disk: evidence.
    pub proven: Vec<MigrationId>,
    /// Migrations that count as applied on a person's word, with what was found of each.
    pub said: Vec<(MigrationId, &'static str)>,
    /// What Prisma's table says that is neither: each needs somebody.
    pub left: Vec<Finding>,
    /// What was rolled back under Prisma: pending.
    pub rolled_back: Vec<MigrationId>,
}

/// Takes in what stands in a target.
///
/// # Errors
/// [`WorkflowError`]. Nothing is half done; what stands in the target the next contact takes in.
pub fn baseline(run: &mut Run<'_>, request: &Request<'_>) -> Result<Baseline, WorkflowError> {
    let ended = try_to_take_in(run, request)?;
    if let Baseline::Refused(findings) = &ended {
        let gates = findings.iter().map(|finding| RefusedGate {
            gate: finding.gate.as_str().to_owned(),
            migration: finding.migration.clone(),
        });
        run.refuse_all("baseline", request.environment, gates.collect())?;
    }
    Ok(ended)
}

fn try_to_take_in(run: &mut Run<'_>, request: &Request<'_>) -> Result<Baseline, WorkflowError> {
    let environment = request.environment;
    let refused = |finding| Ok(Baseline::Refused(vec![finding]));
    let (mut target, survey) = reach(run, environment)?;
    if let Some(finding) = taken(run, environment, &survey) {
        return refused(finding);
    }
    if let Some(finding) = provider(environment, target.engine(), run.prisma) {
        return refused(finding);
    }
    let anew = match stand(run, request, target.as_mut(), &survey)? {
        Stand::Entered => None,
        Stand::ToEnter(earlier) => Some(earlier),
        Stand::Refused(finding) => return refused(finding),
    };
    let nothing = EnvironmentView::default();
    let here = match anew {
        None => run.ledger.view().get(environment).unwrap_or(&nothing),
        Some(_) => &nothing,
    };
    let claims = survey
        .history
        .as_ref()
        .map(|rows| history::judge(rows, run.files, here, &survey.journals))
        .unwrap_or_default();
    let by_word: Vec<_> = run
        .files
        .iter()
        .filter(|file| request.to.is_some_and(|to| file.migration <= to))
        .filter(|file| !here.applied.contains_key(file.migration))
        // What did not finish under Prisma needs a word of its own.
        .filter(|file| {
            !claims.iter().any(|claim| {
                claim.row.migration == *file.migration
                    && (claim.kind.stands() || claim.kind == ClaimKind::Failed)
            })
        })
        .collect();
    if let Some(findings) = not_yet(run, request, &survey, &claims, !by_word.is_empty()) {
        return Ok(Baseline::Refused(findings));
    }
    let parts: Vec<Part<'_>> = claims
        .iter()
        .filter(|claim| claim.kind.stands())
        .map(|claim| Part::of_row(run, environment, claim))
        .chain(
            by_word
                .iter()
                .map(|file| Part::of_file(run, environment, file)),
        )
        .collect();
    let mut done = told(run, environment, &claims);
    done.said.extend(
        by_word
            .iter()
            .map(|file| (file.migration.clone(), "on a person's word")),
    );
    if parts.is_empty() && done.left.is_empty() {
        return Ok(Baseline::Nothing);
    }
    let history = survey.history.as_ref();
    let keeps = is_kept(run, target.as_ref(), history);
    if keeps {
        may_write(environment, history)?;
    }
    if let Some(earlier) = anew {
        let reason = request
            .reason
            .map(|reason| crate::model::one_line(&(run.clean)(reason)));
        enter(run, environment, target.as_mut(), earlier, reason)?;
    }
    if !parts.is_empty() {
        let reason = request
            .reason
            .map(|reason| crate::model::one_line(&(run.clean)(reason)));
        write(run, environment, target.as_mut(), &parts, reason)?;
    }
    // So that Prisma does not run what a person said stands there.
    if keeps {
        make_ready(run, environment, target.as_mut(), history)?;
    }
    // What stands there from here on is what later looks compare with.
    super::verify::keep(run, environment, target.as_mut());
    Ok(Baseline::Done(done))
}

/// How a target stands to the ledger.
enum Stand {
    /// It is the environment's, and entered.
    Entered,
    /// It is entered, or begins a new life, when something is taken in.
    ToEnter(Earlier),
    /// It is not to be taken in.
    Refused(Finding),
}

fn stand(
    run: &mut Run<'_>,
    request: &Request<'_>,
    target: &mut dyn Target,
    survey: &Survey,
) -> Result<Stand, WorkflowError> {
    let environment = request.environment;
    match judged(run, environment, survey) {
        Identity::New => return Ok(Stand::ToEnter(Earlier::Keep)),
        Identity::Same => {}
        Identity::Copied => enter(run, environment, target, Earlier::Keep, None)?,
        Identity::Known(identity) => bound(run, environment, identity, None)?,
        Identity::Emptied(identity) => take_in_emptied(run, environment, identity)?,
        Identity::Other(finding) => {
            let made_anew = survey.recorded.is_none() && has_rows(survey);
            let meant = format!("tollgate baseline {environment} --reason '<why>'");
            return Ok(match request.reason {
                Some(_) if made_anew => Stand::ToEnter(Earlier::Keep),
                _ if made_anew => Stand::Refused(Finding {
                    remedy: other_url(run, environment, survey, Some(meant.clone()))
                        .unwrap_or(meant),
                    ..finding
                }),
                _ => Stand::Refused(finding),
            });
        }
    }
    if let Some(finding) = absorb(run, environment, target, survey)? {
        return Ok(Stand::Refused(finding));
    }
    let Some(finding) = emptied(run, environment, survey) else {
        return Ok(Stand::Entered);
    };
    let by_prisma = has_rows(survey) && survey.gone.as_ref().is_some_and(Gone::is_filled);
    Ok(match request.reason {
        _ if !by_prisma => Stand::Refused(finding),
        None if !may_reset(run.policy, environment) => Stand::Refused(Finding {
            remedy: format!("tollgate baseline {environment} --reason '<why Prisma reset it>'"),
            ..finding
        }),
        _ => Stand::ToEnter(Earlier::Archive),
    })
}

/// Everything that keeps a history from being taken in.
fn not_yet(
    run: &Run<'_>,
    request: &Request<'_>,
    survey: &Survey,
    claims: &[Claim],
    by_word: bool,
) -> Option<Vec<Finding>> {
    let environment = request.environment;
    let about_all = |gate, fact: &str, found: &str, required: &str, remedy| Finding {
        gate,
        migration: None,
        fact: fact.to_owned(),
        found: vec![found.to_owned()],
        required: required.to_owned(),
        remedy,
    };
    let mut findings = Vec::new();
    if survey.is_prisma_8 {
        findings.push(about_all(
            Gate::Prisma,
            "Prisma 8 migrated this database, and tollgate does not read what it records",
            "prisma_contract in the target",
            "a database of Prisma 5, 6 or 7",
            format!("edit tollgate.toml: give {environment} the url of such a database"),
        ));
    }
    let accepted = |kind: ClaimKind| request.accept_unproven && kind.may_be_accepted();
    let unproven = claims
        .iter()
        .filter(|claim| claim.kind.needs_a_word() && !accepted(claim.kind));
    findings.extend(unproven.filter_map(|claim| history::finding(environment, run.files, claim)));
    if by_word && !survey.is_filled {
        findings.push(about_all(
            Gate::Baseline,
            "the database is empty: nothing of any migration stands there",
            "no table in the application's schema",
            "the tables that these migrations make",
            format!("tollgate apply {environment}"),
        ));
    }
    let is_known = run.ledger.view().get(environment);
    let is_new = is_known.is_none_or(|here| here.receipts.is_empty());
    if is_new
        && !survey.is_prisma_8
        && claims.is_empty()
        && survey.is_filled
        && request.to.is_none()
    {
        let first = run.files.first().map_or_else(
            || "0_init".to_owned(),
            |file| shell(file.migration.as_str()),
        );
        findings.push(about_all(
            Gate::Baseline,
            "the database has tables, and Prisma's table does not tell what made them",
            "no row of Prisma's",
            "a person's word for the last migration whose work stands there",
            format!("tollgate baseline {environment} --to {first} --reason '<why>'"),
        ));
    }
    (!findings.is_empty()).then_some(findings)
}

/// What a report says of the claims that are taken in.
fn told(run: &Run<'_>, environment: &EnvironmentName, claims: &[Claim]) -> Taken {
    let mut taken = Taken::default();
    for claim in claims {
        let migration = claim.row.migration.clone();
        match claim.kind {
            ClaimKind::Proven => taken.proven.push(migration),
            ClaimKind::RolledBack => taken.rolled_back.push(migration),
            ClaimKind::Failed | ClaimKind::FailedAgain => {
                taken
                    .left
                    .extend(history::finding(environment, run.files, claim));
            }
            _ => taken.said.push((migration, claim.kind.fact())),
        }
    }
    taken
}
