/**
 * What was injected and what held: reads the reports of the last runs in `dist/`, and writes docs/reliability.md. With `--check` it writes
 * nothing, and fails when a row of the fault matrix has no passing test. Owns the page's form; every number on it comes from a report.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { INVARIANTS, ROWS } from "./fault-matrix.ts";

interface Test {
  readonly file: string;
  readonly name: string;
  readonly status: string;
}

/** Where a test stands, by its folder. */
const LAYERS: readonly (readonly [prefix: string, layer: string])[] = [
  ["test/simulation/", "simulation"],
  ["test/durable-objects/", "workerd"],
  ["test/faults/", "process"],
  ["test/conformance/", "SDK"],
  ["test/browser/", "browser"],
  ["test/", "pure"],
];

const tests = testsOf("dist/test-results.json");
const lines = ROWS.map(({ number, fault, threatens }) => {
  const of = tests.filter(({ name }) => rowsNamed(name).has(number));
  return { number, fault, threatens, of, failed: of.filter(({ status }) => status !== "passed") };
});
const faulty = lines.filter(({ of, failed }) => of.length === 0 || failed.length > 0);

for (const { number, fault, of, failed } of faulty) {
  const why = of.length === 0 ? "no test names it" : failed.map(({ name }) => `not passed: ${name}`).join("; ");
  console.error(`✗ row ${number}, ${fault}: ${why}`);
}
if (!process.argv.includes("--check")) writeFileSync("docs/reliability.md", page());
if (faulty.length > 0) process.exit(1);
console.log(`reliability: each of ${ROWS.length} rows is shown by its tests`);

/** The rows a test's full name speaks of: `row 12`, `rows 4, 5 and 23`. */
function rowsNamed(name: string): Set<number> {
  const rows = new Set<number>();
  for (const [, list = ""] of name.matchAll(/\brows? (\d+(?:(?:, | and )\d+)*)/g)) {
    for (const [number] of list.matchAll(/\d+/g)) rows.add(Number(number));
  }
  return rows;
}

function testsOf(path: string): Test[] {
  const report: {
    readonly testResults: readonly {
      readonly name: string;
      readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
    }[];
  } = JSON.parse(readFileSync(path, "utf8"));
  return report.testResults.flatMap(({ name, assertionResults }) => {
    const file = name.slice(name.lastIndexOf("/test/") + 1);
    return assertionResults.map(({ fullName, status }) => ({ file, name: fullName, status }));
  });
}

function page(): string {
  const table = lines.map(({ number, fault, threatens, of, failed }) => {
    const layers = LAYERS.map(([prefix, layer]) => ({
      layer,
      count: of.filter(({ file }) => layerOf(file) === layer).length,
      prefix,
    }));
    const shown = layers.filter(({ count }) => count > 0).map(({ layer, count }) => `${layer} ${count}`);
    const files = [...new Set(of.map(({ file }) => file))].map((file) => `\`${file.replace(/^test\//, "")}\``);
    const result = of.length === 0 ? "**open**" : failed.length > 0 ? "**fails**" : "holds";
    return `| ${number} | ${fault} | ${threatens.join(" ")} | ${shown.join(", ")} | ${result} | ${files.join("<br>")} |`;
  });
  return [
    "# Reliability",
    "",
    "What is done to the engine, and what held. This page is written by the run that proves it: `npm run reliability` after `npm test`,",
    "`npm run simulation`, `npm run planted` and `npm run crash`; the crash points are swept by `.ci/nightly`. A seed that fails prints the command that plays it again.",
    "",
    "## Invariants",
    "",
    ...Object.entries(INVARIANTS).map(([id, text]) => `- **${id}** ${text}`),
    "",
    "## Faults",
    "",
    "Files are below `test/`; the numbers are tests: *pure* in plain Node, *simulation* the engine's own objects on a simulated platform,",
    "*workerd* inside the runtime, *process* a real engine on disk that is killed and attacked from outside, *SDK* through the official SDKs.",
    "",
    "| # | fault | threatens | shown by | result | tests |",
    "| - | ----- | --------- | -------- | ------ | ----- |",
    ...table,
    "",
    ...simulated(),
    ...swept(),
    ...planted(),
    ...crashed(),
  ].join("\n");
}

function layerOf(file: string): string {
  return LAYERS.find(([prefix]) => file.startsWith(prefix))?.[1] ?? "";
}

