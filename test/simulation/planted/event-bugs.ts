/** Defects on the way of events: ids, fan-out, crons, environments, history. */
import type { PlantedBug } from "./plant.ts";

export const EVENT_BUGS: readonly PlantedBug[] = [
  {
    name: "dedup-id-ignored",
    file: "src/events/start-runs.ts",
    find: 'if (event.deduplicationId === null) return { standing: "owner", settled: true };',
    replace: 'if (event.deduplicationId !== "") return { standing: "owner", settled: true };',
    why: "Every event with a sender's id starts runs of its own (EV-15).",
  },
  {
    name: "cron-tick-by-the-clock",
    file: "src/events/tick.ts",
    find: 'derivedUlid(tick.at, "cron", environmentId, registered.id)',
    replace: 'derivedUlid(now, "cron", environmentId, registered.id)',
    why: "A tick that is published again starts a second run (TR-12).",
    suites: ["crons"],
  },
  {
    name: "cron-done-too-early",
    file: "durable-objects/schedule.ts",
    find: "    const registered = await this.#registered(due, now);\n",
    replace:
      "    const registered = await this.#registered(due, now);\n    if (state !== null) this.#apply(settle(state, due));\n",
    why: "A tick counts as done before its run is durable, and is lost with whoever publishes it (TR-13).",
    suites: ["crons"],
  },
  {
    name: "environment-left-out-of-a-name",
    file: "src/objects.ts",
    find: "environmentId}:event-id:",
    replace: "environmentId.slice(0, 8)}:event-id:",
    why: "Two environments share what they remember of a sender's id (I8, SE-8).",
  },
  {
    name: "environment-left-out-of-a-query",
    file: "src/apps/store.ts",
    find: "        WHERE f.environment_id = ?1 ORDER BY f.slug, f.id`)",
    replace: "        WHERE f.environment_id IS NOT NULL OR ?1 ORDER BY f.slug, f.id`)",
    why: "An environment's events start the functions of another one (I8, SE-8).",
  },
  {
    name: "older-report-wins",
    file: "src/history/runs.ts",
    find: "  WHERE excluded.sequence > runs.sequence`;",
    replace: "`;",
    why: "A report that comes late replaces a newer one (I6).",
  },
  {
    name: "chunk-not-resent",
    file: "durable-objects/environment.ts",
    find: "      const due = this.#postpone(Date.now());\n      this.#arm();\n      await this.#send(due);",
    replace: "      this.#postpone(Date.now());\n      this.#arm();",
    why: "Events whose queue message was lost are never fanned out (EV-8).",
  },
];
