/**
 * The server behind `/mcp` (API-30). Owns which tools there are; the protocol is its library's. It keeps no sessions: each request gets a
 * server of its own, so that any isolate can answer any of them.
 */
import {
  createMcpHandler,
  isLegacyRequest,
  Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import packageJson from "../../../package.json";
import { MillraceError } from "../../errors.ts";
import { MCP } from "../../limits.ts";
import type { Call } from "../v2/operation.ts";
import { documentationTools } from "./documentation-tools.ts";
import { eventTools } from "./event-tools.ts";
import { operationTools } from "./operation-tools.ts";
import { runTools } from "./run-tools.ts";
import { answerOf, type Tool } from "./tool.ts";

/** By name. The tools with documents of their own come first; a call of v2 with the name of one of them is that one. */
const TOOLS: ReadonlyMap<string, Tool> = new Map(
  [...operationTools, ...documentationTools, ...runTools, ...eventTools].map((tool) => [tool.name, tool]),
);

/** Answers one request. Clients of the protocol before 2026 get plain JSON too, without a session. */
export async function serveMcp(request: Request, call: Call): Promise<Response> {
  const options = { maxRequestBodySize: MCP.requestBytes };
  if (!(await isLegacyRequest(request, undefined, options))) {
    const handler = createMcpHandler(() => serverFor(call), { ...options, legacy: "reject", responseMode: "json" });
    return await handler.fetch(request);
  }
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true, ...options });
  await serverFor(call).connect(transport);
  return await transport.handleRequest(request);
}

function serverFor(call: Call): Server {
  const server = new Server({ name: "millrace", version: packageJson.version }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", () => ({
    tools: [...TOOLS.values()].map(({ name, description, inputSchema }) => ({
      name,
      description,
      inputSchema: { ...inputSchema(), type: "object" },
    })),
  }));
  server.setRequestHandler("tools/call", async ({ params }) => {
    const tool = TOOLS.get(params.name);
    if (tool !== undefined) return await answerOf(tool, call, params.arguments ?? {});
    throw new MillraceError("not_found", `There is no tool "${params.name.slice(0, 200)}".`);
  });
  return server;
}
