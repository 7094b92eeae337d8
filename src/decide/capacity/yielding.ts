/**
 * Who has to give its units back at the end of its step, because somebody else goes first (FC-8, FC-9, FC-11). Pure.
 * Guarantees that a holder is warned once and then not before it has claimed again, and that looking for those to be warned costs what is
 * found.
 */
import type { Group } from "./group.ts";
import type { Member } from "./member.ts";
import { byPlace } from "./order.ts";
import type { Roster } from "./roster.ts";

/** Whether the run has to let somebody else go first. */
export function mustYield(roster: Roster, member: Member): boolean {
  const group = roster.groupOf(member);
  if (member.held === member.spare) return false;
  return isOver(roster, group) || isRivalled(roster, group) || isBehind(group, member);
}

/** Holders that must yield and have not been warned. The caller warns them. */
export function unwarned(roster: Roster): Member[] {
  const found: Member[] = [];
  for (const group of roster.groups.values()) {
    if (group.keepers.size === 0) continue;
    const everybody = isOver(roster, group) || isRivalled(roster, group);
    for (let last = group.keepers.last; last !== undefined; last = group.keepers.last) {
      if (!everybody && !isBehind(group, last)) break;
      roster.setWarned(last, true);
      found.push(last);
    }
  }
  return found;
}

/** More is in use than the function's own limit allows: its steps do not go on from one to the next (FC-11). */
function isOver(roster: Roster, { limit }: Group): boolean {
  return limit.limit > 0 && roster.inUse > limit.limit;
}

/** Another function waits that could have the unit. One of a later rank would not be given it (FC-14). */
function isRivalled(roster: Roster, group: Group): boolean {
  for (const other of roster.waiting) {
    if (other !== group && other.rank <= group.rank && !isOver(roster, other)) return true;
  }
  return false;
}

/** An older run of the same function waits. */
function isBehind({ waiting }: Group, member: Member): boolean {
  return waiting.first !== undefined && byPlace(waiting.first, member) < 0;
}
