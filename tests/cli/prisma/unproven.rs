//! Rows of Prisma's that do not prove their bytes.

use insta::assert_snapshot;

use super::{Prisma, USERS, tree};
use crate::project::Project;

/// Every way in which a row can fail to prove its bytes.
fn unproven() -> Project {
    let project = tree(&[
        USERS,
        (
            "20251102000000_edited",
            "CREATE TABLE a (id INTEGER);\n-- edited\n",
        ),
        ("20251103000000_endings", "CREATE TABLE b (id INTEGER);\n"),
        ("20251104000000_manual", "CREATE TABLE c (id INTEGER);\n"),
        ("20251105000000_said", "CREATE TABLE d (id INTEGER);\n"),
        (
            "20251106000000_rolled_back",
            "CREATE TABLE e (id INTEGER);\n",
        ),
        ("20251107000000_failed", "CREATE TABLE f (id INTEGER);\n"),
    ]);
    let prisma = Prisma::on(&project, "dev");
    prisma.deploys(USERS);
    prisma.deploys(("20251102000000_edited", "CREATE TABLE a (id INTEGER);\n"));
    prisma.deploys(("20251103000000_endings", "CREATE TABLE b (id INTEGER);\r\n"));
    prisma
        .0
        .execute_batch("CREATE TABLE c (id INTEGER); CREATE TABLE d (id INTEGER)")
        .unwrap();
    prisma.row("20251104000000_manual", "manual", "1", true, 1);
    let said = tollgate::digest::Sha256::of(b"CREATE TABLE d (id INTEGER);\n").to_string();
    prisma.row("20251105000000_said", &said, "2", true, 0);
    prisma.row("20251106000000_rolled_back", &said, "3", false, 0);
    prisma
        .0
        .execute_batch("UPDATE _prisma_migrations SET rolled_back_at = started_at WHERE id = '3'")
        .unwrap();
    prisma.fails(
        ("20251107000000_failed", ""),
        "near \"CRATE\": syntax error\nmore",
    );
    prisma.deploys(("20251103500000_gone", "CREATE TABLE g (id INTEGER);\n"));
    prisma.deploys(("20251201000000_ahead", "CREATE TABLE h (id INTEGER);\n"));
    project
}

