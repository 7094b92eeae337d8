/**
 * Durable endpoints through the official SDK v4 and its own clients (EX-68 … EX-70): what their callers get, what the engine keeps.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fetch as fetchAsStep, NonRetriableError, step } from "inngest";
import { stream } from "inngest/experimental/durable-endpoints";
import { fetchWithStream } from "inngest/experimental/durable-endpoints/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import "../harness/one-process.ts";
import { hasEnded, type RunJson, startTestEngine, type TestEngine } from "../harness/engine.ts";
import { type EndpointApp, type EndpointOptions, serveEndpoints } from "./serve.ts";

const WAIT = 3000;
let engine: TestEngine;
const apps: EndpointApp[] = [];

beforeAll(async () => {
  engine = await startTestEngine({
    bindings: { MILLRACE_ENDPOINT_WAIT: `${WAIT}ms`, MILLRACE_ENDPOINT_LEASE: "2s" },
  });
});
afterAll(async () => {
  for (const app of apps) await app.stop();
  await engine.stop();
});

async function serve(options: EndpointOptions = {}): Promise<EndpointApp> {
  const app = await serveEndpoints(engine, options);
  apps.push(app);
  return app;
}

const firstSchema = z.object({ run_id: z.string() });
const replySchema = z.object({
  data: z.object({
    fn_id: z.string(),
    app_id: z.string(),
    run_id: z.string(),
    token: z.string().optional(),
    realtime_token: z.string(),
  }),
});

/** The reply to the first checkpoint of an app's only run. */
const born = (app: EndpointApp) => replySchema.parse(JSON.parse(app.checkpoints[0]?.reply ?? "null")).data;
const runIds = (app: EndpointApp) => [
  ...new Set(
    app.checkpoints
      .filter(({ url }) => url.endsWith("/checkpoint"))
      .map(({ body }) => firstSchema.parse(JSON.parse(body)).run_id),
  ),
];

/** The only run of an app, once it has ended. */
function ended(app: EndpointApp): Promise<RunJson> {
  return engine.until(async () => {
    const [runId, ...others] = runIds(app);
    if (runId === undefined || others.length > 0) throw new Error(`one run was expected, not ${runIds(app).join()}`);
    const run = await engine.run(runId);
    return hasEnded(run) ? run : null;
  });
}

async function memo(runId: string): Promise<unknown[]> {
  const { json } = await engine.api("GET", `/v0/runs/${runId}/actions`);
  return Object.values(z.record(z.string(), z.unknown()).parse(json));
}

describe("an endpoint that its handler finishes", () => {
  it("EX-68: its caller gets the response directly; run, step, app and function are listed", async () => {
    const app = await serve();
    app.on("/greet", async () => {
      const who = await step.run("who", () => "u1");
      return new Response(`hi ${who}`, { status: 201, headers: { "x-a": "b" } });
    });
    const response = await fetch(`${app.origin}/greet?x=1`);
    expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([201, "b", "hi u1"]);
    const run = await ended(app);
    const host = new URL(app.origin).host;
    expect(run).toMatchObject({
      status: "Completed",
      event_name: "inngest/http.request",
      function_slug: `${host}-GET /greet`,
      function_id: born(app).fn_id,
      app_id: born(app).app_id,
    });
    expect(await memo(run.run_id)).toEqual([{ data: "u1" }]);
    expect(app.entries("/greet")).toEqual([]);
    const listed = await engine.api("GET", `/v1/apps/${encodeURIComponent(host)}/functions`);
    expect(listed.json).toMatchObject([{ name: "GET /greet", url: `${app.origin}/greet`, triggers: [] }]);
    const apps = z
      .object({ data: z.array(z.looseObject({ id: z.string() })) })
      .parse((await engine.api("GET", "/v1/apps")).json);
    expect(apps.data.find(({ id }) => id === born(app).app_id)).toMatchObject({
      name: host,
      method: "API",
      function_count: 1,
    });
    const { json } = await engine.api("GET", `/v1/events/${run.event_id}`);
    expect(json).toMatchObject({
      data: { name: "inngest/http.request", data: { path: "/greet", query_params: "x=1" } },
    });
  });

  it("EX-68: one without steps is recorded too, and one with an id of its own has that id", async () => {
    const app = await serve({ functionId: "ping" });
    app.on("/any/123", () => Response.json({ ok: true }));
    expect(await (await fetch(`${app.origin}/any/123`)).json()).toEqual({ ok: true });
    expect(await ended(app)).toMatchObject({ status: "Completed", function_slug: `${new URL(app.origin).host}-ping` });
  });

  it("EX-66: the step a handler could not finish is executed by the engine's call, once its silence is too long", async () => {
    const app = await serve();
    let entered = 0;
    let first = 0;
    app.on("/stuck", async () => {
      await step.run("first", () => ++first);
      if (++entered === 1) await new Promise(() => {});
      return new Response(`entered ${entered}`);
    });
    const caller = fetch(`${app.origin}/stuck`, { signal: AbortSignal.timeout(1000) });
    await expect(caller).rejects.toThrow("timeout");
    const run = await ended(app);
    expect(run.status).toBe("Completed");
    expect([first, app.entries("/stuck").length]).toEqual([1, 1]);
  });
});

