/**
 * Every call of v2 (API-22). Owns the list, of which routes, document and tools are made, and the catalogue that shows it
 * (protocol/12 §12.7).
 */
import * as z from "zod";
import { anyJson } from "../../protocol/any-json.ts";
import { apps } from "./apps.ts";
import { commands } from "./commands.ts";
import { environments } from "./environments.ts";
import { events } from "./events.ts";
import { experiments } from "./experiments.ts";
import { insights } from "./insights.ts";
import { keys } from "./keys.ts";
import { type Operation, operation } from "./operation.ts";
import { runs } from "./runs.ts";
import { service } from "./service.ts";
import { sessions } from "./sessions.ts";
import { argumentsOf, toolNameOf } from "./tool.ts";
import { trace } from "./trace.ts";
import { webhooks } from "./webhooks.ts";

/** s; how long a client may keep the catalogue: it changes with deployments only. */
const KEPT = 300;

const entryReply = z
  .object({
    id: z.string(),
    method: z.string(),
    path: z.string(),
    summary: z.string(),
    tool: z.string(),
    arguments: z.record(z.string(), anyJson),
  })
  .meta({ id: "Operation" });

const catalogue = operation({
  id: "listOperations",
  method: "GET",
  path: "/operations",
  summary: "This list: every call, its tool for MCP, and what it takes.",
  cache: KEPT,
  data: z.object({ operations: z.array(entryReply) }),
  handler: () => {
    const operations = OPERATIONS.map((each) => {
      const { id, method, path, summary } = each;
      return { id, method, path: `/v2${path}`, summary, tool: toolNameOf(each), arguments: argumentsOf(each) };
    });
    return { data: { operations } };
  },
});

/** The calls. */
export const OPERATIONS: readonly Operation[] = [
  ...service,
  ...environments,
  ...keys,
  ...webhooks,
  ...apps,
  ...runs,
  ...trace,
  ...commands,
  ...events,
  ...experiments,
  ...insights,
  ...sessions,
  catalogue,
];
