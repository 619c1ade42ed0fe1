//! Attempts that stopped half-way, or tried to leave no receipt, on PostgreSQL.

use insta::assert_snapshot;

use crate::on_postgres::{CREATE, Chain};

#[test]
fn a_script_that_failed_half_way_says_what_stands() {
    let chain = Chain::new(&[
        (
            "20251101000000_users",
            "CREATE TABLE users (id int);\nINSERT INTO users VALUES (1), (1);\n",
        ),
        (
            "20251102000000_unique",
            "ALTER TABLE users ADD email text;\nCREATE UNIQUE INDEX CONCURRENTLY users_id ON users (id);\n",
        ),
    ]);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 1
    --- stderr
    dev: bound to app_dev
    dev: 2 migrations to apply
      applied   20251101000000_users  atomic
    error: 20251102000000_unique failed in dev: could not create unique index "users_id" [23505]
      --> migrations/20251102000000_unique/migration.sql:2:1
      |
    2 | CREATE UNIQUE INDEX CONCURRENTLY users_id ON users (id);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      detail   Key (id)=(1) is duplicated.
      hint     an INVALID index was left behind: public.users_id; before the next try: DROP INDEX CONCURRENTLY public.users_id;

    dev keeps what ran outside a transaction: 1 of 2 statements stand in the target.
    Put right what made it fail, and go on with the same bytes.
      remedy   tollgate resolve dev 20251102000000_unique --continue-at 2 --reason '<what you put right>'   # or undo all of it, and --not-applied
    "#);
    assert_snapshot!(chain.run(&["plan", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251102000000_unique
        failed      it failed half-way and may have left something behind
                    found     failed 2025-11-04 10:12 UTC: could not create unique index "users_id"
                              1 of 2 statements stand in the target
                    required  what it left behind undone by hand, or its cause put right; and a person's word for it
                    remedy    tollgate resolve dev 20251102000000_unique --continue-at 2 --reason '<what you put right>'   # or undo all of it, and --not-applied
    "#);
    chain.databases[0]
        .run("ALTER TABLE users DROP email; DROP INDEX users_id; DELETE FROM users")
        .unwrap();
    let resolve = [
        "resolve",
        "dev",
        "20251102000000_unique",
        "--not-applied",
        "--reason",
        "dropped both",
    ];
    assert_eq!(chain.run(&resolve).exit, 0);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
}

/// What another ledger left half done is seen in the target's journal: nothing runs over it.
#[test]
fn another_ledgers_unfinished_attempt_is_not_run_over() {
    let half = [
        ("20251101000000_users", CREATE),
        (
            "20251102000000_half",
            "VACUUM users;\nINSERT INTO users VALUES (1, 'a');\nVACUUM nowhere;\n",
        ),
    ];
    let one = Chain::new(&half);
    assert_eq!(one.run(&["apply", "dev"]).exit, 1);
    let mut other = Chain::new(&half);
    other.project = other.project.with_own_ids();
    other.set_url("dev", one.databases[0].url());
    assert_snapshot!(one.hide(other.run(&["apply", "dev"])), @r"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251102000000_half
        unknown     it failed half-way under another ledger
                    found     begun under another ledger
                              certain: 2 of 3 statements ended and stand
                              failed, and may have left something: statement 3: VACUUM nowhere
                    required  a person's word for what stands
                    remedy    tollgate resolve dev 20251102000000_half --continue-at 3 --reason '<what you found>'   # or --continue-at 4, where statement 3 stands
    --- stderr
    dev: bound to app_dev
    dev: took in 1 receipt that the ledger lacked
    ");
    one.databases[0].run("DELETE FROM users").unwrap();
    other.project.write(
        "20251102000000_half",
        "INSERT INTO users VALUES (1, 'a');\n",
    );
    let resolve = [
        "resolve",
        "dev",
        "20251102000000_half",
        "--not-applied",
        "--reason",
        "deleted the row",
    ];
    assert_eq!(other.run(&resolve).exit, 0);
    assert_eq!(other.run(&["apply", "dev"]).exit, 0);
    // The first ledger takes the success in, and has nothing left to settle.
    one.project.write(
        "20251102000000_half",
        "INSERT INTO users VALUES (1, 'a');\n",
    );
    assert_snapshot!(one.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: took in 1 receipt that the ledger lacked
    "#);
    assert_eq!(one.databases[0].ask("SELECT count(*) FROM users"), "1");
}

/// COMMIT AND CHAIN commits, and so may a DO block or a procedure outside a transaction: what stands is
/// never called rolled back.
#[test]
fn what_a_script_committed_on_its_way_is_not_called_rolled_back() {
    for script in [
        "BEGIN;\nINSERT INTO users VALUES (1);\nCOMMIT AND CHAIN;\nSELECT 1/0;\nCOMMIT;\n",
        "BEGIN;\nINSERT INTO users VALUES (1);\nCOMMIT AND CHAIN;\nINSERT INTO users VALUES (2);\n",
        "DO $$ BEGIN INSERT INTO users VALUES (1); COMMIT; RAISE EXCEPTION 'second batch'; END $$;\nVACUUM users;\n",
    ] {
        let chain = Chain::new(&[
            ("20251101000000_users", CREATE),
            ("20251102000000_half", script),
        ]);
        let shot = chain.run(&["apply", "dev"]);
        assert_eq!(shot.exit, 1, "{shot}");
        assert!(!shot.stderr.contains("rolled back."), "{shot}");
        assert_eq!(chain.run(&["apply", "dev"]).exit, 3, "it is not run over");
        assert_eq!(
            chain.databases[0].ask("SELECT count(*) FROM users"),
            "1",
            "{script}"
        );
    }
}

/// A script that makes the receipt vanish leaves nothing else either.
#[test]
fn work_whose_receipt_was_swallowed_is_not_committed() {
    let script = "CREATE TABLE users (id int);\nCREATE RULE r AS ON INSERT TO tollgate.receipt DO INSTEAD NOTHING;\n";
    let chain = Chain::new(&[("20251101000000_users", script)]);
    let shot = chain.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 1, "{shot}");
    assert_eq!(
        chain.databases[0].ask("SELECT count(*) FROM pg_class WHERE relname = 'users'"),
        "0"
    );
}
