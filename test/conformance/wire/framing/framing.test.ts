/**
 * Requests whose framing lies (SE-15), written to the connection byte by byte: lengths that are wrong, doubled or absurd, bodies that are
 * compressed or never come, headers without end. The engine refuses or hangs up, stores nothing, and goes on answering others.
 */
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestEngine, type TestEngine } from "../../harness/engine.ts";

/** ms after which a connection without an answer is given up by the test. */
const PATIENCE = 3_000;

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(async () => {
  await engine?.stop();
});

/** Writes bytes to a new connection; answers what came back until the engine hung up, or nothing more came. */
function raw(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const { hostname, port } = new URL(engine.url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => {
      for (const part of parts) socket.write(part);
    });
    const end = () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString("latin1"));
    };
    socket.setTimeout(PATIENCE, end);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("close", end);
    socket.on("error", end);
  });
}

const EVENT = '{"name":"framing/stored","data":{}}';
const head = (...headers: readonly string[]) => `POST /e/x HTTP/1.1\r\nhost: engine\r\n${headers.join("\r\n")}\r\n\r\n`;
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const zipped = gzipSync(EVENT);
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));

/** Statuses of the answers on one connection. */
const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

describe("SE-15: a request whose framing lies", () => {
  it.each<[string, readonly (string | Uint8Array)[]]>([
    ["announces ten gigabytes", [head("content-length: 10737418240"), EVENT]],
    ["announces more than it sends", [head(`content-length: ${EVENT.length + 1000}`), EVENT]],
    ["announces a negative length", [head("content-length: -5"), EVENT]],
    ["announces a length in other digits", [head("content-length: 0x23"), EVENT]],
    ["announces two lengths", [head("content-length: 5", `content-length: ${EVENT.length}`), EVENT]],
    [
      "announces a length and is chunked, one of which is a lie",
      [head("content-length: 5", "transfer-encoding: chunked"), chunked("x")],
    ],
    ["has chunks of a size that is none", [head("transfer-encoding: chunked"), `zz\r\n${EVENT}\r\n0\r\n\r\n`]],
    ["has a chunk without end", [head("transfer-encoding: chunked"), `ffffffff\r\n${EVENT}`]],
    ["has an encoding nobody knows", [head("transfer-encoding: wrapped", `content-length: ${EVENT.length}`), EVENT]],
    ["is compressed", [head("content-encoding: gzip", `content-length: ${zipped.length}`), zipped]],
    ["is a compressed bomb", [head("content-encoding: gzip", `content-length: ${bomb.length}`), bomb]],
    ["has headers without end", [`POST /e/x HTTP/1.1\r\nhost: engine\r\nx-a: ${"a".repeat(2_000_000)}`]],
    ["has a NUL in its path", ["POST /e/\0x HTTP/1.1\r\nhost: engine\r\ncontent-length: 0\r\n\r\n"]],
    ["is no HTTP", ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]],
  ])("that %s is refused or cut off, and stores nothing", async (_, parts) => {
    const answer = await raw(...parts);
    expect(
      statuses(answer).filter((status) => status < 400 || status === 500),
      answer.slice(0, 500),
    ).toEqual([]);
    expect((await engine.api("GET", "/health")).status).toBe(200);
  });

  it("that hides a second request in the first is one request", async () => {
    const hidden = `POST /e/x HTTP/1.1\r\nhost: engine\r\ncontent-length: ${EVENT.length}\r\n\r\n${EVENT}`;
    const answer = await raw(head("content-length: 4", "transfer-encoding: chunked"), "0\r\n\r\n", hidden);
    // Either nothing is believed any more, or both are read as what they plainly are.
    const [first, second] = statuses(answer);
    expect(first ?? 400).toBeGreaterThanOrEqual(400);
    expect([undefined, 200]).toContain(second);
  });

  it("has left nothing behind", async () => {
    const { text } = await engine.api("GET", "/v1/events?name=framing/stored&limit=100");
    const ids = text.match(/"internal_id"/g) ?? [];
    // The request that was hidden, if it was read.
    expect(ids.length).toBeLessThanOrEqual(1);
    expect((await engine.api("POST", "/e/x", EVENT)).status).toBe(200);
  });
});
