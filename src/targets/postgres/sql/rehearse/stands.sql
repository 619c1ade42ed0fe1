-- Which transaction this is, and whether the fence of ours is there. Asked with whatever role and search
-- path the script left.
SELECT pg_catalog.txid_current() AS transaction,
       (SELECT c.oid FROM pg_catalog.pg_class AS c
         WHERE c.oid OPERATOR(pg_catalog.=) '{fence}'::pg_catalog.oid
           AND c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()) AS fence
