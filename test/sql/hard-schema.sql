-- A schema that is hard on tools: every item once, small, with data. Load hard-roles.sql first, then
-- this into an empty database of its own, as a superuser. Works on PostgreSQL 15 to 18.
--
-- What cannot survive pg_dump and pg_restore, and so is no part of it (limits of PostgreSQL, not ours):
--   * statistics, physical order, tablespaces, attribute numbers, values of dropped columns;
--   * comments on a partition's copy of its parent's foreign key, and on the extension's own objects;
--   * an index that CREATE INDEX CONCURRENTLY left invalid (one is here: it is rightly gone afterwards);
--   * "populated" of a materialized view that reads from an unpopulated one (one is here);
--   * holes in large objects: they come back as zeros (one is here; its size stays);
--   * the schema `public` when it was dropped: a new database has it again;
--   * functions in checks, indexes and generated columns that find their tables by search_path:
--     pg_restore runs with an empty one and fails. Everything below is qualified.
SET client_min_messages = warning;
SET search_path = '';

CREATE SCHEMA app AUTHORIZATION "shop owner";
CREATE SCHEMA "Sch""ema, with stuff" AUTHORIZATION app;
CREATE SCHEMA ext;
COMMENT ON SCHEMA app IS 'Where the shop lives';
GRANT USAGE ON SCHEMA app TO app, reader;