describe("an endpoint that goes asynchronous", () => {
  it("SC-101: the caller is sent to the engine, which answers with the endpoint's response: EX-68, EX-69, EX-70", async () => {
    const app = await serve();
    let authenticated = 0;
    app.on("/rest", async () => {
      const who = await step.run("authenticate", () => `u${++authenticated}`);
      await step.sleep("s", "2s");
      return new Response(`done ${who}`);
    });
    const began = Date.now();
    const response = await fetch(`${app.origin}/rest`, { redirect: "follow" });
    expect([response.status, await response.text()]).toEqual([200, "done u1"]);
    const took = Date.now() - began;
    expect(took).toBeGreaterThanOrEqual(1900);
    expect(took).toBeLessThan(5000);
    expect(response.url).toContain(`${engine.url}/v1/http/runs/${born(app).run_id}/output?token=`);
    const run = await ended(app);
    expect(run.status).toBe("Completed");
    expect(await memo(run.run_id)).toEqual(expect.arrayContaining([{ data: "u1" }, null]));
    expect(authenticated).toBe(1);
  });

  it("EX-69: status, headers and body are the endpoint's own", async () => {
    const app = await serve();
    app.on("/none", async () => {
      await step.sleep("s", "10ms");
      const headers = { "content-type": "text/html", "x-a": "b", "set-cookie": "a=b" };
      return new Response("<p>none</p>", { status: 404, headers });
    });
    const response = await fetch(`${app.origin}/none`);
    expect([response.status, await response.text()]).toEqual([404, "<p>none</p>"]);
    expect([response.headers.get("content-type"), response.headers.get("x-a")]).toEqual(["text/html", "b"]);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(response.headers.get("content-security-policy")).toContain("sandbox");
  });

  it("protocol/09 §9.4: the engine repeats the user's request, body and query included", async () => {
    const app = await serve();
    app.on("/order", async () => {
      await step.sleep("s", "10ms");
      return Response.json({ ok: true });
    });
    const headers = { "content-type": "application/json" };
    const sent = { method: "POST", headers, body: '{"b": 1, "a": [2]}' };
    const response = await fetch(`${app.origin}/order?x=1&y=a%20b`, sent);
    expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
    const [entry] = app.entries("/order");
    expect(entry).toMatchObject({ method: "POST", url: `${app.origin}/order?x=1&y=a+b` });
    expect(entry?.headers.get("content-type")).toBe("application/json");
    expect(entry?.headers.get("x-inngest-signature")).toBe("");
    expect(entry?.headers.get("x-run-id")).toBe(born(app).run_id);
  });

  it("EX-10, EX-20: a step's error is retried by entering again, and only that step is repeated", async () => {
    const app = await serve();
    const ran: string[] = [];
    app.on("/retry", async () => {
      await step.run("a", () => void ran.push("a"));
      await step.run("b", () => {
        ran.push("b");
        if (ran.filter((name) => name === "b").length < 3) throw new Error("not yet");
      });
      return new Response(ran.join());
    });
    expect(await (await fetch(`${app.origin}/retry`)).text()).toBe("a,b,b,b");
    expect((await ended(app)).status).toBe("Completed");
  });

  it("EX-26: a step that failed for good is thrown into the handler", async () => {
    const app = await serve();
    app.on("/catch", async () => {
      const caught = await step
        .run("boom", () => {
          throw new NonRetriableError("never");
        })
        .catch((error: Error) => error.message);
      return new Response(String(caught));
    });
    expect(await (await fetch(`${app.origin}/catch`)).text()).toBe("never");
  });

  it("EX-29, EX-69: a run that fails answers 500 with its error", async () => {
    // The SDK takes this for the number of attempts; the engine, which is told the same number, for retries.
    const app = await serve({ retries: 2 });
    let entered = 0;
    app.on("/fail", async () => {
      entered++;
      await step.run("a", () => 1);
      throw new Error("bad luck");
    });
    const response = await fetch(`${app.origin}/fail`);
    expect([response.status, await response.json()]).toMatchObject([500, { name: "Error", message: "bad luck" }]);
    expect((await ended(app)).status).toBe("Failed");
    expect(entered).toBe(3);
  });

  it("EX-31: parallel steps are made by the engine", async () => {
    const app = await serve();
    app.on("/parallel", async () => {
      return Response.json(await Promise.all(["p", "q", "r"].map((name) => step.run(name, () => name))));
    });
    expect(await (await fetch(`${app.origin}/parallel`)).json()).toEqual(["p", "q", "r"]);
  });

  it("EX-41, EX-57: it may wait for an event, and have a request made by the engine", async () => {
    const app = await serve();
    let asked = 0;
    app.raw("/upstream", () => Response.json({ asked: ++asked }));
    app.on("/mixed", async () => {
      const upstream = await fetchAsStep(`${app.origin}/upstream`);
      const event = await step.waitForEvent("paid", { event: "endpoint/paid", timeout: "1m" });
      return Response.json({ upstream: await upstream.json(), paid: event?.data });
    });
    const response = fetch(`${app.origin}/mixed`);
    await engine.until(async () => {
      const [runId] = runIds(app);
      return (await engine.api("GET", `/v1/runs/${runId}/jobs`)).text.includes('"wait"');
    });
    // The run shows its wait as soon as it has decided on it; registering it takes a moment more.
    await sleep(300);
    await engine.send({ name: "endpoint/paid", data: { by: "u1" } });
    expect(await (await response).json()).toEqual({ upstream: { asked: 1 }, paid: { by: "u1" } });
  });

  it("EX-70: after its time the URL answers 202, and can be asked again", async () => {
    const app = await serve();
    app.on("/long", async () => {
      await step.sleep("s", "4s");
      return new Response("at last");
    });
    const began = Date.now();
    const running = await fetch(`${app.origin}/long`);
    expect([running.status, await running.json()]).toMatchObject([202, { data: { status: "running" } }]);
    expect(Date.now() - began).toBeGreaterThanOrEqual(WAIT - 100);
    const done = await fetch(running.url);
    expect([done.status, await done.text()]).toEqual([200, "at last"]);
    expect(await (await fetch(running.url.replace("/v1/http/runs/", "/v1/checkpoint/"))).text()).toBe("at last");
  });

  it("the app may show the result at a place of its own, through the SDK's proxy", async () => {
    const app = await serve({ asyncRedirectUrl: "/poll" });
    app.on("/text", async () => {
      await step.sleep("s", "10ms");
      return new Response("plain text");
    });
    // The adapter's own type, which the client's generic one does not know.
    app.raw("/poll", app.client.endpointProxy() as (request: Request) => Promise<Response>);
    const response = await fetch(`${app.origin}/text`);
    expect(response.url).toContain(`${app.origin}/poll?runId=`);
    expect([response.status, await response.text()]).toEqual([200, "plain text"]);
  });
});

