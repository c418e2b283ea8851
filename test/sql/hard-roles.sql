-- Roles of the schema that is hard on tools. Cluster-wide: pg_dumpall --globals-only carries them.
CREATE ROLE "shop owner" LOGIN CREATEDB;
CREATE ROLE app LOGIN CONNECTION LIMIT 7 VALID UNTIL '2099-01-01 00:00:00+00';
CREATE ROLE reader NOLOGIN NOINHERIT;
CREATE ROLE "Ünïcode ""Rôle""" NOLOGIN BYPASSRLS;
CREATE ROLE auditor LOGIN;

GRANT reader TO app WITH ADMIN OPTION;
GRANT app TO "shop owner";
GRANT pg_read_all_data TO auditor;

-- What hits every session of the role: a restore that runs as one of them must not care.
ALTER ROLE app SET search_path = 'app', 'public';
ALTER ROLE app SET statement_timeout = '30s';
ALTER ROLE auditor SET default_transaction_read_only = on;
COMMENT ON ROLE reader IS 'May look';