-- Contrib extensions, relocated; grants on what an extension brought.
CREATE EXTENSION citext SCHEMA ext;
CREATE EXTENSION btree_gist SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;
CREATE EXTENSION pg_trgm SCHEMA ext;
CREATE EXTENSION file_fdw SCHEMA ext;
GRANT USAGE ON SCHEMA ext TO PUBLIC;
REVOKE EXECUTE ON FUNCTION ext.hstore(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ext.hstore(text, text) TO reader;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO auditor;

-- Types: enum with a label added in front, domains, composite with a dropped attribute, ranges.
CREATE TYPE app.mood AS ENUM ('ok', 'happy');
ALTER TYPE app.mood ADD VALUE 'sad' BEFORE 'ok';
COMMENT ON TYPE app.mood IS 'How it feels';
CREATE DOMAIN app.quantity AS integer DEFAULT 1 CHECK (VALUE >= 0);
CREATE DOMAIN app.code AS character varying(8) COLLATE "C" CHECK (VALUE IN ('A', 'B', 'it''s'));
ALTER DOMAIN app.quantity ADD CONSTRAINT "not too many" CHECK (VALUE < 1000000) NOT VALID;
CREATE TYPE app.address AS (street text, gone integer, zip character varying(10));
ALTER TYPE app.address DROP ATTRIBUTE gone;
CREATE TYPE app.float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE COLLATION app.german (provider = icu, locale = 'de-u-co-phonebk', deterministic = false);
COMMENT ON COLLATION app.german IS 'Telefonbuch';

-- Functions: plpgsql, SQL body as a string and as syntax, defaults, variadic, procedure, aggregate.
CREATE FUNCTION app.net(gross numeric, rate numeric DEFAULT 0.19) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN round(gross / (1 + rate), 2);
CREATE FUNCTION app.is_known(code character varying) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 7 AS $body$
BEGIN
  -- $1, 'quotes', "names" and		tabs count byte by byte
  RETURN code = ANY (ARRAY['A', 'B', 'it''s']::varchar[]) OR code ~ E'^\\d+$';
END $body$;
CREATE FUNCTION app."Odd Näme"(VARIADIC "List" text[]) RETURNS text LANGUAGE sql STABLE STRICT
  SECURITY DEFINER SET search_path = 'pg_catalog', 'app' SET work_mem = '8MB' AS 'SELECT array_to_string("List", '','')';
CREATE PROCEDURE app.tidy(INOUT n integer DEFAULT 3) LANGUAGE plpgsql AS 'BEGIN n := n + 1; END';
CREATE FUNCTION app.add_up(state bigint, value integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT state + value';
CREATE AGGREGATE app.total(integer) (SFUNC = app.add_up, STYPE = bigint, INITCOND = '0');
COMMENT ON FUNCTION app.net(numeric, numeric) IS 'Without tax';
COMMENT ON AGGREGATE app.total(integer) IS 'Sum of it all';
REVOKE EXECUTE ON FUNCTION app.is_known(character varying) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.is_known(character varying) TO app WITH GRANT OPTION;
SET SESSION AUTHORIZATION app;
GRANT EXECUTE ON FUNCTION app.is_known(character varying) TO reader;
RESET SESSION AUTHORIZATION;
ALTER FUNCTION app.net(numeric, numeric) OWNER TO app;

-- Operator, operator class, cast, text search.
CREATE FUNCTION app.same_length(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT length(a) = length(b)';
CREATE OPERATOR app.=|= (LEFTARG = text, RIGHTARG = text, FUNCTION = app.same_length, COMMUTATOR = OPERATOR(app.=|=));
COMMENT ON OPERATOR app.=|= (text, text) IS 'As long as';
CREATE OPERATOR CLASS app.int_backwards FOR TYPE integer USING btree AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(integer, integer);
CREATE FUNCTION app.mood_number(app.mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT ascii($1::text)';
CREATE CAST (app.mood AS integer) WITH FUNCTION app.mood_number(app.mood) AS ASSIGNMENT;
CREATE TEXT SEARCH DICTIONARY app.plain (TEMPLATE = pg_catalog.simple, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION app.shop (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION app.shop ALTER MAPPING FOR asciiword WITH app.plain, pg_catalog.english_stem;

-- Generated and identity columns, IN-lists and arrays in checks, exclusion, a dropped column, storage.
CREATE TABLE app.customers (
  id integer GENERATED BY DEFAULT AS IDENTITY (START WITH 1000 INCREMENT BY 10),
  gone_first text DEFAULT 'x',
  email ext.citext NOT NULL UNIQUE,
  status character varying(10) DEFAULT 'new' CHECK (status IN ('new', 'active', 'it''s gone')),
  level character varying(10)[] CHECK (level <@ ARRAY['a', 'b']::varchar[]),
  "home Address" app.address,
  mood app.mood DEFAULT 'ok' CHECK (mood IN ('ok', 'happy')),
  orders app.quantity,
  favourite integer,
  attributes ext.hstore,
  label text GENERATED ALWAYS AS (upper((status)::text) || '-' || (orders)::text) STORED,
  name text COLLATE app.german,
  PRIMARY KEY (id),
  CONSTRAINT "either, or" CHECK (((status IS NOT NULL) OR (email IS NOT NULL)) AND (id > 0 OR id < (-5)))
) WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE app.customers DROP COLUMN gone_first;
ALTER TABLE app.customers ADD COLUMN late timestamp(3) with time zone DEFAULT '2020-02-02 00:00:00+00';
ALTER TABLE app.customers ALTER COLUMN name SET STORAGE EXTERNAL, ALTER COLUMN name SET STATISTICS 250,
  ALTER COLUMN name SET (n_distinct = -0.5), ALTER COLUMN status SET COMPRESSION pglz;
ALTER TABLE app.customers ADD CONSTRAINT "not yet valid" CHECK (length(email::text) > 3) NOT VALID;
ALTER TABLE app.customers OWNER TO "shop owner";
COMMENT ON TABLE app.customers IS 'Who buys
in two lines, with ''quotes''';
COMMENT ON COLUMN app.customers."home Address" IS 'Where';
COMMENT ON CONSTRAINT "either, or" ON app.customers IS 'One of both';
INSERT INTO app.customers (email, status, level, "home Address", mood, orders, attributes, name)
SELECT format('User%s@Example.com', i), CASE WHEN i % 3 = 0 THEN 'it''s gone' ELSE 'active' END,
  ARRAY['a', 'b']::varchar[], ROW('Straße ' || i, i::text)::app.address,
  CASE WHEN i % 2 = 0 THEN 'happy' ELSE 'ok' END::app.mood, i, 'a=>1, "b c"=>NULL', repeat('ä€𝄞', i)
FROM generate_series(1, 200) AS i;

-- Circular foreign keys, deferrable, one not validated; a constraint trigger; an exclusion constraint.
CREATE TABLE app.orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer integer NOT NULL REFERENCES app.customers DEFERRABLE INITIALLY DEFERRED,
  code app.code,
  during tstzrange NOT NULL DEFAULT '[2026-01-01,2026-01-02)',
  total numeric(12, 2) CHECK (total BETWEEN 0 AND 99999999.99),
  net numeric GENERATED ALWAYS AS (app.net(total)) STORED,
  CONSTRAINT "one at a time" EXCLUDE USING gist (customer WITH OPERATOR(pg_catalog.=), during WITH OPERATOR(pg_catalog.&&))
);
ALTER TABLE app.customers ADD CONSTRAINT customers_favourite_fkey
  FOREIGN KEY (favourite) REFERENCES app.customers (id) NOT VALID;
ALTER TABLE app.customers ADD COLUMN last_order bigint REFERENCES app.orders ON DELETE SET NULL DEFERRABLE;
INSERT INTO app.orders (customer, code, total) SELECT id, 'it''s', id / 7.0 FROM app.customers;
UPDATE app.customers c SET last_order = o.id FROM app.orders o WHERE o.customer = c.id AND o.id % 2 = 0;
CREATE INDEX orders_open ON app.orders (code, (lower(code::text))) INCLUDE (total)
  WHERE code IN ('A', 'B') AND (total > 0 OR total IS NULL);
CREATE INDEX "Orders by Mönth" ON app.orders USING btree (date_trunc('month', lower(during) AT TIME ZONE 'UTC') DESC NULLS LAST);
CREATE INDEX customers_search ON app.customers USING gin (to_tsvector('pg_catalog.english', coalesce(name, '')));
CREATE INDEX customers_backwards ON app.customers (id app.int_backwards) WITH (fillfactor = 50);
ALTER TABLE app.customers CLUSTER ON customers_pkey;
ALTER INDEX "app"."orders_open" ALTER COLUMN 2 SET STATISTICS 300;
CREATE STATISTICS app.orders_stats (ndistinct, dependencies) ON customer, code FROM app.orders;
CREATE STATISTICS app."expression stats" ON (total * 2), code FROM app.orders;
ALTER STATISTICS app.orders_stats SET STATISTICS 50;
COMMENT ON INDEX app.orders_open IS 'What is open';

CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE OF total ON app.orders FOR EACH ROW
  WHEN (OLD.total IS DISTINCT FROM NEW.total OR OLD.code IN ('A', 'B')) EXECUTE FUNCTION app.touch('an argument', '1');
CREATE TRIGGER sleeping AFTER INSERT ON app.orders FOR EACH STATEMENT EXECUTE FUNCTION app.touch();
ALTER TABLE app.orders DISABLE TRIGGER sleeping;
CREATE CONSTRAINT TRIGGER watch AFTER INSERT ON app.orders DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER watch;
COMMENT ON TRIGGER touch ON app.orders IS 'Touches';
CREATE RULE no_delete AS ON DELETE TO app.orders WHERE (OLD.total > 100) DO INSTEAD NOTHING;

-- Partitions: by list and below that by range, a default one, one attached with another column order
-- and a dropped column, constraints and indexes with names of their own, a switched-off trigger.
CREATE TABLE app.events (region text NOT NULL, at date NOT NULL, customer integer REFERENCES app.customers,
  body jsonb, CONSTRAINT events_key PRIMARY KEY (region, at, customer)) PARTITION BY LIST (region);
CREATE TABLE app.events_eu PARTITION OF app.events FOR VALUES IN ('de', 'fr') PARTITION BY RANGE (at, customer);
CREATE TABLE app.events_eu_2026 PARTITION OF app.events_eu FOR VALUES FROM ('2026-01-01', MINVALUE) TO ('2027-01-01', MAXVALUE);
CREATE TABLE "Sch""ema, with stuff"."events Rest" (junk text, body jsonb, customer integer NOT NULL, at date NOT NULL, region text NOT NULL,
  CONSTRAINT "own check" CHECK (region <> ''));
ALTER TABLE "Sch""ema, with stuff"."events Rest" DROP COLUMN junk;
ALTER TABLE app.events ATTACH PARTITION "Sch""ema, with stuff"."events Rest" DEFAULT;
ALTER TABLE app.events_eu_2026 RENAME CONSTRAINT events_eu_2026_pkey TO "my own key";
ALTER TABLE "Sch""ema, with stuff"."events Rest" ADD CONSTRAINT extra UNIQUE (at, region, customer);
CREATE INDEX events_at ON app.events (at);
ALTER INDEX app.events_eu_2026_at_idx RENAME TO "renamed Index";
CREATE INDEX only_here ON ONLY app.events (customer);
CREATE TRIGGER touch_events AFTER INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.events_eu_2026 DISABLE TRIGGER touch_events;
INSERT INTO app.events SELECT CASE i % 3 WHEN 0 THEN 'de' WHEN 1 THEN 'fr' ELSE 'us' END, date '2026-01-01' + i,
  1000 + 10 * (i % 200), jsonb_build_object('i', i, 'deep', jsonb_build_array(NULL, i / 3.0)) FROM generate_series(1, 300) AS i;
-- A foreign key to partitions, and from one of them elsewhere.
CREATE TABLE app.event_notes (region text, at date, customer integer, note text,
  CONSTRAINT "to partitions" FOREIGN KEY (region, at, customer) REFERENCES app.events ON UPDATE CASCADE);
INSERT INTO app.event_notes SELECT region, at, customer, 'note' FROM app.events LIMIT 50;
ALTER TABLE app.events_eu_2026 ADD CONSTRAINT "of one only" FOREIGN KEY (customer) REFERENCES app.customers (id) NOT VALID;
COMMENT ON TABLE app.events_eu IS 'Europe';
CREATE TABLE app.hashed (id integer, v text) PARTITION BY HASH (id);
CREATE TABLE app.hashed_0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.hashed_1 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO app.hashed SELECT i, 'v' || i FROM generate_series(1, 20) AS i;

-- Inheritance with a column added late to the parent, one merged, one with another default.
CREATE TABLE app.vehicles (id serial PRIMARY KEY, wheels smallint DEFAULT 4, plate text DEFAULT 'none');
CREATE TABLE app.trucks (load numeric, plate text DEFAULT 'TRUCK') INHERITS (app.vehicles);
ALTER TABLE app.vehicles ADD COLUMN late_comer text DEFAULT 'late';
ALTER TABLE app.trucks ALTER COLUMN wheels DROP DEFAULT;
ALTER TABLE app.trucks ADD CONSTRAINT heavy CHECK (load > 1) NO INHERIT;
INSERT INTO app.vehicles (plate) VALUES ('A-1'), ('A-2');
INSERT INTO app.trucks (load, wheels) VALUES (7.5, 6), (40, 12);

-- Names with everything, in one table; a column named like a keyword; a value of every awkward kind.
CREATE TABLE "Sch""ema, with stuff"."Tä""ble; -- '%s $1 \n
second line" (
  "select" integer PRIMARY KEY, "UPPER" text, "with	tab" double precision, "quote""d ☃" bytea, "new
line" interval, "back\slash" money, "trailing " text[], "multi" int4multirange, "when" timestamp, "bits" bit varying,
  "regclass" regclass, "big" numeric, "point" point, "padded" character(5), "ranges" app.float_range[], "net" inet,
  "words" tsvector, "document" xml, "real" real);
CREATE INDEX "Ïndex ""on"" it" ON "Sch""ema, with stuff"."Tä""ble; -- '%s $1 \n
second line" ("UPPER" text_pattern_ops);
COMMENT ON COLUMN "Sch""ema, with stuff"."Tä""ble; -- '%s $1 \n
second line"."new
line" IS 'A line
and another';
INSERT INTO "Sch""ema, with stuff"."Tä""ble; -- '%s $1 \n
second line" VALUES
  (1, E'line\nbreak\ttab\\ \u2028 \x01 ☃', 'NaN', '\x00ff', '1 year 2 mons -3 days 04:05:06.789', 1234.56,
    '[0:2]={a,NULL,"b c"}', '{[1,3),[7,9)}', 'infinity', B'1011', 'app.orders', 'NaN', '(1e-30,-0)', 'ab',
    ARRAY['[1.5,2.5)', 'empty']::app.float_range[], '::1/64', 'fat:2A cat:1', '<a b="1">x</a>', 3.4028235e38),
  (2, '', '-0', '', '-1 day', -0.01, '{}', '{}', '-infinity', B'', NULL, 12345678901234567890.123456789, NULL, '     ',
    NULL, '10.0.0.1', '', NULL, 1e-45),
  (3, NULL, 1e-300, NULL, NULL, NULL, '{{1,2},{3,4}}', NULL, '4713-01-01 BC', NULL, NULL, -0.0, NULL, NULL, '{}', NULL, NULL, NULL, NULL);

-- Nothing in it, nothing to it, not logged, of a type, long names.
CREATE TABLE app.empty (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), v text NOT NULL);
CREATE TABLE app.no_columns ();
INSERT INTO app.no_columns DEFAULT VALUES;
INSERT INTO app.no_columns DEFAULT VALUES;
CREATE UNLOGGED TABLE app.scratchpad (id bigserial, v text);
INSERT INTO app.scratchpad (v) SELECT md5(i::text) FROM generate_series(1, 30) AS i;
CREATE TABLE app.addresses OF app.address (zip DEFAULT '00000');
INSERT INTO app.addresses VALUES ('Weg', '1'), ('Weg', '1');
CREATE TABLE app.abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_123456789 (v integer CHECK (v > 0));

-- Sequences: backwards, cycling, never called, set by hand, owned.
CREATE SEQUENCE app.down AS smallint INCREMENT BY -5 MINVALUE -1000 MAXVALUE 100 START WITH 100;
SELECT nextval('app.down'), nextval('app.down');
CREATE SEQUENCE app.round_and_round MINVALUE 1 MAXVALUE 3 CYCLE CACHE 1;
SELECT nextval('app.round_and_round') FROM generate_series(1, 4);
CREATE SEQUENCE app.untouched START WITH 77;
CREATE SEQUENCE app."Set By Hand";
SELECT setval('app."Set By Hand"', 9007199254740993, false);
CREATE SEQUENCE app.owned OWNED BY app.empty.v;
CREATE SEQUENCE app.ticket;
SELECT nextval('app.ticket') FROM generate_series(1, 10);

-- Views: nested, recursive, over each other, with options; materialized: fresh, stale, empty, behind an empty one.
CREATE VIEW app.known WITH (security_barrier) AS SELECT c.*, (c."home Address").zip AS zip FROM app.customers AS c
  WHERE (c.status)::text IN ('active', 'new') AND (NOT (c.orders > 5) OR c.mood = 'ok') WITH LOCAL CHECK OPTION;
CREATE VIEW app.totals (who, "how Much") AS SELECT k.email, sum(o.total) FILTER (WHERE o.code <> 'A')
  FROM app.known k JOIN app.orders o ON o.customer = k.id LEFT JOIN app.events e USING (customer)
  GROUP BY k.email HAVING count(*) > 0 ORDER BY 2 DESC;
CREATE RECURSIVE VIEW app.countdown (n) AS VALUES (3) UNION ALL SELECT n - 1 FROM countdown WHERE n > 0;
CREATE VIEW app.widths AS SELECT width_bucket(total, 0, 1000, 5) AS bucket, CASE code WHEN 'A' THEN 1 ELSE (2)::smallint END AS kind,
  extract(year FROM lower(during)) AS year, row_number() OVER (PARTITION BY customer ORDER BY id ROWS 2 PRECEDING) AS nth
  FROM app.orders WINDOW w AS (ORDER BY id);
ALTER VIEW app.totals ALTER COLUMN who SET DEFAULT 'nobody';
COMMENT ON VIEW app.totals IS 'Sums';
CREATE MATERIALIZED VIEW app.fresh AS SELECT status, count(*) AS n FROM app.customers GROUP BY status;
CREATE UNIQUE INDEX fresh_status ON app.fresh (status);
CREATE MATERIALIZED VIEW app.stale WITH (fillfactor = 90) AS SELECT max(id) AS newest FROM app.customers;
CREATE MATERIALIZED VIEW app.unpopulated AS SELECT 1 AS one WITH NO DATA;
CREATE MATERIALIZED VIEW app.base AS SELECT 1 AS one;
CREATE VIEW app.over_base AS SELECT one FROM app.base;
CREATE MATERIALIZED VIEW app.behind AS SELECT one FROM app.over_base;
REFRESH MATERIALIZED VIEW app.base WITH NO DATA;
INSERT INTO app.customers (email, orders) VALUES ('after@the.refresh', 1);

-- Row security.
CREATE TABLE app.secrets (id integer PRIMARY KEY, owner name NOT NULL DEFAULT current_user, v text);
ALTER TABLE app.secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.secrets USING (owner = current_user AND v IN ('a', 'b')) WITH CHECK (((owner)::text <> ''));
CREATE POLICY "read, by reader" ON app.secrets AS RESTRICTIVE FOR SELECT TO reader, app USING (id > 0);
COMMENT ON POLICY own ON app.secrets IS 'Only mine';
INSERT INTO app.secrets VALUES (1, 'app', 'a'), (2, 'reader', 'b'), (3, 'nobody', 'c');
ALTER TABLE app.secrets OWNER TO app;

-- Large objects: owned, granted, with a comment, and one with a hole.
SELECT lo_from_bytea(4711, convert_to(repeat('large object ', 1000), 'UTF8')), lo_create(4712), lo_from_bytea(4713, '\x00');
CREATE TABLE app.files (name text PRIMARY KEY, content oid);
INSERT INTO app.files VALUES ('a', 4711), ('empty', 4712), ('hole', 4713);
BEGIN;
SELECT lowrite(fd, 'end') FROM (SELECT lo_open(4713, 131072) AS fd) AS o WHERE lo_lseek(fd, 100000, 0) > 0;
COMMIT;
ALTER LARGE OBJECT 4711 OWNER TO app;
GRANT SELECT ON LARGE OBJECT 4712 TO reader;
COMMENT ON LARGE OBJECT 4711 IS 'A long text';

-- Grants, with an option passed on; on columns; taken from everybody; defaults, and defaults taken back.
GRANT SELECT, INSERT ON app.orders TO app WITH GRANT OPTION;
SET SESSION AUTHORIZATION app;
GRANT SELECT ON app.orders TO reader;
RESET SESSION AUTHORIZATION;
GRANT SELECT (id, email), UPDATE (mood) ON app.customers TO reader;
GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO app;
GRANT SELECT ON app.totals, app.fresh TO PUBLIC;
REVOKE ALL ON app.empty FROM postgres;
GRANT USAGE ON TYPE app.mood TO reader;
REVOKE USAGE ON TYPE app.address FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE "shop owner" IN SCHEMA app GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE app REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT USAGE ON TYPES TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE app REVOKE USAGE ON TYPES FROM reader;
ALTER DEFAULT PRIVILEGES FOR ROLE "shop owner" GRANT ALL ON SCHEMAS TO "Ünïcode ""Rôle""";

-- Foreign data: another server's rows are not ours. The password is in no fact.
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE USER MAPPING FOR app SERVER files;
CREATE FOREIGN TABLE app.passwd (line text NOT NULL DEFAULT '') SERVER files OPTIONS (filename '/etc/hostname', format 'text');
GRANT USAGE ON FOREIGN SERVER files TO app;

-- Publications; a subscription that nobody may ever create or drop on scratch.
CREATE PUBLICATION some_rows FOR TABLE app.customers (id, email) WHERE (id > 1000), TABLE app.vehicles WITH (publish = 'insert');
CREATE PUBLICATION a_schema FOR TABLES IN SCHEMA "Sch""ema, with stuff" WITH (publish_via_partition_root);
ALTER PUBLICATION a_schema OWNER TO postgres;
ALTER TABLE app.vehicles REPLICA IDENTITY FULL;
ALTER TABLE app.hashed REPLICA IDENTITY NOTHING;
CREATE SUBSCRIPTION elsewhere CONNECTION 'host=203.0.113.1 dbname=never' PUBLICATION p
  WITH (connect = false, enabled = false, slot_name = NONE);

-- A migration tool's own table.
CREATE TABLE public.flyway_schema_history (installed_rank integer PRIMARY KEY, version varchar(50), description varchar(200),
  type varchar(20), script varchar(1000), checksum integer, installed_by varchar(100), installed_on timestamp DEFAULT now(),
  execution_time integer, success boolean);
INSERT INTO public.flyway_schema_history VALUES (1, '1', 'init', 'SQL', 'V1__init.sql', 42, 'app', '2026-01-01', 5, true),
  (2, '2.10', 'add orders', 'SQL', 'V2_10__add_orders.sql', 43, 'app', '2026-01-02', 7, true);

-- Event triggers, one of them switched off; they would fire while pg_restore builds the rest, did it not come last.
CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE EVENT TRIGGER watch_tables ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION app.on_ddl();
CREATE EVENT TRIGGER watch_drops ON sql_drop EXECUTE FUNCTION app.on_ddl();
ALTER EVENT TRIGGER watch_drops DISABLE;
COMMENT ON EVENT TRIGGER watch_tables IS 'Watches';

-- An index left invalid: pg_dump leaves it out.
\set ON_ERROR_STOP off
CREATE UNIQUE INDEX CONCURRENTLY broken ON app.addresses (street);
\set ON_ERROR_STOP on

-- Settings of the database and of roles in it, which no dump holds.
SELECT format('ALTER DATABASE %I SET work_mem = %L', current_database(), '5MB'),
  format('ALTER DATABASE %I SET search_path = app, public', current_database()),
  format('ALTER DATABASE %I SET app.tenant = %L', current_database(), 'a "b" =c'),
  format('ALTER ROLE reader IN DATABASE %I SET statement_timeout = %L', current_database(), '1min'),
  format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()),
  format('GRANT CONNECT ON DATABASE %I TO app, auditor', current_database()) \gexec
