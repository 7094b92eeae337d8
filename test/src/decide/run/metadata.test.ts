import { describe, expect, it } from "vitest";
import { isWithinMetadata, metadataOf } from "../../../../src/decide/run/metadata.ts";
import type { MetadataChange } from "../../../../src/protocol/metadata.ts";
import { ran, TestRun } from "./run.ts";

const change = (values: MetadataChange["values"], over: Partial<MetadataChange> = {}): MetadataChange => ({
  stepId: null,
  kind: "userland.a",
  op: "merge",
  values,
  ...over,
});

describe("metadata (EX-72)", () => {
  it("what an operation carries is kept with its step, once", () => {
    const run = new TestRun();
    const variant = change({ variant: "b" }, { stepId: "pick", kind: "inngest.experiment", op: "set" });
    run.ops([{ ...ran("pick"), metadata: [variant] } as ReturnType<typeof ran>]);
    run.ops([{ ...ran("pick"), metadata: [variant] } as ReturnType<typeof ran>, ran("next")]);
    expect(run.state.metadata).toHaveLength(1);
    expect(metadataOf(run.state)).toEqual([{ step_id: "pick", kind: "inngest.experiment", values: { variant: "b" } }]);
  });

  it("set replaces, merge adds, delete removes, each target and kind for itself", () => {
    const run = new TestRun();
    const changes = [
      change({ a: 1, b: 2 }),
      change({ b: 3 }),
      change({ a: 0 }, { op: "delete" }),
      change({ x: 1 }, { stepId: "s" }),
      change({ y: 2 }, { stepId: "s", op: "set" }),
    ];
    run.take({ kind: "annotated", changes });
    expect(metadataOf(run.state)).toEqual([
      { step_id: null, kind: "userland.a", values: { b: 3 } },
      { step_id: "s", kind: "userland.a", values: { y: 2 } },
    ]);
  });

  it("64 KiB per entry and 1 MiB per run; what exceeds them is left out", () => {
    const run = new TestRun();
    const filling = (bytes: number) => change({ v: "x".repeat(bytes - 8) });
    expect(isWithinMetadata(run.state, [filling(64 * 1024)])).toBe(true);
    expect(isWithinMetadata(run.state, [filling(64 * 1024 + 1)])).toBe(false);
    run.take({ kind: "annotated", changes: Array.from({ length: 20 }, () => filling(64 * 1024)) });
    expect(run.state.metadata).toHaveLength(16);
  });

  it("can be written after the run's end", () => {
    const run = new TestRun();
    run.output("done");
    expect(run.take({ kind: "annotated", changes: [change({ score: 1 })] })).toBe(true);
    expect(run.state.outcome?.output).toBe("done");
  });
});
