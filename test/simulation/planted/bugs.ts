/** All planted defects. */
import { EVENT_BUGS } from "./event-bugs.ts";
import { FLOW_BUGS } from "./flow-bugs.ts";
import type { PlantedBug } from "./plant.ts";
import { RUN_BUGS } from "./run-bugs.ts";

export const PLANTED_BUGS: readonly PlantedBug[] = [...RUN_BUGS, ...FLOW_BUGS, ...EVENT_BUGS];
