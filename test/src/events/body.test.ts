import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBody, splitEvents } from "../../../src/events/body.ts";
import { EVENT } from "../../../src/limits.ts";

/** A request whose body arrives in the given pieces. */
function request(...pieces: (string | Uint8Array<ArrayBuffer>)[]): { request: Request; cancelled: () => boolean } {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    },
    cancel() {
      cancelled = true;
    },
  });
  const init = { method: "POST", body, duplex: "half" as const };
  return { request: new Request("http://engine/e/key", init), cancelled: () => cancelled };
}

const codeOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
  return "accepted";
};

describe("readBody", () => {
  it("EV-2: joins the pieces, also where one ends inside a character", async () => {
    const bytes = new TextEncoder().encode('{"name":"größe"}');
    const cut = bytes.indexOf(0xc3) + 1;
    await expect(readBody(request(bytes.slice(0, cut), bytes.slice(cut)).request, 100)).resolves.toBe(
      '{"name":"größe"}',
    );
  });

  it.each([false, true])("EV-33: a byte order mark is dropped, unless it is to be kept: %s", async (keepMark) => {
    const bytes = new TextEncoder().encode("\ufeff{}");
    for (const whole of [request(bytes).request, request(bytes.slice(0, 2), bytes.slice(2)).request]) {
      expect(await readBody(whole, 10, { keepMark })).toBe(keepMark ? "\ufeff{}" : "{}");
    }
  });

  it("EV-5, row 26: accepts exactly the limit", async () => {
    await expect(readBody(request("12345", "67890").request, 10)).resolves.toBe("1234567890");
  });

  it("EV-5: stops reading at the limit and names it", async () => {
    const { request: large, cancelled } = request("12345", "678901", "never read", "never read");
    await expect(readBody(large, 10)).rejects.toMatchObject({
      code: "request_too_large",
      message: expect.stringContaining("limit is 10 bytes"),
    });
    expect(cancelled()).toBe(true);
  });

  it("EV-5: refuses an announced length without reading", async () => {
    const announced = new Request("http://engine/e/key", {
      method: "POST",
      headers: { "content-length": "11" },
      body: "12345678901",
    });
    await expect(readBody(announced, 10)).rejects.toMatchObject({ message: expect.stringContaining("11 bytes") });
    expect(announced.bodyUsed).toBe(false);
  });

  it("EV-2: refuses what is not UTF-8, also a character that is cut off", async () => {
    for (const bytes of [Uint8Array.of(0xff, 0x7b), Uint8Array.of(0x7b, 0xc3)]) {
      await expect(readBody(request(bytes).request, 10)).rejects.toMatchObject({ code: "body_invalid" });
    }
  });

  it("reads no body as empty text", async () => {
    await expect(readBody(new Request("http://engine/e/key", { method: "POST" }), 10)).resolves.toBe("");
  });
});

describe("splitEvents", () => {
  it.each([
    ["one object", ' \n{"name":"a"} ', ['{"name":"a"}']],
    ["an array", '[{"name":"a"}, {"name":"b"}]', ['{"name":"a"}', '{"name":"b"}']],
    ["an empty array", " [ ] ", []],
    [
      "brackets and quotes in strings",
      String.raw`[{"a":"]},{\"["},{"b":"\\"}]`,
      [String.raw`{"a":"]},{\"["}`, String.raw`{"b":"\\"}`],
    ],
  ])("EV-2: the first token decides: %s", (_, body, texts) => {
    expect(splitEvents(body)).toEqual(texts);
  });

  it.each(["", "  ", "null", "1", '"{}"', "name=a&data=b", "<html>", "true"])("EV-2: refuses %j", (body) => {
    expect(codeOf(() => splitEvents(body))).toBe("body_invalid");
  });

  it("EV-5: accepts 5,000 events and refuses 5,001, telling how many there are", () => {
    const events = (count: number) => `[${Array(count).fill("{}").join(",")}]`;
    expect(splitEvents(events(EVENT.perRequest))).toHaveLength(5000);
    expect(() => splitEvents(events(EVENT.perRequest + 1))).toThrow("5001 events; the limit is 5000");
    expect(codeOf(() => splitEvents(events(EVENT.perRequest + 1)))).toBe("too_many_events");
  });

  it("EV-5: accepts 100 levels in an event, in an array too, and names the event with 101", () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
    expect(splitEvents(nested(100))).toHaveLength(1);
    expect(splitEvents(`[${nested(100)}]`)).toHaveLength(1);
    expect(() => splitEvents(`[{},${nested(101)}]`)).toThrow("Event 1 is nested deeper than 100 levels");
    expect(codeOf(() => splitEvents(nested(101)))).toBe("event_invalid");
  });

  it("EV-5: does not exhaust the stack on a million brackets", () => {
    expect(codeOf(() => splitEvents("[".repeat(1_000_000)))).toBe("event_invalid");
  });

  it("EV-2: gives back every array that JSON can write", () => {
    const values = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), { maxLength: 5 });
    fc.assert(
      fc.property(values, fc.nat({ max: 3 }), (events, indent) => {
        const texts = splitEvents(JSON.stringify(events, null, indent));
        expect(texts.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(events)));
      }),
    );
  });

  it("EV-4: accepts exactly what a JSON parser accepts, whatever is damaged", () => {
    const token = fc.constantFrom("[", "]", "{", "}", ",", ":", '"', "\\", "1", "null", '"a"', " ", '{"a":1}', "[]");
    fc.assert(
      fc.property(fc.constantFrom("[", "{"), fc.array(token, { maxLength: 12 }), (first, rest) => {
        const body = first + rest.join("");
        const whole = codeOf(() => JSON.parse(body)) === "accepted";
        const parts = codeOf(() => splitEvents(body).map((text) => JSON.parse(text))) === "accepted";
        expect({ body, accepted: parts }).toEqual({ body, accepted: whole });
      }),
      { numRuns: 3000 },
    );
  });
});
