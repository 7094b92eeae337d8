/**
 * Sends that must be refused (EV-2 … EV-5, EV-9, EV-20, EV-37, issue "Bad input"), as data: what is sent and which error comes back.
 * Every event that could be told from its name is called `in/refused…`, so that one look at the end finds what was stored all the same.
 */

/** A refused send. */
export interface Refusal {
  readonly id: string;
  /** Spec ID, and what is wrong. */
  readonly proves: string;
  /** Text as it is; anything else as JSON. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly code: string;
  /** What the message must name. */
  readonly tells: RegExp;
}

const MIB = 1024 * 1024;
const GOOD = { name: "in/refused.good", data: {} };

/** An event whose compact JSON has exactly so many bytes. */
export function eventOf(bytes: number, name = "in/refused.big"): { name: string; data: { x: string } } {
  const empty = JSON.stringify({ name, data: { x: "" } }).length;
  return { name, data: { x: "x".repeat(bytes - empty) } };
}

/** An event whose JSON is nested so deep, the event itself being the first level. */
export function nestedEvent(depth: number, name = "in/refused.deep"): string {
  const inner = depth - 2;
  return `{"name":"${name}","data":{"x":${"[".repeat(inner)}${"]".repeat(inner)}}}`;
}

/** One event that has something wrong with a field, and what the message must say. */
function field(id: string, proves: string, event: Record<string, unknown>, tells: RegExp): Refusal {
  return { id, proves, body: [GOOD, { ...GOOD, ...event }], status: 400, code: "event_invalid", tells };
}

function manySessions(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
}

const DAY = 24 * 3600 * 1000;

