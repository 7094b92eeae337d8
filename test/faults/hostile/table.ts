/**
 * Tables of hostile replies: each is answered once to a run that recovers, and once to the only attempt of a run that cannot
 * (faults.md rows 11 to 15). Owns what holds for every one of them: the attempt fails with the error it must, what was stored stays, nothing
 * is recorded twice, healthy runs go on meanwhile, and the engine logs no failure of its own.
 */
import { expect, it } from "vitest";
import type { RuntimeLine } from "../../../cli/runtime-line.ts";
import type { Reply } from "../../conformance/harness/scripted-app.ts";
import { type CallShape, runTable, shapeOf, type TableOptions, type WireCase } from "../../conformance/wire/case.ts";
import { done, nap, progress, run } from "../../conformance/wire/ops.ts";

/** A reply that is no progress. */
export interface Hostile {
  /** Unique in its file. */
  readonly id: string;
  /** `row 13: an endless reply (EX-18)`. */
  readonly title: string;
  /** Made anew for each call. */
  readonly reply: () => Reply;
  readonly code: string;
  /** What the message must tell: what, where, and the limit. */
  readonly tells: RegExp;
}

/**
 * Both runs of a hostile reply. Where the engine's deadline is short, a busy machine may miss it in any call: what is counted then is that
 * the reply cost an attempt, not that it alone did.
 */
export function hostile({ id, title, reply, code, tells }: Hostile, deadline: "long" | "short"): WireCase[] {
  return [
    {
      id: `recovers-${id}`,
      proves: `${title}: costs one attempt, no stored step and not the run`,
      script: (call) => {
        const { attempt, stack } = call.body.ctx;
        const [before, after] = stack.stack;
        if (before === undefined) return progress(run("before"));
        if (after !== undefined) return done("recovered");
        return attempt === 0 ? reply() : progress(run("after"));
      },
      output: "recovered",
      ...(deadline === "long" ? { calls: RECOVERY } : {}),
      check: ({ calls }) => expect(calls.map(shapeOf)).toEqual(expect.arrayContaining(RECOVERY.map(inside))),
    },
    {
      id: `gives-up-${id}`,
      proves: `${title}: is ${code}, and the error tells what happened`,
      retries: 0,
      script: () => reply(),
      status: "Failed",
      error: { name: expect.any(String), code, message: expect.stringMatching(tells) },
      calls: [{ attempt: 0 }],
    },
  ];
}

const RECOVERY: readonly CallShape[] = [
  { attempt: 0, stack: [] },
  { attempt: 0, stack: ["before"] },
  { attempt: 1, stack: ["before"], steps: { before: { data: "result of before" } } },
  { attempt: 0, stack: ["before", "after"] },
];

const inside = (shape: CallShape): unknown => expect.objectContaining(shape);

/** So many runs of an app that behaves, which go on while the others are mistreated. */
const NEIGHBOURS = 8;

function neighbour(n: number): WireCase {
  return {
    id: `neighbour-${n}`,
    proves: `I4: a neighbour is not affected, and loses nothing (${n})`,
    script: (call) => {
      const replies = [
        progress(run("a")),
        progress(nap("nap", "1s")),
        progress(run("b", { n })),
        progress(nap("c", "1s")),
      ];
      return replies[call.body.ctx.stack.stack.length] ?? done(n);
    },
    output: n,
    check: ({ calls }) => {
      expect(calls.at(-1)?.body.ctx.stack.stack).toEqual(["a", "nap", "b", "c"]);
      expect(calls.at(-1)?.body.steps["b"]).toEqual({ data: { n } });
    },
  };
}

/** Declares the tests of a table: its cases, the neighbours, and what the engine logged meanwhile. */
export function hostileTable(title: string, cases: readonly WireCase[], options: TableOptions = {}): void {
  const log = engineLog();
  const neighbours = Array.from({ length: NEIGHBOURS }, (_, n) => neighbour(n));
  runTable(title, [...neighbours, ...cases], {
    waitMs: 30_000,
    ...options,
    onLine: log.onLine,
    also: (world) => {
      options.also?.(world);
      it("SE-15: the engine logged no failure of its own", () => {
        expect(log.failures()).toEqual([]);
      });
    },
  });
}

/** In dev mode the object of a finished run leaves memory at once; a request it has at that moment goes to its next instance. */
const RELEASE = /The run has finished and leaves memory/;

/** What an engine logged. */
export interface EngineLog {
  readonly onLine: (line: RuntimeLine) => void;
  /** Lines that tell of a failure. */
  failures(): string[];
  /** All of it. */
  text(): string;
}

/** Collects what an engine logs. */
export function engineLog(): EngineLog {
  const lines: RuntimeLine[] = [];
  return {
    onLine: (line) => {
      lines.push(line);
    },
    failures: () =>
      lines
        .filter(({ level, text }) => level === "error" || /uncaught|unhandled|\b\w*Error\b/i.test(text))
        .map(({ text }) => text)
        .filter((text) => !RELEASE.test(text)),
    text: () => lines.map(({ text }) => text).join("\n"),
  };
}
