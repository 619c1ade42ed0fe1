//! Getting to a hub, and losing it.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::Duration;

use tollgate::targets::hub::Hub;
use tollgate::targets::{TargetError, TargetErrorKind};

use super::{PATIENCE, chain, entry, open, prepared, read, summed, writer};
use crate::pooler::{Pooler, SWALLOWS};
use crate::proxy::{Action, Direction, Fault, Proxy};
use crate::standby::Standby;
use crate::support::{Database, PLAIN, server_url, settings, with_user};

fn refused(url: &str, patience: Duration) -> TargetError {
    let error = Hub::open(&settings(url), patience).expect_err(url);
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    assert!(error.remedy.is_some(), "{error:?}");
    error
}

/// Somebody takes the connection and says nothing, or it is never taken.
#[test]
fn a_hub_that_does_not_answer_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let held = std::thread::spawn(move || {
        let (mut stream, _) = silent.accept().unwrap();
        // Until the client goes.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    for (place, patience) in [
        (format!("127.0.0.1:{port}"), Duration::from_millis(300)),
        // Kept for documentation: no route, or no answer.
        ("192.0.2.1:5432".to_owned(), Duration::from_millis(300)),
        ("127.0.0.1:1".to_owned(), PATIENCE),
    ] {
        let error = refused(&format!("postgresql://u:hunter2@{place}/d"), patience);
        assert_eq!(error.kind, TargetErrorKind::Unreachable, "{error}");
        assert!(
            error.fact.starts_with(&format!(
                "no connection to the hub at {place}/d: cannot reach"
            )),
            "{error}"
        );
    }
    held.join().unwrap();
}

/// Somebody else holds its table: whoever has better things to do goes on without it.
#[test]
fn a_hub_that_is_held_is_not_waited_for() {
    let (database, _) = prepared();
    let lock = "BEGIN; LOCK TABLE tollgate_hub.entry; SELECT pg_sleep(60); COMMIT";
    std::thread::scope(|scope| {
        scope.spawn(|| database.run(lock).expect_err("it is ended"));
        let pid = "SELECT coalesce(max(pid), 0)::text FROM pg_locks WHERE granted \
                   AND relation = 'tollgate_hub.entry'::regclass AND mode = 'AccessExclusiveLock'";
        let pid = loop {
            match database.ask(pid) {
                none if none == "0" => std::thread::sleep(Duration::from_millis(10)),
                pid => break pid,
            }
        };
        let again = || Hub::open(&settings(&database.url()), Duration::from_millis(400)).unwrap();
        let row = entry(writer(1), 1, None, "");
        for error in [
            again().summary().unwrap_err(),
            again().add(&[row]).unwrap_err(),
            again().read(writer(1), 0).next().unwrap().unwrap_err(),
        ] {
            assert_eq!(error.kind, TargetErrorKind::Unreachable, "{error}");
            assert!(
                error.fact.contains("gave no answer within 2s while"),
                "{error}"
            );
        }
        database
            .run(&format!("SELECT pg_terminate_backend({pid})"))
            .unwrap();
    });
    // What was given up leaves nothing behind.
    assert_eq!(open(&database.url()).summary().unwrap(), []);
}

#[test]
fn who_is_not_let_in_is_told_why() {
    let wrong = with_user(&server_url(), "tollgate_test:hunter2");
    let error = refused(&wrong, PATIENCE);
    assert_eq!(error.kind, TargetErrorKind::Authentication);
    assert!(error.fact.contains("password of tollgate_test"), "{error}");
    let nowhere = server_url().replace("/postgres", "/no_such_database");
    let error = refused(&nowhere, PATIENCE);
    assert_eq!(error.kind, TargetErrorKind::Unreachable);
    let remedy = error.remedy.unwrap();
    assert!(
        remedy.contains("the hub's URL") && !remedy.contains("target"),
        "{remedy}"
    );
}

