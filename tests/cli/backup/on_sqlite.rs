//! Backups of embedded databases.

use insta::assert_snapshot;

use std::path::Path;

use super::{SHOP, folder, names, newest, plain, shop};
use crate::project::Project;

#[test]
fn a_backup_is_whole_private_and_looked_at() {
    let project = shop();
    assert_snapshot!(plain(project.run(&["backup", "prod"])), @r#"
    exit 0
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-b895.db
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      not verified: nobody restored it yet: a backup that was not restored is a hope
      next      tollgate backup prod --verify   # takes one, restores it, compares
    "#);
    assert_snapshot!(names(&project).join("\n"), @r#"
    prod-20251104101200-b895.db
    prod-20251104101200-b895.db.json
    "#);
    let file = newest(&project);
    assert_snapshot!(plain(project.run(&["backup", "prod", "--check", &file])), @r#"
    exit 0
    --- stdout
    whole: state/backups/prod-20251104101200-b895.db
      a backup of prod of 2025-11-04 10:12 UTC
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      not verified: a backup that was not restored is a hope
    "#);
    assert_snapshot!(plain(project.run(&["backup", "prod", "--list"])), @r#"
    exit 0
    --- stdout
    prod-20251104101200-b895.db
      2025-11-04 10:12 UTC, 0 s old, [size], not verified: a hope
    "#);
    assert_snapshot!(plain(project.run(&["log", "-n", "1"])), @r#"
    exit 0
    --- stdout
       12  2025-11-04T10:12:00.000Z  alice  backed-up  prod prod-20251104101200-b895.db
    "#);
    assert_snapshot!(plain(project.run(&["restore", &file, "--into", "state/again.db"])), @r#"
    exit 0
    --- stdout
    restored: prod-20251104101200-b895.db into [project]/state/again.db
      the target of prod was not touched
      to use it   edit tollgate.toml: give prod the url of that file, then: tollgate bind prod --reason '<why>'
    "#);
    let copy = rusqlite::Connection::open(project.path().join("state/again.db")).unwrap();
    let rows: i64 = copy
        .query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 3);
    assert_snapshot!(plain(project.run(&["restore", &file, "--into", "state/again.db"])), @r#"
    exit 1
    --- stderr
    error: prod: [project]/state/again.db is there already, and nothing is ever restored over a file

      remedy   tollgate restore prod-20251104101200-b895.db --into state/again-2.db
    "#);
}

/// Names that SQLite and tollgate give to files of their own.
#[test]
fn nothing_is_restored_under_a_name_that_is_taken() {
    let project = shop();
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    let file = newest(&project);
    let into = |name: &str| project.run(&["restore", &file, "--into", name]);
    for name in [
        "state/prod.db-wal",
        "state/prod.db-journal",
        "state/other.db-SHM",
        "state/prod.db.tollgate-lock",
        "state/prod.db.tollgate-scratch-0123abcd",
        "state/ledger.db",
        "state/../state/ledger.db.head",
        "state/ledger.db.lock",
        "state/ledger.db-wal",
    ] {
        let there = project.path().join(name).exists();
        let shot = into(name);
        assert_eq!(shot.exit, 2, "{name} {shot}");
        assert_eq!(project.path().join(name).exists(), there, "{name}");
    }
    let shot = into("state/ledger.db.head");
    assert_snapshot!(shot, @r#"
    exit 2
    --- stderr
    error: nothing is restored into state/ledger.db.head: that is the ledger's own

      remedy   tollgate restore prod-20251104101200-b895.db --into state/restored.db
    "#);
    assert_snapshot!(into("postgresql://x:secret@h/db"), @r#"
    exit 2
    --- stderr
    error: what follows --into is a url, and a new database has only a name here: it is made on the server of the environment's, or is a new file

      remedy   tollgate restore prod-20251104101200-b895.db --into state/restored.db   # or, on a server, --into app_restored
    "#);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = shop();
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    let file = newest(&project);
    assert_eq!(
        project
            .run(&["restore", &file, "--into", "state/again.db"])
            .exit,
        0
    );
    let mode = |path: std::path::PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder(&project)), 0o700);
    for name in names(&project) {
        assert_eq!(mode(folder(&project).join(&name)), 0o600, "{name}");
    }
    assert_eq!(mode(project.path().join("state/again.db")), 0o600);
}

#[test]
fn one_that_was_restored_is_no_hope() {
    let project = shop();
    assert_snapshot!(plain(project.run(&["backup", "prod", "--verify"])), @r#"
    exit 0
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-b895.db
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      verified: it was restored into a scratch database, and is equal: the schema, and 5 rows, every value of 2 tables
    "#);
    let file = newest(&project);
    assert_snapshot!(plain(project.run(&["backup", "prod", "--check", &file])), @r#"
    exit 0
    --- stdout
    whole: state/backups/prod-20251104101200-b895.db
      a backup of prod of 2025-11-04 10:12 UTC
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      verified  2025-11-04 10:12 UTC: restored, and equal; data: full
    "#);
    assert_snapshot!(plain(project.run(&["backup", "prod", "--check", &file, "--verify"])), @r#"
    exit 0
    --- stdout
    whole: state/backups/prod-20251104101200-b895.db
      a backup of prod of 2025-11-04 10:12 UTC
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      verified: it was restored into a scratch database, and is equal: the schema, and 5 rows, every value of 2 tables
    "#);
    assert_snapshot!(plain(project.run(&["backup", "prod", "--verify", "--data", "counts"])), @r#"
    exit 0
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-6595.db
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      verified: it was restored into a scratch database, and is equal: the schema, and 5 rows in 2 tables, counted only
    "#);
    let (exit, document) = project.json(&["backup", "prod", "--verify", "--data", "full"]);
    assert_eq!(exit, 0);
    assert_eq!(document["schema"], "tollgate/backup/v1");
    assert_eq!(document["proof"]["state"], "equal");
    assert_eq!(document["backup"]["verified"]["rows"], 5);
    let left = std::fs::read_dir(project.path().join("state")).unwrap();
    let left = left.filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("scratch")
    });
    assert_eq!(left.count(), 0, "scratch databases are gone");
}

/// Everything that can be wrong with a file is named, by its check and before it is restored.
#[test]
fn what_is_not_the_backup_any_more_is_named() {
    let project = shop();
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    let file = newest(&project);
    let path = folder(&project).join(&file);
    let manifest = folder(&project).join(format!("{file}.json"));
    let whole = std::fs::read(&path).unwrap();
    let said = std::fs::read_to_string(&manifest).unwrap();
    let check = || plain(project.run(&["backup", "prod", "--check", &file]));

    std::fs::write(&path, &whole[..whole.len() - 5_000]).unwrap();
    assert_snapshot!(check(), @r#"
    exit 1
    --- stdout
    error: state/backups/prod-20251104101200-b895.db is not to be relied on
      found     it was cut short: [size] of [size] (76920 of 81920 bytes)
      remedy    tollgate backup prod --list   # and take one that is whole
    "#);
    assert_snapshot!(plain(project.run(&["restore", &file, "--into", "state/again.db"])), @r#"
    exit 1
    --- stdout
    error: state/backups/prod-20251104101200-b895.db is not to be relied on
      found     it was cut short: [size] of [size] (76920 of 81920 bytes)
      remedy    tollgate backup prod --list   # and take one that is whole
      nothing was restored
    "#);
    assert!(!project.path().join("state/again.db").exists());

    let mut flipped = whole.clone();
    flipped[9_000] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    assert_snapshot!(check(), @r#"
    exit 1
    --- stdout
    error: state/backups/prod-20251104101200-b895.db is not to be relied on
      found     its bytes are not those that were written: blake3:[hash] instead of blake3:[hash]
      remedy    tollgate backup prod --list   # and take one that is whole
    "#);
    std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert_eq!(check().exit, 1);
    std::fs::write(&path, b"PGDMP and what follows").unwrap();
    assert_snapshot!(check(), @r#"
    exit 1
    --- stdout
    error: state/backups/prod-20251104101200-b895.db is not to be relied on
      found     it is a file of postgresql, and its manifest says sqlite
      found     it was cut short: [size] of [size] (22 of 81920 bytes)
      remedy    tollgate backup prod --list   # and take one that is whole
    "#);
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(check().exit, 0);

    std::fs::write(&manifest, said.replace("\"prod\"", "\"test\"")).unwrap();
    assert_snapshot!(check(), @r#"
    exit 1
    --- stdout
    error: state/backups/prod-20251104101200-b895.db is not to be relied on
      found     its manifest was altered: what it says is not what was sealed
      remedy    tollgate backup prod --list   # and take one that is whole
    "#);
    std::fs::write(&manifest, "{}").unwrap();
    assert_eq!(check().exit, 1);
    std::fs::remove_file(&manifest).unwrap();
    assert_snapshot!(check(), @r#"
    exit 1
    --- stdout
    error: state/backups/prod-20251104101200-b895.db is not to be relied on
      found     it has no manifest beside it, so nothing tells whether it is whole
      remedy    tollgate backup prod --list   # and take one that is whole
    "#);
    assert_snapshot!(plain(project.run(&["backup", "prod", "--list"])), @r#"
    exit 0
    --- stdout
    prod-20251104101200-b895.db
      2025-11-04 10:12 UTC, 0 s old, [size], not good: its manifest cannot be read, so nothing tells whether it is whole
    "#);
    std::fs::write(&manifest, &said).unwrap();

    assert_snapshot!(plain(project.run(&["backup", "test", "--check", &file])), @r#"
    exit 1
    --- stdout
    error: state/backups/prod-20251104101200-b895.db is not to be relied on
      found     it is a backup of prod, and not of test
      remedy    tollgate backup test --list   # and take one that is whole
    "#);
    assert_snapshot!(plain(project.run(&["restore", "nothing.db", "--into", "state/again.db"])), @r#"
    exit 1
    --- stderr
    error: there is no file nothing.db
      nothing was restored

      remedy   tollgate backup prod --list   # names those there are
    "#);
}

/// What is no file is said to be what it is, and nobody waits for what never comes out of it.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_named() {
    let project = shop();
    let pipe = project.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for (name, said) in [
        ("state", "it is a directory, and no file"),
        ("pipe", "it is a pipe, and no file"),
        ("/dev/null", "it is a device, and no file"),
    ] {
        let shot = project.run(&["restore", name, "--into", "state/again.db"]);
        assert_eq!(shot.exit, 1, "{shot}");
        assert!(
            shot.stdout.contains(&format!("found     {said}\n")),
            "{shot}"
        );
    }
}

fn copy(from: &Path, to: &Path, file: &str) {
    std::fs::create_dir_all(to).unwrap();
    for name in [file.to_owned(), format!("{file}.json")] {
        std::fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

/// Somebody else's prod is another database. A ledger that knows nothing of it says so.
#[test]
fn a_backup_of_another_database_is_named() {
    let other = Project::with(&[("20251101000000_shop", SHOP)]).with_own_ids();
    assert_eq!(other.run(&["promote", "prod"]).exit, 0);
    assert_eq!(other.run(&["backup", "prod"]).exit, 0);
    let file = newest(&other);
    let project = shop();
    copy(&folder(&other), &folder(&project), &file);
    assert_snapshot!(plain(project.run(&["backup", "prod", "--check", &file])), @r#"
    exit 1
    --- stdout
    error: state/backups/prod-20251104101200-9960.db is not to be relied on
      found     it is of another database: sqlite prod.db, incarnation d26407b5, and prod is bound to sqlite prod.db, incarnation 6f3287cd
      note      this ledger has no entry of it: that it is what it seems is its manifest's word alone
      remedy    tollgate backup prod --list   # and take one that is whole
    "#);
    assert_eq!(
        project
            .run(&["restore", &file, "--into", "state/again.db"])
            .exit,
        1
    );
    // Without any ledger there is only the manifest to go by, which is when a backup is needed.
    let lost = Project::with(&[]);
    copy(&folder(&other), &folder(&lost), &file);
    assert_snapshot!(plain(lost.run(&["restore", &file, "--into", "state/again.db"])), @r#"
    exit 0
    --- stdout
    restored: prod-20251104101200-9960.db into [project]/state/again.db
      the target of prod was not touched
      note      this ledger has no entry of it: that it is what it seems is its manifest's word alone
      to use it   edit tollgate.toml: give prod the url of that file, then: tollgate bind prod --reason '<why>'
    "#);
}

#[test]
fn the_oldest_go_and_each_is_named() {
    let mut project = shop();
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{config}[environment.backup]\nkeep = 2\n")).unwrap();
    let mut back_up = |arguments: &[&str]| {
        project.now += 60_000;
        let shot = project.run(&[&["backup", "prod"], arguments].concat());
        assert_eq!(shot.exit, 0, "{shot}");
        plain(shot)
    };
    back_up(&["--verify"]);
    back_up(&[]);
    assert_snapshot!(back_up(&[]), @r#"
    exit 0
    --- stdout
    backed up: prod into state/backups/prod-20251104101500-384e.db
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      not verified: nobody restored it yet: a backup that was not restored is a hope
      next      tollgate backup prod --verify   # takes one, restores it, compares
    "#);
    // Now the first one, which is the newest verified one, is beyond two; it stays.
    assert_snapshot!(back_up(&["--keep", "1"]), @r#"
    exit 0
    --- stdout
    backed up: prod into state/backups/prod-20251104101600-cb0a.db
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      not verified: nobody restored it yet: a backup that was not restored is a hope
      deleted   prod-20251104101400-6595.db of 2025-11-04 10:14 UTC, [size]: newer ones are kept
      deleted   prod-20251104101500-384e.db of 2025-11-04 10:15 UTC, [size]: newer ones are kept
      next      tollgate backup prod --verify   # takes one, restores it, compares
    "#);
    std::fs::write(folder(&project).join("prod.dump"), "mine").unwrap();
    std::fs::write(folder(&project).join("test-20251101000000-0000.db"), "mine").unwrap();
    std::fs::write(folder(&project).join("prod-20251101000000-0000.db"), "mine").unwrap();
    project.now += 60_000;
    assert_eq!(
        project
            .run(&["backup", "prod", "--verify", "--keep", "1"])
            .exit,
        0
    );
    assert_snapshot!(names(&project).join("\n"), @r#"
    prod-20251101000000-0000.db
    prod-20251104101700-44b8.db
    prod-20251104101700-44b8.db.json
    prod.dump
    test-20251101000000-0000.db
    "#);
}

/// What a crash left is never taken for a backup, and goes with the next one.
#[test]
fn what_did_not_come_to_its_end_goes() {
    let project = shop();
    std::fs::create_dir_all(folder(&project)).unwrap();
    for name in [
        "prod-20251101000000-0000.db.part",
        "prod-20251101000000-0000.db.json",
        "prod-20251102000000-0000.db.json.part",
        "test-20251101000000-0000.db.part",
    ] {
        std::fs::write(folder(&project).join(name), "a part").unwrap();
    }
    assert_snapshot!(plain(project.run(&["backup", "prod", "--list"])), @r#"
    exit 0
    --- stdout
    prod: no backup

      next     tollgate backup prod --verify
    "#);
    assert_snapshot!(plain(project.run(&["backup", "prod"])), @r#"
    exit 0
    --- stdout
    prod: deleted prod-20251101000000-0000.db.json: an earlier backup did not come to its end
    prod: deleted prod-20251101000000-0000.db.part: an earlier backup did not come to its end
    prod: deleted prod-20251102000000-0000.db.json.part: an earlier backup did not come to its end
    backed up: prod into state/backups/prod-20251104101200-b895.db
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      not verified: nobody restored it yet: a backup that was not restored is a hope
      next      tollgate backup prod --verify   # takes one, restores it, compares
    "#);
    assert_snapshot!(names(&project).join("\n"), @r#"
    prod-20251104101200-b895.db
    prod-20251104101200-b895.db.json
    test-20251101000000-0000.db.part
    "#);
}

#[test]
fn who_asks_to_stop_is_heard() {
    let project = shop();
    let interrupted = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    assert_snapshot!(plain(project.run_with(&["backup", "prod"], interrupted)), @r#"
    exit 130
    --- stderr
    error: prod: interrupted: what was begun is taken back
    "#);
    assert_eq!(names(&project).len(), 0);
}

/// The disk ends in the middle: it is named, and nothing is left. Needs a small file system of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing() {
    let project = shop();
    project
        .database("prod")
        .execute_batch("CREATE TABLE big (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO big SELECT randomblob(1000) FROM n")
        .unwrap();
    if let Some((shot, left)) = super::on_a_small_disk(&project, &["backup", "prod"]) {
        assert_eq!(left.len(), 0, "{left:?}");
        assert_snapshot!(plain(shot), @r#"
        exit 1
        --- stderr
        error: prod: no room for the backup in [project]/state/backups: no storage space, after [size]

          remedy   df -h '[project]/state/backups'   # and make room, or keep fewer backups
        "#);
    }
}

/// A file with a write-ahead log is one file afterwards.
#[test]
fn a_write_ahead_log_is_in_it() {
    let project = shop();
    let writer = project.database("prod");
    writer.pragma_update(None, "journal_mode", "WAL").unwrap();
    writer
        .execute_batch("INSERT INTO orders VALUES (4, 2)")
        .unwrap();
    let shot = project.run(&["backup", "prod", "--verify"]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert!(
        shot.stdout.contains("6 rows, every value of 2 tables"),
        "{shot}"
    );
    assert_eq!(names(&project).len(), 2, "{:?}", names(&project));
    drop(writer);
}

/// Others may read and write meanwhile, and what they write is in neither the copy nor its manifest.
#[test]
fn who_reads_meanwhile_is_not_in_the_way() {
    let project = shop();
    let reader = project.database("prod");
    reader.execute_batch("BEGIN; SELECT * FROM orders").unwrap();
    let shot = project.run(&["backup", "prod", "--verify"]);
    assert_eq!(shot.exit, 0, "{shot}");
}

#[test]
fn a_damaged_database_is_not_backed_up_as_a_sound_one() {
    let project = shop();
    let path = project.path().join("state/prod.db");
    let database = project.database("prod");
    database
        .execute_batch(
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'users_email'",
        )
        .unwrap();
    drop(database);
    assert!(path.exists());
    assert_snapshot!(plain(project.run(&["backup", "prod"])), @r#"
    exit 1
    --- stderr
    error: prod: the database is damaged, and so would its backup be: *** in database main ***
    Page 15: never used

      remedy   tollgate restore '<the newest sound backup>' --into '<a new file>'
    "#);
    assert_eq!(names(&project).len(), 0);
}
