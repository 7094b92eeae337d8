import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WEBHOOK } from "../../../src/limits.ts";
import {
  canonicalName,
  type Delivery,
  deliveryOf,
  namedBranch,
  transformArguments,
} from "../../../src/webhooks/delivery.ts";

const delivery = (body: string, contentType?: string, query = ""): Delivery => ({
  headers: contentType === undefined ? {} : { "Content-Type": contentType },
  query,
  body,
});
const evtOf = async (body: string, contentType?: string) => (await transformArguments(delivery(body, contentType))).evt;

describe("EV-30: headers", () => {
  it.each([
    ["stripe-signature", "Stripe-Signature"],
    ["X-GITHUB-EVENT", "X-Github-Event"],
    ["host", "Host"],
    ["x-2fa-ok", "X-2fa-Ok"],
    ["x_y-z", "X_y-Z"],
    ["-a", "-A"],
    ["__proto__", "__proto__"],
  ])("%s is named %s", (name, canonical) => {
    expect(canonicalName(name)).toBe(canonical);
  });

  it("a request's headers, query and body become a delivery that is JSON", () => {
    const headers = new Headers({ "x-a": " 1 ", "content-type": "text/plain" });
    headers.append("x-a", "2");
    const request = new Request("https://engine.example/e/key?x=1&x=%20#f", { headers });
    const made = deliveryOf(request, "body");
    expect(made).toEqual({
      headers: { "Content-Type": "text/plain", "X-A": "1, 2" },
      query: "x=1&x=%20",
      body: "body",
    });
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });
});

describe("EV-30: query and raw", () => {
  it("every value of the query is a list of texts", async () => {
    const { queryParams } = await transformArguments(delivery("{}", undefined, "a=1&b=x%20y+z&a=&toString=1&c"));
    expect(queryParams).toEqual({ a: ["1", ""], b: ["x y z"], toString: ["1"], c: [""] });
    expect((await transformArguments(delivery("{}"))).queryParams).toEqual({});
  });

  it("raw is the body, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary" }),
        fc.constantFrom("application/json", "text/plain"),
        async (body, type) => {
          expect((await transformArguments(delivery(body, type))).raw).toBe(body);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("EV-31: content types", () => {
  it.each([
    ["application/json", '{"a":[1]}', { a: [1] }],
    ["application/json; charset=utf-8", "[1]", [1]],
    ["APPLICATION/JSON", '"text"', "text"],
    ["application/vnd.api+json", "1", 1],
    ["text/plain", "{}", {}],
    [undefined, "{}", {}],
    ["application/json", '\ufeff{"a":1}', { a: 1 }],
    ["application/json", "null", null],
    ["application/json", "not JSON", null],
    ["application/json", "", null],
    ["application/json", "[".repeat(101) + "]".repeat(101), null],
    ["application/x-www-form-urlencoded", "a=1&a=2&b=x+y%26", { a: ["1", "2"], b: ["x y&"] }],
    ["application/x-www-form-urlencoded; charset=UTF-8", "", {}],
    ["Application/X-WWW-Form-Urlencoded", "__proto__=1", JSON.parse('{"__proto__":["1"]}')],
    [
      "multipart/form-data; boundary=b",
      '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
      { a: ["1"] },
    ],
    ["multipart/form-data", "--b", null],
  ])("of %s the body %j is read as %j", async (type, body, evt) => {
    expect(await evtOf(body, type)).toEqual(evt);
  });

  it("a file is refused, by name", async () => {
    const part = 'Content-Disposition: form-data; name="photo"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx';
    await expect(evtOf(`--b\r\n${part}\r\n--b--\r\n`, "multipart/form-data; boundary=b")).rejects.toMatchObject({
      code: "body_invalid",
      message: expect.stringContaining('"photo" is a file'),
    });
  });

  it("a form has a limit of fields", async () => {
    const form = (count: number) => Array(count).fill("a=").join("&");
    const type = "application/x-www-form-urlencoded";
    expect(await evtOf(form(WEBHOOK.formFields), type)).toEqual({ a: Array(WEBHOOK.formFields).fill("") });
    await expect(evtOf(form(WEBHOOK.formFields + 1), type)).rejects.toMatchObject({
      code: "body_invalid",
      message: `The form has too many fields; the limit is ${WEBHOOK.formFields} fields.`,
    });
  });
});

describe("EV-34: the branch of a delivery", () => {
  it.each([
    ["https://engine/e/key", {}, { branch: null, parameter: null }],
    ["https://engine/e/key?x-inngest-env=a%2Fb", {}, { branch: null, parameter: "a/b" }],
    ["https://engine/e/key?x-inngest-env=", { "X-INNGEST-ENV": "c" }, { branch: "c", parameter: "" }],
    ["https://engine/e/key?a=1&x-inngest-env=a&x-inngest-env=b", {}, { branch: null, parameter: "a" }],
  ])("%s with %j names %j", (url, headers, named) => {
    expect(namedBranch(deliveryOf({ url, headers: new Headers(headers) }, ""))).toEqual(named);
  });
});
