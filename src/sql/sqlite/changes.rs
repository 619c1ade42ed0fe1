//! What the statements of a script do.

mod reads;
mod rows;
mod table;
mod text;

use bumpalo::Bump;
use fallible_iterator::FallibleIterator as _;
use sqlite3_parser::ast::{
    AlterTableBody, Cmd, CreateTableBody, Expr, InsertBody, QualifiedName, ResolveType,
    SortedColumn, Stmt, Upsert, UpsertDo,
};
use sqlite3_parser::lexer::sql::Parser;

use self::text::{name, qualified, same};
use crate::model::entry::Engine;
use crate::sql::Statement;
use crate::sql::changes::{Change, Deed, Name, ObjectKind};
use crate::sql::limits::on_parser_thread;

/// What the statements do, in order.
pub(in crate::sql) fn changes(script: &str, statements: &[Statement]) -> Vec<Change> {
    let read = || {
        let mut changes = Vec::new();
        let mut triggers: Vec<(Name, Vec<Deed>)> = Vec::new();
        for (index, statement) in statements.iter().enumerate() {
            let text = script.get(statement.range.clone()).unwrap_or_default();
            let mut deeds = deeds(text, &mut triggers);
            let fired = fired(&deeds, &triggers);
            deeds.extend(fired);
            changes.extend(deeds.into_iter().map(|deed| Change {
                statement: index,
                range: statement.range.clone(),
                deed,
            }));
        }
        changes
    };
    // The statements were parsed before, so that the parser gives up on none of them.
    on_parser_thread(read).unwrap_or_default()
}

/// What one statement does; nothing where it only reads. What a trigger that it makes does is kept.
fn deeds(text: &str, triggers: &mut Vec<(Name, Vec<Deed>)>) -> Vec<Deed> {
    let arena = Bump::new();
    match Parser::new(&arena, text.as_bytes()).next() {
        Ok(Some(Cmd::Stmt(statement))) => {
            let mut deeds: Vec<Deed> = of(&statement, text).into_iter().collect();
            match &statement {
                Stmt::CreateTrigger {
                    tbl_name, commands, ..
                } => {
                    let body = commands
                        .iter()
                        .filter_map(|command| rows::of_trigger(command, text))
                        .filter(Deed::may_destroy);
                    triggers.push((qualified(tbl_name), body.collect()));
                }
                Stmt::Update {
                    or_conflict: Some(ResolveType::Replace),
                    tbl_name,
                    ..
                } => deeds.push(Deed::Insert {
                    table: qualified(tbl_name),
                    columns: Vec::new(),
                    from: Vec::new(),
                    replaces: true,
                }),
                _ => {}
            }
            deeds
        }
        Ok(Some(Cmd::Explain(_) | Cmd::ExplainQueryPlan(_)) | None) => Vec::new(),
        Err(_) => vec![Deed::Unknown {
            what: text::first_word(text),
            spelled: Vec::new(),
        }],
    }
}

/// What triggers of this script do when rows of their table are written.
fn fired(deeds: &[Deed], triggers: &[(Name, Vec<Deed>)]) -> Option<Deed> {
    let table = deeds.iter().find_map(|deed| match deed {
        Deed::Insert { table, .. } | Deed::Update { table, .. } | Deed::Delete { table, .. } => {
            Some(table)
        }
        _ => None,
    })?;
    let spelled: Vec<Deed> = (triggers.iter())
        .filter(|(on, _)| on.may_be(table, Engine::Sqlite))
        .flat_map(|(_, deeds)| deeds.iter().cloned())
        .collect();
    (!spelled.is_empty()).then(|| Deed::Unknown {
        what: "a trigger".to_owned(),
        spelled,
    })
}

