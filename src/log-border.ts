/**
 * The border between the engine and its log (SE-2, SE-14, OB-13): every line passes it, whoever writes it and whatever error it quotes.
 * Guarantees that no line holds a key of the deployment, credentials of a URL or header, or the key in the path of a send.
 */
import type { Bindings } from "./bindings.ts";
import { MillraceError } from "./errors.ts";
import { openedKeys } from "./keys/signing-keys.ts";
import { maskText } from "./masking.ts";
import { bareKey } from "./protocol/signature.ts";
import { type Settings, settingsOf } from "./settings.ts";

const LEVELS = ["debug", "log", "info", "warn", "error"] as const;

/** What is written to. */
type Log = Pick<Console, (typeof LEVELS)[number]>;

/** Characters from which a key is one: masking shorter ones would deface whatever else is written like them. */
const KEY_LENGTH = 8;

const SEND = /(\/e\/)[^\s/?#"']+/g;

/** Lets nothing pass to the log but masked texts, from now on. `secrets` are asked for with each line. */
export function guardLog(log: Log, secrets: () => readonly string[]): void {
  for (const level of LEVELS) {
    const write = log[level].bind(log);
    log[level] = (...parts: unknown[]) => write(...parts.map((part) => masked(part, secrets())));
  }
}

function masked(part: unknown, secrets: readonly string[]): unknown {
  if (part instanceof Error) return masked(part.stack ?? part.message, secrets);
  return typeof part === "string" ? maskText(part.replace(SEND, "$1***"), secrets) : part;
}

/** The keys of the deployment with these bindings. One that is misconfigured has none: it answers every request with what is wrong. */
export function ownKeys(bindings: Bindings): readonly string[] {
  try {
    return keysOf(settingsOf(bindings));
  } catch (error) {
    if (error instanceof MillraceError) return [];
    throw error;
  }
}

/** The keys of a deployment, stored ones that are in use included, as they could be quoted: signing keys without their prefix, so that no form of them remains. */
function keysOf({ signingKeys, eventKeys, secrets }: Settings): readonly string[] {
  const bare = signingKeys.map(bareKey);
  return [...bare, ...openedKeys(), ...eventKeys, ...secrets].filter((key) => key.length >= KEY_LENGTH);
}
