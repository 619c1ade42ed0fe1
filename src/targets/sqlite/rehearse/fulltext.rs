//! Full-text indexes that keep no text of their own.
//!
//! Whoever reads such a table reads its content table, or nothing: what the index holds does not show, and
//! neither does an index that points at other rows than it was made of. So it is asked apart, of the module.

use std::collections::BTreeSet;

use rusqlite::{Connection, Error, ErrorCode};

use crate::digest::{Bag, short};
use crate::model::Data;
use crate::targets::sqlite::comparable::{tokens, unquoted};
use crate::targets::sqlite::data::of_value;
use crate::targets::sqlite::fingerprint::{quoted, text};

/// What stands for the index among the columns of its table.
const COLUMN: &str = "full-text index";
/// The temporary table through which an index is read, there only while one is.
const READER: &str = "temp.tollgate_full_text";

/// One such index.
#[derive(Debug)]
pub(super) struct Index {
    /// The virtual table.
    pub(super) name: String,
    /// The table that holds what it indexes; empty where none does.
    pub(super) content: String,
    /// Whether its module is FTS5, and not one of those before.
    is_5: bool,
}

/// Those that stand there.
pub(super) fn indexes(connection: &Connection) -> rusqlite::Result<Vec<Index>> {
    let mut found = connection.prepare(include_str!("virtual_tables.sql"))?;
    let mut rows = found.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.extend(Index::of(text(row, 0)?, &text(row, 1)?));
    }
    Ok(out)
}

/// Adds to the data what each of them holds. Gives those that could not be read.
pub(super) fn read(connection: &Connection, data: &mut Data) -> rusqlite::Result<Vec<String>> {
    let mut left_out = Vec::new();
    for index in indexes(connection)? {
        match index.hash(connection) {
            Ok(hash) => {
                let table = data.tables.entry(index.name).or_default();
                table.columns.insert(COLUMN.to_owned(), hash.to_string());
            }
            Err(error) if is_ours(&error) => return Err(error),
            Err(_) => left_out.push(index.name),
        }
    }
    Ok(left_out)
}

/// The indexes that were seen to agree with their content.
#[derive(Debug, Default)]
pub(super) struct Sound {
    /// Their names, in lower case.
    names: BTreeSet<String>,
}

impl Sound {
    /// Looks at all of them again. Gives one that does not agree any more, by whatever name it went between:
    /// one that never did may stay as it is.
    pub(super) fn check(&mut self, connection: &Connection) -> rusqlite::Result<Option<Index>> {
        for index in indexes(connection)? {
            let name = index.name.to_ascii_lowercase();
            if index.agrees(connection)? {
                self.names.insert(name);
            } else if self.names.contains(&name) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

impl Index {
    /// `None` for a table of another module, and for one that keeps its text itself.
    fn of(name: String, sql: &str) -> Option<Self> {
        let tokens = tokens(sql);
        let mut rest = tokens.iter();
        rest.find(|token| token.eq_ignore_ascii_case("using"))?;
        let module = rest.next()?;
        let module = unquoted(module).unwrap_or_else(|| (*module).to_owned());
        let is_5 = module.eq_ignore_ascii_case("fts5");
        if !is_5 && !module.eq_ignore_ascii_case("fts4") {
            return None;
        }
        let options = rest.as_slice();
        let place = options.windows(2).position(|pair| {
            matches!(pair, [option, sign] if option.eq_ignore_ascii_case("content") && *sign == "=")
        })?;
        let content = match options.get(place + 2) {
            None | Some(&("," | ")")) => String::new(),
            Some(value) => match value
                .strip_prefix('\'')
                .and_then(|value| value.strip_suffix('\''))
            {
                Some(value) => value.replace("''", "'"),
                None => unquoted(value).unwrap_or_else(|| (*value).to_owned()),
            },
        };
        Some(Self {
            name,
            content,
            is_5,
        })
    }

    /// Whether its module finds no fault with it. The question is put as an INSERT, which is undone.
    fn agrees(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let name = quoted(&self.name);
        // Without a rank FTS5 does not look at the content.
        let question = if self.is_5 {
            format!("INSERT INTO main.{name} ({name}, rank) VALUES ('integrity-check', 1)")
        } else {
            format!("INSERT INTO main.{name} ({name}) VALUES ('integrity-check')")
        };
        connection.execute_batch("SAVEPOINT tollgate_full_text")?;
        let answer = connection.execute_batch(&question);
        connection.execute_batch("ROLLBACK TO tollgate_full_text; RELEASE tollgate_full_text")?;
        match answer {
            Ok(()) => Ok(true),
            Err(error) if is_ours(&error) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// A hash of what it holds, in no order.
    fn hash(&self, connection: &Connection) -> rusqlite::Result<Bag> {
        let name = quoted(&self.name);
        let module = match (self.is_5, self.content.is_empty()) {
            // The numbers of its rows are all that it tells of them.
            (true, true) => format!("fts5vocab(main, {name}, instance)"),
            // A rebuilt content table may number its rows anew.
            (true, false) => format!("fts5vocab(main, {name}, col)"),
            (false, _) => format!("fts4aux(main, {name})"),
        };
        connection.execute_batch(&format!("CREATE VIRTUAL TABLE {READER} USING {module}"))?;
        let read = bag(connection);
        connection.execute_batch(&format!("DROP TABLE {READER}"))?;
        read
    }
}

/// Every row of the reader.
fn bag(connection: &Connection) -> rusqlite::Result<Bag> {
    let mut found = connection.prepare(&format!("SELECT * FROM {READER}"))?;
    let columns = found.column_count();
    let mut rows = found.query([])?;
    let mut out = Bag::default();
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        bytes.clear();
        for place in 0..columns {
            let hash = of_value(row.get_ref(place)?);
            bytes.extend(hash.to_le_bytes());
        }
        out.add(short(b'r', &bytes));
    }
    Ok(out)
}

/// Whether an error tells of the rehearsal or the machine, and nothing of the index.
fn is_ours(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::OperationInterrupted
                | ErrorCode::DatabaseBusy
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
        )
    )
}
