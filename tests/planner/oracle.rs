//! The oracle: what a plan must come to, from the laws alone. It never folds: every fact is looked
//! up in the whole list of events, and held as a set of tuples.

use std::collections::BTreeSet;

use tollgate::planner::history::ClaimKind;
use tollgate::planner::{Gate, Plan};

use crate::worlds::{DESTROYS, Env, Event, Name, Question, Version, What, name_of, version_of};

/// A plan, as far as the laws fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) verdict: &'static str,
    pub(crate) refusals: BTreeSet<(Gate, Option<Name>)>,
    pub(crate) warnings: BTreeSet<(Gate, Option<Name>)>,
    pub(crate) steps: Vec<(Name, Version)>,
    pub(crate) ready_to: Option<Name>,
    pub(crate) waived: BTreeSet<(Gate, Name)>,
}

/// The same of a plan that the planner made.
pub(crate) fn answer_of(plan: &Plan) -> Answer {
    let about = |finding: &tollgate::planner::Finding| {
        (finding.gate, finding.migration.as_ref().map(name_of))
    };
    Answer {
        verdict: plan.verdict().as_str(),
        refusals: plan.refusals.iter().map(about).collect(),
        warnings: plan.warnings.iter().map(about).collect(),
        steps: plan
            .steps
            .iter()
            .map(|step| (name_of(&step.migration), version_of(step.checksum)))
            .collect(),
        ready_to: plan.ready_to.as_ref().map(name_of),
        waived: plan
            .waived
            .iter()
            .map(|waived| (waived.finding.gate, name_of(&waived.waiver.migration)))
            .collect(),
    }
}

/// What is true of a world.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// These bytes ran and succeeded in this environment, on any target that it ever had.
    pub(crate) evidence: BTreeSet<(Env, Name, Version)>,
    /// The present target holds a receipt, the newest of the migration, for these bytes.
    pub(crate) applied: BTreeSet<(Env, Name, Version)>,
    /// An attempt on the present target has no end.
    pub(crate) unsettled: BTreeSet<(Env, Name)>,
    /// An attempt on the present target failed half-way, and nobody settled it.
    pub(crate) halfway: BTreeSet<(Env, Name)>,
    /// What stands of these bytes on the present target may be continued.
    pub(crate) standing: BTreeSet<(Env, Name, Version)>,
    /// The last failure that left nothing on the present target, of a migration that did not succeed after it.
    pub(crate) rolled_back: BTreeSet<(Env, Name, Version)>,
    /// A person accepted what a gate refuses of these bytes, and nothing was begun under that since, but
    /// what stands and goes on.
    pub(crate) waived: BTreeSet<(Env, Gate, Name, Version)>,
    /// Those of them that nothing ran under.
    pub(crate) unspent: BTreeSet<(Env, Gate, Name, Version)>,
    /// The attempts on present targets that have no end, or failed half-way and were not settled.
    pub(crate) in_the_air: BTreeSet<u32>,
    /// The attempts of which a part stands, and nobody said what of it.
    in_part: BTreeSet<u32>,
    /// Something runs, or ran, there through broken glass, and is not paid for.
    pub(crate) owing: BTreeSet<Env>,
}

/// An attempt through broken glass, as the whole list of events tells of it.
#[derive(Debug, Clone, Copy)]
struct Broken {
    env: Env,
    name: Name,
    version: Version,
    attempt: u32,
    /// Its receipt stands, or stood.
    stands: bool,
    /// It failed, and left nothing.
    left_nothing: bool,
    reviewed: bool,
}

