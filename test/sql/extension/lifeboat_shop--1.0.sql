CREATE TABLE @extschema@.rates (name text PRIMARY KEY, rate numeric, standard boolean DEFAULT false);
INSERT INTO @extschema@.rates VALUES ('full', 0.19, true), ('reduced', 0.07, true);
SELECT pg_catalog.pg_extension_config_dump('@extschema@.rates', 'WHERE NOT standard');

CREATE TABLE @extschema@.jobs (id serial PRIMARY KEY, command text);
SELECT pg_catalog.pg_extension_config_dump('@extschema@.jobs', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.jobs_id_seq', '');

CREATE TABLE @extschema@.fixed (n integer);
INSERT INTO @extschema@.fixed VALUES (1), (2), (3);
CREATE FUNCTION @extschema@.rate(text) RETURNS numeric LANGUAGE sql STABLE
  AS 'SELECT rate FROM @extschema@.rates WHERE name = $1';
