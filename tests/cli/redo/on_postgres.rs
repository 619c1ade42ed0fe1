//! The same on a server, beside Prisma's table.

use insta::assert_snapshot;

use crate::on_postgres::{CREATE, Chain};

const PHONE: &str = "20251102000000_phone";

#[test]
fn what_ran_is_undone_and_prismas_table_says_so() {
    let chain = Chain::new(&[
        ("20251101000000_users", CREATE),
        (PHONE, "ALTER TABLE users ADD fone text;\n"),
    ]);
    std::fs::write(
        chain.project.path().join("migrations/migration_lock.toml"),
        "provider = \"postgresql\"\n",
    )
    .unwrap();
    chain
        .project
        .write_down(PHONE, "ALTER TABLE users DROP fone;\n");
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    chain.project.write(
        PHONE,
        "ALTER TABLE users ADD phone text NOT NULL DEFAULT '';\n",
    );
    chain
        .project
        .write_down(PHONE, "ALTER TABLE users DROP phone;\n");
    assert_snapshot!(chain.run(&["redo", PHONE]), @r#"
    exit 0
    --- stdout
    dev: 20251102000000_phone was undone and applied again
    --- stderr
      undone    20251102000000_phone  by its down.sql, from the ledger
    dev: 1 migration to apply
      applied   20251102000000_phone  atomic
    "#);
    let rows = chain.databases[0].ask(
        "SELECT string_agg((finished_at IS NOT NULL)::text || ' ' || (rolled_back_at IS NOT NULL)::text, ', ' ORDER BY started_at, rolled_back_at NULLS LAST) FROM _prisma_migrations WHERE migration_name = '20251102000000_phone'",
    );
    assert_eq!(rows, "true true, true false");
    let columns = chain.databases[0].ask(
        "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 'users'",
    );
    assert_eq!(columns, "id email phone");
    assert_snapshot!(chain.run(&["verify", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 4 receipts, sound, and all of them in the ledger
    verified: dev: no drift; the schema (9 objects) is as the newest run left it after 20251102000000_phone
    "#);
    assert_eq!(chain.run(&["plan", "dev"]).exit, 0);
    // Once more, with nothing edited.
    assert_eq!(chain.run(&["redo", PHONE]).exit, 0);
    assert_eq!(chain.run(&["verify", "dev"]).exit, 0);
}
