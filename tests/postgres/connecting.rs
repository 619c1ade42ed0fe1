//! Getting in: TLS, passwords, and what is said when it does not work.

use std::io::{Read, Write};
use std::net::TcpListener;

use tollgate::targets::postgres::{PostgresTarget, open};
use tollgate::targets::{Target, TargetError, TargetErrorKind};

use crate::bench::Bench;
use crate::support::{Database, server_url, settings};

/// The database's URL on another host, with these parameters.
fn url(database: &Database, host: &str, parameters: &str) -> String {
    let url = database.url().replace("127.0.0.1", host);
    format!("{url}?{parameters}")
}

fn try_open(url: &str) -> Result<PostgresTarget, TargetError> {
    open(&settings(url))
}

#[track_caller]
fn refused(url: &str, kind: TargetErrorKind) -> String {
    let error = try_open(url).expect_err(url);
    assert_eq!(error.kind, kind, "{error}");
    let password = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('@'))
        .and_then(|(credentials, _)| credentials.split_once(':'))
        .map_or("no password", |(_, password)| password);
    let all = format!("{error:?}");
    assert!(!all.contains(password), "{all}");
    format!("{} | {}", error.fact, error.remedy.expect("a remedy"))
}

/// Whether tollgate's session is encrypted, as the server sees it.
fn uses_tls(database: &Database, target: &mut PostgresTarget) -> bool {
    target.survey().unwrap();
    database.ask(
        "SELECT bool_or(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
          WHERE a.application_name = 'tollgate' AND a.datname = current_database()",
    ) == "t"
}

#[test]
fn every_tls_mode_does_what_libpq_does() {
    let database = Database::new();
    let ca = database.ask("SHOW ssl_ca_file");
    let empty = tempfile::NamedTempFile::new().unwrap();
    let none = empty.path().display();
    for (host, parameters, tls) in [
        ("127.0.0.1", "sslmode=disable".to_owned(), false),
        ("127.0.0.1", "sslmode=prefer".to_owned(), true),
        ("127.0.0.1", String::new(), true),
        ("127.0.0.1", "sslmode=require".to_owned(), true),
        (
            "127.0.0.1",
            format!("sslmode=require&sslrootcert={ca}"),
            true,
        ),
        (
            "127.0.0.1",
            format!("sslmode=verify-ca&sslrootcert={ca}"),
            true,
        ),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={ca}"),
            true,
        ),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={ca}&hostaddr=127.0.0.1"),
            true,
        ),
    ] {
        let url = url(&database, host, &parameters);
        let mut target = try_open(&url).unwrap_or_else(|error| panic!("{parameters}: {error}"));
        assert_eq!(uses_tls(&database, &mut target), tls, "{host} {parameters}");
    }
    for (host, parameters, said) in [
        (
            "127.0.0.1",
            format!("sslmode=verify-full&sslrootcert={ca}"),
            "sslrootcert",
        ),
        (
            "localhost",
            "sslmode=verify-full&sslrootcert=system".to_owned(),
            "certificate",
        ),
        ("localhost", "sslmode=verify-ca".to_owned(), "certificate"),
    ] {
        let error = try_open(&url(&database, host, &parameters)).expect_err(&parameters);
        // A machine without any trusted certificate says so at once.
        assert!(
            matches!(
                error.kind,
                TargetErrorKind::Unreachable | TargetErrorKind::Configuration
            ),
            "{error}"
        );
        let all = format!("{} {}", error.fact, error.remedy.unwrap_or_default());
        assert!(all.contains(said), "{parameters}: {all}");
    }
    for file in [format!("{none}"), "/nowhere/ca.pem".to_owned()] {
        let url = url(
            &database,
            "localhost",
            &format!("sslmode=verify-ca&sslrootcert={file}"),
        );
        assert!(refused(&url, TargetErrorKind::Configuration).contains(&file));
    }
}

/// Another authority than the server's does not do, even where the name is not looked at.
#[test]
fn a_foreign_authority_is_refused() {
    let database = Database::new();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("other.pem");
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=tollgate test authority",
            "-keyout",
            "/dev/null",
            "-out",
        ])
        .arg(&ca)
        .output()
        .expect("the command openssl");
    assert!(made.status.success(), "{made:?}");
    for mode in ["require", "verify-ca", "verify-full"] {
        let parameters = format!("sslmode={mode}&sslrootcert={}", ca.display());
        let url = url(&database, "localhost", &parameters);
        assert!(refused(&url, TargetErrorKind::Unreachable).contains("certificate"));
    }
}

