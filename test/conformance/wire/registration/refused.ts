/**
 * What a registration is refused for (AP-13 … AP-17, AP-20, SE-15), and that the one before stays active.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { uploadWithoutEnd } from "../upload.ts";
import { BAD_FUNCTIONS } from "./bad-functions.ts";
import { app, engine, fn, functionsOf, plain, runsFor } from "./world.ts";

describe("what is refused", () => {
  const good = plain("ok", { event: "reg/kept" });

  beforeAll(async () => {
    expect((await app.register(engine, "strict", [good])).json).toMatchObject({ ok: true });
  });

  for (const [at, { proves, options, code, names }] of BAD_FUNCTIONS.entries()) {
    it(`${proves} is ${code} [${at}]`, async () => {
      const bad = { id: "bad", event: "reg/bad", script: [], options };
      const answer = await app.register(engine, "strict", [good, bad]);
      expect(answer, answer.text).toMatchObject({ status: 400, json: { code, status: 400, data: null } });
      for (const name of ["strict-bad", ...names]) {
        if (typeof name === "string") expect(answer.text.replaceAll('\\"', '"')).toContain(name);
        else expect(answer.text).toMatch(name);
      }
    });
  }

  it("AP-14: all violations are listed, with the first one's code", async () => {
    const answer = await app.register(engine, "strict", [
      good,
      { id: "one", event: "reg/x*", script: [], options: { retries: { attempts: 99 } } },
      { id: "two", script: [], options: { batchEvents: { maxSize: 1, timeout: "5s" } } },
    ]);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: expect.stringMatching(/^(?:event_name_invalid|config_invalid)$/) });
    for (const named of ["strict-one", "retries", "reg/x*", "strict-two", "batchEvents.maxSize"]) {
      expect(answer.text).toContain(named);
    }
  });

  it.each([
    ["AP-14: no app id", { appName: "" }, "config_invalid", /id/],
    ["AP-14: an app id of 256 characters", { appName: "a".repeat(256) }, "config_invalid", /255/],
    ["AP-14: an app id that is a number", { appName: 5 }, "config_invalid", /appName/],
    ["AP-14: no functions at all", { functions: undefined }, "config_invalid", /functions/],
    ["AP-14: functions that are an object", { functions: {} }, "config_invalid", /functions/],
    ["AP-14: a function that is a text", { functions: ["x"] }, "config_invalid", /functions/],
    ["AP-14: a function without an id", { functions: [{ name: "x", triggers: [] }] }, "config_invalid", /id/],
    ["AP-14: two functions with one id", { functions: [fn("strict-x"), fn("strict-x")] }, "config_invalid", /strict-x/],
    [
      "AP-14: a function id of 256 characters",
      { functions: [fn(`strict-${"f".repeat(256)}`)] },
      "config_invalid",
      /255/,
    ],
    ["AP-20: no URL", { url: undefined }, "config_invalid", /url/],
    ["AP-20: a URL that is none", { url: "nowhere" }, "config_invalid", /url/],
    ["AP-20: a URL of another scheme", { url: "ftp://app.example/api" }, "unsupported_protocol", /url/],
    ["AP-20: a URL with credentials", { url: "http://ada:secret@app.example/api" }, "config_invalid", /credentials/],
  ])("%s is refused", async (_, change, code, names) => {
    const body = { ...app.registration("strict", [good]), ...change };
    const answer = await engine.api("POST", "/fn/register", body);
    expect(answer, answer.text).toMatchObject({ status: 400, json: { code } });
    expect(answer.text).toMatch(names);
    expect(answer.text).not.toContain("secret");
  });

  it.each([
    ["nothing", "", 400, "body_invalid"],
    ["half JSON", `{"appName":"strict"`, 400, "body_invalid"],
    ["HTML", "<html>", 400, "body_invalid"],
    ["a list", "[]", 400, "config_invalid"],
    ["null", "null", 400, "config_invalid"],
    ["101 levels", `{"appName":"strict","functions":${"[".repeat(101)}${"]".repeat(101)}}`, 400, "body_invalid"],
  ])("SE-15, API-4: a body of %s is refused", async (_, body, status, code) => {
    const answer = await engine.api("POST", "/fn/register", body);
    expect(answer).toMatchObject({ status, json: { status, code, data: null } });
  });

  it("SE-15: a body that announces more than 4 MiB is refused before it is sent", async () => {
    const length = String(4 * 1024 * 1024 + 1);
    const answer = await uploadWithoutEnd(`${engine.url}/fn/register`, { "content-length": length }, []);
    expect(answer).toMatchObject({ status: 413, code: "request_too_large", data: null });
  });

  it("AP-13, protocol/02: an app that expects another server kind is told both modes and INNGEST_DEV", async () => {
    const answer = await engine.api("POST", "/fn/register", app.registration("strict", []), {
      "x-inngest-expected-server-kind": "cloud",
    });
    expect(answer).toMatchObject({ status: 400, json: { code: "environment_mismatch" } });
    expect(answer.text).toMatch(/Expected server kind cloud, got dev/);
    expect(answer.text).toContain("INNGEST_DEV=1");
  });

  it("AP-14: after all of that the first registration is the active one, and nothing of the others is there", async () => {
    expect(await functionsOf("strict")).toMatchObject([{ slug: "strict-ok", version: 1, archived: false }]);
    expect(await runsFor("reg/kept")).toHaveLength(1);
    expect(await runsFor("reg/bad")).toEqual([]);
  });
});
