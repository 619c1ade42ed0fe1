-- A paused health check is kept and not called.
ALTER TABLE "health_checks" ADD COLUMN "paused" BOOLEAN NOT NULL DEFAULT FALSE;

CREATE INDEX "health_checks_paused_idx" ON "health_checks" ("paused");
