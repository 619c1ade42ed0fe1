//! Attempts that were cut off: what is told of them, how they go on, and what a person may say.

use insta::assert_snapshot;

use crate::on_postgres::Chain;

const TABLES: &str = "CREATE TABLE counter (n int);\nCREATE TABLE trap (armed bool);\nINSERT INTO trap VALUES (true);\n";
/// Ends its own session, as long as the trap is armed.
const TRAP: &str = "SELECT pg_terminate_backend(pg_backend_pid()) FROM trap WHERE armed;";

const HALF: &str = "20251102000000_half";

/// dev is cut off in statement 3 of 4: nothing of it stands, because it is a transaction.
fn cut_off_between_statements() -> Chain {
    let script = format!(
        "INSERT INTO counter VALUES (1);\nVACUUM counter;\n{TRAP}\nINSERT INTO counter VALUES (4);\n"
    );
    let chain = Chain::new(&[("20251101000000_tables", TABLES), (HALF, &script)]);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 1);
    chain
}

/// Ends the session of whoever computes it, as long as the trap is armed.
const TRIP: &str = "CREATE FUNCTION trip(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN IF (SELECT armed FROM trap) THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN n; END $$;\n";

/// dev is cut off in statement 2 of 3, which works in several transactions.
fn cut_off_in_flight() -> Chain {
    let script = "INSERT INTO counter VALUES (1);\nCREATE INDEX CONCURRENTLY tripped ON counter (trip(n));\nINSERT INTO counter VALUES (3);\n";
    let tables = format!("{TABLES}{TRIP}");
    let chain = Chain::new(&[("20251101000000_tables", &tables), (HALF, script)]);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 1);
    chain
}

/// What a person does who finishes the index by hand.
fn build_by_hand(chain: &Chain) {
    for sql in [
        "DROP INDEX tripped",
        "CREATE INDEX tripped ON counter (trip(n))",
    ] {
        chain.databases[0].run(sql).unwrap();
    }
}

fn disarm(chain: &Chain) {
    chain.databases[0]
        .run("UPDATE trap SET armed = false")
        .unwrap();
}

fn counted(chain: &Chain) -> String {
    chain.databases[0].ask("SELECT string_agg(n::text, ' ' ORDER BY n) FROM counter")
}

fn resolve<'a>(said: &[&'a str]) -> Vec<&'a str> {
    [&["resolve", "dev", HALF], said, &["--reason", "looked"]].concat()
}

