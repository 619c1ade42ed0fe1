//! The chain on PostgreSQL, and the cases that other tools get wrong.

use insta::assert_snapshot;

use crate::project::{Project, Shot};
use crate::server::Database;

pub(crate) const CREATE: &str = "CREATE TABLE users (id int PRIMARY KEY, email text);\n";

/// Three databases behind a project.
pub(crate) struct Chain {
    pub(crate) project: Project,
    pub(crate) databases: Vec<Database>,
}

const NAMES: [&str; 3] = ["dev", "test", "prod"];

impl Chain {
    pub(crate) fn new(migrations: &[(&str, &str)]) -> Self {
        let mut project = Project::with(migrations);
        let mut config = String::new();
        let mut databases = Vec::new();
        for name in NAMES {
            let database = Database::new();
            let variable = format!("DATABASE_URL_{}", name.to_uppercase());
            config.push_str(&format!(
                "[[environment]]\nname = \"{name}\"\nurl = \"env:{variable}\"\n"
            ));
            project.variables.insert(variable, database.url());
            databases.push(database);
        }
        std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
        Self { project, databases }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Shot {
        self.hide(self.project.run(arguments))
    }

    /// The databases' names differ in every run of the tests.
    pub(crate) fn hide(&self, mut shot: Shot) -> Shot {
        for (database, name) in self.databases.iter().zip(NAMES) {
            shot.stdout = shot.stdout.replace(database.name(), &format!("app_{name}"));
            shot.stderr = shot.stderr.replace(database.name(), &format!("app_{name}"));
        }
        shot
    }

    pub(crate) fn set_url(&mut self, environment: &str, url: String) {
        let variable = format!("DATABASE_URL_{}", environment.to_uppercase());
        self.project.variables.insert(variable, url);
    }
}

/// `CREATE INDEX CONCURRENTLY` alone fails by default in sqlx, refinery, diesel, dbmate, Alembic and
/// Liquibase: they wrap it in a transaction.
#[test]
fn concurrently_runs_and_is_journalled() {
    let chain = Chain::new(&[
        ("20251101000000_users", CREATE),
        (
            "20251102000000_index",
            "CREATE INDEX CONCURRENTLY users_email ON users (email);\n",
        ),
        (
            "20251103000000_beside",
            "ALTER TABLE users ADD name text;\nCREATE INDEX CONCURRENTLY users_name ON users (name);\n",
        ),
    ]);
    assert_snapshot!(chain.run(&["promote", "prod"]), @r#"
    exit 0
    --- stdout

    migration              dev       test      prod
    20251101000000_users   applied   applied   applied
    20251102000000_index   applied   applied   applied
    20251103000000_beside  applied   applied   applied
    --- stderr
    dev: bound to app_dev
    dev: 3 migrations to apply
      applied   20251101000000_users  atomic
      applied   20251102000000_index  journalled
      applied   20251103000000_beside  journalled
    test: bound to app_test
    test: 3 migrations to apply
      applied   20251101000000_users  atomic
      applied   20251102000000_index  journalled
      applied   20251103000000_beside  journalled
    prod: bound to app_prod
    prod: 3 migrations to apply
      applied   20251101000000_users  atomic
      applied   20251102000000_index  journalled
      applied   20251103000000_beside  journalled
    "#);
    let valid = "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid::regclass::text ~ 'users_(email|name)'";
    assert_eq!(chain.databases[2].ask(valid), "2");
    assert_eq!(chain.run(&["promote", "prod"]).exit, 0);
}

/// A script with its own BEGIN and COMMIT makes diesel and dbmate fail, and leaves its table behind.
#[test]
fn a_script_with_its_own_transaction_runs_as_it_is() {
    let chain = Chain::new(&[
        (
            "20251101000000_own",
            "BEGIN;\nCREATE TABLE users (id int);\nCOMMIT;\n",
        ),
        ("20251102000000_next", "INSERT INTO users VALUES (1);\n"),
    ]);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 2 migrations applied
    --- stderr
    dev: bound to app_dev
    dev: 2 migrations to apply
      applied   20251101000000_own  journalled
      applied   20251102000000_next  atomic
    "#);
    assert_eq!(chain.databases[0].ask("SELECT count(*) FROM users"), "1");
    assert_eq!(
        chain.databases[0].ask("SELECT string_agg(kind, ' ' ORDER BY seq) FROM tollgate.receipt"),
        "journalled atomic"
    );
}

/// An edited file is noticed by sqlx and Liquibase only; the others go on in silence.
#[test]
fn an_edited_file_is_noticed() {
    let chain = Chain::new(&[("20251101000000_users", CREATE)]);
    chain.run(&["promote", "prod"]);
    chain.project.write(
        "20251101000000_users",
        "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n",
    );
    assert_eq!(chain.run(&["plan", "dev"]).exit, 0);
    for name in ["test", "prod"] {
        let shot = chain.run(&["apply", name]);
        assert_eq!(shot.exit, 3);
        assert!(
            shot.stdout.contains("it was edited after it ran here"),
            "{shot}"
        );
    }
}

#[test]
fn a_failing_script_shows_what_the_server_said() {
    let chain = Chain::new(&[
        ("20251101000000_users", CREATE),
        (
            "20251102000000_bad",
            "INSERT INTO users VALUES (1, 'a@example.com');\n-- é\nINSERT INTO users VALUES (1, 'b@example.com');\n",
        ),
        (
            "20251103000000_typo",
            "ALTER TABLE users\n  ADD COLUMN emial txt;\n",
        ),
    ]);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 1
    --- stderr
    dev: bound to app_dev
    dev: 3 migrations to apply
      applied   20251101000000_users  atomic
    error: 20251102000000_bad failed in dev: duplicate key value violates unique constraint "users_pkey" [23505]
      --> migrations/20251102000000_bad/migration.sql:3:1
      |
    3 | INSERT INTO users VALUES (1, 'b@example.com');
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      detail   Key (id)=(1) already exists.

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251102000000_bad/migration.sql, then: tollgate apply dev
    "#);
    assert_eq!(chain.databases[0].ask("SELECT count(*) FROM users"), "0");
    chain.project.write(
        "20251102000000_bad",
        "INSERT INTO users VALUES (1, 'a@example.com');\n",
    );
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 1
    --- stderr
    dev: 2 migrations to apply
      applied   20251102000000_bad  atomic
    error: 20251103000000_typo failed in dev: type "txt" does not exist [42704]
      --> migrations/20251103000000_typo/migration.sql:2:20
      |
    2 |   ADD COLUMN emial txt;
      |                    ^

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251103000000_typo/migration.sql, then: tollgate apply dev
    "#);
}

#[test]
fn a_script_that_cannot_be_sent_is_refused_by_the_plan() {
    let chain = Chain::new(&[
        ("20251101000000_users", CREATE),
        ("20251102000000_copy", "COPY users FROM STDIN;\n"),
    ]);
    assert_snapshot!(chain.run(&["plan", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251102000000_copy
        script      COPY ... FROM STDIN needs a client that sends or takes the rows, and a migration has none
                    found     COPY ... FROM STDIN in line 1
                    required  statements that the server can run alone
                    remedy    edit migrations/20251102000000_copy/migration.sql: use INSERT INTO ... VALUES

      1 before it is ready: tollgate apply dev --to 20251101000000_users
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    "#);
}

#[test]
fn a_database_with_a_history_is_warned_about() {
    let chain = Chain::new(&[("20251101000000_users", CREATE)]);
    chain.databases[0]
        .run("CREATE TABLE theirs (id int)")
        .unwrap();
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: bound to app_dev

    warning: baseline: dev: the target has tables, and tollgate never entered it before
      found     tables without a receipt
      remedy    tollgate baseline dev --to 20251101000000_users --reason '<why>'   # if migrations made them: name the last one
    dev: 1 migration to apply
      applied   20251101000000_users  atomic
    "#);
}

/// Oids and clusters are other ones on every server.
fn without_numbers(text: &str) -> String {
    let mut out = text.to_owned();
    for before in ["oid ", "cluster "] {
        let parts: Vec<&str> = out.split(before).collect();
        let rest = parts[1..]
            .iter()
            .map(|part| format!("N{}", part.trim_start_matches(|c: char| c.is_ascii_digit())));
        out = std::iter::once(parts[0].to_owned())
            .chain(rest)
            .collect::<Vec<_>>()
            .join(before);
    }
    out
}

#[test]
fn a_copied_database_is_not_taken_for_the_original() {
    let mut chain = Chain::new(&[("20251101000000_users", CREATE)]);
    chain.run(&["apply", "dev"]);
    let copy = chain.databases[0].copy();
    chain.set_url("test", copy.url());
    chain.databases[1] = copy;
    let mut refused = chain.run(&["apply", "test"]);
    refused.stdout = without_numbers(&refused.stdout);
    assert_snapshot!(refused, @r"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    this target is a copy of dev's
                    found     its identity row was written in database oid N of cluster N; this is database oid N of cluster N
                    required  a target of test's own, or a person's word that test goes on with this copy
                    remedy    tollgate bind test --reason '<why>'
    ");
    assert_snapshot!(chain.run(&["bind", "test", "--reason", "made from dev"]), @r#"
    exit 0
    --- stdout
    test: bound
    --- stderr
    test: bound to app_test
    test: took in 1 receipt that the ledger knew
    "#);
    assert_snapshot!(chain.run(&["plan", "prod"]), @r"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251101000000_users
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 10:12 UTC by alice
                              test: its target is a copy; it ran in dev 2025-11-04 10:12 UTC
                    required  success of blake3:a8907d2afcf7 in dev and test
                    remedy    tollgate bind test --emptied --reason '<why>'   # after emptying test
    ");
    // The same database behind two names is no copy.
    chain.set_url("prod", chain.databases[0].url());
    let shot = chain.run(&["bind", "prod", "--reason", "by mistake"]);
    assert_eq!(shot.exit, 3, "{shot}");
}

#[test]
fn an_emptied_target_starts_clean_and_loses_no_promotion() {
    let chain = Chain::new(&[("20251101000000_users", CREATE)]);
    chain.run(&["promote", "test"]);
    chain.databases[0]
        .run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .unwrap();
    assert_eq!(
        chain
            .run(&["bind", "dev", "--emptied", "--reason", "reset"])
            .exit,
        0
    );
    assert_eq!(chain.run(&["plan", "prod"]).exit, 0);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: 1 migration to apply
      applied   20251101000000_users  atomic
    "#);
    assert_eq!(chain.databases[0].ask("SELECT count(*) FROM users"), "0");
}

#[test]
fn who_cannot_connect_is_told_why() {
    let mut chain = Chain::new(&[("20251101000000_users", CREATE)]);
    let good = chain.databases[0].url();
    let port = good
        .rsplit_once('/')
        .unwrap()
        .0
        .rsplit_once(':')
        .unwrap()
        .1
        .to_owned();
    let mut shots = String::new();
    for url in [
        "postgresql://app:secret-word@127.0.0.1:1/app".to_owned(),
        crate::server::with_user(&good, "tollgate_test:secret-word"),
        good.replace(chain.databases[0].name(), "no_such_database"),
        format!("{good}?sslmode=verify-full"),
    ] {
        chain.set_url("dev", url);
        shots.push_str(&format!("{}\n\n", chain.run(&["apply", "dev"])));
    }
    assert!(!shots.contains("secret-word"), "{shots}");
    assert_snapshot!(shots.replace(&format!(":{port}"), ":5432"), @r#"
    exit 1
    --- stderr
    error: dev: cannot reach the PostgreSQL server at 127.0.0.1:1: connection refused

      remedy   start the server, or correct host and port in the target's URL

    exit 1
    --- stderr
    error: dev: the PostgreSQL server at 127.0.0.1:5432 does not accept the password of tollgate_test

      remedy   correct the password: in the URL, PGPASSWORD or .pgpass

    exit 1
    --- stderr
    error: dev: there is no database no_such_database on the PostgreSQL server at 127.0.0.1:5432

      remedy   create it (createdb), or correct its name in the target's URL

    exit 1
    --- stderr
    error: dev: no TLS connection to the PostgreSQL server at 127.0.0.1:5432: invalid peer certificate: UnknownIssuer

      remedy   name the authority that signed the server's certificate: sslrootcert=FILE; and the host by the name in the certificate
    "#);
}

/// Bound again without its receipts, a target would take its whole history a second time.
#[test]
fn a_target_that_lost_its_receipts_is_not_filled_again() {
    let chain = Chain::new(&[("20251101000000_users", CREATE)]);
    chain.run(&["apply", "dev"]);
    chain.databases[0]
        .run("DROP SCHEMA tollgate CASCADE")
        .unwrap();
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    dev is bound to another target
                    found     postgresql app_dev was never entered by tollgate
                    required  postgresql app_dev, incarnation e3d5003e
                    remedy    tollgate bind dev --reason '<why>'

    warning: baseline: dev: the target has tables, and tollgate never entered it before
      found     tables without a receipt
      remedy    tollgate baseline dev --to 20251101000000_users --reason '<why>'   # if migrations made them: name the last one
    "#);
    assert_snapshot!(chain.run(&["bind", "dev", "--reason", "why not"]), @r#"
    exit 3
    --- stdout
    refused: dev is not bound: the target has tables, and no receipt explains them
      found     1 migration counted as applied in dev would run again
      required  tollgate's own tables, from a backup of the target, or an empty target
      remedy    tollgate bind dev --emptied --reason '<why>'   # after emptying it
    "#);
}
