//! A change of a column's type after which a value may be another one.

use super::accept;
use super::types::{Verdict, affinity_verdict, cast_verdict, verdict};
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::model::entry::Engine;
use crate::sql::changes::{Deed, Name, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "lossy-type",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "gives a column a type that its values may not survive",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    match at.deed {
        Deed::SetType {
            table,
            column,
            ty,
            using,
        } if at.picture.is_old_column(table, column) => {
            let old = at
                .picture
                .column(table, column)
                .map(|known| known.ty.as_str());
            if let Verdict::Lossy(why) = verdict(at.picture, column, old, ty, using.as_deref()) {
                out.push(at.found(&RULE, said(table, column, old, ty, why)));
            }
        }
        Deed::Drop {
            kind: ObjectKind::Table,
            name,
            ..
        } if at.picture.is_old_table(name) => {
            let Some(kept) = super::rebuild::kept(at, name) else {
                return;
            };
            for pair in &kept.carried.pairs {
                let casts = pair.cast.as_deref().map(|ty| (ty, true));
                for (ty, is_cast) in casts.into_iter().chain([(pair.is.as_str(), false)]) {
                    let verdict = match at.engine {
                        Engine::Sqlite if is_cast => cast_verdict(&pair.was, ty),
                        Engine::Sqlite => affinity_verdict(&pair.was, ty),
                        // A table that nobody knows says nothing of types.
                        Engine::Postgresql if ty.is_empty() || pair.was.is_empty() => continue,
                        Engine::Postgresql => {
                            let using = is_cast.then(|| format!("a::{ty}"));
                            verdict(at.picture, "a", Some(&pair.was), ty, using.as_deref())
                        }
                    };
                    if let Verdict::Lossy(why) = verdict {
                        out.push(
                            at.found(&RULE, said(name, &pair.column, Some(&pair.was), ty, why)),
                        );
                        break;
                    }
                }
            }
        }
        _ => {}
    }
}

fn said(table: &Name, column: &str, old: Option<&str>, new: &str, why: &str) -> Said {
    let from = old.map_or(String::new(), |old| format!(" from {old}"));
    Said {
        fact: format!("changes {table}.{column}{from} to {new}"),
        consequence: why.to_owned(),
        help: accept(&RULE, "put the new values into a new column, and compare"),
        subject: Some((table.clone(), Some(column.to_owned()))),
        clause: format!("values of {table}.{column}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int, at timestamptz, n numeric(10,2), s text)";

    #[test]
    fn ok() {
        silent(
            "lossy-type",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ALTER id TYPE bigint, ALTER n TYPE numeric(12,2), ALTER s TYPE varchar(5), ALTER at TYPE text",
            ],
        );
        silent(
            "lossy-type",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ADD x int; ALTER TABLE t ALTER x TYPE date USING now()",
            ],
        );
        silent(
            "lossy-type",
            Sqlite,
            &[
                T,
                "CREATE TABLE n (id text, at timestamptz, n numeric, s text); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("lossy-type", Postgresql, &[T, "ALTER TABLE t ALTER s TYPE varchar(9) USING NULL, ALTER id TYPE bigint USING 0, ALTER n TYPE numeric(10,2) USING n::int::numeric(10,2)"]), @r#"
        error: changes t.s from text to varchar(9) and t.id from int to bigint
          at    ALTER s TYPE varchar(9) USING NULL, ALTER id TYPE bigint USING 0
          then  the new values are made without the old ones
          help  put the new values into a new column, and compare; where that is meant, say so above the statement: -- tollgate:allow lossy-type <reason>
        error: changes t.n from numeric(10,2) to numeric(10,2)
          at    ALTER n TYPE numeric(10,2) USING n::int::numeric(10,2)
          then  digits after the point are rounded away
          help  put the new values into a new column, and compare; where that is meant, say so above the statement: -- tollgate:allow lossy-type <reason>
        "#);
        insta::assert_snapshot!(found("lossy-type", Postgresql, &[T, "ALTER TABLE t ALTER at TYPE date, ALTER n TYPE numeric(10,1), ALTER s TYPE int USING length(s)"]), @r#"
        error: changes t.at from timestamptz to date
          at    ALTER at TYPE date
          then  the time of day is gone
          help  put the new values into a new column, and compare; where that is meant, say so above the statement: -- tollgate:allow lossy-type <reason>
        error: changes t.n from numeric(10,2) to numeric(10,1)
          at    ALTER n TYPE numeric(10,1)
          then  digits after the point are rounded away
          help  put the new values into a new column, and compare; where that is meant, say so above the statement: -- tollgate:allow lossy-type <reason>
        error: changes t.s from text to int
          at    ALTER s TYPE int USING length(s)
          then  an expression makes the new values, and what it makes of them is not known
          help  put the new values into a new column, and compare; where that is meant, say so above the statement: -- tollgate:allow lossy-type <reason>
        "#);
        insta::assert_snapshot!(found("lossy-type", Postgresql, &["ALTER TABLE elsewhere ALTER a TYPE int"]), @r#"
        error: changes elsewhere.a to int
          at    ALTER TABLE elsewhere ALTER a TYPE int
          then  no script says what type it had
          help  put the new values into a new column, and compare; where that is meant, say so above the statement: -- tollgate:allow lossy-type <reason>
        "#);
        insta::assert_snapshot!(found("lossy-type", Sqlite, &[T, "CREATE TABLE n (id int, s INTEGER, n int, at int); INSERT INTO n SELECT id, s, n, at FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t"]), @r#"
        error: changes t.s from text to INTEGER
          at    DROP TABLE t
          then  text that looks like a number becomes one: '007' becomes 7
          help  put the new values into a new column, and compare; where that is meant, say so above the statement: -- tollgate:allow lossy-type <reason>
        "#);
    }
}
