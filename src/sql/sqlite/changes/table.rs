//! Columns and constraints of a table.

use sqlite3_parser::ast::{
    ColumnConstraint, ColumnDefinition, CreateTableBody, Expr, ForeignKeyClause, IndexedColumn,
    NamedTableConstraint, SortOrder, SortedColumn, TabFlags, TableConstraint,
};

use super::text::{self, name, same};
use crate::sql::changes::{Column, Constraint, ConstraintKind, Name};

/// What a `CREATE TABLE` describes; nothing where it takes its columns from a `SELECT`.
pub(super) fn body(body: &CreateTableBody<'_>, statement: &str) -> (Vec<Column>, Vec<Constraint>) {
    let CreateTableBody::ColumnsAndConstraints {
        columns,
        constraints,
        flags,
    } = body
    else {
        return (Vec::new(), Vec::new());
    };
    let mut columns: Vec<Column> = columns
        .iter()
        .map(|definition| column(definition, statement))
        .collect();
    let constraints: Vec<Constraint> = constraints
        .unwrap_or_default()
        .iter()
        .map(constraint)
        .collect();
    let without_rowid = flags.contains(TabFlags::WithoutRowid);
    let key = constraints
        .iter()
        .find(|constraint| constraint.kind == ConstraintKind::PrimaryKey)
        .map_or(&[][..], |constraint| &constraint.columns);
    for column in &mut columns {
        let named = |key: &String| same(key, &column.name);
        // INTEGER PRIMARY KEY is the rowid, said as a constraint of the table too.
        if key.len() == 1 && key.iter().any(named) && same(&column.ty, "integer") {
            column.is_identity = true;
        }
        if without_rowid {
            column.is_identity = false;
        }
        // Otherwise a key may hold NULL, as SQLite has it.
        let in_key = column.primary_key || key.iter().any(named);
        if in_key && (without_rowid || flags.contains(TabFlags::Strict)) {
            column.not_null = true;
        }
    }
    (columns, constraints)
}

/// A column, as `CREATE TABLE` or `ADD COLUMN` has it.
pub(super) fn column(definition: &ColumnDefinition<'_>, statement: &str) -> Column {
    let mut column = Column {
        name: name(&definition.col_name),
        ty: definition
            .col_type
            .as_ref()
            .map(|ty| text::type_name(ty, statement))
            .unwrap_or_default(),
        ..Column::default()
    };
    for constraint in definition.constraints {
        match &constraint.constraint {
            ColumnConstraint::PrimaryKey {
                order,
                auto_increment,
                ..
            } => {
                column.primary_key = true;
                column.more |= *auto_increment;
                // INTEGER PRIMARY KEY is the rowid; INTEGER PRIMARY KEY DESC is not.
                if same(&column.ty, "integer") && *order != Some(SortOrder::Desc) {
                    column.is_identity = true;
                    column.not_null = true;
                }
            }
            ColumnConstraint::NotNull { nullable, .. } => column.not_null |= !nullable,
            ColumnConstraint::Unique(_) => column.unique = true,
            ColumnConstraint::Check(_) => column.check = true,
            ColumnConstraint::Default(value) => {
                column.default = Some(text::expression(value, statement));
            }
            ColumnConstraint::ForeignKey { clause, .. } => {
                column.references = Some(referenced(clause));
            }
            ColumnConstraint::Generated { .. } => column.is_generated = true,
            ColumnConstraint::Collate { .. } => column.more = true,
            // It stands with a foreign key before it.
            ColumnConstraint::Defer(_) => {}
        }
    }
    column
}

/// A constraint of a table.
pub(super) fn constraint(constraint: &NamedTableConstraint<'_>) -> Constraint {
    let (kind, columns) = match &constraint.constraint {
        TableConstraint::PrimaryKey { columns, .. } => {
            (ConstraintKind::PrimaryKey, sorted_columns(columns))
        }
        TableConstraint::Unique { columns, .. } => {
            (ConstraintKind::Unique, sorted_columns(columns))
        }
        TableConstraint::Check(..) => (ConstraintKind::Check, Vec::new()),
        TableConstraint::ForeignKey {
            columns, clause, ..
        } => (
            ConstraintKind::Foreign(referenced(clause)),
            indexed_columns(columns),
        ),
    };
    Constraint {
        name: constraint.name.as_ref().map(name),
        kind,
        columns,
        not_valid: false,
        using_index: None,
    }
}

fn referenced(clause: &ForeignKeyClause<'_>) -> Name {
    Name::plain(name(&clause.tbl_name))
}

/// Only columns may stand in a key, with a collation perhaps.
fn sorted_columns(columns: &[SortedColumn<'_>]) -> Vec<String> {
    let column = |column: &SortedColumn<'_>| {
        let mut part = &column.expr;
        while let Expr::Collate(inner, _) = part {
            part = inner;
        }
        match part {
            Expr::Id(id) => Some(text::dequoted(id.0)),
            Expr::Name(column) => Some(name(column)),
            _ => None,
        }
    };
    columns.iter().filter_map(column).collect()
}

fn indexed_columns(columns: &[IndexedColumn<'_>]) -> Vec<String> {
    columns
        .iter()
        .map(|column| name(&column.col_name))
        .collect()
}