/** All refusals. */
export const REFUSALS: readonly Refusal[] = [
  {
    id: "empty",
    proves: "EV-2: an empty body",
    body: "",
    status: 400,
    code: "body_invalid",
    tells: /must contain an event/,
  },
  {
    id: "blank",
    proves: "EV-2: a body of blanks",
    body: " \n\t",
    status: 400,
    code: "body_invalid",
    tells: /must contain an event/,
  },
  {
    id: "number",
    proves: "EV-2: a number",
    body: "42",
    status: 400,
    code: "body_invalid",
    tells: /must contain an event/,
  },
  { id: "null", proves: "EV-2: null", body: "null", status: 400, code: "body_invalid", tells: /must contain an event/ },
  {
    id: "text",
    proves: "EV-2: a JSON text",
    body: `"in/refused"`,
    status: 400,
    code: "body_invalid",
    tells: /must contain an event/,
  },
  {
    id: "form",
    proves: "EV-2: a form on a plain key",
    body: "name=in/refused.form&data=1",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    status: 400,
    code: "body_invalid",
    tells: /must contain an event/,
  },
  {
    id: "html",
    proves: "EV-2: HTML",
    body: "<html></html>",
    status: 400,
    code: "body_invalid",
    tells: /must contain an event/,
  },
  {
    id: "half",
    proves: "EV-2: half an event",
    body: `{"name":"in/refused.half"`,
    status: 400,
    code: "body_invalid",
    tells: /JSON/,
  },
  {
    id: "half-array",
    proves: "EV-4: half an array",
    body: `[${JSON.stringify(GOOD)},{"na`,
    status: 400,
    code: "body_invalid",
    tells: /JSON/,
  },
  {
    id: "trailing",
    proves: "EV-2: text after the event",
    body: `${JSON.stringify(GOOD)} x`,
    status: 400,
    code: "body_invalid",
    tells: /after/,
  },
  {
    id: "comma",
    proves: "EV-2: a comma too many",
    body: `[${JSON.stringify(GOOD)},]`,
    status: 400,
    code: "body_invalid",
    tells: /JSON/,
  },
  {
    id: "quotes",
    proves: "EV-2: single quotes",
    body: `{'name':'in/refused.quotes'}`,
    status: 400,
    code: "body_invalid",
    tells: /JSON/,
  },

  field("name-missing", "EV-4: the second event of three has no name", { name: undefined }, /Event 1.*name/),
  field("name-empty", "EV-3: an empty name", { name: "" }, /Event 1.*name/),
  field("name-number", "EV-3: a name that is a number", { name: 5 }, /Event 1.*name/),
  field("name-null", "EV-3: a name that is null", { name: null }, /Event 1.*name/),
  field("name-257", "EV-3: a name of 257 characters", { name: "n".repeat(257) }, /Event 1.*257.*256/),
  field(
    "name-257-wide",
    "EV-3: a name of 257 characters outside the basic plane",
    { name: "😀".repeat(257) },
    /257.*256/,
  ),
  field("data-text", "EV-3: data that is a text", { data: "text" }, /Event 1.*data/),
  field("data-array", "EV-3: data that is an array", { data: [] }, /Event 1.*data/),
  field("data-number", "EV-3: data that is a number", { data: 0 }, /Event 1.*data/),
  field("data-false", "EV-3: data that is false", { data: false }, /Event 1.*data/),
  field("id-number", "EV-3: an id that is a number", { id: 7 }, /Event 1.*id/),
  field("id-513", "EV-3: an id of 513 characters", { id: "i".repeat(513) }, /Event 1.*513.*512/),
  field("ts-text", "EV-3: a ts that is a text", { ts: "2026-11-21" }, /Event 1.*ts/),
  field("ts-fraction", "EV-3: a ts with a fraction", { ts: 1_700_000_000_000.5 }, /Event 1.*ts/),
  field("ts-seconds", "EV-3: a ts in seconds", { ts: 300_000_000 }, /Event 1.*ts/),
  field("ts-negative", "EV-3: a ts before 1970", { ts: -1 }, /Event 1.*ts/),
  field("ts-far", "EV-3: a ts more than 366 days ahead", { ts: Date.now() + 367 * DAY }, /Event 1.*ts.*366/),
  field("v-number", "EV-3: a version that is a number", { v: 1 }, /Event 1.*v/),
  field("user-text", "EV-3: a user that is a text", { user: "ada" }, /Event 1.*user/),
  field("user-array", "EV-3: a user that is an array", { user: [] }, /Event 1.*user/),
  field("sessions-6", "EV-37: six sessions", { meta: { sessions: manySessions(6) } }, /Event 1.*sessions.*5/),
  field(
    "session-key",
    "EV-37: a session key of 129 bytes",
    { meta: { sessions: { ["k".repeat(129)]: "v" } } },
    /Event 1.*128/,
  ),
  field(
    "session-value",
    "EV-37: a session value of 513 bytes",
    { meta: { sessions: { k: "v".repeat(513) } } },
    /Event 1.*512/,
  ),

  {
    id: "event-number",
    proves: "EV-4: an event that is a number",
    body: [GOOD, 5, GOOD],
    status: 400,
    code: "event_invalid",
    tells: /Event 1/,
  },
  {
    id: "event-null",
    proves: "EV-4: an event that is null",
    body: [GOOD, null],
    status: 400,
    code: "event_invalid",
    tells: /Event 1/,
  },
  {
    id: "event-array",
    proves: "EV-4: an array in the array",
    body: [GOOD, [GOOD]],
    status: 400,
    code: "event_invalid",
    tells: /Event 1/,
  },
  {
    id: "deep",
    proves: "EV-5: nesting of 101 levels",
    body: nestedEvent(101),
    status: 400,
    code: "event_invalid",
    tells: /100/,
  },
  {
    id: "very-deep",
    proves: "EV-5: nesting of 100,000 levels",
    body: nestedEvent(100_000),
    status: 400,
    code: "event_invalid",
    tells: /100/,
  },
  {
    id: "open-deep",
    proves: "EV-5: 100,000 brackets that are never closed",
    body: `{"name":"in/refused.deep","data":${"[".repeat(100_000)}`,
    status: 400,
    code: "event_invalid",
    tells: /100/,
  },

  {
    id: "reserved",
    proves: "EV-9: a reserved name",
    body: { name: "inngest/function.failed", data: {} },
    status: 400,
    code: "event_name_reserved",
    tells: /inngest\//,
  },
  {
    id: "reserved-case",
    proves: "EV-9: a reserved name in another case",
    body: [GOOD, { name: "InnGest/x" }],
    status: 400,
    code: "event_name_reserved",
    tells: /Event 1/,
  },

  {
    id: "too-many",
    proves: "EV-5: 5,001 events",
    body: Array.from({ length: 5_001 }, () => ({ name: "in/refused.many" })),
    status: 400,
    code: "too_many_events",
    tells: /5001.*5000/,
  },
  {
    id: "event-too-large",
    proves: "EV-5: the second event has 1 MiB and a byte",
    body: [GOOD, eventOf(MIB + 1)],
    status: 413,
    code: "event_too_large",
    tells: new RegExp(`Event 1.*${MIB + 1}.*${MIB}`),
  },
  {
    id: "event-too-large-utf8",
    proves: "EV-5: bytes count, not characters",
    body: { name: "in/refused.utf8", data: { x: "é".repeat(MIB / 2) } },
    status: 413,
    code: "event_too_large",
    tells: new RegExp(`${MIB}`),
  },
];