/// Every attempt through broken glass.
fn broken(events: &[Event]) -> Vec<Broken> {
    let mut all = Vec::new();
    for (place, event) in events.iter().enumerate() {
        let What::Glass {
            attempt: begun,
            name,
            version,
        } = event.what
        else {
            continue;
        };
        let here = |one: &&Event| one.env == event.env;
        let mut later = events[place + 1..].iter().filter(here);
        let stands = |one: &Event| match one.what {
            What::Succeeded { attempt } => attempt == begun,
            What::Absorbed {
                attempt, ran_in, ..
            } => attempt == begun && ran_in == event.env,
            _ => false,
        };
        all.push(Broken {
            env: event.env,
            name,
            version,
            attempt: begun,
            stands: later.clone().any(stands),
            left_nothing: later
                .clone()
                .any(|one| one.what == What::Failed { attempt: begun }),
            reviewed: later.any(|one| one.what == What::Reviewed),
        });
    }
    all
}

impl Facts {
    /// Whether these bytes ran there as a debt asks for it: on the ordinary way, or through glass that is
    /// paid for.
    fn ran(&self, broken: &[Broken], env: Env, name: Name, version: Version) -> bool {
        let paid = |it: &Broken| {
            (it.env, it.name, it.version) == (env, name, version)
                && it.stands
                && it.reviewed
                && self.is_there(it)
                && (0..env).all(|before| self.ran(broken, before, name, version))
        };
        self.evidence.contains(&(env, name, version)) || broken.iter().any(paid)
    }

    /// Whether the present target has its bytes, or may have.
    fn is_there(&self, it: &Broken) -> bool {
        let bytes = (it.env, it.name, it.version);
        self.applied.contains(&bytes)
            || self.standing.contains(&bytes)
            || self.in_the_air.contains(&it.attempt)
            || self.in_part.contains(&it.attempt)
    }

    fn owing(&self, events: &[Event]) -> BTreeSet<Env> {
        let all = broken(events);
        let is_open = |it: &&Broken| {
            (it.stands || !it.left_nothing)
                && (!it.reviewed
                    || self.is_there(it)
                        && !(0..it.env).all(|before| self.ran(&all, before, it.name, it.version)))
        };
        all.iter().filter(is_open).map(|it| it.env).collect()
    }
}

/// The migration and the bytes of an attempt.
fn begun_as(events: &[Event], wanted: u32) -> Option<(Name, Version)> {
    events.iter().find_map(|event| match event.what {
        What::Begun {
            attempt,
            name,
            version,
        }
        | What::Glass {
            attempt,
            name,
            version,
        } if attempt == wanted => Some((name, version)),
        _ => None,
    })
}

/// Whether what may be continued, as was said at this place, still may: nobody said otherwise since, and
/// it did not succeed.
fn stands(events: &[Event], place: usize, attempt: u32) -> bool {
    let of = |attempt| begun_as(events, attempt).map(|(name, _)| name);
    let name = of(attempt);
    let env = events[place].env;
    let mut later = events[place + 1..].iter().filter(|later| later.env == env);
    !later.any(|later| match later.what {
        What::Halfway { attempt }
        | What::Resolved { attempt }
        | What::GoesOn { attempt }
        | What::Succeeded { attempt } => of(attempt) == name,
        What::Absorbed { name: other, .. } => Some(other) == name,
        _ => false,
    })
}