/// A server without TLS: it answers the request for it with N.
#[test]
fn a_server_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 8];
        stream.read_exact(&mut request).unwrap();
        stream.write_all(b"N").unwrap();
        let _ = stream.read(&mut request);
    });
    let url = format!("postgresql://u:secret@127.0.0.1:{port}/d?sslmode=require");
    let said = refused(&url, TargetErrorKind::Unreachable);
    assert!(
        said.contains("does not support TLS") && said.contains("ssl = on"),
        "{said}"
    );
    server.join().unwrap();
}

#[test]
fn a_unix_socket() {
    let database = Database::new();
    let folder = database.ask("SHOW unix_socket_directories");
    for parameters in ["", "&sslmode=verify-full"] {
        let url = url(&database, "x", &format!("host={folder}{parameters}"));
        let mut target = try_open(&url).unwrap();
        assert!(!uses_tls(&database, &mut target));
    }
    let url = url(&database, "x", &format!("host={folder}&port=1"));
    let said = refused(&url, TargetErrorKind::Unreachable);
    assert!(said.contains(".s.PGSQL.1"), "{said}");
}

#[test]
fn who_is_not_let_in_is_told_why() {
    let database = Database::new();
    let server = server_url();
    let wrong = crate::support::with_user(&server, "tollgate_test:hunter2");
    let said = refused(&wrong, TargetErrorKind::Authentication);
    assert!(said.contains("password of tollgate_test"), "{said}");
    let none = crate::support::with_user(&server, "tollgate_test");
    let said = refused(&none, TargetErrorKind::Authentication);
    assert!(said.contains("PGPASSWORD"), "{said}");
    let said = refused(
        &database.url().replace(database.name(), "no_such_database"),
        TargetErrorKind::Unreachable,
    );
    assert!(said.contains("no database no_such_database"), "{said}");
    let said = refused("postgresql://127.0.0.1/d", TargetErrorKind::Configuration);
    assert!(said.contains("no user"), "{said}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let said = refused(
        &format!("postgresql://u:hunter2@127.0.0.1:{port}/d"),
        TargetErrorKind::Unreachable,
    );
    assert!(said.contains("connection refused"), "{said}");
    let said = refused(
        "postgresql://u:hunter2@db.invalid/d",
        TargetErrorKind::Unreachable,
    );
    assert!(said.contains("db.invalid:5432"), "{said}");
}

#[test]
fn no_connection_left() {
    let database = Database::plain();
    let role = crate::support::PLAIN;
    database
        .run(&format!(
            "ALTER DATABASE {} CONNECTION LIMIT 0",
            database.name()
        ))
        .unwrap();
    let said = refused(&database.url(), TargetErrorKind::Unreachable);
    assert!(said.contains("no connection left"), "{role}: {said}");
}

/// The startup options hold, the URL's own win, and RESET ALL in a script returns to them.
#[test]
fn startup_options_hold() {
    let show = "SELECT string_agg(current_setting(n), ' ') FROM unnest(ARRAY['application_name', \
        'client_connection_check_interval', 'idle_session_timeout', \
        'idle_in_transaction_session_timeout', 'tcp_keepalives_idle', \
        'tcp_user_timeout', 'statement_timeout']) n";
    for (parameters, shown) in [
        ("", "tollgate 1s 10min 10min 30 60000 0"),
        (
            "application_name=mine&options=-c%20idle_session_timeout%3D1h%20-cstatement_timeout%3D7s",
            "mine 1s 1h 10min 30 60000 7s",
        ),
    ] {
        let database = Database::new();
        let target = try_open(&url(&database, "127.0.0.1", parameters)).unwrap();
        let mut bench = Bench::with(database, target);
        let script = format!(
            "SET statement_timeout = '1min'; CREATE TABLE shown (x text); VACUUM; \
             RESET ALL; INSERT INTO shown {show}"
        );
        bench.apply(&script).unwrap();
        assert_eq!(
            bench.database.ask("SELECT x FROM shown"),
            shown,
            "{parameters}"
        );
    }
}

/// A server that does not know an option is asked again without it.
#[test]
fn unknown_options_are_the_users_own() {
    let database = Database::new();
    let error = try_open(&url(
        &database,
        "127.0.0.1",
        "options=-cno_such_setting%3D1",
    ))
    .unwrap_err();
    assert!(error.fact.contains("no_such_setting"), "{error}");
    assert!(
        try_open(&url(
            &database,
            "127.0.0.1",
            "target_session_attrs=read-write"
        ))
        .is_ok()
    );
}
