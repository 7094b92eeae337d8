import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { USERLAND } from "../../../src/limits.ts";
import { parseTraceExport } from "../../../src/protocol/otlp.ts";
import { decodeTraceRequest, encodeTraceResponse } from "../../../src/protocol/otlp-wire.ts";
import { readTraceparent, runIdOf, traceIdOf } from "../../../src/traces/context.ts";
import { attribute, type Field, fromHex, message } from "./otlp-bytes.ts";

const RUN = "01JD00000000000000000000RN";
const TRACE = "0123456789abcdef0123456789abcdef";
const PARENT = `00-${traceIdOf(RUN)}-0000000300000002-01`;

interface SpanParts {
  readonly attributes?: readonly (readonly Field[])[];
  readonly name?: string;
}

/** A request with one span, in protobuf. */
function exported({ attributes = [], name = "GET" }: SpanParts = {}): Uint8Array {
  const span: Field[] = [
    [1, fromHex(TRACE)],
    [2, fromHex("00000000000000aa")],
    [4, fromHex("00000000000000bb")],
    [5, name],
    [6, { varint: 3 }],
    [7, { fixed64: 1_800_000_000_000_500_000n }],
    [8, { fixed64: 1_800_000_000_002_000_000n }],
    ...attributes.map((one): Field => [9, one]),
    [
      11,
      [
        [1, { fixed64: 1_800_000_000_001_000_000n }],
        [2, "sent"],
        [3, attribute("n", "1")],
      ],
    ],
    [
      15,
      [
        [2, "it broke"],
        [3, { varint: 2 }],
      ],
    ],
    // A field of a later version.
    [99, "unknown"],
  ];
  const scoped: Field[] = [
    [
      1,
      [
        [1, "http"],
        [2, "0.1"],
      ],
    ],
    [2, span],
  ];
  const resource: Field[] = [
    [1, attribute("service.name", "shop")],
    [1, attribute("process.command_args", "--key=secret")],
  ];
  return message([
    [
      1,
      [
        [1, resource],
        [2, scoped],
      ],
    ],
  ]);
}

function spansOf(request: unknown, secrets: readonly string[] = []) {
  const parsed = parseTraceExport(request, secrets);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.spans;
}

const mine = [attribute("sdk.run.id", RUN), attribute("inngest.traceparent", PARENT)];

