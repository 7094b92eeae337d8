/**
 * What may start a function (AP-14, TR-5, TR-8, TR-9, TR-15). Owns the rules on event names, wildcards, crons and jitter.
 */
import { parseCron } from "../../decide/schedule/cron.ts";
import { REGISTRATION } from "../../limits.ts";
import type { Trigger } from "../function.ts";
import { checkEventName } from "./options.ts";
import { checkLength, type Report } from "./rules.ts";

// An asterisk anywhere but at the end, or at the end of anything but a whole segment.
const MISPLACED_WILDCARD = /\*(?!$)|(?:^|[^/.])\*$/;

/** Checks the triggers of one function; none at all is allowed (TR-18). */
export function checkTriggers(triggers: readonly Trigger[], report: Report): void {
  if (triggers.length > REGISTRATION.triggers) {
    report("triggers", `has ${triggers.length} entries, at most ${REGISTRATION.triggers} are allowed`);
  }
  const seen = new Map<string, number>();
  for (const [at, trigger] of triggers.entries()) {
    checkTrigger(trigger, `triggers[${at}]`, report);
    const key = trigger.kind === "cron" ? `cron ${trigger.cron}` : `event ${trigger.event}\n${trigger.expression}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, at);
    else report(`triggers[${at}]`, `repeats triggers[${first}]`);
  }
}

function checkTrigger(trigger: Trigger, option: string, report: Report): void {
  if (trigger.kind === "cron") {
    const cron = parseCron(trigger.cron);
    if (!cron.ok) report(`${option}.cron`, `"${trigger.cron}" ${cron.reason}`, "schedule_invalid");
    checkLength(report, `${option}.jitter`, trigger.jitter, REGISTRATION.jitter);
    return;
  }
  if (trigger.event === "") {
    report(option, "needs an event name or a cron");
    return;
  }
  checkEventName(`${option}.event`, trigger.event, report);
  if (MISPLACED_WILDCARD.test(trigger.event)) {
    const rule = `"${trigger.event}" may have * only as its last character and directly after "/" or "."`;
    report(`${option}.event`, rule, "event_name_invalid");
  }
}
