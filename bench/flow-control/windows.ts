/** How late windows close and throttled runs start when many are due at one moment. */
import { type Arrival, type FunctionName, PERIOD, type Subject, until } from "./subject.ts";

const KEYS = 300;

/** ms between the due time and the first call, by option. */
export async function punctuality(subject: Subject): Promise<[name: string, late: number[]][]> {
  const keys = Array.from({ length: KEYS }, (_, n) => ({ key: `k${n}` }));
  const lateOnce = async (name: FunctionName) => {
    await subject.send(name, keys);
    await until(() => arrivalsOf(subject, name).length === KEYS, `the close of every window of "${name}"`);
    // Debounce counts from the last event, batches from the first: here both are the one event.
    return arrivalsOf(subject, name).map(({ at, ts }) => at - (ts + PERIOD));
  };
  return [
    ["debounce", await lateOnce("debounced")],
    ["batch", await lateOnce("batched")],
    ["throttle", await throttled(subject, keys)],
  ];
}

/** Two runs per key: the second may start one period after the first did. */
async function throttled(subject: Subject, keys: readonly { readonly key: string }[]): Promise<number[]> {
  await subject.send("throttled", [...keys, ...keys]);
  await until(() => arrivalsOf(subject, "throttled").length === 2 * KEYS, "the start of every throttled run");
  const byKey = new Map<string, number[]>();
  for (const { key, at } of arrivalsOf(subject, "throttled")) byKey.set(key, [...(byKey.get(key) ?? []), at]);
  return [...byKey.values()].map(([first = Number.NaN, second = Number.NaN]) => second - (first + PERIOD));
}

function arrivalsOf(subject: Subject, name: FunctionName): readonly Arrival[] {
  return subject.arrivals.filter((arrival) => arrival.function === name);
}
