//! URLs as a Prisma team has them.

use insta::assert_snapshot;

use crate::on_postgres::{CREATE, Chain};

const USERS: (&str, &str) = ("20251101000000_users", CREATE);

/// Where the table stands.
fn place(chain: &Chain, environment: usize) -> String {
    chain.databases[environment].ask(
        "SELECT string_agg(schemaname, ' ' ORDER BY schemaname) FROM pg_tables WHERE tablename = 'users'",
    )
}

fn schemas(chain: &Chain, environment: usize) -> String {
    chain.databases[environment].ask(
        "SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
    )
}

/// Nobody connects to such an address: where nobody answers, the refusal is the same.
#[test]
fn a_url_of_a_pooler_is_refused_by_whoever_would_connect() {
    let mut chain = Chain::new(&[USERS]);
    chain.run(&["apply", "dev"]);
    let mut shots = String::new();
    for url in [
        "postgresql://app.ref:secret-word@127.0.0.1:6543/postgres?pgbouncer=true&connection_limit=1",
        "postgresql://app.ref:secret-word@127.0.0.1:6543/postgres?sslmode=require&supa=base-pooler.x",
        "postgresql://app.ref:secret-word@127.0.0.1:1/postgres?pgbouncer=true",
    ] {
        chain.set_url("test", url.to_owned());
        // What does not connect does not ask: the engine is known.
        assert_eq!(chain.run(&["plan", "test"]).exit, 0);
        assert_eq!(chain.run(&["status"]).exit, 0);
        shots.push_str(&format!("{}\n\n", chain.run(&["apply", "test"])));
    }
    assert!(!shots.contains("secret-word"), "{shots}");
    assert_snapshot!(shots, @r#"
    exit 2
    --- stderr
    error: test: 127.0.0.1:6543 is named as a pooler that changes the session between transactions (port 6543, pgbouncer=true), so the run's lock would be held for somebody else; nothing was changed

      remedy   write the direct URL in its place (on Supabase 'db.<project>.supabase.co', port 5432), or that of a session pooler (the same host, port 5432), without pgbouncer=true; or put it into DIRECT_URL, which is read instead where it is set

    exit 2
    --- stderr
    error: test: 127.0.0.1:6543 is named as a pooler that changes the session between transactions (port 6543), so the run's lock would be held for somebody else; nothing was changed

      remedy   write the direct URL in its place (on Supabase 'db.<project>.supabase.co', port 5432), or that of a session pooler (the same host, port 5432), without pgbouncer=true; or put it into DIRECT_URL, which is read instead where it is set

    exit 2
    --- stderr
    error: test: 127.0.0.1:1 is named as a pooler that changes the session between transactions (pgbouncer=true), so the run's lock would be held for somebody else; nothing was changed

      remedy   write the direct URL in its place (on Supabase 'db.<project>.supabase.co', port 5432), or that of a session pooler (the same host, port 5432), without pgbouncer=true; or put it into DIRECT_URL, which is read instead where it is set
    "#);
    for verb in [
        &["apply", "test", "--dry-run"][..],
        &["bind", "test", "--reason", "why not"],
        &["promote", "test"],
    ] {
        let shot = chain.run(verb);
        assert_eq!(shot.exit, 2, "{shot}");
        assert!(shot.stderr.contains("(pgbouncer=true)"), "{shot}");
    }
}

/// prod's URL is wrong: dev is as it was.
#[test]
fn promote_looks_at_every_url_before_anything_is_changed() {
    let mut chain = Chain::new(&[USERS]);
    let pooled = format!("{}?pgbouncer=true", chain.databases[2].url());
    chain.set_url("prod", pooled);
    let shot = chain.run(&["promote", "prod"]);
    assert_eq!(shot.exit, 2, "{shot}");
    assert!(shot.stderr.contains("error: prod: "), "{shot}");
    assert_eq!(schemas(&chain, 0), "public");
    assert_eq!(chain.run(&["promote", "test"]).exit, 0);
}

#[test]
fn a_url_as_prisma_writes_it_works_as_it_is() {
    let mut chain = Chain::new(&[USERS]);
    for (place, name) in ["dev", "test", "prod"].into_iter().enumerate() {
        let url = chain.databases[place].url();
        let url = url.replacen("postgresql://", "postgres://", 1);
        chain.set_url(
            name,
            format!("{url}?schema=app&connection_limit=5&pool_timeout=10&socket_timeout=20&connect_timeout=0&statement_cache_size=0&pgbouncer=false&sslaccept=accept_invalid_certs"),
        );
    }
    // A refusal makes no schema.
    assert_eq!(chain.run(&["apply", "prod"]).exit, 3);
    assert_eq!(schemas(&chain, 2), "public");
    assert_eq!(chain.run(&["promote", "prod"]).exit, 0);
    for environment in 0..3 {
        assert_eq!(place(&chain, environment), "app");
        assert_eq!(schemas(&chain, environment), "app public tollgate");
    }
    assert_eq!(chain.run(&["promote", "prod"]).exit, 0);
}

/// What `prisma migrate reset` does to its schema, and what tollgate's own does.
#[test]
fn a_schema_that_was_reset_is_noticed() {
    let mut chain = Chain::new(&[USERS]);
    let url = format!("{}?schema=app", chain.databases[0].url());
    chain.set_url("dev", url);
    chain.run(&["apply", "dev"]);
    chain.databases[0]
        .run("DROP SCHEMA app CASCADE; CREATE SCHEMA app")
        .unwrap();
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    the target was reset: the application's schema was dropped after 1 migration was applied; nothing of them stands
                    found     schema app is another one, and empty
                    required  what the receipts prove, or a person's word that the target starts clean
                    remedy    tollgate reset dev
    "#);
    assert_eq!(chain.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_eq!(place(&chain, 0), "app");
    assert_eq!(chain.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(schemas(&chain, 0), "app public tollgate");
    assert_eq!(place(&chain, 0), "");
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_eq!(place(&chain, 0), "app");
}

#[test]
fn what_cannot_be_meant_is_said() {
    let mut chain = Chain::new(&[USERS]);
    let mut shots = String::new();
    for query in [
        "schema=caf%C3%A9",
        "schema=tollgate",
        "sslaccept=strict&sslmode=disable",
        "pgbouncer=maybe",
    ] {
        chain.set_url("dev", format!("{}?{query}", chain.databases[0].url()));
        shots.push_str(&format!("{}\n\n", chain.run(&["apply", "dev"])));
    }
    assert_snapshot!(shots, @r#"
    exit 2
    --- stderr
    error: dev: schema in the target's URL is "café", and only printable ASCII characters without a backslash are supported there

      remedy   name the application's own schema: schema=public

    exit 2
    --- stderr
    error: dev: schema in the target's URL is "tollgate", which is where tollgate keeps its own tables

      remedy   name the application's own schema: schema=public

    exit 2
    --- stderr
    error: dev: the target's URL asks for a certificate that holds (sslaccept=strict) and for no TLS (sslmode=disable)

      remedy   leave out sslmode=disable; where the network is trusted, sslaccept=strict

    exit 2
    --- stderr
    error: dev: pgbouncer in the target's URL is "maybe"

      remedy   write one of true, false
    "#);
    assert_eq!(schemas(&chain, 0), "public");
}