describe("the stream of server-sent events", () => {
  it("protocol/09 §9.4: the SDK's client follows it into the engine and gets data and response", async () => {
    const app = await serve();
    app.on("/stream", async () => {
      await step.run("a", () => stream.push({ n: 1 }));
      await step.sleep("s", "1s");
      await step.run("b", () => stream.push("two"));
      return new Response("end", { status: 203, headers: { "x-a": "b" } });
    });
    const data: unknown[] = [];
    const response = await fetchWithStream(`${app.origin}/stream`, { onData: (pushed) => data.push(pushed.data) });
    expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([203, "b", "end"]);
    expect(data).toEqual([{ n: 1 }, "two"]);
    expect((await ended(app)).status).toBe("Completed");
  });

  it("who follows it after the end gets the response; a token for results or none does not do", async () => {
    const app = await serve();
    app.on("/late", async () => {
      await step.sleep("s", "10ms");
      return new Response("end", { status: 203 });
    });
    expect((await fetch(`${app.origin}/late`)).status).toBe(203);
    const { token, realtime_token } = born(app);
    const sse = (by: string) => fetch(`${engine.url}/v1/realtime/sse?token=${by}`);
    const late = await sse(realtime_token);
    expect(late.headers.get("content-type")).toBe("text/event-stream");
    expect(await late.text()).toMatch(/^event: inngest\.response\ndata: .*"statusCode":203.*\n\n$/);
    for (const other of [token ?? "", "", "x.y.z"]) expect((await sse(other)).status).toBe(401);
  });
});

