import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import {
  appTargetPolicy,
  fetchTargetPolicy,
  privateHost,
  type TargetPolicy,
  targetFault,
} from "../../../src/calls/address.ts";
import { readSettings } from "../../../src/settings.ts";

const CLOUD: TargetPolicy = { allowPrivate: false, ownHost: "engine.example.com" };
const DEV: TargetPolicy = { allowPrivate: true, ownHost: "engine.example.com" };

describe("private hosts", () => {
  it.each([
    ["localhost", "local network"],
    ["LOCALHOST", "local network"],
    ["localhost.", "local network"],
    ["app.localhost", "local network"],
    ["metadata.google.internal", "local network"],
    ["printer.local", "local network"],
    ["router.home.arpa", "local network"],
    ["app", "without a domain"],
    ["", "no name"],
    ["0.0.0.0", "this host"],
    ["10.0.0.1", "private"],
    ["10.255.255.255", "private"],
    ["100.64.0.1", "carrier"],
    ["100.127.255.255", "carrier"],
    ["127.0.0.1", "loopback"],
    ["127.9.9.9", "loopback"],
    ["168.63.129.16", "metadata"],
    ["169.254.169.254", "link-local"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["198.19.0.1", "reserved"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "reserved"],
    ["[::]", "this host"],
    ["[::1]", "loopback"],
    ["::1", "loopback"],
    ["[::7f00:1]", "IPv4 address inside IPv6"],
    ["[::ffff:7f00:1]", "IPv4 address inside IPv6"],
    ["::ffff:8.8.8.8", "IPv4 address inside IPv6"],
    ["[64:ff9b::808:808]", "NAT64"],
    ["64:ff9b::10.0.0.1", "NAT64"],
    ["[64:ff9b:1::1]", "NAT64"],
    ["[2001:0:4136:e378::1]", "IPv4 address inside IPv6"],
    ["[2002:7f00:1::]", "IPv4 address inside IPv6"],
    ["[2001:db8::1]", "reserved"],
    ["[fc00::1]", "unique-local"],
    ["[fd00:ec2::254]", "unique-local"],
    ["[fe80::1]", "link-local"],
    ["fe80::1%eth0", "link-local"],
    ["[febf::1]", "link-local"],
    ["[fec0::1]", "site-local"],
    ["[ff02::1]", "multicast"],
    ["[100::1]", "reserved"],
    ["[4000::1]", "reserved"],
  ])("SE-13: %s is refused", (host, reason) => {
    expect(privateHost(host)).toContain(reason);
  });

  it.each([
    "example.com",
    "app.example.com.",
    "localhost.example.com",
    "internal.example.com",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "223.255.255.255",
    "[2606:4700:4700::1111]",
    "2a00:1450:4001:82a::200e",
    "[2001:4860:4860::8888]",
  ])("SE-13: %s is public", (host) => {
    expect(privateHost(host)).toBeNull();
  });

  it("SE-13: an address hidden in another notation is still recognised", () => {
    for (const host of ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "①②⑦.0.0.1"]) {
      expect(privateHost(new URL(`https://${host}/`).hostname), host).toContain("loopback");
    }
    expect(privateHost(new URL("https://[::FFFF:127.0.0.1]/").hostname)).toContain("inside IPv6");
    // With another dot at its end a URL leaves it as it is, and a resolver may not.
    for (const host of ["127.0.0.1..", "2130706433..", "0x7f.1..", "0177.0.0.1.."]) {
      expect(privateHost(new URL(`https://${host}/`).hostname), host).not.toBeNull();
    }
  });

  it("SE-13: every address inside 10/8 is refused and none is taken for a name", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(byte, byte, byte, (b, c, d) => {
        expect(privateHost(`10.${b}.${c}.${d}`)).toBe("a private address");
      }),
    );
  });
});

describe("targets", () => {
  it.each<[string, TargetPolicy, string | null]>([
    ["https://app.example.com/api/inngest", CLOUD, null],
    ["http://app.example.com/", CLOUD, "unsupported_protocol"],
    ["ftp://app.example.com/", CLOUD, "unsupported_protocol"],
    ["data:text/plain,x", CLOUD, "unsupported_protocol"],
    ["https://127.0.0.1:3000/", CLOUD, "private_address"],
    ["http://169.254.169.254/", CLOUD, "private_address"],
    ["http://localhost:3000/", CLOUD, "private_address"],
    ["https://engine.example.com/fn", CLOUD, "private_address"],
    ["https://engine.example.com./fn", CLOUD, "private_address"],
    ["http://127.0.0.1:3000/", DEV, null],
    ["http://app:3000/", DEV, null],
    ["https://engine.example.com/health", DEV, null],
    ["ws://127.0.0.1/", DEV, "unsupported_protocol"],
  ])("AP-20: %s", (url, policy, code) => {
    expect(targetFault(new URL(url), policy)?.code ?? null).toBe(code);
  });

  it("the message names the host and keeps path, query and credentials to itself", () => {
    const fault = targetFault(new URL("https://user:secret@10.0.0.1/path?token=secret"), CLOUD);
    expect(fault?.message).toContain("10.0.0.1");
    expect(fault?.message).not.toMatch(/secret|path/);
  });
});

describe("SE-13: what a deployment opens", () => {
  it.each<[string, Record<string, string>, boolean, boolean]>([
    ["cloud mode: nothing", {}, false, false],
    ["dev mode: both", { MILLRACE_MODE: "dev" }, true, true],
    ["a variable for apps only", { MILLRACE_ALLOW_PRIVATE_APPS: "1" }, true, false],
    ["a variable for requests of steps only", { MILLRACE_ALLOW_PRIVATE_FETCH: "true" }, false, true],
    ["closed in dev mode", { MILLRACE_MODE: "dev", MILLRACE_ALLOW_PRIVATE_FETCH: "0" }, true, false],
  ])("%s", (_, variables, apps, fetches) => {
    // Safe: settings read nothing but variables.
    const settings = readSettings({
      ...variables,
      MILLRACE_PUBLIC_URL: "https://engine.example.com:8443/x",
    } as unknown as Bindings);
    expect(appTargetPolicy(settings)).toEqual({ allowPrivate: apps, ownHost: "engine.example.com" });
    expect(fetchTargetPolicy(settings)).toEqual({ allowPrivate: fetches, ownHost: "engine.example.com" });
  });
});
