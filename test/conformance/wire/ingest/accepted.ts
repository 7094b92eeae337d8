/**
 * What the Event API accepts and where it goes (EV-1 … EV-6, EV-8, EV-12, EV-14, EV-20, TR-5 … TR-8).
 */
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { eventOf, nestedEvent } from "./refusals.ts";
import { app, engine, MIB, ULID, ulidTime } from "./world.ts";

describe.concurrent("what is accepted", () => {
  it("EV-1: an empty array is accepted with no ids", async () => {
    expect((await engine.api("POST", "/e/test", [])).json).toEqual({ ids: [], status: 200 });
  });

  it("EV-1, EV-6: ids are ULIDs in input order, and find their events", async () => {
    const before = Date.now();
    const answer = await engine.api(
      "POST",
      "/e/test",
      ["a", "b", "c"].map((n) => ({ name: `in/order.${n}`, data: { n } })),
    );
    const { ids } = z
      .strictObject({ ids: z.array(z.string().regex(ULID)).length(3), status: z.literal(200) })
      .parse(answer.json);
    expect(await engine.event(ids[1] ?? "")).toMatchObject({
      name: "in/order.b",
      data: { n: "b" },
      internal_id: ids[1],
    });
    const times = ids.map(ulidTime);
    for (const time of times) expect(Math.abs(time - before)).toBeLessThan(5_000);
  });

  it.each([
    ["none", null],
    ["text/plain", "text/plain"],
    ["a form", "application/x-www-form-urlencoded"],
    ["nonsense", "no/thing; at=all"],
  ])("EV-2: JSON is read under the content type %s", async (_, type) => {
    const headers: Record<string, string> = type === null ? {} : { "content-type": type };
    const body = Buffer.from(`\n {"name":"in/typed","data":{}} `);
    const response = await fetch(`${engine.url}/e/test`, { method: "POST", headers, body });
    expect(await response.json()).toMatchObject({ status: 200, ids: [expect.stringMatching(ULID)] });
  });

  it.each([
    ["EV-20: with no key", "/e/"],
    ["EV-20: with no key and no slash", "/e"],
    ["EV-20: with any key", "/e/NO_EVENT_KEY_SET"],
  ])("%s, in dev mode", async (_, path) => {
    expect((await engine.api("POST", path, { name: "in/keyless" })).status).toBe(200);
  });

  it("EV-3: a name of 256 characters is kept byte for byte", async () => {
    const name = `in/${"ä😀 /*".repeat(100)}`.slice(0, 256);
    const wide = "😀".repeat(256);
    const [id = "", wideId = ""] = await engine.send([{ name }, { name: wide }]);
    expect((await engine.event(id)).name).toBe(name);
    expect((await engine.event(wideId)).name).toBe(wide);
  });

  it("EV-3: absent, null, 0 and empty fields get their defaults", async () => {
    const event = { name: "in/defaults", data: null, id: "", ts: 0, user: null, v: null, meta: null, unknown: 1 };
    const [id = ""] = await engine.send(event);
    const stored = await engine.event(id);
    expect(stored).toMatchObject({ internal_id: id, id, data: {}, user: {} });
    expect(stored["ts"]).toBe(Date.parse(String(stored["received_at"])));
    expect(stored).not.toHaveProperty("unknown");
  });

  it("EV-5: an event of exactly 1 MiB reaches its function whole", async () => {
    const event = eventOf(MIB, "in/big");
    const [id = ""] = await engine.send(event);
    await engine.ended(id);
    expect(app.callsOf("in-big")[0]?.body.event.data).toEqual(event.data);
  });

  it("EV-5: nesting of 100 levels is accepted", async () => {
    const answer = await engine.api("POST", "/e/test", nestedEvent(100, "in/deep"));
    expect(answer.json).toMatchObject({ status: 200 });
  });

  it("EV-5: 5,000 events in one request are accepted, each under an id of its own", async () => {
    const ids = await engine.send(Array.from({ length: 5_000 }, (_, n) => ({ name: "in/many", data: { n } })));
    expect(new Set(ids).size).toBe(5_000);
    const [first, last] = await Promise.all([engine.event(ids[0] ?? ""), engine.event(ids[4_999] ?? "")]);
    expect([first.data, last.data]).toEqual([{ n: 0 }, { n: 4_999 }]);
  });

  it("EV-14: a browser's pre-flight and request are answered for any origin", async () => {
    const origin = "https://page.example";
    const flight = await fetch(`${engine.url}/e/test`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-any",
      },
    });
    expect(flight.ok).toBe(true);
    expect(["*", origin]).toContain(flight.headers.get("access-control-allow-origin"));
    expect(flight.headers.get("access-control-allow-methods")).toContain("POST");
    expect(flight.headers.get("access-control-allow-headers")?.toLowerCase()).toMatch(/x-any|\*/);
    expect(flight.headers.get("access-control-max-age")).toBe("3600");
    const sent = await engine.api("POST", "/e/test", { name: "in/browser" }, { origin });
    expect(["*", origin]).toContain(sent.headers.get("access-control-allow-origin"));
    const refused = await engine.api("POST", "/e/test", "", { origin });
    expect(["*", origin]).toContain(refused.headers.get("access-control-allow-origin"));
  });

  it("API-4, protocol/12 §12.4: every reply names the server kind and a request id", async () => {
    for (const path of ["/health", "/v1/runs/nothing", "/no/such/route"]) {
      const { headers } = await engine.api("GET", path);
      expect(headers.get("x-inngest-server-kind"), path).toBe("dev");
      expect(headers.get("x-request-id"), path).toBeTruthy();
    }
    expect((await engine.api("GET", "/health")).json).toEqual({ status: 200, message: "OK" });
  });
});

