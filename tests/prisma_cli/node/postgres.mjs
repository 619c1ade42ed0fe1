// PostgreSQL for engine.mjs, by node-postgres and Prisma's adapter for it, made to do what the native
// engine does.
export default async function postgres(url, load) {
  const { default: pg } = await load("pg");
  const { PrismaPg } = await load("@prisma/adapter-pg");

  const target = new URL(url);
  const database = decodeURIComponent(target.pathname.slice(1));
  const schema = target.searchParams.get("schema") ?? "public";

  // A "pool" of one session that is kept even after an error, as the native engine has: the advisory
  // lock and the script share it, and what a failed script leaves open is open for whatever comes next.
  class Session extends pg.Pool {
    #client = null;
    #release = null;

    async connect() {
      this.#client ??= super.connect();
      const client = await this.#client;
      this.#release ??= client.release;
      client.release = () => {};
      return client;
    }

    async query(...args) {
      return (await this.connect()).query(...args);
    }

    async end() {
      this.#release?.(true);
      await super.end();
    }
  }

  const session = (name) =>
    new Session({
      host: target.hostname,
      port: Number(target.port || 5432),
      user: decodeURIComponent(target.username),
      password: decodeURIComponent(target.password),
      database: name,
      // To the one schema of the URL, and before it exists: the engine makes it when it is missing.
      options: `-c search_path="${schema.replaceAll(" ", "\\ ")}"`,
    });

  async function once(name, sql) {
    const client = session(name);
    try {
      await client.query(sql);
    } catch (error) {
      error.prisma = { "28P01": "P1000", "3D000": "P1003", "28000": "P1010" }[error.code] ?? "P1001";
      throw error;
    } finally {
      await client.end();
    }
  }

  function likeNative(queryable) {
    // A script is one simple query; the adapter cuts it at every semicolon.
    queryable.executeScript = async (script) => {
      await queryable.underlyingDriver().query(script).catch((error) => queryable.onError(error));
    };
    // The adapter does not know the types "char" (18) and, in 6, name (19) of the engine's own questions
    // to the catalogue.
    const performIO = queryable.performIO;
    queryable.performIO = async (query) => {
      const result = await performIO.call(queryable, query);
      for (const field of result?.fields ?? [])
        if ([18, 19].includes(field.dataTypeID)) field.dataTypeID = pg.types.builtins.TEXT;
      return result;
    };
    const startTransaction = queryable.startTransaction;
    if (startTransaction)
      queryable.startTransaction = async (level) => likeNative(await startTransaction.call(queryable, level));
    return queryable;
  }

  async function connectTo(name, afterwards) {
    const options = { schema, disposeExternalPool: true };
    const adapter = likeNative(await new PrismaPg(session(name), options).connect());
    const dispose = adapter.dispose;
    adapter.dispose = async () => {
      await dispose.call(adapter);
      await afterwards?.();
    };
    return adapter;
  }

  return {
    provider: "postgres",
    adapterName: "@prisma/adapter-pg",
    connect: () => connectTo(database),
    // Always a database of its own: shadowDatabaseUrl is not looked at. (The adapter's own way drops it
    // while it is still connected to it.)
    async connectToShadowDb() {
      const name = `prisma_migrate_shadow_db_${crypto.randomUUID()}`;
      await once(database, `CREATE DATABASE "${name}"`);
      return connectTo(name, () => once(database, `DROP DATABASE "${name}"`));
    },
    probe: () => once(database, "SELECT 1"),
    create: () => once("postgres", `CREATE DATABASE "${database}"`),
  };
}
