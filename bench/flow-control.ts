/**
 * `node bench/flow-control.ts`: what limits cost and how punctual they are. A keyed limit of 1 against the ideal of the handlers alone;
 * debounce, batch and throttle with 300 keys due at one moment; a burst of 10,000 events behind a limit of 5, with another function
 * measured beside it.
 *
 *   --in-memory   state on a memory-backed file system, where there is one
 *   --events N    events of the burst, instead of 10,000
 *   --seconds N   over which they are sent, instead of 60
 */
import { parseArgs } from "node:util";
import { burst } from "./flow-control/burst.ts";
import { keyed } from "./flow-control/keyed.ts";
import { startSubject } from "./flow-control/subject.ts";
import { punctuality } from "./flow-control/windows.ts";
import { percentiles } from "./percentiles.ts";

const { values } = parseArgs({
  options: { "in-memory": { type: "boolean" }, events: { type: "string" }, seconds: { type: "string" } },
});

const subject = await startSubject({ inMemory: values["in-memory"] === true });
const ms = (value: number) => `${value.toFixed(1)} ms`;

console.log("keyed limit of 1: 10 keys × 10 runs, each with one step of 50 ms");
for (const round of await keyed(subject)) {
  console.log(`  ${ms(round.took)}, ${(round.took / round.ideal).toFixed(2)} × the handlers' ${round.ideal} ms`);
}

console.log("late by, 300 keys due at one moment");
for (const { option, acted, called } of await punctuality(subject)) {
  const [act, call] = [percentiles(acted), percentiles(called)];
  console.log(
    `  ${option.padEnd(9)} acted p50 ${ms(act.p50)}, p95 ${ms(act.p95)}; called p50 ${ms(call.p50)}, p95 ${ms(call.p95)}`,
  );
}

const load = { events: Number(values.events ?? 10_000), seconds: Number(values.seconds ?? 60) };
console.log(`burst: ${load.events.toLocaleString("en")} events in ${load.seconds} s behind a limit of 5`);
const outcome = await burst(subject, load);
console.log(`  all ended after ${(outcome.took / 1000).toFixed(1)} s; at most ${outcome.peak} executed at once`);
console.log(
  `  another function, event to first call: p50 ${ms(outcome.before)} before, ${ms(outcome.during)} meanwhile`,
);
await subject.close();
process.exit(0);
