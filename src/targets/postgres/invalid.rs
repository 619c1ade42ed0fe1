//! `CREATE INDEX ... IF NOT EXISTS` over an INVALID index of that name does nothing and succeeds: a
//! broken build of yesterday would pass for today's success. It is found before anything is sent.

use super::error::session_error;
use super::runtime::Session;
use super::template::fill;
use crate::sql::{IndexWork, Word, index_work, words};
use crate::targets::{ScriptError, TargetError};

const INVALID_NAMED: &str = include_str!("sql/invalid_named.sql");

/// An INVALID index.
struct Invalid {
    index: String,
    schema: String,
    table: String,
    /// As SQL writes it.
    name: String,
}

/// The first statement of a script that would pass an INVALID index over. Asks the server only where
/// there is a statement that could.
///
/// `unsent` says what is not sent then. An index that the script itself drops, makes anew or renames before is not in its way.
pub(super) fn in_the_way(
    session: &Session,
    script: &str,
    unsent: &str,
) -> Result<Option<ScriptError>, TargetError> {
    if !may_pass_over(script) {
        return Ok(None);
    }
    let statements = words(script);
    let work: Vec<(usize, IndexWork)> = statements
        .iter()
        .enumerate()
        .filter_map(|(place, statement)| Some((place, index_work(statement)?)))
        .filter(|(_, work)| work.if_not_exists)
        .collect();
    if work.is_empty() {
        return Ok(None);
    }
    let invalid = invalid(session)?;
    // Behind a savepoint nothing is sure: it may be rolled back to.
    let sure = |earlier: &[Word]| {
        !statements
            .iter()
            .any(|statement| statement.first().is_some_and(|word| word.is("savepoint")))
            && !earlier.is_empty()
    };
    for (place, work) in work {
        let found = invalid.iter().find(|invalid| {
            is_named(&work, invalid)
                && !statements[..place]
                    .iter()
                    .any(|earlier| sure(earlier) && takes_away(earlier, invalid))
        });
        if let Some(found) = found {
            return Ok(Some(refusal(found, &work, unsent)));
        }
    }
    Ok(None)
}

/// Whether a statement of a script may be one that passes an INVALID index over, by its words alone.
pub(super) fn may_pass_over(script: &str) -> bool {
    mentions(script, "exists") && mentions(script, "index")
}

fn invalid(session: &Session) -> Result<Vec<Invalid>, TargetError> {
    let rows = session
        .query(&fill(INVALID_NAMED, &[]))
        .map_err(|error| session_error(&error, "looking for invalid indexes"))?;
    let read = |row: &tokio_postgres::SimpleQueryRow| {
        Some(Invalid {
            index: row.get("index")?.to_owned(),
            schema: row.get("schema")?.to_owned(),
            table: row.get("table")?.to_owned(),
            name: row.get("name")?.to_owned(),
        })
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// Whether the statement means this index. Where its table is written without a schema, any schema's
/// may be meant.
fn is_named(work: &IndexWork, invalid: &Invalid) -> bool {
    let schema = match work.table.as_deref() {
        Some([.., schema, _]) => Some(schema),
        _ => None,
    };
    work.index.as_deref().and_then(<[String]>::last) == Some(&invalid.index)
        && schema.is_none_or(|schema| *schema == invalid.schema)
}

/// Whether a statement surely drops the index, alone or with its table or schema, or makes it anew, or
/// renames it. What stands in a block of code may not run, and is no such statement.
fn takes_away(statement: &[Word], invalid: &Invalid) -> bool {
    let at = |place: usize, word: &str| statement.get(place).is_some_and(|said| said.is(word));
    let any = |word: &str| statement.iter().any(|said| said.is(word));
    let (index, table, schema) = (&invalid.index, &invalid.table, &invalid.schema);
    let name = match () {
        () if at(0, "drop") && at(1, "index") => index,
        () if at(0, "drop") && at(1, "table") => table,
        () if at(0, "drop") && at(1, "schema") => schema,
        () if at(0, "alter") && at(1, "index") && any("rename") => index,
        () if at(0, "reindex") && any("index") => index,
        // Of a whole table it passes INVALID indexes over, CONCURRENTLY.
        () if at(0, "reindex") && any("table") && !any("concurrently") => table,
        () => return false,
    };
    const BEFORE_A_NAME: [&str; 6] = [
        "index",
        "table",
        "schema",
        "concurrently",
        "exists",
        "verbose",
    ];
    (1..statement.len()).any(|place| {
        let before = &statement[place - 1];
        // Another schema's is another one.
        let meant = match before.text.as_str() {
            "." => place >= 2 && statement[place - 2].text == *schema,
            _ => BEFORE_A_NAME.iter().any(|word| before.is(word)),
        };
        statement[place].text == *name && meant
    })
}

fn refusal(found: &Invalid, work: &IndexWork, unsent: &str) -> ScriptError {
    ScriptError {
        message: format!(
            "the index {} is INVALID: its build failed, and IF NOT EXISTS would pass it over. {unsent}",
            found.name
        ),
        hint: Some(format!(
            "drop it, then try again: DROP INDEX CONCURRENTLY {};",
            found.name
        )),
        at: Some(work.range.clone()),
        ..ScriptError::default()
    }
}

/// Whether a word stands anywhere in the text, in whatever case.
pub(super) fn mentions(script: &str, word: &str) -> bool {
    script
        .as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}
