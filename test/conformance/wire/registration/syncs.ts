/**
 * Syncs that the engine starts (AP-5, AP-8, AP-9, AP-13, protocol/02): in-band, out-of-band, and every way in which they fail.
 */
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { headersOf, type Reply, startScriptedApp } from "../../harness/scripted-app.ts";
import { app, captured, engine, fn, plain } from "./world.ts";

describe("syncs that the engine starts", () => {
  const sync = (url = `${app.url}/api/inngest`) => engine.api("POST", "/v1/apps", { url });

  it("AP-5, protocol/02 §2.1: an SDK that registers by itself is waited for", async () => {
    app.answerOthers(async (request) => {
      const answer = await engine.api(
        "POST",
        `/fn/register?deployId=${request.url.searchParams.get("deployId")}`,
        app.registration("asked", [plain("asked")]),
        { "x-inngest-expected-server-kind": request.headers["x-inngest-server-kind"] ?? "" },
      );
      const { modified } = z.object({ modified: z.boolean() }).parse(answer.json);
      const headers = { ...headersOf("v4"), "x-inngest-sync-kind": "out_of_band" };
      return { headers, body: { message: "Successfully registered", modified } };
    });
    const first = await sync();
    expect(first, first.text).toMatchObject({
      status: 200,
      json: {
        data: { name: "asked", function_count: 1, sync: { modified: true, added: ["asked-asked"], removed: [] } },
      },
    });
    expect((await sync()).json).toMatchObject({
      data: { name: "asked", sync: { modified: false, added: [], removed: [] } },
    });
    const { method, headers, raw } = app.others.at(-1) ?? {};
    expect(method).toBe("PUT");
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "x-inngest-server-kind": "dev",
      "x-inngest-sync-kind": "in_band",
    });
    expect(JSON.parse(raw ?? "")).toEqual({ url: `${app.url}/api/inngest` });
  });

  it.each(["js-v3.54.2", "js-v4.24.0"])("AP-5, AP-8: the in-band reply captured from %s is registered", async (sdk) => {
    const reply = z
      .looseObject({ inspection: z.looseObject({}) })
      .parse(JSON.parse(captured(`${sdk}-in-band-sync-response`)));
    const headers = { ...headersOf("v4"), "x-inngest-sync-kind": "in_band" };
    app.answerOthers(() => ({ headers, body: { ...reply, inspection: { ...reply.inspection, mode: "dev" } } }));
    const answer = await sync();
    expect(answer, answer.text).toMatchObject({
      status: 200,
      json: {
        data: {
          name: "cap-app",
          framework: "nodejs",
          app_version: "1.2.3",
          sdk: { language: "js", version: sdk.slice(4) },
        },
      },
    });
    await app.register(engine, "cap-app", []);
  });

  it("AP-13: an app in cloud mode is refused with a sentence that names INNGEST_DEV", async () => {
    const headers = { ...headersOf("v4"), "x-inngest-sync-kind": "in_band" };
    app.answerOthers(() => ({ headers, raw: captured("js-v4.24.0-in-band-sync-response") }));
    const answer = await sync();
    expect(answer).toMatchObject({ status: 400, json: { code: "environment_mismatch" } });
    expect(answer.text).toContain("INNGEST_DEV=1");
  });

  it.each<[string, Reply, string]>([
    ["401", { status: 401, body: { message: "Unauthorized" } }, "unauthorized"],
    ["403", { status: 403, as: "nobody", raw: "no" }, "forbidden"],
    ["404", { status: 404, as: "nobody", raw: "not here" }, "url_not_found"],
    ["500", { status: 500, as: "nobody", raw: "<h1>Oops</h1>" }, "server_error"],
    ["a stranger's 200", { as: "nobody", raw: "<html>Welcome</html>" }, "not_sdk"],
    ["10 MB", { headers: { "x-inngest-sync-kind": "in_band" }, body: "x".repeat(10_000_000) }, "not_sdk"],
    ["a cut connection", { drop: "before" }, "unreachable"],
    ["no configuration", { headers: { "x-inngest-sync-kind": "in_band" }, raw: "nothing" }, "not_sdk"],
    ["a registration that never came", { body: { message: "Successfully registered" } }, "environment_mismatch"],
    [
      "a configuration that breaks a rule",
      { headers: { "x-inngest-sync-kind": "in_band" }, body: broken() },
      "config_invalid",
    ],
  ])("AP-9: an app that answers with %s fails the sync, and no app is stored", async (_, reply, code) => {
    const unused = await startScriptedApp();
    try {
      unused.answerOthers(() => reply);
      const url = `${unused.url}/api/inngest`;
      const answer = await sync(url);
      expect(answer, answer.text).toMatchObject({ status: 400, json: { status: 400, code, data: null } });
      expect((await engine.api("GET", "/v1/apps")).text).not.toContain(url);
    } finally {
      await unused.stop();
    }
  });

  it("AP-9: a URL where nobody listens is unreachable", async () => {
    expect(await sync("http://127.0.0.1:9/api/inngest")).toMatchObject({ status: 400, json: { code: "unreachable" } });
  });

  it.each([{}, { url: "" }, { url: 5 }, "", "nonsense"])("API-17: the body %j is refused", async (body) => {
    expect(await engine.api("POST", "/v1/apps", body)).toMatchObject({ status: 400, json: { data: null } });
  });
});

/** An in-band configuration with 21 retries. */
function broken() {
  const url = "http://127.0.0.1:1/api/inngest";
  return {
    app_id: "broken",
    url,
    functions: [{ ...fn("broken-f"), retries: { attempts: 21 } }],
    inspection: { mode: "dev" },
  };
}
