-- Calls of models (OB-12), counted by the minute, function and model, written with the reports of the runs that made them. A run without any costs
-- nothing here.
CREATE TABLE ai_minutes (
  environment_id TEXT    NOT NULL,
  minute         INTEGER NOT NULL,            -- minutes since 1970
  function_id    TEXT    NOT NULL,
  model          TEXT    NOT NULL,            -- empty where nobody says
  function_slug  TEXT    NOT NULL,
  app_id         TEXT    NOT NULL,
  calls          INTEGER NOT NULL,
  input_tokens   INTEGER NOT NULL,
  output_tokens  INTEGER NOT NULL,
  latency        INTEGER NOT NULL,            -- ms, of all of them
  PRIMARY KEY (environment_id, minute, function_id, model)
) WITHOUT ROWID;
