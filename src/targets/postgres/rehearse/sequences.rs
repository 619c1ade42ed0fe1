//! Sequences: what is drawn from them survives a rollback, unless they were changed in the transaction
//! before. So each one that this role owns is changed first, into what it is. Others that want a number of
//! it wait meanwhile, so none is held for scripts that only define things.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Error, SimpleQueryRow};

use super::super::fingerprint::{Scope, Unread, aside, pin};
use super::super::runtime::Session;
use super::super::survey::{cell, parse};
use super::super::template::{fill, text};
use crate::targets::Fault;

const SEQUENCES: &str = include_str!("../sql/rehearse/sequences.sql");
const HOLDERS: &str = include_str!("../sql/rehearse/holders.sql");
const SET_BACK: &str = include_str!("../sql/rehearse/set_back.sql");
/// How many are asked for their place in one message.
const AT_ONCE: usize = 500;

/// One sequence.
struct Sequence {
    oid: String,
    /// Qualified and quoted.
    name: String,
    increment: i64,
    /// Whether it begins again at its end.
    cycles: bool,
    /// The table that it belongs to, qualified and quoted.
    of: Option<String>,
    /// Whether that table can be locked.
    lockable: bool,
    owned: bool,
    readable: bool,
    usable: bool,
}

/// How far a sequence came: its last value, and whether that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    last: i64,
    called: bool,
}

impl Place {
    /// The number that is handed out next.
    fn next(&self, increment: i64) -> i128 {
        i128::from(self.last)
            + if self.called {
                i128::from(increment)
            } else {
                0
            }
    }
}

/// Those that are held, and how far they came before any script ran.
pub(super) struct Held {
    /// Whether they are: what is set in one that is not would stay.
    are: bool,
    /// By oid.
    places: BTreeMap<String, (String, Place)>,
    /// All that may be read, held or not, by name, with the increment; those that begin again at their
    /// end left out.
    stood: BTreeMap<String, (Place, i64)>,
    /// The names of those that may not be held, and may be drawn from.
    pub(super) free: Vec<String>,
}

/// The sequences, before anything is locked.
pub(super) struct Found {
    all: Vec<Sequence>,
    /// Whether something may draw from them that no script names.
    pub(super) hidden: bool,
}

impl Found {
    /// Which there are.
    pub(super) fn look(session: &Session, scope: &Scope) -> Result<Self, Unread> {
        let rows = aside(session, || {
            let pinned = pin(session, scope)?;
            Ok(session.query(&fill(SEQUENCES, &[("in_scope", &pinned.in_scope)]))?)
        })?;
        let is = |row: &SimpleQueryRow, column: &str| row.get(column) == Some("t");
        let sequence = |row: &SimpleQueryRow| {
            Ok(Sequence {
                oid: cell(row, "oid")?.to_owned(),
                name: cell(row, "name")?.to_owned(),
                increment: parse(row, "increment")?,
                cycles: is(row, "cycles"),
                of: row.get("of").map(str::to_owned),
                lockable: is(row, "lockable"),
                owned: is(row, "owned"),
                readable: is(row, "readable"),
                usable: is(row, "usable"),
            })
        };
        let (hidden, sequences): (Vec<_>, Vec<_>) = rows
            .iter()
            .partition(|row| row.try_get("hidden").ok().flatten().is_some());
        Ok(Self {
            all: sequences
                .into_iter()
                .map(sequence)
                .collect::<Result<_, Unread>>()?,
            hidden: !hidden.is_empty(),
        })
    }

    /// What locks the tables whose columns draw from those that may be held, or says at once that it
    /// cannot: whoever writes to one holds it while it waits for a number, and a script may want it then.
    /// Tables that inherit from one draw from the same sequence, and are locked with it.
    pub(super) fn locking(&self) -> Option<String> {
        let held = self.all.iter().filter(|one| one.owned && one.lockable);
        let tables: BTreeSet<&str> = held.filter_map(|one| one.of.as_deref()).collect();
        let tables: Vec<&str> = tables.into_iter().collect();
        (!tables.is_empty()).then(|| {
            format!(
                "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE NOWAIT;",
                tables.join(", ")
            )
        })
    }

