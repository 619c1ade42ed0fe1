//! Faults of the ledger's file, as a user meets them: what is said, and that the remedy works when
//! it is typed.

use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::project::{Project, Shot};

/// Of 4 KiB, in a small file system: more than a ledger of three migrations takes.
const BLOCKS: usize = 128;

/// Each notes its own name, so that what ran twice is seen.
const MIGRATIONS: [(&str, &str); 3] = [
    (
        "20251027072808_first",
        "CREATE TABLE ran (name TEXT); INSERT INTO ran VALUES ('first');\n",
    ),
    (
        "20251103170000_second",
        "INSERT INTO ran VALUES ('second');\n",
    ),
    (
        "20251104093000_third",
        "INSERT INTO ran VALUES ('third');\n",
    ),
];

/// Types the remedy that was printed, as it stands.
fn type_remedy(project: &Project, shot: &Shot) {
    let said = format!("{}{}", shot.stdout, shot.stderr);
    let remedy = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("remedy   "))
        .unwrap_or_else(|| panic!("no remedy in {shot}"));
    let remedy = remedy.replace("[project]", project.path().to_str().unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &remedy]).current_dir(project.path());
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{remedy}\n{output:?}");
}

fn ran(project: &Project, database: &str) -> String {
    let connection = rusqlite::Connection::open(project.path().join(database)).unwrap();
    let names = "SELECT group_concat(name, ' ') FROM (SELECT name FROM ran ORDER BY rowid)";
    connection.query_row(names, [], |row| row.get(0)).unwrap()
}

/// As a log that was deleted leaves it, or an older copy: an earlier state, sound in itself.
fn earlier() -> Project {
    let project = Project::with(&MIGRATIONS);
    let ledger = project.path().join("state/ledger.db");
    project.run(&["apply", "dev", "--to", "20251027072808_first"]);
    let backup = std::fs::read(&ledger).unwrap();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    std::fs::write(&ledger, backup).unwrap();
    project
}

