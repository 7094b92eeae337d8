import { describe, expect, it, test } from "vitest";
import { metadataOfOp, parseMetadata } from "../../../src/protocol/metadata.ts";

describe("metadata (EX-72, protocol/06 §6.10)", () => {
  it("of an operation belongs to its step, unless its scope is the run", () => {
    const raw = [
      { kind: "userland.default", scope: "step", op: "set", values: { a: 1 } },
      { kind: "inngest.score", scope: "run", op: "merge", values: { q: { value: 1 } } },
      { kind: "", values: {} },
      "nonsense",
    ];
    expect(metadataOfOp("s", raw)).toEqual([
      { stepId: "s", kind: "userland.default", op: "set", values: { a: 1 } },
      { stepId: null, kind: "inngest.score", op: "merge", values: { q: { value: 1 } } },
    ]);
    expect(metadataOfOp("s", undefined)).toEqual([]);
  });

  test.each(["userland.default", "inngest.score", "inngest.experiment", "inngest.warnings"])(
    "a request may write %s, because SDKs do from outside a step",
    (kind) => {
      expect(parseMetadata({ metadata: [{ kind, op: "set", values: { a: 1 } }] })).toEqual({
        ok: true,
        changes: [{ stepId: null, kind, op: "set", values: { a: 1 } }],
      });
    },
  );

  test.each([
    ["a reserved kind", { metadata: [{ kind: "inngest.ai", values: {} }] }],
    ["a kind that only begins like one of the SDK's", { metadata: [{ kind: "inngest.scores", values: {} }] }],
    ["no metadata", { metadata: [] }],
    ["an unknown operation", { metadata: [{ kind: "userland.x", op: "multiply", values: {} }] }],
    ["no object", null],
  ])("a request with %s is refused", (_, body) => {
    expect(parseMetadata(body)).toMatchObject({ ok: false });
  });
});
