//! `DROP`.

use super::tokens::Cursor;
use super::{Deeds, object_kind, range};
use crate::sql::changes::{Deed, Name, ObjectKind};

/// Reads any `DROP` of objects.
pub(super) fn drop(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    if cursor.are(&["drop", "owned"]) {
        deeds.other(cursor, 2);
        return Some(());
    }
    cursor.next();
    let kind = object_kind(cursor);
    let concurrently = cursor.eat(&["concurrently"]);
    let if_exists = cursor.eat(&["if", "exists"]);
    let mut list = *cursor;
    let named = list.until(|at| {
        at.are(&["cascade"]) && at.peek(1).is_none()
            || at.are(&["restrict"]) && at.peek(1).is_none()
            || at.is(0, "with") && kind == ObjectKind::Database
    });
    let cascade = list.is(0, "cascade");
    let several = cursor.over(named).parts();
    let alone = several.len() == 1;
    for mut part in several {
        let place = range(part.rest());
        // What has no name of the usual kind, such as an operator or a cast, is named by its text.
        let said = part.plain(part.rest());
        let is_plain = !part.is(0, "for");
        let name = is_plain.then(|| part.name()).flatten();
        let name = name.unwrap_or_else(|| Name::plain(said));
        let on = part.eat(&["on"]).then(|| part.name()).flatten();
        let deed = Deed::Drop {
            kind,
            name,
            on,
            if_exists,
            cascade,
            concurrently,
        };
        if alone {
            deeds.push(deed);
        } else {
            deeds.push_at(place, deed);
        }
    }
    Some(())
}
