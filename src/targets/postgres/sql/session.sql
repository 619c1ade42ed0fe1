-- What the session is that was given to us: one row. The mark is set by our startup options; where it
-- is another, or none, somebody stands between us and the server.
SELECT pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.pg_backend_pid() AS pid,
       COALESCE(pg_catalog.current_setting('tollgate.session', true), '') AS mark,
       pg_catalog.current_setting('lock_timeout') AS lock_timeout,
       pg_catalog.current_setting('statement_timeout') AS statement_timeout,
       pg_catalog.current_setting('default_transaction_isolation') AS isolation,
       pg_catalog.current_setting('standard_conforming_strings') AS plain_strings,
       EXISTS (SELECT FROM pg_catalog.pg_event_trigger AS e WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D') AS event_triggers