fn of(statement: &Stmt<'_>, text: &str) -> Option<Deed> {
    Some(match statement {
        Stmt::Select(_) => return None,
        Stmt::AlterTable(table, body) => alter(qualified(table), body, text),
        Stmt::CreateTable {
            temporary,
            if_not_exists,
            tbl_name,
            body,
        } => {
            let (columns, constraints) = table::body(body, text);
            let (table, temporary) = temporary_or(*temporary, tbl_name);
            Deed::CreateTable {
                table,
                if_not_exists: *if_not_exists,
                columns,
                constraints,
                from_elsewhere: matches!(body, CreateTableBody::AsSelect(_)),
                temporary,
            }
        }
        Stmt::CreateVirtualTable {
            if_not_exists,
            tbl_name,
            ..
        } => {
            let (table, temporary) = temporary_or(false, tbl_name);
            Deed::CreateTable {
                table,
                if_not_exists: *if_not_exists,
                columns: Vec::new(),
                constraints: Vec::new(),
                from_elsewhere: true,
                temporary,
            }
        }
        Stmt::CreateIndex {
            unique,
            if_not_exists,
            idx_name,
            tbl_name,
            columns,
            where_clause,
        } => {
            let plain = plain_columns(columns);
            Deed::CreateIndex {
                index: Some(qualified(idx_name)),
                table: Name {
                    schema: idx_name.db_name.as_ref().map(name),
                    name: name(tbl_name),
                },
                unique: *unique,
                concurrently: false,
                if_not_exists: *if_not_exists,
                more: where_clause.is_some() || plain.is_none(),
                columns: plain.unwrap_or_default(),
            }
        }
        Stmt::CreateView {
            temporary,
            if_not_exists,
            view_name,
            ..
        } => create(
            ObjectKind::View,
            *temporary,
            view_name,
            None,
            *if_not_exists,
        ),
        Stmt::CreateTrigger {
            temporary,
            if_not_exists,
            trigger_name,
            tbl_name,
            ..
        } => create(
            ObjectKind::Trigger,
            *temporary,
            trigger_name,
            Some(qualified(tbl_name)),
            *if_not_exists,
        ),
        Stmt::DropTable {
            if_exists,
            tbl_name,
        } => drop(ObjectKind::Table, tbl_name, *if_exists),
        Stmt::DropIndex {
            if_exists,
            idx_name,
        } => drop(ObjectKind::Index, idx_name, *if_exists),
        Stmt::DropTrigger {
            if_exists,
            trigger_name,
        } => drop(ObjectKind::Trigger, trigger_name, *if_exists),
        Stmt::DropView {
            if_exists,
            view_name,
        } => drop(ObjectKind::View, view_name, *if_exists),
        Stmt::Insert {
            with,
            or_conflict,
            tbl_name,
            columns,
            body,
            ..
        } => {
            let (from, upsert) = match body {
                InsertBody::Select(select, upsert) => {
                    (reads::tables(with.as_ref(), select), *upsert)
                }
                InsertBody::DefaultValues => (Vec::new(), None),
            };
            let columns = columns.as_ref().map_or(&[][..], |columns| columns);
            let table = qualified(tbl_name);
            // With its own rows as the new ones, an upsert meets them all.
            if let Some(columns) = written_over(upsert)
                && from.iter().any(|from| from.name == table.name)
            {
                return Some(Deed::Update {
                    table,
                    columns,
                    filtered: true,
                    all_but_null: Some(Vec::new()),
                });
            }
            Deed::Insert {
                table,
                columns: columns.iter().map(name).collect(),
                from,
                replaces: *or_conflict == Some(ResolveType::Replace) || updates(upsert),
            }
        }
        Stmt::Update {
            tbl_name,
            sets,
            from,
            where_clause,
            limit,
            ..
        } => {
            let table = qualified(tbl_name);
            let (filtered, all_but_null) = match limit {
                Some(_) => (true, None),
                None => rows::of(&table, from.as_ref(), where_clause.is_some(), text),
            };
            Deed::Update {
                table,
                columns: sets
                    .iter()
                    .flat_map(|set| set.col_names.iter().map(name))
                    .collect(),
                filtered,
                all_but_null,
            }
        }
        Stmt::Delete {
            tbl_name,
            where_clause,
            limit,
            ..
        } => {
            let table = qualified(tbl_name);
            let (filtered, all_but_null) = match limit {
                Some(_) => (true, None),
                None => rows::of(&table, None, where_clause.is_some(), text),
            };
            Deed::Delete {
                table,
                filtered,
                all_but_null,
            }
        }
        Stmt::Pragma(pragma, _) => other(&format!("PRAGMA {}", name(&pragma.name))),
        Stmt::Analyze(_) => other("ANALYZE"),
        Stmt::Attach { .. } => other("ATTACH"),
        Stmt::Detach(_) => other("DETACH"),
        Stmt::Reindex { .. } => other("REINDEX"),
        Stmt::Vacuum(..) => other("VACUUM"),
        Stmt::Begin(..) => other("BEGIN"),
        Stmt::Commit(_) => other("COMMIT"),
        Stmt::Rollback { .. } => other("ROLLBACK"),
        Stmt::Savepoint(_) => other("SAVEPOINT"),
        Stmt::Release(_) => other("RELEASE"),
    })
}

