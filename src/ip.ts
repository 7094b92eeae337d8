/**
 * IP addresses and ranges of them, as texts say them. Pure. Owns the notations: dotted IPv4, IPv6 with and without an embedded IPv4, CIDR.
 */

/** The addresses that begin with the first `bits` of `prefix`. */
export interface Range {
  /** 4 or 16 bytes. */
  readonly prefix: readonly number[];
  readonly bits: number;
}

/** A range such as `10.0.0.0/8`, or a single address; null for anything else. */
export function parseRange(text: string): Range | null {
  const [, base = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim().toLowerCase()) ?? [];
  const prefix = parseAddress(base);
  if (prefix === null) return null;
  const most = prefix.length * 8;
  const wanted = bits === undefined ? most : Number(bits);
  return wanted <= most ? { prefix, bits: wanted } : null;
}

/** Whether an address lies in a range; never, when one is IPv4 and the other IPv6. */
export function contains(range: Range, address: readonly number[]): boolean {
  if (range.prefix.length !== address.length) return false;
  for (let bit = 0; bit < range.bits; bit += 8) {
    const mask = 0xff & (0xff << Math.max(0, bit + 8 - range.bits));
    const at = bit / 8;
    if (((range.prefix[at] ?? 0) & mask) !== ((address[at] ?? 0) & mask)) return false;
  }
  return true;
}

/** The bytes of an IPv4 (4) or IPv6 (16) address; null when the text is neither. */
export function parseAddress(text: string): number[] | null {
  return text.includes(":") ? parseIpv6(text.replace(/%.*$/, "")) : parseIpv4(text);
}

function parseIpv4(text: string): number[] | null {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return null;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function parseIpv6(text: string): number[] | null {
  const tail = text.slice(text.lastIndexOf(":") + 1);
  const embedded = tail.includes(".") ? parseIpv4(tail) : [];
  if (embedded === null) return null;
  const halves = (tail.includes(".") ? text.slice(0, -tail.length).replace(/([^:]):$/, "$1") : text).split("::");
  if (halves.length > 2) return null;
  const [head, rest] = halves.map(parseGroups);
  if (head === undefined || head === null || rest === null) return null;
  const missing = 16 - head.length - (rest?.length ?? 0) - embedded.length;
  if (rest === undefined ? missing !== 0 : missing < 0) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...(rest ?? []), ...embedded];
}

function parseGroups(text: string): number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return null;
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}
