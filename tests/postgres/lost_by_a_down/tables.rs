//! Owners, grants, comments, tables and columns.

use super::Case;

/// What a superuser does in `public`, seen by every role.
pub(super) const CASES: &[Case] = &[
    // Whose it is, who may what, and what is said of it.
    (
        "ALTER TABLE parent OWNER TO tollgate_plain",
        "ALTER TABLE parent OWNER TO tollgate_test",
        &[("table", "parent", "owner: tollgate_plain")],
    ),
    (
        "ALTER FUNCTION f(int) OWNER TO tollgate_plain",
        "ALTER FUNCTION f(int) OWNER TO tollgate_test",
        &[("function", "f(x integer)", "owner: tollgate_plain")],
    ),
    (
        "GRANT SELECT, INSERT ON t TO tollgate_plain",
        "REVOKE ALL ON t FROM tollgate_plain",
        &[("table", "t", "  tollgate_plain: INSERT, SELECT")],
    ),
    (
        "GRANT SELECT ON t TO tollgate_plain WITH GRANT OPTION",
        "REVOKE ALL ON t FROM tollgate_plain",
        &[("table", "t", "  tollgate_plain: SELECT*")],
    ),
    (
        "GRANT UPDATE (a) ON t TO tollgate_plain",
        "REVOKE UPDATE (a) ON t FROM tollgate_plain",
        &[("column", "t.a", "grants: tollgate_plain: UPDATE")],
    ),
    (
        "REVOKE EXECUTE ON FUNCTION f(int) FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION f(int) TO PUBLIC",
        &[("function", "f(x integer)", "grants: tollgate_test: EXECUTE")],
    ),
    (
        "GRANT USAGE ON SEQUENCE s TO tollgate_plain",
        "REVOKE USAGE ON SEQUENCE s FROM tollgate_plain",
        &[("sequence", "s", "  tollgate_plain: USAGE")],
    ),
    (
        "REVOKE USAGE ON TYPE mood FROM PUBLIC",
        "GRANT USAGE ON TYPE mood TO PUBLIC",
        &[("enum", "mood", "grants: tollgate_test: USAGE")],
    ),
    (
        "GRANT CREATE ON SCHEMA public TO tollgate_plain",
        "REVOKE CREATE ON SCHEMA public FROM tollgate_plain",
        &[("schema", "public", "  tollgate_plain: CREATE")],
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO tollgate_plain",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM tollgate_plain",
        &[(
            "default privileges",
            "of tollgate_test on tables in public",
            "",
        )],
    ),
    (
        "COMMENT ON TABLE t IS 'two\nlines'",
        "COMMENT ON TABLE t IS NULL",
        &[("table", "t", "  lines")],
    ),
    (
        "COMMENT ON COLUMN t.a IS 'x'",
        "COMMENT ON COLUMN t.a IS NULL",
        &[("column", "t.a", "comment: x")],
    ),
    (
        "COMMENT ON INDEX by_a IS 'x'",
        "COMMENT ON INDEX by_a IS NULL",
        &[("index", "by_a", "comment: x")],
    ),
    (
        "COMMENT ON CONSTRAINT t_pkey ON t IS 'x'",
        "COMMENT ON CONSTRAINT t_pkey ON t IS NULL",
        &[("constraint", "t.t_pkey", "comment: x")],
    ),
    (
        "COMMENT ON TRIGGER touched ON t IS 'x'",
        "COMMENT ON TRIGGER touched ON t IS NULL",
        &[("trigger", "t.touched", "comment: x")],
    ),
    (
        "COMMENT ON POLICY own ON t IS 'x'",
        "COMMENT ON POLICY own ON t IS NULL",
        &[("policy", "t.own", "comment: x")],
    ),
    (
        "COMMENT ON COLUMN pair.x IS 'x'",
        "COMMENT ON COLUMN pair.x IS NULL",
        &[("attribute", "pair.x", "comment: x")],
    ),
    // Tables.
    (
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
        &[("table", "t", "row level security: enabled")],
    ),
    (
        "ALTER TABLE t FORCE ROW LEVEL SECURITY",
        "ALTER TABLE t NO FORCE ROW LEVEL SECURITY",
        &[("table", "t", "row level security forced: yes")],
    ),
    (
        "ALTER TABLE t REPLICA IDENTITY FULL",
        "ALTER TABLE t REPLICA IDENTITY DEFAULT",
        &[("table", "t", "replica identity: full")],
    ),
    (
        "ALTER TABLE parent REPLICA IDENTITY USING INDEX by_n",
        "ALTER TABLE parent REPLICA IDENTITY DEFAULT",
        &[
            ("index", "by_n", "replica identity: yes"),
            ("table", "parent", "replica identity: index"),
        ],
    ),
    (
        "ALTER TABLE t SET (fillfactor = 70)",
        "ALTER TABLE t RESET (fillfactor)",
        &[("table", "t", "options: fillfactor=70")],
    ),
    (
        "ALTER TABLE t SET (toast.autovacuum_enabled = off)",
        "ALTER TABLE t RESET (toast.autovacuum_enabled)",
        &[("table", "t", "toast options: autovacuum_enabled=off")],
    ),
    (
        "ALTER TABLE t SET UNLOGGED",
        "ALTER TABLE t SET LOGGED",
        &[
            ("sequence", "t_id_seq", ""),
            ("table", "t", "persistence: unlogged"),
        ],
    ),
    (
        "ALTER TABLE parts DETACH PARTITION part",
        "ALTER TABLE parts ATTACH PARTITION part FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        &[
            ("column", "part.at", ""),
            ("column", "part.id", ""),
            ("table", "part", ""),
        ],
    ),
    (
        "ALTER FOREIGN TABLE away OPTIONS (SET name 'y')",
        "ALTER FOREIGN TABLE away OPTIONS (SET name 'x')",
        &[("foreign table", "away", "foreign options: name=y")],
    ),
    // Columns.
    (
        "ALTER TABLE t ALTER a SET STORAGE EXTERNAL",
        "ALTER TABLE t ALTER a SET STORAGE EXTENDED",
        &[("column", "t.a", "storage: external")],
    ),
    (
        "ALTER TABLE t ALTER a SET COMPRESSION pglz",
        "ALTER TABLE t ALTER a SET COMPRESSION DEFAULT",
        &[("column", "t.a", "compression: pglz")],
    ),
    (
        "ALTER TABLE t ALTER a SET STATISTICS 500",
        "ALTER TABLE t ALTER a SET STATISTICS -1",
        &[("column", "t.a", "statistics target: 500")],
    ),
    (
        "ALTER TABLE t ALTER a SET (n_distinct = 5)",
        "ALTER TABLE t ALTER a RESET (n_distinct)",
        &[("column", "t.a", "options: n_distinct=5")],
    ),
    (
        "ALTER TABLE t ALTER b SET DEFAULT 2",
        "ALTER TABLE t ALTER b SET DEFAULT 1",
        &[("column", "t.b", "default: 2")],
    ),
    (
        "ALTER TABLE t ALTER b SET NOT NULL",
        "ALTER TABLE t ALTER b DROP NOT NULL",
        &[("column", "t.b", "not null: yes")],
    ),
    (
        "ALTER TABLE parent ALTER n ADD GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE parent ALTER n DROP IDENTITY",
        &[
            ("column", "parent.n", "identity: always"),
            ("sequence", "parent_n_seq", ""),
        ],
    ),
    (
        "ALTER TABLE fast ADD c numeric(9, 2) GENERATED ALWAYS AS (id * 2) STORED",
        "ALTER TABLE fast DROP c",
        &[
            ("column", "fast.c", ""),
            ("column order", "fast", "columns: id, c"),
        ],
    ),
    (
        "ALTER TABLE fast ADD c text COLLATE \"POSIX\"",
        "ALTER TABLE fast DROP c",
        &[
            ("column", "fast.c", ""),
            ("column order", "fast", "columns: id, c"),
        ],
    ),
    (
        "ALTER TABLE t DROP b; ALTER TABLE t ADD b int DEFAULT 1; DROP STATISTICS IF EXISTS together; CREATE STATISTICS together ON a, b FROM t",
        "",
        &[("column order", "t", "columns: id, a, parent, b")],
    ),
];
