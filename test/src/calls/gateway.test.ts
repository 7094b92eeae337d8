import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { TargetPolicy } from "../../../src/calls/address.ts";
import { performRequest, refusedRequest } from "../../../src/calls/gateway.ts";
import type { RequestOutcome } from "../../../src/decide/run/resolution.ts";
import { GATEWAY } from "../../../src/limits.ts";
import type { GatewayRequest } from "../../../src/protocol/gateway-request.ts";
import { publish, serve } from "./loopback.ts";

const MIB = 1024 * 1024;
const DEV: TargetPolicy = { allowPrivate: true, ownHost: null };
const CANARY = "canary-4f1c/9+x";

function get(url: string, over: Partial<GatewayRequest> = {}): GatewayRequest {
  return { kind: "gateway", url, method: "GET", headers: {}, body: null, ...over };
}

function perform(request: GatewayRequest, policy = DEV, timeout = 5000): Promise<RequestOutcome> {
  return performRequest(request, { policy, now: 0, limits: { timeout, replyBytes: GATEWAY.replyBytes } });
}

function resultOf(outcome: RequestOutcome) {
  return outcome.ok ? outcome.memo["data"] : expect.fail(outcome.error.message);
}

function errorOf(outcome: RequestOutcome) {
  return outcome.ok ? expect.fail(`got ${JSON.stringify(outcome.memo)}`) : outcome;
}

describe("EX-57: the result of step.fetch (protocol/03 §3.1)", () => {
  it("OB-13: names where it came from without the credentials in its query", async () => {
    const server = await serve((_, reply) => reply.end("ok"));
    const result = resultOf(await perform(get(`${server.url}/x?y=1&api_key=canary`)));
    expect(result).toMatchObject({ url: `${server.url}/x?y=1&api_key=***` });
  });

  it("has exactly url, headers, body and status_code", async () => {
    const server = await serve((_, reply) => {
      reply.writeHead(
        201,
        [
          ["content-type", "text/plain"],
          ["x-a", "1"],
          ["x-a", "2"],
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ].flat(),
      );
      reply.end("BÖDY");
    });
    const outcome = await perform(get(`${server.url}/x?y=1`));
    expect(outcome).toEqual({
      ok: true,
      memo: { data: { url: `${server.url}/x?y=1`, status_code: 201, body: "BÖDY", headers: expect.any(Object) } },
    });
    expect(resultOf(outcome)).toMatchObject({
      headers: { "content-type": "text/plain", "x-a": "1, 2", "set-cookie": "a=1,b=2" },
    });
  });

  it.each([400, 401, 404, 429, 500, 503])("status %i is a success", async (status) => {
    const server = await serve((_, reply) => reply.writeHead(status, { "retry-after": "1" }).end("no"));
    expect(resultOf(await perform(get(server.url)))).toMatchObject({ status_code: status, body: "no" });
  });

  it.each([204, 304])("status %i gives a result that the SDK can make a Response of", async (status) => {
    const server = await serve((_, reply) => reply.writeHead(status).end());
    const result = resultOf(await perform(get(server.url)));
    expect(result).toMatchObject({ body: null, status_code: status });
    expect(new Response(null, { status }).status).toBe(status);
    expect(() => new Response("", { status })).toThrow();
  });

  it("a compressed reply is text, and no header says otherwise", async () => {
    const server = await serve((_, reply) => {
      const body = gzipSync("hello");
      reply.writeHead(200, { "content-encoding": "gzip", "content-length": body.length, "x-a": "b" }).end(body);
    });
    const result = resultOf(await perform(get(server.url)));
    expect(result).toMatchObject({ body: "hello", headers: { "x-a": "b" } });
    expect(JSON.stringify(result)).not.toMatch(/content-(encoding|length)/);
  });

  it("sends method, headers and body as given, and nothing of the engine's own", async () => {
    const server = await serve((_, reply) => reply.end());
    const headers = { "x-a": "b", authorization: "Bearer mine", "content-type": "application/json" };
    await perform(get(`${server.url}/p`, { method: "PATCH", headers, body: '{"z":1}' }));
    expect(server.received).toMatchObject([{ method: "PATCH", path: "/p", body: '{"z":1}', headers }]);
    const names = Object.keys(server.received[0]?.headers ?? {});
    expect(names.filter((name) => /inngest|millrace|traceparent/.test(name))).toEqual([]);
  });

  it("HEAD and an empty reply", async () => {
    const server = await serve((_, reply) => reply.writeHead(200, { "content-length": 1_000_000_000 }).end());
    expect(resultOf(await perform(get(server.url, { method: "HEAD" })))).toMatchObject({ body: "", status_code: 200 });
  });
});

