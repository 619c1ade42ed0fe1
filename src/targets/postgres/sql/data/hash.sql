-- The rows of one table, counted and hashed in no order. OFFSET 0 keeps the planner from writing an
-- expression out wherever its value is used: each is computed once for each row. The hash of an array only
-- multiplies and adds, so that sums over all rows would not show which values stand together: it is hashed
-- once more.
SELECT {total} AS total,
       COALESCE(pg_catalog.sum(pg_catalog.hashint8extended(
         pg_catalog.hash_array_extended(ARRAY[{hashes}]::pg_catalog.int8[], 1), 2)), 0) AS "whole"{sums}
  FROM (SELECT {hashed}
          FROM (SELECT {values}
                  FROM ONLY {table} AS r{chosen}
                OFFSET 0) AS t
        OFFSET 0) AS h;
