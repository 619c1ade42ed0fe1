-- Fails, and changes nothing, where someone follows two health checks by now.
CREATE UNIQUE INDEX "subscribers_email_key" ON "subscribers" ("email");

DROP INDEX "subscribers_health_check_id_email_key";
