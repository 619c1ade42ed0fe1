//! The parts of a snapshot that are read only where something asks for them.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::codec::Damaged;
use super::parts::Lives;
use super::{name_of, name_of_bindings, part};
use crate::ledger::bindings::Binding;
use crate::ledger::view::{View, read_absorbed};
use crate::model::{AttemptId, EnvironmentName, Fact, IncarnationId, WriterId};

/// Where the parts of a snapshot stand that nobody has asked for.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Source {
    pub(super) lives: Lives,
    /// Whether there is a snapshot that the state was folded from.
    pub(super) is_used: bool,
}

impl Source {
    /// Reads what an entry of that writer speaks of and nobody has asked for yet.
    ///
    /// # Errors
    /// Where it is not there any more, or not what was written.
    pub(in crate::ledger) fn fetch(
        &self,
        connection: &Connection,
        view: &mut View,
        writer: WriterId,
        fact: &Fact,
    ) -> Result<(), Damaged> {
        if !self.is_used {
            return Ok(());
        }
        if let Some((environment, attempt)) = attempt_of(fact) {
            self.attempt(connection, view, environment, attempt)?;
        }
        match life_of(view, writer, fact) {
            Some((environment, life)) => self.life(connection, view, environment, life),
            None => Ok(()),
        }
    }

    /// Reads the lives of the present targets, where nobody has asked for them yet.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub(in crate::ledger) fn fetch_present(
        &self,
        connection: &Connection,
        view: &mut View,
    ) -> Result<(), Damaged> {
        if !self.is_used {
            return Ok(());
        }
        for name in view.undecided() {
            self.older(connection, view, &name)?;
        }
        let mut wanted: Vec<(EnvironmentName, IncarnationId)> = Vec::new();
        for (name, here) in &view.environments {
            match &here.target {
                Some(target) if here.is_unread(target.incarnation) => {
                    wanted.push((name.clone(), target.incarnation));
                }
                None if here.bindings.is_empty() => {
                    wanted.extend(here.held.iter().map(|life| (name.clone(), *life)));
                }
                _ => {}
            }
        }
        for (name, life) in wanted {
            self.life(connection, view, &name, life)?;
        }
        Ok(())
    }

    /// Reads the lives that are asked for wherever the environment is.
    pub(super) fn fetch_wanted(
        &self,
        connection: &Connection,
        view: &mut View,
    ) -> Result<(), Damaged> {
        for (environment, lives) in &self.lives {
            for life in &lives.wanted {
                self.life(connection, view, environment, *life)?;
            }
        }
        Ok(())
    }

    fn life(
        &self,
        connection: &Connection,
        view: &mut View,
        environment: &EnvironmentName,
        life: IncarnationId,
    ) -> Result<(), Damaged> {
        let Some(here) = view.environments.get_mut(environment) else {
            return Ok(());
        };
        if !here.is_unread(life) {
            return Ok(());
        }
        let lives = self.lives.get(environment).ok_or(Damaged)?;
        let digest = lives.digest(life).ok_or(Damaged)?;
        let name = name_of(environment, life);
        let read = part(connection, &name, Some(digest)).ok_or(Damaged)?;
        here.lives.insert(life, read);
        Ok(())
    }

    /// Reads an environment's older bindings, where nobody has asked for them yet.
    pub(super) fn older(
        &self,
        connection: &Connection,
        view: &mut View,
        environment: &EnvironmentName,
    ) -> Result<(), Damaged> {
        let Some(here) = view.environments.get(environment) else {
            return Ok(());
        };
        let mut older: Vec<Binding> = Vec::new();
        for (place, digest) in here.older.parts.iter().enumerate() {
            let name = name_of_bindings(environment, place);
            let read: Vec<Binding> = part(connection, &name, Some(*digest)).ok_or(Damaged)?;
            older.extend(read);
        }
        view.give_older(environment, older);
        Ok(())
    }

    fn attempt(
        &self,
        connection: &Connection,
        view: &mut View,
        environment: &EnvironmentName,
        attempt: AttemptId,
    ) -> Result<(), Damaged> {
        let Some(here) = view.environments.get_mut(environment) else {
            return Ok(());
        };
        if here.attempts_at.contains_key(&attempt) {
            return Ok(());
        }
        let sql = "SELECT life FROM snapshot_attempt WHERE environment = ?1 AND attempt = ?2";
        let mut statement = connection.prepare_cached(sql).map_err(|_| Damaged)?;
        let found: Option<[u8; 16]> = statement
            .query_row(params![environment.as_str(), attempt.as_bytes()], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|_| Damaged)?;
        if let Some(life) = found {
            let life = IncarnationId::from_bytes(life);
            here.attempts_at.insert(attempt, life);
        }
        Ok(())
    }
}

/// The attempt whose life the fold asks for.
fn attempt_of(fact: &Fact) -> Option<(&EnvironmentName, AttemptId)> {
    match fact {
        Fact::Outcome(outcome) => Some((&outcome.environment, outcome.attempt)),
        Fact::Resolved(resolved) => Some((&resolved.environment, resolved.attempt)),
        _ => None,
    }
}

/// The life that the fold asks for: what [`View::step`] reads or writes of one. Attempts were read before.
fn life_of<'a>(
    view: &View,
    writer: WriterId,
    fact: &'a Fact,
) -> Option<(&'a EnvironmentName, IncarnationId)> {
    let of_attempt = |environment: &EnvironmentName, attempt: AttemptId| {
        view.environments.get(environment)?.life_of(attempt)
    };
    match fact {
        Fact::Bound(bound) => Some((&bound.environment, bound.target.incarnation)),
        Fact::Intent(intent) => Some((&intent.environment, intent.target)),
        Fact::Verified(verified) => Some((&verified.environment, verified.target)),
        Fact::BackedUp(backed_up) => Some((&backed_up.environment, backed_up.target)),
        Fact::Outcome(outcome) => {
            let life = of_attempt(&outcome.environment, outcome.attempt)?;
            Some((&outcome.environment, life))
        }
        Fact::Resolved(resolved) => {
            let life = of_attempt(&resolved.environment, resolved.attempt)
                .or_else(|| view.met(&resolved.environment, writer))?;
            Some((&resolved.environment, life))
        }
        Fact::Absorbed(absorbed) => {
            let met = view.met(&absorbed.environment, writer);
            let life = met.or_else(|| Some(read_absorbed(absorbed).ok()?.target))?;
            Some((&absorbed.environment, life))
        }
        Fact::Opened(_)
        | Fact::Refused(_)
        | Fact::Chained(_)
        | Fact::TakenIn(_)
        | Fact::Believed(_)
        | Fact::Rehearsed(_)
        | Fact::Restored(_)
        | Fact::Reverted(_)
        | Fact::Emergency(_)
        | Fact::Waived(_)
        | Fact::Approved(_)
        | Fact::Policy(_)
        | Fact::BrokeGlass(_)
        | Fact::PostReviewed(_) => None,
    }
}
