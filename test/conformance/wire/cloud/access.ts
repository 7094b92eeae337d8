/**
 * Who is let in and what everybody else learns (SE-1, SE-6, SE-14, SE-21, EV-18, EV-20, API-2).
 */
import { describe, expect, it } from "vitest";
import { PROTECTED } from "./routes.ts";
import { bare, FALLBACK, hashed, KEY, STRANGER } from "./signature.ts";
import { app, broken, EVENT_KEYS, engine, finished, keyless, strict } from "./world.ts";

describe("who is let in", () => {
  const good = { plain: KEY, hashed: hashed(KEY), "plain, bare": bare(KEY), "hashed, bare": bare(hashed(KEY)) };
  const previous = { previous: FALLBACK, "previous, hashed": hashed(FALLBACK) };
  const accepted = Object.entries({ ...good, ...previous }).map(([form, token]) => [form, `Bearer ${token}`] as const);
  const refused = Object.entries({
    nothing: "",
    "an empty bearer": "Bearer ",
    undefined: "Bearer undefined",
    "another key": `Bearer ${STRANGER}`,
    "another key, hashed": `Bearer ${hashed(STRANGER)}`,
    "an event key": `Bearer ${EVENT_KEYS[0]}`,
    "another scheme": `Basic ${KEY}`,
    "half a key": `Bearer ${KEY.slice(0, -1)}`,
    "a key hashed twice": `Bearer ${hashed(hashed(KEY))}`,
  });

  it.each(accepted)("API-2, SE-6: the key in the form %s opens every route", async (_, authorization) => {
    for (const { method, path, body } of PROTECTED) {
      const { status } = await engine.api(method, path, body, { authorization });
      expect([method, path, status]).not.toEqual([method, path, 401]);
      expect([method, path, status]).not.toEqual([method, path, 503]);
    }
  });

  it.each(refused)("API-2, SE-6: %s opens none", async (_, authorization) => {
    for (const { method, path, body } of PROTECTED) {
      const answer = await engine.api(method, path, body, { authorization });
      expect([path, answer.status, answer.json]).toMatchObject([
        path,
        401,
        { status: 401, code: "unauthorized", data: null },
      ]);
      expect(answer.headers.get("x-inngest-server-kind")).toBe("cloud");
      if (path !== "/fn/register") expect(answer.json).toMatchObject({ error: "Authentication failed" });
      expect(answer.text).not.toContain(bare(KEY));
    }
  });

  it("SE-6: a registration with a wrong key changes nothing", async () => {
    const registration = app.registration("intruder", []);
    await engine.api("POST", "/fn/register", registration, { authorization: `Bearer ${STRANGER}` });
    expect((await engine.api("GET", "/v1/apps")).text).not.toContain("intruder");
  });

  it.each(EVENT_KEYS)("EV-18: the event key %s is valid", async (key) => {
    expect((await engine.api("POST", `/e/${key}`, { name: "cloud/nobody" })).json).toMatchObject({ status: 200 });
  });

  it.each([
    ["an unknown key", "/e/nobody", "event_key_not_found", "Event key not found"],
    ["the signing key", `/e/${KEY}`, "event_key_not_found", "Event key not found"],
    [
      "both keys at once",
      `/e/${encodeURIComponent(EVENT_KEYS.join(", "))}`,
      "event_key_not_found",
      "Event key not found",
    ],
    ["no key", "/e/", "event_key_missing", "Event key is required"],
    ["no key and no slash", "/e", "event_key_missing", "Event key is required"],
  ])("EV-20: %s is 401, whatever the body", async (_, path, code, error) => {
    for (const body of [{ name: "cloud/nobody" }, "not json"]) {
      expect((await engine.api("POST", path, body)).json).toEqual({ ids: [], status: 401, code, error });
    }
  });
});

describe("what strangers learn", () => {
  const anonymous = { authorization: "" };

  it("SE-1, SE-21: the home page and /health reveal neither version, apps nor counts", async () => {
    await finished("only-key");
    for (const path of ["/", "/health"]) {
      const answer = await engine.api("GET", path, undefined, anonymous);
      expect(answer.status).toBe(200);
      expect(answer.text).not.toMatch(/\d+\.\d+\.\d+|cloud-|only-key|cloud\//);
      expect(answer.headers.get("x-inngest-server-kind")).toBe("cloud");
    }
  });

  it("protocol/12 §12.1: there is no GET /dev, with the key or without", async () => {
    for (const headers of [anonymous, {}]) {
      const answer = await engine.api("GET", "/dev", undefined, headers);
      expect(answer).toMatchObject({ status: 404, json: { code: "not_found" } });
    }
  });

  it("SE-1: without keys every protected route is 503 not_configured and names the secret", async () => {
    for (const { method, path, body } of PROTECTED) {
      const answer = await keyless.api(method, path, body, { authorization: `Bearer ${KEY}` });
      expect([path, answer.status, answer.json]).toMatchObject([path, 503, { code: "not_configured", data: null }]);
      expect(answer.text).toContain("INNGEST_SIGNING_KEY");
    }
    expect((await keyless.api("GET", "/health")).status).toBe(200);
  });

  it("EV-20: without event keys a send is 503, with a signing key too", async () => {
    for (const server of [keyless, strict]) {
      const answer = await server.api("POST", "/e/anything", { name: "cloud/nobody" });
      expect(answer.json).toEqual({
        ids: [],
        status: 503,
        code: "not_configured",
        error: "No event key is configured",
      });
    }
  });

  it("SE-14: a secret that cannot be a key is named without its value", async () => {
    const answer = await broken.api("GET", "/v1/runs");
    expect(answer).toMatchObject({ status: 503, json: { code: "not_configured" } });
    expect(answer.text).toContain("INNGEST_SIGNING_KEY");
    expect(answer.text).not.toContain("this-is-no-hex");
  });
});
