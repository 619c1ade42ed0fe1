//! What a hub's database refuses by itself, and what shows where somebody got around it.

use tollgate::targets::TargetErrorKind;
use tollgate::targets::hub::{Hub, HubRow, digest};

use super::{bodies, chain, open, other_last, prepared, read, summed, writer};
use crate::support::{Database, run, with_user};

/// Where somebody made the database read-only by default.
const WRITABLE: &str = "SET TRANSACTION READ WRITE;";

/// A role that may log in, with a name of its own: roles are the server's.
fn role(database: &Database, name: &str) -> (String, String) {
    let role = format!("{name}_{}", database.name());
    database
        .run(&format!(
            "{WRITABLE} CREATE ROLE {role} LOGIN PASSWORD 'pass'"
        ))
        .unwrap();
    let url = with_user(&database.superuser_url(), &format!("{role}:pass"));
    (role, url)
}

/// Exactly what the documentation says.
fn grant(database: &Database, role: &str) {
    database
        .run(&format!(
            "{WRITABLE}
             GRANT USAGE ON SCHEMA tollgate_hub TO {role};
             GRANT SELECT, INSERT ON tollgate_hub.entry TO {role};"
        ))
        .unwrap();
}

/// Nobody may connect as the role any more.
fn drop_role(database: &Database, role: &str) {
    database
        .run(&format!(
            "{WRITABLE} DROP OWNED BY {role}; DROP ROLE {role}"
        ))
        .unwrap();
}

fn insert(row: &HubRow) -> String {
    format!(
        "INSERT INTO tollgate_hub.entry (writer, number, hash, body) VALUES ('{}', {}, '{}', $b${}$b$)",
        row.writer, row.number, row.hash, row.body
    )
}

const CHANGES: [&str; 4] = [
    "UPDATE tollgate_hub.entry SET received_from = 'x'",
    "DELETE FROM tollgate_hub.entry",
    "TRUNCATE tollgate_hub.entry",
    "INSERT INTO tollgate_hub.entry (writer, number, hash, body)
     SELECT writer, number, hash, body FROM tollgate_hub.entry
     ON CONFLICT (writer, number, hash) DO UPDATE SET received_from = 'x'",
];

#[test]
fn a_row_that_lies_about_its_body_is_refused() {
    let (database, mut hub) = prepared();
    let rows = chain(writer(1), 3);
    hub.add(&rows[..1]).unwrap();
    let good = &rows[1];
    let with = |change: &dyn Fn(&mut HubRow)| {
        let mut row = good.clone();
        change(&mut row);
        insert(&row)
    };
    let body = |from: &str, to: &str| {
        assert!(good.body.contains(from), "{from}");
        with(&|row| row.body = row.body.replacen(from, to, 1))
    };
    for (lie, said) in [
        (with(&|row| row.writer = writer(2)), "entry_says_its_place"),
        (with(&|row| row.number = 1), "check constraint"),
        (with(&|row| row.number = 3), "entry_says_its_place"),
        (with(&|row| row.number = 0), "check constraint"),
        (
            with(&|row| row.hash.make_ascii_uppercase()),
            "entry_has_a_hash",
        ),
        (with(&|row| row.hash.truncate(63)), "entry_has_a_hash"),
        (with(&|row| row.hash.push('\n')), "entry_has_a_hash"),
        (
            with(&|row| row.body.truncate(row.body.len() - 1)),
            "type json",
        ),
        (
            with(&|row| row.body.push('\n')),
            "entry_is_one_line_of_json",
        ),
        (with(&|row| row.body.clear()), "check constraint"),
        (body("\"v\":1", "\"v\":2"), "check constraint"),
        (body("\"v\":1", "\"v\": 1"), "check constraint"),
        (body("\"number\":2", "\"number\":02"), "type json"),
        (body(&rows[0].hash, &rows[0].hash[1..]), "check constraint"),
        (
            body(&format!("\"{}\"", rows[0].hash), "null"),
            "check constraint",
        ),
        (
            body(&format!("\"{}\"", rows[0].hash), "\"\""),
            "check constraint",
        ),
        (
            body(&rows[0].hash, &rows[2].hash),
            "entry_follows_one_that_is_here",
        ),
    ] {
        let error = database.run(&lie).expect_err(&lie);
        assert!(error.contains(said), "{lie}\n{error}");
    }
    // What is right is taken, by hand too.
    database.run(&insert(good)).unwrap();
    assert_eq!(read(&mut hub, writer(1), 0), rows[..2]);
}

