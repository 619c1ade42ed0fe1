//! Backups of PostgreSQL, by its own programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use insta::assert_snapshot;

use super::{folder, names, newest};
use crate::project::{Project, Shot};
use crate::server::{Database, run, with_user};

/// Every kind of thing whose text, owner or rows a restore could change.
const SHOP: &str = "CREATE TYPE state AS ENUM ('new', 'paid');
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email varchar(80) NOT NULL DEFAULT '' CHECK (email IN ('a@example.com', 'b@example.com', '')), born date);
CREATE TABLE orders (id serial PRIMARY KEY, owner bigint REFERENCES users (id) ON DELETE CASCADE, state state, price numeric(10, 2), tags text[], data jsonb);
CREATE INDEX orders_state ON orders (state) WHERE price > 10;
CREATE VIEW rich AS SELECT owner, sum(price) AS price FROM orders WHERE state IN ('new', 'paid') GROUP BY owner;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS orders FROM orders;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
COMMENT ON TABLE users IS 'who buys';
INSERT INTO users (email, born) VALUES ('a@example.com', '2000-01-01'), ('b@example.com', NULL);
INSERT INTO orders (owner, state, price, tags, data) SELECT 1 + n % 2, 'paid', n / 3.0, ARRAY['x', n::text], '{\"a\": 1}' FROM generate_series(1, 100) AS n;
";

struct Shop {
    project: Project,
    database: Database,
}

impl Shop {
    fn on(database: Database) -> Self {
        let mut project = Project::with(&[("20251101000000_shop", SHOP)]);
        let config = "[[environment]]\nname = \"prod\"\nurl = \"env:DATABASE_URL\"\n";
        std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
        project
            .variables
            .insert("DATABASE_URL".to_owned(), database.url());
        let shop = Self { project, database };
        let shot = shop.run(&["apply", "prod"]);
        assert_eq!(shot.exit, 0, "{shot}");
        shop
    }

    fn run(&self, arguments: &[&str]) -> Shot {
        self.plain(self.project.run(arguments))
    }

    fn plain(&self, shot: Shot) -> Shot {
        let mut shot = super::plain(shot);
        let url = self.database.superuser_url();
        let server = url.split('@').nth(1).unwrap().split('/').next().unwrap();
        for text in [&mut shot.stdout, &mut shot.stderr] {
            *text = text
                .replace(self.database.name(), "app")
                .replace(server, "[server]");
        }
        shot
    }

    fn password(&self) -> String {
        let url = self.database.url();
        url.split('@')
            .next()
            .unwrap()
            .rsplit(':')
            .next()
            .unwrap()
            .to_owned()
    }
}

/// A name of a database that no other test has; dropped with this value.
struct Name(String, String);

impl Name {
    fn new(shop: &Shop) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "again_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Self(name, shop.database.superuser_url())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = run(
            &self.1,
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.0),
        );
    }
}

