/** Serves the functions at http://localhost:3000/api/inngest. */
import { createServer } from "node:http";
import { serve } from "inngest/node";
import { functions, inngest } from "./functions.ts";

const port = Number(process.env["PORT"] ?? 3000);
const inngestHandler = serve({ client: inngest, functions });

createServer((request, response) => {
  if (request.url?.startsWith("/api/inngest")) return inngestHandler(request, response);
  response.writeHead(404).end("The functions are at /api/inngest.\n");
}).listen(port, () => console.log(`listening on http://localhost:${port}/api/inngest`));
