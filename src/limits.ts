/**
 * Every number the engine enforces, with its unit and the reason it is what it is (spec/00 "Limits").
 * No other file holds a literal limit. Those an operator may change are defaults here and are read through `settings.ts`.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Events and the requests that carry them. */
export const EVENT = {
  /** Characters of an event name. */
  nameLength: 256,
  /** Characters of a sender's deduplication id. */
  idLength: 512,
  /** Bytes of one event as JSON: default and the range an operator may choose from. */
  bytes: { default: 1 * MIB, min: 64 * KIB, max: 3 * MIB },
  /** Events in one request. */
  perRequest: 5000,
  /** Bytes of a request body: default and range. */
  requestBytes: { default: 10 * MIB, min: 1 * MIB, max: 50 * MIB },
  /** Nesting of arrays and objects in anything we parse: deeper input only serves to exhaust a stack. */
  depth: 100,
  /** Oldest accepted `ts`: 1980-01-01, so that seconds mistaken for milliseconds are refused. */
  oldestTs: Date.UTC(1980, 0, 1),
  /** How far ahead `ts` may lie, ms. */
  futureTs: 366 * DAY,
  /** How long a sender's id, a seed or an idempotency key is remembered, ms. */
  deduplication: 24 * HOUR,
  /** ms; how long a sender's id may be claimed by a send that has not finished, before another event with it acts instead. */
  claimGrace: 5 * SECOND,
  /** Characters kept of the header that names an event's sender. */
  sourceLength: 256,
  /** Sessions of one event, and bytes of a session's key and value. */
  sessions: { count: 5, keyBytes: 128, valueBytes: 512 },
} as const;

/** Starting the runs of a request. */
export const FANOUT = {
  /** Run starts a request performs itself before it answers; more go to the fan-out queue. */
  inline: 32,
  /** Events per fan-out message: a chunk is read from D1 and started in one consumer call. */
  chunk: 50,
  /** How long an unfinished chunk waits before it is sent again, ms. */
  retry: 15 * SECOND,
  /** ms; that wait doubles with every attempt up to this one. */
  retryMax: 5 * MINUTE,
  /** Messages handed to the queue at once: the platform takes 100 messages and 256 KB. */
  messages: 100,
  /** How long a reader waits for a fresh event to reach history (EV-8), ms. */
  readWait: 5 * SECOND,
  /** How often such a reader looks, ms: a point read is cheap, and a fresh event usually takes a second or two. */
  readPoll: 100,
} as const;

/** What an app may register (AP-14). */
export const REGISTRATION = {
  bodyBytes: 4 * MIB,
  idLength: 255,
  triggers: 10,
  retries: 20,
  cancellations: 5,
  concurrencyLimits: 2,
  /** ms; the smallest and largest period of throttle and debounce. */
  period: { min: 1 * SECOND, max: 7 * DAY },
  /** ms; rate limits forget after a day. */
  rateLimitPeriod: { min: 1 * SECOND, max: 24 * HOUR },
  batchSize: { min: 2, max: 100 },
  /** ms; how long a batch may wait for its next event. */
  batchTimeout: { min: 1 * SECOND, max: 60 * SECOND },
  /** ms; the longest duration any option may name. */
  duration: 366 * DAY,
  /** ms; how far a cron may be spread (TR-15). */
  jitter: { min: 1 * SECOND, max: 5 * MINUTE },
  /** ms; an app answers a sync within this time. */
  timeout: 10 * SECOND,
} as const;

/** One run. */
export const RUN = {
  /** Retries when a function names none: 4 retries are 5 attempts (EX-19). */
  retries: 4,
  /** Steps of a run: default and the range of the setting. */
  steps: { default: 1000, min: 1, max: 10_000 },
  /** Bytes of one step result or of the function's output (EX-13). */
  outputBytes: 4 * MIB,
  /** Bytes of events, results and output together (EX-14). */
  stateBytes: 32 * MIB,
  /** ms; the longest sleep or wait (EX-38). */
  timeout: 366 * DAY,
  /** ms; a time requested by `Retry-After` is clamped into this range (EX-23). */
  retryAfter: { min: 1 * SECOND, max: 24 * HOUR },
  /** ms; the first time a run looks after calls it may have lost; doubles up to the maximum. */
  watchdog: { first: 10 * SECOND, max: 5 * MINUTE },
  /** ms; a run that is still going after this time shows itself in history. */
  progress: 1 * SECOND,
  /** ms; how long a finished run waits for history's confirmation before it reports again. */
  confirmation: 10 * SECOND,
  /** ms; how long after its confirmation a finished run leaves memory, in dev mode. */
  release: 50,
  /** Discovery calls a protocol-1 run may have in flight; later ones are merged. */
  discoveries: 16,
  /** Steps one checkpoint may report (protocol/09 §9.5). */
  checkpointSteps: 1000,
  /** Deferred calls of a run and the bytes of their inputs together (EX-71). */
  defers: { count: 20, bytes: 4 * MIB },
  /** Days a finished run is kept: default and range. */
  retentionDays: { default: 14, dev: 3, min: 1, max: 365 },
  /** Bytes of one row of a run's log; a Durable Object row may hold 2 MB. */
  rowBytes: 1_500_000,
} as const;

