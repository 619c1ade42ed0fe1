//! push and pull: everybody's entries, carried through a hub that nobody has to trust.
//!
//! Nothing is taken from a hub that has lost or changed something that this ledger knows it had: what it
//! would tell next may be wrong as well. What it adds is verified as every other source is.

use std::collections::BTreeMap;

use super::WorkflowError;
use crate::digest::ChainHash;
use crate::ledger::{Ledger, Merged, Pack};
use crate::model::{Entry, WriterId};
use crate::targets::TargetError;
use crate::targets::hub::{Hub, HubChain, HubRow, digest};

/// What a ledger holds of one writer, by number and hash.
type Held = BTreeMap<(u64, ChainHash), String>;

/// Takes in what a hub has and the ledger lacks.
///
/// # Errors
/// [`WorkflowError::Hub`] where it cannot be asked; [`WorkflowError::HubContradiction`] where it has lost
/// or changed something. Nothing was taken then.
pub fn pull(
    ledger: &mut Ledger,
    hub: &mut Hub,
    name: &str,
    random: &dyn Fn() -> [u8; 16],
) -> Result<Merged, WorkflowError> {
    let mut seen = ledger.seen(name)?;
    let held = held(ledger)?;
    let chains = hub.summary().map_err(told)?;
    let mut faults = Vec::new();
    let mut new = Vec::new();
    for (writer, upto) in &seen {
        let there = chains.iter().find(|chain| chain.writer == *writer);
        let highest = there.map_or(0, |chain| chain.highest);
        if highest < *upto {
            let gone = match highest + 1 {
                first if first == *upto => format!("entry {upto}"),
                first => format!("entries {first} to {upto}"),
            };
            let is = if highest + 1 == *upto { "is" } else { "are" };
            faults.push(format!(
                "{gone} of writer {} {is} gone from it",
                writer.short()
            ));
        }
    }
    for chain in &chains {
        let mine = held.get(&chain.writer);
        let known = seen.get(&chain.writer).copied().unwrap_or(0);
        let (rows, lacks) = read(hub, chain, mine, known, &mut faults)?;
        new.extend(rows);
        // What it never had it cannot lose.
        if !lacks {
            let upto = seen.entry(chain.writer).or_default();
            *upto = chain.highest.max(*upto);
        }
    }
    let pack = Pack::of(new);
    if let Err(error) = &pack
        && faults.is_empty()
    {
        faults.push(error.to_string());
    }
    let pack = match pack {
        Ok(pack) if faults.is_empty() => pack,
        _ => {
            let changed = faults.iter().any(|fault| !fault.ends_with("gone from it"));
            return Err(WorkflowError::HubContradiction { faults, changed });
        }
    };
    crate::failpoint::hit("hub.pull.before-merge");
    let merged = ledger.merge(&pack, random)?;
    crate::failpoint::hit("hub.pull.after-merge");
    ledger.see(name, &seen)?;
    Ok(merged)
}

/// Adds what the ledger has and a hub lacks; makes the hub where the database is not one yet. Returns how
/// many entries were new there.
///
/// # Errors
/// [`WorkflowError::Hub`]: either all of them were added, or none.
pub fn push(ledger: &mut Ledger, hub: &mut Hub, name: &str) -> Result<usize, WorkflowError> {
    if !hub.is_prepared().map_err(told)? {
        hub.prepare().map_err(told)?;
    }
    let chains = hub.summary().map_err(told)?;
    let mut rows = Vec::new();
    let mut seen = BTreeMap::new();
    for (writer, held) in held(ledger)? {
        let there = chains.iter().find(|chain| chain.writer == writer);
        let there = there.filter(|chain| digest(upto(&held, chain.highest)) == chain.digest);
        let above = there.map_or(0, |chain| chain.highest);
        let reaches = reaching(&held);
        if let Some((number, _)) = reaches.last() {
            seen.insert(writer, *number);
        }
        let lacks = reaches.into_iter().filter(|(number, _)| *number > above);
        rows.extend(lacks.filter_map(|key| {
            Some(HubRow {
                writer,
                number: key.0,
                hash: key.1.to_string(),
                body: held.get(&key)?.clone(),
            })
        }));
    }
    let added = match rows.is_empty() {
        true => 0,
        false => hub.add(&rows).map_err(told)?,
    };
    crate::failpoint::hit("hub.push.after-add");
    ledger.see(name, &seen)?;
    Ok(added)
}

fn told(error: TargetError) -> WorkflowError {
    WorkflowError::Hub(Box::new(error))
}

