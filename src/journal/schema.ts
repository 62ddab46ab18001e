/** Marks the file as mlmon's: "mlmj" in ASCII, in `PRAGMA application_id`. */
export const applicationId = 0x6d6c6d6a;

/** Grows with every change of the tables, in `PRAGMA user_version`. */
export const schemaVersion = 4;

/**
 * The tables of the journal. Text that others chose is kept as UTF-8 in a BLOB: Deno cuts TEXT at a NUL when it reads
 * it. `samples_before` and `bytes_before` count all that was ever stored before a row, and `totals` all that was ever
 * stored, so that sizes and distances are differences and need no scan. `crc` is over the rest of its row: a position
 * or a state that is not what was written would lose samples in silence. Bodies come last in a row: a scan of the other
 * columns never touches their pages. `replay` is when a dead letter was sent back to delivery, 0 while it is dead;
 * `dead_totals` adds up both kinds, as there may be hundreds of thousands and each status asks for them.
 */
export const schema = `
  CREATE TABLE batches (
    position INTEGER PRIMARY KEY,
    samples INTEGER NOT NULL,
    samples_before INTEGER NOT NULL,
    bytes_before INTEGER NOT NULL,
    time REAL NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE totals (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO totals VALUES (1, 0, 0, 0);
  CREATE TABLE consumers (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE state (
    owner TEXT NOT NULL,
    key BLOB NOT NULL,
    is_text INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (owner, key)
  ) STRICT;
  CREATE TABLE ledger (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (scope, id, name, reason)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sink TEXT NOT NULL,
    time REAL NOT NULL,
    bytes INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    replay REAL NOT NULL,
    reason TEXT NOT NULL,
    words BLOB NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX dead ON dead_letters (id) WHERE replay = 0;
  CREATE INDEX replays ON dead_letters (sink, id) WHERE replay > 0;
  CREATE INDEX sent_back ON dead_letters (sink, replay) WHERE replay > 0;
  CREATE TABLE dead_totals (
    sink TEXT NOT NULL,
    reason TEXT NOT NULL,
    replayed INTEGER NOT NULL,
    letters INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (sink, reason, replayed)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER letter_added AFTER INSERT ON dead_letters BEGIN ${count("new", "+")} END;
  CREATE TRIGGER letter_removed AFTER DELETE ON dead_letters BEGIN ${count("old", "-")} END;
  CREATE TRIGGER letter_moved AFTER UPDATE OF replay ON dead_letters BEGIN
    ${count("old", "-")}
    ${count("new", "+")}
  END;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

function count(row: "new" | "old", sign: "+" | "-"): string {
  return `INSERT INTO dead_totals
    VALUES (${row}.sink, ${row}.reason, ${row}.replay > 0, ${sign}1, ${sign}${row}.samples, ${sign}${row}.bytes)
    ON CONFLICT DO UPDATE
    SET letters = letters + excluded.letters, samples = samples + excluded.samples, bytes = bytes + excluded.bytes;`;
}
