import { describe, expect, it, test } from "vitest";
import { RUN } from "../../../src/limits.ts";
import { parseCheckpoint } from "../../../src/protocol/checkpoint.ts";

const RUN_ID = "01M7XYNV5JQNGATXFY4P780S07";
const step = { id: "a", op: "StepRun", data: { v: 1 } };

const parse = (change: object = {}) =>
  parseCheckpoint(RUN_ID, {
    run_id: RUN_ID,
    fn_id: "f",
    qi_id: `${RUN_ID}.3`,
    generation_id: 2,
    steps: [step],
    ...change,
  });

describe("a checkpoint (protocol/09 §9.3)", () => {
  it("names the delivery it belongs to", () => {
    expect(parse()).toMatchObject({
      ok: true,
      checkpoint: { functionId: "f", job: 3, generation: 2, ops: [{ op: "run" }] },
    });
    const bare = parse({ run_id: undefined, fn_id: undefined, generation_id: undefined });
    expect(bare).toMatchObject({ ok: true, checkpoint: { functionId: null, job: 3, generation: null } });
  });

  test.each([
    ["no steps", { steps: undefined }],
    ["no queue item", { qi_id: undefined }],
    ["a queue item of another run", { qi_id: "01M7XYNV5JQNGATXFY4P780S08.3" }],
    ["a queue item that is none", { qi_id: `${RUN_ID}.x` }],
    ["another run", { run_id: "01M7XYNV5JQNGATXFY4P780S08" }],
    ["an operation that ends a call", { steps: [step, { id: "b", op: "Sleep", name: "1s" }] }],
    ["an operation nobody knows", { steps: [{ id: "b", op: "Dance" }] }],
    ["too many steps", { steps: Array.from({ length: RUN.checkpointSteps + 1 }, () => step) }],
  ])("with %s is refused", (_, change) => {
    expect(parse(change)).toMatchObject({ ok: false, code: "invalid_request" });
  });

  it("EX-13, row 26: a result at the limit is taken, one byte more is too large, so that it fails its step in the call's reply", () => {
    const text = "x".repeat(RUN.outputBytes - 2);
    expect(parse({ steps: [{ ...step, data: text }] })).toMatchObject({ ok: true });
    expect(parse({ steps: [step, { ...step, data: `${text}x` }] })).toMatchObject({
      ok: false,
      code: "request_too_large",
    });
  });
});