/** Waits for events and signals. */
export const WAITS = {
  /** Bytes of a trigger event as JSON that the index keeps beside a wait; of runs with a larger one the run itself judges. */
  boundBytes: 2 * KIB,
  /** Fields of incoming events that one name's waits are indexed by: each costs every event a look-up. */
  paths: 32,
  /** Awaited event names a catalog lists; with more of them every name counts as awaited. */
  names: 10_000,
  /** Runs per row of what is still to be delivered: a row may hold 2 MB, beside a piece of the event. */
  targets: 1000,
  /** Runs told of one event at the same time. */
  parallel: 32,
  /** ms; a run that has not answered by then is told again later. */
  patience: 10 * SECOND,
  /** ms; how long a failed delivery waits; doubles up to the maximum. */
  retry: { first: 5 * SECOND, max: 5 * MINUTE },
  /** ms; how long an alarm goes on repeating deliveries: the platform ends it after 15 minutes. */
  round: 1 * MINUTE,
  /**
   * ms after a name became awaited: when history is searched for events that isolates with an older catalog did not offer. They know
   * after twice `CATALOG.age`; history follows within a second or two, the second search is for a history that is late.
   */
  looks: [6 * SECOND, 30 * SECOND],
  /** ms; how far the time in an event's id may lie before the search: ids made from a seed carry the sender's clock. */
  seedSkew: 5 * MINUTE,
  /** ms; expired waits are cleared away together, at most this often. */
  sweep: 10 * MINUTE,
  /** Rows cleared away at a time. */
  batch: 1000,
  /** ms; an event that resolved a wait is known again for this long, should its sender repeat it. */
  remembered: 10 * MINUTE,
  /** ms; how long a name stays awaited without any wait: every change makes all isolates read the catalog anew. */
  linger: 1 * HOUR,
  /** Characters of a signal's name: an object knows its own name up to 1,024 bytes. */
  signalLength: 256,
  /** Bytes of a request that sends a signal; its data is one row. */
  signalBytes: 1 * MIB,
} as const;

/** One call of an app. */
export const CALL = {
  /** Bytes of a request body; above it the app fetches its state (EX-16). */
  requestBytes: 4 * MIB,
  /** Bytes of a reply after decompression (EX-18). */
  replyBytes: 8 * MIB,
  /** ms; how long one call may last (EX-17): the platform keeps a pending call for at most 15 minutes. */
  timeout: { default: 14 * MINUTE, min: 1 * SECOND, max: 14 * MINUTE },
  /** ms; silence tolerated inside a streamed reply (EX-64). */
  silence: 60 * SECOND,
  /** Redirects followed, each checked like a URL of its own (EX-25). */
  redirects: 5,
  /** Calls a run makes itself; the platform allows six connections per invocation, one is kept for RPC. */
  direct: 4,
  /** Calls of one run in flight at once. */
  concurrent: 64,
  /** Bytes of a foreign reply quoted in an error (EX-24). */
  quotedBytes: 2 * KIB,
} as const;

/** One request the engine makes for a step: `step.fetch`, `step.ai.infer` (EX-57, EX-59). */
export const GATEWAY = {
  /** ms; the whole request, its redirects included. */
  timeout: 10 * MINUTE,
  /** Bytes of a reply after decompression. */
  replyBytes: 4 * MIB,
  /** Redirects followed, each checked like a URL of its own (SE-13). */
  redirects: 5,
  /**
   * Characters from which a credential is masked: in errors nearly every one; in results only those that are no word, so that
   * a placeholder such as "ollama" does not deface what a model says.
   */
  secretLength: { error: 6, result: 12 },
} as const;

