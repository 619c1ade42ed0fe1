//! Sequences: what is drawn from them survives a rollback, unless they were changed in the transaction
//! before. So each one that this role owns is changed first, into what it is. Others that want a number of
//! it wait meanwhile, so none is held for scripts that only define things.

use std::collections::BTreeMap;

use tokio_postgres::{Error, SimpleQueryRow};

use super::super::fingerprint::{Scope, Unread, aside, pin};
use super::super::runtime::Session;
use super::super::survey::cell;
use super::super::template::fill;

const SEQUENCES: &str = include_str!("../sql/rehearse/sequences.sql");
const SET_BACK: &str = include_str!("../sql/rehearse/set_back.sql");
/// How many are asked for their place in one message.
const AT_ONCE: usize = 500;

/// One sequence.
struct Sequence {
    oid: String,
    /// Qualified and quoted.
    name: String,
    increment: String,
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

/// Those that are held, and how far they came before any script ran.
pub(super) struct Held {
    /// Whether they are: what is set in one that is not would stay.
    are: bool,
    /// By oid.
    places: BTreeMap<String, (String, Place)>,
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
                increment: cell(row, "increment")?.to_owned(),
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
        let owned: Vec<&Sequence> = self
            .all
            .iter()
            .filter(|one| one.owned && one.readable)
            .collect();
        let places = places(session, &owned)?;
        let free = self.all.iter().filter(|one| !one.owned && one.usable);
        Ok(Held {
            are,
            places,
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

    /// Which of them were made anew by the scripts, and begin at another number now: a clause each. What
    /// was drawn from one that is still the same is no loss, and is not told.
    pub(super) fn begin_anew(
        &self,
        session: &Session,
        scope: &Scope,
    ) -> Result<Vec<String>, Unread> {
        let now = Found::look(session, scope)?.all;
        let was: BTreeMap<&str, (&str, &Place)> = self
            .places
            .iter()
            .map(|(oid, (name, place))| (name.as_str(), (oid.as_str(), place)))
            .collect();
        let anew: Vec<&Sequence> = now
            .iter()
            .filter(|one| {
                one.readable
                    && was
                        .get(one.name.as_str())
                        .is_some_and(|(oid, _)| *oid != one.oid)
            })
            .collect();
        let mut out = Vec::new();
        for (name, place) in places(session, &anew)?.into_values() {
            if let Some((_, before)) = was.get(name.as_str())
                && **before != place
            {
                out.push(format!(
                    "the sequence {name} was made anew by the second script: it stands at {}, and stood at {}",
                    place.last, before.last
                ));
            }
        }
        Ok(out)
    }
}