#[test]
fn every_row_without_proof_is_named_with_its_remedy() {
    let project = unproven();
    assert_snapshot!(project.run(&["baseline", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev is not taken in: 5 migrations have no proof of their bytes

      20251102000000_edited
        modified    it was edited after Prisma applied it here
                    found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum 55b5db57dee6
                              the file:     checksum c162f559f496
                    required  the bytes that ran, or a person's word for those on disk
                    remedy    git log --all --stat -- '*/20251102000000_edited/migration.sql'   # then git checkout <commit> -- <path>; or tollgate baseline dev --accept-unproven --reason '<why>'

      20251103000000_endings
        modified    only its line endings were changed since Prisma applied it here: other bytes
                    found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum a696fe748587
                              the file:     checksum cf3e2fe80676
                    required  the bytes that ran, or a person's word for those on disk
                    remedy    git log --all --stat -- '*/20251103000000_endings/migration.sql'   # then git checkout <commit> -- <path>; or tollgate baseline dev --accept-unproven --reason '<why>'

      20251103500000_gone
        missing     Prisma applied it here, and its folder is gone
                    found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum 2c04977415e3
                    required  the folder of every applied migration, or a person's word that it may be gone
                    remedy    git log --all --stat -- '*/20251103500000_gone/migration.sql'   # then git checkout <commit> -- <path>; or tollgate baseline dev --accept-unproven --reason '<why>'

      20251104000000_manual
        modified    the checksum in Prisma's row was written by hand, and proves no bytes
                    found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum "manual"
                              the file:     checksum 73a905677e52
                    required  a row that Prisma wrote, or a person's word for the bytes on disk
                    remedy    tollgate baseline dev --accept-unproven --reason '<why>'

      20251201000000_ahead
        missing     Prisma applied it here, and this tree does not have it yet
                    found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum e21e5a2e7937
                    required  a tree that has every applied migration
                    remedy    git pull   # or, where it never had that folder: tollgate baseline dev --accept-unproven --reason '<why>'
    "#);
    assert!(
        !Prisma::on(&project, "dev").has("tollgate_identity"),
        "a refusal leaves nothing"
    );
    let (exit, document) = project.json(&["baseline", "dev"]);
    assert_eq!((exit, &document["end"]), (3, &"refused".into()));
    assert_eq!(document["refusals"].as_array().unwrap().len(), 5);
}

#[test]
fn what_a_person_accepts_is_applied_and_never_evidence() {
    let project = unproven();
    assert_snapshot!(project.run(&["baseline", "dev", "--accept-unproven"]), @r"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --reason <WHY>

    Usage: tollgate baseline --reason <WHY> --accept-unproven <ENV>

    For more information, try '--help'.
    ");
    assert_snapshot!(project.run(&["baseline", "dev", "--accept-unproven", "--reason", "looked at each"]), @r#"
    exit 0
    --- stdout
    dev: 1 migration taken in: Prisma's rows name the very bytes on disk
    dev: 6 migrations count as applied without proof, and never as evidence
      20251102000000_edited  it was edited after Prisma applied it here
      20251103000000_endings  only its line endings were changed since Prisma applied it here: other bytes
      20251104000000_manual  the checksum in Prisma's row was written by hand, and proves no bytes
      20251105000000_said  it counts as applied by `prisma migrate resolve --applied`: nothing ran, and it is no evidence
      20251103500000_gone  Prisma applied it here, and its folder is gone
      20251201000000_ahead  Prisma applied it here, and this tree does not have it yet
    dev: 20251106000000_rolled_back was rolled back under Prisma, and is pending

    left: before anything is applied to dev, somebody has to look at 1 migration

      20251107000000_failed
        failed      it did not finish under Prisma: it failed, was killed, or runs still
                    found     Prisma's row: begun 2025-11-04 09:00 UTC, not finished
                              its logs: near "CRATE": syntax error
                    required  what it left behind undone by hand, and a person's word for it
                    remedy    tollgate resolve dev 20251107000000_failed --not-applied --reason '<what you undid>'   # or --applied, where all of it stands

      next     tollgate plan dev
    --- stderr
    dev: bound to dev.db
    "#);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration                   dev        test      prod
    20251101000000_users        applied    pending   pending
    20251102000000_edited       baselined  pending   pending
    20251103000000_endings      baselined  pending   pending
    20251103500000_gone         baselined  -         -
    20251104000000_manual       baselined  pending   pending
    20251105000000_said         baselined  pending   pending
    20251106000000_rolled_back  pending    pending   pending
    20251107000000_failed       pending    pending   pending
    20251201000000_ahead        baselined  -         -

    applied by Prisma: 1 in dev
    baselined, there without proof of its bytes: 6 in dev
    test: this ledger knows no target there; tollgate sync test
    prod: this ledger knows no target there; tollgate sync prod

    dev: 2 migrations wait, all ready
      20251106000000_rolled_back  ready
      20251107000000_failed       ready
    test: 7 migrations wait, the first ready
      20251101000000_users   1 h 11 min  ready
      20251102000000_edited              promotion: not in dev
      ... 4 more ...
      20251107000000_failed              promotion: not in dev
    prod: 7 migrations wait
      20251101000000_users   promotion: not in test
      20251102000000_edited  promotion: not in dev and test
      ... 4 more ...
      20251107000000_failed  promotion: not in dev and test
    "#);
    // What failed stops dev until somebody has looked, and nothing that stands runs again.
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251107000000_failed
        failed      it did not finish under Prisma: it failed, was killed, or runs still
                    found     Prisma's row: begun 2025-11-04 09:00 UTC, not finished
                              its logs: near "CRATE": syntax error
                    required  what it left behind undone by hand, and a person's word for it
                    remedy    tollgate resolve dev 20251107000000_failed --not-applied --reason '<what you undid>'   # or --applied, where all of it stands

    warning: order: 20251106000000_rolled_back: it comes before a migration that was applied here already
      found     20251201000000_ahead was applied 2025-11-04 09:00 UTC
      remedy    tollgate restamp 20251106000000_rolled_back

    warning: order: 20251107000000_failed: it comes before a migration that was applied here already
      found     20251201000000_ahead was applied 2025-11-04 09:00 UTC
      remedy    tollgate restamp 20251107000000_failed
    "#);
    assert_snapshot!(project.run(&["resolve", "dev", "20251107000000_failed", "--not-applied", "--reason", "nothing was left"]), @r"
    exit 0
    --- stdout
    dev: 20251107000000_failed counts as not applied, and may run again
    ");
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: 2 migrations applied
    --- stderr

    warning: order: 20251106000000_rolled_back: it comes before a migration that was applied here already
      found     20251201000000_ahead was applied 2025-11-04 09:00 UTC
      remedy    tollgate restamp 20251106000000_rolled_back

    warning: order: 20251107000000_failed: it comes before a migration that was applied here already
      found     20251201000000_ahead was applied 2025-11-04 09:00 UTC
      remedy    tollgate restamp 20251107000000_failed
    dev: 2 migrations to apply
      applied   20251106000000_rolled_back  atomic
      applied   20251107000000_failed  atomic
    ");
    // Only what is proven may go on to test.
    assert_snapshot!(project.run(&["plan", "test"]), @r"
    exit 3
    --- stdout
    refused: test has 4 migrations that have not earned their place

      20251102000000_edited
      20251103000000_endings
      20251104000000_manual
      20251105000000_said
        promotion   these bytes never succeeded in dev
                    found     dev: counts as applied since its baseline, and nothing proves its bytes
                    required  success of each one's bytes in dev
                    remedy    tollgate reset dev   # and then: tollgate apply dev

    warning: baseline: test: this ledger knows no target there: what Prisma applied there counts as pending here
      found     no contact yet
      remedy    tollgate baseline test

      1 before it is ready: tollgate apply test --to 20251101000000_users
    ");
    assert_snapshot!(project.run(&["log", "-n", "40"]), @r"
    exit 0
    --- stdout
        1  2025-11-04T10:12:00.000Z  alice  opened     this ledger, writer ea21c7b3
        2  2025-11-04T10:12:00.000Z  alice  bound      dev to sqlite dev.db: looked at each
        3  2025-11-04T10:12:00.000Z  alice  taken-in   dev 7 migrations, 1 with proof: looked at each
        4  2025-11-04T10:12:00.000Z  alice  absorbed   dev 20251101000000_users, ran by Prisma 2025-11-04 09:00 UTC
        5  2025-11-04T10:12:00.000Z  alice  absorbed   dev 20251102000000_edited, without proof, by Prisma 2025-11-04 09:00 UTC
        6  2025-11-04T10:12:00.000Z  alice  absorbed   dev 20251103000000_endings, without proof, by Prisma 2025-11-04 09:00 UTC
        7  2025-11-04T10:12:00.000Z  alice  absorbed   dev 20251104000000_manual, without proof, by Prisma 2025-11-04 09:00 UTC
        8  2025-11-04T10:12:00.000Z  alice  absorbed   dev 20251105000000_said, without proof, by Prisma 2025-11-04 09:00 UTC
        9  2025-11-04T10:12:00.000Z  alice  absorbed   dev 20251103500000_gone, without proof, by Prisma 2025-11-04 09:00 UTC
       10  2025-11-04T10:12:00.000Z  alice  absorbed   dev 20251201000000_ahead, without proof, by Prisma 2025-11-04 09:00 UTC
       11  2025-11-04T10:12:00.000Z  alice  refused    apply dev: failed
       12  2025-11-04T10:12:00.000Z  alice  resolved   dev 20251107000000_failed as not applied: nothing was left
       13  2025-11-04T10:12:00.000Z  alice  chained    dev, test, prod
       14  2025-11-04T10:12:00.000Z  alice  intent     dev 20251106000000_rolled_back blake3:cca50f170477
       15  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251106000000_rolled_back
       16  2025-11-04T10:12:00.000Z  alice  intent     dev 20251107000000_failed blake3:262cb99f22d7
       17  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251107000000_failed
    ");
}

#[test]
fn many_rows_of_one_kind_are_told_as_the_first_and_the_last() {
    let migrations: Vec<(String, String)> = (10..30)
        .map(|n| {
            (
                format!("202511{n}000000_t{n}"),
                format!("CREATE TABLE t{n} (id INTEGER);\r\n"),
            )
        })
        .collect();
    let refs: Vec<(&str, &str)> = migrations
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let project = tree(&refs);
    let prisma = Prisma::on(&project, "dev");
    for (id, script) in &migrations {
        prisma.deploys((id, &script.replace("\r\n", "\n")));
    }
    assert_snapshot!(project.run(&["baseline", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev is not taken in: 20 migrations have no proof of their bytes

      20251110000000_t10
        modified    only its line endings were changed since Prisma applied it here: other bytes
                    found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum e76c0882d94c
                              the file:     checksum 054f6133caab
                              and the same of 19 more, up to 20251129000000_t29
                    required  the bytes that ran, or a person's word for those on disk
                    remedy    git log --all --stat -- '*/20251110000000_t10/migration.sql'   # then git checkout <commit> -- <path>; or tollgate baseline dev --accept-unproven --reason '<why>'
    ");
}

#[test]
fn a_lost_ledger_regains_what_was_taken_in() {
    let project = unproven();
    project.run(&[
        "baseline",
        "dev",
        "--accept-unproven",
        "--reason",
        "looked at each",
    ]);
    // What waits is another question: the edited file succeeded nowhere.
    let matrix = |project: &Project| {
        let shot = project.run(&["status"]).stdout;
        let (matrix, waits) = shot.split_once("\n\ndev: ").unwrap();
        assert!(waits.starts_with("2 migrations wait"), "{waits}");
        matrix.to_owned()
    };
    let before = matrix(&project);
    for end in ["", "-wal", "-shm", ".head"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/ledger.db{end}")));
    }
    // Edited since: the receipts keep what the rows alone could no longer prove.
    project.write("20251101000000_users", "-- edited\n");
    project.run(&["apply", "dev", "--dry-run"]);
    let after = matrix(&project);
    assert_eq!(after, before.replacen("applied  ", "modified ", 1));
}
