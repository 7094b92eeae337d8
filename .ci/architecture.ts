/**
 * The rules of the architecture that a machine can check (docs/architecture.md "Rules"). Prints each violation and a report of file sizes;
 * exits with 1 when a rule is broken. Owns no opinion on style: formatting and lint have their own tool.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
/** Folders whose code must give the same answer everywhere and always. */
const PURE = ["src/decide", "src/expressions", "src/traces"];
/** Packages pure code may use: they neither read clocks nor touch the platform. */
const PURE_PACKAGES = /^(@marcbachmann\/cel-js|@bufbuild\/(cel|re2)|re2js)/;
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bcrypto\.|\bperformance\.|\bfetch\(|\bset(Timeout|Interval)\(|\bprocess\.|\bcaches\.|\bconsole\./;
const LINES = { median: 100, stop: 300 };

const violations: string[] = [];
const sources = [...files("src"), ...files("durable-objects"), ...files("cli")];

for (const file of sources) {
  const text = read(file);
  const code = withoutComments(text);
  if (!/^\s*(#!.*\n)?\/\*\*/.test(text)) violations.push(`${file}: does not open with a paragraph saying what it owns`);
  if (!file.startsWith("durable-objects/") && /\.storage\b/.test(code))
    violations.push(`${file}: touches an object's storage`);
  if (/import\s*\{[^}]*\bz\b[^}]*\}\s*from\s*"zod"/.test(code))
    violations.push(`${file}: imports { z }, which bundles every locale`);
  if (file.startsWith("src/api/") && /\brunStub\b/.test(code))
    violations.push(`${file}: asks a run directly; \`askRun\` asks again when the run leaves memory meanwhile`);
  if (/\butils\b|\bhelpers\b|\bmanager\b/i.test(file)) violations.push(`${file}: is named for no thing of the product`);
  const lines = text.split("\n").length;
  if (lines > LINES.stop) violations.push(`${file}: has ${lines} lines; it is split before ${LINES.stop}`);
}

for (const [file, origin] of reachable(
  sources.filter((file) => PURE.some((folder) => file.startsWith(`${folder}/`))),
)) {
  const code = withoutComments(read(file));
  const impure = IMPURE.exec(code);
  if (impure !== null) violations.push(`${file}: reads the outside world (${impure[0]}), reached from ${origin}`);
  for (const name of importsOf(code)) {
    if (!name.startsWith(".") && !PURE_PACKAGES.test(name)) {
      violations.push(`${file}: imports ${name}, reached from the pure ${origin}`);
    }
  }
}

report();
if (violations.length > 0) {
  console.error(violations.map((violation) => `✗ ${violation}`).join("\n"));
  process.exit(1);
}
console.log(`architecture: ${sources.length} files keep every rule`);

/** The files that run when the given ones are imported, each with one of the files that lead to it. Types are erased and do not count. */
function reachable(from: readonly string[]): Map<string, string> {
  const reached = new Map<string, string>();
  const visit = (file: string, origin: string): void => {
    if (reached.has(file)) return;
    reached.set(file, origin);
    for (const name of importsOf(withoutComments(read(file)))) {
      if (name.startsWith(".")) visit(join(dirname(file), name), origin);
    }
  };
  for (const file of from) visit(file, file);
  return reached;
}

function importsOf(code: string): string[] {
  const statements = code.matchAll(/^(?:import|export)\s+(?!type\b)(?:([^"';]*?)\s*from\s*)?"([^"]+)"/gm);
  return [...statements]
    .filter(([, names]) => names === undefined || !/^\{\s*(type\s+\w+(\s+as\s+\w+)?\s*,?\s*)+\}$/.test(names))
    .map(([, , name]) => name ?? "");
}

function report(): void {
  const sizes = sources
    .map((file) => ({ file, lines: read(file).split("\n").length }))
    .sort((a, b) => a.lines - b.lines);
  const at = (share: number) => sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * share))]?.lines ?? 0;
  console.log(
    `files ${sizes.length}, lines: median ${at(0.5)} (aim ${LINES.median}), p90 ${at(0.9)}, largest ${at(1)}`,
  );
  for (const { file, lines } of sizes.slice(-5).reverse()) console.log(`  ${String(lines).padStart(4)}  ${file}`);
}

function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}
