import { describe, expect, it } from "vitest";
import { WEBHOOK } from "../../../src/limits.ts";
import { withInterpreter } from "../../../src/webhooks/interpreter.ts";
import { runTransform, type TransformArguments } from "../../../src/webhooks/sandbox.ts";

const NOTHING: TransformArguments = { evt: {}, headers: {}, queryParams: {}, raw: "" };

/** What the transform returned, parsed; undefined when it returned nothing. Throws when it failed. */
async function returned(source: string, args: Partial<TransformArguments> = {}): Promise<unknown> {
  const result = await runTransform(source, { ...NOTHING, ...args });
  if (!result.ok) throw new Error(result.failure.stack);
  return result.returned === null ? undefined : JSON.parse(result.returned);
}

/** How the transform failed. Throws when it did not. */
async function failure(source: string, args: Partial<TransformArguments> = {}) {
  const result = await runTransform(source, { ...NOTHING, ...args });
  if (result.ok) throw new Error(`it returned ${result.returned?.slice(0, 200)}`);
  return result.failure;
}

const WELL = "(evt) => evt";
const wellAfter = async () => expect(await returned(WELL, { evt: { fine: true } })).toEqual({ fine: true });

describe("EV-30: calling a transform", () => {
  it("the one of the documentation names an event after its type", async () => {
    const source = `(evt) => ({ id: evt.id, name: \`stripe/\${evt.type}\`, data: evt })`;
    const evt = { id: "evt_1", type: "charge.updated" };
    expect(await returned(source, { evt })).toEqual({ id: "evt_1", name: "stripe/charge.updated", data: evt });
  });

  it.each([
    ["a function of that name", "function transform(evt) { return evt.n }"],
    ["a constant of that name", "const transform = (evt) => evt.n;"],
    ["an async function", "async function transform(evt) { await null; return evt.n }"],
    ["an async arrow", "async ({ n }) => n"],
    ["a promise of its own", "(evt) => new Promise((resolve) => resolve(evt.n))"],
    ["a thenable", "(evt) => ({ then: (resolve) => resolve(evt.n) })"],
    ["a long chain of promises", "async (evt) => { for (let i = 0; i < 1000; i++) await null; return evt.n }"],
    [
      "others around it",
      "const one = 1;\nfunction add(n) { return n + one }\nfunction transform(evt) { return add(evt.n) - 1 }",
    ],
    ["a value after it", "function transform(evt) { return evt.n }\n(() => 'not this')"],
  ])("the source may be %s", async (_, source) => {
    expect(await returned(source, { evt: { n: 7 } })).toBe(7);
  });

  it.each([
    ["nothing", ""],
    ["a value", "({ name: 'a' })"],
    ["a function of another name", "function convert(evt) { return evt }"],
    ["a transform that is no function", "var transform = 1"],
  ])("a source with %s is a failure that says so", async (_, source) => {
    expect(await failure(source)).toMatchObject({
      name: "TypeError",
      message: "The source defines no function transform.",
    });
  });

  it("gets four arguments, which are plain data", async () => {
    const args = {
      evt: [1, { a: null }, "ü💧", true],
      headers: { "X-A": "1" },
      queryParams: { a: ["1", "2"], b: [""] },
      raw: "the body",
    };
    const source =
      "(...all) => ({ count: all.length, all, array: Array.isArray(all[0]), list: Array.isArray(all[2].a) })";
    const all = [args.evt, args.headers, args.queryParams, args.raw];
    expect(await returned(source, args)).toEqual({ count: 4, all, array: true, list: true });
  });

  it.each(["", "\0a\0", "\ufeff{}", "a\r\nb\u2028c", '"\\', "\ud800", "💧".repeat(1000)])(
    "EV-33: raw is unchanged: %j",
    async (raw) => {
      expect(await returned("(evt, headers, query, raw) => ({ raw, length: raw.length })", { raw })).toEqual({
        raw,
        length: raw.length,
      });
    },
  );

  it("names from outside are never taken for a prototype", async () => {
    const evt = JSON.parse('{"__proto__":{"x":1},"constructor":2}');
    const source =
      "(evt) => ({ own: Object.keys(evt), x: String(evt.x), proto: Object.getPrototypeOf(evt) === Object.prototype })";
    expect(await returned(source, { evt })).toEqual({ own: ["__proto__", "constructor"], x: "undefined", proto: true });
  });

  it.each([
    ["null", "() => null", undefined],
    ["undefined", "() => {}", undefined],
    ["a promise of nothing", "async () => {}", undefined],
    ["an array", "() => [{ name: 'a' }, { name: 'b' }]", [{ name: "a" }, { name: "b" }]],
    ["an empty array", "() => []", []],
    ["an empty text", "() => ''", ""],
    [
      "what has a toJSON",
      "() => ({ at: new Date(0), u: undefined, n: NaN })",
      { at: "1970-01-01T00:00:00.000Z", n: null },
    ],
  ])("may return %s", async (_, source, expected) => {
    expect(await returned(source)).toEqual(expected);
  });
});

