//! A generated statement drops what somebody wrote by hand: the generator does not know it, and takes it for
//! something that is too much.

use crate::lint::at::{At, Found, Said};
use crate::lint::picture::Made;
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{ConstraintKind, Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drops-handmade",
    level: Level::Warning,
    topic: Topic::Script,
    title: "a generated statement drops what was made by hand",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    if at.by_hand {
        return;
    }
    let found: Option<(String, Made)> = match at.deed {
        Deed::Drop {
            kind: ObjectKind::Index,
            name,
            ..
        } => at
            .picture
            .index(name)
            .map(|index| (format!("index {name}"), index.made)),
        // That rows or values go is told by `drop-table` and `drop-column`.
        Deed::Drop {
            kind: ObjectKind::Type,
            name,
            ..
        } => at
            .picture
            .ty(name)
            .map(|ty| (format!("type {name}"), ty.made)),
        Deed::Drop { kind, name, .. } => at
            .picture
            .other(*kind, name)
            .map(|made| (name.to_string(), made)),
        Deed::DropConstraint {
            table, constraint, ..
        } => at
            .picture
            .key(table, constraint)
            // A generator knows the key of every table.
            .filter(|key| key.kind != ConstraintKind::PrimaryKey)
            .map(|key| (format!("constraint {constraint} of {table}"), key.made)),
        _ => None,
    };
    let Some((what, made)) = found.filter(|(_, made)| at.picture.is_handmade(*made)) else {
        return;
    };
    let maker = at
        .picture
        .maker(made)
        .map(ToString::to_string)
        .unwrap_or_default();
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("drops {what}, which {maker} made by hand"),
            consequence: "the generator does not know it, and will drop it each time".to_owned(),
            help: "take the statement out, unless that is meant".to_owned(),
            subject: None,
            clause: String::new(),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "-- CreateTable\nCREATE TABLE t (id int, a int);\n\n-- CreateIndex\nCREATE INDEX generated ON t (id);\n\n-- for the search\nCREATE INDEX handmade ON t (a) WHERE a > 0;";

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            silent(
                "drops-handmade",
                engine,
                &[T, "-- DropIndex\nDROP INDEX generated"],
            );
            silent("drops-handmade", engine, &[T, "DROP INDEX handmade"]);
        }
    }

    #[test]
    fn bad() {
        for engine in [Postgresql, Sqlite] {
            insta::allow_duplicates! {
                insta::assert_snapshot!(found("drops-handmade", engine, &[T, "-- DropIndex\nDROP INDEX \"handmade\";"]), @r#"
                warning: drops index handmade, which 20250101000000_m0 made by hand
                  at    DROP INDEX "handmade"
                  then  the generator does not know it, and will drop it each time
                  help  take the statement out, unless that is meant
                "#);
            }
        }
    }
}
