import { describe, expect, it } from "vitest";
import type { ResponseHead } from "../../../src/decide/run/state.ts";
import type { Json } from "../../../src/json.ts";
import { httpResponse, type PlainResponse, responseOf } from "../../../src/protocol/endpoint-output.ts";

const JS = "inngest-js:v4.24.0";
const JSON_TYPE = { "content-type": "application/json" };

/** What SDK v4.24 reports of a response with this text. */
const reported = (text: string) => ({ status: 200, headers: JSON_TYPE, body: JSON.stringify(text), version: 2 });

interface Given {
  readonly output: Json;
  readonly head?: ResponseHead;
  readonly sdk?: string;
  readonly verbatim?: boolean;
  readonly completed?: boolean;
}

function answer({ output, head, sdk = JS, verbatim = false, completed = true }: Given): PlainResponse {
  return responseOf({ state: "ended", completed, output, head: head ?? null, sdk }, verbatim);
}

const head = { status: 404, headers: { "content-type": "text/html", "x-a": "b" } };

describe("EX-69: the endpoint's own status, headers and body", () => {
  it.each<[string, Given, PlainResponse]>([
    ["with what the SDK told beside it", { output: reported("<p>none</p>"), head }, { ...head, body: "<p>none</p>" }],
    [
      "text, when it told nothing",
      { output: reported("done u1") },
      { status: 200, headers: { "content-type": "text/plain;charset=UTF-8" }, body: "done u1" },
    ],
    [
      "JSON, when it told nothing",
      { output: reported('{"n":2}') },
      { status: 200, headers: JSON_TYPE, body: '{"n":2}' },
    ],
    [
      "a value instead of a response",
      { output: { status: 200, headers: JSON_TYPE, body: '{"n":2}' } },
      { status: 200, headers: JSON_TYPE, body: '{"n":2}' },
    ],
    [
      "another SDK's, which is as it says",
      { output: reported("text"), sdk: "inngest-go:v0.14.1" },
      { status: 200, headers: JSON_TYPE, body: '"text"' },
    ],
    [
      "verbatim, for the SDK's proxy",
      { output: reported("text"), head, verbatim: true },
      { status: 200, headers: JSON_TYPE, body: '"text"' },
    ],
    ["what is no response at all", { output: [1, 2] }, { status: 200, headers: JSON_TYPE, body: "[1,2]" }],
    [
      "a status that is none",
      { output: { status: 99, headers: {}, body: "" } },
      { status: 200, headers: JSON_TYPE, body: '{"status":99,"headers":{},"body":""}' },
    ],
    [
      "an error, when the run failed",
      { output: { name: "Error", message: "bad" }, completed: false, head },
      { status: 500, headers: JSON_TYPE, body: '{"name":"Error","message":"bad"}' },
    ],
  ])("%s", (_, given, expected) => {
    expect(answer(given)).toMatchObject(expected);
  });
});

function headersOf(response: Response): Record<string, string> {
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    headers[name] = value;
  });
  return headers;
}

describe("the response as it is sent", () => {
  it("SE-19: cannot act on the engine's origin", async () => {
    const response = httpResponse({
      status: 200,
      headers: {
        "content-type": "text/html",
        "Set-Cookie": "session=stolen",
        "Clear-Site-Data": "*",
        "Service-Worker-Allowed": "/",
        "Access-Control-Allow-Origin": "https://evil.test",
        "content-security-policy": "default-src 'self'",
      },
      body: "<script>1</script>",
    });
    expect(headersOf(response)).toEqual({
      "content-type": "text/html",
      "content-security-policy": "default-src 'self', sandbox allow-downloads allow-forms allow-popups allow-scripts",
      "x-content-type-options": "nosniff",
    });
    expect(await response.text()).toBe("<script>1</script>");
  });

  it("SE-15: says nothing about a connection that is not its own, and no header can break it", () => {
    const response = httpResponse({
      status: 200,
      headers: {
        "Content-Length": "5",
        "transfer-encoding": "chunked",
        "bad name": "x",
        "x-bad": "a\r\nb: c",
        "x-ok": "1",
      },
      body: "other",
    });
    expect(Object.keys(headersOf(response)).sort()).toEqual([
      "content-security-policy",
      "content-type",
      "x-content-type-options",
      "x-ok",
    ]);
  });

  it.each([204, 205, 304])("%i has no body", async (status) => {
    const response = httpResponse({ status, headers: {}, body: "x" });
    expect([response.status, await response.text()]).toEqual([status, ""]);
  });
});
