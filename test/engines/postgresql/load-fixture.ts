import type { Loaded, LoadRequest } from '../../../src/core/ports.ts';
import { postgresql } from '../../../src/engines/postgresql/engine.ts';
import type { TestPostgres } from '../../servers/postgresql.ts';
import { silent, type TakenBackup } from './backup-fixture.ts';

/** A shop with everything that single tables hang on: types, functions, sequences, keys, partitions, triggers. */
export const SHOP = `
  CREATE TYPE mood AS ENUM ('glad', 'sad');
  CREATE DOMAIN money_amount AS numeric(12, 2) CHECK (VALUE >= 0);
  CREATE FUNCTION is_name(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT length($1) > 0 $$;
  CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL CHECK (is_name(name)),
    mood mood NOT NULL DEFAULT 'glad', lower_name text GENERATED ALWAYS AS (lower(name)) STORED UNIQUE);
  CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES customers, total money_amount,
    details json);
  CREATE INDEX ON orders (customer);
  CREATE TABLE log (at timestamptz, what text, data json);
  CREATE TABLE audit (what text);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.audit VALUES (TG_OP); RETURN NEW; END $$;
  CREATE TRIGGER noted AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
  CREATE TABLE events (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
  CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE VIEW glad AS SELECT * FROM customers WHERE mood = 'glad';
  CREATE SCHEMA "odd ""s;\n";
  CREATE TABLE "odd ""s;\n"."T'able; \\! \n-- ünï\r\nx" ("c""ol\n'; --" int PRIMARY KEY, "🐘\r DROP" text);
  CREATE TABLE "order" ("select" int PRIMARY KEY);
  INSERT INTO customers (name) SELECT 'Customer ' || i FROM generate_series(1, 50) i;
  INSERT INTO orders (customer, total, details) SELECT 1 + i % 50, i / 3.0, json_build_object('n', i) FROM generate_series(1, 500) i;
  INSERT INTO log SELECT '2026-01-01', 'row ' || i / 2, '{"a": 1}' FROM generate_series(1, 40) i;
  INSERT INTO events SELECT i, '2025-06-01'::date + i * 27 FROM generate_series(0, 20) i;
  INSERT INTO "odd ""s;\n"."T'able; \\! \n-- ünï\r\nx" SELECT i, E'a\\tb\\n\\\\.\\n' || i FROM generate_series(1, 9) i;
  INSERT INTO "order" VALUES (1), (2);`;

const ODD_SCHEMA = '"odd ""s;\n"';
export const ODD_TABLE = `${ODD_SCHEMA}."T'able; \\! \n-- ünï\r\nx"`;

/** Puts tables of a backup into a database of the server. */
export function load(
  server: TestPostgres,
  backup: TakenBackup,
  database: string,
  given: Partial<LoadRequest> & { user?: string } = {},
): Promise<Loaded> {
  const { user, ...changes } = given;
  const engine = postgresql({ env: process.env, log: silent, now: () => new Date() });
  return engine.loadTables({
    target: { url: server.urlOf(database, user) },
    manifest: backup.manifest,
    facts: backup.facts,
    tables: [],
    intoSchema: 'restored',
    restoreId: '20261121T031500Z-3f9a1c',
    scratch: {
      connection: {},
      settings: [],
      scratchDir: `/var/tmp/lbt-${process.pid}`,
      artifactBytes: [...backup.stored.values()].reduce((sum, bytes) => sum + bytes.length, 0),
      keepOnFailure: false,
      stallMs: 60_000,
    },
    open: backup.open,
    onStep: () => {},
    signal: new AbortController().signal,
    ...changes,
  });
}
