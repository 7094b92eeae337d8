import { describe, expect, it } from "vitest";
import { editedOptions, editFault } from "../../../src/protocol/edited-request.ts";
import { opsSchema } from "../../../src/protocol/opcodes.ts";

/** The label of a step as an SDK announces it. */
function labelOf(op: Record<string, unknown>) {
  const [parsed] = opsSchema.parse([{ id: "s", displayName: "s", ...op }]);
  if (parsed === undefined || !("label" in parsed)) throw new Error("no step");
  return parsed.label;
}

const wrap = labelOf({ op: "StepRun", opts: { type: "step.ai.wrap", input: ["one"] }, data: 1 });
const infer = labelOf({ op: "AIGateway", opts: { type: "step.ai.infer", url: "https://ai.example", body: {} } });
const fetched = labelOf({ op: "Gateway", opts: { url: "https://x.example", method: "GET" } });

describe("CR-27: another input for a step", () => {
  it("only steps that were given arguments can be given others", () => {
    expect([wrap, infer, fetched].map(({ takes }) => takes)).toEqual(["arguments", "request", "request"]);
    for (const op of [
      { op: "StepRun", opts: {}, data: 1 },
      { op: "StepRun", opts: { input: [] }, data: 1 },
      { op: "Sleep", name: "1s", opts: {} },
      { op: "WaitForEvent", name: "a/b", opts: { timeout: "1s" } },
      { op: "InvokeFunction", opts: { function_id: "f", payload: {} } },
    ]) {
      expect(editFault(labelOf(op), ["x"])).toContain("no arguments");
    }
    expect(editFault(wrap, [])).toBeNull();
  });

  it("a planned step says so before it was executed", () => {
    expect(labelOf({ op: "StepPlanned", opts: { input: [1, 2] } }).takes).toBe("arguments");
    expect(labelOf({ op: "StepError", opts: { input: [1] }, error: { name: "E", message: "m" } }).takes).toBe(
      "arguments",
    );
  });

  it("requests take the arguments of their tool", () => {
    expect(editFault(infer, [{ messages: [] }])).toBeNull();
    expect(editFault(infer, ["hello"])).toContain("an object");
    expect(editFault(fetched, ["https://y.example"])).toBeNull();
    expect(editFault(fetched, ["https://y.example", { method: "POST" }])).toBeNull();
    expect(editFault(fetched, [])).toContain("a URL");
    expect(editFault(fetched, ["https://y.example", "POST"])).toContain("a URL");
  });

  it("of a prompt fields are replaced, and how the provider is spoken to stays", () => {
    const given = { url: "https://ai.example", auth_key: "secret", body: { model: "m", messages: ["old"] } };
    expect(editedOptions("ai", given, [{ messages: ["new"] }])).toEqual({
      ...given,
      body: { model: "m", messages: ["new"] },
    });
  });

  it("of a request URL, method and body are replaced, and headers that are not named stay", () => {
    const given = { url: "https://x.example", method: "GET", headers: { authorization: "secret", "x-a": "1" } };
    expect(editedOptions("gateway", given, ["https://y.example"])).toEqual({ ...given, url: "https://y.example" });
    const init = { method: "POST", body: "{}", headers: { "x-a": "2" } };
    expect(editedOptions("gateway", given, ["https://y.example", init])).toEqual({
      url: "https://y.example",
      method: "POST",
      body: "{}",
      headers: { authorization: "secret", "x-a": "2" },
    });
  });
});