describe("API-34: OTLP", () => {
  it("is the same in protobuf and in JSON", () => {
    const bytes = exported({
      attributes: [
        ...mine,
        attribute("http.method", "GET"),
        [
          [1, "n"],
          [2, [[3, { varint: -5 }]]],
        ],
      ],
    });
    const json = {
      resourceSpans: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
          scopeSpans: [
            {
              scope: { name: "http", version: "0.1" },
              spans: [
                {
                  traceId: TRACE,
                  spanId: "00000000000000AA",
                  parentSpanId: "00000000000000bb",
                  name: "GET",
                  kind: 3,
                  startTimeUnixNano: "1800000000000500000",
                  endTimeUnixNano: "1800000000002000000",
                  attributes: [
                    { key: "sdk.run.id", value: { stringValue: RUN } },
                    { key: "inngest.traceparent", value: { stringValue: PARENT } },
                    { key: "http.method", value: { stringValue: "GET" } },
                    { key: "n", value: { intValue: -5 } },
                  ],
                  events: [
                    {
                      timeUnixNano: "1800000000001000000",
                      name: "sent",
                      attributes: [{ key: "n", value: { stringValue: "1" } }],
                    },
                  ],
                  status: { code: 2, message: "it broke" },
                },
              ],
            },
          ],
        },
      ],
    };
    const fromBytes = spansOf(decodeTraceRequest(bytes));
    expect(fromBytes).toEqual(spansOf(json));
    expect([...fromBytes.byRun]).toEqual([
      [
        RUN,
        [
          {
            id: "00000000000000aa",
            parentId: "00000000000000bb",
            name: "GET",
            kind: 3,
            startedAt: 1_800_000_000_000.5,
            endedAt: 1_800_000_000_002,
            failed: true,
            message: "it broke",
            attributes: { "http.method": "GET", n: -5 },
            resource: { "service.name": "shop" },
            scope: { name: "http", version: "0.1" },
            events: [{ name: "sent", at: 1_800_000_000_001, attributes: { n: "1" } }],
            stepId: null,
            delivery: { job: 3, generation: 2 },
          },
        ],
      ],
    ]);
  });

  it("reads every kind of value, and what is nested", () => {
    const value = (field: Field): readonly Field[] => [
      [1, "v"],
      [2, [field]],
    ];
    const attributes = [
      value([2, { varint: 1 }]),
      value([4, { double: 1.5 }]),
      value([
        5,
        [
          [1, [[1, "a"]]],
          [1, [[3, { varint: 2 }]]],
        ],
      ]),
      value([6, [[1, attribute("k", "w")]]]),
    ];
    const values = attributes.map((one) => {
      const [span] = [...spansOf(decodeTraceRequest(exported({ attributes: [...mine, one] }))).byRun.values()].flat();
      return span?.attributes["v"];
    });
    expect(values).toEqual([true, 1.5, ["a", 2], { k: "w" }]);
  });

  it("knows the run by the trace context alone, and counts spans of nobody's", () => {
    const byContext = spansOf(decodeTraceRequest(exported({ attributes: [attribute("inngest.traceparent", PARENT)] })));
    expect([...byContext.byRun.keys()]).toEqual([RUN]);
    expect(spansOf(decodeTraceRequest(exported()))).toEqual({ byRun: new Map(), strangers: 1 });
    expect(spansOf(decodeTraceRequest(exported({ attributes: mine, name: "inngest.execution" })))).toEqual({
      byRun: new Map(),
      strangers: 0,
    });
  });

  it("refuses what is malformed, and never fails otherwise", () => {
    expect(parseTraceExport({ resourceSpans: [{ scopeSpans: [{ spans: [{ spanId: "x" }] }] }] }, [])).toMatchObject({
      ok: false,
    });
    const whole = exported({ attributes: mine });
    expect(() => decodeTraceRequest(whole.subarray(0, whole.byteLength - 3))).toThrow(RangeError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          parseTraceExport(decodeTraceRequest(bytes), []);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
    let nested: Field = [1, "deep"];
    for (let i = 0; i < 200; i++) nested = [5, [[1, [nested]]]];
    const deep = exported({
      attributes: [
        ...mine,
        [
          [1, "v"],
          [2, [nested]],
        ],
      ],
    });
    expect(() => decodeTraceRequest(deep)).toThrow(/nested too deep/);
  });

  it("answers in protobuf how many were not kept", () => {
    expect(encodeTraceResponse(0, "")).toEqual(new Uint8Array());
    expect(encodeTraceResponse(300, "no")).toEqual(
      message([
        [
          1,
          [
            [1, { varint: 300 }],
            [2, "no"],
          ],
        ],
      ]),
    );
  });
});

describe("OB-13: secrets in spans", () => {
  it("are masked by name, by form, and where they are the deployment's own", () => {
    const attributes = [
      ...mine,
      attribute("http.request.header.authorization", "canary-1"),
      attribute("url.full", "https://user:canary-2@host/p?api_key=canary-3&page=2"),
      attribute("message", "sent Bearer canary-4444 to event-key-5"),
      attribute("db.statement", "SELECT 1"),
    ];
    const spans = spansOf(decodeTraceRequest(exported({ attributes })), ["event-key-5"]);
    const text = JSON.stringify([...spans.byRun]);
    expect(text).not.toMatch(/canary|event-key-5|--key=secret/);
    expect(text).toContain("SELECT 1");
    expect(text).toContain("page=2");
  });

  it("leave no part of themselves where a long text is cut", () => {
    const attributes = [...mine, attribute("t", `${"x".repeat(USERLAND.text - 4)} own-secret`)];
    const [span] = [...spansOf(decodeTraceRequest(exported({ attributes })), ["own-secret"]).byRun.values()].flat();
    expect(JSON.stringify(span)).not.toContain("own");
  });
});

describe("OB-14: trace context", () => {
  it("leads from a run to its trace and back", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/), (runId) => {
        expect(traceIdOf(runId)).toMatch(/^[0-9a-f]{32}$/);
        expect(runIdOf(traceIdOf(runId))).toBe(runId);
      }),
    );
    expect(readTraceparent(PARENT)).toEqual({ runId: RUN, delivery: { job: 3, generation: 2 } });
    for (const other of ["", "00-xyz", "garbage-00-00"]) expect(readTraceparent(other)).toBeNull();
  });
});
