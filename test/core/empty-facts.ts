import type { Facts } from '../../src/core/facts.ts';

/** Facts of a database with nothing in it, to be filled where a test looks. */
export const emptyFacts: Facts = {
  format: 1,
  engine: 'postgresql',
  level: 'counts',
  tables: [],
  materializedViews: [],
  sequences: [],
  schema: [],
  extensions: [],
  roles: [],
  largeObjects: { count: 0, bytes: 0 },
  settings: [],
  migration: null,
};
