//! `ALTER`.

use super::tokens::{Cursor, Kind, range, string};
use super::{Deeds, object_kind, table};
use crate::sql::changes::{Deed, Name, ObjectKind};

/// Reads any `ALTER` of an object.
pub(super) fn alter(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    let whole = *cursor;
    cursor.next();
    let kind = object_kind(cursor);
    let if_exists = cursor.eat(&["if", "exists"]);
    if cursor.is(0, "all") && cursor.is(1, "in") {
        deeds.other(&whole, 2);
        return Some(());
    }
    cursor.eat(&["only"]);
    let name = cursor.name()?;
    cursor.eat(&["*"]);
    let on =
        (kind == ObjectKind::Trigger || kind == ObjectKind::Rule || kind == ObjectKind::Policy)
            .then(|| cursor.eat(&["on"]).then(|| cursor.name()).flatten())
            .flatten();
    if matches!(
        kind,
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate
    ) {
        cursor.brackets();
    }
    if cursor.eat(&["rename", "to"]) {
        let to = cursor.word()?;
        deeds.push(Deed::Rename {
            kind,
            name,
            on,
            to,
            if_exists,
        });
        return Some(());
    }
    if cursor.eat(&["set", "schema"]) {
        let to = cursor.word()?;
        deeds.push(Deed::SetSchema { kind, name, to });
        return Some(());
    }
    match kind {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView => actions(cursor, &name, deeds),
        ObjectKind::Type => ty(cursor, &name, deeds)?,
        _ => {
            let words = whole.capitals(3).split(' ').count();
            deeds.other(&whole, words.min(2));
        }
    }
    Some(())
}

/// The actions of `ALTER TABLE`, and of what is altered like one.
fn actions(cursor: &mut Cursor<'_>, table: &Name, deeds: &mut Deeds) {
    let parts = cursor.parts();
    let alone = parts.len() == 1;
    let mut read = Vec::with_capacity(parts.len());
    for mut part in parts {
        let place = range(part.rest());
        // Names may follow: of a partition, a trigger, an owner.
        let words = if part.is(1, "row") || part.is(2, "row") {
            5
        } else if part.is(1, "access") || part.is(1, "without") {
            3
        } else {
            2
        };
        let what = part.capitals(words);
        let deed = action(&mut part, table).unwrap_or(Deed::AlterTable {
            table: table.clone(),
            what,
        });
        read.push((place, deed));
    }
    // The server takes away first, whatever the order of the words: `ADD CONSTRAINT x ..., DROP CONSTRAINT x` puts
    // a new one in the place of an older one.
    read.sort_by_key(|(_, deed)| !takes_away(deed));
    for (place, deed) in read {
        if alone {
            deeds.push(deed);
        } else {
            deeds.push_at(place, deed);
        }
    }
}

fn takes_away(deed: &Deed) -> bool {
    matches!(
        deed,
        Deed::DropColumn { .. }
            | Deed::DropConstraint { .. }
            | Deed::DropNotNull { .. }
            | Deed::DropDefault { .. }
    )
}

/// One action; `None` for those that are only named.
fn action(part: &mut Cursor<'_>, table: &Name) -> Option<Deed> {
    let table = table.clone();
    if part.eat(&["add"]) {
        return add(part, table);
    }
    if part.eat(&["drop", "constraint"]) {
        let if_exists = part.eat(&["if", "exists"]);
        return Some(Deed::DropConstraint {
            table,
            constraint: part.word()?,
            if_exists,
            cascade: part.is(0, "cascade"),
        });
    }
    if part.eat(&["drop"]) {
        part.eat(&["column"]);
        let if_exists = part.eat(&["if", "exists"]);
        return Some(Deed::DropColumn {
            table,
            column: part.word()?,
            if_exists,
            cascade: part.is(0, "cascade"),
        });
    }
    if part.eat(&["rename", "constraint"]) {
        let constraint = part.word()?;
        part.eat(&["to"]);
        return Some(Deed::RenameConstraint {
            table,
            constraint,
            to: part.word()?,
        });
    }
    if part.eat(&["rename"]) {
        part.eat(&["column"]);
        let column = part.word()?;
        part.eat(&["to"]);
        return Some(Deed::RenameColumn {
            table,
            column,
            to: part.word()?,
        });
    }
    if part.eat(&["validate", "constraint"]) {
        let constraint = part.word()?;
        return Some(Deed::ValidateConstraint { table, constraint });
    }
    if part.is(0, "alter") && !part.is(1, "constraint") {
        part.next();
        part.eat(&["column"]);
        return column(part, table);
    }
    None
}

