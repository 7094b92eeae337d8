/** What `cloudflare:workers` is inside a simulation: the base classes, without a platform behind them. */

export class DurableObject<Bindings> {
  readonly ctx: unknown;
  readonly env: Bindings;

  constructor(ctx: unknown, env: Bindings) {
    this.ctx = ctx;
    this.env = env;
  }
}

export class WorkerEntrypoint<Bindings> extends DurableObject<Bindings> {}

export const env = {};
