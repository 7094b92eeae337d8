-- Event names that runs wait for. Part of the catalog: an event with any other name asks nobody whether it is awaited.
CREATE TABLE awaited_names (
  environment_id TEXT NOT NULL,
  name           TEXT NOT NULL,
  PRIMARY KEY (environment_id, name)
) WITHOUT ROWID;