describe("what is refused", () => {
  /** A run that has ended, and one that sleeps. */
  async function two() {
    const app = await serve();
    app.on("/ended", async () => Response.json(await step.run("a", () => 1)));
    app.on("/sleeping", async () => {
      await step.run("a", () => 1);
      await step.sleep("s", "1h");
      return new Response();
    });
    await fetch(`${app.origin}/ended`);
    await ended(app);
    await fetch(`${app.origin}/sleeping`, { redirect: "manual" });
    const replies = app.checkpoints.filter(({ url }) => url.endsWith("/checkpoint"));
    const [over, asleep] = replies.map(({ reply }) => replySchema.parse(JSON.parse(reply)).data);
    if (over === undefined || asleep === undefined) throw new Error("two runs were expected");
    return { app, over, asleep };
  }

  it("SE-17, EX-70: a result without a token for exactly that run", async () => {
    const { over, asleep } = await two();
    const output = (token: string) => fetch(`${engine.url}/v1/http/runs/${over.run_id}/output?token=${token}`);
    for (const token of ["", "x", asleep.token ?? "", over.realtime_token, `${over.token}x`]) {
      expect([token, (await output(token)).status]).toEqual([token, 401]);
    }
    expect((await fetch(`${engine.url}/v1/http/runs/${over.run_id}/output`)).status).toBe(401);
    expect((await output(over.token ?? "")).status).toBe(200);
  });

  it("protocol/09 §9.4: checkpoints of runs that are unknown, ended or another's", async () => {
    const { over, asleep } = await two();
    const steps = [{ op: "StepRun", id: "zz", displayName: "zz", data: 1 }];
    const unknown = "01HZZZZZZZZZZZZZZZZZZZZZZZ";
    const post = async (runId: string, body: object, prefix = "/v1/checkpoint") =>
      (await engine.api("POST", `${prefix}/${runId}/steps`, { fn_id: over.fn_id, run_id: runId, steps, ...body }))
        .status;
    expect(await post(unknown, {})).toBe(404);
    expect(await post("nonsense", {})).toBe(404);
    expect(await post(over.run_id, {})).toBe(409);
    expect(await post(over.run_id, {}, "/v1/http/runs")).toBe(409);
    expect(await post(asleep.run_id, {})).toBe(404);
    expect(await post(asleep.run_id, { fn_id: asleep.fn_id })).toBe(409);
    expect(await post(asleep.run_id, { fn_id: asleep.fn_id, steps: [{ op: "Dance", id: "x" }] })).toBe(400);
    expect(await post(asleep.run_id, { fn_id: asleep.fn_id, run_id: over.run_id })).toBe(400);
    expect((await engine.api("POST", `/v1/checkpoint/${asleep.run_id}/steps`, "{")).status).toBe(400);
    expect((await engine.run(asleep.run_id)).status).toBe("Running");
  });

  it("a first checkpoint that is malformed, or repeats the id of another run", async () => {
    const { app, over } = await two();
    const body = JSON.parse(app.checkpoints[0]?.body ?? "");
    const post = (over: object) => engine.api("POST", "/v1/checkpoint", { ...body, ...over });
    const again = await post({});
    expect([again.status, replySchema.parse(again.json).data.fn_id]).toEqual([200, over.fn_id]);
    const other = { ...body.event, data: { ...body.event.data, path: "/other" } };
    expect((await post({ event: other })).status).toBe(409);
    expect((await post({ run_id: "nonsense" })).status).toBe(400);
    expect((await post({ event: { name: "shop/x", data: {} } })).status).toBe(400);
    const fresh = await post({ run_id: "01HZZZZZZZZZZZZZZZZZZZZZZY", steps: [] });
    expect([fresh.status, replySchema.parse(fresh.json).data.token]).toEqual([200, undefined]);
  });
});

describe("a bad network", () => {
  it("EX-4, EX-10: every reply to a checkpoint is lost once, and nothing happens twice", async () => {
    const seen = new Set<string>();
    const app = await serve({
      intercept: (request, reply) => {
        const key = `${request.url}`;
        if (reply === null || seen.has(key)) return null;
        seen.add(key);
        return new Response("lost", { status: 502 });
      },
    });
    const ran: string[] = [];
    app.on("/lossy", async () => {
      await step.run("a", () => void ran.push("a"));
      await step.run("b", () => {
        ran.push("b");
        if (ran.length < 3) throw new Error("once");
      });
      return new Response(ran.join());
    });
    const response = await fetch(`${app.origin}/lossy`);
    expect([response.status, await response.text()]).toEqual([200, "a,b,b"]);
    expect(app.checkpoints.map(({ status }) => status)).toEqual([502, 200, 502, 200]);
    expect((await ended(app)).status).toBe("Completed");
  });

  it("faults.md: the engine is killed while the run sleeps; the result comes all the same", async () => {
    const app = await serve();
    app.on("/killed", async () => {
      await step.sleep("s", "2s");
      return new Response("survived", { status: 202 });
    });
    const redirect = await fetch(`${app.origin}/killed`, { redirect: "manual" });
    const url = redirect.headers.get("location") ?? "";
    await sleep(200);
    await engine.kill();
    await engine.boot();
    const response = await engine.until(async () => {
      const answer = await fetch(url);
      return answer.status === 202 && answer.headers.get("content-type") === "application/json" ? null : answer;
    });
    expect([response.status, await response.text()]).toEqual([202, "survived"]);
  });
});