/** What `npm run simulation` played. */
function simulated(): string[] {
  const report = reportOf<{
    readonly first: number;
    readonly time: number;
    readonly suites: Readonly<
      Record<
        string,
        { readonly schedules: number; readonly events: number; readonly mishaps: Readonly<Record<string, number>> }
      >
    >;
    readonly failures: readonly unknown[];
  }>("dist/simulation.json");
  if (report === null) return [];
  const suites = Object.entries(report.suites);
  const played = suites.reduce((sum, [, { schedules }]) => sum + schedules, 0);
  const rows = suites.map(([name, { schedules, mishaps }]) => {
    const injected = Object.entries(mishaps).map(([mishap, count]) => `${mishap} ${grouped(count)}`);
    return `| ${name} | ${grouped(schedules)} | ${injected.join(", ")} |`;
  });
  return [
    "## Simulated schedules",
    "",
    `${grouped(played)} schedules, seeds from ${report.first}, in ${grouped(Math.round(report.time / 1000))} s: ${failed(report.failures.length)}.`,
    "",
    "| suite | schedules | injected |",
    "| ----- | --------: | -------- |",
    ...rows,
    "",
  ];
}

/** What the sweep of all crash points played (`.ci/nightly`); each test tells of its own part. */
function swept(): string[] {
  const report = reportOf<{
    readonly testResults: readonly {
      readonly assertionResults: readonly {
        readonly status: string;
        readonly duration?: number;
        readonly meta?: {
          readonly crashPoints?: { readonly moment: string; readonly points: number; readonly lives: number };
        };
      }[];
    }[];
  }>("dist/crash-points.json");
  if (report === null) return [];
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const rows = results.flatMap(({ status, duration = 0, meta }) => {
    const points = meta?.crashPoints;
    if (points === undefined) return [];
    const result = status === "passed" ? "holds" : "**fails**";
    return [`| ${points.moment} | ${points.points} | ${points.lives} | ${Math.round(duration / 1000)} | ${result} |`];
  });
  const broken = results.filter(({ status }) => status === "failed").length;
  return [
    "## Crash points in workerd",
    "",
    "A life of a run with steps, a sleep, a wait and a child, played once for each of its points: every commit of an object and every call of the",
    `app. There everything dies, before it or after it. Swept one by one with \`CRASH_POINTS_EVERY=1\`: ${failed(broken)}; \`npm test\` plays every third.`,
    "",
    "| everything dies | points | lives | seconds | result |",
    "| --------------- | -----: | ----: | ------: | ------ |",
    ...rows,
    "",
  ];
}

/** What `npm run planted` caught. */
function planted(): string[] {
  const report = reportOf<{
    readonly catches: readonly {
      readonly bug: string;
      readonly after: number | null;
      readonly suite: string;
      readonly check: string;
    }[];
  }>("dist/planted.json");
  if (report === null) return [];
  const rows = [...report.catches]
    .sort((a, b) => a.bug.localeCompare(b.bug))
    .map(({ bug, after, suite, check }) => {
      // What broke a schedule off comes with its stack, which says nothing here.
      const [said = ""] = check.split("\n", 1);
      return `| ${bug} | ${after === null ? "**survived**" : `${suite}, after ${after}`} | ${said.replaceAll("|", "\\|")} |`;
    });
  const caught = report.catches.filter(({ after }) => after !== null).length;
  return [
    "## Planted bugs",
    "",
    `Deliberate defects that the simulation has to find; ${caught} of ${report.catches.length} were found. The number is how many schedules it took.`,
    "",
    "| defect | found by | as |",
    "| ------ | -------- | -- |",
    ...rows,
    "",
  ];
}

/** What `npm run crash` saw. */
function crashed(): string[] {
  const report = reportOf<{
    readonly options: Readonly<Record<string, number>>;
    readonly figures: Readonly<Record<string, number>>;
    readonly verdicts: readonly {
      readonly invariant: string;
      readonly what: string;
      readonly looked: number;
      readonly violations: readonly string[];
    }[];
  }>("dist/crash.json");
  if (report === null) return [];
  const told = (figures: Readonly<Record<string, number>>) =>
    Object.entries(figures)
      .map(([name, figure]) => `${name} ${grouped(figure)}`)
      .join(", ");
  return [
    "## Crash harness",
    "",
    `A real engine on disk, an app on the official SDK in another process, \`kill -9\` on a seeded schedule: ${told(report.options)}. Seen: ${told(report.figures)}.`,
    "",
    "| | what is looked at | looked at | violated |",
    "| - | --- | --: | --: |",
    ...report.verdicts.map(
      ({ invariant, what, looked, violations }) =>
        `| ${invariant} | ${what} | ${grouped(looked)} | ${violations.length} |`,
    ),
    "",
  ];
}

/** What another run reported of itself; null when there was none. */
function reportOf<Report>(path: string): Report | null {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}

function failed(count: number): string {
  return count === 0 ? "none failed" : `**${count} failed**`;
}