fn held(ledger: &Ledger) -> Result<BTreeMap<WriterId, Held>, WorkflowError> {
    let mut held: BTreeMap<WriterId, Held> = BTreeMap::new();
    for (head, body) in ledger.pack()?.entries() {
        let of_writer = held.entry(head.writer).or_default();
        of_writer.insert((head.number, head.hash), body.to_owned());
    }
    Ok(held)
}

fn upto(held: &Held, highest: u64) -> impl Iterator<Item = &str> {
    let within = held
        .iter()
        .take_while(move |((number, _), _)| *number <= highest);
    within.map(|(_, body)| body.as_str())
}

/// The entries that an unbroken line leads to: a hub takes no others.
fn reaching(held: &Held) -> Vec<(u64, ChainHash)> {
    let mut reached: Vec<(u64, ChainHash)> = Vec::new();
    for (key, body) in held {
        let prev = Entry::from_body(body).ok().map(|entry| entry.prev);
        let follows = match prev {
            Some(Some(prev)) => reached
                .iter()
                .rev()
                .take_while(|(number, _)| number + 1 >= key.0)
                .any(|known| *known == (key.0 - 1, prev)),
            Some(None) => key.0 == 1,
            None => false,
        };
        if follows {
            reached.push(*key);
        }
    }
    reached
}

/// What a hub has of one writer and the ledger lacks; and whether it lacks something that the ledger has, up
/// to its own newest.
fn read(
    hub: &mut Hub,
    chain: &HubChain,
    mine: Option<&Held>,
    known: u64,
    faults: &mut Vec<String>,
) -> Result<(Vec<String>, bool), WorkflowError> {
    let nothing = Held::new();
    let mine = mine.unwrap_or(&nothing);
    if digest(upto(mine, chain.highest)) == chain.digest {
        return Ok((Vec::new(), false));
    }
    let newest = mine.last_key_value().map_or(0, |((number, _), _)| *number);
    if newest < chain.highest {
        let rows = rows(hub, chain.writer, newest)?;
        let bodies = rows.iter().map(|row| row.body.as_str());
        // The server's word for what stands before them, and every one of them as it came.
        if digest(upto(mine, newest).chain(bodies)) == chain.digest {
            return Ok((rows.into_iter().map(|row| row.body).collect(), false));
        }
    }
    let rows = rows(hub, chain.writer, 0)?;
    Ok(compare(chain.writer, rows, mine, known, faults))
}

fn rows(hub: &mut Hub, writer: WriterId, above: u64) -> Result<Vec<HubRow>, WorkflowError> {
    let rows: Result<Vec<HubRow>, TargetError> = hub.read(writer, above).collect();
    rows.map_err(told)
}

/// Compares everything that a hub has of one writer with what the ledger has. `known` is the highest number
/// that the hub was once seen to hold.
fn compare(
    writer: WriterId,
    rows: Vec<HubRow>,
    mine: &Held,
    known: u64,
    faults: &mut Vec<String>,
) -> (Vec<String>, bool) {
    let mut there = Held::new();
    let mut changed = std::collections::BTreeSet::new();
    for row in rows {
        let hash = Entry::hash_of(row.body.as_bytes());
        let says = Entry::from_body(&row.body)
            .is_ok_and(|entry| (entry.writer, entry.number) == (writer, row.number));
        if hash.to_string() != row.hash || !says {
            changed.insert(row.number);
            faults.push(format!(
                "entry {} of writer {} was changed in it",
                row.number,
                writer.short()
            ));
        }
        there.insert((row.number, hash), row.body);
    }
    let numbers: std::collections::BTreeSet<u64> =
        there.keys().map(|(number, _)| *number).collect();
    let mut due = 1..=numbers.last().copied().unwrap_or(0);
    if let Some(missing) = due.find(|number| !numbers.contains(number)) {
        faults.push(format!(
            "entry {missing} of writer {} is gone from it",
            writer.short()
        ));
    }
    let lost = mine
        .keys()
        .filter(|key| key.0 <= known && numbers.contains(&key.0))
        .filter(|key| !changed.contains(&key.0) && !there.contains_key(key));
    for (number, _) in lost {
        faults.push(format!(
            "entry {number} of writer {} is another one in it than it was",
            writer.short()
        ));
    }
    let highest = numbers.last().copied().unwrap_or(0);
    let lacks = mine
        .keys()
        .any(|key| key.0 <= highest && !there.contains_key(key));
    let new = there.into_iter().filter(|(key, _)| !mine.contains_key(key));
    (new.map(|(_, body)| body).collect(), lacks)
}
