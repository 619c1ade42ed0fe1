//! Comparing a snapshot with what all entries add up to: part by part, so that it is never in memory as a whole.

use std::path::Path;

use rusqlite::Connection;

use super::codec::Damaged;
use super::{
    Agreement, PART, Resumed, VERSION, begin, digest as digest_of, go_on, name_of, part, stands,
    whole,
};
use crate::digest::ChainHash;
use crate::ledger::error::LedgerError;
use crate::ledger::life::Life;
use crate::ledger::view::{EnvironmentView, View};
use crate::model::{AttemptId, EnvironmentName, IncarnationId, Policy, WriterId};

/// Compares a snapshot, where there is one, with what all entries add up to.
///
/// # Errors
/// Where the file cannot be read.
pub(in crate::ledger) fn compare(
    path: &Path,
    connection: &Connection,
    view: &View,
    policy: (Option<WriterId>, &Policy),
) -> Result<Agreement, LedgerError> {
    if !stands(connection) {
        return Ok(Agreement::None);
    }
    let Some(begun) = begin(path, connection)? else {
        return Ok(Agreement::Unused);
    };
    let compared = go_on(connection, begun, policy).and_then(|resumed| {
        let is_same = is_same(connection, resumed, view)?;
        Ok(is_same)
    });
    Ok(match compared {
        Err(Damaged) => Agreement::Unused,
        Ok(Some(covered)) => Agreement::Same(covered),
        Ok(None) => Agreement::Differs,
    })
}

/// For how many entries a snapshot stands that tells the same as all entries; `None` where it does not.
fn is_same(connection: &Connection, resumed: Resumed, all: &View) -> Result<Option<u64>, Damaged> {
    let Resumed {
        view: mut told,
        source,
        covered,
        ..
    } = resumed;
    let names: Vec<EnvironmentName> = told.environments.keys().cloned().collect();
    for name in &names {
        source.older(connection, &mut told, name)?;
    }
    let mut is_same = told.environments.len() == all.environments.len();
    for name in &names {
        let (Some(here), Some(there)) = (told.get(name), all.get(name)) else {
            is_same = false;
            continue;
        };
        let mut lives = here.lives.len();
        // Also where something differs already: what is damaged is told as such.
        for life in here.held.iter().filter(|life| here.is_unread(**life)) {
            let lives_of = source.lives.get(name).ok_or(Damaged)?;
            let digest = lives_of.digest(*life).ok_or(Damaged)?;
            let part_name = name_of(name, *life);
            let known = there.lives.get(life);
            lives += 1;
            if known.is_some_and(|known| is_written(connection, &part_name, known, digest)) {
                continue;
            }
            let read: Life = part(connection, &part_name, Some(digest)).ok_or(Damaged)?;
            is_same &= known == Some(&read);
        }
        is_same &= lives == there.lives.len();
    }
    is_same &= attempts_are_same(connection, &told, all)?;
    is_same &= rests_are_same(told, all);
    Ok(is_same.then_some(covered.count))
}

/// Whether a part is the very bytes in which a life is written, with this digest. Where it is not, what it holds may
/// be the same all the same.
fn is_written(connection: &Connection, name: &str, life: &Life, digest: ChainHash) -> bool {
    let is_it = |connection: &Connection| {
        let mut statement = connection.prepare_cached(PART)?;
        let mut rows = statement.query([name, VERSION])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let written = ChainHash::from_bytes(row.get(0)?);
        let body = row.get_ref(1)?.as_blob()?;
        let is_it = written == digest && body == whole(life) && digest_of(name, body) == digest;
        Ok::<bool, rusqlite::Error>(is_it)
    };
    is_it(connection).unwrap_or(false)
}

/// Whether the same is told of the lives in which the attempts were made.
fn attempts_are_same(connection: &Connection, told: &View, all: &View) -> Result<bool, Damaged> {
    let mut statement = connection
        .prepare("SELECT environment, attempt, life FROM snapshot_attempt ORDER BY environment")
        .map_err(|_| Damaged)?;
    let mut rows = statement.query([]).map_err(|_| Damaged)?;
    let mut here: Option<(&EnvironmentName, &EnvironmentView, &EnvironmentView)> = None;
    let (mut is_same, mut rest) = (true, 0);
    while let Some(row) = rows.next().map_err(|_| Damaged)? {
        let name = row.get_ref(0).map_err(|_| Damaged)?;
        let name = name.as_str().map_err(|_| Damaged)?;
        if here.is_none_or(|(known, ..)| known.as_str() != name) {
            let name: EnvironmentName = name.parse().map_err(|_| Damaged)?;
            let (name, told) = told.environments.get_key_value(&name).ok_or(Damaged)?;
            let Some(all) = all.get(name) else {
                return Ok(false);
            };
            here = Some((name, told, all));
        }
        let Some((_, told, all)) = here else {
            continue;
        };
        let attempt = AttemptId::from_bytes(row.get(1).map_err(|_| Damaged)?);
        let life = IncarnationId::from_bytes(row.get(2).map_err(|_| Damaged)?);
        // What came after the snapshot is told by the state.
        if !told.attempts_at.contains_key(&attempt) {
            rest += 1;
            is_same &= all.life_of(attempt) == Some(life);
        }
    }
    let count = |view: &View| -> usize {
        let all = view.environments.values();
        all.map(|here| here.attempts_at.len()).sum()
    };
    Ok(is_same && count(told) + rest == count(all))
}

/// Whether everything else is the same: all but the lives and the attempts that were compared, of which each that
/// was read has to be in the other.
fn rests_are_same(mut told: View, all: &View) -> bool {
    let environments = std::mem::take(&mut told.environments);
    let is_same = |(name, mut here): (EnvironmentName, EnvironmentView)| {
        let Some(there) = all.get(&name) else {
            return false;
        };
        let lives = std::mem::take(&mut here.lives);
        let attempts = std::mem::take(&mut here.attempts_at);
        here.held = Default::default();
        let lives = lives
            .iter()
            .all(|(life, read)| there.lives.get(life) == Some(read));
        let attempts = attempts
            .iter()
            .all(|(attempt, life)| there.life_of(*attempt) == Some(*life));
        lives && attempts && here.is_same_besides_lives(there)
    };
    environments.into_iter().all(is_same) && told.is_same_besides_environments(all)
}
