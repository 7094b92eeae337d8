import { describe, expect, it } from "vitest";
import { defaultTransform } from "../../../src/webhooks/default-transform.ts";
import { deliveryOf } from "../../../src/webhooks/delivery.ts";
import { transformDelivery } from "../../../src/webhooks/transform.ts";

const NOW = Date.UTC(2026, 10, 21);
const bounds = { now: NOW, maxEventBytes: 1024 * 1024 };

/** The body of a request, whatever it says of itself. */
const textOf = async (request: Request) => new TextDecoder().decode(await request.arrayBuffer());

/** What a webhook makes of a request. */
async function transformed(source: string, request: Request) {
  const delivery = deliveryOf(request, await textOf(request));
  const result = await transformDelivery(source, delivery, bounds);
  // biome-ignore lint/suspicious/noExplicitAny: events are whatever the transform made.
  return result as any;
}

function post(body: BodyInit, headers: Record<string, string> = {}, url = "https://engine.example/e/key"): Request {
  return new Request(url, { method: "POST", body, headers });
}

const json = (value: unknown) => post(JSON.stringify(value), { "content-type": "application/json" });

describe("EV-31: content types", () => {
  const hi = '(json, headers, query, raw) => ({ name: "hi", data: { json, raw } })';

  it("a form's values are lists of texts, and raw is what came", async () => {
    const body = "name=Alice&messages=hello&messages=world";
    const { events } = await transformed(hi, post(body, { "content-type": "application/x-www-form-urlencoded" }));
    expect(events[0].data).toEqual({ json: { messages: ["hello", "world"], name: ["Alice"] }, raw: body });
  });

  it("so are those of a form in parts", async () => {
    const form = new FormData();
    for (const [name, value] of [
      ["a", "1"],
      ["b", "ü\r\n💧"],
      ["a", ""],
    ] as const)
      form.append(name, value);
    const request = post(form);
    const body = await textOf(request.clone());
    const { events } = await transformed(hi, request);
    expect(events[0].data).toEqual({ json: { a: ["1", ""], b: ["ü\r\n💧"] }, raw: body });
  });

  it("a form with a file is refused", async () => {
    const form = new FormData();
    form.append("upload", new File(["text"], "f.txt", { type: "text/plain" }));
    await expect(transformed(hi, post(form))).rejects.toMatchObject({
      code: "body_invalid",
      message: `The form's field "upload" is a file; webhooks take none.`,
    });
  });

  it.each([
    ["broken JSON", "{", "application/json"],
    ["XML", "<a/>", "application/xml"],
    ["nothing", "", "application/json"],
    ["parts without a boundary", "--x", "multipart/form-data"],
    ["parts that are none", "--x\r\nno", "multipart/form-data; boundary=x"],
  ])("of %s evt is null, and raw is there", async (_, body, type) => {
    const { events } = await transformed(hi, post(body, { "content-type": type }));
    expect(events[0].data).toEqual({ json: null, raw: body });
  });
});

describe("EV-36: the default transform", () => {
  it("names events after the webhook and what the provider calls them", async () => {
    const source = defaultTransform("AcmeApp");
    expect(await transformed(source, json({ type: "x", data: { a: 1 } }))).toMatchObject({
      events: [{ name: "acmeapp/x", data: { a: 1 } }],
    });
    expect(await transformed(source, json({ a: 1 }))).toMatchObject({
      events: [{ name: "acmeapp/webhook.received", data: { a: 1 } }],
    });
    expect(await transformed(source, json({ name: "n" }))).toMatchObject({ events: [{ name: "acmeapp/n" }] });
    expect(await transformed(source, json({ event_type: "e" }))).toMatchObject({ events: [{ name: "acmeapp/e" }] });
  });

  it.each([`\`\${x}\\`, "*/ bad", "日本", "inngest", ""])("runs for a webhook named %j", async (name) => {
    expect(await transformed(defaultTransform(name), json({ type: "x" }))).toMatchObject({ ok: true });
  });
});

describe("EV-30: from a delivery to events", () => {
  it("headers, query and body reach the transform, and its events are checked", async () => {
    const source = `(evt, headers, queryParams) => [
      { id: evt.id, name: "stripe/" + evt.type, data: { sig: headers["stripe-signature"] }, ts: ${NOW - 1}, v: "1", user: { id: 7 } },
      { name: "all", data: queryParams },
    ]`;
    const url = "https://engine.example/e/key?a=1&a=2&__proto__=p&e";
    const request = post('{"id":"evt_1","type":"x"}', { "stripe-signature": "t=1" }, url);
    const { events } = await transformed(source, request);
    expect(events).toEqual([
      { name: "stripe/x", data: { sig: "t=1" }, id: "evt_1", ts: NOW - 1, v: "1", user: { id: 7 }, sessions: null },
      {
        name: "all",
        data: JSON.parse('{"a":["1","2"],"__proto__":["p"],"e":[""]}'),
        id: null,
        ts: null,
        v: null,
        user: {},
        sessions: null,
      },
    ]);
  });

  it("EV-32: what the transform throws and an event that is none are failures alike", async () => {
    expect(await transformed("() => { throw new Error('no') }", json({}))).toEqual({
      ok: false,
      failure: { name: "Error", message: "no", stack: expect.stringContaining("transform.js:1") },
    });
    expect(await transformed("() => ({ name: 5 })", json({}))).toMatchObject({
      ok: false,
      failure: { name: "event_invalid", message: "Event 0: name must be a string." },
    });
    expect(await transformed("() => null", json({}))).toEqual({ ok: true, events: [] });
  });

  it("EV-33: a signature over raw can be checked", async () => {
    const body = '{ "amount" : 1.0,\t"text":"ü\\u00fc" }\n';
    const key = await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
      "verify",
    ]);
    const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(body));
    const sig = btoa(String.fromCharCode(...new Uint8Array(signature)));
    const source = `(evt, headers, query, raw) => ({ name: "signed", data: { raw, sig: headers["Stripe-Signature"] } })`;
    const { events } = await transformed(
      source,
      post(body, { "Stripe-Signature": sig, "content-type": "application/json" }),
    );
    const { data } = events[0];
    const bytes = Uint8Array.from(atob(data.sig), (letter) => letter.charCodeAt(0));
    const verified = (raw: string) => crypto.subtle.verify("HMAC", key, bytes, new TextEncoder().encode(raw));
    expect([await verified(data.raw), await verified(data.raw.replace("1.0", "9.0"))]).toEqual([true, false]);
  });
});
