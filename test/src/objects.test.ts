import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import type { LineRef } from "../../src/decide/capacity/line.ts";
import { lineName } from "../../src/decide/capacity/line-order.ts";
import { capacityStub, eventIdStub, windowNamed, windowStub } from "../../src/objects.ts";

/** Bindings whose objects are their names. */
const named = { getByName: (name: string) => name };
const bindings = { WINDOW: named, CAPACITY: named } as unknown as Bindings;

const text = fc.string({ unit: "binary", maxLength: 200 });

describe("windowNamed", () => {
  it("a window knows from its name what it is, whatever its key is", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("rate-limit", "idempotency", "singleton", "debounce", "batch"),
        text,
        async (kind, key) => {
          const name = String(await windowStub(bindings, "env-1", kind, { functionId: "uuid-1", key }));
          expect(windowNamed(name)).toEqual({ environmentId: "env-1", kind, functionId: "uuid-1" });
        },
      ),
    );
  });

  it("a sender's id may look like anything", () => {
    for (const id of ["x", "singleton:uuid:=a", "", "line\nbreak"]) {
      const name = String(eventIdStub(bindings, "env-1", id));
      expect(windowNamed(name)).toEqual({ environmentId: "env-1", kind: "event-id", functionId: "" });
    }
    expect(windowNamed("env-1:other:x")).toBeNull();
  });
});

describe("capacityStub", () => {
  const line: fc.Arbitrary<LineRef> = fc
    .record({
      counts: fc.constantFrom("steps" as const, "runs" as const, "starts" as const),
      scope: fc.constantFrom("fn" as const, "env" as const, "account" as const),
      expression: fc.constantFrom(null, "event.data.a", "event.data.b"),
      key: fc.constantFrom("", "a", "b", "k".repeat(200)),
    })
    .map((ref) => ({ ...ref, functionId: ref.scope === "fn" ? "uuid-1" : "" }));

  it("two references lead to one object exactly when they are one line", async () => {
    await fc.assert(
      fc.asyncProperty(line, line, async (a, b) => {
        const [one, other] = [await capacityStub(bindings, "env-1", a), await capacityStub(bindings, "env-1", b)];
        expect(one === other).toBe(lineName(a) === lineName(b));
      }),
    );
  });

  it("FC-14: the account's ceiling is nobody's key, not even an empty one", async () => {
    const ceiling: LineRef = { counts: "steps", scope: "account", functionId: "", expression: null, key: "" };
    const stub = await capacityStub(bindings, "env-1", ceiling);
    expect(await capacityStub(bindings, "env-1", { ...ceiling, expression: "event.data.none" })).not.toBe(stub);
    expect(await capacityStub(bindings, "env-2", ceiling)).toBe(stub);
  });
});
