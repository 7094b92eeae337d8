/**
 * The flags of the local server (DEV-4, DEV-5, DEV-6). Pure: reads the arguments and variables it is given and nothing else.
 * Guarantees that a flag that cannot be honoured is an error naming it, never a silent default.
 */
import { parseArgs } from "node:util";

/** What the local server was asked for. */
export interface DevOptions {
  readonly kind: "start";
  readonly port: number;
  /** The address to listen on, without scheme: `localhost`, `0.0.0.0`, … */
  readonly host: string;
  /** Serve URLs to sync; empty when none was given. */
  readonly sdkUrls: readonly string[];
  /** Whether the quickstart app is started: only without apps of one's own. */
  readonly example: boolean;
  /** Whether the usual address of an app is tried when no app was given. */
  readonly discovery: boolean;
  readonly poll: boolean;
  /** Seconds between two looks at the apps. */
  readonly pollInterval: number;
  /** Seconds between attempts instead of the back-off table; 0 means the table (EX-21). */
  readonly retryInterval: number;
  readonly persistDir: string;
  /** Whether state lives in a directory of its own that goes away at exit. */
  readonly inMemory: boolean;
  /** Whether there is a page and GraphQL (API-23). */
  readonly ui: boolean;
  /** Flags of other servers that were given and do nothing here (DEV-5). */
  readonly ignored: readonly string[];
}

/** The parsed command line: what to start, what to print instead, or why neither is possible. */
export type Command =
  | DevOptions
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "invalid"; readonly message: string };

const BOOLEANS = ["no-example", "no-discovery", "no-poll", "no-ui", "in-memory", "help", "version"] as const;
const IGNORED = [
  "sqlite-dir",
  "redis-uri",
  "postgres-uri",
  "postgres-max-idle-conns",
  "postgres-max-open-conns",
  "postgres-conn-max-idle-time",
  "postgres-conn-max-lifetime",
  "queue-workers",
  "tick",
] as const;

const OPTIONS = {
  port: { type: "string", short: "p" },
  host: { type: "string" },
  "sdk-url": { type: "string", short: "u", multiple: true },
  "poll-interval": { type: "string" },
  "retry-interval": { type: "string" },
  "persist-dir": { type: "string" },
  "no-example": { type: "boolean" },
  "no-discovery": { type: "boolean" },
  "no-poll": { type: "boolean" },
  "no-ui": { type: "boolean" },
  "in-memory": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

/** What `--help` prints. */
export const HELP = `Usage: npm run dev -- [flags]

  -p, --port <n>           port to listen on; 0 takes a free one (8288)
      --host <address>     address to listen on; 0.0.0.0 for all (localhost)
  -u, --sdk-url <url>      serve URL of an app; may be given several times
      --no-example         do not start the quickstart app
      --no-discovery       look for no app that was not named
      --no-poll            sync apps once, not again when they change
      --poll-interval <s>  seconds between two looks at the apps (5)
      --retry-interval <s> constant wait between attempts, instead of the back-off table (0: the table)
      --persist-dir <path> where state is kept (.millrace)
      --in-memory          keep nothing
      --no-ui              no page, no GraphQL
  -h, --help               this text
      --version            the version

Every flag may also be set as MILLRACE_<FLAG> or INNGEST_<FLAG>, in capitals with underscores.`;

type Values = Record<string, string | boolean | readonly (string | boolean)[] | undefined>;

/** Parses the arguments after the program's name, with `environment` for flags that are not among them. */
export function parseFlags(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Command {
  try {
    const { values, positionals } = parse(args);
    // The command's name is tolerated, so that the line of another server's documentation works here.
    const stray = positionals.find((word) => word !== "dev");
    if (stray !== undefined) return invalid(`unknown argument "${stray}"; see --help`);
    return interpret(values, environment);
  } catch (error) {
    return invalid(error instanceof Error ? error.message : String(error));
  }
}

function parse(args: readonly string[]): { values: Values; positionals: readonly string[] } {
  const ignored = Object.fromEntries(IGNORED.map((name) => [name, { type: "string" as const }]));
  return parseArgs({ args: [...args], options: { ...ignored, ...OPTIONS }, allowPositionals: true, strict: true });
}

function interpret(values: Values, environment: Readonly<Record<string, string | undefined>>): Command {
  if (values["help"] === true) return { kind: "help" };
  if (values["version"] === true) return { kind: "version" };
  const setting = (flag: string): string | undefined => {
    const value = values[flag];
    if (typeof value === "string") return value;
    const variable = flag.toUpperCase().replaceAll("-", "_");
    return environment[`MILLRACE_${variable}`] ?? environment[`INNGEST_${variable}`];
  };
  const on = (flag: (typeof BOOLEANS)[number]): boolean =>
    values[flag] === true || ["1", "true", "on"].includes(setting(flag) ?? "");
  const integer = (flag: string, fallback: number, max: number): number => {
    const text = setting(flag);
    if (text === undefined) return fallback;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= max)) throw new Error(`--${flag} must be a whole number from 0 to ${max}, got "${text}"`);
    return value;
  };
  const given = values["sdk-url"];
  const sdkUrls = (Array.isArray(given) ? given.map(String) : (setting("sdk-url") ?? "").split(",")).filter(Boolean);
  return {
    kind: "start",
    port: integer("port", 8288, 65_535),
    host: hostOf(setting("host") ?? "localhost"),
    sdkUrls: sdkUrls.map(serveUrl),
    example: sdkUrls.length === 0 && !on("no-example"),
    discovery: !on("no-discovery"),
    poll: !on("no-poll"),
    pollInterval: integer("poll-interval", 5, 86_400),
    retryInterval: integer("retry-interval", 0, 86_400),
    persistDir: setting("persist-dir") ?? ".millrace",
    inMemory: on("in-memory"),
    ui: !on("no-ui"),
    ignored: IGNORED.filter((flag) => values[flag] !== undefined).map((flag) => `--${flag}`),
  };
}

/** `http://localhost` and `localhost:8288` both mean the host `localhost`. */
function hostOf(text: string): string {
  try {
    return new URL(text.includes("://") ? text : `http://${text}`).hostname;
  } catch {
    throw new Error(`--host must be a host name or address, got "${text}"`);
  }
}

function serveUrl(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new Error(`--sdk-url must be an http or https URL, got "${text}"`);
  }
  return url.href;
}

function invalid(message: string): Command {
  return { kind: "invalid", message };
}
