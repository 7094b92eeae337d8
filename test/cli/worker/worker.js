/** Answers what each binding says. State is in one object. */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import query from "./query.sql";

export class Counter extends DurableObject {
  async add(name) {
    const value = ((await this.ctx.storage.get(name)) ?? 0) + 1;
    await this.ctx.storage.put(name, value);
  }
  read() {
    return this.ctx.storage.list().then((all) => Object.fromEntries(all));
  }
}

export class Caller extends WorkerEntrypoint {
  greet() {
    return "called";
  }
}

const counter = (env) => env.COUNTER.get(env.COUNTER.idFromName("one"));

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/add") await counter(env).add("requests");
    if (pathname === "/send") await env.QUEUE.send("message");
    if (pathname === "/log") console.log("a line of the Worker");
    return Response.json({
      mode: env.MILLRACE_MODE,
      kept: env.KEPT,
      secret: env.SECRET,
      caller: await env.CALLER.greet(),
      database: (await env.DB.prepare(query).first()).answer,
      counts: await counter(env).read(),
    });
  },
  async queue(_batch, env) {
    await counter(env).add("batches");
  },
  async scheduled(_event, env) {
    await counter(env).add("sweeps");
  },
};
