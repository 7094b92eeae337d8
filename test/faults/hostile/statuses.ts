/**
 * Row 15: statuses that tell of trouble, and the headers with which an app or a host steers when it is called again
 * (EX-20, EX-21, EX-23 to EX-25; "headers from apps" of the security checklist).
 */
import { expect } from "vitest";
import type { Reply } from "../../conformance/harness/scripted-app.ts";
import { between, type WireCase } from "../../conformance/wire/case.ts";
import { done, error, progress, run, threw } from "../../conformance/wire/ops.ts";
import { type Hostile, hostile } from "./table.ts";
import { drips, head, sends } from "./wire.ts";

const DAY = 86_400_000;
/** ms by which a call may come late on a busy machine; what it must not be is another wait. */
const PATIENCE = 20_000;
const OPS = JSON.stringify([run("lost")]);
const foreign = (status: number, headers: Readonly<Record<string, string>> = {}, raw = `status ${status}`): Reply => {
  return { status, as: "nobody", headers, raw };
};

/** Statuses of hosts and proxies, which no SDK sent. */
const FOREIGN: readonly Hostile[] = [400, 401, 403, 404, 405, 410, 413, 418, 429, 451, 500, 502, 503, 504, 599].map(
  (status) => ({
    id: `foreign-${status}`,
    title: `row 15: a host's ${status} (EX-24)`,
    reply: () => foreign(status),
    code: "app_unreachable",
    tells: new RegExp(`invalid status code: ${status}: status ${status}`),
  }),
);

const INFORMATIONAL: readonly Hostile[] = [
  {
    id: "switching",
    title: "row 15: 101 Switching Protocols (SE-15)",
    reply: () => sends("HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n", OPS),
    code: "app_unreachable",
    tells: /101|cannot be reached/,
  },
  {
    id: "informational-only",
    title: "row 15: 103 and nothing more (SE-15)",
    reply: () => sends("HTTP/1.1 103 Early Hints\r\n\r\n"),
    code: "app_unreachable",
    tells: /103|cannot be reached/,
  },
  {
    id: "not-http",
    title: "row 15: a greeting of another protocol (SE-15)",
    reply: () => sends("220 mail.example.com ESMTP\r\n"),
    code: "app_unreachable",
    tells: /cannot be reached/,
  },
  ...["000", "99", "1000", "-200", "20x"].map(
    (status, n): Hostile => ({
      id: `status-${n}`,
      title: `row 15: a status of ${status} (SE-15)`,
      reply: () => sends(head(status, { "content-length": String(OPS.length) }), OPS),
      code: "app_unreachable",
      tells: /cannot be reached|invalid status code/,
    }),
  ),
];

const redirect = (location: string, status = 307) => foreign(status, { location });

/** What a redirect asks for and nobody follows. */
const REFUSED: readonly WireCase[] = [
  ...[
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "javascript:alert(1)",
    "data:application/json,null",
    "ws://127.0.0.1/",
  ].map(
    (location, n): WireCase => ({
      id: `redirect-scheme-${n}`,
      proves: `row 15: a redirect to ${location} is not followed (EX-25, SE-13)`,
      retries: 0,
      script: [redirect(location)],
      status: "Failed",
      error: { code: "unsupported_protocol", message: expect.stringMatching(/only http and https/) },
      calls: [{}],
    }),
  ),
  ...[307, 308].map(
    (status): WireCase => ({
      id: `redirect-loop-${status}`,
      proves: `row 15: a loop of ${status} ends after five hops (EX-25)`,
      retries: 0,
      script: (call) => redirect(call.url.href, status),
      status: "Failed",
      error: {
        code: "app_unreachable",
        message: expect.stringMatching(/More than 5 redirects, starting at http:\/\/127\.0\.0\.1:\d+/),
      },
      check: ({ calls }) => expect(calls).toHaveLength(6),
    }),
  ),
  ...[307, 308].map(
    (status): WireCase => ({
      id: `redirect-${status}`,
      proves: `row 15: a ${status} keeps method, body and the step's attempt (EX-25)`,
      script: (call) => {
        if (call.url.pathname !== "/moved") return redirect(`/moved${call.url.search}`, status);
        return call.body.ctx.stack.stack.length === 0 ? progress(run("a")) : done("moved");
      },
      output: "moved",
      check: ({ calls }) =>
        expect(calls.map((call) => [call.method, call.body.ctx.attempt])).toEqual(Array(4).fill(["POST", 0])),
    }),
  ),
];

/** A status, then success; the second call tells how long the engine waited. */
function advised(id: string, header: string, least: number, most: number, over: Partial<WireCase> = {}): WireCase {
  return {
    id: `advice-${id}`,
    proves: `row 15: Retry-After "${header}" is obeyed within 1 s and 24 h (EX-23)`,
    script: (call) => {
      if (call.body.ctx.attempt > 0) return done("later");
      const date = header.replace("+5s", new Date(Date.now() + 5_000).toUTCString());
      return { status: 429, headers: { "retry-after": date }, body: error("slow down") };
    },
    output: "later",
    calls: [{ attempt: 0 }, { attempt: 1 }],
    check: (seen) => {
      expect(between(seen, 0, 1)).toBeGreaterThanOrEqual(least);
      expect(between(seen, 0, 1)).toBeLessThan(most + PATIENCE);
    },
    ...over,
  };
}