fn alter(table: Name, body: &AlterTableBody<'_>, text: &str) -> Deed {
    match body {
        AlterTableBody::RenameTo(to) => Deed::Rename {
            kind: ObjectKind::Table,
            name: table,
            on: None,
            to: name(to),
            if_exists: false,
        },
        AlterTableBody::AddColumn(column) => Deed::AddColumn {
            table,
            column: table::column(column, text),
            if_not_exists: false,
        },
        AlterTableBody::DropColumn(column) => Deed::DropColumn {
            table,
            column: name(column),
            if_exists: false,
            cascade: false,
        },
        AlterTableBody::RenameColumn { old, new } => Deed::RenameColumn {
            table,
            column: name(old),
            to: name(new),
        },
        AlterTableBody::DropColumnNotNull(column) => Deed::DropNotNull {
            table,
            column: name(column),
        },
        AlterTableBody::SetColumnNotNull(column, _) => Deed::SetNotNull {
            table,
            column: name(column),
        },
        AlterTableBody::AddConstraint(constraint) => Deed::AddConstraint {
            table,
            constraint: table::constraint(constraint),
        },
        AlterTableBody::DropConstraint(constraint) => Deed::DropConstraint {
            table,
            constraint: name(constraint),
            if_exists: false,
            cascade: false,
        },
    }
}

/// Whether an `ON CONFLICT` clause, one of several, changes rows that stand.
fn updates(upsert: Option<&Upsert<'_>>) -> bool {
    written_over(upsert).is_some()
}

/// The columns that an upsert writes, where it writes any.
fn written_over(upsert: Option<&Upsert<'_>>) -> Option<Vec<String>> {
    std::iter::successors(upsert, |upsert| upsert.next).find_map(|upsert| match &upsert.do_clause {
        UpsertDo::Set { sets, .. } => Some(
            sets.iter()
                .flat_map(|set| set.col_names.iter().map(name))
                .collect(),
        ),
        UpsertDo::Nothing => None,
    })
}

fn create(
    kind: ObjectKind,
    temporary: bool,
    object: &QualifiedName<'_>,
    on: Option<Name>,
    if_not_exists: bool,
) -> Deed {
    let (name, temporary) = temporary_or(temporary, object);
    Deed::Create {
        kind,
        name,
        on,
        if_not_exists,
        or_replace: false,
        temporary,
        signature: String::new(),
    }
}

fn drop(kind: ObjectKind, object: &QualifiedName<'_>, if_exists: bool) -> Deed {
    Deed::Drop {
        kind,
        name: qualified(object),
        on: None,
        if_exists,
        cascade: false,
        concurrently: false,
    }
}

fn other(what: &str) -> Deed {
    Deed::Other {
        what: what.to_owned(),
    }
}

/// What is made in the schema `temp` is as temporary as what is made with the word.
fn temporary_or(temporary: bool, object: &QualifiedName<'_>) -> (Name, bool) {
    let object = qualified(object);
    let temp = object
        .schema
        .as_deref()
        .is_some_and(|schema| same(schema, "temp"));
    (object, temporary || temp)
}

/// The columns of an index, where it is on columns alone.
fn plain_columns(columns: &[SortedColumn<'_>]) -> Option<Vec<String>> {
    columns
        .iter()
        .map(|column| match &column.expr {
            Expr::Id(id) => Some(text::dequoted(id.0)),
            Expr::Name(column) => Some(name(column)),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