    /// Who writes to those tables or draws from those sequences, by pid, as SQL.
    pub(super) fn holders(&self) -> String {
        let held = self.all.iter().filter(|one| one.owned);
        let names: BTreeSet<String> = held
            .flat_map(|one| one.of.iter().chain([&one.name]))
            .map(|name| format!("pg_catalog.to_regclass({})", text(name)))
            .collect();
        let names: Vec<String> = names.into_iter().collect();
        fill(HOLDERS, &[("relations", &names.join(", "))])
    }

    /// The statements that hold those that may be held; empty where there are none.
    pub(super) fn holding(&self) -> String {
        let owned = self.all.iter().filter(|one| one.owned);
        owned
            .map(|one| {
                format!(
                    "ALTER SEQUENCE {} INCREMENT BY {};\n",
                    one.name, one.increment
                )
            })
            .collect()
    }

    /// How far each one came, asked once it is held, if it is to be.
    pub(super) fn held(self, session: &Session, are: bool) -> Result<Held, Error> {
        let readable: Vec<&Sequence> = self.all.iter().filter(|one| one.readable).collect();
        let mut places = places(session, &readable)?;
        let stood = readable.iter().filter(|one| !one.cycles).filter_map(|one| {
            let (name, place) = places.get(&one.oid)?;
            Some((name.clone(), (place.clone(), one.increment)))
        });
        let stood = stood.collect();
        for one in readable.iter().filter(|one| !one.owned) {
            places.remove(&one.oid);
        }
        let free = self.all.iter().filter(|one| !one.owned && one.usable);
        Ok(Held {
            are,
            places,
            stood,
            free: free.map(|one| one.name.clone()).collect(),
        })
    }
}

fn places(
    session: &Session,
    sequences: &[&Sequence],
) -> Result<BTreeMap<String, (String, Place)>, Error> {
    let mut out = BTreeMap::new();
    for some in sequences.chunks(AT_ONCE) {
        let each = some.iter().enumerate().map(|(n, one)| {
            format!(
                "SELECT {n} AS n, s.last_value, s.is_called FROM {} AS s",
                one.name
            )
        });
        let each: Vec<String> = each.collect();
        for row in session.query(&each.join(" UNION ALL "))? {
            let place = row.get("n").and_then(|n| n.parse::<usize>().ok());
            let last = row.get("last_value").and_then(|last| last.parse().ok());
            if let (Some(one), Some(last)) = (place.and_then(|n| some.get(n)), last) {
                let called = row.get("is_called") == Some("t");
                out.insert(one.oid.clone(), (one.name.clone(), Place { last, called }));
            }
        }
    }
    Ok(out)
}

impl Held {
    /// Sets those that are still there back to where they were.
    pub(super) fn set_back(&self, session: &Session) -> Result<(), Error> {
        let mut sql = String::new();
        let held = self.places.iter().filter(|_| self.are);
        for (oid, (_, place)) in held {
            let values = [
                ("oid", oid.as_str()),
                ("last", &place.last.to_string()),
                ("called", if place.called { "true" } else { "false" }),
            ];
            sql.push_str(&fill(SET_BACK, &values));
        }
        if !sql.is_empty() {
            session.query(&sql)?;
        }
        Ok(())
    }

    /// Which sequences are behind where they stood: what was drawn before is drawn once more. Those that the
    /// role may not read are not looked at, and one that begins again by itself is never behind.
    pub(super) fn behind(&self, session: &Session, scope: &Scope) -> Result<Vec<Fault>, Unread> {
        let now = Found::look(session, scope)?.all;
        let there: Vec<&Sequence> = now
            .iter()
            .filter(|one| one.readable && !one.cycles && self.stood.contains_key(&one.name))
            .collect();
        let mut out = Vec::new();
        let mut places = places(session, &there)?;
        for one in there {
            let (Some((_, place)), Some((before, increment))) =
                (places.remove(&one.oid), self.stood.get(&one.name))
            else {
                continue;
            };
            let (next, expected) = (place.next(*increment), before.next(*increment));
            let behind = if *increment < 0 {
                next > expected
            } else {
                next < expected
            };
            if behind {
                let stands = format!(
                    "stands at {} after both scripts, and stood at {}",
                    place.last, before.last
                );
                out.push(match &one.of {
                    Some(table) => Fault {
                        subject: table.clone(),
                        what: format!("its sequence {} {stands}", one.name),
                    },
                    None => Fault {
                        subject: one.name.clone(),
                        what: format!("the sequence {stands}"),
                    },
                });
            }
        }
        Ok(out)
    }
}