impl Facts {
    pub(crate) fn of(events: &[Event]) -> Self {
        let mut facts = Self::default();
        let begun = |wanted: u32| begun_as(events, wanted);
        let success = |event: &Event| match event.what {
            What::Succeeded { attempt } => {
                begun(attempt).map(|(name, version)| (name, version, event.env))
            }
            What::Absorbed {
                name,
                version,
                ran_in,
                ..
            } => Some((name, version, ran_in)),
            _ => None,
        };
        for (place, event) in events.iter().enumerate() {
            let env = event.env;
            let later = || events[place + 1..].iter().filter(|later| later.env == env);
            let through_glass = match event.what {
                What::Succeeded { attempt } | What::Absorbed { attempt, .. } => events[..place]
                    .iter()
                    .any(|it| matches!(it.what, What::Glass { attempt: begun, .. } if begun == attempt)),
                _ => false,
            };
            if let Some((name, version, ran_in)) = success(event)
                && ran_in == env
                && !through_glass
            {
                facts.evidence.insert((env, name, version));
            }
            if let What::Waived {
                gate,
                name,
                version,
            } = event.what
            {
                // Of a migration that is applied it is a word on the whole plan.
                let of_all = matches!(gate, Gate::Modified | Gate::Missing);
                let under: Vec<u32> = later()
                    .filter_map(|later| match later.what {
                        What::Begun {
                            attempt,
                            name: begun,
                            ..
                        }
                        | What::Glass {
                            attempt,
                            name: begun,
                            ..
                        } if of_all || begun == name => Some(attempt),
                        _ => None,
                    })
                    .collect();
                let bound = events
                    .iter()
                    .rposition(|one| one.env == env && one.what == What::Bound);
                let mut left = events
                    .iter()
                    .enumerate()
                    .filter_map(|(at, one)| match one.what {
                        What::GoesOn { attempt }
                            if one.env == env && bound.is_none_or(|b| at > b) =>
                        {
                            Some((at, attempt))
                        }
                        _ => None,
                    });
                let goes_on = left.any(|(at, attempt)| {
                    under.contains(&attempt)
                        && begun(attempt).is_some_and(|(of, _)| of == name)
                        && stands(events, at, attempt)
                });
                if under.is_empty() {
                    facts.unspent.insert((env, gate, name, version));
                }
                if under.is_empty() || goes_on {
                    facts.waived.insert((env, gate, name, version));
                }
                continue;
            }
            if later().any(|later| later.what == What::Bound) {
                continue;
            }
            let succeeds_later =
                |name| later().filter_map(success).any(|(later, ..)| later == name);
            let ends = |attempt| {
                later().any(|later| match later.what {
                    What::Succeeded { attempt: ended }
                    | What::Failed { attempt: ended }
                    | What::Halfway { attempt: ended }
                    | What::Absorbed { attempt: ended, .. }
                    | What::GoesOn { attempt: ended }
                    | What::Resolved { attempt: ended } => ended == attempt,
                    What::Bound
                    | What::Begun { .. }
                    | What::Glass { .. }
                    | What::Reviewed
                    | What::Unknown { .. }
                    | What::Waived { .. } => false,
                })
            };
            match event.what {
                What::Succeeded { .. } | What::Absorbed { .. } => {
                    if let Some((name, version, _)) = success(event)
                        && !succeeds_later(name)
                    {
                        facts.applied.insert((env, name, version));
                    }
                }
                What::Begun { attempt, name, .. } | What::Glass { attempt, name, .. }
                    if !ends(attempt) =>
                {
                    facts.unsettled.insert((env, name));
                    facts.in_the_air.insert(attempt);
                }
                What::Halfway { attempt } if !ends(attempt) => {
                    // Whoever made it succeed since then took care of what this one had left.
                    let name = begun(attempt).map(|(name, _)| name);
                    if let Some(name) = name.filter(|name| !succeeds_later(*name)) {
                        facts.halfway.insert((env, name));
                        facts.in_part.insert(attempt);
                    }
                }
                What::GoesOn { attempt } => {
                    let Some((name, version)) = begun(attempt) else {
                        continue;
                    };
                    if stands(events, place, attempt) {
                        facts.standing.insert((env, name, version));
                    }
                }
                What::Failed { attempt } => {
                    let Some((name, version)) = begun(attempt) else {
                        continue;
                    };
                    let fails_later = later().any(|later| match later.what {
                        What::Failed { attempt } => begun(attempt).is_some_and(|(n, _)| n == name),
                        _ => false,
                    });
                    if !fails_later && !succeeds_later(name) {
                        facts.rolled_back.insert((env, name, version));
                    }
                }
                _ => {}
            }
        }
        facts.owing = facts.owing(events);
        facts
    }

