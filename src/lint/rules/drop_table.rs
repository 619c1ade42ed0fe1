//! `DROP TABLE` of a table that stood.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drop-table",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "drops a table with its rows",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Drop {
        kind: ObjectKind::Table,
        name,
        ..
    } = at.deed
    else {
        return;
    };
    // Rows that another table took are not lost; columns that it has no room for are: see `drop-column`.
    if !at.picture.is_old_table(name) || super::rebuild::kept(at, name).is_some() {
        return;
    }
    let again = if at.is_replaced(name) {
        (
            " and makes it anew",
            "its rows are gone: the new table is empty",
        )
    } else {
        ("", "its rows are gone")
    };
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("drops table {name}{}", again.0),
            consequence: again.1.to_owned(),
            help: accept(
                &RULE,
                "carry what is still needed over into another table first",
            ),
            subject: Some((name.clone(), None)),
            clause: format!("table {name}"),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    #[test]
    fn a_temporary_table_is_not_the_one_that_it_hides() {
        let t = "CREATE TABLE t (id int)";
        let temp = "CREATE TEMP TABLE t (id int)";
        insta::assert_snapshot!(found("drop-table", Postgresql, &[t, &format!("{temp}; DROP TABLE public.t")]), @r#"
        error: drops table public.t
          at    DROP TABLE public.t
          then  its rows are gone
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        "#);
        insta::assert_snapshot!(found("drop-table", Sqlite, &[t, &format!("{temp}; DROP TABLE main.t")]), @r#"
        error: drops table main.t
          at    DROP TABLE main.t
          then  its rows are gone
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        "#);
        // It went with the session of its script.
        insta::assert_snapshot!(found("drop-table", Postgresql, &[t, temp, "DROP TABLE t"]), @r#"
        error: drops table t
          at    DROP TABLE t
          then  its rows are gone
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        "#);
    }

    #[test]
    fn a_new_table_may_have_old_ones_as_its_parts() {
        let attached = "CREATE TABLE n (id int) PARTITION BY RANGE (id); \
                        ALTER TABLE n ATTACH PARTITION t FOR VALUES FROM (0) TO (9); DROP TABLE n";
        insta::assert_snapshot!(found("drop-table", Postgresql, &["CREATE TABLE t (id int)", attached]), @r#"
        error: drops table n
          at    DROP TABLE n
          then  its rows are gone
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        "#);
    }

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            let t = "CREATE TABLE t (id int)";
            silent("drop-table", engine, &[&format!("{t}; DROP TABLE t")]);
            silent(
                "drop-table",
                engine,
                &["CREATE TEMP TABLE t (id int); DROP TABLE t"],
            );
            silent("drop-table", engine, &[t, "DROP VIEW v; DROP INDEX t_i"]);
            // Taken over by another table, as Prisma does for SQLite.
            silent(
                "drop-table",
                engine,
                &[
                    t,
                    "CREATE TABLE new_t (id int); INSERT INTO new_t (id) SELECT id FROM t; DROP TABLE t; ALTER TABLE new_t RENAME TO t",
                ],
            );
        }
    }

    /// Only what is certainly the one that the plan made is new.
    #[test]
    fn names_that_may_mean_another() {
        let told = |script: &str| {
            assert_ne!(
                found(
                    "drop-table",
                    Postgresql,
                    &["CREATE TABLE t (id int)", script]
                ),
                "",
                "{script}"
            );
        };
        for script in [
            "SET search_path TO s, public; CREATE TABLE t (id int); DROP TABLE public.t",
            "CREATE TABLE s.z (id int); DROP TABLE z",
            "CREATE TABLE z (id int); DROP TABLE s.z",
            "CREATE TABLE s.z (id int); SET search_path TO public; DROP TABLE z",
            "CREATE TABLE z (id int); SET LOCAL search_path TO s; DROP TABLE z",
            "CREATE TABLE z (id int); SELECT set_config('search_path', 's', true); DROP TABLE z",
            "SET search_path TO s; CREATE TABLE z (id int); RESET search_path; DROP TABLE z",
            "ALTER ROLE app SET search_path TO s; CREATE TABLE z (id int)",
            "CREATE SCHEMA n; CREATE TABLE n.t (id int); ALTER SCHEMA public RENAME TO o; ALTER SCHEMA n RENAME TO public; DROP TABLE o.t",
            "SAVEPOINT a; CREATE TABLE z (id int); ROLLBACK TO a; DROP TABLE z",
            "SAVEPOINT a; CREATE TEMP TABLE t (id int); ROLLBACK TO a; DROP TABLE t",
            "BEGIN; CREATE TEMP TABLE t (id int) ON COMMIT DROP; COMMIT; DROP TABLE t",
            "CREATE TEMP TABLE t (id int); DISCARD ALL; DROP TABLE t",
            "BEGIN; CREATE TABLE z (id int); ROLLBACK; DROP TABLE z",
            "CREATE TABLE n (id int); SAVEPOINT a; ALTER TABLE t RENAME TO u; ALTER TABLE n RENAME TO t; ROLLBACK TO SAVEPOINT a; DROP TABLE t",
            "CREATE TABLE n (id int); SAVEPOINT a; INSERT INTO n SELECT id FROM t; ROLLBACK TO a; DROP TABLE t; ALTER TABLE n RENAME TO t",
        ] {
            if script.starts_with("ALTER ROLE") {
                let script = format!("{script}; DROP TABLE IF EXISTS public.t");
                told(&script);
            } else {
                told(script);
            }
        }
        for script in [
            "CREATE TABLE z (id int); DROP TABLE public.z",
            "CREATE TABLE public.z (id int); DROP TABLE z",
            "CREATE SCHEMA s; CREATE TABLE s.z (id int); DROP TABLE s.z",
            "SET search_path TO s, public; CREATE TABLE z (id int); DROP TABLE z",
            "SET search_path TO public, extensions; CREATE TABLE z (id int); DROP TABLE public.z",
            "BEGIN; CREATE TEMP TABLE z (id int); COMMIT; DROP TABLE z",
            "CREATE TABLE z (id int); SAVEPOINT a; RELEASE a; DROP TABLE z",
        ] {
            silent(
                "drop-table",
                Postgresql,
                &["CREATE TABLE t (id int)", script],
            );
        }
        silent(
            "drop-table",
            Sqlite,
            &[
                "CREATE TABLE t (id int)",
                "CREATE TABLE z (id int); DROP TABLE main.z",
            ],
        );
        assert_ne!(
            found(
                "drop-table",
                Sqlite,
                &[
                    "CREATE TABLE t (id int)",
                    "SAVEPOINT a; CREATE TABLE z (id int); ROLLBACK TO a; DROP TABLE z"
                ]
            ),
            ""
        );
    }

    #[test]
    fn bad() {
        let t = "CREATE TABLE t (id int)";
        insta::assert_snapshot!(found("drop-table", Postgresql, &[t, "DROP TABLE IF EXISTS t, public.u"]), @r#"
        error: drops table t
          at    t
          then  its rows are gone
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        error: drops table public.u
          at    public.u
          then  its rows are gone
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        "#);
        insta::assert_snapshot!(found("drop-table", Postgresql, &[t, "DROP TABLE t; CREATE TABLE t (id bigint)"]), @r#"
        error: drops table t and makes it anew
          at    DROP TABLE t
          then  its rows are gone: the new table is empty
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        "#);
        insta::assert_snapshot!(found("drop-table", Postgresql, &[t, "DO $$ BEGIN EXECUTE 'DROP TABLE ' || 't'; END $$"]), @r#"
        error: drops table t in a block of code, if it gets there
          at    DO $$ BEGIN EXECUTE 'DROP TABLE ' || 't'; END $$
          then  its rows are gone
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        "#);
        insta::assert_snapshot!(found("drop-table", Sqlite, &[t, "DROP TABLE T"]), @r#"
        error: drops table T
          at    DROP TABLE T
          then  its rows are gone
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        "#);
        // Renamed tables are as old as they were.
        insta::assert_snapshot!(found("drop-table", Sqlite, &[t, "ALTER TABLE t RENAME TO u; DROP TABLE u"]), @r#"
        error: drops table u
          at    DROP TABLE u
          then  its rows are gone
          help  carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>
        "#);
    }
}
