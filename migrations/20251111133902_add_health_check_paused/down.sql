DROP INDEX "health_checks_paused_idx";

ALTER TABLE "health_checks" DROP COLUMN "paused";
