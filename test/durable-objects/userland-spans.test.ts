import { evictDurableObject } from "cloudflare:test";
import { Hono } from "hono";
import { beforeAll, describe, expect, it } from "vitest";
import type { Api } from "../../src/api/api.ts";
import { userland } from "../../src/api/userland.ts";
import { counters } from "../../src/counters.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { ERRORS, MillraceError } from "../../src/errors.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { newUlid } from "../../src/ids.ts";
import { USERLAND } from "../../src/limits.ts";
import { runStub } from "../../src/objects.ts";
import { traceOf } from "../../src/runs/trace.ts";
import { settingsOf } from "../../src/settings.ts";
import { identity } from "../src/decide/run/run.ts";
import { attribute, type Field, fromHex, message } from "../src/protocol/otlp-bytes.ts";
import { bindings } from "./records.ts";

const app = new Hono<Api>();
app.use(async (context, next) => {
  context.set("settings", settingsOf(context.env));
  await next();
});
app.route("/", userland);
app.onError((error, context) => {
  if (!(error instanceof MillraceError)) throw error;
  return context.json({ code: error.code }, ERRORS[error.code].status ?? 500);
});

/** A run that its object holds and that will not begin soon. */
async function startLater(): Promise<string> {
  const runId = newUlid(Date.now());
  const now = Date.now();
  await runStub(bindings, LOCAL.id, runId).start({
    ...identity({ environmentId: LOCAL.id, runId }),
    queuedAt: now,
    startAt: now + 3_600_000,
  });
  return runId;
}

const span = (runId: string, id: number, text = "") => ({
  traceId: "1".repeat(32),
  spanId: id.toString(16).padStart(16, "0"),
  name: `span ${id}`,
  startTimeUnixNano: "1800000000000000000",
  endTimeUnixNano: "1800000000000000000",
  attributes: [
    { key: "sdk.run.id", value: { stringValue: runId } },
    { key: "text", value: { stringValue: text } },
  ],
});

const request = (...spans: object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

async function post(body: BodyInit, headers: Record<string, string> = {}, path = "/v1/traces/userland") {
  return await app.request(path, { method: "POST", body, headers }, bindings);
}

const json = (body: object) => post(JSON.stringify(body), { "content-type": "application/json" });

async function spansOf(runId: string) {
  const trace = await traceOf(bindings, LOCAL.id, runId);
  return { names: trace?.spans.filter(({ kind }) => kind === "userland").map(({ name }) => name), trace };
}

beforeAll(() => ensureSchema(bindings.DB));

describe("API-34: spans of apps", () => {
  it("are kept once, as one row for each export that brings something new", async () => {
    const runId = await startLater();
    const before = counters.rowsWritten;
    expect(await (await json(request(span(runId, 1), span(runId, 2)))).json()).toEqual({});
    const first = counters.rowsWritten - before;
    expect((await json(request(span(runId, 1), span(runId, 2)))).status).toBe(200);
    expect(counters.rowsWritten - before).toBe(first);
    expect((await post(JSON.stringify(request(span(runId, 3))), {}, "/dev/traces")).status).toBe(200);
    expect(counters.rowsWritten - before).toBe(first + 1);
    expect((await spansOf(runId)).names).toEqual(["span 1", "span 2", "span 3"]);
  });

  it("are taken in protobuf and compressed, and answered in kind", async () => {
    const runId = await startLater();
    const bytes = (id: string, run: string) => {
      const fields: Field[] = [
        [1, fromHex("ab".repeat(16))],
        [2, fromHex(id)],
        [5, "binary"],
        [7, { fixed64: 1n }],
        [8, { fixed64: 2n }],
      ];
      return message([[1, [[2, [[2, [...fields, [9, attribute("sdk.run.id", run)]]]]]]]]);
    };
    const zipped = new Response(bytes("00000000000000cc", runId)).body?.pipeThrough(new CompressionStream("gzip"));
    const type = { "content-type": "application/x-protobuf" };
    const taken = await post(await new Response(zipped).arrayBuffer(), { ...type, "content-encoding": "gzip" });
    expect([taken.status, taken.headers.get("content-type"), (await taken.arrayBuffer()).byteLength]).toEqual([
      200,
      "application/x-protobuf",
      0,
    ]);
    expect((await spansOf(runId)).names).toEqual(["binary"]);
    const nobody = await post(bytes("00000000000000dd", newUlid(1)), type);
    expect((await nobody.arrayBuffer()).byteLength).toBeGreaterThan(0);
    expect(await (await json(request(span(newUlid(1), 1)))).json()).toMatchObject({
      partialSuccess: { rejectedSpans: 1 },
    });
  });

  it("are refused when they are malformed or too large", async () => {
    expect((await post("{")).status).toBe(400);
    expect((await post('{"resourceSpans": 1}')).status).toBe(400);
    expect((await post(new Uint8Array([255]), { "content-type": "application/x-protobuf" })).status).toBe(400);
    expect((await post("{}", { "content-encoding": "br" })).status).toBe(400);
    expect((await post("no gzip", { "content-encoding": "gzip" })).status).toBe(400);
    expect((await post(" ".repeat(USERLAND.requestBytes + 1))).status).toBe(413);
    const bomb = new Response(" ".repeat(USERLAND.requestBytes + 1)).body?.pipeThrough(new CompressionStream("gzip"));
    expect((await post(await new Response(bomb).arrayBuffer(), { "content-encoding": "gzip" })).status).toBe(413);
  });

  it("beyond a run's limits are counted, not kept, and what is kept is found again by another instance", async () => {
    const runId = await startLater();
    const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => span(runId, from + i));
    await json(request(...ids(1, 991)));
    await json(request(...ids(991, 1021)));
    await evictDurableObject(runStub(bindings, LOCAL.id, runId));
    const { trace, names } = await spansOf(runId);
    expect(names).toHaveLength(USERLAND.spans);
    expect(trace).toMatchObject({ droppedSpans: 20 });
    expect(trace?.spans[0]?.warnings).toEqual(["spans_dropped"]);

    const other = await startLater();
    const large = "x".repeat(8000);
    for (let batch = 0; batch < 15; batch++) {
      await json(request(...Array.from({ length: 10 }, (_, i) => span(other, batch * 10 + i + 1, large))));
    }
    const kept = await spansOf(other);
    expect(kept.names?.length).toBeLessThan(150);
    expect((kept.names?.length ?? 0) + (kept.trace?.droppedSpans ?? 0)).toBe(150);
  });
});
