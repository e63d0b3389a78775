CREATE TABLE push_cursor (
  server TEXT NOT NULL,
  run INTEGER NOT NULL,
  part TEXT NOT NULL,
  position INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  total INTEGER NOT NULL,
  PRIMARY KEY (server, run, part)
) STRICT, WITHOUT ROWID
