/** Serves the page at http://localhost:3000, what it asks of its own server, and the functions at /api/inngest. */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { build } from "esbuild";
import { serve } from "inngest/node";
import { getSubscriptionToken } from "inngest/realtime";
import { functions, inngest, orderChannel, placed, reviewed } from "./functions.ts";

const port = Number(process.env["PORT"] ?? 3000);
const here = import.meta.dirname;
const inngestHandler = serve({ client: inngest, functions });

const html = await readFile(join(here, "browser/page.html"));
const bundle = await build({
  entryPoints: [join(here, "browser/page.ts")],
  bundle: true,
  format: "esm",
  platform: "browser",
  write: false,
});
const script = Buffer.from(bundle.outputFiles[0]?.contents ?? "");

/** A new order: its id, and a token with which the page may hear this order's channel. It is good for a minute. */
async function newOrder() {
  const orderId = randomUUID();
  const { key, apiBaseUrl } = await getSubscriptionToken(inngest, {
    channel: orderChannel(orderId),
    topics: ["progress", "approval", "result"],
  });
  return { orderId, key, apiBaseUrl };
}

/** A real server would know who asks, and whether that person may. */
async function answer(request: IncomingMessage): Promise<{ type: string; body: string | Buffer } | null> {
  const json = (value: unknown) => ({ type: "application/json", body: JSON.stringify(value) });
  switch (`${request.method} ${request.url}`) {
    case "GET /":
      return { type: "text/html; charset=utf-8", body: html };
    case "GET /page.js":
      return { type: "text/javascript", body: script };
    case "POST /orders":
      return json(await newOrder());
    case "POST /orders/start": {
      const { orderId } = await bodyOf(request);
      await inngest.send(placed.create({ orderId: String(orderId) }));
      return json({});
    }
    case "POST /approvals": {
      const { approvalId, approved } = await bodyOf(request);
      await inngest.send(reviewed.create({ approvalId: String(approvalId), approved: approved === true }));
      return json({});
    }
    default:
      return null;
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const piece of request) text += piece;
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? { ...value } : {};
}

createServer(async (request, response) => {
  if (request.url?.startsWith("/api/inngest")) return inngestHandler(request, response);
  try {
    const found = await answer(request);
    if (found === null) response.writeHead(404).end("There is nothing here.\n");
    else response.writeHead(200, { "content-type": found.type }).end(found.body);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end("The server failed; its output says why.\n");
  }
}).listen(port, () => console.log(`the page is at http://localhost:${port}`));
