import { describe, expect, test } from "vitest";
import { type BannerFacts, banner } from "../../cli/banner.ts";

const FACTS: BannerFacts = {
  version: "1.2.3",
  url: "http://localhost:9000",
  apps: ["http://localhost:3000/api/inngest"],
  stateDir: ".millrace",
  temporary: false,
  ignored: [],
  example: true,
  took: 1234,
};

describe("DEV-2: the banner", () => {
  test("names version, address, apps, directory and one line to try", () => {
    expect(banner(FACTS)).toBe(`
  Millrace 1.2.3, ready in 1.2 s

  open    http://localhost:9000
  apps    http://localhost:3000/api/inngest
  state   .millrace
  try     curl http://localhost:9000/e/dev -d '{"name":"quickstart/user.signup","data":{"email":"ada@example.com"}}'
`);
  });

  test("says how to add an app when there is none", () => {
    expect(banner({ ...FACTS, apps: [], example: false })).toMatch(/apps {4}none; name one with -u http/);
  });

  test("lists several apps below each other", () => {
    expect(banner({ ...FACTS, apps: ["http://a/", "http://b/"] })).toContain(
      "  apps    http://a/\n          http://b/\n",
    );
  });

  test("DEV-5: warns once about flags without meaning", () => {
    const text = banner({ ...FACTS, ignored: ["--tick", "--queue-workers"] });
    expect(text.match(/Warning/g)).toHaveLength(1);
    expect(text).toContain("--tick, --queue-workers have no meaning here");
  });

  test("DEV-4 --in-memory: says that the state goes away", () => {
    expect(banner({ ...FACTS, stateDir: "/dev/shm/millrace-x", temporary: true })).toContain(
      "/dev/shm/millrace-x, removed at exit",
    );
  });
});
