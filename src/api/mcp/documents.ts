/**
 * The documentation as it is bundled (API-33), by path. Owns the list, which a test compares with the folder.
 */

import api from "../../../docs/api.md";
import architecture from "../../../docs/architecture.md";
import cancellation from "../../../docs/cancellation.md";
import decision001 from "../../../docs/decisions/001-no-itty-durable.md";
import decision002 from "../../../docs/decisions/002-cel-library.md";
import decision003 from "../../../docs/decisions/003-local-launcher.md";
import decision004 from "../../../docs/decisions/004-run-calls-its-app.md";
import decision005 from "../../../docs/decisions/005-one-line-per-key.md";
import decision006 from "../../../docs/decisions/006-cron-calendar.md";
import decision007 from "../../../docs/decisions/007-realtime-sockets.md";
import decision008 from "../../../docs/decisions/008-traces-from-the-log.md";
import decision009 from "../../../docs/decisions/009-metered-interpreter.md";
import deletion from "../../../docs/deletion.md";
import environments from "../../../docs/environments.md";
import faults from "../../../docs/faults.md";
import flowControl from "../../../docs/flow-control.md";
import graphql from "../../../docs/graphql.md";
import insights from "../../../docs/insights.md";
import mcp from "../../../docs/mcp.md";
import metrics from "../../../docs/metrics.md";
import performance from "../../../docs/performance.md";
import realtime from "../../../docs/realtime.md";
import reliability from "../../../docs/reliability.md";
import runningAgain from "../../../docs/running-again.md";
import search from "../../../docs/search.md";
import security from "../../../docs/security.md";
import settings from "../../../docs/settings.md";
import traces from "../../../docs/traces.md";
import webhooks from "../../../docs/webhooks.md";
import readme from "../../../README.md";

/** Texts by path. */
export const DOCUMENTS: Readonly<Record<string, string>> = {
  "README.md": readme,
  "docs/api.md": api,
  "docs/architecture.md": architecture,
  "docs/cancellation.md": cancellation,
  "docs/deletion.md": deletion,
  "docs/environments.md": environments,
  "docs/faults.md": faults,
  "docs/flow-control.md": flowControl,
  "docs/graphql.md": graphql,
  "docs/insights.md": insights,
  "docs/mcp.md": mcp,
  "docs/metrics.md": metrics,
  "docs/performance.md": performance,
  "docs/realtime.md": realtime,
  "docs/reliability.md": reliability,
  "docs/running-again.md": runningAgain,
  "docs/search.md": search,
  "docs/security.md": security,
  "docs/settings.md": settings,
  "docs/traces.md": traces,
  "docs/webhooks.md": webhooks,
  "docs/decisions/001-no-itty-durable.md": decision001,
  "docs/decisions/002-cel-library.md": decision002,
  "docs/decisions/003-local-launcher.md": decision003,
  "docs/decisions/004-run-calls-its-app.md": decision004,
  "docs/decisions/005-one-line-per-key.md": decision005,
  "docs/decisions/006-cron-calendar.md": decision006,
  "docs/decisions/007-realtime-sockets.md": decision007,
  "docs/decisions/008-traces-from-the-log.md": decision008,
  "docs/decisions/009-metered-interpreter.md": decision009,
};
