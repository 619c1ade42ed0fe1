// SQLite for engine.mjs, by libSQL, whose binary is inside an npm package.
import { closeSync, existsSync, openSync } from "node:fs";

export default async function sqlite(url, load) {
  // The name is written otherwise in 6 and in 7.
  const { PrismaLibSQL, PrismaLibSql = PrismaLibSQL } = await load("@prisma/adapter-libsql");
  const file = url.slice("file:".length).split("?")[0];
  // Times as integers, in milliseconds, as the native engine writes them.
  const factory = new PrismaLibSql({ url: `file:${file}` }, { timestampFormat: "unixepoch-ms" });
  return Object.assign(factory, {
    async probe() {
      if (!existsSync(file)) throw Object.assign(new Error(`Database ${file} does not exist`), { prisma: "P1003" });
    },
    create: async () => closeSync(openSync(file, "a")),
  });
}
