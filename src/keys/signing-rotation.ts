/**
 * Signing keys as people see and change them (SE-7, API-20). Owns how those of the deployment and those that are stored are shown alike, and
 * what each phase of a rotation does. Guarantees that no key is shown but the one that was just made.
 */
import { PRODUCTION } from "../environments/environment.ts";
import type { KeyHolder } from "../environments/holder.ts";
import { MillraceError } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { signingFingerprint } from "./fingerprint.ts";
import {
  activateSigningKey,
  addSigningKey,
  finishSigningKey,
  listSigningKeys,
  revealSigningKey,
  type SigningKeyState,
} from "./signing-keys.ts";

/** The steps of SE-7. */
export type RotationPhase = "create" | "activate" | "finish";

/** A signing key without its value. */
export interface ShownSigningKey {
  readonly id: string;
  readonly name: string;
  readonly state: SigningKeyState;
  /** Null when it cannot be opened. */
  readonly fingerprint: string | null;
  readonly managed: "stored" | "secret";
  /** ms since 1970; null for secrets. */
  readonly createdAt: number | null;
}

/** The keys that a holder has, the one that signs first. */
export async function shownSigningKeys(
  db: D1Database,
  settings: Settings,
  holderId: string,
): Promise<readonly ShownSigningKey[]> {
  if (holderId === PRODUCTION.id) return await Promise.all(settings.signingKeys.map(secretKey));
  const stored = (await listSigningKeys(db, holderId)).map(async ({ id, state, createdAt }) => {
    const fingerprint = await fingerprintIn(db, settings, holderId, id);
    return { id, name: `signing key (${state})`, state, fingerprint, managed: "stored", createdAt } as const;
  });
  return await Promise.all(stored);
}

async function secretKey(key: string, index: number): Promise<ShownSigningKey> {
  return {
    id: `secret-${index + 1}`,
    name: index === 0 ? "INNGEST_SIGNING_KEY" : "INNGEST_SIGNING_KEY_FALLBACK",
    // Which way a rotation goes only whoever set the secrets knows: the first one signs.
    state: index === 0 ? "current" : "previous",
    fingerprint: await signingFingerprint(key),
    managed: "secret",
    createdAt: null,
  };
}

/** A key that cannot be opened has to be listed all the same: it is the one to be replaced. */
async function fingerprintIn(db: D1Database, settings: Settings, holderId: string, id: string): Promise<string | null> {
  try {
    const value = await revealSigningKey(db, settings, holderId, id);
    return value === null ? null : await signingFingerprint(value);
  } catch (error) {
    if (error instanceof MillraceError && error.code === "not_configured") return null;
    throw error;
  }
}

/**
 * Does one phase. `create` makes the key to change to, or where there is none at all the first one, which signs at once; only it answers a key.
 * Throws `conflict` when another phase is due, for production, whose keys are secrets, and in dev mode, which signs nothing. `now` in ms.
 */
export async function rotateSigningKey(
  db: D1Database,
  settings: Settings,
  { id, kind }: KeyHolder,
  phase: RotationPhase,
  now: number,
): Promise<{ readonly id: string; readonly value: string } | null> {
  if (kind === "local") throw new MillraceError("conflict", "Dev mode signs nothing, so that there is no key.");
  if (kind === "production") throw new MillraceError("conflict", HOW);
  switch (phase) {
    case "create": {
      const any = (await listSigningKeys(db, id)).length > 0;
      const environment = { id, kind: kind === "branches" ? "branch" : "custom" } as const;
      return await addSigningKey(db, settings, environment, any ? "next" : "current", now);
    }
    case "activate":
      await activateSigningKey(db, id);
      return null;
    case "finish":
      await finishSigningKey(db, id);
      return null;
  }
}

const HOW = `The keys of production are secrets of the deployment. Put the new key with "wrangler secret put INNGEST_SIGNING_KEY_FALLBACK", \
give it to the apps with the old one as their fallback, then exchange the two with "wrangler secret put INNGEST_SIGNING_KEY" and \
"wrangler secret put INNGEST_SIGNING_KEY_FALLBACK", and at last delete the fallback.`;