/// What the journal tells exactly needs nobody: the same command goes on.
#[test]
fn what_is_certain_goes_on_by_itself() {
    let script = format!(
        "INSERT INTO counter VALUES (1);\nVACUUM counter;\n{TRAP}\nINSERT INTO counter VALUES (4);\n"
    );
    let chain = Chain::new(&[("20251101000000_tables", TABLES), (HALF, &script)]);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r"
    exit 1
    --- stderr
    dev: bound to app_dev
    dev: 2 migrations to apply
      applied   20251101000000_tables  atomic
    dev: settled 20251102000000_half: it was cut off, and 2 of 4 statements stand
    error: dev: 20251102000000_half was cut off: the server refused while running the script: terminating connection due to administrator command [57P01]
      2 of 4 statements stand in the target, and nothing else of it

      remedy   tollgate apply dev   # goes on at statement 3
    ");
    assert_snapshot!(chain.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration              dev       test      prod
    20251101000000_tables  applied   pending   pending
    20251102000000_half    failed    pending   pending

    test: this ledger knows no target there; tollgate sync test
    prod: this ledger knows no target there; tollgate sync prod

    dev: 1 migration waits, ready
      20251102000000_half  ready
    test: 2 migrations wait, the first ready
      20251101000000_tables  0 s  ready
      20251102000000_half         promotion: not in dev
    prod: 2 migrations wait
      20251101000000_tables  promotion: not in test
      20251102000000_half    promotion: not in dev and test
    "#);
    let plan = chain.run(&["plan", "dev"]);
    assert!(
        plan.stdout.contains(
            "note        goes on at statement 3 of 4: what stands before it is not sent again"
        ),
        "{plan}"
    );
    disarm(&chain);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: 1 migration to apply
      applied   20251102000000_half  journalled, from statement 3
    ");
    assert_eq!(counted(&chain), "1 4");
    assert_snapshot!(chain.run(&["log", "--migration", HALF]), @r"
    exit 0
    --- stdout
        6  2025-11-04T10:12:00.000Z  alice  intent     dev 20251102000000_half blake3:278a3104696d
        7  2025-11-04T10:12:00.000Z  alice  unknown    dev 20251102000000_half: the server refused while running the script: terminating connection due to administrator command [57P01]
        8  2025-11-04T10:12:00.000Z  alice  failed     dev 20251102000000_half, 2 of 4 statements stand, settled from the target's journal
        9  2025-11-04T10:12:00.000Z  alice  intent     dev 20251102000000_half blake3:278a3104696d, from statement 3
       10  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251102000000_half
    ");
    // It ran whole, in two parts: the next environment may take it.
    chain.databases[1]
        .run("CREATE TABLE trap (armed bool)")
        .unwrap();
    assert_eq!(chain.run(&["plan", "test"]).exit, 0);
}

/// An edited script is never continued: its beginning is not what stands.
#[test]
fn an_edited_script_is_never_gone_on_with() {
    let chain = cut_off_between_statements();
    disarm(&chain);
    chain
        .project
        .write(HALF, "INSERT INTO counter VALUES (7);\nVACUUM counter;\n");
    assert_snapshot!(chain.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251102000000_half
        failed      it stopped half-way, and an edited script is never continued
                    found     the first 2 of 4 statements of blake3:278a3104696d stand in the target
                              the script on disk is blake3:35696ecc7a06
                    required  the bytes that were begun, blake3:278a3104696d; or what stands undone by hand, and --not-applied
                    remedy    tollgate log restore 20251102000000_half
    ");
    assert_snapshot!(chain.run(&resolve(&["--continue-at", "2"])), @r"
    exit 3
    --- stderr
    error: 20251102000000_half was edited since it was begun (blake3:278a3104696d then, blake3:35696ecc7a06 now), and an edited script is never continued

      remedy   tollgate resolve dev 20251102000000_half --not-applied --reason '<what you undid>'   # or run the rest by hand, and --applied
    ");
    let restored = chain.run(&["log", "restore", HALF]);
    assert_eq!(restored.exit, 0, "{restored}");
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_eq!(counted(&chain), "1 4");
}

/// Only what was in flight outside a transaction needs a person: what is certain, what was in flight,
/// one command.
#[test]
fn what_was_in_flight_needs_a_person() {
    let chain = cut_off_in_flight();
    disarm(&chain);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251102000000_half
        unknown     it was cut off while a statement was in flight
                    found     begun 2025-11-04 10:12 UTC by alice
                              certain: 1 of 3 statements ended and stand
                              in flight: statement 2: CREATE INDEX CONCURRENTLY tripped ON counter (trip(n))
                              the catalog: public.tripped is INVALID; first DROP INDEX CONCURRENTLY public.tripped;
                    required  a person's word for what stands
                    remedy    tollgate resolve dev 20251102000000_half --continue-at 2 --reason '<dropped the INVALID index>'
    ");
    build_by_hand(&chain);
    assert_snapshot!(chain.run(&resolve(&["--continue-at", "3"])), @r"
    exit 0
    --- stdout
    dev: 20251102000000_half goes on at statement 3 with the next apply
    ");
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: 1 migration to apply
      20251102000000_half
        locks       line 2: counter (SHARE UPDATE EXCLUSIVE) while every row is read
      applied   20251102000000_half  journalled, from statement 3
    "#);
    assert_eq!(counted(&chain), "1 3");
    assert_eq!(chain.run(&["verify"]).exit, 0);
}

/// What a person applied counts as applied there, and earns no place further on.
#[test]
fn a_persons_word_is_no_evidence() {
    let chain = cut_off_in_flight();
    disarm(&chain);
    build_by_hand(&chain);
    chain.databases[0]
        .run("INSERT INTO counter VALUES (3)")
        .unwrap();
    assert_snapshot!(chain.run(&resolve(&["--applied"])), @r"
    exit 0
    --- stdout
    dev: 20251102000000_half counts as applied on your word; that is no evidence for the next environment
    ");
    assert_snapshot!(chain.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    ");
    assert_eq!(
        chain.databases[0].ask("SELECT string_agg(kind, ' ' ORDER BY seq) FROM tollgate.receipt"),
        "atomic resolved"
    );
    assert_snapshot!(chain.run(&["plan", "test"]), @r"
    exit 3
    --- stdout
    refused: test has 1 migration that has not earned its place

      20251102000000_half
        promotion   these bytes never succeeded in dev
                    found     dev: counts as applied on a person's word, 2025-11-04 10:12 UTC
                    required  success of blake3:459bb428599a in dev
                    remedy    tollgate reset dev   # and then: tollgate apply dev

      1 before it is ready: tollgate apply test --to 20251101000000_tables
    ");
}

#[test]
fn a_place_to_go_on_is_checked() {
    let chain = cut_off_in_flight();
    assert_snapshot!(chain.run(&resolve(&["--continue-at", "1"])), @r"
    exit 2
    --- stderr
    error: to go on at statement 1 is to say that nothing of it stands

      remedy   tollgate resolve dev 20251102000000_half --not-applied --reason '<why>'
    ");
    assert_snapshot!(chain.run(&resolve(&["--continue-at", "5"])), @r"
    exit 2
    --- stderr
    error: 20251102000000_half has 3 statements, so there is no statement 5 to go on at

      remedy   tollgate plan dev
    ");
    assert_snapshot!(chain.run(&resolve(&["--continue-at", "2", "--applied"])), @r"
    exit 2
    --- stderr
    error: the argument '--continue-at <K>' cannot be used with '--applied'

    Usage: tollgate resolve --reason <WHY> <--not-applied|--applied|--continue-at <K>> <ENV> <MIGRATION>

    For more information, try '--help'.
    ");
    let inside = Chain::new(&[
        ("20251101000000_tables", TABLES),
        (
            HALF,
            "INSERT INTO counter VALUES (1);\nBEGIN;\nINSERT INTO counter VALUES (2);\nCOMMIT;\nCREATE TEMP TABLE t (id int);\nVACUUM nowhere;\n",
        ),
    ]);
    assert_eq!(inside.run(&["apply", "dev"]).exit, 1);
    assert_snapshot!(inside.run(&resolve(&["--continue-at", "3"])), @r"
    exit 3
    --- stderr
    error: the target's journal says that 5 of 6 statements of 20251102000000_half stand, so it can only go on at statement 6 or 7

      remedy   tollgate resolve dev 20251102000000_half --applied --reason '<what you ran by hand>'   # or undo all of it, and --not-applied
    ");
    assert_snapshot!(inside.run(&resolve(&["--continue-at", "6"])), @r"
    exit 3
    --- stderr
    error: 20251102000000_half cannot be continued at statement 6: statement 5 (line 5) left in its session what may be missed in another one: CREATE TEMP TABLE t (id int)

      remedy   tollgate resolve dev 20251102000000_half --not-applied --reason '<what you undid>'   # or run the rest by hand, and --applied
    ");
}

/// Everything ran and only the receipt is missing.
#[test]
fn going_on_after_the_last_statement_writes_the_receipt() {
    let chain = Chain::new(&[
        ("20251101000000_tables", TABLES),
        (
            HALF,
            "INSERT INTO counter VALUES (1);\nVACUUM counter;\nDISCARD ALL;\n",
        ),
    ]);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 1);
    // DISCARD ALL gave the lock back, and did what it does.
    assert_eq!(chain.run(&resolve(&["--continue-at", "4"])).exit, 0);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: 1 migration to apply
      applied   20251102000000_half  journalled, its receipt
    ");
    assert_eq!(counted(&chain), "1");
}

/// Two ledgers, one target: what one of them settles or goes on with, the other takes over.
#[test]
fn another_ledger_goes_on_where_this_one_stopped() {
    let one = cut_off_between_statements();
    disarm(&one);
    let mut other = Chain::new(&[("20251101000000_tables", TABLES)]);
    other.project = other.project.with_own_ids();
    other.set_url("dev", one.databases[0].url());
    let script = std::fs::read_to_string(one.project.script(HALF)).unwrap();
    other.project.write(HALF, &script);
    assert_snapshot!(one.hide(other.run(&["apply", "dev"])), @r"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: bound to app_dev
    dev: took in 1 receipt that the ledger lacked
    dev: 1 migration to apply
      applied   20251102000000_half  journalled, from statement 3
    ");
    assert_eq!(counted(&one), "1 4");
    assert_snapshot!(one.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: took in 1 receipt that the ledger lacked
    ");
    assert_eq!(one.run(&["verify"]).exit, 0);
}

/// A person's word stands in the target, for every ledger to read.
#[test]
fn a_persons_word_is_taken_over() {
    let one = cut_off_in_flight();
    disarm(&one);
    let mut other = Chain::new(&[("20251101000000_tables", TABLES)]);
    other.project = other.project.with_own_ids();
    other.set_url("dev", one.databases[0].url());
    let script = std::fs::read_to_string(one.project.script(HALF)).unwrap();
    other.project.write(HALF, &script);
    let tables = format!("{TABLES}{TRIP}");
    other.project.write("20251101000000_tables", &tables);
    assert_eq!(other.run(&["apply", "dev"]).exit, 3);
    build_by_hand(&one);
    assert_eq!(other.run(&resolve(&["--continue-at", "3"])).exit, 0);
    assert_snapshot!(one.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: 20251102000000_half: a person's word about it stands in the target
    dev: 1 migration to apply
      20251102000000_half
        locks       line 2: counter (SHARE UPDATE EXCLUSIVE) while every row is read
      applied   20251102000000_half  journalled, from statement 3
    "#);
    assert_eq!(counted(&one), "1 3");
    assert_snapshot!(one.hide(other.run(&["apply", "dev"])), @r"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: took in 1 receipt that the ledger lacked
    ");
}

/// A target that was put back to an earlier point lost what stood there: the ledger does not know better.
#[test]
fn what_the_target_no_longer_knows_of_does_not_stand() {
    let chain = cut_off_between_statements();
    disarm(&chain);
    // As a backup from before the script would have it.
    chain.databases[0]
        .run(
            "ALTER TABLE tollgate.journal DISABLE TRIGGER append_only;
             DELETE FROM tollgate.journal;
             ALTER TABLE tollgate.journal ENABLE ALWAYS TRIGGER append_only;
             DELETE FROM counter",
        )
        .unwrap();
    assert_snapshot!(chain.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: 20251102000000_half: the target has no trace of it, and was put back to an earlier point
    dev: 1 migration to apply
      applied   20251102000000_half  journalled
    ");
    assert_eq!(counted(&chain), "1 4");
}

/// A person's word is a word about what was in flight; statements that never ran are no evidence.
#[test]
fn a_word_goes_no_farther_than_what_was_in_flight() {
    let chain = cut_off_in_flight();
    disarm(&chain);
    assert_eq!(chain.run(&resolve(&["--continue-at", "4"])).exit, 3);
    // The reason is for others to read: no secret stays in it.
    let url = chain.project.variables["DATABASE_URL_DEV"].clone();
    build_by_hand(&chain);
    let said = [
        "resolve",
        "dev",
        HALF,
        "--continue-at",
        "3",
        "--reason",
        &url,
    ];
    assert_eq!(chain.run(&said).exit, 0);
    let password = url.split(':').nth(2).unwrap().split('@').next().unwrap();
    let kept =
        chain.databases[0].ask("SELECT reason FROM tollgate.journal WHERE what = 'resolved'");
    assert!(!kept.contains(password), "{kept}");
}
