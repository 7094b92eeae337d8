import { describe, expect, test } from "vitest";
import { type DevOptions, HELP, parseFlags } from "../../cli/flags.ts";

const DEFAULTS: DevOptions = {
  kind: "start",
  port: 8288,
  host: "localhost",
  sdkUrls: [],
  example: true,
  discovery: true,
  poll: true,
  pollInterval: 5,
  retryInterval: 0,
  persistDir: ".millrace",
  inMemory: false,
  ui: true,
  ignored: [],
};

describe("parseFlags", () => {
  const accepted: readonly [title: string, args: readonly string[], changed: Partial<DevOptions>][] = [
    ["nothing", [], {}],
    ["the command's name", ["dev"], {}],
    ["a port", ["--port", "9000"], { port: 9000 }],
    ["a port, short", ["-p", "0"], { port: 0 }],
    ["a host as documentation writes it", ["--host", "http://0.0.0.0"], { host: "0.0.0.0" }],
    ["a bare host", ["--host=127.0.0.1"], { host: "127.0.0.1" }],
    [
      "apps, which keep the example away",
      ["-u", "http://localhost:4000/jobs", "--sdk-url", "app:3000/api/inngest"],
      { sdkUrls: ["http://localhost:4000/jobs", "http://app:3000/api/inngest"], example: false },
    ],
    ["no example", ["--no-example"], { example: false }],
    [
      "what other projects' suites pass",
      ["dev", "--no-discovery", "--no-poll", "--retry-interval", "1", "--tick", "10"],
      { discovery: false, poll: false, retryInterval: 1, ignored: ["--tick"] },
    ],
    ["the poll interval", ["--poll-interval", "2"], { pollInterval: 2 }],
    ["the directory", ["--persist-dir", "/tmp/x"], { persistDir: "/tmp/x" }],
    ["memory", ["--in-memory"], { inMemory: true }],
    ["neither page nor GraphQL", ["--no-ui"], { ui: false }],
    [
      "DEV-5: flags of other servers",
      ["--queue-workers", "100", "--redis-uri", "redis://x"],
      { ignored: ["--redis-uri", "--queue-workers"] },
    ],
  ];
  test.each(accepted)("DEV-4: takes %s", (_, args, changed) => {
    expect(parseFlags(args, {})).toEqual({ ...DEFAULTS, ...changed });
  });

  const refused: readonly [args: readonly string[], names: string][] = [
    [["--port", "70000"], "--port"],
    [["--port", "-1"], "--port"],
    [["--port", "8288x"], "--port"],
    [["--port", ""], "--port"],
    [["--retry-interval", "1.5"], "--retry-interval"],
    [["--host", "a b"], "--host"],
    [["-u", "ftp://x/y"], "--sdk-url"],
    [["--sdk-url", "http://"], "--sdk-url"],
    [["--colour"], "--colour"],
    [["start"], "start"],
    [["--in-memory=yes"], "--in-memory"],
  ];
  test.each(refused)("refuses %j and names %s", (args, name) => {
    expect(parseFlags(args, {})).toEqual({ kind: "invalid", message: expect.stringContaining(name) });
  });

  test("DEV-6: a flag, then MILLRACE_, then INNGEST_, then the default", () => {
    const both = { MILLRACE_PORT: "9001", INNGEST_PORT: "9002" };
    expect(parseFlags(["--port", "9000"], both)).toMatchObject({ port: 9000 });
    expect(parseFlags([], both)).toMatchObject({ port: 9001 });
    expect(parseFlags([], { INNGEST_PORT: "9002" })).toMatchObject({ port: 9002 });
    expect(parseFlags([], {})).toMatchObject({ port: 8288 });
  });

  test("DEV-6: switches and lists may be variables too", () => {
    const environment = { INNGEST_NO_POLL: "true", MILLRACE_SDK_URL: "http://a/x,http://b/y", INNGEST_IN_MEMORY: "0" };
    expect(parseFlags([], environment)).toMatchObject({
      poll: false,
      sdkUrls: ["http://a/x", "http://b/y"],
      inMemory: false,
    });
  });

  test("DEV-6: a wrong variable is named like its flag", () => {
    expect(parseFlags([], { INNGEST_PORT: "many" })).toEqual({
      kind: "invalid",
      message: expect.stringContaining('--port must be a whole number from 0 to 65535, got "many"'),
    });
  });

  test.each([
    [["--help"], "help"],
    [["-h", "--port", "none"], "help"],
    [["--version"], "version"],
  ])("%j asks for %s, whatever else is given", (args, kind) => {
    expect(parseFlags(args, {})).toEqual({ kind });
  });

  test("every flag that is understood is in the help text", () => {
    const flags = Object.keys(DEFAULTS).filter((key) => !["kind", "ignored"].includes(key));
    const spelled = flags.map((key) =>
      key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/-urls$/, "-url"),
    );
    for (const flag of spelled) expect(HELP).toMatch(new RegExp(`--(no-)?${flag}\\b`));
  });
});
