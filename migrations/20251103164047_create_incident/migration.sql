-- A time in which a health check did not hold, from its first failure until someone resolved it.
CREATE TABLE "incidents" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "health_check_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'open'
        CHECK ("status" IN ('open', 'acknowledged', 'resolved')),
    "opened_at" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "resolved_at" TIMESTAMP,
    CONSTRAINT "incidents_health_check_id_fkey"
        FOREIGN KEY ("health_check_id") REFERENCES "health_checks" ("id")
        ON DELETE RESTRICT ON UPDATE CASCADE
);

-- At most one incident of a health check is unresolved.
CREATE UNIQUE INDEX "incidents_unresolved_key"
    ON "incidents" ("health_check_id") WHERE "status" <> 'resolved';
