/**
 * A database for tests of what must do without one.
 */

/** Whatever is asked of it, it fails. */
export const NO_DATABASE: D1Database = new Proxy({} as D1Database, {
  get: (_, name) => {
    throw new Error(`The database was asked for ${String(name)}`);
  },
});
