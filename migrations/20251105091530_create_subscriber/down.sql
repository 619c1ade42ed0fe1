DROP TABLE "subscribers";