describe("EV-30: headers", () => {
  const headers = { "Stripe-Signature": "t=1,v1=é", Host: "h", "X-2fa-Ok": "", Constructor: "c" };

  it.each(["Stripe-Signature", "stripe-signature", "STRIPE-SIGNATURE", "sTRIPE-sIGNATURE"])(
    "%s finds the value",
    async (name) => {
      const source = `(evt, headers) => {
      const { [${JSON.stringify(name)}]: taken } = headers;
      const name = ${JSON.stringify(name)};
      return [headers[name], taken, name in headers, Object.hasOwn(headers, name), headers.hasOwnProperty(name)];
    }`;
      expect(await returned(source, { headers })).toEqual([
        headers["Stripe-Signature"],
        headers["Stripe-Signature"],
        true,
        true,
        true,
      ]);
    },
  );

  it("are listed once, under their canonical names", async () => {
    const source = `(evt, headers) => {
      headers["stripe-signature"];
      const looped = [];
      for (const name in headers) looped.push(name);
      return [Object.keys(headers), looped, Object.entries(headers), { ...headers }, headers, JSON.parse(JSON.stringify(headers))];
    }`;
    const names = Object.keys(headers);
    expect(await returned(source, { headers })).toEqual([
      names,
      names,
      Object.entries(headers),
      headers,
      headers,
      headers,
    ]);
  });

  it("that are missing are undefined, and what every object has is there", async () => {
    const source =
      "(evt, headers) => [typeof headers.missing, typeof headers.toString, 'missing' in headers, headers.constructor]";
    expect(await returned(source, { headers })).toEqual(["undefined", "function", false, "c"]);
  });

  it("can be changed in any case", async () => {
    const source = `(evt, headers) => { headers.HOST = "new"; delete headers["stripe-signature"]; headers.own = "1"; return headers; }`;
    expect(await returned(source, { headers })).toEqual({ Host: "new", "X-2fa-Ok": "", Constructor: "c", own: "1" });
  });
});

