use super::*;

fn parse(url: &str) -> Result<Address, TargetError> {
    Address::parse(url, Path::new("/project"))
}

fn postgres(url: &str) -> PostgresSettings {
    match parse(url) {
        Ok(Address::Postgresql(settings)) => *settings,
        other => panic!("{url}: {other:?}"),
    }
}

fn fact(url: &str) -> String {
    let error = parse(url).expect_err(url);
    assert_eq!(error.kind, TargetErrorKind::Configuration);
    format!("{} | {}", error.fact, error.remedy.unwrap_or_default())
}

#[test]
fn sqlite_paths_start_at_the_base() {
    for (url, path) in [
        ("sqlite:state/dev.db", "/project/state/dev.db"),
        ("sqlite://state/dev.db", "/project/state/dev.db"),
        ("sqlite:///var/dev.db", "/var/dev.db"),
        ("sqlite:/var/dev.db", "/var/dev.db"),
        ("file:./dev.db", "/project/./dev.db"),
        ("file:dev.db?connection_limit=1", "/project/dev.db"),
        (
            "file:./dev.db?connection_limit=1&socket_timeout=10&max_connection_lifetime=0&max_idle_connection_lifetime=9&",
            "/project/./dev.db",
        ),
    ] {
        assert_eq!(parse(url), Ok(Address::Sqlite(path.into())), "{url}");
    }
    assert!(fact("sqlite:").contains("no file"));
    assert!(fact("sqlite::memory:").contains("no file"));
    assert!(fact("file:x?mode=ro").contains("mode"));
    assert!(fact("file:x?connection_limit=1&timeout=5").contains("timeout"));
    assert!(fact("file:x?connection_limits=1").contains("connection_limits"));
    assert!(fact("mysql://localhost/x").contains("mysql:"));
    assert!(fact("state/dev.db").contains("no kind of database"));
}

#[test]
fn a_whole_url_is_read() {
    let settings = postgres(
        "postgres://an%20a:p%40ss%3A@db.example.org:6000/my%2Fdb?sslmode=verify-ca&sslrootcert=ca.pem&connect_timeout=3&connection_limit=5",
    );
    assert_eq!(settings.user.as_deref(), Some("an a"));
    assert_eq!(settings.password, Some(Password::new("p@ss:")));
    assert_eq!(settings.tls, TlsMode::VerifyCa);
    assert_eq!(settings.roots, TlsRoots::File("/project/ca.pem".into()));
    assert_eq!(settings.other("connect_timeout"), Some("3"));
    assert_eq!(settings.to_string(), "db.example.org:6000/my/db");
}

#[test]
fn hosts_of_every_kind() {
    for (url, shown, socket) in [
        ("postgresql://u@localhost/d", "localhost:5432/d", false),
        ("postgresql://u@localhost", "localhost:5432/u", false),
        ("postgresql://u@[::1]:99/d", "[::1]:99/d", false),
        ("postgresql://u@[::1]/d", "[::1]:5432/d", false),
        (
            "postgresql:///d?host=/tmp/s&user=u",
            "/tmp/s/.s.PGSQL.5432/d",
            true,
        ),
        (
            "postgresql://u@%2Ftmp%2Fs/d?port=7",
            "/tmp/s/.s.PGSQL.7/d",
            true,
        ),
        ("postgresql://u@x/d?hostaddr=10.0.0.1", "x:5432/d", false),
        (
            "postgresql:///d?hostaddr=10.0.0.1",
            "10.0.0.1:5432/d",
            false,
        ),
    ] {
        let settings = postgres(url);
        assert_eq!(settings.to_string(), shown, "{url}");
        assert_eq!(settings.is_socket(), socket, "{url}");
    }
    assert!(fact("postgresql://a,b/d").contains("several hosts"));
    assert!(fact("postgresql:///d?host=a,b").contains("several hosts"));
    assert!(fact("postgresql:///d").contains("no host"));
    assert!(fact("postgresql://[::1/d").contains("bracket"));
}

