import { expect, it, vi } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { resealKeys } from "../../src/keys/reseal.ts";
import { settingsOf } from "../../src/settings.ts";
import { sweepEnvironments } from "../../src/sweep/environments.ts";
import { ask, cloud, customEnvironment } from "./cloud.ts";

const HOUR = 60 * 60 * 1000;
const present = "7a".repeat(32);
const only: Bindings = { ...cloud, MILLRACE_SECRET: present };
const both: Bindings = { ...only, MILLRACE_SECRET_PREVIOUS: cloud.MILLRACE_SECRET ?? "" };

/** What is stored, by the key's id. */
async function sealed(): Promise<Record<string, string>> {
  const statement = "SELECT id, sealed FROM event_keys UNION ALL SELECT id, sealed FROM signing_keys";
  const { results } = await cloud.DB.prepare(statement).all<{ id: string; sealed: string }>();
  return Object.fromEntries(results.map((row) => [row.id, row.sealed]));
}

it("SE-14: within an hour every key is sealed under the present secret, and the former one may be forgotten", async () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
  const environments = [await customEnvironment("one"), await customEnvironment("two")];
  const lost = await customEnvironment("lost");
  await cloud.DB.prepare("UPDATE event_keys SET sealed = '1.broken' WHERE environment_id = ?1").bind(lost.id).run();
  const before = await sealed();
  expect(await resealKeys(cloud.DB, settingsOf(cloud)), "with one secret there is nothing to do").toBe(0);

  const hour = Math.ceil(Date.now() / HOUR) * HOUR;
  await sweepEnvironments(both, hour + 60_000);
  expect(await sealed(), "not in every minute").toEqual(before);
  await sweepEnvironments(both, hour);
  const after = await sealed();
  expect(Object.entries(after).filter(([id, text]) => before[id] === text)).toHaveLength(1);
  expect(complaint).toHaveBeenCalledWith(expect.stringContaining("not sealed anew"), expect.any(String));
  expect(await resealKeys(cloud.DB, settingsOf(both))).toBe(0);

  for (const { signingKey, eventKey } of environments) {
    const asking = { key: signingKey, deployment: only };
    const [event] = (await ask("GET", "/v1/keys/events", undefined, asking)).body.data;
    const [signing] = (await ask("GET", "/v1/keys/signing", undefined, asking)).body.data;
    const reveal = async (path: string) => (await ask("POST", `/v1/keys/${path}/reveal`, undefined, asking)).body.data;
    expect(await reveal(`events/${event.id}`)).toEqual({ id: event.id, key: eventKey });
    expect(await reveal(`signing/${signing.id}`)).toEqual({ id: signing.id, key: signingKey });
  }
});
