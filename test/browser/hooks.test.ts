/**
 * The React hooks of both SDKs in a real browser (RT-13): they connect, show messages, and come back with a fresh token when the
 * connection is cut after theirs has expired.
 */
import { createServer as createHttp } from "node:http";
import { connect, createServer as createTcp, type Socket } from "node:net";
import { resolve } from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { TOKEN } from "../../src/limits.ts";
import { realtimeToken } from "../../src/protocol/token.ts";
import { readSettings } from "../../src/settings.ts";
import { startTestEngine, type TestEngine } from "../conformance/harness/engine.ts";
import { type Listening, listen } from "../conformance/harness/listen.ts";
import { publish } from "../conformance/realtime/subscriber.ts";
import { openPage, startBrowser } from "./chromium.ts";

/** ms; how long the first token of a page may still be used. */
const LIFE = 3000;

let engine: TestEngine;
let browser: Browser;
/** What the page takes for the engine; its connections can be cut. */
let wire: { readonly origin: string; cut(): void; close(): void };

beforeAll(async () => {
  [engine, browser] = await Promise.all([startTestEngine(), startBrowser()]);
  wire = await startWire(Number(new URL(engine.url).port));
});
afterAll(async () => {
  await browser?.close();
  wire?.close();
  await engine?.stop();
});

async function startWire(port: number): Promise<typeof wire> {
  const open = new Set<Socket>();
  const server = createTcp((from) => {
    const to = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(socket);
      socket
        .on("error", () => other.destroy())
        .on("close", () => {
          open.delete(socket);
          other.destroy();
        });
    }
    from.pipe(to);
    to.pipe(from);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The wire got no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    cut() {
      for (const socket of open) socket.destroy();
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** The page's own server: the page, and tokens, of which the first one has little of its life left. */
async function serve(hook: "v3" | "v4"): Promise<Listening & { readonly url: string; asked(): number }> {
  const bundle = await build({
    entryPoints: [resolve(import.meta.dirname, "pages/hooks.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    // How a bundler tells the package for v3 where the engine is.
    define: { "process.env": JSON.stringify({ INNGEST_BASE_URL: wire.origin, NODE_ENV: "production" }) },
  });
  // Signs as the engine does in dev mode.
  const settings = readSettings({ MILLRACE_MODE: "dev" } as unknown as Bindings);
  let asked = 0;
  const token = () => {
    const age = asked++ === 0 ? TOKEN.realtime - LIFE : 0;
    return realtimeToken(
      settings,
      LOCAL.id,
      { right: "subscribe", channel: "page:1", topics: ["t"] },
      Date.now() - age,
    );
  };
  const server = await listen(
    createHttp(async (request, response) => {
      if (request.url === "/page.js") {
        response.writeHead(200, { "content-type": "text/javascript" }).end(bundle.outputFiles[0]?.contents);
      } else if (request.url === "/token") {
        response.end(JSON.stringify({ key: await token(), apiBaseUrl: wire.origin }));
      } else {
        response.writeHead(200, { "content-type": "text/html" });
        response.end(
          '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/page.js"></script>',
        );
      }
    }),
    0,
  );
  return { ...server, url: `${server.origin}/?hook=${hook}`, asked: () => asked };
}

const shows = (page: Page, state: string) =>
  page.waitForFunction((text) => document.getElementById("state")?.textContent === text, state, { timeout: 30_000 });

const hasHeard = (page: Page, count: number) =>
  page.waitForFunction((n) => document.querySelectorAll("#data li").length === n, count);

const statesOf = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { states: readonly string[] }).states.join(" "));

describe("RT-13: the hooks", () => {
  it.each([
    ["v3", "active", / active .*refresh_token .*active$/],
    ["v4", "open", / open .*connecting open$/],
  ] as const)(
    "of %s ask for a new token when the connection is cut after theirs expired, and go on",
    async (hook, open, way) => {
      const server = await serve(hook);
      const { page, complaints } = await openPage(browser, server.url);
      await shows(page, open);
      await publish(engine, "page:1", "t", { n: 1 });
      await hasHeard(page, 1);
      expect([server.asked(), complaints]).toEqual([1, []]);
      await new Promise((wake) => setTimeout(wake, LIFE));
      wire.cut();
      await engine.until(() => server.asked() >= 2);
      await shows(page, open);
      // The hook shows that it is connected a moment before it is, when it was not told yet that it had lost the connection.
      await engine.until(async () => {
        await publish(engine, "page:1", "t", { n: 2 });
        return (await page.locator("#data li").allTextContents()).includes('{"n":2}');
      });
      expect((await page.locator("#data li").allTextContents())[0]).toBe('{"n":1}');
      expect(await statesOf(page)).toMatch(way);
      await page.close();
      await server.close();
    },
  );

  it("RT-9: from publishing to the page it takes far less than 100 ms", async () => {
    const server = await serve("v4");
    const { page } = await openPage(browser, server.url);
    await shows(page, "open");
    await page.evaluate(() => {
      const late: number[] = [];
      Object.assign(globalThis, { late });
      new MutationObserver(() => {
        const last = document.querySelector("#data li:last-child")?.textContent ?? "{}";
        late.push(Date.now() - JSON.parse(last).at);
      }).observe(document.getElementById("root") as Node, { childList: true, subtree: true });
    });
    for (let i = 0; i < 50; i++) {
      await publish(engine, "page:1", "t", { i, at: Date.now() });
      await hasHeard(page, i + 1);
    }
    const late = await page.evaluate(() => (globalThis as unknown as { late: number[] }).late);
    expect(late.toSorted((a, b) => a - b)[25]).toBeLessThan(100);
    await page.close();
    await server.close();
  });
});
