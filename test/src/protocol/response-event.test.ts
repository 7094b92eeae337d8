import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ResponseHead } from "../../../src/decide/run/state.ts";
import { CALL } from "../../../src/limits.ts";
import { ResponseWatch, responseEventText } from "../../../src/protocol/response-event.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What a watch says about bytes that arrive in these pieces. */
function heads(...pieces: readonly Uint8Array[]): ResponseHead[] {
  const watch = new ResponseWatch();
  return pieces.map((piece) => watch.take(piece)).filter((head) => head !== null);
}

const head = { status: 201, headers: { "content-type": "text/plain", "x-a": "ü" } };
const other = 'event: inngest.stream\ndata: {"data":"inngest.response"}\n\n';
const whole = `${other}${responseEventText("succeeded", head, "grüße\n\nund mehr")}${other}`;

describe("protocol/09 §9.4: the response in a teed stream", () => {
  it("is found in what SDK v4.24 sends", () => {
    const url = new URL("../../fixtures/execution/js-v4.24.0-endpoint.json", import.meta.url);
    const captured = JSON.parse(readFileSync(url, "utf8"))["re sleep 2"].requests;
    const tee = captured.find((request: { url: string }) => request.url.includes("/publish/tee"));
    expect(heads(bytes(tee.body))).toEqual([
      { status: 202, headers: { "content-type": "text/plain;charset=UTF-8", "x-a": "b" } },
    ]);
  });

  it("is found wherever the bytes are cut", () => {
    const stream = bytes(whole);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const pieces = places.slice(1).map((to, at) => stream.slice(places[at], to));
        expect(heads(...pieces)).toEqual([head]);
      }),
    );
  });

  it.each([
    ["another event", other],
    ["a failure", responseEventText("failed", head, "")],
    ["one that has not ended", whole.slice(0, whole.lastIndexOf("\n\nevent"))],
    ["a status that is none", responseEventText("succeeded", { ...head, status: 42 }, "")],
    ["broken JSON", "event: inngest.response\ndata: {\n\n"],
    ["no data", "event: inngest.response\n\n"],
    ["JSON of another shape", "event: inngest.response\ndata: [1]\n\n"],
  ])("%s is none", (_, text) => {
    expect(heads(bytes(text))).toEqual([]);
  });

  it("an event larger than a response may be is passed over, the next one is not", () => {
    const piece = bytes("x".repeat(1024 * 1024));
    const endless = new Array<Uint8Array>(Math.ceil(CALL.replyBytes / piece.length) + 2).fill(piece);
    expect(heads(...endless, bytes(`\n\n${whole}`))).toEqual([head]);
  });
});
