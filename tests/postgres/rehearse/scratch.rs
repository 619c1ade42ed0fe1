//! Databases of one's own beside a target.

use tollgate::model::DataMode;
use tollgate::model::schema::diff;
use tollgate::targets::address::Address;
use tollgate::targets::postgres::{PostgresScratch, scratch};
use tollgate::targets::{Beginning, Scratch, ScratchError, Target};

use crate::support::{Database, PLAIN, run, server_url, settings, with_user};

fn make(database: &Database, beginning: Beginning) -> Result<PostgresScratch, ScratchError> {
    scratch(&database.settings(), beginning)
}

fn oid(database: &Database) -> String {
    database.ask("SELECT oid FROM pg_database WHERE datname = current_database()")
}

/// The scratch databases of this target, asked elsewhere.
fn there(oid: &str) -> Vec<String> {
    let sql = format!(
        "SELECT datname FROM pg_database WHERE starts_with(datname, 'tollgate_scratch_{oid}_') ORDER BY 1"
    );
    let rows = run(&server_url(), &sql).unwrap();
    rows.into_iter().filter_map(|row| row[0].clone()).collect()
}

fn ask(scratch: &PostgresScratch, sql: &str) -> String {
    let url = server_url();
    let end = url.rfind('/').unwrap();
    let url = format!("{}/{}", &url[..end], scratch.name());
    run(&url, sql).unwrap()[0][0].clone().unwrap_or_default()
}

#[test]
fn an_empty_one_is_like_the_target_and_goes() {
    let database = Database::new();
    let name = database.name();
    for line in [
        "SET search_path = app, \"odd name\", public",
        "SET DateStyle = 'German, DMY'",
        "SET tollgate.note = 'it''s \\ \"x\"'",
    ] {
        database
            .run(&format!("ALTER DATABASE {name} {line}"))
            .unwrap();
    }
    database
        .run(&format!("ALTER ROLE tollgate_test IN DATABASE {name} SET statement_timeout = '77s'; CREATE TABLE t (id int)"))
        .unwrap();
    let oid = oid(&database);
    let made = make(&database, Beginning::Empty).unwrap();
    assert_eq!(there(&oid), [made.name()]);
    assert!(made.name().starts_with(&format!("tollgate_scratch_{oid}_")));
    for setting in [
        "search_path",
        "DateStyle",
        "tollgate.note",
        "statement_timeout",
        "server_encoding",
        "lc_collate",
        "lc_ctype",
    ] {
        let show = format!("SELECT current_setting('{setting}')");
        assert_eq!(ask(&made, &show), database.ask(&show), "{setting}");
    }
    assert_eq!(ask(&made, "SELECT to_regclass('public.t') IS NULL"), "t");
    let comment = ask(
        &made,
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()",
    );
    assert!(comment.contains("tollgate"), "{comment}");
    // It is a target like any other.
    let mut target = made.open().unwrap();
    assert!(target.schema().unwrap().get("table", "public.t").is_none());
    drop(target);
    assert!(
        matches!(made.address(), Address::Postgresql(settings) if settings.database_name() == made.name())
    );
    Box::new(made).discard().unwrap();
    assert_eq!(there(&oid), [""; 0]);
    // So it does when it is only dropped, and when somebody is still there.
    let made = make(&database, Beginning::Empty).unwrap();
    let target = made.open().unwrap();
    drop(made);
    drop(target);
    assert_eq!(there(&oid), [""; 0]);
}

#[test]
fn a_copy_has_everything() {
    let database = Database::new();
    database.run(crate::data::EVERY_TYPE).unwrap();
    let name = database.name();
    database
        .run(&format!("ALTER DATABASE {name} SET search_path = public"))
        .unwrap();
    let mut target = database.open();
    let (schema, data) = (
        target.schema().unwrap(),
        target.data(DataMode::Full).unwrap(),
    );
    drop(target);
    let made = make(&database, Beginning::Copy).unwrap();
    let mut copy = made.open().unwrap();
    assert_eq!(diff(&schema, &copy.schema().unwrap()), []);
    assert_eq!(copy.data(DataMode::Full).unwrap(), data);
    assert_eq!(
        ask(&made, "SELECT current_setting('search_path')"),
        "public"
    );
}

#[test]
fn a_target_that_is_in_use_is_not_copied() {
    let database = Database::new();
    let oid = oid(&database);
    let target = database.open();
    match make(&database, Beginning::Copy) {
        Err(ScratchError::NotCopied { why }) => {
            assert!(why.contains("55006") || why.contains("57014"), "{why}")
        }
        other => panic!("{other:?}"),
    }
    drop(target);
    assert_eq!(there(&oid), [""; 0]);
    // Nobody is kept from it afterwards.
    database.open();
}

