/**
 * How keys are told apart without being shown: by the beginning of their hash (AP-26). Pure.
 */
import { bareKey, hashedKey } from "../protocol/signature.ts";

const LENGTH = 12;

/** The fingerprint of a key with this hash, hex. */
export function fingerprintOf(hash: string): string {
  return hash.slice(0, LENGTH);
}

/** That of a signing key: of its hashed form, which apps tell of the keys they have. */
export async function signingFingerprint(key: string): Promise<string> {
  return fingerprintOf(bareKey(await hashedKey(key)));
}
