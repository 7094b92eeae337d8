import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { exchange, type HttpExchange } from "../../../src/calls/http.ts";
import { publish, serve } from "./loopback.ts";

const SIGNED = { "x-inngest-signature": "t=1&s=abc", "x-a": "b", authorization: "app's own" };

function call(url: string, over: Partial<HttpExchange> = {}): HttpExchange {
  const policy = { allowPrivate: true, ownHost: null };
  return { url, method: "POST", headers: SIGNED, body: "{}", timeout: 5000, replyBytes: 1000, policy, ...over };
}

describe("an exchange with an app", () => {
  it("gives status, headers in lower case and body", async () => {
    const server = await serve((_, reply) => reply.writeHead(206, { "X-Inngest-SDK": "js" }).end(`["ö"]`));
    expect(await exchange(call(server.url))).toEqual({
      ok: true,
      reply: { status: 206, body: `["ö"]`, headers: expect.objectContaining({ "x-inngest-sdk": "js" }) },
    });
    expect(server.received).toMatchObject([{ method: "POST", body: "{}", headers: SIGNED }]);
  });

  it.each([301, 302, 303, 307, 308])(
    "EX-25: %i keeps method and body, and the signature on the same site",
    async (status) => {
      const server = await serve(({ path }, reply) => {
        if (path === "/to") reply.end("there");
        else reply.writeHead(status, { location: "/to" }).end();
      });
      expect(await exchange(call(server.url, { method: "PUT" }))).toMatchObject({ ok: true, reply: { body: "there" } });
      expect(server.received[1]).toMatchObject({ method: "PUT", path: "/to", body: "{}", headers: SIGNED });
    },
  );

  it("EX-25: the signature goes to no other site, and is there again after a return", async () => {
    const back = await serve(({ path }, reply) => {
      if (path === "/back") reply.end("back");
      else reply.writeHead(307, { location: "https://other.example.com/" }).end();
    });
    const other = await serve((_, reply) => reply.writeHead(307, { location: "https://app.example.com/back" }).end());
    publish({ "app.example.com": back, "other.example.com": other });
    expect(await exchange(call("https://app.example.com/"))).toMatchObject({ ok: true, reply: { body: "back" } });
    expect(other.received[0]?.headers).toMatchObject({ "x-a": "b" });
    expect(other.received[0]?.headers["x-inngest-signature"]).toBeUndefined();
    expect(back.received[1]?.headers).toMatchObject(SIGNED);
  });

  it("EX-25: a loop ends after five redirects", async () => {
    const server = await serve((_, reply) => reply.writeHead(307, { location: "/" }).end());
    expect(await exchange(call(server.url))).toEqual({
      ok: false,
      code: "app_unreachable",
      message: `More than 5 redirects, starting at ${server.url}.`,
    });
    expect(server.received).toHaveLength(6);
  });

  it("EX-17: the deadline, named with the way out", async () => {
    const server = await serve(() => {});
    expect(await exchange(call(server.url, { timeout: 100 }))).toEqual({
      ok: false,
      code: "call_timeout",
      message: "The app did not answer within 0.1 s. Steps that take longer need a connect worker.",
    });
  });

  it("EX-18: a reply too large after decompression", async () => {
    const server = await serve((_, reply) => {
      reply.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("a".repeat(1001)));
    });
    expect(await exchange(call(server.url))).toEqual({
      ok: false,
      code: "reply_too_large",
      message: "The reply is larger than 1000 bytes.",
    });
  });

  it("SE-13: what the policy refuses is not called", async () => {
    const called = publish({});
    const policy = { allowPrivate: false, ownHost: null };
    for (const [url, code] of [
      ["https://10.0.0.1/", "private_address"],
      ["ftp://app.example.com/", "unsupported_protocol"],
    ] as const) {
      expect(await exchange(call(url, { policy }))).toMatchObject({ ok: false, code });
    }
    expect(called).toEqual([]);
  });

  it.each([301, 302, 303, 307, 308])(
    "SE-13, EX-25: a public app that redirects with %i to a private address is not followed there",
    async (status) => {
      const policy = { allowPrivate: false, ownHost: "engine.example.com" };
      for (const host of [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:a00:1]",
        "localhost",
        "engine.example.com",
      ]) {
        const server = await serve((_, reply) =>
          reply.writeHead(status, { location: `https://${host}/inngest` }).end(),
        );
        const called = publish({ "app.example.com": server });
        const outcome = await exchange(call("https://app.example.com/", { policy }));
        expect(outcome).toMatchObject({ ok: false, code: "private_address", message: expect.stringContaining(host) });
        expect(called).toEqual(["app.example.com"]);
      }
    },
  );

  it("EX-64: silence inside a reply, named with its limit; pauses that are shorter end nothing", async () => {
    const server = await serve(({ path }, reply) => {
      reply.write(" ");
      if (path === "/stalls") return;
      setTimeout(() => reply.write(" "), 60);
      setTimeout(() => reply.end("done"), 120);
    });
    expect(await exchange(call(`${server.url}/stalls`, { silence: 100 }))).toEqual({
      ok: false,
      code: "call_timeout",
      message: "The app's reply was silent for 0.1 s.",
    });
    expect(await exchange(call(server.url, { silence: 1000 }))).toMatchObject({ ok: true, reply: { body: "  done" } });
  });

  it("nobody listens, a broken connection, and a URL that is none", async () => {
    const server = await serve((_, reply) => reply.destroy());
    for (const url of ["http://127.0.0.1:1/", server.url, "no url"]) {
      expect(await exchange(call(url))).toMatchObject({ ok: false, code: "app_unreachable" });
    }
  });
});
