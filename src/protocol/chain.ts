/**
 * How long a chain of runs and events has become (SE-18). A call tells the app in `tracestate`, which SDKs hand on when a step sends
 * events; so an event says how many runs led to it. Owns the member of that header. Pure.
 * An app can make its number smaller or leave it out, and thereby deceives only its own deployment about its own chain.
 */

/** The member of `tracestate` for the calls of a run that so many runs led to: what it sends is one further. */
export function chainMember(depth: number): string {
  return `millrace=${depth + 1}`;
}

/** How many runs led to what a request sends; 0 when it does not say, or says something else. */
export function chainDepth(headers: Pick<Headers, "get">): number {
  // Several headers of this name are one list.
  const [, digits = "0"] = /(?:^|,)[ \t]*millrace=(\d{1,9})[ \t]*(?:,|$)/.exec(headers.get("tracestate") ?? "") ?? [];
  return Number(digits);
}