#[test]
fn a_role_that_may_not_make_one_hears_the_servers_words() {
    let database = Database::plain();
    for beginning in [Beginning::Empty, Beginning::Copy] {
        match make(&database, beginning) {
            Err(ScratchError::NotAllowed { why }) => {
                assert!(
                    why.contains("permission denied to create database"),
                    "{why}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(database.url().contains(PLAIN));
}

/// A restored database, say, whatever it is called.
#[test]
fn a_database_of_somebody_else_is_not_dropped_for_its_name() {
    let database = Database::new();
    let oid = oid(&database);
    let name = format!("tollgate_scratch_{oid}_x");
    run(&server_url(), &format!("CREATE DATABASE {name}")).unwrap();
    let left = format!("tollgate_scratch_{oid}_00c0ffee");
    let early = format!("CREATE DATABASE {left} CONNECTION LIMIT 0");
    run(&server_url(), &early).unwrap();
    let made = make(&database, Beginning::Empty).unwrap();
    let limit = "SELECT datconnlimit FROM pg_database WHERE datname = current_database()";
    assert_eq!(ask(&made, limit), "-1");
    drop(made);
    let found = there(&oid);
    run(&server_url(), &format!("DROP DATABASE {name}")).unwrap();
    assert_eq!(found, [name]);
}

#[test]
fn what_a_crash_left_is_dropped_by_the_next_one() {
    let database = Database::new();
    let other = Database::new();
    let oid = oid(&database);
    let of_another = make(&other, Beginning::Empty).unwrap();
    let crashed = make(&database, Beginning::Empty).unwrap();
    let left = crashed.name().to_owned();
    // As when the program ends without a word: its session stays until the server notices.
    std::mem::forget(crashed);
    let keeper = format!(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l
          WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = 1953459308 AND l.objid = {oid}"
    );
    // As long as it is there, it may be in use.
    let second = make(&database, Beginning::Empty).unwrap();
    assert_eq!(there(&oid).len(), 2);
    drop(second);
    assert_eq!(there(&oid), [left.as_str()]);
    assert_eq!(run(&server_url(), &keeper).unwrap().len(), 1);
    let third = make(&database, Beginning::Empty).unwrap();
    assert_eq!(there(&oid), [third.name()]);
    // Its session was lost: it goes all the same.
    run(&server_url(), &keeper).unwrap();
    Box::new(third).discard().unwrap();
    assert_eq!(there(&oid), [""; 0]);
    assert!(of_another.open().is_ok());
}

/// No superuser, and a database with a locale of its own.
#[test]
fn a_role_that_may_make_databases_makes_one_of_the_same_kind() {
    let role = format!("maker_{}", std::process::id());
    let name = format!("icu_{}", std::process::id());
    let server = server_url();
    let admin = |sql: &str| run(&server, sql).unwrap();
    admin(&format!(
        "CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'maker'"
    ));
    admin(&format!(
        "CREATE DATABASE {name} OWNER {role} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE'"
    ));
    // One that this role may not set, and one that it may.
    admin(&format!("ALTER DATABASE {name} SET log_statement = 'ddl'"));
    admin(&format!(
        "ALTER DATABASE {name} SET search_path = app, public"
    ));
    let url = with_user(&server, &format!("{role}:maker"));
    let end = url.rfind('/').unwrap();
    let settings = settings(&format!("{}/{name}", &url[..end]));
    for beginning in [Beginning::Empty, Beginning::Copy] {
        let made = scratch(&settings, beginning).unwrap();
        let kinds = format!(
            "SELECT count(*) FROM (SELECT DISTINCT encoding, datlocprovider, daticulocale, datcollate, datctype, datdba
               FROM pg_database WHERE datname IN ('{name}', '{}')) AS d",
            made.name()
        );
        assert_eq!(admin(&kinds)[0][0].as_deref(), Some("1"));
        assert_eq!(ask(&made, "SHOW search_path"), "app, public");
        let mut target = made.open().unwrap();
        target.schema().unwrap();
        drop(target);
        Box::new(made).discard().unwrap();
    }
    let left = format!(
        "SELECT datname FROM pg_database WHERE starts_with(datname, 'tollgate_scratch') AND datdba = '{role}'::regrole"
    );
    assert_eq!(admin(&left).len(), 0);
    admin(&format!("DROP DATABASE {name} WITH (FORCE)"));
    admin(&format!("DROP ROLE {role}"));
}