    /// What the plan must come to. `ready_to` is found by asking for every shorter plan.
    pub(crate) fn answer(&self, question: &Question) -> Answer {
        let mut answer = self.verdict(question);
        if answer.verdict == "refused" {
            let shorter = |to: Name| {
                self.verdict(&Question {
                    to: Some(to),
                    ..question.clone()
                })
            };
            answer.ready_to = answer
                .steps
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| shorter(*name).verdict == "ready")
                .max();
        }
        answer
    }

    fn verdict(&self, question: &Question) -> Answer {
        let here = question.env;
        let applied: BTreeSet<(Name, Version)> = self
            .applied
            .iter()
            .filter(|(env, ..)| *env == here)
            .map(|(_, name, version)| (*name, *version))
            .collect();
        let is_applied = |name: Name| applied.iter().any(|(other, _)| *other == name);
        let on_disk = |name: Name| question.files.iter().find(|(other, _)| *other == name);
        let steps: Vec<(Name, Version)> = question
            .files
            .iter()
            .copied()
            .filter(|(name, _)| !is_applied(*name) && question.to.is_none_or(|to| *name <= to))
            // Over a history that was not taken in nobody knows what is pending.
            .filter(|_| !question.prisma.unknown_history)
            // What Prisma takes for applied never runs a second time.
            .filter(|(name, _)| {
                let mut claims = question.prisma.claims.iter();
                !claims.any(|(other, kind)| other == name && kind.stands())
            })
            .collect();

        let mut strict: BTreeSet<(Gate, Option<Name>)> = BTreeSet::new();
        let mut soft: BTreeSet<(Gate, Option<Name>)> = BTreeSet::new();
        let mut warnings: BTreeSet<(Gate, Option<Name>)> = BTreeSet::new();
        if question.other_target {
            strict.insert((Gate::Identity, None));
        }
        let prisma = &question.prisma;
        if prisma.unknown_history {
            strict.insert((Gate::Baseline, None));
        } else if question.other_tables && !prisma.newer && !prisma.wrong_provider {
            // In a tree of Prisma's only the application's schema counts, and it is empty here.
            warnings.insert((Gate::Baseline, None));
        }
        if prisma.newer || prisma.wrong_provider {
            strict.insert((Gate::Prisma, None));
        }
        for (name, kind) in prisma.claims.iter().filter(|(name, _)| !is_applied(*name)) {
            match kind {
                ClaimKind::Failed | ClaimKind::FailedAgain => {
                    strict.insert((Gate::Failed, Some(*name)));
                }
                ClaimKind::LineEndings | ClaimKind::Edited | ClaimKind::ByHand => {
                    soft.insert((Gate::Modified, Some(*name)));
                }
                ClaimKind::Missing | ClaimKind::Renamed | ClaimKind::Ahead => {
                    soft.insert((Gate::Missing, Some(*name)));
                }
                ClaimKind::Proven | ClaimKind::Said | ClaimKind::RolledBack => {}
            }
        }
        if let Some(name) = question.begun_elsewhere {
            strict.insert((Gate::Unknown, Some(name)));
        }
        for (_, name) in self.unsettled.iter().filter(|(env, _)| *env == here) {
            strict.insert((Gate::Unknown, Some(*name)));
        }
        for (_, name) in self.halfway.iter().filter(|(env, _)| *env == here) {
            // Another ledger went on with it: its attempt answers for what stands.
            if question.begun_elsewhere == Some(*name) {
                continue;
            }
            strict.insert((Gate::Failed, Some(*name)));
        }
        // Under the lock the target's journal tells, and it knows of none here.
        let claims = prisma.claims.iter().any(|(name, _)| !is_applied(*name));
        let looked = question.other_target
            || question.other_tables
            || question.begun_elsewhere.is_some()
            || prisma.unknown_history
            || prisma.newer
            || claims;
        let standing = self.standing.iter().filter(|_| !looked);
        for (_, name, begun) in standing.filter(|(env, ..)| *env == here) {
            let edited = on_disk(*name).is_none_or(|(_, file)| file != begun);
            if edited && !is_applied(*name) {
                strict.insert((Gate::Failed, Some(*name)));
            }
        }
        for (name, ran) in &applied {
            // It got here past an environment: the chain was another one when it did.
            if !(0..here).all(|before| self.evidence.contains(&(before, *name, *ran))) {
                warnings.insert((Gate::Promotion, None));
            }
            match on_disk(*name) {
                None => drop(soft.insert((Gate::Missing, Some(*name)))),
                Some((_, file)) if file != ran => drop(soft.insert((Gate::Modified, Some(*name)))),
                Some(_) => {}
            }
        }
        for (name, version) in &steps {
            let is_late = applied.iter().any(|(later, _)| later > name);
            if is_late {
                soft.insert((Gate::Order, Some(*name)));
            }
            // An environment that refuses what comes too late will refuse this one too.
            let first = if question.chain > 1 { 1 } else { 0 };
            let refuses = (first..question.chain)
                .filter(|there| *there != here)
                .any(|there| {
                    let mut ran = self.applied.iter().filter(|(env, ..)| *env == there);
                    let has = ran.clone().any(|(_, other, _)| other == name);
                    let waived = (there, Gate::Order, *name, *version);
                    !has && ran.any(|(_, other, _)| other > name) && !self.unspent.contains(&waived)
                });
            if refuses && (!is_late || here < first) {
                warnings.insert((Gate::Order, Some(*name)));
            }
            if !(0..here).all(|before| self.evidence.contains(&(before, *name, *version))) {
                strict.insert((Gate::Promotion, Some(*name)));
            }
            // Where nothing stands, nothing is destroyed.
            let holds = !applied.is_empty() || question.other_tables || claims;
            if *version == DESTROYS && holds {
                let last = here + 1 == question.chain;
                let told = if last { &mut strict } else { &mut warnings };
                told.insert((Gate::DataLoss, Some(*name)));
            }
            if self.rolled_back.contains(&(here, *name, *version)) {
                warnings.insert((Gate::Failed, Some(*name)));
            }
        }
        if self.owing.contains(&here) {
            match steps.is_empty() {
                true => warnings.insert((Gate::Debt, None)),
                false => strict.insert((Gate::Debt, None)),
            };
        }
        // In the first environment of several people switch branches, edit and merge.
        if here == 0 && question.chain > 1 {
            warnings.extend(soft);
        } else {
            strict.extend(soft);
        }
        // What somebody accepted is no refusal; of promotion in the last of several nobody can.
        let mut accepted: BTreeSet<(Gate, Name)> = BTreeSet::new();
        for (_, gate, name, version) in self.waived.iter().filter(|(env, ..)| *env == here) {
            let last = here > 0 && here + 1 == question.chain;
            let ran = applied.iter().find(|(other, _)| other == name);
            let is_of_these_bytes = match gate {
                Gate::Missing => ran.is_some_and(|(_, ran)| ran == version),
                Gate::Modified => {
                    ran.is_some() && on_disk(*name).is_some_and(|(_, file)| file == version)
                }
                _ => on_disk(*name).is_some_and(|(_, file)| file == version),
            };
            let never = last && *gate == Gate::Promotion;
            if is_of_these_bytes && !never && strict.remove(&(*gate, Some(*name))) {
                accepted.insert((*gate, *name));
            }
        }
        let verdict = match (strict.is_empty(), steps.is_empty()) {
            (false, _) => "refused",
            (true, true) => "up-to-date",
            (true, false) => "ready",
        };
        Answer {
            verdict,
            refusals: strict,
            warnings,
            steps,
            ready_to: None,
            waived: accepted,
        }
    }
}
