//! `DELETE` of every row.

use super::accept;
use super::update_rows::may_be;
use crate::lint::at::{At, Found, Meets, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "delete-without-where",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "deletes every row of a table",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Delete {
        table,
        filtered,
        all_but_null,
    } = at.deed
    else {
        return;
    };
    let meets = at.meets(table, *filtered, all_but_null.as_deref());
    if meets == Meets::Some {
        return;
    }
    // A new one may take the rows of old ones along that refer to it.
    if !at.picture.is_old_table(table) && !at.picture.is_referred_to(table) {
        return;
    }
    let (may, condition) = may_be(meets);
    out.push(at.found(
        &RULE,
        Said {
            fact: if may {
                format!("may delete every row of {table}")
            } else {
                format!("deletes every row of {table}")
            },
            consequence: format!(
                "{condition}they are gone, and what refers to them with ON DELETE CASCADE too"
            ),
            help: accept(&RULE, "say with WHERE which rows are meant"),
            subject: Some((table.clone(), None)),
            clause: format!("rows of {table}"),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int)";

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            silent(
                "delete-without-where",
                engine,
                &[T, "DELETE FROM t WHERE id = 1"],
            );
            silent(
                "delete-without-where",
                engine,
                &["CREATE TABLE t (id int); DELETE FROM t"],
            );
        }
        silent(
            "delete-without-where",
            Postgresql,
            &[T, "DELETE FROM t USING u WHERE t.id = u.id"],
        );
    }

    #[test]
    fn a_condition_may_be_none() {
        let t = "CREATE TABLE t (id int PRIMARY KEY, a int)";
        for engine in [Postgresql, Sqlite] {
            for condition in [
                "(1=1)",
                "NOT false",
                "id = id",
                "((true))",
                "1",
                "1 < 2",
                "NULL IS NULL",
                "id IS NULL OR id IS NOT NULL",
                "id IN (SELECT id FROM t)",
                "EXISTS (SELECT 1)",
                "id IS NOT NULL",
                "t.id = id AND 1 = 1",
                "a = 1 OR true",
                "id IN (SELECT id FROM t WHERE id IS NOT NULL)",
                "a LIKE '%'",
                "(SELECT count(*) FROM u) > 0",
            ] {
                if engine == Postgresql && condition == "1" {
                    continue;
                }
                let text = found(
                    "delete-without-where",
                    engine,
                    &[t, &format!("DELETE FROM t WHERE {condition}")],
                );
                assert!(!text.is_empty(), "{engine:?} {condition}");
                let text = found(
                    "update-without-where",
                    engine,
                    &[t, &format!("UPDATE t SET a = 1 WHERE {condition}")],
                );
                assert!(!text.is_empty(), "{engine:?} {condition}");
            }
            for condition in [
                "a IS NOT NULL",
                "id IN (SELECT id FROM t WHERE a = 1)",
                "id = 1 OR a = 1",
                "NOT (a = 1)",
                "false",
                "1 = 2",
                "EXISTS (SELECT 1 FROM u WHERE u.id = t.id)",
                "id NOT IN (SELECT min(id) FROM t GROUP BY a)",
                "a BETWEEN 1 AND 2",
            ] {
                silent(
                    "delete-without-where",
                    engine,
                    &[t, &format!("DELETE FROM t WHERE {condition}")],
                );
                silent(
                    "update-without-where",
                    engine,
                    &[t, &format!("UPDATE t SET a = 1 WHERE {condition}")],
                );
            }
        }
        for statement in [
            "DELETE FROM t WHERE true::boolean",
            "DELETE FROM t WHERE 't'::bool",
            "DELETE FROM t USING u",
            "DELETE FROM t USING u WHERE u.a = 1",
            "DELETE FROM t AS x WHERE x.id = x.id",
            "DELETE FROM t x USING t y WHERE x.id = y.id",
            "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
            "MERGE INTO t USING u ON (1 = 1) WHEN MATCHED THEN DELETE",
            "MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
            "CREATE TABLE n AS WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
            "INSERT INTO n WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
            "(WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d)",
            "EXPLAIN ANALYZE DELETE FROM t",
            "EXPLAIN (ANALYZE, BUFFERS) WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
            "COPY (DELETE FROM t RETURNING *) TO '/f'",
            "PREPARE p AS DELETE FROM t; EXECUTE p",
        ] {
            let text = found("delete-without-where", Postgresql, &[t, statement]);
            assert!(!text.is_empty(), "{statement}");
        }
        for statement in [
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE",
            "MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED BY SOURCE AND t.a = 1 THEN DELETE",
            "MERGE INTO t USING u ON true WHEN MATCHED AND t.a = 1 THEN DELETE",
            "EXPLAIN DELETE FROM t",
            "DELETE FROM t x USING u WHERE x.id = u.id",
        ] {
            silent("delete-without-where", Postgresql, &[t, statement]);
        }
    }

    #[test]
    fn what_the_script_made_runs_in_it() {
        let f = "CREATE FUNCTION wipe() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; END $$";
        let g = "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; RETURN NEW; END $$";
        for rest in [
            format!("{f}; SELECT wipe()"),
            format!("{f}; DO $$ BEGIN PERFORM wipe(); END $$"),
            format!("{f}; DO $$ BEGIN EXECUTE 'SELECT wipe()'; END $$"),
            format!("{f}; ALTER TABLE u ADD x int DEFAULT wipe()"),
            format!(
                "{f}; CREATE FUNCTION outer_one() RETURNS void LANGUAGE sql AS 'SELECT wipe()'; SELECT outer_one()"
            ),
            "CREATE PROCEDURE p() LANGUAGE sql AS 'DELETE FROM t'; CALL p()".to_owned(),
            "CREATE PROCEDURE p() BEGIN ATOMIC DELETE FROM t; END; CALL p()".to_owned(),
            format!(
                "{g}; CREATE TRIGGER tr AFTER INSERT ON u FOR EACH ROW EXECUTE FUNCTION g(); INSERT INTO u VALUES (1)"
            ),
            "CREATE RULE r AS ON INSERT TO u DO INSTEAD DELETE FROM t; INSERT INTO u VALUES (1)"
                .to_owned(),
        ] {
            let text = found("delete-without-where", Postgresql, &[T, &rest]);
            assert!(!text.is_empty(), "{rest}");
        }
        for rest in [
            f.to_owned(),
            format!("{f}; DROP FUNCTION wipe()"),
            format!(
                "{g}; CREATE TRIGGER tr AFTER INSERT ON u FOR EACH ROW EXECUTE FUNCTION g(); INSERT INTO v VALUES (1)"
            ),
            "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT one()".to_owned(),
        ] {
            silent("delete-without-where", Postgresql, &[T, &rest]);
        }
        let trigger = "CREATE TRIGGER tr AFTER INSERT ON u BEGIN DELETE FROM t; END";
        let text = found(
            "delete-without-where",
            Sqlite,
            &[T, &format!("{trigger}; INSERT INTO u VALUES (1)")],
        );
        assert!(!text.is_empty());
        silent("delete-without-where", Sqlite, &[T, trigger]);
    }

    #[test]
    fn a_new_table_may_reach_old_rows() {
        let old = "CREATE TABLE t (id int, a int)";
        for (engine, script) in [
            (
                Postgresql,
                "CREATE TABLE p (id int, a int); ALTER TABLE t INHERIT p; DELETE FROM p",
            ),
            (
                Postgresql,
                "CREATE TABLE top (id int, a int); CREATE TABLE p () INHERITS (top); ALTER TABLE t INHERIT p; DELETE FROM top",
            ),
            (
                Postgresql,
                "CREATE TABLE p (id int PRIMARY KEY); ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p ON DELETE CASCADE; DELETE FROM p",
            ),
            (
                Sqlite,
                "CREATE TABLE p (id INTEGER PRIMARY KEY); ALTER TABLE t ADD COLUMN p int REFERENCES p ON DELETE CASCADE; DELETE FROM p",
            ),
        ] {
            assert_ne!(
                found("delete-without-where", engine, &[old, script]),
                "",
                "{script}"
            );
        }
        assert_ne!(
            found(
                "update-without-where",
                Postgresql,
                &[
                    old,
                    "CREATE TABLE p (id int, a int); ALTER TABLE t INHERIT p; UPDATE p SET a = 1"
                ]
            ),
            ""
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("delete-without-where", Postgresql, &[T, "DELETE FROM t WHERE id = id"]), @r#"
        error: may delete every row of t
          at    DELETE FROM t WHERE id = id
          then  no condition tells one row from another; they are gone, and what refers to them with ON DELETE CASCADE too
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>
        "#);
        insta::assert_snapshot!(found("delete-without-where", Postgresql, &[T, "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone; DELETE FROM t WHERE TRUE"]), @r#"
        error: deletes every row of t
          at    DELETE FROM t RETURNING *
          then  they are gone, and what refers to them with ON DELETE CASCADE too
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>
        error: deletes every row of t
          at    DELETE FROM t WHERE TRUE
          then  they are gone, and what refers to them with ON DELETE CASCADE too
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>
        "#);
        insta::assert_snapshot!(found("delete-without-where", Sqlite, &[T, "DELETE FROM t; DELETE FROM t WHERE 1 = 1"]), @r#"
        error: deletes every row of t
          at    DELETE FROM t
          then  they are gone, and what refers to them with ON DELETE CASCADE too
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>
        error: deletes every row of t
          at    DELETE FROM t WHERE 1 = 1
          then  they are gone, and what refers to them with ON DELETE CASCADE too
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>
        "#);
    }
}
