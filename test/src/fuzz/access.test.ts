/**
 * Forged keys, signatures, tokens and addresses (SE-4, SE-6, SE-13, SE-17): whatever is not exactly what it has to be is refused, and is
 * refused without a fault.
 */
import * as fc from "fast-check";
import { sign } from "hono/jwt";
import { describe, expect, it } from "vitest";
import { targetFault } from "../../../src/calls/address.ts";
import { MillraceError } from "../../../src/errors.ts";
import { keySender } from "../../../src/events/key.ts";
import { SIGNATURE, TOKEN } from "../../../src/limits.ts";
import { bearerMatches, hashedKey, signBody, verifySignature } from "../../../src/protocol/signature.ts";
import { checkOutputToken, checkRealtimeToken, outputToken, realtimeToken } from "../../../src/protocol/token.ts";
import type { Settings } from "../../../src/settings.ts";
import { hostileText } from "../../fuzz/hostile.ts";
import { planOf } from "../../fuzz/plan.ts";
import { NO_DATABASE } from "../database.ts";

const plan = <T>(cases: number) => planOf<T>(process.env, cases);

const NOW = 1_800_000_000_000;
const KEY = "signkey-prod-0123456789abcdef0123456789abcdef";
const SECRET = "ab".repeat(32);
const ENVIRONMENT = "00000000-0000-4000-b000-000000000001";
const RUN = "01JD00000000000000000000RN";

// Tokens look at nothing else.
const settings = { secrets: [SECRET] } as unknown as Settings;

/** A text that differs from the given one in one place. */
function forged(text: string): fc.Arbitrary<string> {
  return fc
    .record({
      at: fc.nat(text.length - 1),
      by: fc.constantFrom(..."0aAzZ.=-_&%+ é\u0000"),
      how: fc.constantFrom("replace", "insert", "delete", "cut", "double", "case"),
    })
    .map(({ at, by, how }) => {
      const [head, tail] = [text.slice(0, at), text.slice(at + 1)];
      switch (how) {
        case "replace":
          return head + by + tail;
        case "insert":
          return head + by + text.slice(at);
        case "delete":
          return head + tail;
        case "cut":
          return head;
        case "double":
          return text + text.slice(at);
        default:
          return head + swapped(text.charAt(at)) + tail;
      }
    })
    .filter((other) => other !== text);
}

const swapped = (letter: string) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase());

async function isRefused(check: Promise<unknown>): Promise<boolean> {
  const error = await check.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error === null) return false;
  if (!(error instanceof MillraceError)) throw error;
  return ["unauthorized", "event_key_missing", "event_key_not_found"].includes(error.code);
}

/** What a token means, however its base64 is written: the last character of a part may have bits that say nothing. */
const meaning = (token: string) =>
  JSON.stringify(token.split(".").map((part) => Buffer.from(part, "base64url").toString("hex")));

