-- Failed and cancelled runs, newest first: rare as a rule, and what lists are most often asked for. Any other run costs nothing more.
CREATE INDEX runs_by_failure ON runs (environment_id, run_id, status) WHERE status IN ('failed', 'cancelled');