describe.concurrent("where events go", () => {
  it("EV-8: the runs are listed by the first request after the send", async () => {
    const [id = ""] = await engine.send({ name: "in/three" });
    const runs = await engine.runsOf(id);
    expect(runs.map((run) => run.function_slug).sort()).toEqual(["in-first", "in-second", "in-third"]);
  });

  it("EV-12: outcomes name function and run, and an event that matches nothing has none", async () => {
    const [id = "", nobody = ""] = await engine.send([{ name: "in/three" }, { name: "in/nobody" }]);
    const runs = await engine.runsOf(id);
    const { outcomes } = await engine.event(id);
    const started = runs.map((run) => expect.objectContaining({ outcome: "started", run_id: run.run_id }));
    expect(outcomes).toHaveLength(3);
    expect(outcomes).toEqual(expect.arrayContaining(started));
    expect(await engine.event(nobody)).toMatchObject({ outcomes: [], duplicate: false });
  });

  it("TR-6, EV-12: a filter decides, and its failure is shown", async () => {
    const [yes = "", no = "", bad = ""] = await engine.send([
      { name: "in/if", data: { n: 2, text: 9 } },
      { name: "in/if", data: { n: 1, text: 9 } },
      { name: "in/if", data: { n: 1, text: { not: "a number" } } },
    ]);
    expect((await engine.runsOf(yes)).map((run) => run.function_slug)).toEqual(["in-if"]);
    expect(await engine.runsOf(no)).toEqual([]);
    expect((await engine.event(bad))["outcomes"]).toEqual([expect.objectContaining({ outcome: "expression_error" })]);
  });

  it("TR-8: a function whose triggers match twice runs once", async () => {
    const [id = ""] = await engine.send({ name: "in/twice.a" });
    expect(await engine.runsOf(id)).toHaveLength(1);
  });

  it("TR-5: a wildcard matches what begins like it, and not the engine's own events", async () => {
    const [longer = "", other = ""] = await engine.send([{ name: "in/twice.b.c" }, { name: "in/twiceb" }]);
    expect(await engine.runsOf(longer)).toHaveLength(1);
    expect(await engine.runsOf(other)).toEqual([]);
  });
});
