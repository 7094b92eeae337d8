import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { changeOf, followApps, type SyncOutcome, syncApp } from "../../cli/sync.ts";

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** Serves `listener` on a free port, or on `port`; answers the port. */
async function serve(listener: RequestListener, port = 0): Promise<number> {
  const server = createServer(listener);
  open.push(server);
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return (address satisfies AddressInfo).port;
}

const answer =
  (status: number, headers: Record<string, string>, body: string): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, headers).end(body);
  };

const DEV = { "x-inngest-sdk": "inngest-js:v4.24.0", "x-inngest-sdk-handled": "true" };
const CLOUD = { "x-inngest-sdk-handled": "true" };

describe("syncApp", () => {
  const cases: readonly [string, RequestListener, SyncOutcome][] = [
    ["an app that registered", answer(200, DEV, '{"message":"ok","modified":true}'), { kind: "synced", changed: true }],
    ["one that had nothing new", answer(200, DEV, '{"modified":false}'), { kind: "synced", changed: false }],
    ["one whose reply is no JSON", answer(200, DEV, "fine"), { kind: "synced", changed: true }],
    ["an invalid configuration", answer(400, DEV, '{"message":"bad cron"}'), { kind: "refused", reason: "bad cron" }],
    [
      "an app in cloud mode",
      answer(401, CLOUD, '{"message":"Unauthorized"}'),
      { kind: "refused", reason: "Unauthorized (the app is in cloud mode; start it with INNGEST_DEV=1)" },
    ],
    [
      "a page of another program",
      answer(404, {}, "<html>"),
      { kind: "refused", reason: "404, and no Inngest SDK answers there" },
    ],
    ["a connection cut off", (request) => request.socket.destroy(), { kind: "unreachable", reason: "UND_ERR_SOCKET" }],
  ];
  test.each(cases)("DEV-8: %s", async (_, listener, expected) => {
    const port = await serve(listener);
    expect(await syncApp(`http://127.0.0.1:${port}/api/inngest`)).toEqual(expected);
  });

  test("AP-1: is a PUT that says which kind of server asks", async () => {
    const seen: unknown[] = [];
    const port = await serve((request, response) => {
      request.resume();
      seen.push(request.method, request.url, request.headers["x-inngest-server-kind"]);
      response.writeHead(200, DEV).end("{}");
    });
    await syncApp(`http://127.0.0.1:${port}/jobs`);
    expect(seen).toEqual(["PUT", "/jobs", "dev"]);
  });
});

describe("followApps", () => {
  test("DEV-8: an app that starts later is synced without any action, and announced once", async () => {
    const port = await serve(() => undefined);
    for (const server of open.splice(0)) await new Promise((done) => server.close(done));
    const url = `http://127.0.0.1:${port}/api/inngest`;
    const said: string[] = [];
    let syncs = 0;
    const following = followApps({
      urls: [url],
      interval: null,
      signal: AbortSignal.timeout(10_000),
      say: (line) => said.push(line),
      onSync: () => {
        syncs += 1;
      },
    });
    await new Promise((wake) => setTimeout(wake, 1_500));
    await serve(answer(200, DEV, '{"modified":true}'), port);
    await following;
    expect(syncs).toBe(1);
    expect(said).toEqual([`synced ${url}`]);
  });

  test("DEV-2: an app that does not come is named once, after a while", async () => {
    const said: string[] = [];
    const port = await serve(() => undefined);
    for (const server of open.splice(0)) await new Promise((done) => server.close(done));
    await followApps({
      urls: [`http://127.0.0.1:${port}/api/inngest`],
      interval: 5,
      signal: AbortSignal.timeout(5_000),
      say: (line) => said.push(line),
      onSync: () => undefined,
    });
    expect(said).toEqual([`waiting for an app at http://127.0.0.1:${port}/api/inngest (ECONNREFUSED)`]);
  }, 10_000);

  test("DEV-10: an app is asked again at the interval until aborted", async () => {
    const abort = new AbortController();
    let asked = 0;
    const port = await serve((request, response) => {
      asked += 1;
      if (asked === 3) abort.abort();
      answer(200, DEV, '{"modified":false}')(request, response);
    });
    const urls = [`http://127.0.0.1:${port}/`];
    await followApps({ urls, interval: 0.01, signal: abort.signal, say: () => undefined, onSync: () => undefined });
    expect(asked).toBe(3);
  });
});

describe("changeOf", () => {
  const url = "http://a/x";
  const synced: SyncOutcome = { kind: "synced", changed: false };
  const changed: SyncOutcome = { kind: "synced", changed: true };
  const refused: SyncOutcome = { kind: "refused", reason: "bad cron" };
  const gone: SyncOutcome = { kind: "unreachable", reason: "ECONNREFUSED" };
  const cases: readonly [SyncOutcome | null, SyncOutcome, string | null][] = [
    [null, synced, "synced http://a/x"],
    [null, gone, "waiting for an app at http://a/x (ECONNREFUSED)"],
    [gone, gone, null],
    [gone, changed, "synced http://a/x"],
    [synced, synced, null],
    [synced, changed, "synced http://a/x"],
    [synced, gone, "http://a/x does not answer any more (ECONNREFUSED); its functions stay registered"],
    [gone, synced, "synced http://a/x"],
    [null, refused, "http://a/x could not be synced: bad cron"],
    [refused, refused, null],
    [refused, { kind: "refused", reason: "bad event" }, "http://a/x could not be synced: bad event"],
  ];
  test.each(cases)("DEV-10: after %j, %j says %j", (before, now, line) => {
    expect(changeOf(url, before, now)).toBe(line);
  });
});
