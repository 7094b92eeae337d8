/**
 * The next version of the engine, made of this one's bundle: everything it stores, answers over RPC and puts into queues has a field that
 * this version does not know, and every table of its objects has one column more. So N and N + 1 can be tried on one directory, in both
 * orders, without an older build at hand (faults.md §4, row 18). Owns the text that is changed; fails when it is not there any more.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A module beside the bundle. Values of users are left alone: the engine must not look into them either. `Map`s and other classes
 * of the platform travel as they are.
 */
const MODULE = `
import { DurableObject as PlatformObject } from "cloudflare:workers";
const OF_USERS = new Set(["payload", "data", "user", "memo", "output", "error", "input", "opts", "headers", "metadata", "body"]);
const isPlain = (value) => typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
export const grown = (value) => {
  if (Array.isArray(value)) return value.map(grown);
  if (!isPlain(value)) return value;
  const fields = Object.entries(value).map(([key, field]) => [key, OF_USERS.has(key) ? field : grown(field)]);
  return { ...Object.fromEntries(fields), fromTheNextVersion: { since: 2 } };
};
const grownLine = (line) => {
  try {
    return JSON.stringify(grown(JSON.parse(line)));
  } catch {
    return line;
  }
};
const grownText = (value) =>
  typeof value === "string" && /^[[{]/.test(value) ? value.split("\\n").map(grownLine).join("\\n") : value;
const CREATE = /CREATE TABLE (?:IF NOT EXISTS )?(\\w+)/g;
/** All objects share one prototype of their SQL. */
let patched = false;
const patch = (prototype) => {
  if (patched) return;
  patched = true;
  const exec = prototype.exec;
  prototype.exec = function (statement, ...values) {
    const cursor = exec.call(this, statement, ...values.map(grownText));
    for (const [, table] of statement.matchAll(CREATE)) {
      const columns = exec.call(this, "SELECT name FROM pragma_table_info(?)", table).toArray();
      if (!columns.some(({ name }) => name === "from_the_next_version"))
        exec.call(this, "ALTER TABLE " + table + " ADD COLUMN from_the_next_version TEXT");
    }
    return cursor;
  };
};
export const over = (target, instead) =>
  new Proxy(target, {
    get(_, name) {
      if (name in instead) return instead[name];
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
export class NextObject extends PlatformObject {
  constructor(context, bindings) {
    super(context, bindings);
    patch(Object.getPrototypeOf(context.storage.sql));
  }
}
/** Every method takes and gives more than this version knows, where its arguments are not values of users. */
const GIVEN_BY_USERS = new Set(["resolve", "signal", "annotate"]);
export const next = (Class) => {
  const { prototype } = Class;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const { value } = Object.getOwnPropertyDescriptor(prototype, name);
    if (typeof value !== "function" || /^(constructor|alarm|fetch|webSocket\\w*)$/.test(name)) continue;
    prototype[name] = function (...values) {
      const result = value.apply(this, GIVEN_BY_USERS.has(name) ? values : values.map(grown));
      return result instanceof Promise ? result.then(grown) : grown(result);
    };
  }
};
`;

const IMPORT = /^import \{ DurableObject(?: as (\w+))? \} from "cloudflare:workers";$/gm;
const CLASS = /^var (\w+) = class extends (DurableObject\d*) \{$/gm;
const QUEUE = "async queue(batch, bindings) {";
const EXPORTS = /^export \{$/m;

/** Writes the next version's bundle into a new directory. Throws when the bundle is not what this was written for. */
export async function buildNextEngine(bundleDir: string): Promise<{ dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "millrace-next-"));
  await cp(bundleDir, dir, { recursive: true });
  const main = join(dir, "worker.js");
  const text = await readFile(main, "utf8");
  const classes = [...text.matchAll(CLASS)].map(([, name]) => name);
  if (classes.length === 0 || !text.includes(QUEUE) || !EXPORTS.test(text)) {
    throw new Error("The bundle has changed its form: no object classes, no queue consumer, or no exports were found");
  }
  const changed = text
    .replace(IMPORT, (_, alias: string | undefined) => `const ${alias ?? "DurableObject"} = fromNext.NextObject;`)
    .replace(
      QUEUE,
      `${QUEUE}\n    batch = fromNext.over(batch, { messages: batch.messages.map((one) => fromNext.over(one, { body: fromNext.grown(one.body) })) });`,
    )
    .replace(EXPORTS, `for (const Class of [${classes.join(", ")}]) fromNext.next(Class);\nexport {`);
  await writeFile(join(dir, "next.js"), MODULE);
  await writeFile(
    main,
    `import * as fromNext from "./next.js";
${changed}`,
  );
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