describe("forgeries", () => {
  it("SE-4, SE-5: a signature is good for its bytes, its key and five minutes in both directions", async () => {
    const body = '{"a":1}';
    const good = await signBody(KEY, body, NOW);
    const header = fc.oneof({ weight: 4, arbitrary: forged(good) }, { weight: 1, arbitrary: hostileText });
    const age = fc.integer({ min: -2 * SIGNATURE.age, max: 2 * SIGNATURE.age });
    await fc.assert(
      fc.asyncProperty(header, forged(body), age, async (other, changed, ago) => {
        expect(await verifySignature([KEY], other, body, NOW)).toBe(false);
        expect(await verifySignature([KEY], good, changed, NOW)).toBe(false);
        expect(await verifySignature([KEY], good, body, NOW + ago)).toBe(Math.abs(ago) <= SIGNATURE.age);
      }),
      plan(1000),
    );
  });

  it("SE-6: only the key, plain or hashed, is the key", async () => {
    const hashed = await hashedKey(KEY);
    const digits = [KEY, hashed].map((key) => key.slice("signkey-prod-".length));
    const token = fc.oneof(forged(digits[0] ?? ""), forged(digits[1] ?? ""), hostileText);
    await fc.assert(
      fc.asyncProperty(token, async (other) => {
        fc.pre(!digits.includes(other.trim().replace(/^signkey-\w+-/, "")));
        for (const text of [other, `signkey-prod-${other}`]) {
          expect(await bearerMatches([KEY], `Bearer ${text}`)).toBe(false);
          expect(await bearerMatches([KEY], text)).toBe(false);
        }
      }),
      plan(1000),
    );
  });

  it("EV-20: only an event key is an event key", async () => {
    const eventKeys = ["a-key-of-some-length", "another"];
    // Keys look at nothing else.
    const cloud = { mode: "cloud", eventKeys } as unknown as Settings;
    const key = fc.oneof(forged("a-key-of-some-length"), forged("another"), hostileText);
    await fc.assert(
      fc.asyncProperty(key, async (other) => {
        fc.pre(!eventKeys.includes(other));
        const sender = keySender({ DB: NO_DATABASE }, cloud, { key: other, branch: null }, NOW);
        expect(await isRefused(sender)).toBe(true);
      }),
      plan(800),
    );
  });

  it("SE-17: a token is good as it was made, for its purpose, run and environment, while it lives", async () => {
    const grant = { right: "subscribe", channel: RUN, topics: ["news"] } as const;
    const [output, realtime] = [
      await outputToken(settings, ENVIRONMENT, RUN, NOW),
      await realtimeToken(settings, ENVIRONMENT, grant, NOW),
    ];
    const other = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(output, realtime).chain(forged) }, hostileText);
    await fc.assert(
      fc.asyncProperty(other, forged(ENVIRONMENT), async (token, environment) => {
        fc.pre(![output, realtime].some((good) => meaning(good) === meaning(token)));
        expect(await isRefused(checkOutputToken(settings, ENVIRONMENT, RUN, token, NOW))).toBe(true);
        expect(await isRefused(checkRealtimeToken(settings, ENVIRONMENT, token, NOW))).toBe(true);
        expect(await isRefused(checkOutputToken(settings, environment, RUN, output, NOW))).toBe(true);
        expect(await isRefused(checkRealtimeToken(settings, environment, realtime, NOW))).toBe(true);
      }),
      plan(800),
    );
    expect(await isRefused(checkOutputToken(settings, ENVIRONMENT, RUN, realtime, NOW))).toBe(true);
    expect(await isRefused(checkRealtimeToken(settings, ENVIRONMENT, output, NOW))).toBe(true);
  });

  it("SE-17: a token with another algorithm, issuer, audience or subject is refused, even under the right secret", async () => {
    const iat = NOW / 1000;
    const claims = { iss: "rt.inngest.com", aud: "realtime", sub: "00000000-0000-4000-a000-000000000000", iat };
    const right = { ...claims, exp: iat + 60, env: ENVIRONMENT, channel: "c", topics: ["t"], publish: false };
    const check = (token: string) => checkRealtimeToken(settings, ENVIRONMENT, token, NOW);
    expect(await check(await sign(right, SECRET, "HS256"))).toMatchObject({ channel: "c" });
    const changes = fc.oneof(
      fc.record({ field: fc.constantFrom("iss", "aud", "sub", "env"), value: fc.oneof(hostileText, fc.jsonValue()) }),
      fc.record({
        field: fc.constant("exp"),
        value: fc.oneof(fc.integer({ max: iat }), hostileText, fc.constant(null)),
      }),
      fc.record({ field: fc.constant("iat"), value: fc.integer({ min: iat + TOKEN.skew / 1000 + 1 }) }),
      fc.record({ field: fc.constantFrom("topics", "channel", "publish"), value: fc.constantFrom(null, 1, {}, [1]) }),
    );
    await fc.assert(
      fc.asyncProperty(changes, fc.constantFrom("HS256", "HS384", "HS512"), async ({ field, value }, algorithm) => {
        fc.pre(JSON.stringify(value) !== JSON.stringify({ ...right }[field]));
        const token = await sign({ ...right, [field]: value }, SECRET, algorithm as "HS256");
        expect(await isRefused(check(token))).toBe(true);
        const unsigned = `${btoa('{"alg":"none","typ":"JWT"}').replaceAll("=", "")}.${token.split(".")[1]}.`;
        expect(await isRefused(check(unsigned))).toBe(true);
      }),
      plan(600),
    );
    for (const algorithm of ["HS384", "HS512"] as const) {
      expect(await isRefused(check(await sign(right, SECRET, algorithm)))).toBe(true);
    }
  });
});

