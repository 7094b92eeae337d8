import { sign } from "hono/jwt";
import { describe, expect, it } from "vitest";
import { MillraceError } from "../../../src/errors.ts";
import { TOKEN } from "../../../src/limits.ts";
import { checkOutputToken, checkRealtimeToken, outputToken, realtimeToken } from "../../../src/protocol/token.ts";
import type { Settings } from "../../../src/settings.ts";

const NOW = 1_800_000_000_000;
const ENVIRONMENT = "00000000-0000-4000-b000-000000000000";
const RUN = "01JD00000000000000000000RN";
const SECRET = "ab".repeat(32);

// Tokens look at nothing else.
const settings = (...secrets: string[]) => ({ secrets }) as unknown as Settings;
const own = settings(SECRET);

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
}

async function refusal(checked: Promise<unknown>): Promise<string> {
  const error: unknown = await checked.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof MillraceError)) throw new Error(`not refused, but ${String(error)}`);
  return error.code;
}

const checked = (token: string, now = NOW, { environment = ENVIRONMENT, run = RUN, by = own } = {}) =>
  checkOutputToken(by, environment, run, token, now);

describe("result tokens", () => {
  it("SE-17, protocol/05 §5.6: their claims, and an hour of life", async () => {
    const token = await outputToken(own, ENVIRONMENT, RUN, NOW);
    expect(claimsOf(token)).toEqual({
      iss: "api.inngest.com",
      aud: "run-output",
      sub: "run-claim",
      env: ENVIRONMENT,
      run_id: RUN,
      iat: NOW / 1000,
      exp: NOW / 1000 + 3600,
    });
    await checked(token);
    await checked(token, NOW + TOKEN.output - 1);
  });

  it.each<[string, (token: string) => Promise<void>]>([
    ["expired", (token) => checked(token, NOW + TOKEN.output)],
    ["of the future", (token) => checked(token, NOW - TOKEN.skew - 1000)],
    ["of another run", (token) => checked(token, NOW, { run: "01JD00000000000000000000XX" })],
    ["of another environment", (token) => checked(token, NOW, { environment: "other" })],
    ["signed by somebody else", (token) => checked(token, NOW, { by: settings("cd".repeat(32)) })],
    ["in a deployment without secret", (token) => checked(token, NOW, { by: settings() })],
    ["with a changed signature", (token) => checked(`${token.slice(0, -2)}AA`)],
    ["without a signature", (token) => checked(`${token.split(".").slice(0, 2).join(".")}.`)],
    ["that is no token", () => checked("nonsense")],
    ["that is empty", () => checked("")],
  ])("SE-17: one %s is refused", async (_, check) => {
    expect(await refusal(check(await outputToken(own, ENVIRONMENT, RUN, NOW)))).toBe("unauthorized");
  });

  it("SE-17: the algorithm is fixed", async () => {
    const claims = claimsOf(await outputToken(own, ENVIRONMENT, RUN, NOW));
    const header = btoa('{"alg":"none","typ":"JWT"}').replaceAll("=", "");
    const payload = btoa(JSON.stringify(claims)).replaceAll("=", "");
    expect(await refusal(checked(`${header}.${payload}.`))).toBe("unauthorized");
    expect(await refusal(checked(await sign(claims, SECRET, "HS512")))).toBe("unauthorized");
    await checked(await sign(claims, SECRET, "HS256"));
  });

  it("SE-17: each claim counts", async () => {
    const claims = claimsOf(await outputToken(own, ENVIRONMENT, RUN, NOW));
    for (const name of Object.keys(claims)) {
      const { [name]: _, ...without } = claims;
      expect([name, await refusal(checked(await sign(without, SECRET, "HS256")))]).toEqual([name, "unauthorized"]);
    }
  });

  it("SE-14: one signed before the secret was changed is still good, and new ones use the new secret", async () => {
    const rotated = settings("cd".repeat(32), SECRET);
    await checked(await outputToken(own, ENVIRONMENT, RUN, NOW), NOW, { by: rotated });
    expect(await refusal(checked(await outputToken(rotated, ENVIRONMENT, RUN, NOW)))).toBe("unauthorized");
  });

  it("a deployment without secret says what is missing", async () => {
    await expect(outputToken(settings(), ENVIRONMENT, RUN, NOW)).rejects.toMatchObject({
      code: "not_configured",
      message: expect.stringContaining("MILLRACE_SECRET"),
    });
  });
});

