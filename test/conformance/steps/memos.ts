/**
 * What each operation leaves in the state that later calls carry (protocol/03 "Shape of values in steps", protocol/04 §4.2), including the
 * forms that only other SDKs send. SDKs hide most of it, so that a scripted app looks.
 */
import { expect } from "vitest";
import type { TestEngine } from "../harness/engine.ts";

type Json = Readonly<Record<string, unknown>>;

/** Names of one case and what it can reach. */
export interface World {
  readonly engine: TestEngine;
  /** `x` becomes an event or a signal only this case uses. */
  on(name: string): string;
  /** Slugs of functions that return 16, return nothing, throw at once, and take long. */
  readonly callees: Readonly<Record<"square" | "nothing" | "throws" | "slow", string>>;
  /** An origin that echoes the last segment of the path as text and header `x-path`, answers JSON below `/json`, and 500 below `/500`. */
  readonly echo: string;
}

/** One operation and the memo it must leave. */
export interface MemoCase {
  readonly title: string;
  readonly op: (world: World) => Json;
  /** What happens once the operation has been reported. */
  readonly meanwhile?: (world: World) => Promise<unknown>;
  /** Compared with `toEqual`: nothing missing, nothing more. */
  readonly memo: (world: World) => unknown;
}

const year = "InngestInvokeTimeoutError";
const wait = (name: string, opts: Json): Json => ({ op: "WaitForEvent", name, opts });
const invoke = (slug: string, opts: Json = {}): Json => ({
  op: "InvokeFunction",
  opts: { payload: { data: { number: 4 } }, function_id: slug, ...opts },
});
const event = { id: "given", ts: 1_700_000_000_000, data: { n: 1 }, user: { plan: "pro" }, v: "2" };

const steps: readonly MemoCase[] = [
  {
    title: "StepRun",
    op: () => ({ op: "StepRun", data: { v: [null, "ü"] } }),
    memo: () => ({ data: { v: [null, "ü"] } }),
  },
  { title: "StepRun without data", op: () => ({ op: "StepRun" }), memo: () => ({ data: null }) },
  { title: "an opcode in lower case", op: () => ({ op: "steprun", data: 1 }), memo: () => ({ data: 1 }) },
  { title: "Step, as ancient SDKs say", op: () => ({ op: "Step", data: 1 }), memo: () => ({ data: 1 }) },
  {
    title: "StepFailed, whose data counts for nothing",
    op: () => ({
      op: "StepFailed",
      data: { message: "no" },
      error: { name: "E", message: "m", stack: "s", cause: { name: "C" } },
    }),
    memo: () => ({ error: { name: "E", message: "m", stack: "s", cause: { name: "C" } } }),
  },
  { title: "Sleep", op: () => ({ op: "Sleep", name: "1s" }), memo: () => null },
];

const waits: readonly MemoCase[] = [
  {
    title: "WaitForEvent: the event itself",
    op: ({ on }) => wait(on("y"), { timeout: "1m" }),
    meanwhile: ({ engine, on }) => engine.send({ name: on("y"), ...event }),
    memo: ({ on }) => ({ name: on("y"), ...event }),
  },
  {
    title: "WaitForEvent in the form of Go, and with the null of Python",
    op: ({ on }) => wait("a label", { event: on("y"), timeout: "1m", if: null }),
    meanwhile: ({ engine, on }) => engine.send({ name: on("y"), ...event }),
    memo: ({ on }) => ({ name: on("y"), ...event }),
  },
  { title: "WaitForEvent that times out", op: ({ on }) => wait(on("y"), { timeout: "1s" }), memo: () => null },
  { title: "WaitForEvent without a time-out", op: ({ on }) => wait(on("y"), { timeout: "" }), memo: () => null },
  {
    title: "WaitForSignal",
    op: ({ on }) => ({
      op: "WaitForSignal",
      name: on("s"),
      opts: { signal: on("s"), timeout: "1m", conflict: "fail" },
    }),
    meanwhile: ({ engine, on }) => engine.api("POST", "/v1/signals", { signal: on("s"), data: { ok: true } }),
    memo: ({ on }) => ({ data: { signal: on("s"), data: { ok: true } } }),
  },
  {
    title: "WaitForSignal that times out",
    op: ({ on }) => ({
      op: "WaitForSignal",
      name: on("s"),
      opts: { signal: on("s"), timeout: "1s", conflict: "fail" },
    }),
    memo: () => null,
  },
];

const invocations: readonly MemoCase[] = [
  { title: "InvokeFunction", op: ({ callees }) => invoke(callees.square), memo: () => ({ data: 16 }) },
  {
    title: "InvokeFunction of one that returns nothing",
    op: ({ callees }) => invoke(callees.nothing),
    memo: () => ({ data: null }),
  },
  {
    title: "InvokeFunction of one that fails",
    op: ({ callees }) => invoke(callees.throws),
    memo: () => ({ error: expect.objectContaining({ name: "TypeError", message: "broken" }) }),
  },
  {
    title: "InvokeFunction of none",
    op: () => invoke("no-such"),
    memo: () => ({
      error: { name: "Error", message: "could not find function with ID: no-such", code: "invoke_not_found" },
    }),
  },
  {
    title: "InvokeFunction that takes too long",
    op: ({ callees }) => invoke(callees.slow, { timeout: "1s" }),
    memo: () => {
      const message = "Timed out waiting for invoked function to complete";
      return { error: { name: year, message, error: `${year}: ${message}`, code: "invoke_timeout" } };
    },
  },
];

const requests: readonly MemoCase[] = [
  {
    title: "Gateway",
    op: ({ echo }) => ({ op: "Gateway", opts: { url: `${echo}/a`, method: "GET", headers: {}, body: undefined } }),
    memo: ({ echo }) => ({
      data: { url: `${echo}/a`, headers: expect.objectContaining({ "x-path": "a" }), body: "a", status_code: 200 },
    }),
  },
  {
    title: "Gateway that is refused",
    op: ({ echo }) => ({ op: "Gateway", opts: { url: `${echo}/500`, method: "POST", body: "x" } }),
    memo: () => ({ data: expect.objectContaining({ status_code: 500 }) }),
  },
  {
    title: "Gateway to nowhere",
    op: () => ({ op: "Gateway", opts: { url: "http://127.0.0.1:1/" } }),
    memo: () => ({
      error: expect.objectContaining({
        name: "GatewayError",
        message: expect.stringMatching(/^Error making gateway request: /),
      }),
    }),
  },
  {
    title: "AIGateway",
    op: ({ echo }) => ({
      op: "AIGateway",
      opts: { type: "step.ai.infer", url: `${echo}/json`, auth_key: "k", format: "openai-chat", body: {} },
    }),
    memo: () => ({ data: { json: true } }),
  },
  {
    title: "AIGateway that is refused",
    op: ({ echo }) => ({ op: "AIGateway", opts: { url: `${echo}/500`, format: "anthropic", auth_key: "k", body: {} } }),
    memo: () => ({
      error: {
        name: "AIGatewayError",
        message: expect.any(String),
        data: expect.anything(),
        stack: expect.any(String),
        status_code: 500,
      },
    }),
  },
];

/** The table. */
export const MEMOS: readonly MemoCase[] = [...steps, ...waits, ...invocations, ...requests];