fn add(part: &mut Cursor<'_>, table: Name) -> Option<Deed> {
    if table::is_constraint(part) {
        let constraint = table::constraint(part)?;
        return Some(Deed::AddConstraint { table, constraint });
    }
    part.eat(&["column"]);
    let if_not_exists = part.eat(&["if", "not", "exists"]);
    let column = table::column(part)?;
    Some(Deed::AddColumn {
        table,
        column,
        if_not_exists,
    })
}

/// What `ALTER COLUMN` does.
fn column(part: &mut Cursor<'_>, table: Name) -> Option<Deed> {
    let column = part.word()?;
    if part.eat(&["set", "data", "type"]) || part.eat(&["type"]) {
        let ty = part.until(|at| at.is(0, "using") || at.is(0, "collate"));
        let ty = part.plain(ty);
        part.until(|at| at.is(0, "using"));
        let using = part.eat(&["using"]).then(|| part.said(part.rest()));
        return Some(Deed::SetType {
            table,
            column,
            ty,
            using,
        });
    }
    if part.eat(&["set", "not", "null"]) {
        return Some(Deed::SetNotNull { table, column });
    }
    if part.eat(&["drop", "not", "null"]) {
        return Some(Deed::DropNotNull { table, column });
    }
    if part.eat(&["set", "default"]) {
        let default = part.said(part.rest());
        return Some(Deed::SetDefault {
            table,
            column,
            default,
        });
    }
    if part.eat(&["drop", "default"]) {
        return Some(Deed::DropDefault { table, column });
    }
    let what = format!("ALTER COLUMN {}", part.capitals(2));
    Some(Deed::AlterTable { table, what })
}

/// What `ALTER TYPE` does.
fn ty(cursor: &mut Cursor<'_>, ty: &Name, deeds: &mut Deeds) -> Option<()> {
    if cursor.eat(&["add", "value"]) {
        let if_not_exists = cursor.eat(&["if", "not", "exists"]);
        let label = string(cursor.next()?.text)?;
        deeds.push(Deed::AddLabel {
            ty: ty.clone(),
            label,
            if_not_exists,
        });
        return Some(());
    }
    if cursor.eat(&["rename", "value"]) {
        let label = string(cursor.next()?.text)?;
        cursor.eat(&["to"]);
        let to = string(cursor.next()?.text)?;
        deeds.push(Deed::RenameLabel {
            ty: ty.clone(),
            label,
            to,
        });
        return Some(());
    }
    // The attributes of a composite type: what stands in them in a table's column goes with them.
    for mut part in cursor.parts() {
        let place = range(part.rest());
        let attribute = |words: &[&str], part: &mut Cursor<'_>| {
            part.eat(words).then(|| {
                part.eat(&["if", "exists"]);
                part.word()
            })
        };
        let deed = if let Some(column) = attribute(&["drop", "attribute"], &mut part) {
            Deed::DropColumn {
                table: ty.clone(),
                column: column?,
                if_exists: false,
                cascade: part.is(0, "cascade"),
            }
        } else {
            let named = (part.rest().iter())
                .take_while(|token| token.kind == Kind::Word)
                .count();
            let what = part.capitals(named.min(2));
            Deed::Other {
                what: format!("ALTER TYPE {what}"),
            }
        };
        deeds.push_at(place, deed);
    }
    Some(())
}
