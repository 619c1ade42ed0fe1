//! Rehearsals, without the database: whether a pair of scripts can be rehearsed in place, and what the four
//! looks of a rehearsal come to.

use std::collections::BTreeSet;

use crate::model::data::{self, DataChange, DataDifference};
use crate::model::schema::{COLUMN_ORDER, SchemaDifference, diff, without_parts};
use crate::model::{DownLabel, Rehearsal, Schema};
use crate::sql::{Analysis, NotAnalysed, StatementKind};
use crate::targets::{Fault, State};

/// Which of the two scripts goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Up, down, up: of a pending migration.
    UpFirst,
    /// Down, up, down: of an applied one.
    DownFirst,
}

/// Why two scripts cannot be rehearsed in one transaction that is rolled back, as a clause; `None` where
/// they may.
#[must_use]
pub fn unfit(up: &Analysis, down: &Analysis) -> Option<String> {
    unfit_alone("migration.sql", up).or_else(|| unfit_alone("down.sql", down))
}

/// Why one script cannot run in one transaction of ours, as a clause; `None` where it may.
#[must_use]
pub fn unfit_alone(file: &str, analysis: &Analysis) -> Option<String> {
    match analysis {
        Analysis::NotAnalysed(why) => Some(format!("{file} cannot be read: {}", unread(why))),
        Analysis::Analysed(statements) => statements.iter().find_map(|statement| {
            let why = match statement.kind {
                StatementKind::Ordinary
                | StatementKind::Savepoint(_)
                | StatementKind::ForeignKeys(_) => return None,
                StatementKind::TransactionControl(what) => {
                    format!("controls its own transaction ({what})")
                }
                StatementKind::SetTransaction => "sets what its transaction is like".to_owned(),
                StatementKind::CopyFromStdin | StatementKind::CopyToStdout => {
                    "copies from or to the client".to_owned()
                }
                StatementKind::NotWrappable(what) => {
                    format!("has {what}, which cannot run in a transaction")
                }
            };
            Some(format!("{file} {why}"))
        }),
    }
}

fn unread(why: &NotAnalysed) -> String {
    match why {
        NotAnalysed::TooLarge { bytes } => format!("it has {bytes} bytes"),
        NotAnalysed::TooDeep { offset } => format!("it nests too deeply at byte {offset}"),
        NotAnalysed::ParseError { offset, message } => format!("at byte {offset}: {message}"),
    }
}

/// What four looks of a rehearsal came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The result.
    pub result: Rehearsal,
    /// Objects that down and up together, in whichever order, do not leave as they were.
    pub not_reversed: Vec<SchemaDifference>,
    /// The same of data, where the label does not name it.
    pub data_not_reversed: Vec<DataDifference>,
    /// Objects that the first script leaves otherwise the second time.
    pub not_again: Vec<SchemaDifference>,
    /// The same of data.
    pub data_not_again: Vec<DataDifference>,
    /// What else is wrong, a clause each: what the label says and is not so, a reversal that does nothing.
    pub faults: Vec<String>,
    /// Data that is lost, and that the label names.
    pub lost: Vec<DataDifference>,
    /// Tables whose columns stand in another order afterwards. It is reported and not compared.
    pub column_order: Vec<String>,
    /// Values that come out otherwise each time that the script runs, whatever the other one does.
    pub volatile: Vec<DataDifference>,
    /// Of an applied migration: what stands in what it made, is lost with it, and is not named by the label:
    /// what was written there since, or carried there, and does not come back.
    pub since: Vec<DataDifference>,
    /// What a reader should know besides, a clause each.
    pub remarks: Vec<String>,
}

/// The looks of a rehearsal that ran to its end.
#[derive(Debug, Clone, Copy)]
pub struct Looks<'a> {
    /// Before, after the first script, after the second, after the first again.
    pub states: [&'a State; 4],
    /// After the first script alone, run once more from the very same beginning, where it was.
    pub first_anew: Option<&'a State>,
    /// Whether the same beginning could not be had for a look of that kind: sequences had moved on.
    pub is_scratch: bool,
    /// What is wrong beyond what is compared: sequences that stand behind where they stood.
    pub faults: &'a [Fault],
}

