/**
 * Environments over v2 (API-22). Owns the JSON shape of this surface; what an environment is, and what may be done to it, is
 * src/environments'.
 */
import * as z from "zod";
import { alterEnvironment, createCustom, currentEnvironment, setArchived } from "../../environments/changing.ts";
import type { Environment } from "../../environments/environment.ts";
import { allEnvironments } from "../../environments/known.ts";
import { MillraceError } from "../../errors.ts";
import { COMMAND } from "../../limits.ts";
import { isoTime } from "../v1/time.ts";
import { operation, pageEnd } from "./operation.ts";
import { name, paging } from "./parameters.ts";

const TYPES = {
  local: "DEVELOPMENT",
  production: "PRODUCTION",
  branches: "BRANCHES",
  custom: "CUSTOM",
  branch: "BRANCH",
} as const satisfies Record<Environment["kind"], string>;

const environmentReply = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.enum(TYPES),
    isArchived: z.boolean(),
    createdAt: z.iso.datetime().optional(),
  })
  .meta({ id: "Environment" });

/** The calls. All of them fit on one page. */
export const environments = [
  operation({
    id: "listEnvs",
    method: "GET",
    path: "/envs",
    summary: "The environments; for a key of one environment that one.",
    parameters: paging(),
    paged: true,
    data: z.array(environmentReply),
    handler: async ({ bindings, environment, settings, caller }, { limit, cursor }) => {
      const all = cursor === null ? await allEnvironments(bindings, settings) : [];
      const seen = caller.account ? all : all.filter(({ id }) => id === environment.id);
      return { data: seen.map(environmentJson), page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "createEnv",
    method: "POST",
    path: "/envs",
    summary: "Creates a custom environment with its keys, which v1 reveals.",
    needs: "account",
    body: { name },
    bodyBytes: COMMAND.bodyBytes,
    data: environmentReply,
    handler: async ({ bindings, settings, now }, { name: wanted }) => {
      const { environment } = await createCustom(bindings, settings, wanted, now).catch(asExisting);
      return { data: environmentJson(environment) };
    },
  }),
  operation({
    id: "updateEnv",
    method: "PATCH",
    path: "/envs/:id",
    summary: "Archives an environment or brings it back, or renames a custom one.",
    needs: "account",
    parameters: { id: name.describe("Its id or its present name.") },
    body: {
      isArchived: z.boolean("must be true or false").nullable().default(null),
      name: name.nullable().default(null),
    },
    bodyBytes: COMMAND.bodyBytes,
    data: environmentReply,
    handler: async ({ bindings, settings, now }, { id: nameOrId, isArchived, name: wanted }) => {
      const environment = await currentEnvironment(bindings, settings, nameOrId, now);
      if (wanted !== null) await alterEnvironment(bindings, settings, environment, { name: wanted, autoArchive: null });
      if (isArchived !== null) await setArchived(bindings, environment, isArchived, now);
      return { data: environmentJson(await currentEnvironment(bindings, settings, environment.id, now)) };
    },
  }),
];

/** This surface has a word of its own for a name that is taken. */
function asExisting(error: unknown): never {
  if (!(error instanceof MillraceError) || error.code !== "conflict") throw error;
  throw new MillraceError("already_exists", error.message);
}

function environmentJson(environment: Environment): z.output<typeof environmentReply> {
  const { id, name: called, kind, archivedAt, createdAt } = environment;
  const created = createdAt === 0 ? {} : { createdAt: isoTime(createdAt) };
  return { id, name: called, type: TYPES[kind], isArchived: archivedAt !== null, ...created };
}
