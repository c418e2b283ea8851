import type { TestPostgres } from '../servers/postgresql.ts';

/** Text, jsonb, numbers and indexes. One large table holds most of the rows, which no stream can share. */
export async function makeDatabase(pg: TestPostgres, name: string, gigabytes: number): Promise<void> {
  const rows = Math.round(gigabytes * 1_750_000);
  await pg.psql(`CREATE DATABASE ${name}`);
  await pg.psql(
    `CREATE TABLE events (id bigint PRIMARY KEY, kind text, body jsonb, note text, amount numeric(12,2), at timestamptz);
     INSERT INTO events SELECT g, 'kind ' || g % 50,
         jsonb_build_object('user', g % 10000, 'path', '/shop/' || md5((g % 5000)::text), 'ip', '10.0.' || g % 250 || '.' || g % 199, 'tags', jsonb_build_array('a', g % 7)),
         repeat('some words that repeat in every note ', 6) || md5(g::text), g % 100000 / 100.0, '2026-01-01'::timestamptz + g * interval '1 second'
       FROM generate_series(1, ${rows}) g;
     CREATE INDEX ON events (kind); CREATE INDEX ON events (at);
     CREATE TABLE items AS SELECT g AS id, g % 1000 AS product, md5(g::text) AS code FROM generate_series(1, ${rows}) g;
     ALTER TABLE items ADD PRIMARY KEY (id); CREATE INDEX ON items (code); VACUUM ANALYZE`,
    name,
  );
  console.log(`Database ${name}: ${await pg.psql(`SELECT pg_size_pretty(pg_database_size('${name}'))`)}.`);
}

/** Eight tables of one size, what several streams are for, and rows that stay half as large when compressed. */
export async function makeEqualTables(pg: TestPostgres, name: string, gigabytes: number): Promise<void> {
  const rows = Math.round((gigabytes * 2_600_000) / 8);
  await pg.psql(`CREATE DATABASE ${name}`);
  for (let at = 1; at <= 8; at++) {
    await pg.psql(
      `CREATE TABLE events_${at} AS SELECT g AS id, 'kind ' || g % 50 AS kind, md5(g::text) || md5('${at}' || g) || md5(g || '${at}') || md5('x' || g * ${at}) AS note,
         '2026-01-01'::timestamptz + g * interval '1 second' AS at FROM generate_series(1, ${rows}) g;
       ALTER TABLE events_${at} ADD PRIMARY KEY (id); CREATE INDEX ON events_${at} (at)`,
      name,
    );
  }
  await pg.psql('VACUUM ANALYZE', name);
  console.log(`Database ${name}: ${await pg.psql(`SELECT pg_size_pretty(pg_database_size('${name}'))`)}.`);
}