/// Judges the looks of a rehearsal by what the `down.sql` says of itself.
#[must_use]
pub fn judge(direction: Direction, looks: &Looks<'_>, label: &DownLabel) -> Judgement {
    let [before, first, second, again] = looks.states;
    let compare = |one: &Schema, other: &Schema| {
        without_parts(diff(
            &one.without_column_order(),
            &other.without_column_order(),
        ))
    };
    let named = |difference: &DataDifference| {
        let column = match &difference.change {
            DataChange::Lost { column, .. } | DataChange::Values { column } => Some(&**column),
            _ => None,
        };
        label.names(&difference.table, column)
    };
    let not_reversed = compare(&before.schema, &second.schema);
    let (mut lost, mut data_not_reversed, mut since) = (Vec::new(), Vec::new(), Vec::new());
    for difference in data::diff(&before.data, &second.data) {
        if named(&difference) {
            lost.push(difference);
        } else if direction == Direction::DownFirst && made_by_up(&difference, first) {
            since.push(difference);
        } else {
            data_not_reversed.push(difference);
        }
    }
    let not_again = compare(&first.schema, &again.schema);
    let is_reversed = not_reversed.is_empty() && data_not_reversed.is_empty() && lost.is_empty();
    let (mut data_not_again, mut volatile) = (Vec::new(), Vec::new());
    for difference in data::diff(&first.data, &again.data) {
        let proven = looks.first_anew.is_some_and(|anew| {
            data::diff(&first.data, &anew.data)
                .iter()
                .any(|other| other.subject() == difference.subject())
        });
        // From a beginning that is equal, and with sequences that had moved on, only the script itself
        // can come to other values.
        let alone = looks.is_scratch
            && is_reversed
            && matches!(
                difference.change,
                DataChange::Values { .. } | DataChange::Mixed
            );
        if proven || alone {
            volatile.push(difference);
        } else if named(&difference) {
            // Its beginning was another one, as the label says.
        } else {
            data_not_again.push(difference);
        }
    }
    let column_order = order_changed(&before.schema, &second.schema);

    let (mut faults, mut remarks) = (Vec::new(), Vec::new());
    if direction == Direction::DownFirst && before == first {
        faults.push("down.sql changes nothing that can be seen here".to_owned());
    }
    for fault in looks.faults {
        if !label.names(&fault.subject, None) {
            faults.push(fault.what.clone());
        }
    }
    match label {
        DownLabel::Lossless if !column_order.is_empty() => faults.push(format!(
            "its label says lossless, and the columns of {} stand in another order: \"lossy: column order\"",
            and(&column_order)
        )),
        DownLabel::Lossy(_) if lost.is_empty() && column_order.is_empty() => remarks.push(
            "its label says lossy, and nothing was lost of what stands here now".to_owned(),
        ),
        DownLabel::Lossy(_) if !column_order.is_empty() && !label.names_column_order() => remarks
            .push("its label does not name the order of columns, which is lost too".to_owned()),
        _ => {}
    }
    let failed = !(not_reversed.is_empty()
        && data_not_reversed.is_empty()
        && since.is_empty()
        && not_again.is_empty()
        && data_not_again.is_empty()
        && faults.is_empty());
    let result = if failed {
        Rehearsal::Failed
    } else if lost.is_empty() && column_order.is_empty() {
        Rehearsal::Lossless
    } else {
        Rehearsal::Lossy
    };
    Judgement {
        result,
        not_reversed,
        data_not_reversed,
        not_again,
        data_not_again,
        faults,
        lost,
        column_order,
        volatile,
        since,
        remarks,
    }
}

/// Whether that stands in a table or a column which the migration itself made: after down it is gone.
fn made_by_up(difference: &DataDifference, without: &State) -> bool {
    let Some(table) = without.data.tables.get(&difference.table) else {
        return true;
    };
    match &difference.change {
        DataChange::Lost { column, .. } | DataChange::Values { column } => {
            !table.columns.is_empty() && !table.columns.contains_key(column)
        }
        DataChange::Gone { .. } | DataChange::Rows { .. } | DataChange::Mixed => false,
    }
}

/// The tables whose columns stand in another order.
fn order_changed(before: &Schema, after: &Schema) -> Vec<String> {
    let changed: BTreeSet<String> = without_parts(diff(before, after))
        .into_iter()
        .filter(|difference| difference.kind == COLUMN_ORDER)
        .map(|difference| difference.name)
        .collect();
    changed.into_iter().collect()
}

fn and(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first, rest @ ..] => match rest.len() {
            1 => format!("{first} and {}", rest[0]),
            more => format!("{first} and {more} more tables"),
        },
    }
}

impl Judgement {
    /// Everything that was lost or was not as it should be, a clause each, for the record.
    #[must_use]
    pub fn found(&self) -> Vec<String> {
        let schema = |when: &str, differences: &[SchemaDifference]| -> Vec<String> {
            let line = |d: &SchemaDifference| format!("{when}: {} {}", d.kind, d.name);
            differences.iter().map(line).collect()
        };
        let data = |when: &str, differences: &[DataDifference]| -> Vec<String> {
            let line = |d: &DataDifference| format!("{when}: {d}");
            differences.iter().map(line).collect()
        };
        let mut found = self.faults.clone();
        found.extend(schema("not reversed", &self.not_reversed));
        found.extend(data("not reversed", &self.data_not_reversed));
        found.extend(schema("not the same again", &self.not_again));
        found.extend(data("not the same again", &self.data_not_again));
        found.extend(data("lost", &self.lost));
        let order = |table: &String| format!("column order: {table}");
        found.extend(self.column_order.iter().map(order));
        found.extend(data("lost with it", &self.since));
        found.extend(data("other values each time", &self.volatile));
        found.truncate(100);
        found
    }
}

#[cfg(test)]
mod tests;
