/**
 * Registration in cloud mode (AP-13, AP-20, SE-4, SE-5, SE-13): which apps, at which URLs, with which signatures.
 */
import { describe, expect, it } from "vitest";
import { headersOf, type Reply } from "../../harness/scripted-app.ts";
import { canonical, FALLBACK, isSigned, KEY, STRANGER, sign } from "./signature.ts";
import { app, engine, OWN_HOST, strict } from "./world.ts";

describe("registration", () => {
  it("AP-13: an app in dev mode is refused with a sentence that names both modes and INNGEST_DEV", async () => {
    const answer = await engine.api("POST", "/fn/register", app.registration("dev-app", []), {
      "x-inngest-expected-server-kind": "dev",
    });
    expect(answer).toMatchObject({ status: 400, json: { code: "environment_mismatch" } });
    expect(answer.text).toMatch(/Expected server kind dev, got cloud/);
    expect(answer.text).toContain("INNGEST_DEV=0");
    expect((await engine.api("GET", "/v1/apps")).text).not.toContain("dev-app");
  });

  it.each([
    ["http://app.example.com/api/inngest", "unsupported_protocol"],
    ["https://localhost/api/inngest", "private_address"],
    ["https://127.0.0.1/api/inngest", "private_address"],
    ["https://2130706433/api/inngest", "private_address"],
    ["https://10.1.2.3/api/inngest", "private_address"],
    ["https://169.254.169.254/latest", "private_address"],
    ["https://[::1]/api/inngest", "private_address"],
    ["https://[::ffff:10.0.0.1]/api/inngest", "private_address"],
    ["https://db.internal/api/inngest", "private_address"],
    [`https://${OWN_HOST}/e/x`, "private_address"],
    ["https://user:secret@app.example.com/api/inngest", "config_invalid"],
    ["https://app.example.com/api/inngest#part", "config_invalid"],
  ])("AP-20, SE-13: the URL %s is refused with %s", async (url, code) => {
    const registration = { ...app.registration("outside", []), url };
    const answers = [
      await strict.api("POST", "/fn/register", registration),
      await strict.api("POST", "/v1/apps", { url }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 400, json: { code, data: null } });
      expect(answer.text).not.toContain("secret");
    }
    expect((await strict.api("GET", "/v1/apps")).text).not.toContain("outside");
  });

  it("AP-20: a public https URL is registered", async () => {
    const registration = { ...app.registration("public", []), url: "https://app.example.com/jobs?deployId=1&tenant=2" };
    expect((await strict.api("POST", "/fn/register", registration)).json).toMatchObject({ ok: true });
    expect((await strict.api("GET", "/v1/apps")).text).toContain("https://app.example.com/jobs?tenant=2");
  });

  describe("started by the engine", () => {
    const body = (mode: string) =>
      JSON.stringify({
        ...app.registration("in-band", []),
        app_id: "in-band",
        appName: undefined,
        inspection: { mode },
      });
    const answering = (text: string, signature: string, status = 200): Reply => ({
      status,
      headers: { ...headersOf("v4"), "x-inngest-sync-kind": "in_band", "x-inngest-signature": signature },
      raw: text,
    });
    const sync = () => engine.api("POST", "/v1/apps", { url: `${app.url}/api/inngest` });

    it.each([
      ["unsigned", () => answering(body("cloud"), ""), "unauthorized"],
      ["signed with another key", () => answering(body("cloud"), sign(STRANGER, body("cloud"))), "unauthorized"],
      ["signed for other bytes", () => answering(body("cloud"), sign(KEY, `${body("cloud")} `)), "unauthorized"],
      [
        "signed 6 minutes ago",
        () => answering(body("cloud"), sign(KEY, body("cloud"), Date.now() / 1000 - 360)),
        "unauthorized",
      ],
      [
        "signed for 6 minutes ahead",
        () => answering(body("cloud"), sign(KEY, body("cloud"), Date.now() / 1000 + 360)),
        "unauthorized",
      ],
      ["from an app in dev mode", () => answering(body("dev"), ""), "environment_mismatch"],
    ] as const)("SE-4, SE-5, AP-13: an in-band reply %s is refused", async (_, reply, code) => {
      app.answerOthers(reply);
      const answer = await sync();
      expect(answer).toMatchObject({ status: 400, json: { code } });
      expect((await engine.api("GET", "/v1/apps")).text).not.toContain("in-band");
    });

    it("AP-5, SE-3, SE-7: the PUT is signed, tried with the other key after a 401, and a signed reply is registered", async () => {
      app.answerOthers((request) => {
        const signed = isSigned(FALLBACK, request.headers["x-inngest-signature"], request.raw);
        return signed ? answering(body("cloud"), sign(FALLBACK, body("cloud"))) : answering("{}", "", 401);
      });
      const before = app.others.length;
      const answer = await sync();
      expect(answer, answer.text).toMatchObject({ status: 200, json: { data: { name: "in-band" } } });
      const asked = app.others.slice(before);
      expect(asked.map((request) => request.method)).toEqual(["PUT", "PUT"]);
      for (const { headers, raw } of asked) {
        expect(headers).toMatchObject({ "x-inngest-sync-kind": "in_band", "x-inngest-server-kind": "cloud" });
        expect(raw).toBe(canonical(JSON.parse(raw)));
      }
    });
  });
});
