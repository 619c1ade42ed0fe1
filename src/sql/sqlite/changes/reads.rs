//! The tables that a `SELECT` takes its rows from.

use sqlite3_parser::ast::{FromClause, OneSelect, Select, SelectTable, With};

use super::text::{name, qualified, same};
use crate::sql::changes::Name;

/// The tables after its `FROM`s, those within subqueries and `WITH` there included, once each.
///
/// Without recursion: no depth of a script can harm it.
pub(super) fn tables(with: Option<&With<'_>>, select: &Select<'_>) -> Vec<Name> {
    let mut found = Vec::new();
    let mut common = Vec::new();
    let mut selects = vec![select];
    let mut froms: Vec<&FromClause<'_>> = Vec::new();
    take_with(with, &mut selects, &mut common);
    loop {
        if let Some(from) = froms.pop() {
            let joined = from.joins.iter().flatten().map(|join| &join.table);
            for table in from.select.into_iter().chain(joined) {
                match table {
                    SelectTable::Table(table, ..) => found.push(qualified(table)),
                    // A function that yields rows, such as `json_each(...)`.
                    SelectTable::TableCall(..) => {}
                    SelectTable::Select(select, _) => selects.push(select),
                    SelectTable::Sub(from, _) => froms.push(from),
                }
            }
        } else if let Some(select) = selects.pop() {
            take_with(select.with.as_ref(), &mut selects, &mut common);
            let compounds = select.body.compounds.iter().flatten();
            let ones =
                std::iter::once(&select.body.select).chain(compounds.map(|more| &more.select));
            for one in ones {
                if let OneSelect::Select {
                    from: Some(from), ..
                } = one
                {
                    froms.push(from);
                }
            }
        } else {
            break;
        }
    }
    found.retain(|table| {
        table.schema.is_some() || !common.iter().any(|common| same(common, &table.name))
    });
    let mut once: Vec<Name> = Vec::new();
    for table in found {
        if !once.contains(&table) {
            once.push(table);
        }
    }
    once
}

fn take_with<'a, 'bump>(
    with: Option<&'a With<'bump>>,
    selects: &mut Vec<&'a Select<'bump>>,
    common: &mut Vec<String>,
) {
    for table in with.map_or(&[][..], |with| with.ctes) {
        common.push(name(&table.tbl_name));
        selects.push(table.select);
    }
}
