-- Takes back a rule of 20251105091530_create_subscriber: one person may follow several health
-- checks. What stays unique is the pair.
DROP INDEX "subscribers_email_key";

CREATE UNIQUE INDEX "subscribers_health_check_id_email_key"
    ON "subscribers" ("health_check_id", "email");
