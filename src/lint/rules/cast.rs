//! A change of a column's type that a value may not fit into.

use super::types::{Verdict, verdict};
use crate::lint::at::{At, Found, Said};
use crate::lint::picture::type_name;
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "cast-may-fail",
    level: Level::Warning,
    topic: Topic::MayFail,
    title: "gives a column a type that a value may not fit into",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::SetType {
        table,
        column,
        ty,
        using,
    } = at.deed
    else {
        return;
    };
    if !at.picture.is_old_column(table, column) || at.is_emptied(table) {
        return;
    }
    // Part of a type that is made anew: see `drop-label`.
    let is_rebuild = at
        .after()
        .iter()
        .take(200)
        .any(|change| match &change.deed {
            Deed::Rename {
                kind: ObjectKind::Type,
                name,
                ..
            } => at.same(name, &type_name(ty)),
            _ => false,
        });
    if is_rebuild {
        return;
    }
    let old = at
        .picture
        .column(table, column)
        .map(|known| known.ty.as_str());
    if let Verdict::MayFail(why) = verdict(at.picture, column, old, ty, using.as_deref()) {
        let from = old.map_or(String::new(), |old| format!(" from {old}"));
        out.push(
            at.found(
                &RULE,
                Said {
                    fact: format!("changes {table}.{column}{from} to {ty}"),
                    consequence: why.to_owned(),
                    help: "look for such rows first, and change them in a migration of their own"
                        .to_owned(),
                    subject: Some((table.clone(), Some(column.clone()))),
                    clause: format!("a row whose {table}.{column} is no {ty}"),
                },
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::Postgresql;

    const T: &str = "CREATE TABLE t (id bigint, s text)";

    #[test]
    fn ok() {
        silent(
            "cast-may-fail",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ALTER id TYPE numeric, ALTER s TYPE varchar",
            ],
        );
        silent(
            "cast-may-fail",
            Postgresql,
            &[T, "TRUNCATE t; ALTER TABLE t ALTER id TYPE int"],
        );
        // Enums whose labels the new one has too.
        silent(
            "cast-may-fail",
            Postgresql,
            &[
                "CREATE TYPE a AS ENUM ('x'); CREATE TABLE t (e a)",
                "CREATE TYPE b AS ENUM ('x', 'y'); ALTER TABLE t ALTER e TYPE b USING (e::text::b)",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("cast-may-fail", Postgresql, &[T, "ALTER TABLE t ALTER id TYPE int, ALTER s TYPE varchar(3)"]), @r#"
        warning: changes t.id from bigint to int
          at    ALTER id TYPE int
          then  a number that is greater does not fit
          help  look for such rows first, and change them in a migration of their own
        warning: changes t.s from text to varchar(3)
          at    ALTER s TYPE varchar(3)
          then  a value that is longer does not fit
          help  look for such rows first, and change them in a migration of their own
        "#);
        insta::assert_snapshot!(found("cast-may-fail", Postgresql, &["CREATE TYPE a AS ENUM ('x', 'z'); CREATE TABLE t (e a)", "CREATE TYPE b AS ENUM ('x', 'y'); ALTER TABLE t ALTER e TYPE b USING (e::text::b)"]), @r#"
        warning: changes t.e from a to b
          at    ALTER TABLE t ALTER e TYPE b USING (e::text::b)
          then  a row with a label that the new type does not have ends it
          help  look for such rows first, and change them in a migration of their own
        "#);
    }
}