describe("realtime tokens", () => {
  const grant = { right: "subscribe", channel: RUN, topics: ["ai", "$run"] } as const;

  it("RT-4, protocol/05 §5.6: their claims, and a minute to connect", async () => {
    const token = await realtimeToken(own, ENVIRONMENT, grant, NOW);
    expect(claimsOf(token)).toEqual({
      iss: "rt.inngest.com",
      aud: "realtime",
      sub: "00000000-0000-4000-a000-000000000000",
      jti: expect.stringMatching(/^[0-9A-Z]{26}$/),
      env: ENVIRONMENT,
      channel: RUN,
      topics: ["ai", "$run"],
      publish: false,
      iat: NOW / 1000,
      exp: NOW / 1000 + 60,
    });
    expect(await checkRealtimeToken(own, ENVIRONMENT, token, NOW + 59_999)).toEqual(grant);
  });

  it("RT-4: the right to publish is another one", async () => {
    const publisher = { ...grant, right: "publish" } as const;
    const token = await realtimeToken(own, ENVIRONMENT, publisher, NOW);
    expect(claimsOf(token)["publish"]).toBe(true);
    expect(await checkRealtimeToken(own, ENVIRONMENT, token, NOW)).toEqual(publisher);
  });

  it.each<[string, (token: string) => Promise<unknown>]>([
    ["a minute old", (token) => checkRealtimeToken(own, ENVIRONMENT, token, NOW + 60_000)],
    ["61 s old", (token) => checkRealtimeToken(own, ENVIRONMENT, token, NOW + 61_000)],
    ["of another environment", (token) => checkRealtimeToken(own, "other", token, NOW)],
    ["signed by somebody else", (token) => checkRealtimeToken(settings("cd".repeat(32)), ENVIRONMENT, token, NOW)],
    ["that is no token", () => checkRealtimeToken(own, ENVIRONMENT, "forged", NOW)],
    ["that is missing", () => checkRealtimeToken(own, ENVIRONMENT, "", NOW)],
  ])("RT-5: one %s is refused", async (_, check) => {
    expect(await refusal(check(await realtimeToken(own, ENVIRONMENT, grant, NOW)))).toBe("unauthorized");
  });

  it("RT-5: each claim counts", async () => {
    const claims = claimsOf(await realtimeToken(own, ENVIRONMENT, grant, NOW));
    for (const name of Object.keys(claims).filter((each) => each !== "jti")) {
      const { [name]: _, ...without } = claims;
      const forged = checkRealtimeToken(own, ENVIRONMENT, await sign(without, SECRET, "HS256"), NOW);
      expect([name, await refusal(forged)]).toEqual([name, "unauthorized"]);
    }
  });

  it("SE-17: neither kind passes for the other", async () => {
    const [result, realtime] = await Promise.all([
      outputToken(own, ENVIRONMENT, RUN, NOW),
      realtimeToken(own, ENVIRONMENT, grant, NOW),
    ]);
    expect(await refusal(checked(realtime))).toBe("unauthorized");
    expect(await refusal(checkRealtimeToken(own, ENVIRONMENT, result, NOW))).toBe("unauthorized");
    // Not even with the other's claims.
    const both = { ...claimsOf(result), ...claimsOf(realtime) };
    expect(await refusal(checked(await sign(both, SECRET, "HS256")))).toBe("unauthorized");
  });
});