#[test]
fn nothing_is_changed_by_the_owner() {
    for owner in [Database::new(), Database::plain()] {
        let mut hub = open(&owner.url());
        hub.prepare().unwrap();
        let rows = chain(writer(1), 3);
        hub.add(&rows).unwrap();
        for change in CHANGES {
            let error = run(&owner.url(), change).expect_err(change);
            assert!(error.contains("insert-only"), "{change}: {error}");
            let replica = format!("SET session_replication_role = replica; {change}");
            let error = owner.run(&replica).expect_err(change);
            assert!(error.contains("insert-only"), "{change}: {error}");
        }
        assert_eq!(hub.summary().unwrap(), [summed(&rows)]);
    }
}

#[test]
fn the_documented_grants_are_enough_and_no_more() {
    let (database, mut owner) = prepared();
    let (role, url) = role(&database, "pusher");
    let rows = chain(writer(1), 3);
    // Without them: it can tell that this is a hub, and is told what it lacks.
    let mut hub = open(&url);
    assert!(hub.is_prepared().unwrap());
    hub.prepare().unwrap();
    for error in [hub.summary().unwrap_err(), hub.add(&rows).unwrap_err()] {
        assert_eq!(error.kind, TargetErrorKind::Other);
        let remedy = error.remedy.unwrap();
        assert!(
            remedy.contains(&format!("GRANT USAGE ON SCHEMA tollgate_hub TO \"{role}\""))
                && remedy.contains("GRANT SELECT, INSERT ON tollgate_hub.entry TO"),
            "{remedy}"
        );
    }
    grant(&database, &role);
    assert_eq!(hub.add(&rows).unwrap(), 3);
    assert_eq!(hub.add(&rows).unwrap(), 0);
    assert_eq!(read(&mut hub, writer(1), 0), rows);
    assert_eq!(hub.summary().unwrap(), owner.summary().unwrap());
    let other = chain(writer(2), 1).remove(0);
    let lie = |column: &str, value: &str| {
        insert(&other)
            .replace("body) VALUES", &format!("body, {column}) VALUES"))
            .replace("$b$)", &format!("$b$, {value})"))
    };
    let forbidden = [
        "CREATE TABLE tollgate_hub.mine (id int)".to_owned(),
        "ALTER TABLE tollgate_hub.entry DISABLE TRIGGER ALL".to_owned(),
        "ALTER TABLE tollgate_hub.entry DISABLE ROW LEVEL SECURITY".to_owned(),
        "COMMENT ON TABLE tollgate_hub.entry IS ''".to_owned(),
        "DROP SCHEMA tollgate_hub CASCADE".to_owned(),
        // When it came and from whom is not the role's to say.
        lie("received_from", "'somebody'"),
        lie("received_at", "'2020-01-01'"),
    ];
    for sql in CHANGES.map(str::to_owned).iter().chain(&forbidden) {
        let error = run(&url, sql).expect_err(sql);
        assert!(error.contains("42501"), "{sql}: {error}");
    }
    assert_eq!(owner.summary().unwrap(), [summed(&rows)]);
    drop(hub);
    drop_role(&database, &role);
}

/// Row-level security holds where the triggers are off too.
#[test]
fn a_role_that_was_granted_too_much_changes_no_row() {
    let (database, mut owner) = prepared();
    let (role, url) = role(&database, "greedy");
    grant(&database, &role);
    let rows = chain(writer(1), 3);
    open(&url).add(&rows).unwrap();
    database
        .run(&format!(
            "GRANT UPDATE, DELETE ON tollgate_hub.entry TO {role}"
        ))
        .unwrap();
    for change in [CHANGES[0], CHANGES[1], CHANGES[3]] {
        let error = run(&url, change).expect_err(change);
        assert!(error.contains("insert-only"), "{change}: {error}");
    }
    database
        .run("ALTER TABLE tollgate_hub.entry DISABLE TRIGGER insert_only")
        .unwrap();
    for change in [CHANGES[0], CHANGES[1]] {
        let changed = run(&url, &format!("{change} RETURNING number")).unwrap();
        assert_eq!(changed.len(), 0, "{change}");
    }
    run(&url, CHANGES[3]).expect_err("a policy for UPDATE");
    assert_eq!(owner.summary().unwrap(), [summed(&rows)]);
    drop(owner);
    drop_role(&database, &role);
}

