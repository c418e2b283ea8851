-- Part of the schema that is hard on tools where the extension lifeboat_shop can be installed: rows that
-- users put into an extension's configuration tables are dumped, those it brought itself are not.
CREATE SCHEMA shop;
CREATE EXTENSION lifeboat_shop SCHEMA shop;
INSERT INTO shop.rates VALUES ('island', 0.03, false);
INSERT INTO shop.jobs (command) SELECT 'job ' || i FROM generate_series(1, 5) AS i;
INSERT INTO shop.fixed VALUES (4);
CREATE TABLE shop.priced (name text REFERENCES shop.rates, price numeric);
INSERT INTO shop.priced VALUES ('full', 1), ('island', 2);
