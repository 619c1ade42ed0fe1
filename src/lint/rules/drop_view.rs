//! A view goes that stood, or a foreign table. It holds no rows: a materialized one only what its query finds
//! again, a foreign table's stand elsewhere.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drop-view",
    level: Level::Note,
    topic: Topic::Compatibility,
    title: "drops a view",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Drop {
        kind: kind @ (ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::ForeignTable),
        name,
        ..
    } = at.deed
    else {
        return;
    };
    let comes_again = at
        .after()
        .iter()
        .take(200)
        .any(|change| match &change.deed {
            Deed::Create { name: new, .. } => at.same(new, name),
            _ => false,
        });
    let word = match kind {
        ObjectKind::ForeignTable => "foreign table",
        _ => "view",
    };
    if at.picture.is_old_other(*kind, name) && !comes_again {
        out.push(at.found(
            &RULE,
            Said {
                fact: format!("drops {word} {name}"),
                consequence: "programs that run and ask for it fail; no rows are lost".to_owned(),
                help: "drop it once none of them does".to_owned(),
                subject: None,
                clause: format!("{word} {name}"),
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            silent(
                "drop-view",
                engine,
                &["CREATE VIEW v AS SELECT 1; DROP VIEW v"],
            );
            silent(
                "drop-view",
                engine,
                &[
                    "CREATE VIEW v AS SELECT 1",
                    "DROP VIEW v; CREATE VIEW v AS SELECT 2",
                ],
            );
        }
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("drop-view", Postgresql, &["SELECT 1", "DROP FOREIGN TABLE f"]), @r#"
        note: drops foreign table f
          at    DROP FOREIGN TABLE f
          then  programs that run and ask for it fail; no rows are lost
          help  drop it once none of them does
        "#);
        insta::assert_snapshot!(found("drop-view", Postgresql, &["CREATE MATERIALIZED VIEW v AS SELECT 1", "DROP MATERIALIZED VIEW v"]), @r#"
        note: drops view v
          at    DROP MATERIALIZED VIEW v
          then  programs that run and ask for it fail; no rows are lost
          help  drop it once none of them does
        "#);
        insta::assert_snapshot!(found("drop-view", Sqlite, &["CREATE VIEW v AS SELECT 1", "DROP VIEW v"]), @r#"
        note: drops view v
          at    DROP VIEW v
          then  programs that run and ask for it fail; no rows are lost
          help  drop it once none of them does
        "#);
    }
}
