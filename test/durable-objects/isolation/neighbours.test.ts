import { neighbours } from "./neighbours.ts";

// One id begins as the other does, so that a name cut in the wrong place would show.
neighbours("env-hostile", "env-hostile-2");
