/**
 * Time per compile and per evaluation of the samples of spec/07. Run: npx node bench/expressions.ts
 * The target is 5 µs per evaluation once compiled (XP-19 rests on it). Prints medians of several rounds, so that one collection of
 * garbage does not decide; figures depend on the machine.
 */
import { bind, incomingKeys } from "../src/expressions/equality-index.ts";
import { evaluateValue } from "../src/expressions/evaluate.ts";
import { compile, type Expression } from "../src/expressions/expression.ts";
import type { Place } from "../src/expressions/place.ts";

const data = {
  userId: "u",
  n: 7,
  f: 9.1,
  plan: "enterprise",
  email: "x@gmail.com",
  items: ["shirt_1", "shirt_1234"],
  at: "2025-01-01T00:00:00Z",
  importId: 7,
};
const event = { id: "e", name: "xp/x", ts: 1_735_689_600_000, data, user: {} };
const async = { ...event, data: { ...data, billing_plan: "pro" } };

const SAMPLES: readonly (readonly [Place, string])[] = [
  ["trigger", "event.data.plan == 'enterprise' && event.data.n > 5"],
  ["trigger", "event.data.email.contains('gmail.com')"],
  ["trigger", "has(event.data.email)"],
  ["trigger", "event.data.items.exists(e, e == 'shirt_1234')"],
  ["trigger", "timestamp(event.data.at) > timestamp('2024-01-01T00:00:00Z')"],
  ["trigger", "event.data.email.matches('^[a-z0-9._]+@[a-z]+[.]com$')"],
  ["wait", "event.data.userId == async.data.userId && async.data.billing_plan == 'pro'"],
  ["cancel", "async.data.userId == event.data.userId"],
  ["key", "event.data.userId"],
  ["key", 'event.data.userId + "-" + event.data.importId'],
  ["key", "event.data.ingressId || event.data.userId"],
  ["priority", "event.data.plan == 'enterprise' && event.data.n < 10 ? 120 : 0"],
];

const ROUNDS = 7;

/** Median µs per call over rounds of at least 20 ms. */
function microseconds(run: () => unknown): number {
  let calls = 100;
  const time = (): number => {
    const start = performance.now();
    for (let call = 0; call < calls; call++) run();
    return performance.now() - start;
  };
  while (time() < 20) calls *= 2;
  const rounds = Array.from({ length: ROUNDS }, time).sort((a, b) => a - b);
  return ((rounds[Math.floor(ROUNDS / 2)] ?? 0) * 1000) / calls;
}

function compiled(source: string, place: Place): Expression {
  const result = compile(source, place);
  if (!result.ok) throw new Error(`${source}: ${result.error.message}`);
  return result.expression;
}

function row(...cells: readonly (string | number)[]): void {
  console.log(cells.map((cell) => (typeof cell === "number" ? cell.toFixed(2) : cell).padStart(11)).join(""));
}

row("compile µs", "eval µs", "  expression");
let slowest = 0;
for (const [place, source] of SAMPLES) {
  const expression = compiled(source, place);
  const evaluation = microseconds(() => evaluateValue(expression, { event, async }, 0));
  slowest = Math.max(slowest, evaluation);
  row(
    microseconds(() => compile(source, place)),
    evaluation,
    `  ${place}: ${source}`,
  );
}
const wait = compiled("event.data.userId == async.data.userId && async.data.billing_plan == 'pro'", "wait");
console.log(`bind a wait: ${microseconds(() => bind(wait, event)).toFixed(2)} µs`);
console.log(`index keys of an event: ${microseconds(() => incomingKeys(["data", "userId"], async)).toFixed(2)} µs`);
console.log(`slowest evaluation: ${slowest.toFixed(2)} µs (target 5)`);
