/**
 * What tools may ask for and this engine has not: sessions of a debugger, and workers that connect. Owns the honest answers: nothing, and none.
 */
import type { Noun } from "./context.ts";
import { connection } from "./values.ts";

const sdl = `
  type DebugRun { debugTraces: [RunTraceSpan!] runTrace: RunTraceSpan }
  type DebugSession { debugRuns: [DebugRun!] }
  type CreateDebugSessionResponse { debugSessionID: ULID! debugRunID: ULID! }
  input DebugRunQuery { functionSlug: String runID: String debugRunID: String workspaceId: ID }
  input DebugSessionQuery { functionSlug: String runID: String debugSessionID: String workspaceId: ID }
  input CreateDebugSessionInput { functionSlug: String runID: String workspaceId: ID }

  type ConnectV1WorkerConnection { id: ULID! appName: String instanceID: String! status: String! connectedAt: Time! }
  type ConnectV1WorkerConnectionEdge { node: ConnectV1WorkerConnection! cursor: String! }
  type ConnectV1WorkerConnectionsConnection {
    edges: [ConnectV1WorkerConnectionEdge!]! pageInfo: PageInfo! totalCount: Int!
  }
  input ConnectV1WorkerConnectionsFilter { from: Time until: Time timeField: String status: [String!] appIDs: [UUID!] }
  input ConnectV1WorkerConnectionsOrderBy { field: String direction: String }

  extend type Query {
    debugRun(query: DebugRunQuery!): DebugRun
    debugSession(query: DebugSessionQuery!): DebugSession
    workerConnections(
      first: Int after: String orderBy: [ConnectV1WorkerConnectionsOrderBy!] filter: ConnectV1WorkerConnectionsFilter
    ): ConnectV1WorkerConnectionsConnection!
    workerConnection(connectionId: ULID!): ConnectV1WorkerConnection
  }
  extend type Mutation { createDebugSession(input: CreateDebugSessionInput!): CreateDebugSessionResponse }
`;

/** The noun. */
export const unsupportedNoun: Noun = {
  sdl,
  resolvers: {
    debugRun: () => null,
    debugSession: () => null,
    createDebugSession: () => null,
    workerConnection: () => null,
    workerConnections: () =>
      connection([], { cursorOf: () => "", nextCursor: null, end: null }, () => Promise.resolve(0)),
  },
};
