import { describe, expect, it } from "vitest";
import type { TargetPolicy } from "../../../src/calls/address.ts";
import { performRequest } from "../../../src/calls/gateway.ts";
import type { RequestOutcome } from "../../../src/decide/run/resolution.ts";
import { GATEWAY } from "../../../src/limits.ts";
import type { GatewayRequest } from "../../../src/protocol/gateway-request.ts";
import { publish, serve } from "./loopback.ts";

const DEV: TargetPolicy = { allowPrivate: true, ownHost: null };
const CLOUD: TargetPolicy = { allowPrivate: false, ownHost: "engine.example.com" };
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

describe("redirects", () => {
  it.each([
    [301, "POST", "GET"],
    [302, "POST", "GET"],
    [303, "POST", "GET"],
    [307, "POST", "POST"],
    [308, "POST", "POST"],
    [301, "PUT", "PUT"],
    [302, "DELETE", "DELETE"],
    [303, "PUT", "GET"],
    [303, "HEAD", "HEAD"],
    [307, "GET", "GET"],
  ])("%i turns %s into %s, as browsers do", async (status, method, expected) => {
    const server = await serve(({ path }, reply) => {
      if (path === "/to") reply.end("there");
      else reply.writeHead(status, { location: "/to" }).end("ignored");
    });
    const bodied = method === "GET" || method === "HEAD" ? null : "data";
    const headers = { "content-type": "text/x", authorization: CANARY };
    const result = resultOf(await perform(get(`${server.url}/from`, { method, headers, body: bodied })));
    expect(result).toMatchObject({ url: `${server.url}/to`, status_code: 200 });
    const kept = expected === method;
    expect(server.received[1]).toMatchObject({ method: expected, body: kept ? (bodied ?? "") : "" });
    expect(server.received[1]?.headers).toMatchObject({ authorization: CANARY });
    expect(server.received[1]?.headers["content-type"]).toBe(kept ? "text/x" : undefined);
  });

  it("a redirect without a place, and one that is no redirect, are results", async () => {
    const server = await serve(({ path }, reply) => reply.writeHead(Number(path.slice(1))).end("x"));
    for (const status of [300, 302]) {
      expect(resultOf(await perform(get(`${server.url}/${status}`)))).toMatchObject({ status_code: status });
    }
  });

  it("SE-13: five are followed, a sixth or a loop is an error", async () => {
    const server = await serve(({ path }, reply) => {
      const left = Number(path.slice(1));
      if (left === 0) reply.end("end");
      else reply.writeHead(302, { location: path === "/loop" ? "/loop" : `/${left - 1}` }).end();
    });
    expect(resultOf(await perform(get(`${server.url}/5`)))).toMatchObject({ body: "end" });
    for (const path of ["6", "loop"]) {
      const { error } = errorOf(await perform(get(`${server.url}/${path}`)));
      expect(error).toMatchObject({ code: "unreachable", message: expect.stringContaining("More than 5 redirects") });
    }
    expect(server.received.filter(({ path }) => path === "/loop").length).toBe(6);
  });

  it("a place that is no URL is an error", async () => {
    const server = await serve((_, reply) => reply.writeHead(302, { location: "http://[" }).end());
    expect(await perform(get(server.url))).toMatchObject({ ok: false, error: { code: "unreachable" } });
  });

  it.each([307, 302])("SE-13: credentials go to no other host (%i)", async (status) => {
    const other = await serve((_, reply) => reply.end("other"));
    const first = await serve(({ path }, reply) => {
      const query = path.slice(path.indexOf("?"));
      const target = other.url.replace("http://", `http://name:${encodeURIComponent(CANARY)}@`);
      reply.writeHead(status, { location: `${target}/land${query}&page=2` }).end();
    });
    const headers = {
      authorization: `Bearer ${CANARY}`,
      cookie: `s=${CANARY}`,
      "x-api-key": CANARY,
      "x-trace": "kept",
    };
    const url = `${first.url}/?key=${encodeURIComponent(CANARY)}`;
    expect(resultOf(await perform(get(url, { method: "POST", headers, body: "b" })))).toMatchObject({ body: "other" });
    expect(first.received[0]?.headers).toMatchObject(headers);
    expect(other.received[0]).toMatchObject({ path: "/land?page=2", headers: { "x-trace": "kept" } });
    expect(JSON.stringify(other.received)).not.toContain("canary-4f1c");
  });

  it("credentials that were left behind do not come back with a return to the first host", async () => {
    const other = await serve((_, reply) => reply.writeHead(307, { location: `${first.url}/back` }).end());
    const first = await serve(({ path }, reply) => {
      if (path === "/back") reply.end("back");
      else reply.writeHead(307, { location: other.url }).end();
    });
    await perform(get(first.url, { headers: { authorization: CANARY } }));
    expect(first.received[1]?.path).toBe("/back");
    expect(first.received[1]?.headers.authorization).toBeUndefined();
  });
});

describe("SE-13: where a request may go in cloud mode", () => {
  const refusal = { ok: false, retriable: false, error: { name: "GatewayError", code: "private_address" } };

  it.each([
    "http://169.254.169.254/",
    "https://169.254.169.254/latest/meta-data",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://[::ffff:7f00:1]/",
    "https://metadata.google.internal/",
    "https://engine.example.com/v1/runs",
  ])("%s is refused for good, without being called", async (url) => {
    const called = publish({});
    const outcome = await perform(get(url), CLOUD);
    expect(outcome).toMatchObject(refusal);
    expect(errorOf(outcome).error.message).toContain("private_address");
    expect(called).toEqual([]);
  });

  it.each([
    "http://169.254.169.254/",
    "https://169.254.169.254/",
    "https://2130706433/",
    "https://engine.example.com/",
  ])("a public host that redirects to %s is not followed", async (location) => {
    const server = await serve((_, reply) => reply.writeHead(302, { location }).end());
    const called = publish({ "public.example.com": server });
    expect(await perform(get("https://public.example.com/"), CLOUD)).toMatchObject(refusal);
    expect(called).toEqual(["public.example.com"]);
  });

  it.each(["http://public.example.com/", "ftp://public.example.com/", "data:text/plain,x", "file:///etc/passwd"])(
    "%s is not https: refused for good",
    async (url) => {
      const called = publish({});
      const { error, retriable } = errorOf(await perform(get(url), CLOUD));
      expect([error["code"], retriable, called]).toEqual(["unsupported_protocol", false, []]);
    },
  );

  it("a public host that redirects to http is not followed", async () => {
    const server = await serve((_, reply) => reply.writeHead(302, { location: "http://public.example.com/" }).end());
    publish({ "public.example.com": server });
    const { error } = errorOf(await perform(get("https://public.example.com/"), CLOUD));
    expect(error).toMatchObject({ code: "unsupported_protocol" });
  });
});