#[test]
fn entries_that_were_written_here_and_are_gone_are_told_by_every_verb_and_the_remedy_goes_on() {
    let project = earlier();
    let ledger = project.path().join("state/ledger.db");
    let before = std::fs::read(&ledger).unwrap();
    let status = project.run(&["status"]);
    assert_snapshot!(status, @r#"
    exit 4
    --- stderr
    error: the ledger [project]/state/ledger.db has lost entries: it ends at entry 5 of writer ea21c7b3c885cf2fb547bb51016c8bbb, and entry 9 was written here
      a write-ahead log was deleted, the file was cut, or an older copy was put in its place; nothing was written to it

      remedy   mv [project]/state/ledger.db.head [project]/state/ledger.db.head.lost   # only where its newest files are lost for good: it goes on from what it holds, and receipts are taken in anew
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 4
    --- stdout
    not sound: state/ledger.db: it ends at entry 5 of writer ea21c7b3c885cf2fb547bb51016c8bbb, and entry 9 was written here
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 5
        6fd91331261515d7d7b207f21c30679b9e2ffe020a60808bb28af63ba653ff12

      remedy   mv [project]/state/ledger.db.head [project]/state/ledger.db.head.lost   # only where its newest files are lost for good: it goes on from what it holds, and receipts are taken in anew

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
    let (exit, document) = project.json(&["verify"]);
    assert_eq!((exit, &document["sound"]), (4, &serde_json::json!(false)));
    for verb in ["plan dev", "apply dev", "promote dev", "log", "apply test"] {
        let arguments: Vec<&str> = verb.split(' ').collect();
        let shot = project.run(&arguments);
        assert_eq!(shot.exit, 4, "{verb}: {shot}");
        assert_eq!(shot.stderr, status.stderr, "{verb}");
    }
    assert_eq!(std::fs::read(&ledger).unwrap(), before, "it was written to");

    type_remedy(&project, &status);
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: took in 2 receipts that the ledger lacked
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 0
    --- stdout
    sound: state/ledger.db: 8 entries by 2 writers
      writer 6f3287cd13d7e1d790ece8ec6da9b2a5  sound to entry 3
        1b12edbb0ea8ac302aade22c9e932bd023c2d665cf95ebf7e55dddfa21a8cc6f
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 5
        6fd91331261515d7d7b207f21c30679b9e2ffe020a60808bb28af63ba653ff12

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
    assert_eq!(ran(&project, "state/dev.db"), "first second third");
}

#[test]
fn a_ledger_that_was_emptied_or_deleted_is_no_ledger_not_yet_begun() {
    for damage in ["emptied", "deleted"] {
        let project = Project::with(&MIGRATIONS);
        assert_eq!(project.run(&["apply", "dev"]).exit, 0);
        let ledger = project.path().join("state/ledger.db");
        match damage {
            "emptied" => std::fs::write(&ledger, b"").unwrap(),
            _ => std::fs::remove_file(&ledger).unwrap(),
        }
        let status = project.run(&["status"]);
        if damage == "emptied" {
            assert_snapshot!(status, @r#"
            exit 4
            --- stderr
            error: the ledger [project]/state/ledger.db has lost entries: it is gone or empty, and entry 9 of writer ea21c7b3c885cf2fb547bb51016c8bbb was written here
              a write-ahead log was deleted, the file was cut, or an older copy was put in its place; nothing was written to it

              remedy   mv [project]/state/ledger.db.head [project]/state/ledger.db.head.lost   # only where its newest files are lost for good: it goes on from what it holds, and receipts are taken in anew
            "#);
        }
        assert_eq!(status.exit, 4, "{status}");
        assert_eq!(project.run(&["apply", "dev"]).stderr, status.stderr);
        assert_eq!(ledger.exists(), damage == "emptied", "nothing was made");

        type_remedy(&project, &status);
        let applied = project.run(&["apply", "dev"]);
        assert_eq!(applied.exit, 0, "{applied}");
        assert!(applied.stderr.contains("took in 3 receipts"), "{applied}");
        assert_eq!(project.run(&["verify"]).exit, 0);
        assert_eq!(ran(&project, "state/dev.db"), "first second third");
    }
}

#[test]
fn a_ledger_that_was_cut_is_put_aside_with_all_that_belongs_to_it() {
    let project = Project::with(&MIGRATIONS);
    project.run(&["apply", "dev"]);
    let ledger = project.path().join("state/ledger.db");
    let whole = std::fs::read(&ledger).unwrap();
    std::fs::write(&ledger, &whole[..whole.len() / 2]).unwrap();
    let status = project.run(&["status"]);
    assert_snapshot!(status, @r#"
    exit 4
    --- stderr
    error: the ledger [project]/state/ledger.db is damaged or is no ledger: database disk image is malformed
      it proves nothing from there on, and nothing was written to it

      remedy   mkdir -p [project]/state/ledger.db.unsound && mv [project]/state/ledger.db [project]/state/ledger.db.head [project]/state/ledger.db.unsound/   # then put a backup in its place; without one, receipts are taken in anew
    "#);
    type_remedy(&project, &status);
    // A backup put in its place is read, and goes on as another writer, which takes in what it lacks.
    std::fs::write(&ledger, &whole).unwrap();
    assert_eq!(project.run(&["status"]).exit, 0);
    let applied = project.run(&["apply", "dev"]);
    assert_eq!(applied.exit, 0, "{applied}");
    assert_eq!(project.run(&["verify"]).exit, 0);
}

/// A project whose ledger alone stands in the folder `state`.
fn with_ledger_apart() -> Project {
    let project = Project::with(&MIGRATIONS);
    let config = "ledger = \"state/ledger.db\"\n\n[[environment]]\nname = \"dev\"\nurl = \"sqlite:dev.db\"\n";
    std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
    std::fs::create_dir_all(project.path().join("state")).unwrap();
    project
}

/// A file system of its own, where the test may make one.
struct Small(std::path::PathBuf);

impl Small {
    fn new(folder: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"])
            .arg(folder);
        let mounted = mount.stderr(Stdio::null()).status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(folder.to_owned()))
    }

    /// Leaves so many blocks of 4 KiB free.
    fn fill(&self, free: usize) {
        let blocks = BLOCKS - free;
        std::fs::write(self.0.join("filler"), vec![1; blocks * 4096]).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,size=4m"]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// After the fault: the same command again, and nothing ran twice and nothing was lost.
fn settled(project: &Project, how: &str) {
    let again = project.run(&["apply", "dev"]);
    assert_eq!(again.exit, 0, "{how}: {again}");
    assert_eq!(ran(project, "dev.db"), "first second third", "{how}");
    let verified = project.run(&["verify"]);
    assert_eq!(verified.exit, 0, "{how}: {verified}");
    let receipts = rusqlite::Connection::open(project.path().join("dev.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM tollgate_receipt", [], |row| {
            row.get(0)
        });
    assert_eq!(receipts, Ok(3), "{how}");
}

/// The ledger's disk is full at every append of an apply, one after another.
#[test]
fn a_disk_that_is_full_at_any_append_is_named_and_the_next_contact_settles() {
    let mut ends = Vec::new();
    for free in [0, 10].into_iter().chain((16..BLOCKS).step_by(2)) {
        let project = with_ledger_apart();
        let Some(small) = Small::new(&project.path().join("state")) else {
            return;
        };
        small.fill(free);
        let shot = project.run(&["apply", "dev"]);
        small.make_room();
        if free == 0 {
            assert_snapshot!(shot, @r#"
            exit 1
            --- stderr
            error: the disk is full: the ledger [project]/state/ledger.db cannot be written
              the next contact settles what was begun

              remedy   df -h [project]/state   # and make room
            "#);
        }
        let applied = shot.stderr.matches("applied  ").count();
        if shot.exit != 0 {
            assert_eq!(shot.exit, 1, "{free} blocks: {shot}");
            // Where the shared memory of the write-ahead log cannot grow, SQLite says no more than this.
            let named = [
                "the disk is full",
                "could not be read or written: disk I/O error",
            ];
            assert!(
                named.iter().any(|said| shot.stderr.contains(said)),
                "{free}: {shot}"
            );
            assert!(shot.stderr.contains("remedy   df -h"), "{free}: {shot}");
        }
        ends.push((shot.exit, applied));
        settled(&project, &format!("{free} blocks"));
        if shot.exit == 0 {
            break;
        }
    }
    assert_eq!(ends.last(), Some(&(0, 3)), "{ends:?}");
    ends.dedup();
    assert!(ends.len() >= 4, "it failed at too few places: {ends:?}");
}

/// A limit on the size of files is a fault of the ledger and of the target, and needs no rights.
#[test]
fn a_limit_on_the_size_of_files_at_any_write_is_named_and_the_next_contact_settles() {
    let mut ends = Vec::new();
    for limit in [0, 60].into_iter().chain((120..2000).step_by(16)) {
        let project = with_ledger_apart();
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"",
            &limit.to_string(),
        ]);
        shell.args([env!("CARGO_BIN_EXE_tollgate"), "apply", "dev"]);
        shell
            .env_clear()
            .envs(&project.variables)
            .current_dir(project.path());
        let output = shell.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let exit = output.status.code();
        assert!(
            exit == Some(0) || exit == Some(1),
            "{limit}: {exit:?} {said}"
        );
        assert!(
            exit == Some(0) || said.starts_with("error: ") || said.contains("\nerror: "),
            "{limit}: {said}"
        );
        ends.push((exit, said.matches("applied  ").count()));
        settled(&project, &format!("a limit of {limit}"));
        if exit == Some(0) {
            break;
        }
    }
    assert_eq!(ends.last(), Some(&(Some(0), 3)), "{ends:?}");
    ends.dedup();
    assert!(ends.len() >= 3, "it failed at too few places: {ends:?}");
}

#[test]
fn a_ledger_that_cannot_be_written_is_read_and_named() {
    let project = with_ledger_apart();
    let Some(small) = Small::new(&project.path().join("state")) else {
        return;
    };
    small.fill(0);
    small.make_room();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project.write("20251105000000_more", "INSERT INTO ran VALUES ('more');\n");
    let mut mount = Command::new("mount");
    mount.args(["-o", "remount,ro"]).arg(&small.0);
    assert!(mount.status().unwrap().success());
    assert_eq!(project.run(&["status"]).exit, 0);
    assert_eq!(project.run(&["verify"]).exit, 0);
    assert_eq!(project.run(&["plan", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 1
    --- stderr
    error: the ledger [project]/state/ledger.db cannot be opened for writing: Read-only file system (os error 30)
      nothing was written to it

      remedy   ls -ld [project]/state [project]/state/*
    "#);
}
