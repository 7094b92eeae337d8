/**
 * Which hosts the engine may call (SE-13). Owns the judgement on a URL's scheme and host, for apps, syncs, redirects and fetches alike.
 * Pure: it judges what a URL says, so a name that only resolves to a private address is the resolver's to catch.
 */
import type { ErrorCode } from "../errors.ts";
import { contains, parseAddress, parseRange, type Range } from "../ip.ts";
import type { Settings } from "../settings.ts";

/** What a deployment allows its calls to reach. */
export interface TargetPolicy {
  /** True where `http` and private hosts may be called: dev mode and single-machine deployments. */
  readonly allowPrivate: boolean;
  /** The engine's own host name, when it is known: calling it would make the engine its own app. */
  readonly ownHost: string | null;
}

/** Why a URL may not be called. The message names the host, never the path, the query or credentials. */
export interface TargetFault {
  readonly code: Extract<ErrorCode, "unsupported_protocol" | "private_address">;
  readonly message: string;
}

/** The policy for calls of apps. */
export function appTargetPolicy(settings: Settings): TargetPolicy {
  return { allowPrivate: settings.allowPrivateApps, ownHost: ownHost(settings) };
}

/** The policy for requests the engine makes for steps (EX-57, EX-59). */
export function fetchTargetPolicy(settings: Settings): TargetPolicy {
  return { allowPrivate: settings.allowPrivateFetch, ownHost: ownHost(settings) };
}

function ownHost(settings: Settings): string | null {
  return settings.publicUrl === null ? null : new URL(settings.publicUrl).hostname;
}

/** Judges a URL before it is called, and each redirect before it is followed; null when it may be called. */
export function targetFault(url: URL, policy: TargetPolicy): TargetFault | null {
  const http = url.protocol === "http:" || url.protocol === "https:";
  if (http && policy.allowPrivate) return null;
  // The host comes first: `http` to a private one would still be refused as `https` (SE-13).
  const reason = http ? privateReason(url.hostname, policy) : null;
  if (reason !== null) {
    return { code: "private_address", message: `The host ${url.hostname} cannot be called: ${reason}.` };
  }
  if (url.protocol === "https:") return null;
  const allowed = policy.allowPrivate ? "http and https" : "https";
  const message = `The URL on ${url.hostname} uses ${url.protocol.slice(0, -1)}; only ${allowed} can be called.`;
  return { code: "unsupported_protocol", message };
}

function privateReason(host: string, { ownHost }: TargetPolicy): string | null {
  return host.replace(/\.+$/, "") === ownHost ? "the engine's own host" : privateHost(host);
}

const PRIVATE_NAMES = ["localhost", "local", "localdomain", "internal", "intranet", "lan", "home.arpa"];

// Everything else in IPv6 is outside 2000::/3, which alone is assigned to the public network.
const RANGES = ranges([
  ["0.0.0.0/8", "an address of this host"],
  ["10.0.0.0/8", "a private address"],
  ["100.64.0.0/10", "a carrier's address"],
  ["127.0.0.0/8", "a loopback address"],
  ["168.63.129.16/32", "a metadata address"],
  ["169.254.0.0/16", "a link-local address"],
  ["172.16.0.0/12", "a private address"],
  ["192.0.0.0/24", "a reserved address"],
  ["192.0.2.0/24", "a reserved address"],
  ["192.88.99.0/24", "a reserved address"],
  ["192.168.0.0/16", "a private address"],
  ["198.18.0.0/15", "a reserved address"],
  ["198.51.100.0/24", "a reserved address"],
  ["203.0.113.0/24", "a reserved address"],
  ["224.0.0.0/4", "a multicast address"],
  ["240.0.0.0/4", "a reserved address"],
  ["::/128", "an address of this host"],
  ["::1/128", "a loopback address"],
  ["::/96", "an IPv4 address inside IPv6"],
  ["::ffff:0:0/96", "an IPv4 address inside IPv6"],
  ["::ffff:0:0:0/96", "an IPv4 address inside IPv6"],
  ["64:ff9b::/96", "a NAT64 address"],
  ["64:ff9b:1::/48", "a NAT64 address"],
  ["2001::/32", "an IPv4 address inside IPv6"],
  ["2001::/23", "a reserved address"],
  ["2001:db8::/32", "a reserved address"],
  ["2002::/16", "an IPv4 address inside IPv6"],
  ["3fff::/20", "a reserved address"],
  ["fc00::/7", "a unique-local address"],
  ["fe80::/10", "a link-local address"],
  ["fec0::/10", "a site-local address"],
  ["ff00::/8", "a multicast address"],
]);

/**
 * Why a host is not a public one, or null when it is. Takes host names as `URL.hostname` gives them (IPv6 in brackets) and plain
 * addresses, so that a resolver's answers can be judged by the same table.
 */
export function privateHost(host: string): string | null {
  const name = host.toLowerCase().replace(/\.+$/, "");
  const address = parseAddress(name.replace(/^\[|\]$/g, ""));
  if (address !== null) return privateAddress(address);
  if (name === "") return "it has no name";
  // No public name ends in a number, and whoever resolves it may take it for an address that is written in another way.
  if (/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(name)) return "an address in an unusual form";
  const listed = PRIVATE_NAMES.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
  if (listed) return "a name of the local network";
  return name.includes(".") ? null : "a name without a domain";
}

function privateAddress(address: readonly number[]): string | null {
  for (const { range, reason } of RANGES) if (contains(range, address)) return reason;
  const outside = address.length === 16 && ((address[0] ?? 0) & 0xe0) !== 0x20;
  return outside ? "a reserved address" : null;
}

function ranges(table: readonly (readonly [cidr: string, reason: string])[]) {
  return table.flatMap(([cidr, reason]) => {
    const range: Range | null = parseRange(cidr);
    return range === null ? [] : [{ range, reason }];
  });
}
