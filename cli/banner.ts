/**
 * What the local server prints when it is ready (DEV-2). Pure.
 */

/** What the banner tells. */
export interface BannerFacts {
  readonly version: string;
  /** `http://localhost:8288`. */
  readonly url: string;
  /** Serve URLs that will be synced. */
  readonly apps: readonly string[];
  readonly stateDir: string;
  /** Whether the state goes away at exit. */
  readonly temporary: boolean;
  /** Flags that were given and do nothing here. */
  readonly ignored: readonly string[];
  /** Whether the quickstart runs, so that its event is worth trying. */
  readonly example: boolean;
  /** ms from start to readiness. */
  readonly took: number;
}

/** The text, ending in an empty line. */
export function banner(facts: BannerFacts): string {
  const event = facts.example
    ? `{"name":"quickstart/user.signup","data":{"email":"ada@example.com"}}`
    : `{"name":"my-app/my.event","data":{}}`;
  const lines = [
    "",
    `  Millrace ${facts.version}, ready in ${(facts.took / 1000).toFixed(1)} s`,
    "",
    `  open    ${facts.url}`,
    ...appLines(facts.apps),
    `  state   ${facts.temporary ? `${facts.stateDir}, removed at exit` : facts.stateDir}`,
    `  try     curl ${facts.url}/e/dev -d '${event}'`,
  ];
  if (facts.ignored.length > 0) {
    lines.push(
      "",
      `  Warning: ${facts.ignored.join(", ")} ${facts.ignored.length === 1 ? "has" : "have"} no meaning here.`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function appLines(apps: readonly string[]): string[] {
  if (apps.length === 0) return ["  apps    none; name one with -u http://localhost:3000/api/inngest"];
  return apps.map((app, index) => `  ${index === 0 ? "apps" : "    "}    ${app}`);
}
