-- One row for each call of a health check.
CREATE TABLE "check_results" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "health_check_id" TEXT NOT NULL,
    "status_code" INTEGER,
    "duration_ms" INTEGER NOT NULL CHECK ("duration_ms" >= 0),
    "checked_at" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "check_results_health_check_id_fkey"
        FOREIGN KEY ("health_check_id") REFERENCES "health_checks" ("id")
        ON DELETE CASCADE ON UPDATE CASCADE
);

-- The page of a health check shows its newest results first.
CREATE INDEX "check_results_health_check_id_checked_at_idx"
    ON "check_results" ("health_check_id", "checked_at" DESC);