describe("EV-30: limits", () => {
  it("a source of 64 KiB runs, one byte more does not", async () => {
    const source = `${WELL} //`;
    const full = `${source.padEnd(WEBHOOK.sourceBytes - 2)}ü`;
    expect(await returned(full, { evt: 1 })).toBe(1);
    expect(await failure(`${full}.`)).toMatchObject({
      name: "SourceTooLarge",
      message: "The transform's source has 65537 bytes; the limit is 65536 bytes.",
    });
  });

  it("half of the memory may be used, and not the whole", async () => {
    expect(await returned("() => new Uint8Array(8 << 20).length")).toBe(8 << 20);
    expect(await failure("() => [new Uint8Array(9 << 20), new Uint8Array(9 << 20)].length")).toMatchObject({
      name: "MemoryLimitExceeded",
      message: "The transform needs more than 16777216 bytes of memory.",
      stack: expect.stringContaining("transform.js:1"),
    });
  });

  it("a body of 3 MiB fits, and one that cannot fit is a failure", async () => {
    const large = { list: Array.from({ length: 3 * 1024 }, (_, n) => ({ n, text: "x".repeat(1000) })) };
    const raw = JSON.stringify(large);
    expect(await returned("(evt, headers, query, raw) => [evt.list.length, raw.length]", { evt: large, raw })).toEqual([
      3072,
      raw.length,
    ]);
    for (const size of [9, 17, 40]) {
      const tooLarge = { raw: "x".repeat(size * 1024 * 1024) };
      expect(await failure("(evt, headers, query, raw) => raw.length", tooLarge)).toMatchObject({
        name: "MemoryLimitExceeded",
      });
    }
    await wellAfter();
  });

  it("the time is counted: the same work always fits, ten times as much never does", async () => {
    const source = (turns: number) => `() => { let n = 0; for (let i = 0; i < ${turns}; i++) n += i % 3; return n; }`;
    for (let again = 0; again < 5; again++) expect(await returned(source(500_000))).toBe(499_999);
    expect(await failure(source(20_000_000))).toMatchObject({
      name: "TimeLimitExceeded",
      message: "The transform computes for more than 100 ms.",
      stack: expect.stringContaining("transform.js:1"),
    });
  });
});

describe("SE-16: there is nothing to reach", () => {
  /** Objects of the language; `console` is there for those who forget it in their source. */
  const LANGUAGE =
    "AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array InternalError Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet console decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape".split(
      " ",
    );

  it("but the language's own objects", async () => {
    const names = await returned("() => Object.getOwnPropertyNames(globalThis).sort()");
    expect((names as string[]).filter((name) => !LANGUAGE.includes(name))).toEqual([]);
    const inherited =
      "() => { const names = []; for (let at = globalThis; at; at = Object.getPrototypeOf(at)) names.push(...Reflect.ownKeys(at).map(String)); return names.filter((name) => /process|require|fetch|worker|host/i.test(name)); }";
    expect(await returned(inherited)).toEqual([]);
  });

  it.each([
    "fetch('https://example.com')",
    "setTimeout(() => {}, 0)",
    "process.env",
    "require('fs')",
    "caches.default",
    "crypto.randomUUID()",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
  ])("%s fails, inside of an async transform too", async (call) => {
    expect(await failure(`() => ${call}`)).toMatchObject({
      name: "ReferenceError",
      message: expect.stringContaining("not defined"),
    });
    expect(await failure(`async () => { await null; return ${call}; }`)).toMatchObject({ name: "ReferenceError" });
  });

  it.each(["import('fs')", "import('https://example.com/x.js')", "import('sandbox.js')"])("%s fails", async (call) => {
    expect(await failure(`() => ${call}`)).toMatchObject({ name: expect.stringMatching(/Error$/) });
    await wellAfter();
  });

  it("console does nothing", async () => {
    expect(
      await returned(
        "() => ['debug', 'error', 'info', 'log', 'trace', 'warn'].map((name) => typeof console[name]('x'))",
      ),
    ).toEqual(Array(6).fill("undefined"));
  });

  it.each([
    ["eval", "eval('globalThis')"],
    ["indirect eval", "(0, eval)('this')"],
    ["the Function constructor", "Function('return this')()"],
    ["the constructor of a constructor", "({}).constructor.constructor('return this')()"],
    ["that of an argument", "headers.constructor.constructor('return this')()"],
    ["an async function's constructor", "(await (async () => {}).constructor('return this')())"],
    ["a generator's constructor", "(function* () {}).constructor('return this')().next().value ?? globalThis"],
  ])("by way of %s one stays where one is", async (_, expression) => {
    const source = `async (evt, headers) => { const found = ${expression}; return [found === globalThis, typeof found.fetch, typeof found.process]; }`;
    expect(await returned(source)).toEqual([true, "undefined", "undefined"]);
  });

  it("neither callers nor stacks lead out", async () => {
    const source =
      "function transform() { return { caller: String(transform.caller ?? null), stack: new Error('x').stack }; }";
    const found = (await returned(source)) as { caller: string; stack: string };
    expect(found.caller).toBe("null");
    for (const line of found.stack.trimEnd().split("\n"))
      expect(line).toMatch(/^ {4}at \S+ \((transform|sandbox)\.js:\d+:\d+\)$/);
  });
});

