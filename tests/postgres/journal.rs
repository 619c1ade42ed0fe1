//! Scripts that run statement by statement.

use tollgate::model::ReceiptKind;
use tollgate::model::entry::Progress;

use crate::bench::{Bench, failed};

#[test]
fn concurrently_built_indexes_are_journalled() {
    for mut bench in Bench::both() {
        let script = "CREATE TABLE t (id int);\nCREATE INDEX CONCURRENTLY i ON t (id);\nINSERT INTO t VALUES (1);";
        let applied = bench.between(script).unwrap();
        assert_eq!(applied.kind, ReceiptKind::Journalled);
        let survey = bench.survey();
        assert_eq!(survey.journals[0].progress, Progress { done: 3, of: 3 });
        assert!(!survey.journals[0].in_flight());
        assert_eq!(
            bench
                .database
                .ask("SELECT string_agg(step || what, ' ' ORDER BY id) FROM tollgate.journal"),
            "0started 1done 2begun 2done 3done 3finished"
        );
    }
}

#[test]
fn an_invalid_index_is_named() {
    for mut bench in Bench::both() {
        let script = "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1);
                      CREATE UNIQUE INDEX CONCURRENTLY \"My index\" ON t (id)";
        let (error, left) = failed(bench.between(script));
        assert_eq!(left, Some(Progress { done: 2, of: 3 }));
        assert_eq!(error.code.as_deref(), Some("23505"));
        let hint = error.hint.unwrap();
        assert!(
            hint.contains("DROP INDEX CONCURRENTLY public.\"My index\";"),
            "{hint}"
        );
        // An index that was invalid before is not this script's.
        let (error, left) = failed(bench.between("CREATE INDEX CONCURRENTLY j ON t (missing)"));
        assert!(error.hint.is_none_or(|hint| !hint.contains("INVALID")));
        assert_eq!(left, Some(Progress { done: 0, of: 1 }));
    }
}

#[test]
fn a_failure_in_a_block_takes_the_block() {
    for mut bench in Bench::both() {
        let script = "BEGIN; CREATE TABLE a (id int); COMMIT;
                      BEGIN; CREATE TABLE b (id int); SELECT 1 / 0; COMMIT;
                      CREATE TABLE c (id int)";
        let (error, left) = failed(bench.between(script));
        assert_eq!(left, Some(Progress { done: 3, of: 8 }));
        assert_eq!(error.at.unwrap().start, script.find("SELECT").unwrap());
        assert!(bench.has_table("a") && !bench.has_table("b") && !bench.has_table("c"));
        let journal = &bench.survey().journals[0];
        assert_eq!(journal.progress, Progress { done: 3, of: 8 });
        assert!(!journal.in_flight());
        // Of a script that fails in its first block nothing stands.
        let script = "BEGIN; CREATE TABLE b (id int); SELECT 1 / 0; COMMIT";
        assert_eq!(failed(bench.between(script)).1, None);
        // Nor of one whose COMMIT fails.
        let script = "BEGIN; CREATE TABLE d (id int PRIMARY KEY, up int REFERENCES d DEFERRABLE INITIALLY DEFERRED);
                      INSERT INTO d VALUES (1, 2); COMMIT";
        assert_eq!(failed(bench.between(script)).1, None);
        assert!(!bench.has_table("d"));
    }
}

#[test]
fn an_open_transaction_at_the_end_is_rolled_back() {
    for mut bench in Bench::both() {
        for (script, left) in [
            ("BEGIN; CREATE TABLE evil (id int)", None),
            (
                "SELECT 1; BEGIN; CREATE TABLE evil (id int)",
                Some(Progress { done: 1, of: 3 }),
            ),
            (
                "BEGIN; COMMIT AND CHAIN; CREATE TABLE evil (id int)",
                Some(Progress { done: 2, of: 3 }),
            ),
        ] {
            let (error, found) = failed(bench.between(script));
            assert!(
                error.message.contains("leaves a transaction open"),
                "{script}: {error:?}"
            );
            assert_eq!(found, left, "{script}");
            assert!(!bench.has_table("evil"));
        }
    }
}

/// The lock is looked for with every row: nothing runs on without it, and taking it again does not
/// help, because another run may have been there meanwhile.
#[test]
fn a_lost_lock_ends_the_script() {
    for mut bench in Bench::both() {
        for (number, (script, done)) in [
            ("VACUUM; SELECT pg_advisory_unlock_all(); CREATE TABLE evil (id int)", 1),
            ("VACUUM; DISCARD ALL; SELECT pg_advisory_lock(72707369); CREATE TABLE evil (id int)", 1),
            ("VACUUM; BEGIN; SELECT pg_advisory_unlock_all(); CREATE TABLE evil (id int); COMMIT", 1),
            ("VACUUM; DO $$ BEGIN PERFORM pg_advisory_unlock_all(); COMMIT; END $$; CREATE TABLE evil (id int)", 1),
        ]
        .into_iter()
        .enumerate()
        {
            let (error, left) = failed(bench.between(script));
            assert!(error.message.contains("lock"), "{script}: {error:?}");
            let of = script.matches("; ").count() as u64 + 1 - if number == 3 { 2 } else { 0 };
            let found = left.map(|left| (left.done, left.of));
            assert_eq!(found, Some((done, of)), "{script}");
            assert!(!bench.has_table("evil"), "{script}");
        }
    }
}