/// PUBLIC has nothing, whatever the defaults of the database give away.
#[test]
fn everybody_else_has_nothing() {
    let database = Database::new();
    database
        .run(
            "ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC;
             ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC",
        )
        .unwrap();
    open(&database.url()).prepare().unwrap();
    let held = "SELECT count(*) FROM pg_namespace, aclexplode(nspacl) AS a
                 WHERE nspname = 'tollgate_hub' AND a.grantee = 0
                UNION ALL
                SELECT count(*) FROM pg_class, aclexplode(relacl) AS a
                 WHERE oid = 'tollgate_hub.entry'::regclass AND a.grantee = 0
                UNION ALL
                SELECT count(*) FROM pg_proc, aclexplode(COALESCE(proacl, acldefault('f', proowner))) AS a
                 WHERE pronamespace = 'tollgate_hub'::regnamespace AND a.grantee = 0";
    for row in database.run(held).unwrap() {
        assert_eq!(row[0].as_deref(), Some("0"));
    }
}

/// Somebody who may do everything got around the guards: the writer's own digest shows it.
#[test]
fn what_was_altered_there_shows_in_the_digest() {
    let rows = chain(writer(1), 4);
    let swap = "UPDATE tollgate_hub.entry AS e SET body = o.body FROM tollgate_hub.entry AS o
                 WHERE (e.number, o.number) IN ((2, 3), (3, 2))";
    for change in [
        "UPDATE tollgate_hub.entry SET body = replace(body, 'apply', 'appl7') WHERE number = 2",
        "UPDATE tollgate_hub.entry SET body = body || ' ' WHERE number = 4",
        "UPDATE tollgate_hub.entry SET hash = repeat('a', 64) WHERE number = 3",
        "DELETE FROM tollgate_hub.entry WHERE number = 2",
        "DELETE FROM tollgate_hub.entry WHERE number = 4",
        swap,
    ] {
        let (database, mut hub) = prepared();
        hub.add(&rows).unwrap();
        assert_eq!(hub.summary().unwrap(), [summed(&rows)]);
        database
            .run(&format!(
                "ALTER TABLE tollgate_hub.entry DISABLE TRIGGER ALL;
                 ALTER TABLE tollgate_hub.entry DROP CONSTRAINT entry_says_its_place,
                   DROP CONSTRAINT entry_has_one_before_it;
                 {change}"
            ))
            .unwrap();
        let found = hub.summary().unwrap();
        assert_ne!(found[0].digest, summed(&rows).digest, "{change}");
        // It is taken of what is there now, of the bodies and of the hashes beside them.
        let now = read(&mut hub, writer(1), 0);
        let is_sound = digest(bodies(&now)) == found[0].digest;
        assert_eq!(is_sound, change.starts_with("DELETE"), "{change}");
    }
}

/// What is set for the role or the database is not what a hub works with.
#[test]
fn hostile_settings_change_nothing() {
    let database = Database::new();
    database
        .run(&format!(
            "CREATE FUNCTION public.evil(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
             CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.evil);
             CREATE OPERATOR public.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = public.evil);
             CREATE OPERATOR public.> (LEFTARG = text, RIGHTARG = text, FUNCTION = public.evil);
             CREATE FUNCTION public.count(anyelement) RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint';
             CREATE TABLE public.entry (writer text);
             CREATE DOMAIN public.json AS text;
             ALTER DATABASE {name} SET search_path = public, pg_catalog;
             ALTER DATABASE {name} SET standard_conforming_strings = off;
             ALTER DATABASE {name} SET default_transaction_isolation = 'serializable';
             ALTER DATABASE {name} SET default_transaction_read_only = on;
             ALTER DATABASE {name} SET row_security = off;
             ALTER DATABASE {name} SET bytea_output = 'escape'",
            name = database.name()
        ))
        .unwrap();
    let mut hub = open(&database.url());
    hub.prepare().unwrap();
    let (role, url) = role(&database, "misled");
    grant(&database, &role);
    let mut rows = chain(writer(1), 3);
    rows.push(other_last(&rows));
    rows.sort_by(|a, b| (a.number, &a.hash).cmp(&(b.number, &b.hash)));
    let mut misled: Hub = open(&url);
    assert_eq!(misled.add(&rows).unwrap(), 4);
    assert_eq!(misled.add(&rows).unwrap(), 0);
    assert_eq!(misled.summary().unwrap(), [summed(&rows)]);
    assert_eq!(read(&mut misled, writer(1), 1), rows[1..]);
    // The constraints mean what they say.
    let mut lie = chain(writer(2), 1).remove(0);
    lie.writer = writer(3);
    let error = database
        .run(&format!("{WRITABLE} {}", insert(&lie)))
        .unwrap_err();
    assert!(error.contains("entry_says_its_place"), "{error}");
    drop(misled);
    drop_role(&database, &role);
}
