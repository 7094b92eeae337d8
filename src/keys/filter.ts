/**
 * What an event key or a webhook lets through (EV-19): names of events, addresses of senders, origins of pages. Pure. Owns the form of
 * filters and the judgement; an empty list allows, or denies, nothing in particular.
 */
import * as z from "zod";
import { MillraceError } from "../errors.ts";
import { contains, parseAddress, parseRange } from "../ip.ts";
import { KEY } from "../limits.ts";

const entry = z.string("must be text").min(1, "must not be empty").max(KEY.filterLength);
const listOf = (item: z.ZodType<string>) => z.array(item).max(KEY.filterEntries).default([]);
const sides = (item: z.ZodType<string>) =>
  z
    .object({ allow: listOf(item), deny: listOf(item) })
    .prefault({})
    .readonly();

const range = entry.refine((text) => parseRange(text) !== null, "must be an address or a range such as 10.0.0.0/8");
/** The origin of pages, as browsers send it. */
export const pageOrigin: z.ZodType<string> = entry.refine(
  (text) => URL.parse(text)?.origin === text,
  "must be an origin such as https://example.com",
);

/** Filters as they are given and stored. Names are exact, or end in `*`. */
export const keyFilters = z.object({ names: sides(entry), ips: sides(range), origins: sides(pageOrigin) });

/** What a key lets through. */
export type KeyFilters = z.output<typeof keyFilters>;

/** The filters of a key that lets everything through. */
export const NO_FILTERS: KeyFilters = keyFilters.parse({});

/** Who sends, as far as filters look at it; null where it is not known. */
export interface SenderFacts {
  readonly ip: string | null;
  readonly origin: string | null;
}

interface Sides {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** Throws `event_filtered` when a sender may not use the key, before anything of the request is read. */
export function checkSender({ ips, origins }: KeyFilters, { ip, origin }: SenderFacts): void {
  if (!passes(ips, (listed) => ip !== null && lies(ip, listed))) throw filtered("from this address");
  // Servers have no origin: a list of pages is about pages. One that allows some pages says that nobody else may use the key.
  if (!passes(origins, (listed) => origin === listed)) throw filtered("from this origin");
}

/** Throws `event_filtered` when one of the events may not be sent with the key. */
export function checkNames({ names }: KeyFilters, events: readonly { readonly name: string }[]): void {
  for (const [index, { name }] of events.entries()) {
    if (!passes(names, (listed) => matches(name, listed))) throw filtered(`events named "${name}" (event ${index})`);
  }
}

function passes({ allow, deny }: Sides, is: (listed: string) => boolean): boolean {
  return !deny.some(is) && (allow.length === 0 || allow.some(is));
}

function matches(name: string, listed: string): boolean {
  return listed.endsWith("*") ? name.startsWith(listed.slice(0, -1)) : name === listed;
}

function lies(ip: string, listed: string): boolean {
  const address = parseAddress(ip.toLowerCase());
  const range = parseRange(listed);
  return address !== null && range !== null && contains(range, address);
}

function filtered(what: string): MillraceError {
  return new MillraceError("event_filtered", `This key does not accept ${what}.`);
}