#[test]
fn parameters_are_known_or_named() {
    assert!(fact("postgresql://h/d?sslmod=require").contains("sslmode"));
    assert!(fact("postgresql://h/d?aplication_name=x").contains("application_name"));
    assert!(fact("postgresql://h/d?sslmode=allow").contains("prefer"));
    assert!(fact("postgresql://h/d?sslmode=maybe").contains("verify-full"));
    assert!(fact("postgresql://h/d?connect_timeout=soon").contains("no number"));
    assert!(fact("postgresql://h/d?target_session_attrs=x").contains("read-write"));
    assert!(fact("postgresql://h/d?port=0").contains("65535"));
    assert!(fact("postgresql://h/d?sslmode").contains("no value"));
    for name in ["sslidentity", "sslpassword", "sslcert", "sslkey"] {
        let fact = fact(&format!("postgresql://h/d?{name}=x"));
        assert!(
            fact.contains(name) && fact.contains("not supported yet"),
            "{fact}"
        );
    }
    for name in [
        "connection_limit",
        "pool_timeout",
        "socket_timeout",
        "statement_cache_size",
        "max_connection_lifetime",
        "max_idle_connection_lifetime",
        "single_use_connections",
        "uselibpqcompat",
        "supa",
        "workaround",
    ] {
        let settings = postgres(&format!("postgresql://h/d?{name}=1"));
        assert_eq!(settings, postgres("postgresql://h/d"), "{name}");
    }
    // As `prisma dev` writes it.
    let local = "postgres://postgres:postgres@localhost:51214/template1?sslmode=disable&connection_limit=1&connect_timeout=0&max_idle_connection_lifetime=0&pool_timeout=0&single_use_connections=true&socket_timeout=0";
    assert_eq!(postgres(local).other("connect_timeout"), Some("0"));
}

#[test]
fn a_schema_is_taken_as_it_is_written_or_refused() {
    for (query, schema) in [
        ("", None),
        ("?schema=", None),
        ("?schema=public", Some("public")),
        ("?schema=Billing", Some("Billing")),
        ("?schema=My%20%22App%22", Some("My \"App\"")),
        ("?schema=a%27%7Bbody%7D%3B--", Some("a'{body};--")),
        ("?schema=a&schema=b", Some("b")),
        ("?schema=a&schema=", None),
        ("?host=/run/postgresql&schema=x", Some("x")),
    ] {
        let settings = postgres(&format!("postgresql://h/d{query}"));
        assert_eq!(settings.schema(), schema, "{query}");
        assert!(settings.to_string().ends_with("/d"), "{settings}");
    }
    let long = "x".repeat(64);
    for (name, said) in [
        ("caf%C3%A9", "ASCII"),
        ("a%0Ab", "ASCII"),
        ("a%7Fb", "ASCII"),
        ("a%5Cb", "backslash"),
        (&long, "63 characters"),
        ("tollgate", "tollgate keeps"),
        ("pg_temp", "PostgreSQL"),
        ("information_schema", "PostgreSQL"),
        ("$user", "PostgreSQL"),
    ] {
        let fact = fact(&format!("postgresql://h/d?schema={name}"));
        assert!(fact.starts_with("schema in the target's URL is"), "{fact}");
        assert!(
            fact.contains(said) && fact.is_ascii() || name == "caf%C3%A9",
            "{fact}"
        );
        assert!(!fact.contains(char::is_control), "{fact}");
    }
}

/// Reading is for planning too: what the URL says of a pooler is refused by whoever connects.
#[test]
fn what_says_that_it_is_a_pooler_is_read() {
    for (url, marks) in [
        ("postgresql://h/d?pgbouncer=false", &[][..]),
        ("postgresql://h:6432/d", &[]),
        ("postgresql://h:6543/d", &["port 6543"]),
        ("postgresql://h/d?port=6543&pgbouncer=false", &["port 6543"]),
        ("postgresql://h/d?pgbouncer=true", &["pgbouncer=true"]),
        (
            "postgresql://h:6543/d?pgbouncer=true&connection_limit=1",
            &["port 6543", "pgbouncer=true"],
        ),
    ] {
        assert_eq!(postgres(url).pooled(), marks, "{url}");
    }
    assert!(fact("postgresql://h/d?pgbouncer=yes").contains("true, false"));
}

