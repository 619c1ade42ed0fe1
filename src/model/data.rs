//! What stands in the tables of a database, as counts and hashes that can be compared: never the data
//! itself, and whatever order the rows stand in.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How closely the data is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataMode {
    /// Every value of every row.
    Full,
    /// Every row is counted; the values of about one row in 64 are hashed, always the same ones, chosen by
    /// their primary key. A table without one, or with few rows, is hashed whole.
    Sample,
    /// Rows are counted, and no value is looked at.
    Counts,
}

/// Up to this size of all tables, in bytes, [`DataMode::Full`] is chosen: 256 MiB.
pub const FULL_UP_TO: u64 = 256 * 1024 * 1024;
/// Up to this size of all tables, in bytes, [`DataMode::Sample`] is chosen: 2 GiB.
pub const SAMPLE_UP_TO: u64 = 2 * 1024 * 1024 * 1024;

impl DataMode {
    /// The word used in output and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Sample => "sample",
            Self::Counts => "counts",
        }
    }

    /// What is chosen by the size of all tables, in bytes, where nobody said.
    #[must_use]
    pub const fn for_size(bytes: u64) -> Self {
        if bytes <= FULL_UP_TO {
            Self::Full
        } else if bytes <= SAMPLE_UP_TO {
            Self::Sample
        } else {
            Self::Counts
        }
    }
}

/// What stands in the tables of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data {
    /// By the table's name, as the schema's fingerprint writes it.
    pub tables: BTreeMap<String, TableData>,
}

/// What stands in one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableData {
    /// How many rows.
    pub rows: u64,
    /// A hash of all rows that were hashed, each as a whole, in no order; `None` where rows were only
    /// counted. It depends on which columns there are, and not on their order.
    pub whole: Option<String>,
    /// A hash of the values of each column, in no order, by the column's name; empty where rows were only
    /// counted.
    pub columns: BTreeMap<String, String>,
}

/// What is different in the data of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDifference {
    /// The table's name.
    pub table: String,
    /// What is different in it.
    pub change: DataChange,
}

/// What is different in the data of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataChange {
    /// The table is gone, with so many rows.
    Gone {
        /// How many.
        rows: u64,
    },
    /// It has more or fewer rows.
    Rows {
        /// How many before.
        before: u64,
        /// How many after.
        after: u64,
    },
    /// The column is gone, with the values of so many rows.
    Lost {
        /// The column's name.
        column: String,
        /// How many.
        rows: u64,
    },
    /// Values of the column are others.
    Values {
        /// The column's name.
        column: String,
    },
    /// Each column has the same values, and they do not stand in the same rows.
    Mixed,
}

impl DataDifference {
    /// What is lost or changed, by the name that a label may give it: a table, or one of its columns.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.change {
            DataChange::Lost { column, .. } | DataChange::Values { column } => {
                format!("{}.{column}", self.table)
            }
            DataChange::Gone { .. } | DataChange::Rows { .. } | DataChange::Mixed => {
                self.table.clone()
            }
        }
    }
}

impl fmt::Display for DataDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.table;
        match &self.change {
            DataChange::Gone { rows } => write!(f, "{table}: gone, with its {}", many(*rows)),
            DataChange::Rows { before, after } => {
                write!(f, "{table}: {} before, {after} after", many(*before))
            }
            DataChange::Lost { column, rows } => {
                write!(
                    f,
                    "{table}.{column}: gone, with its values in {}",
                    many(*rows)
                )
            }
            DataChange::Values { column } => write!(f, "{table}.{column}: other values"),
            DataChange::Mixed => write!(f, "{table}: its values stand in other rows"),
        }
    }
}

fn many(rows: u64) -> String {
    match rows {
        1 => "1 row".to_owned(),
        _ => format!("{rows} rows"),
    }
}

/// What is not as it was, of the tables that stood before; those that came since are not looked at. By
/// table, then by column. Both must have been read in the same mode.
#[must_use]
pub fn diff(before: &Data, after: &Data) -> Vec<DataDifference> {
    let mut out = Vec::new();
    for (table, was) in &before.tables {
        let mut push = |change| {
            out.push(DataDifference {
                table: table.clone(),
                change,
            });
        };
        let Some(is) = after.tables.get(table) else {
            push(DataChange::Gone { rows: was.rows });
            continue;
        };
        if was.rows != is.rows {
            push(DataChange::Rows {
                before: was.rows,
                after: is.rows,
            });
        }
        let mut whole = was.columns.keys().eq(is.columns.keys());
        for (column, hash) in &was.columns {
            let change = match is.columns.get(column) {
                None => DataChange::Lost {
                    column: column.clone(),
                    rows: was.rows,
                },
                // Where rows came or went, the hashes of all columns differ with them.
                Some(now) if now != hash && was.rows == is.rows => DataChange::Values {
                    column: column.clone(),
                },
                Some(_) => continue,
            };
            whole = false;
            push(change);
        }
        if whole && was.rows == is.rows && was.whole != is.whole {
            push(DataChange::Mixed);
        }
    }
    out
}