describe("SE-16: whatever a transform does, it ends and the next one is well", () => {
  it.each([
    ["an endless loop", "() => { for (;;); }"],
    ["one outside of the function", "for (;;);"],
    ["one that catches what stops it", "() => { for (;;) try { for (;;); } catch {} finally { for (;;); } }"],
    ["one in a promise", "async () => { await null; for (;;); }"],
    ["promises without end", "async () => { for (;;) await null; }"],
    [
      "promises without end beside a result that never comes",
      "() => { const go = () => { Promise.resolve().then(go); }; go(); return new Promise(() => {}); }",
    ],
    [
      "one that catches what stops it, over and over",
      "async () => { for (;;) try { await (async () => { for (;;); })(); } catch {} }",
    ],
    [
      "one that catches what stops it and returns",
      "async () => { try { await (async () => { for (;;); })(); } catch {} return {}; }",
    ],
    ["one in a getter of the result", "() => ({ get name() { for (;;); } })"],
    ["one in toJSON", "() => ({ toJSON() { for (;;); } })"],
    ["one in a getter called then", "() => ({ get then() { for (;;); } })"],
    ["one in a proxy for a result", "() => new Proxy({}, { ownKeys() { for (;;); } })"],
    ["one in the message of an error", "() => { throw { get message() { for (;;); } }; }"],
    ["one in the text of what is thrown", "() => { throw { toJSON() { for (;;); } }; }"],
    ["an expression that backtracks", "() => /^(a+)+$/.test('a'.repeat(40) + 'b')"],
    ["a search without end inside of a built-in function", "() => [].indexOf.call({ length: 2 ** 53 - 1 }, 1)"],
    ["a walk over holes", "() => { const holes = []; holes.length = 4e9; holes.forEach(() => {}); }"],
    ["long searches again and again", "() => { const text = 'a'.repeat(4 << 20); for (;;) text.indexOf('ab'); }"],
    [
      "long copies again and again",
      "() => { const bytes = new Uint8Array(8 << 20); for (;;) bytes.copyWithin(0, 1); }",
    ],
    ["huge numbers", "() => { let n = 3n ** 100000n; for (;;) n * n; }"],
    [
      "sorting again and again",
      "() => { const list = Array.from({ length: 50000 }, (_, n) => 'k' + ((n * 7919) % 100003)); for (;;) list.slice().sort(); }",
    ],
    [
      "a chain of prototypes",
      "() => { let o = {}; for (let i = 0; i < 20000; i++) o = Object.create(o); for (;;) o.missing; }",
    ],
  ])("EV-30: %s", async (_, source) => {
    expect(await failure(source)).toMatchObject({ name: "TimeLimitExceeded" });
    await wellAfter();
  });

  it.each([
    [
      "promises that wait for each other",
      "() => { const go = () => Promise.resolve().then(go); go(); return new Promise(() => {}); }",
    ],
    ["an array of bytes", "() => new Uint8Array(20e6)"],
    ["a text", "() => 'x'.repeat(2 ** 25)"],
    ["a list", "() => new Array(5e6).fill(0)"],
    ["a result of many megabytes", "() => { const text = 'x'.repeat(1 << 20); return Array(20).fill(text); }"],
    [
      "what is kept outside of the function",
      "globalThis.kept = []; function transform() { for (;;) kept.push(new Uint8Array(1e6)); }",
    ],
    ["what doubles", "() => { let s = 'ab'; for (;;) s = s + s + 'c'; }"],
  ])("EV-30: too much memory for %s", async (_, source) => {
    expect(await failure(source)).toMatchObject({
      name: expect.stringMatching(/^(MemoryLimitExceeded|InternalError|RangeError)$/),
    });
    await wellAfter();
  });

  it("who fills the memory to the last byte and goes on fails too", async () => {
    const source = `globalThis.kept = [];
      function transform() {
        for (let size = 1 << 20; size > 0; size >>= 1) try { for (;;) kept.push(new ArrayBuffer(size)); } catch {}
        throw new Error("full");
      }`;
    expect(await failure(source)).toMatchObject({
      name: expect.any(String),
      message: expect.stringMatching(/full|memory|time/),
    });
    await wellAfter();
  });

  it.each([
    ["calls", "(function f() { return f() + 1; })"],
    ["toString", "() => { const o = { toString: () => String(o) }; return String(o); }"],
    ["proxies", "() => { let p = {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); return p.x; }"],
    ["brackets of JSON", "() => JSON.parse('['.repeat(1e6))"],
    ["brackets of source", "() => eval('('.repeat(1e5))"],
    ["a source's own brackets", "(".repeat(60_000)],
    ["groups of a pattern", "() => new RegExp('(?:'.repeat(1e5))"],
    ["a result", "() => { let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; return o; }"],
  ])("%s nested without end are a failure", async (_, source) => {
    expect(await failure(source)).toMatchObject({
      name: expect.stringMatching(/^(StackOverflow|SyntaxError|InternalError|TimeLimitExceeded)$/),
    });
    await wellAfter();
  });

  it("a broken one does not take along those that wait for the same interpreter", async () => {
    const results = await Promise.all(
      Array.from({ length: 12 }, async (_, n) =>
        n % 3 === 0 ? (await failure("() => eval('('.repeat(1e5))")).name : await returned(WELL, { evt: n }),
      ),
    );
    expect(results).toEqual(Array.from({ length: 12 }, (_, n) => (n % 3 === 0 ? "StackOverflow" : n)));
  });

  it("nothing of a transform is left for the next, nor outside", async () => {
    const source = `globalThis.left = 1; var alsoLeft = 1;
      Object.prototype.left = 1; Array.prototype.toJSON = () => "forged"; JSON.parse = JSON.stringify = () => '"forged"';
      Promise.prototype.then = () => { throw 1; }; Map.prototype.get = () => "forged"; String.prototype.toLowerCase = () => "forged";
      Function.prototype.call = Function.prototype.apply = () => "forged"; globalThis.Proxy = globalThis.Map = globalThis.Promise = null;
      async function transform(evt, headers) { await null; return { evt, host: headers.HOST }; }`;
    expect(await returned(source, { evt: { a: 1 }, headers: { Host: "h" } })).toEqual({ evt: { a: 1 }, host: "h" });
    expect(Object.hasOwn(Object.prototype, "left")).toBe(false);
    const look = "() => [typeof left, typeof alsoLeft, typeof {}.left, JSON.stringify([1]), typeof Proxy]";
    expect(await returned(look)).toEqual(["undefined", "undefined", "undefined", "[1]", "function"]);
  });
});