/// `strict` looks at the name in the certificate too, wherever it stands beside `sslmode`.
#[test]
fn sslaccept_is_what_prisma_means_or_stricter() {
    for (query, tls) in [
        ("sslaccept=strict", TlsMode::VerifyFull),
        ("sslaccept=strict&sslmode=prefer", TlsMode::VerifyFull),
        ("sslmode=require&sslaccept=strict", TlsMode::VerifyFull),
        ("sslmode=verify-ca&sslaccept=strict", TlsMode::VerifyFull),
        ("sslaccept=accept_invalid_certs", TlsMode::Prefer),
        (
            "sslaccept=accept_invalid_certs&sslmode=require",
            TlsMode::Require,
        ),
        (
            "sslaccept=accept_invalid_certs&sslmode=disable",
            TlsMode::Disable,
        ),
        (
            "sslaccept=accept_invalid_certs&sslmode=verify-full",
            TlsMode::VerifyFull,
        ),
    ] {
        let settings = postgres(&format!("postgresql://h/d?{query}"));
        assert_eq!(settings.tls, tls, "{query}");
    }
    for query in [
        "sslaccept=strict&sslmode=disable",
        "sslmode=disable&sslaccept=strict",
    ] {
        let fact = fact(&format!("postgresql://h/d?{query}"));
        assert!(fact.contains("no TLS (sslmode=disable)"), "{fact}");
    }
    assert!(fact("postgresql://h/d?sslaccept=lax").contains("accept_invalid_certs"));
}

#[test]
fn no_password_is_ever_shown() {
    let secret = "hunter2";
    for url in [
        "postgresql://u:hunter2@h/d",
        "postgresql://h/d?password=hunter2",
        "postgresql://u:hunter2@h:port/d",
        "postgresql://u:hunter2%zz@h/d",
        "postgresql://u:hun/hunter2@h/d",
        "postgresql://u:12/hunter2@h/d",
        "postgresql://u:hunter2@h,i/d",
        "postgresql://u:hunter2?x@h/d",
        "postgres:u:hunter2@h/d",
    ] {
        let shown = match parse(url) {
            Ok(address) => format!("{address} {address:?} {}", address.display()),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains(secret), "{url}: {shown}");
    }
    let defaults = Defaults {
        user: None,
        password: Some(Password::new(secret)),
        passfile: Some(Password::new("*:*:*:*:hunter2")),
    };
    let settings = postgres("postgresql://u@h/d").with_defaults(&defaults);
    assert_eq!(settings.password, Some(Password::new(secret)));
    assert!(!format!("{settings:?} {defaults:?}").contains(secret));
}

#[test]
fn defaults_fill_only_what_is_missing() {
    let file = "# a comment\nother:*:*:*:no\nh:5432:d:u:pa\\:ss\\\\\nh:*:*:*:later";
    let defaults = Defaults {
        user: Some("u".to_owned()),
        password: None,
        passfile: Some(Password::new(file)),
    };
    let password = |url: &str| {
        postgres(url)
            .with_defaults(&defaults)
            .password
            .map(|password| password.reveal().to_owned())
    };
    assert_eq!(password("postgresql://h/d").as_deref(), Some("pa:ss\\"));
    assert_eq!(password("postgresql://h:7/d").as_deref(), Some("later"));
    assert_eq!(password("postgresql://v:own@h/d").as_deref(), Some("own"));
    assert_eq!(password("postgresql://x/d"), None);
}

/// A tree of Prisma's is run in one schema, unless the URL says in which.
#[test]
fn a_schema_is_named_only_where_the_url_names_none() {
    let schema = |url: &str| {
        let address = Address::parse(url, Path::new("/p"))
            .unwrap()
            .with_schema("public");
        match address {
            Address::Postgresql(settings) => settings.schema().map(str::to_owned),
            Address::Sqlite(_) => None,
        }
    };
    let named = |url: &str| schema(url).unwrap_or_default();
    assert_eq!(named("postgresql://u@h/d"), "public");
    assert_eq!(named("postgresql://u@h/d?schema="), "public");
    assert_eq!(named("postgresql://u@h/d?schema=shop"), "shop");
    assert_eq!(named("postgresql://u@h/d?options=-csearch_path%3Dshop"), "");
    assert_eq!(schema("sqlite:dev.db"), None);
}
