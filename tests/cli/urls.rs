//! URLs as a Prisma team has them.

use insta::assert_snapshot;

use crate::on_postgres::{CREATE, Chain};

const USERS: (&str, &str) = ("20251101000000_users", CREATE);

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
fn what_cannot_be_meant_is_said() {
    let mut chain = Chain::new(&[USERS]);
    let mut shots = String::new();
    for query in ["sslaccept=strict&sslmode=disable", "pgbouncer=maybe"] {
        chain.set_url("dev", format!("{}?{query}", chain.databases[0].url()));
        shots.push_str(&format!("{}\n\n", chain.run(&["apply", "dev"])));
    }
    assert_snapshot!(shots, @r#"
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
