//! Tables that are made anew: another takes the rows, the old one goes, the new one takes its name.

use super::accept;
use crate::lint::at::{At, Found, Said, statement_text};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Change, Deed, Name, ObjectKind};

/// Some rows may stay behind.
pub(in crate::lint) static FILTERED: Rule = Rule {
    code: "rebuild-leaves-rows",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "makes a table anew with some of its rows",
};

/// What another table keeps of one that goes.
pub(super) struct Kept<'a> {
    /// The table that took the rows.
    pub(super) to: &'a Name,
    /// The columns that are named as the ones that take the values; all of them where none is.
    pub(super) columns: &'a [String],
    /// The query that read the old table.
    pub(super) query: &'a str,
    /// The columns that the query does not read.
    pub(super) left_out: Vec<String>,
}

/// What another table that stays took of this one.
pub(super) fn kept<'a>(at: &At<'a>, table: &Name) -> Option<Kept<'a>> {
    let (statement, to, columns) = at.carried(table)?;
    if at.picture.table(to).is_some_and(|to| to.is_temporary) || !takes_place(at, to, table) {
        return None;
    }
    let text = statement_text(&at.script, statement);
    let begin = words(text).find(|(_, word)| word.eq_ignore_ascii_case("select"));
    let query = text
        .get(begin.map_or(0, |(at, _)| at)..)
        .unwrap_or_default();
    let after = query.get("select".len()..).unwrap_or_default().trim_start();
    // SELECT *, or SELECT t.*
    let takes_all = after.starts_with('*') || after.get(..80).unwrap_or(after).contains(".*");
    let known = at.picture.table(table);
    let its = known.into_iter().flat_map(|known| known.columns.values());
    let left_out = its
        .map(|column| &column.name)
        .filter(|name| !takes_all && at.picture.is_old_column(table, name) && !reads(query, name))
        .cloned()
        .collect();
    Some(Kept {
        to,
        columns,
        query,
        left_out,
    })
}

/// Whether a table has the name of one that goes, in the end: it is renamed to it, or that one was put aside
/// before. Another table that took rows is another table.
fn takes_place(at: &At<'_>, to: &Name, gone: &Name) -> bool {
    let renames = |change: &Change, from: &Name, name: &Name| match &change.deed {
        Deed::Rename { name: old, to, .. } => at.same(old, from) && at.same_text(to, &name.name),
        _ => false,
    };
    at.after()
        .iter()
        .take(200)
        .any(|change| renames(change, to, gone))
        || at
            .before()
            .iter()
            .rev()
            .take(200)
            .any(|change| renames(change, to, gone))
}

/// The words of a text, names in quotes of any kind included, each with its place.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == '$';
    let mut rest = 0;
    std::iter::from_fn(move || {
        let begin = rest + text.get(rest..)?.find(is_part)?;
        let tail = &text[begin..];
        let end = begin + tail.find(|char| !is_part(char)).unwrap_or(tail.len());
        rest = end;
        Some((begin, &text[begin..end]))
    })
}

/// Whether a query names a column.
fn reads(query: &str, column: &str) -> bool {
    words(query).any(|(_, word)| word.eq_ignore_ascii_case(column))
        || query.contains(&format!("\"{column}\""))
}

pub(super) fn check_filtered(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Drop {
        kind: ObjectKind::Table,
        name,
        ..
    } = at.deed
    else {
        return;
    };
    if !at.picture.is_old_table(name) {
        return;
    }
    let Some(kept) = kept(at, name) else { return };
    let leaves = [
        "where",
        "limit",
        "distinct",
        "join",
        "group",
        "except",
        "intersect",
    ];
    let word = words(kept.query)
        .map(|(_, word)| word)
        .find(|word| leaves.iter().any(|one| word.eq_ignore_ascii_case(one)));
    let Some(word) = word else { return };
    out.push(at.found(
        &FILTERED,
        Said {
            fact: format!(
                "drops table {name} after {} took some of its rows: {}",
                kept.to,
                word.to_ascii_uppercase()
            ),
            consequence: "the rows that the query leaves out are gone".to_owned(),
            help: accept(&FILTERED, "count what is left out first"),
            subject: Some((name.clone(), None)),
            clause: format!("rows of {name} that its rebuild leaves out"),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int, age int)";

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            silent(
                "rebuild-leaves-rows",
                engine,
                &[
                    T,
                    "CREATE TABLE n (id int); INSERT INTO n (id) SELECT id FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
                ],
            );
            silent(
                "rebuild-leaves-rows",
                engine,
                &[
                    T,
                    "CREATE TABLE n (id int); INSERT INTO n (id) SELECT id FROM t WHERE age > 1",
                ],
            );
        }
    }

    #[test]
    fn bad() {
        let script = "CREATE TABLE n (id int); INSERT INTO n (id) SELECT id FROM t WHERE age > 1; DROP TABLE t; ALTER TABLE n RENAME TO t";
        insta::assert_snapshot!(found("rebuild-leaves-rows", Sqlite, &[T, script]), @r#"
        error: drops table t after n took some of its rows: WHERE
          at    DROP TABLE t
          then  the rows that the query leaves out are gone
          help  count what is left out first; where that is meant, say so above the statement: -- tollgate:allow rebuild-leaves-rows <reason>
        "#);
        insta::assert_snapshot!(found("rebuild-leaves-rows", Postgresql, &[T, script]), @r#"
        error: drops table t after n took some of its rows: WHERE
          at    DROP TABLE t
          then  the rows that the query leaves out are gone
          help  count what is left out first; where that is meant, say so above the statement: -- tollgate:allow rebuild-leaves-rows <reason>
        "#);
    }
}
