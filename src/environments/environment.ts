/**
 * Environments: the isolated spaces that own apps, events, runs and keys (EV-21). Owns their kinds and the ids of those that exist without
 * being stored: `local` in dev mode; in cloud mode `production`, whose keys are the deployment's secrets, and the place branches share.
 */
import { MillraceError } from "../errors.ts";
import { ENVIRONMENT } from "../limits.ts";
import type { Settings } from "../settings.ts";

/** An environment as requests resolve to it. The id is part of every object name and every D1 key (SE-8). */
export interface EnvironmentRef {
  readonly id: string;
  readonly name: string;
}

/** The account id that tools expect of a single-tenant server (protocol/12 §12.2). */
export const ACCOUNT_ID = "00000000-0000-4000-a000-000000000000";

/** The environment of dev mode (protocol/12 §12.2). */
export const LOCAL: EnvironmentRef = { id: "00000000-0000-4000-b000-000000000000", name: "local" };

/** The environment of the deployment's own keys. */
export const PRODUCTION: EnvironmentRef = { id: "00000000-0000-4000-b000-000000000001", name: "production" };

/**
 * What branch environments share (EV-22): it owns their keys and their webhooks, and the events that name no branch (EV-25). It never has
 * an app, so that nothing starts in it.
 */
export const BRANCHES: EnvironmentRef = { id: "00000000-0000-4000-b000-000000000002", name: "branches" };

/** `custom` and `branch` environments are stored; the others exist by themselves. */
export type EnvironmentKind = "local" | "production" | "branches" | "custom" | "branch";

/** An environment with what is known of it. Times are ms since 1970. */
export interface Environment extends EnvironmentRef {
  readonly kind: EnvironmentKind;
  /** 0 where it was always there. */
  readonly createdAt: number;
  /** Latest sync of a branch, or its creation. */
  readonly syncedAt: number;
  /** Whether a branch that is not synced any more is archived by itself (EV-24). */
  readonly autoArchive: boolean;
  readonly archivedAt: number | null;
}

/** The environment every request of this deployment belongs to that carries the deployment's own keys. */
export function environmentOf(settings: Settings): EnvironmentRef {
  return settings.mode === "dev" ? LOCAL : PRODUCTION;
}

/** The environments that exist without being stored. */
export function standing(settings: Settings): readonly Environment[] {
  const always = { createdAt: 0, syncedAt: 0, autoArchive: false, archivedAt: null } as const;
  if (settings.mode === "dev") return [{ ...LOCAL, kind: "local", ...always }];
  return [
    { ...PRODUCTION, kind: "production", ...always },
    { ...BRANCHES, kind: "branches", ...always },
  ];
}

/** Whether an environment is one that is stored, as its id says. */
export function isStored({ id }: Pick<EnvironmentRef, "id">): boolean {
  return ![LOCAL.id, PRODUCTION.id, BRANCHES.id].includes(id);
}

/** Where an environment's keys and webhooks are: with itself, and for a branch with all branches (EV-22). */
export function keyHolder({ id, kind }: Pick<Environment, "id" | "kind">): string {
  return kind === "branch" ? BRANCHES.id : id;
}

/**
 * The name as it may stand in a URL or a host: lower case, hyphens, at most 63 characters. Several names may share one; a name of which
 * nothing is left becomes `otherwise`.
 */
export function slugOf(name: string, otherwise = "environment"): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return slug === "" ? otherwise : slug;
}

/** Throws `invalid_request` unless this can be the name of an environment (EV-23). */
export function checkName(name: string): void {
  if (name.trim() === "" || name.length > ENVIRONMENT.nameLength) {
    const reason = `An environment's name has 1 to ${ENVIRONMENT.nameLength} characters, this one ${name.length}.`;
    throw new MillraceError("invalid_request", reason);
  }
  // SDKs for JavaScript send "ü" as Latin-1, which the platform does not read: "für" and "fär" would be one branch.
  if (!name.includes("\uFFFD")) return;
  const reason = `The environment's name "${name}" did not arrive as it was sent: use only ASCII, or encode the header as UTF-8.`;
  throw new MillraceError("invalid_request", reason);
}