#[test]
fn a_role_that_may_not_make_the_schema_is_told_what_it_lacks() {
    let database = Database::new();
    // The role is there once a database of its own was made.
    drop(Database::plain());
    let url = with_user(&database.superuser_url(), &format!("{PLAIN}:plain"));
    let error = open(&url).prepare().unwrap_err();
    assert!(
        error.fact.contains("refused while making its schema"),
        "{error}"
    );
    let remedy = error.remedy.unwrap();
    assert!(remedy.contains("GRANT CREATE ON DATABASE"), "{remedy}");
    // A schema that somebody made for it does too.
    let made = format!("CREATE SCHEMA tollgate_hub AUTHORIZATION {PLAIN}");
    database.run(&made).unwrap();
    let mut hub = open(&url);
    hub.prepare().unwrap();
    assert_eq!(hub.add(&chain(writer(1), 2)).unwrap(), 2);
}

#[test]
fn a_database_of_another_encoding_is_refused() {
    let database = Database::new();
    let name = format!("{}_latin", database.name());
    database
        .run(&format!(
            "CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        ))
        .unwrap();
    let url = database.url().replace(database.name(), &name);
    let error = open(&url).prepare().unwrap_err();
    assert_eq!(error.kind, TargetErrorKind::Configuration);
    assert!(error.fact.contains("is encoded in LATIN1"), "{error}");
    database
        .run(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .unwrap();
}

#[test]
fn a_pooler_for_transactions_is_good_enough() {
    for (mode, more) in [
        ("session", SWALLOWS),
        ("transaction", SWALLOWS),
        ("transaction", ""),
        (
            "transaction",
            "ignore_startup_parameters = options\nserver_round_robin = 1",
        ),
    ] {
        let pooler = Pooler::new(mode, more);
        let database = Database::new();
        let url = pooler.url(&database);
        let rows = chain(writer(1), 2_500);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut hub = open(&url);
                    hub.prepare().unwrap();
                    hub.add(&rows).unwrap();
                });
            }
        });
        let mut hub = open(&format!("{url}&pgbouncer=true"));
        assert_eq!(hub.summary().unwrap(), [summed(&rows)], "{mode} {more}");
        assert_eq!(read(&mut hub, writer(1), 2_400), rows[2_400..]);
    }
    let pooler = Pooler::new("statement", SWALLOWS);
    let database = Database::new();
    let error = open(&pooler.url(&database)).prepare().unwrap_err();
    let remedy = error.remedy.unwrap();
    assert!(remedy.contains("transaction mode"), "{remedy}");
}

#[test]
fn a_hot_standby_is_read_and_not_written() {
    let (database, mut hub) = prepared();
    let rows = chain(writer(1), 3);
    hub.add(&rows).unwrap();
    let empty = Database::new();
    let standby = Standby::new();
    let mut read_only = open(&standby.url(&database));
    assert!(read_only.is_prepared().unwrap());
    read_only.prepare().unwrap();
    assert_eq!(read_only.summary().unwrap(), [summed(&rows)]);
    assert_eq!(read(&mut read_only, writer(1), 0), rows);
    for error in [
        read_only.add(&rows).unwrap_err(),
        open(&standby.url(&empty)).prepare().unwrap_err(),
    ] {
        assert_eq!(error.kind, TargetErrorKind::ReadOnly);
        assert!(error.fact.contains("is a hot standby"), "{error}");
        assert!(error.remedy.unwrap().contains("primary"));
    }
}

