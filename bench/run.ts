/**
 * `npm run bench`: measures the engine, the floor and the peer on this machine, and prints the figures.
 * Guarantees to end: within three minutes, with every process it started gone and its state removed.
 *
 *   --in-memory  state on a memory-backed file system, where there is one
 *   --quick      fewer runs, for a first impression
 *   --json       the figures as JSON
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { startFloor } from "./floor/floor.ts";
import { startMillrace } from "./millrace.ts";
import { report } from "./report.ts";
import { FULL, QUICK } from "./scale.ts";
import { measure } from "./session.ts";
import { stateDir } from "./state.ts";
import { startWorkflows } from "./workflows/workflows.ts";

/** ms after which the benchmark is ended whatever it is doing. */
const BOUND = 175_000;

const { values } = parseArgs({
  options: { "in-memory": { type: "boolean" }, quick: { type: "boolean" }, json: { type: "boolean" } },
});
const inMemory = values["in-memory"] === true;

const say = (text: string) => process.stderr.write(`${text}\n`);
setTimeout(() => {
  say(`the benchmark was ended: it took more than ${BOUND / 1000} s`);
  process.exit(1);
}, BOUND).unref();

// An error ends the program, and that ends every workerd: Miniflare sees to it.
say("building and starting");
const millrace = await startMillrace(await stateDir(inMemory));
const floor = await startFloor(await stateDir(inMemory));
const workflows = await startWorkflows(await stateDir(inMemory));
const figures = await measure({ millrace, floor, workflows }, values.quick === true ? QUICK : FULL, say);
await Promise.all([millrace.close(), floor.close(), workflows.close()]);

const machine = { cores: availableParallelism(), node: process.version, state: inMemory ? "memory" : "disk" } as const;
console.log(values.json === true ? JSON.stringify({ machine, ...figures }, null, 2) : `\n${report(machine, figures)}`);
process.exit(0);
