import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { judgeReply } from "../../../src/apps/sync-call.ts";
import { MillraceError } from "../../../src/errors.ts";
import { parseJson } from "../../../src/json.ts";
import { canonicalJson } from "../../../src/protocol/canonical.ts";
import { signBody } from "../../../src/protocol/signature.ts";

const NOW = 1_700_000_000_000;
const KEY = "signkey-test-0123456789abcdef0123456789abcdef";
const CLOUD = { mode: "cloud", signingKeys: [KEY] } as const;
const DEV = { mode: "dev", signingKeys: [] } as const;
const SDK = { "x-inngest-sdk-handled": "true" };
const IN_BAND = { ...SDK, "x-inngest-sync-kind": "in_band" };

const captured = readFileSync(
  new URL("../../fixtures/registration/js-v4.24.0-in-band-sync-response.json", import.meta.url),
  "utf8",
);

async function refusal(status: number, headers: Record<string, string>, body: string, keys: typeof CLOUD | typeof DEV) {
  const error = await judgeReply({ status, headers, body }, keys, NOW).catch((thrown: unknown) => thrown);
  if (!(error instanceof MillraceError)) throw new Error("the reply was accepted");
  return error;
}

describe("replies to a sync", () => {
  it.each<[string, number, Record<string, string>, string, string]>([
    ["a page of another program", 200, {}, "<html></html>", "not_sdk"],
    ["a method nobody serves", 405, {}, "", "not_sdk"],
    ["the engine itself", 404, { "x-inngest-server-kind": "dev" }, '{"status":404}', "not_sdk"],
    ["a wrong path", 404, {}, "not found", "url_not_found"],
    ["a proxy that wants a password", 401, {}, "", "unauthorized"],
    ["a host that protects itself", 403, {}, "", "forbidden"],
    ["a crashed server", 502, {}, "", "server_error"],
    ["an SDK that fails", 500, SDK, '{"message":"no signing key"}', "server_error"],
    ["a registration the engine refused", 400, SDK, '{"message":"Function \\"x\\", retries: no."}', "config_invalid"],
    ["an in-band reply that is no JSON", 200, IN_BAND, "oops", "not_sdk"],
    ["an in-band reply that is no object", 200, IN_BAND, "[]", "not_sdk"],
  ])("AP-9: %s", async (_what, status, headers, body, code) => {
    expect((await refusal(status, headers, body, DEV)).code).toBe(code);
  });

  it("AP-9: the app's own message is passed on", async () => {
    const { message } = await refusal(400, SDK, '{"message":"Function \\"x\\", retries: no."}', DEV);
    expect(message).toContain('Function "x", retries: no.');
  });

  it.each([SDK, { "x-inngest-sdk": "go:v0.14.0" }, { ...SDK, "x-inngest-sync-kind": "out_of_band" }])(
    "AP-5: an SDK that registered by itself",
    async (headers) => {
      const answer = await judgeReply({ status: 200, headers, body: '{"message":"ok"}' }, CLOUD, NOW);
      expect(answer).toEqual({ kind: "out_of_band" });
    },
  );

  it("AP-13: an app of the other mode is told which variable to set", async () => {
    const devApp = JSON.stringify({ app_id: "a", functions: [], inspection: { mode: "dev" } });
    const inCloud = await refusal(200, IN_BAND, devApp, CLOUD);
    expect(inCloud.code).toBe("environment_mismatch");
    expect(inCloud.message).toContain("INNGEST_DEV=0");
    const cloudApp = await refusal(401, SDK, '{"message":"Unauthorized"}', DEV);
    expect(cloudApp.code).toBe("unauthorized");
    expect(cloudApp.message).toContain("INNGEST_DEV=1");
  });
});

describe("in-band replies", () => {
  it("SE-5: a reply signed over its text is accepted", async () => {
    const headers = { ...IN_BAND, "x-inngest-signature": await signBody(KEY, captured, NOW) };
    const answer = await judgeReply({ status: 200, headers, body: captured }, CLOUD, NOW);
    expect(answer).toMatchObject({ kind: "in_band", body: { app_id: "cap-app" } });
  });

  it("SE-5: so is one signed over its canonical form", async () => {
    const parsed = parseJson(captured);
    if (!parsed.ok) throw new Error(parsed.reason);
    const headers = { ...IN_BAND, "x-inngest-signature": await signBody(KEY, canonicalJson(parsed.value), NOW) };
    expect(await judgeReply({ status: 200, headers, body: captured }, CLOUD, NOW)).toMatchObject({ kind: "in_band" });
  });

  it.each<[string, () => Promise<string | null>]>([
    ["without signature", async () => null],
    ["signed with another key", () => signBody("signkey-test-ffff", captured, NOW)],
    ["signed over another body", () => signBody(KEY, `${captured} `, NOW)],
    ["signed 6 minutes ago (SE-4)", () => signBody(KEY, captured, NOW - 360_000)],
  ])("SE-5: a reply %s is refused", async (_what, sign) => {
    const signature = await sign();
    const headers = { ...IN_BAND, ...(signature === null ? {} : { "x-inngest-signature": signature }) };
    expect((await refusal(200, headers, captured, CLOUD)).code).toBe("unauthorized");
  });

  it("DEV-12: in dev mode nothing is signed", async () => {
    const body = JSON.stringify({ app_id: "a", functions: [], inspection: { mode: "dev" } });
    expect(await judgeReply({ status: 200, headers: IN_BAND, body }, DEV, NOW)).toMatchObject({ kind: "in_band" });
  });
});