#[test]
fn a_backup_is_restored_and_compared() {
    let shop = Shop::on(Database::new());
    // A view that was filled before its table: a restore fills it anew.
    shop.database
        .run("DELETE FROM orders WHERE id > 90")
        .unwrap();
    assert_snapshot!(shop.run(&["backup", "prod", "--verify"]), @r#"
    exit 0
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-7670.dump
      [size], by pg_dump [version], as of receipt 1, blake3:[hash]
      verified: it was restored into a scratch database, and is equal: the schema, and 92 rows, every value of 2 tables
      not compared  how the server writes casts of lists, which a restore changes without changing what they mean: constraint public.users.users_email_check
      not compared  the last values of sequences
      not compared  the rows of what a restore fills anew: materialized view public.totals
    "#);
    let file = newest(&shop.project);
    assert_snapshot!(shop.run(&["backup", "prod", "--check", &file, "--verify"]), @r#"
    exit 0
    --- stdout
    whole: state/backups/prod-20251104101200-7670.dump
      a backup of prod of 2025-11-04 10:12 UTC
      [size], by pg_dump [version], as of receipt 1, blake3:[hash]
      verified: it was restored into a scratch database, and is equal: the schema, and 92 rows, every value of 2 tables
      not compared  how the server writes casts of lists, which a restore changes without changing what they mean: constraint public.users.users_email_check
      not compared  the last values of sequences
      not compared  the rows of what a restore fills anew: materialized view public.totals
    "#);
    let manifest =
        std::fs::read_to_string(folder(&shop.project).join(format!("{file}.json"))).unwrap();
    assert!(!manifest.contains(&shop.password()));
    let document: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(document["schema"], "tollgate/backup-manifest/v1");
    assert_eq!(document["receipt"]["seq"], 1);
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'tollgate_scratch_' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '%'";
    assert_eq!(shop.database.ask(left), "0", "scratch databases are gone");
}

#[test]
fn it_is_restored_into_a_new_database_only() {
    let shop = Shop::on(Database::new());
    assert_snapshot!(shop.run(&["backup", "prod"]), @r#"
    exit 0
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-7670.dump
      [size], by pg_dump [version], as of receipt 1, blake3:[hash]
      not verified: nobody restored it yet: a backup that was not restored is a hope
      next      tollgate backup prod --verify   # takes one, restores it, compares
    "#);
    let file = newest(&shop.project);
    let name = Name::new(&shop);
    let mut shot = shop.run(&["restore", &file, "--into", &name.0]);
    shot.stdout = shot.stdout.replace(&name.0, "again");
    assert_snapshot!(shot, @r#"
    exit 0
    --- stdout
    restored: prod-20251104101200-7670.dump into database again on [server]
      the target of prod was not touched
      to use it   edit tollgate.toml: give prod the url of that database, then: tollgate bind prod --reason '<why>'
    "#);
    let url = shop
        .database
        .superuser_url()
        .replace(shop.database.name(), &name.0);
    assert_eq!(
        run(&url, "SELECT count(*) FROM orders").unwrap()[0][0].as_deref(),
        Some("100")
    );
    let mut shot = shop.run(&["restore", &file, "--into", &name.0]);
    shot.stderr = shot.stderr.replace(&name.0, "again");
    assert_snapshot!(shot, @r#"
    exit 1
    --- stderr
    error: prod: there is a database again already, and nothing is ever restored over one

      remedy   tollgate restore prod-20251104101200-7670.dump --into again_2
    "#);
    assert_snapshot!(shop.run(&["restore", &file, "--into", shop.database.name()]), @r#"
    exit 1
    --- stderr
    error: prod: there is a database app already, and nothing is ever restored over one

      remedy   tollgate restore prod-20251104101200-7670.dump --into app_2
    "#);
    assert_snapshot!(shop.run(&["log", "-n", "1"]).stdout.replace(&name.0, "again"), @"    7  2025-11-04T10:12:00.000Z  alice  restored   prod prod-20251104101200-7670.dump into again");
    assert_snapshot!(shop.run(&["restore", &file, "--into", "tollgate_scratch_mine"]), @r#"
    exit 2
    --- stderr
    error: nothing is restored into tollgate_scratch_mine: that is a name of tollgate's own scratch databases, and the next one that is made drops what stands under it

      remedy   tollgate restore prod-20251104101200-7670.dump --into app_restored
    "#);
    assert_eq!(
        shop.run(&["restore", &file, "--into", "sqlite:x.db"]).exit,
        2
    );
    // What was restored is known for a copy, and is bound by a person's word.
    let mut project = shop.project;
    project.variables.insert("DATABASE_URL".to_owned(), url);
    assert_eq!(project.run(&["apply", "prod"]).exit, 3);
    let bound = project.run(&["bind", "prod", "--reason", "restored"]);
    assert_eq!(bound.exit, 0, "{bound}");
    let applied = project.run(&["apply", "prod"]);
    assert_eq!(applied.exit, 0, "{applied}");
    assert!(applied.stdout.contains("nothing to do"), "{applied}");
}

#[test]
fn a_restore_that_fails_leaves_no_database() {
    let shop = Shop::on(Database::new());
    assert_eq!(shop.run(&["backup", "prod"]).exit, 0);
    let file = newest(&shop.project);
    let path = folder(&shop.project).join(&file);
    let programs = Programs::new(
        "pg_restore",
        "pg_restore (PostgreSQL) 15.99",
        "echo 'pg_restore: error: out of luck' >&2\nexit 1\n",
    );
    let mut project = shop.project;
    let real = std::mem::replace(&mut project.programs, vec![programs.path().to_owned()]);
    project.programs.extend(real);
    let shop = Shop {
        project,
        database: shop.database,
    };
    let name = Name::new(&shop);
    let mut shot = shop.run(&["restore", path.to_str().unwrap(), "--into", &name.0]);
    shot.stderr = shot.stderr.replace(&name.0, "again");
    assert_snapshot!(shot, @r#"
    exit 1
    --- stderr
    error: prod: pg_restore [version] failed: out of luck
    "#);
    let there = format!(
        "SELECT count(*) FROM pg_database WHERE datname = '{}'",
        name.0
    );
    assert_eq!(shop.database.ask(&there), "0");
    assert_snapshot!(shop.run(&["backup", "prod", "--verify"]), @r#"
    exit 1
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-b789.dump
      [size], by pg_dump [version], as of receipt 1, blake3:[hash]
      not verified: it could not be restored: pg_restore [version] failed: out of luck
      the file stays; no gate stands on it
    "#);
    assert_snapshot!(shop.run(&["backup", "prod", "--list"]), @r#"
    exit 0
    --- stdout
    prod-20251104101200-b789.dump
      2025-11-04 10:12 UTC, 0 s old, [size], not good: 2025-11-04 10:12 UTC: it could not be restored, this ledger has no entry of it
    prod-20251104101200-7670.dump
      2025-11-04 10:12 UTC, 0 s old, [size], not verified: a hope
    "#);
}

/// A folder with one program that is not what it says.
struct Programs(tempfile::TempDir);

impl Programs {
    fn new(name: &str, version: &str, script: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let text = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{version}'; exit 0; fi\n{script}"
        );
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The real program of that name.
fn real(name: &str) -> PathBuf {
    let mut folders = Project::empty().programs;
    folders.sort();
    let path = folders.last().expect("PostgreSQL's programs").join(name);
    assert!(path.is_file(), "{}", path.display());
    path
}

#[test]
fn without_the_program_the_package_is_named() {
    let mut shop = Shop::on(Database::new());
    shop.project.programs = Vec::new();
    assert_snapshot!(shop.run(&["backup", "prod"]), @r#"
    exit 1
    --- stderr
    error: prod: pg_dump is not on this machine: it is looked for on the PATH and in /usr/lib/postgresql/*/bin

      remedy   install the package postgresql-client-15   # apt-get install postgresql-client-15
    "#);
    let old = Programs::new("pg_dump", "pg_dump (PostgreSQL) 9.6.24", "exit 1\n");
    shop.project
        .variables
        .insert("PATH".to_owned(), old.path().display().to_string());
    let shot = shop.run(&["backup", "prod"]);
    let text = shot
        .to_string()
        .replace(&old.path().display().to_string(), "[old]");
    assert_snapshot!(text, @r#"
    exit 1
    --- stderr
    error: prod: pg_dump [version] ([old]/pg_dump) is older than the server, which is PostgreSQL 15, and cannot read it

      remedy   install the package postgresql-client-15   # apt-get install postgresql-client-15
    "#);
    assert_eq!(names(&shop.project).len(), 0);
}

/// Arguments can be read by everybody on the machine; of the environment the child has only what it needs.
#[test]
fn the_password_goes_to_the_child_alone() {
    let mut shop = Shop::on(Database::new());
    let seen = tempfile::tempdir().unwrap();
    let seen_at = seen.path().display();
    let script = format!(
        "for word in \"$@\"; do echo \"$word\" >>{seen_at}/arguments; done\n/usr/bin/env >{seen_at}/environment\nexec {} \"$@\"\n",
        real("pg_dump").display()
    );
    let fake = Programs::new("pg_dump", "pg_dump (PostgreSQL) 15.99", &script);
    let url = format!(
        "{}?options=-c%20tollgate.test%3D1&sslmode=require",
        shop.database.url()
    );
    shop.project
        .variables
        .insert("DATABASE_URL".to_owned(), url);
    shop.project
        .variables
        .insert("SOMETHING_ELSE".to_owned(), "not for children".to_owned());
    shop.project
        .variables
        .insert("PATH".to_owned(), fake.path().display().to_string());
    let shot = shop.run(&["backup", "prod"]);
    assert_eq!(shot.exit, 0, "{shot}");
    let password = shop.password();
    let arguments = std::fs::read_to_string(seen.path().join("arguments")).unwrap();
    assert!(!arguments.contains(&password), "{arguments}");
    assert!(arguments.contains("--snapshot="), "{arguments}");
    let environment = std::fs::read_to_string(seen.path().join("environment")).unwrap();
    assert!(environment.contains(&format!("PGPASSWORD={password}")));
    assert!(environment.contains("PGSSLMODE=require"), "{environment}");
    assert!(
        environment.contains("PGOPTIONS=-c tollgate.test=1"),
        "{environment}"
    );
    assert!(!environment.contains("SOMETHING_ELSE"), "{environment}");
    assert!(!shot.to_string().contains(&password), "{shot}");
}

#[test]
fn what_the_program_says_is_told_without_the_password() {
    let mut shop = Shop::on(Database::new());
    let fake = Programs::new(
        "pg_dump",
        "pg_dump (PostgreSQL) 15.99",
        "echo PGDMPand a part\necho \"pg_dump: error: no luck with $PGPASSWORD\" >&2\nexit 1\n",
    );
    shop.project
        .variables
        .insert("PATH".to_owned(), fake.path().display().to_string());
    assert_snapshot!(shop.run(&["backup", "prod"]), @r#"
    exit 1
    --- stderr
    error: prod: pg_dump [version] failed: no luck with ***
    "#);
    assert_eq!(names(&shop.project).len(), 0);
    assert_snapshot!(shop.run(&["backup", "prod", "--list"]), @r#"
    exit 0
    --- stdout
    prod: no backup

      next     tollgate backup prod --verify
    "#);
}

/// Killed in the middle, it leaves a part that nobody takes for a backup, and no child.
#[test]
fn a_kill_leaves_no_file_that_looks_whole() {
    let mut shop = Shop::on(Database::new());
    let seen = tempfile::tempdir().unwrap();
    let script = format!(
        "echo PGDMP\necho $$ >{0}/pid.part\n/bin/mv {0}/pid.part {0}/pid\nwhile /bin/sleep 0.1; do echo more || exit 1; done\n",
        seen.path().display()
    );
    let fake = Programs::new("pg_dump", "pg_dump (PostgreSQL) 15.99", &script);
    shop.project
        .variables
        .insert("PATH".to_owned(), fake.path().display().to_string());
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["backup", "prod"])
        .current_dir(shop.project.path())
        .env_clear()
        .envs(&shop.project.variables)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let wait = |done: &dyn Fn() -> bool| {
        for _ in 0..6_000 {
            if done() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("it never came to that");
    };
    let is_part = |name: &String| name.ends_with(".part");
    wait(&|| seen.path().join("pid").exists() && names(&shop.project).iter().any(is_part));
    child.kill().unwrap();
    child.wait().unwrap();
    let left = names(&shop.project);
    assert!(left.iter().all(is_part), "{left:?}");
    let pid = std::fs::read_to_string(seen.path().join("pid")).unwrap();
    let pid = PathBuf::from(format!("/proc/{}", pid.trim()));
    wait(&|| !pid.exists());
    shop.project.variables.remove("PATH");
    let shot = shop.run(&["backup", "prod"]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert!(
        shot.stdout
            .contains("an earlier backup did not come to its end"),
        "{shot}"
    );
    assert!(!names(&shop.project).iter().any(is_part));
}

/// Ctrl-C: the child ends too, and nothing is left.
#[test]
fn an_interrupt_takes_back_what_was_begun() {
    let mut shop = Shop::on(Database::new());
    let fake = Programs::new(
        "pg_dump",
        "pg_dump (PostgreSQL) 15.99",
        "echo PGDMP\nexec /bin/sleep 600\n",
    );
    shop.project
        .variables
        .insert("PATH".to_owned(), fake.path().display().to_string());
    let interrupted = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let later = std::sync::Arc::clone(&interrupted);
    let folder = folder(&shop.project);
    let watch = std::thread::spawn(move || {
        let begun = || std::fs::read_dir(&folder).is_ok_and(|entries| entries.count() > 0);
        for _ in 0..6_000 {
            if begun() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        later.store(true, Ordering::SeqCst);
    });
    let shot = shop.plain(shop.project.run_with(&["backup", "prod"], interrupted));
    watch.join().unwrap();
    assert_snapshot!(shot, @r#"
    exit 130
    --- stderr
    error: prod: interrupted: what was begun is taken back
    "#);
    assert_eq!(names(&shop.project).len(), 0);
}

/// Once the file is whole it stays, and only what was restored of it is taken back.
#[test]
fn an_interrupt_while_it_is_restored_leaves_the_file() {
    let mut shop = Shop::on(Database::new());
    let seen = tempfile::tempdir().unwrap();
    let script = format!(
        "echo >{}/begun\nexec /bin/sleep 600\n",
        seen.path().display()
    );
    let fake = Programs::new("pg_restore", "pg_restore (PostgreSQL) 15.99", &script);
    shop.project.programs.insert(0, fake.path().to_owned());
    let interrupted = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let later = std::sync::Arc::clone(&interrupted);
    let begun = seen.path().join("begun");
    let watch = std::thread::spawn(move || {
        for _ in 0..6_000 {
            if begun.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        later.store(true, Ordering::SeqCst);
    });
    let shot = shop
        .project
        .run_with(&["backup", "prod", "--verify"], interrupted);
    let shot = shop.plain(shot);
    watch.join().unwrap();
    assert_snapshot!(shot, @r#"
    exit 130
    --- stderr
    error: prod: interrupted: prod-20251104101200-7670.dump is whole and stays with its manifest, and what was restored of it is taken back: it is not known whether it can be restored

      remedy   tollgate backup prod --check prod-20251104101200-7670.dump --verify
    "#);
    assert_eq!(names(&shop.project).len(), 2);
    let file = newest(&shop.project);
    assert_eq!(shop.run(&["backup", "prod", "--check", &file]).exit, 0);
}

#[test]
fn without_the_right_to_create_a_database_the_backup_stays() {
    let shop = Shop::on(Database::plain());
    assert_snapshot!(shop.run(&["backup", "prod", "--verify"]), @r#"
    exit 1
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-7670.dump
      [size], by pg_dump [version], as of receipt 1, blake3:[hash]
      not verified: there is no scratch database to restore it into: permission denied to create database [42501]
      the backup stays: a backup that was not restored is a hope
      remedy    ALTER ROLE ... CREATEDB, for the role of the target's url; or restore it elsewhere: tollgate restore '<its file>' --into '<a new database>'
    "#);
    let file = newest(&shop.project);
    let name = Name::new(&shop);
    let mut shot = shop.run(&["restore", &file, "--into", &name.0]);
    shot.stderr = shot.stderr.replace(&name.0, "again");
    assert_snapshot!(shot, @r#"
    exit 1
    --- stderr
    error: prod: this role may not create the database again: permission denied to create database [42501]

      remedy   ALTER ROLE ... CREATEDB, for the role of the target's url; or by hand: pg_restore --dbname=<an empty database> FILE
    "#);
}

/// Something of another role's stands there: this role may read it, and may not give it to its owner.
#[test]
fn what_belongs_to_others_is_restored_without_owners() {
    let maker = format!("maker_{}", std::process::id());
    let database = Database::new();
    database
        .run(&format!("CREATE ROLE {maker} LOGIN CREATEDB PASSWORD 'maker-secret'; ALTER DATABASE {} OWNER TO {maker}; ALTER SCHEMA public OWNER TO {maker}", database.name()))
        .unwrap();
    let mut project =
        Project::with(&[("20251101000000_a", "CREATE TABLE a (id int PRIMARY KEY);\n")]);
    let config = "[[environment]]\nname = \"prod\"\nurl = \"env:DATABASE_URL\"\n";
    std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
    let url = with_user(&database.superuser_url(), &format!("{maker}:maker-secret"));
    project.variables.insert("DATABASE_URL".to_owned(), url);
    let shop = Shop { project, database };
    assert_eq!(shop.run(&["apply", "prod"]).exit, 0);
    shop.database
        .run(&format!("CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (1); GRANT SELECT ON b TO {maker}"))
        .unwrap();
    let hide = |mut shot: Shot| {
        shot.stdout = shot.stdout.replace(&maker, "maker");
        shot.stderr = shot.stderr.replace(&maker, "maker");
        shot
    };
    assert_snapshot!(hide(shop.run(&["backup", "prod", "--verify"])), @r#"
    exit 0
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-7670.dump
      [size], by pg_dump [version], as of receipt 1, blake3:[hash]
      verified: it was restored into a scratch database, and is equal: the schema, and 1 row, every value of 2 tables
      not compared  owners and grants: this role may not give things to others, so the copy was restored without them
    "#);
    let file = newest(&shop.project);
    let name = Name::new(&shop);
    let again = |arguments: &[&str]| {
        let mut shot =
            hide(shop.run(&[&["restore", &file, "--into", &name.0], arguments].concat()));
        shot.stdout = shot.stdout.replace(&name.0, "again");
        shot.stderr = shot.stderr.replace(&name.0, "again");
        shot
    };
    assert_snapshot!(again(&[]), @r#"
    exit 1
    --- stderr
    error: prod: pg_restore [version] failed: could not execute query: ERROR:  must be member of role "tollgate_test"
      Command was: ALTER TABLE public.b OWNER TO tollgate_test;

      remedy   tollgate restore prod-20251104101200-7670.dump --into again --no-owner   # all of it then belongs to this role, without grants
    "#);
    assert_snapshot!(again(&["--no-owner"]), @r#"
    exit 0
    --- stdout
    restored: prod-20251104101200-7670.dump into database again on [server]
      the target of prod was not touched
      to use it   edit tollgate.toml: give prod the url of that database, then: tollgate bind prod --reason '<why>'
    "#);
    drop(name);
    let gone = format!("DROP OWNED BY {maker} CASCADE; REASSIGN OWNED BY {maker} TO tollgate_test");
    let _ = shop.database.run(&gone);
}

/// A schema that this role may read and that the fingerprint does not look at, because all of it is
/// another's: in the copy it is this role's.
#[test]
fn a_schema_of_others_is_not_compared_and_named() {
    let reader = format!("reader_{}", std::process::id());
    let database = Database::new();
    database
        .run(&format!("CREATE ROLE {reader} LOGIN CREATEDB PASSWORD 'reader-secret'; ALTER DATABASE {} OWNER TO {reader}; ALTER SCHEMA public OWNER TO {reader}", database.name()))
        .unwrap();
    let mut project =
        Project::with(&[("20251101000000_a", "CREATE TABLE a (id int PRIMARY KEY);\n")]);
    let config = "[[environment]]\nname = \"prod\"\nurl = \"env:DATABASE_URL\"\n";
    std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
    let url = with_user(
        &database.superuser_url(),
        &format!("{reader}:reader-secret"),
    );
    project.variables.insert("DATABASE_URL".to_owned(), url);
    let shop = Shop { project, database };
    assert_eq!(shop.run(&["apply", "prod"]).exit, 0);
    shop.database
        .run(&format!("INSERT INTO a VALUES (7); CREATE SCHEMA \"sec.2\"; CREATE TABLE \"sec.2\".x (id serial PRIMARY KEY, note text); INSERT INTO \"sec.2\".x (note) VALUES ('theirs'); GRANT USAGE ON SCHEMA \"sec.2\" TO {reader}; GRANT SELECT ON ALL TABLES IN SCHEMA \"sec.2\" TO {reader}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA \"sec.2\" TO {reader}"))
        .unwrap();
    let asking = format!(
        "{config}[environment.require]\nbackup = {{ max_age = \"1h\", verified = true }}\n"
    );
    std::fs::write(shop.project.path().join("tollgate.toml"), asking).unwrap();
    let verified = shop.run(&["backup", "prod", "--verify"]);
    shop.project
        .write("20251102000000_b", "CREATE TABLE b (id int);\n");
    let planned = shop.run(&["plan", "prod"]);
    let gone =
        format!("DROP OWNED BY {reader} CASCADE; REASSIGN OWNED BY {reader} TO tollgate_test");
    let _ = shop.database.run(&gone);
    assert_snapshot!(verified, @r#"
    exit 0
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-7670.dump
      [size], by pg_dump [version], as of receipt 1, blake3:[hash]
      verified: it was restored into a scratch database, and is equal: the schema, and 1 row, every value of 1 table
      not compared  owners and grants: this role may not give things to others, so the copy was restored without them
      not compared  schema "sec.2": another role owns it in the source
    "#);
    assert_eq!(planned.exit, 0, "{planned}");
}

/// The manifest and the dump are of one moment, whatever is written meanwhile.
#[test]
fn what_is_written_meanwhile_is_in_neither() {
    let mut shop = Shop::on(Database::new());
    let script = format!(
        "{} --no-psqlrc --quiet --command=\"INSERT INTO users (email) VALUES ('')\" && exec {} \"$@\"\n",
        real("psql").display(),
        real("pg_dump").display()
    );
    let fake = Programs::new("pg_dump", "pg_dump (PostgreSQL) 15.99", &script);
    let real_ones = std::mem::take(&mut shop.project.programs);
    shop.project.programs = vec![fake.path().to_owned()];
    shop.project.programs.extend(real_ones);
    let shot = shop.run(&["backup", "prod", "--verify", "--data", "full"]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert_eq!(shop.database.ask("SELECT count(*) FROM users"), "3");
    assert!(shot.stdout.contains("102 rows"), "{shot}");
}

#[test]
fn who_holds_a_table_is_waited_for_no_longer_than_asked() {
    let shop = Shop::on(Database::new());
    let url = shop.database.superuser_url();
    let (held, told) = std::sync::mpsc::channel();
    let (go, going) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
                .await
                .unwrap();
            let connection = tokio::spawn(connection);
            client
                .batch_execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
                .await
                .unwrap();
            held.send(()).unwrap();
            let _ = going.recv_timeout(std::time::Duration::from_secs(60));
            drop(client);
            let _ = connection.await;
        });
    });
    told.recv().unwrap();
    let shot = shop.run(&["backup", "prod", "--lock-wait", "1"]);
    let _ = go.send(());
    holder.join().unwrap();
    assert_snapshot!(shot, @r#"
    exit 1
    --- stderr
    error: prod: the server refused while opening the moment of the backup: canceling statement due to lock timeout [55P03]

      remedy   let whoever holds the table end, or give it longer: --lock-wait 10
    "#);
    assert_eq!(names(&shop.project).len(), 0);
}

/// What comes out is not what went in: each difference is told, and nothing stands on the file.
#[test]
fn what_does_not_come_back_is_told() {
    let mut shop = Shop::on(Database::new());
    let script = format!(
        "{} \"$@\" && exec {} --no-psqlrc --quiet --command=\"DELETE FROM orders WHERE id = 7; UPDATE users SET born = '2001-01-01' WHERE id = 1; DROP INDEX orders_state; COMMENT ON TABLE users IS 'who sells'\"\n",
        real("pg_restore").display(),
        real("psql").display()
    );
    let fake = Programs::new("pg_restore", "pg_restore (PostgreSQL) 15.99", &script);
    shop.project.programs.insert(0, fake.path().to_owned());
    assert_snapshot!(shop.run(&["backup", "prod", "--verify"]), @r#"
    exit 1
    --- stdout
    backed up: prod into state/backups/prod-20251104101200-7670.dump
      [size], by pg_dump [version], as of receipt 1, blake3:[hash]
      not verified: it was restored, and 4 things are not what they were
        not in the copy: index public.orders_state
        different: table public.users
          source  comment: who buys
          copy    comment: who sells
        data: public.orders: 100 rows before, 99 after
        data: public.users.born: other values
      the file stays; no gate stands on it
      remedy    tollgate backup prod --verify   # once nobody changes what is different
    "#);
    let file = newest(&shop.project);
    assert_snapshot!(shop.run(&["backup", "prod", "--check", &file]), @r#"
    exit 1
    --- stdout
    whole: state/backups/prod-20251104101200-7670.dump
      a backup of prod of 2025-11-04 10:12 UTC
      [size], by pg_dump [version], as of receipt 1, blake3:[hash]
      not good: 2025-11-04 10:12 UTC: it was restored, and is not what its source was
      note      this ledger has no entry of it: that it is what it seems is its manifest's word alone
    "#);
    let (exit, document) = shop.project.json(&["backup", "prod", "--verify"]);
    assert_eq!(
        (exit, document["proof"]["state"].as_str()),
        (1, Some("different"))
    );
    assert_eq!(
        document["proof"]["comparison"]["schema"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing() {
    let shop = Shop::on(Database::new());
    shop.database
        .run("CREATE TABLE big AS SELECT sha512(n::text::bytea) AS x FROM generate_series(1, 40000) AS n")
        .unwrap();
    if let Some((shot, left)) = super::on_a_small_disk(&shop.project, &["backup", "prod"]) {
        assert_eq!(left.len(), 0, "{left:?}");
        assert_snapshot!(shop.plain(shot), @r#"
        exit 1
        --- stderr
        error: prod: no room for the backup in [project]/state/backups: No space left on device, after [size]

          remedy   df -h '[project]/state/backups'   # and make room, or keep fewer backups
        "#);
    }
}
