//! A rehearsal in the target itself.

use super::{Broken, Event, Held, HeldEnd, Request, Run, Subject, WorkflowError, target_error};
use crate::model::{DataMode, DownLabel, Stage};
use crate::planner::gates::shell;
use crate::planner::rehearsal::{Direction, Judgement, Looks, judge};
use crate::targets::{
    RehearsalError, RehearsalRequest, RehearsalStep, RehearsedScript, State, Target, TargetError,
    TargetErrorKind,
};

/// Holds it; the inner error says why it can only be held on a scratch database.
pub(super) fn hold(
    run: &mut Run<'_>,
    request: &Request<'_>,
    target: &mut dyn Target,
    subject: &Subject<'_>,
    direction: Direction,
) -> Result<Result<Held, String>, WorkflowError> {
    let environment = request.environment;
    let migration = subject.file.migration;
    let data = mode(request, target)?;
    let up = RehearsedScript {
        script: subject.file.script,
        analysis: &subject.up,
    };
    let down = RehearsedScript {
        script: subject.down.script,
        analysis: &subject.reversal,
    };
    let (first, second) = match direction {
        Direction::UpFirst => (up, down),
        Direction::DownFirst => (down, up),
    };
    let asked = RehearsalRequest {
        first,
        second,
        data,
        bound: request.bound,
    };
    let events = &mut *run.events;
    let mut tell = |what: &str| {
        events(Event::Rehearsing {
            environment,
            migration,
            what,
        });
    };
    let held = |tables, rows, locked, end, notes| Held {
        direction,
        stage: Stage::InPlace,
        why_not_in_place: None,
        data,
        tables,
        rows,
        locked,
        end,
        notes,
    };
    match target.rehearse(&asked, &mut tell) {
        Ok(ran) => {
            let [before, ..] = &ran.states;
            let tables = before.data.tables.values();
            let rows = tables.clone().map(|table| table.rows).sum();
            let looks = Looks {
                states: ran.states.each_ref(),
                first_anew: ran.first_anew.as_ref(),
                is_scratch: false,
                faults: &ran.faults,
            };
            let judgement = judge(direction, &looks, &subject.label);
            let end = HeldEnd::Judged(Box::new(judgement));
            Ok(Ok(held(
                tables.len(),
                rows,
                Some(ran.locked),
                end,
                ran.notes,
            )))
        }
        Err(RehearsalError::Failed { step, error, seen }) => {
            let is_up = (step == RehearsalStep::Second) == (direction == Direction::DownFirst);
            let broken = Broken {
                file: if is_up { "migration.sql" } else { "down.sql" },
                again: step == RehearsalStep::FirstAgain,
                error: *error,
                judgement: until_there(direction, &seen, &subject.label),
            };
            let end = HeldEnd::Failed(Box::new(broken));
            Ok(Ok(held(0, 0, None, end, Vec::new())))
        }
        Err(RehearsalError::Unfit { why }) => Ok(Err(why)),
        Err(RehearsalError::Busy { what }) => Err(target_error(
            environment,
            TargetError {
                kind: TargetErrorKind::Locked,
                fact: what,
                remedy: Some(format!(
                    "tollgate rehearse {environment} {} --scratch   # or give it longer: --within {}",
                    shell(migration.as_str()),
                    request.bound.as_secs().saturating_mul(4).max(60)
                )),
            },
        )),
        Err(RehearsalError::Target(error)) => Err(target_error(environment, *error)),
    }
}

/// What the first three looks come to, where there was no fourth.
pub(super) fn until_there(
    direction: Direction,
    seen: &[State],
    label: &DownLabel,
) -> Option<Box<Judgement>> {
    let [before, first, second] = seen else {
        return None;
    };
    let looks = Looks {
        states: [before, first, second, first],
        first_anew: None,
        is_scratch: false,
        faults: &[],
    };
    Some(Box::new(judge(direction, &looks, label)))
}

/// How closely to look at the data: as was asked, or by its size.
pub(super) fn mode(
    request: &Request<'_>,
    target: &mut dyn Target,
) -> Result<DataMode, WorkflowError> {
    if let Some(data) = request.data {
        return Ok(data);
    }
    let size = target
        .data_size()
        .map_err(|error| target_error(request.environment, error))?;
    Ok(DataMode::for_size(size))
}