/** Waits that a test does not sit out: when the next attempt is queued. */
function postponed(id: string, reply: () => Reply, least: number, most: number, what: string): WireCase {
  return {
    id: `postponed-${id}`,
    proves: `row 15: ${what} (EX-23)`,
    script: () => reply(),
    at: "rest",
    calls: [{ attempt: 0 }],
    check: ({ jobs, calls }) => {
      expect(jobs).toHaveLength(1);
      const wait = Date.parse(jobs[0]?.at ?? "") - (calls[0]?.at ?? 0);
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(most);
    },
  };
}

const sdk500 = (headers: Readonly<Record<string, string>>): Reply => ({ status: 500, headers, body: error("no") });

const ADVICE: readonly WireCase[] = [
  advised("seconds", "3", 3_000, 3_000),
  advised("zero", "0", 1_000, 1_000),
  advised("fraction", "0.001", 1_000, 1_000),
  advised("date", "+5s", 3_900, 5_000),
  advised("past", "Thu, 01 Jan 1970 00:00:00 GMT", 1_000, 1_000),
  // What is no time at all leaves the wait to the back-off, which is 1 s here and at most a tenth more.
  ...["-5", "-1 day", "soon", "May", "1e9", "0x10", "5 apples", "12345678", "Infinity", "NaN"].map((text, n) =>
    advised(`nonsense-${n}`, text, 1_000, 1_100),
  ),
  postponed("day", () => sdk500({ "retry-after": "9999999" }), DAY - 5_000, DAY + 5_000, "116 days are one day"),
  postponed(
    "far",
    () => sdk500({ "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT" }),
    DAY - 5_000,
    DAY + 5_000,
    "the year 9999 is tomorrow",
  ),
  postponed(
    "foreign",
    () => foreign(429, { "retry-after": "7200" }),
    7_195_000,
    7_205_000,
    "two hours of a host's 429 are two hours",
  ),
  postponed(
    "step",
    () => ({ ...progress(threw("a")), headers: { "retry-after": "9999999" } }),
    DAY - 5_000,
    DAY + 5_000,
    "a step's 116 days are one day",
  ),
  {
    id: "host-no-retry",
    proves: "row 15: a host that is no SDK cannot forbid the next attempt (EX-22, EX-24)",
    script: (call) => (call.body.ctx.attempt === 0 ? foreign(500, { "x-inngest-no-retry": "true" }) : done("again")),
    output: "again",
    calls: [{ attempt: 0 }, { attempt: 1 }],
  },
  {
    id: "odd-no-retry",
    proves: "row 15: only the word true forbids the next attempt (EX-22)",
    script: (call) => (call.body.ctx.attempt === 0 ? sdk500({ "x-inngest-no-retry": "1, yes, TRUE" }) : done("again")),
    output: "again",
    calls: [{ attempt: 0 }, { attempt: 1 }],
  },
  {
    id: "storm",
    proves: "row 15: a storm of statuses uses up the attempts one by one, each of them called once (EX-20)",
    retries: 20,
    options: {},
    script: (call) => {
      const statuses = [500, 429, 401, 403, 404, 410, 413];
      const status = statuses[call.body.ctx.attempt % statuses.length] ?? 500;
      return call.body.ctx.attempt < 7 ? foreign(status) : done("calm");
    },
    output: "calm",
    check: ({ calls }) => expect(calls.map((call) => call.body.ctx.attempt)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]),
  },
];

/** 1xx before the real reply. */
const EARLY: readonly WireCase[] = [
  {
    id: "continue",
    proves: "row 15: 100 and 103 before a reply are passed over (EX-65)",
    script: (call) => {
      if (call.number > 1) return done("through");
      const early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
      return sends(early, head(206, { "content-length": String(OPS.length) }), OPS);
    },
    output: "through",
    calls: [{ attempt: 0 }, { attempt: 0, stack: ["lost"] }],
  },
];

/** A flood of 1xx has to meet the deadline: for the engine in which it is short. */
export const ENDLESS_CONTINUE: Hostile = {
  id: "endless-continue",
  title: "row 15: 100 Continue without end (EX-17)",
  reply: () => drips("", "HTTP/1.1 100 Continue\r\n\r\n", 20),
  code: "call_timeout",
  tells: /did not answer within/,
};

/** The cases of row 15. */
export const STATUSES: readonly WireCase[] = [
  ...[...FOREIGN, ...INFORMATIONAL].flatMap((one) => hostile(one, "long")),
  ...REFUSED,
  ...ADVICE,
  ...EARLY,
];