describe("EX-57: transport failures are retried", () => {
  it("nobody listens", async () => {
    expect(await perform(get("http://127.0.0.1:1/x"))).toMatchObject({
      ok: false,
      retriable: true,
      retryAt: null,
      error: {
        name: "GatewayError",
        code: "unreachable",
        message: expect.stringMatching(/^Error making gateway request: unreachable: 127\.0\.0\.1:1 cannot/),
      },
    });
  });

  it("the connection breaks before the reply, and inside it", async () => {
    const cut = await serve((_, reply) => reply.destroy());
    const half = await serve((_, reply) => {
      reply.writeHead(200, { "content-length": 100 });
      reply.write("half", () => reply.destroy());
    });
    for (const server of [cut, half]) {
      expect(await perform(get(server.url))).toMatchObject({
        ok: false,
        retriable: true,
        error: { code: "unreachable" },
      });
    }
  });

  it("no reply, a reply that stops, and one that never ends a byte at a time: all end at the deadline", async () => {
    const silent = await serve(() => {});
    const stopped = await serve((_, reply) => reply.writeHead(200).write("a"));
    const trickling = await serve((_, reply) => {
      const timer = setInterval(() => reply.write("."), 10);
      reply.on("close", () => clearInterval(timer));
    });
    for (const server of [silent, stopped, trickling]) {
      const began = Date.now();
      const { error, retriable } = errorOf(await perform(get(server.url), DEV, 150));
      expect(error).toMatchObject({
        name: "GatewayError",
        code: "timeout",
        message: expect.stringContaining("within 0.15 s"),
      });
      expect(retriable).toBe(true);
      expect(Date.now() - began).toBeLessThan(2000);
    }
  });
});

describe("EX-57: replies larger than the limit are final", () => {
  const tooLarge = {
    ok: false,
    retriable: false,
    error: {
      name: "GatewayError",
      code: "reply_too_large",
      message: expect.stringContaining(`${GATEWAY.replyBytes} bytes`),
    },
  };

  it("exactly the limit passes, one byte more does not", async () => {
    const server = await serve(({ path }, reply) =>
      reply.end(Buffer.alloc(GATEWAY.replyBytes + Number(path.slice(1)), "a")),
    );
    expect(resultOf(await perform(get(`${server.url}/0`)))).toMatchObject({ status_code: 200 });
    expect(await perform(get(`${server.url}/1`))).toMatchObject(tooLarge);
  });

  it.each([
    ["of 1 GB", { "content-length": 1024 * MIB }],
    ["without end", {}],
  ])("a body %s is cut off soon after the limit", async (_, headers) => {
    let sent = 0;
    const piece = Buffer.alloc(MIB, "a");
    const server = await serve((__, reply) => {
      reply.writeHead(200, headers);
      const push = (): void => {
        while (!reply.destroyed && sent < 1024 * MIB) {
          sent += piece.length;
          if (!reply.write(piece)) return;
        }
      };
      reply.on("drain", push);
      push();
    });
    expect(await perform(get(server.url))).toMatchObject(tooLarge);
    expect(sent).toBeLessThan(64 * MIB);
  });

  it("a small reply that decompresses into a large one", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB));
    expect(bomb.length).toBeLessThan(MIB);
    const server = await serve((_, reply) => reply.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    expect(await perform(get(server.url))).toMatchObject(tooLarge);
  });
});

describe("SE-14: errors hold no credential", () => {
  it("whatever the platform's own error quotes", async () => {
    // A stand-in for a platform whose errors quote the whole request.
    publish({});
    const { fetch } = globalThis;
    globalThis.fetch = async (target, init) => {
      await fetch(new URL("http://127.0.0.1:1/")).catch(() => {});
      throw new TypeError(`cannot fetch ${String(target)} with ${JSON.stringify(init?.headers)} ${CANARY}`);
    };
    const headers = { authorization: `Bearer ${CANARY}`, cookie: `a=1; session=${CANARY}`, "x-plain": "shown" };
    const { error } = errorOf(
      await perform(get(`https://h.example/?api_key=${encodeURIComponent(CANARY)}`, { headers })),
    );
    expect(JSON.stringify(error)).not.toMatch(/canary-4f1c/);
    expect(error.message).toContain("shown");
  });

  it("nor the path and query of what was called", async () => {
    const server = await serve((_, reply) => reply.destroy());
    const { error } = errorOf(await perform(get(`${server.url}/hidden-path?x=hidden-query`)));
    expect(error.message).not.toContain("hidden");
  });
});

it("a request that is not made is refused for good", async () => {
  expect(refusedRequest("gateway", "why")).toEqual({
    ok: false,
    error: {
      name: "GatewayError",
      message: "Error making gateway request: invalid_request: why",
      code: "invalid_request",
    },
    retryAt: null,
    retriable: false,
  });
  expect(refusedRequest("ai", "why")).toMatchObject({ error: { name: "AIGatewayError" } });
  expect(await perform(get("not a url"))).toMatchObject({
    ok: false,
    retriable: false,
    error: { code: "invalid_request" },
  });
});

it("the limits are those of spec/00", () => {
  expect(GATEWAY).toMatchObject({ timeout: 600_000, replyBytes: 4 * MIB, redirects: 5 });
});
