-- A small shop: enough of everything that a restore can lose.
CREATE ROLE shop_app LOGIN;
CREATE ROLE shop_reports LOGIN;
CREATE DATABASE shop;
\connect shop
CREATE TYPE order_state AS ENUM ('new', 'paid', 'shipped', 'returned');
CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL UNIQUE,
  joined date NOT NULL
);
CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, price numeric(10, 2) NOT NULL CHECK (price > 0));
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY,
  customer bigint NOT NULL REFERENCES customers,
  state order_state NOT NULL DEFAULT 'new',
  placed timestamptz NOT NULL,
  PRIMARY KEY (id, placed)
) PARTITION BY RANGE (placed);
CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE order_items (order_id bigint NOT NULL, product int NOT NULL REFERENCES products, amount int NOT NULL);
CREATE INDEX order_items_by_order ON order_items (order_id);
CREATE VIEW revenue AS
  SELECT p.name, sum(i.amount * p.price) AS total FROM order_items i JOIN products p ON p.id = i.product GROUP BY p.name;
GRANT SELECT, INSERT, UPDATE ON customers, orders, order_items TO shop_app;
GRANT SELECT ON revenue TO shop_reports;
ALTER DATABASE shop SET work_mem = '16MB';

INSERT INTO customers (email, joined)
  SELECT format('customer%s@example.com', g), date '2025-01-01' + g % 600 FROM generate_series(1, 20000) g;
INSERT INTO products SELECT g, 'Product ' || g, 1 + g % 97 FROM generate_series(1, 200) g;
INSERT INTO orders (customer, state, placed)
  SELECT 1 + g % 20000, (enum_range(NULL::order_state))[1 + g % 4], timestamptz '2025-01-01 00:00Z' + g * interval '8 minutes'
  FROM generate_series(1, 120000) g;
INSERT INTO order_items SELECT 1 + g % 120000, 1 + g % 200, 1 + g % 5 FROM generate_series(1, 250000) g;