describe("EV-32: how a failure is told", () => {
  it("an error has its name, its message and the place in the source", async () => {
    const source = "function transform(evt) {\n  return helper(evt);\n}\nfunction helper(evt) {\n  return evt.a.b;\n}";
    expect(await failure(source)).toEqual({
      name: "TypeError",
      message: expect.stringContaining("'b'"),
      stack: expect.stringMatching(
        /^TypeError: .*\n {4}at helper \(transform\.js:5:\d+\)\n {4}at transform \(transform\.js:2:\d+\)$/,
      ),
    });
  });

  it("a mistake in the source has its line", async () => {
    const { name, stack } = await failure("function transform(evt) {\n  return {;\n}");
    expect(name).toBe("SyntaxError");
    expect(stack).toMatch(/at transform\.js:2:/);
  });

  it.each([
    ["'no order'", "Error", "no order"],
    ["42", "Error", "42"],
    ["undefined", "Error", "undefined"],
    ["null", "Error", "null"],
    ["Symbol('s')", "Error", "Symbol(s)"],
    ["10n", "Error", "10"],
    ["({ message: 'mine', name: 'Own' })", "Own", "mine"],
    ["({ code: 1 })", "Error", '{"code":1}'],
    ["({ name: 5, message: {}, stack: [] })", "Error", '{"name":5,"message":{},"stack":[]}'],
    ["Object.assign(new Error('e'), { name: 'Custom' })", "Custom", "e"],
    ["new (class Odd extends Error {})('odd')", "Error", "odd"],
    ["new Proxy({}, { get() { throw 1; }, ownKeys() { throw 1; } })", "Error", ""],
    ["Object.create(null)", "Error", "{}"],
    ["new Error('a\\0b')", "Error", "a\0b"],
  ])("EV-30: thrown: %s", async (thrown, name, message) => {
    expect(await failure(`() => { throw ${thrown}; }`)).toMatchObject({ name, message });
    expect(await failure(`async () => { await null; throw ${thrown}; }`)).toMatchObject({ name, message });
  });

  it("long texts are cut", async () => {
    const { name, message, stack } = await failure(
      "() => { const e = new Error('m'.repeat(1e5)); e.name = 'n'.repeat(1e5); throw e; }",
    );
    expect([name.length, message.length]).toEqual([WEBHOOK.failure.name, WEBHOOK.failure.message]);
    expect(stack.length).toBeLessThanOrEqual(WEBHOOK.failure.stack);
    const deep = await failure(
      "function f(n) { if (n === 0) throw new Error('deep'); return f(n - 1) + 1; } () => f(100)",
    );
    expect(deep.stack.split("\n")).toHaveLength(WEBHOOK.failure.frames + 1);
  });

  it.each([
    ["a cycle", "() => { const o = {}; o.o = o; return o; }", "TypeError"],
    ["a big integer", "() => ({ n: 1n })", "TypeError"],
    ["a function", "() => () => {}", "TypeError"],
    ["a symbol", "() => Symbol('s')", "TypeError"],
    ["a promise that never settles", "() => new Promise(() => {})", "NeverSettled"],
    ["a rejected promise", "() => Promise.reject(new RangeError('no'))", "RangeError"],
    ["what throws when it is read", "() => ({ get name() { throw new RangeError('no'); } })", "RangeError"],
  ])("EV-30: a result that is %s", async (_, source, name) => {
    expect((await failure(source)).name).toBe(name);
  });
});

describe("SE-16: many transforms", () => {
  it("200 in sequence leave nothing in memory", async () => {
    const bytes = () => withInterpreter((interpreter) => interpreter.memory.bytes);
    const source =
      "async (evt) => { await null; const kept = Array(1000).fill(evt); if (evt % 3 === 0) throw new Error('x'); return kept.length; }";
    await runTransform(source, NOTHING);
    const before = await bytes();
    for (let n = 0; n < 200; n++) await runTransform(source, { ...NOTHING, evt: n, raw: "x".repeat(100_000) });
    expect(await bytes()).toBe(before);
  });

  it("20 that break the interpreter each leave a new one", async () => {
    for (let n = 0; n < 20; n++) expect((await failure("() => eval('('.repeat(1e5))")).name).toBe("StackOverflow");
    await wellAfter();
  });
});
