//! Running scripts in a target and leaving nothing behind: what is asked, and what is told.

use std::time::Duration;

use super::{ScriptError, TargetError};
use crate::model::{Data, DataMode, Schema};
use crate::sql::Analysis;

/// A rehearsal in place: in one transaction that is always rolled back, the first script, the second, and
/// the first again, with a look before and after each.
///
/// For a pending migration the first is up and the second down; for an applied one the other way round.
#[derive(Debug, Clone, Copy)]
pub struct RehearsalRequest<'a> {
    /// The first script.
    pub first: RehearsedScript<'a>,
    /// What reverses it.
    pub second: RehearsedScript<'a>,
    /// How closely to look at the data.
    pub data: DataMode,
    /// How long others may have to wait for what the rehearsal holds: from its first lock that could stand
    /// in anybody's way until it is rolled back. It waits no longer than that for any lock of others.
    pub bound: Duration,
}

/// One of the two scripts: analysed, each statement ordinary.
#[derive(Debug, Clone, Copy)]
pub struct RehearsedScript<'a> {
    /// The exact bytes.
    pub script: &'a str,
    /// What reading them found.
    pub analysis: &'a Analysis,
}

/// What stood in a target at one point of a rehearsal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Its schema.
    pub schema: Schema,
    /// Its data.
    pub data: Data,
}

/// A rehearsal that ran to its end. Nothing of it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalRun {
    /// Before, after the first script, after the second, after the first again.
    pub states: [State; 4],
    /// After the first script alone, run once more from the very same beginning: read where the data of
    /// the last state is not that of the second one, and the schema is. What differs here too differs each
    /// time that the script runs, whatever the second one does.
    pub first_anew: Option<State>,
    /// What neither the schemas nor the data show, and what the second script did not bring back all the
    /// same. Empty where nothing is.
    pub faults: Vec<Fault>,
    /// How long locks were held that could stand in anybody's way.
    pub locked: Duration,
    /// What rolling back does not undo, or was not looked at, as far as it is known: in words, a clause
    /// each. Empty where nothing is.
    pub notes: Vec<String>,
}

/// What the second script leaves worse than it was, although it stands in neither the schema nor the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The object's name as the schema writes it: of a sequence that belongs to a table the table's.
    pub subject: String,
    /// What is wrong: a clause.
    pub what: String,
}

/// Which run of a script of a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RehearsalStep {
    /// The first script.
    First,
    /// The second.
    Second,
    /// The first again.
    FirstAgain,
}

/// Why a rehearsal did not run to its end. Nothing of it stands, except where [`Self::Target`] says so.
#[derive(Debug)]
pub enum RehearsalError {
    /// A script failed.
    Failed {
        /// In which run.
        step: RehearsalStep,
        /// What the target said.
        error: Box<ScriptError>,
        /// What was seen until then, in the order of [`RehearsalRun::states`]: three where the first script
        /// failed the second time. Most often it then stumbles over what the second one did not reverse,
        /// which the first and the last of them tell better than the error. May be empty.
        seen: Vec<State>,
    },
    /// It cannot be rehearsed in one transaction here: only on a scratch database.
    Unfit {
        /// Why, as a clause.
        why: String,
    },
    /// Others were in the way, or would have had to wait too long.
    Busy {
        /// What, as a sentence without a full stop.
        what: String,
    },
    /// The target: it broke off, or its data may not be read.
    Target(Box<TargetError>),
}

impl From<TargetError> for RehearsalError {
    fn from(error: TargetError) -> Self {
        Self::Target(Box::new(error))
    }
}