/// Cut off after so many bytes, in the middle of a message, between two, and before the answer.
#[test]
fn a_connection_that_breaks_leaves_all_or_nothing() {
    let (database, mut hub) = prepared();
    let address = format!("127.0.0.1:{}", settings(&server_url()).port)
        .parse()
        .unwrap();
    let rows = chain(writer(1), 2_200);
    // How much one such contact says.
    let whole = {
        let other = Database::new();
        let proxy = Proxy::start(address, None);
        let mut hub = open(&proxy.url(&other.url()));
        hub.prepare().unwrap();
        hub.is_prepared().unwrap();
        let before = passed(&proxy);
        hub.add(&rows).unwrap();
        let after = passed(&proxy);
        [after[0] - before[0], after[1] - before[1]]
    };
    let mut seen = [false; 2];
    for (direction, way, part) in [
        (Direction::ToServer, 0, 1),
        (Direction::ToServer, 0, 5),
        (Direction::ToServer, 0, 9),
        (Direction::ToClient, 1, 5),
        (Direction::ToClient, 1, 8),
        (Direction::ToClient, 1, 9),
    ] {
        // The login says less than what is sent, and about as much as what is answered.
        let login = {
            let proxy = Proxy::start(address, None);
            let mut hub = open(&proxy.url(&database.url()));
            hub.is_prepared().unwrap();
            passed(&proxy)[way]
        };
        let position = login + whole[way] * part / 10;
        let fault = Fault {
            connection: 0,
            direction,
            position,
            action: Action::Reset,
            stays_down: false,
        };
        let proxy = Proxy::start(address, Some(fault));
        let mut cut = open(&proxy.url(&database.url()));
        cut.is_prepared().unwrap();
        let error = cut.add(&rows).expect_err("a connection that broke");
        assert!(proxy.has_fired());
        assert_eq!(error.kind, TargetErrorKind::Unreachable, "{error}");
        assert!(error.remedy.is_some());
        drop(cut);
        settle(&database);
        match hub.summary().unwrap().as_slice() {
            [] => seen[0] = true,
            [all] => {
                assert_eq!(*all, summed(&rows));
                seen[1] = true;
            }
            more => panic!("{more:?}"),
        }
    }
    assert!(seen[0]);
    hub.add(&rows).unwrap();
    assert_eq!(hub.summary().unwrap(), [summed(&rows)]);
}

/// Bytes passed on by the only connection. The proxy counts a little later than it passes on.
fn passed(proxy: &Proxy) -> [u64; 2] {
    let mut before = proxy.passed()[0];
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let now = proxy.passed()[0];
        if now == before {
            return now;
        }
        before = now;
    }
}

/// Waits until the server has noticed who is gone.
fn settle(database: &Database) {
    let busy = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'tollgate'";
    for _ in 0..1_000 {
        // One is the test's own hub.
        if database.ask(busy) == "1" {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("a session that does not end");
}

#[test]
fn a_session_that_the_server_ends_leaves_nothing() {
    let (database, mut hub) = prepared();
    let rows = chain(writer(1), 3);
    // A row that waits for another transaction is a point in the middle.
    let body = rows[1].body.replace('\'', "''");
    let url = database.superuser_url();
    let blocker = format!(
        "BEGIN; INSERT INTO tollgate_hub.entry (writer, number, hash, body) VALUES
           ('{w}', 1, '{}', convert_from('\\x{}', 'UTF8')), ('{w}', 2, '{}', E'{}');
         SELECT pg_sleep(600)",
        rows[0].hash,
        tollgate::digest::hex(rows[0].body.as_bytes()),
        rows[1].hash,
        body.replace('\\', "\\\\"),
        w = writer(1),
    );
    let sleeper = std::thread::spawn(move || crate::support::run(&url, &blocker));
    let ends = |what: &str| {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND {what}"
        );
        for _ in 0..1_000 {
            if !database.run(&sql).unwrap().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("nobody is there: {what}");
    };
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    while database.ask(asleep) == "0" {
        std::thread::sleep(Duration::from_millis(10));
    }
    let error = std::thread::scope(|scope| {
        let adding = scope.spawn(|| hub.add(&rows).unwrap_err());
        ends("application_name = 'tollgate' AND wait_event_type = 'Lock'");
        adding.join().unwrap()
    });
    assert_eq!(error.kind, TargetErrorKind::Unreachable, "{error}");
    assert!(error.fact.contains("adding entries"), "{error}");
    ends("wait_event = 'PgSleep'");
    sleeper.join().unwrap().unwrap_err();
    let mut hub = open(&database.url());
    assert_eq!(hub.summary().unwrap(), []);
    assert_eq!(hub.add(&rows).unwrap(), 3);
}