const POLICY = { allowPrivate: false, ownHost: "engine.example.com" };

const private4 = fc.oneof(
  ...[[127], [10], [192, 168], [172, 16], [169, 254], [100, 64], [0], [224], [255]].map((prefix) =>
    fc
      .array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 })
      .map((bytes) => [...prefix, ...bytes].slice(0, 4)),
  ),
);

const numberIn = fc.constantFrom(
  (n: number) => String(n),
  (n: number) => `0x${n.toString(16)}`,
  (n: number) => `0X${n.toString(16).toUpperCase()}`,
  (n: number) => `0${n.toString(8)}`,
  (n: number) => `000${n.toString(8)}`,
);

/** An IPv4 address in any of the ways that browsers understand. */
const spelling = fc
  .tuple(private4, fc.tuple(numberIn, numberIn, numberIn, numberIn), fc.constantFrom(1, 2, 3, 4))
  .map(([bytes, forms, parts]) => {
    const head = bytes.slice(0, parts - 1);
    const rest = bytes.slice(parts - 1).reduce((sum, byte) => sum * 256 + byte, 0);
    return [...head, rest].map((part, at) => forms[at]?.(part) ?? "").join(".");
  });

/** The same inside an IPv6 address. */
const embedded = fc
  .tuple(
    private4,
    fc.constantFrom("::ffff:", "::", "64:ff9b::", "64:ff9b:1::", "2002:", "::ffff:0:", "2001:0:"),
    fc.boolean(),
  )
  .map(([bytes, prefix, dotted]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    if (prefix === "2002:") return `[2002:${groups}::]`;
    if (prefix === "2001:0:") return `[2001:0:${groups}::1]`;
    return `[${prefix}${dotted ? bytes.join(".") : groups}]`;
  });

const name = fc
  .tuple(
    fc.constantFrom(
      "localhost",
      "a.localhost",
      "metadata.google.internal",
      "x.internal",
      "db.local",
      "engine.example.com",
      "router",
    ),
    fc.boolean(),
  )
  .map(([host, upper]) => (upper ? host.toUpperCase() : host));

describe("forbidden addresses", () => {
  it("SE-13: however a private address is written, it is not called", () => {
    const suffix = fc.constantFrom("", ".", "..", ":8443");
    fc.assert(
      fc.property(fc.oneof(spelling, embedded, name), suffix, (host, ending) => {
        const url = URL.parse(
          `https://${host}${host.startsWith("[") && ending.startsWith(".") ? "" : ending}/latest/meta-data`,
        );
        // What is no URL is called by nobody.
        if (url !== null) expect(targetFault(url, POLICY)?.code, url.hostname).toBe("private_address");
      }),
      plan(2500),
    );
  });

  it("SE-13: no text becomes a target without being an https URL of a public host", () => {
    fc.assert(
      fc.property(
        hostileText,
        fc.constantFrom("https://", "http://", "HTTPS:", "https:\\\\", "ftp://", "//", ""),
        (text, scheme) => {
          const url = URL.parse(`${scheme}${text}`);
          if (url !== null && targetFault(url, POLICY) === null) {
            expect(url.protocol).toBe("https:");
            expect(url.hostname).toMatch(/\./);
          }
        },
      ),
      plan(1500),
    );
  });
});