/** Runs that begin in the app's own HTTP handler (EX-68 … EX-70). */
export const ENDPOINT = {
  /**
   * ms; how long the handler may be silent before the engine takes the run over: as long as a caller waits for its result.
   * Every checkpoint begins it anew. Shorter would enter a second time beside a long step that is still being executed.
   */
  lease: { default: 5 * MINUTE, min: 1 * SECOND, max: 14 * MINUTE },
  /** ms; how long the result URL keeps its caller waiting (EX-70). */
  wait: { default: 5 * MINUTE, min: 1 * SECOND, max: 14 * MINUTE },
  /** ms; how long the result waits for the status and headers that the SDK sends beside it (`protocol/endpoint-output.ts`). */
  grace: 1 * SECOND,
  /** Endpoints listed of one app: paths with ids in them are without number, and each would be a function of its own. */
  functions: 1000,
  /** Characters of an endpoint's URL. */
  urlLength: 8 * KIB,
  /** Endpoints an isolate knows to be listed. */
  known: 10_000,
} as const;

/** Tokens the engine signs (SE-17). */
export const TOKEN = {
  /** ms; how long a result may be asked for (EX-70). */
  output: 1 * HOUR,
  /** ms; how long a realtime token may be used to connect. */
  realtime: 1 * MINUTE,
  /** ms; by how much the clocks of two machines of one deployment may differ. */
  skew: 5 * SECOND,
} as const;

/** Realtime channels. */
export const REALTIME = {
  /** ms; a subscriber hears at least a comment this often. */
  keepAlive: 15 * SECOND,
  /** ms; how long one stream of server-sent events lasts. */
  stream: 15 * MINUTE,
  /** Bytes a subscriber may be behind before it is cut off. */
  backlog: 4 * MIB,
  /** Characters of a channel's name: an object knows its own name up to 1,024 bytes. */
  channelLength: 256,
} as const;

/** Signatures and keys (SE-4). */
export const SIGNATURE = {
  /** ms; accepted age, in both directions. */
  age: 5 * MINUTE,
} as const;

/** The catalog cached in each isolate. */
export const CATALOG = {
  /** ms; a cached catalog older than this asks D1 for the current version. */
  age: 2 * SECOND,
} as const;

/** History in D1. */
export const HISTORY = {
  /** Bytes of a queue message that still travels inline; the platform's limit is 128 KB with overhead. */
  messageBytes: 100_000,
  /** Bytes of a row kept inline in D1, whose rows may hold 2 MB; larger payloads are split. */
  rowBytes: 1_500_000,
  /** Bytes of payloads or outputs after which a page ends early: an isolate has 128 MB for the rows and their JSON. */
  pageBytes: 8 * MIB,
  /** s; how long a message waits after a failure; doubles with every delivery up to the maximum. */
  retryDelay: { first: 1, max: 60 },
} as const;

/** The plain page at `/` in dev mode. */
export const HOME = {
  /** Runs, and events, shown. */
  items: 25,
  /** s; how often the page loads itself again. */
  refresh: 5,
} as const;

/** Expressions (XP-17). What an evaluation may cost is counted, never timed, so that every process decides alike. */
export const EXPRESSION = {
  /** Bytes of the source text. */
  sourceBytes: 4 * KIB,
  /** Nodes of the syntax tree. */
  nodes: 200,
  /** Nesting of brackets and operators. */
  depth: 32,
  /** Operators, calls, accesses and list elements one evaluation may go through. */
  steps: 10_000,
  /** Characters of text one evaluation may read or build: with the steps this stands in for 1 ms of CPU. */
  characters: 1 * MIB,
  /** Steps charged for a fault that `&&`, `||` or a list macro absorbs, which costs far more than an operator. */
  faultSteps: 50,
  /** Characters charged per instruction of a pattern and character of its text: the slowest automaton measured. */
  patternCharacters: 8,
  /** Characters charged per instruction of a pattern that an evaluation has to compile. */
  compileCharacters: 100,
  /** Characters charged per character decoded from JSON or base64: building values costs far more than scanning. */
  decodedCharacters: 8,
  /** Characters charged per character that is looked at one by one instead of by the platform's own search. */
  countedCharacters: 4,
  /** Characters of a text read as a number: more digits only make a huge integer that is refused anyway. */
  numberCharacters: 400,
  /** Characters of a text read as a date or a duration; none is longer. */
  dateCharacters: 64,
  /** Characters of a `matches` pattern that is computed and so must be compiled anew by every evaluation. */
  computedPattern: 128,
  /** States a pattern's automaton may keep between evaluations; beyond it is thrown away and built again. */
  patternStates: 256,
  /** Depth of a value that is compared or printed: deeper than any event, so only `json_parse` can reach it. */
  valueDepth: 128,
  /** Compiled expressions an isolate remembers. */
  cached: 1000,
  /** Characters of a text that go into an index key as they are; of longer ones only a prefix and the length. */
  indexCharacters: 200,
} as const;

/** Lists over REST. */
export const PAGE = { default: 20, min: 1, max: 100 } as const;
