/**
 * Experiments over v2 (API-22): there is no list of them yet, and none is made up. What steps note of their experiments is with their runs.
 */
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import { functionIn } from "../../apps/named.ts";
import { MillraceError } from "../../errors.ts";
import { operation, pageEnd } from "./operation.ts";
import { name, paging } from "./parameters.ts";

const experimentReply = z.object({ name: z.string() }).meta({ id: "Experiment" });

/** The calls. */
export const experiments = [
  operation({
    id: "listExperiments",
    method: "GET",
    path: "/experiments",
    summary: "Experiments; none are listed yet.",
    parameters: paging(),
    paged: true,
    data: z.array(experimentReply),
    handler: (_call, { limit }) => ({ data: [], page: pageEnd(limit, null) }),
  }),
  operation({
    id: "listFunctionExperiments",
    method: "GET",
    path: "/apps/:appId/functions/:functionId/experiments",
    summary: "Experiments of a function; none are listed yet.",
    parameters: { appId: name, functionId: name, ...paging() },
    paged: true,
    data: z.array(experimentReply),
    handler: async ({ bindings, environment, now }, { appId, functionId, limit }) => {
      functionIn(await currentCatalog(bindings, environment.id, now), { app: appId, function: functionId });
      return { data: [], page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "getFunctionExperiment",
    method: "GET",
    path: "/apps/:appId/functions/:functionId/experiments/:experiment",
    summary: "One experiment of a function.",
    parameters: { appId: name, functionId: name, experiment: name },
    data: experimentReply,
    handler: (_call, { experiment }) => {
      throw new MillraceError("not_found", `No experiment has the name "${experiment}".`);
    },
  }),
];
