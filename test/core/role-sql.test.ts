import { expect, it } from 'vitest';
import { roleSql, scramVerifier, urlForRole } from '../../src/core/role-sql.ts';

it('makes of a password what PostgreSQL makes of it', () => {
  // By `SELECT rolpassword FROM pg_authid` of a role whose password is "pencil", with this salt.
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  expect(scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

it.each([
  ['postgresql://admin:secret@db:5432/orders?sslmode=require', 'postgresql://l%40b:pw@db:5432/orders?sslmode=require'],
  ['postgres://db/orders', 'postgres://l%40b:pw@db/orders'],
  ['postgresql://admin@/orders?host=/run', 'postgresql://l%40b:pw@/orders?host=/run'],
  ['postgresql://a,b:5433/orders', 'postgresql://l%40b:pw@a,b:5433/orders'],
])('puts another user into %s', (url, other) => {
  expect(urlForRole(url, 'l@b', 'pw')).toBe(other);
});

it('quotes a role in each of the ways SQL needs', () => {
  const sql = roleSql(`o"d'd%`);
  expect(sql).toContain(`CREATE ROLE "o""d'd%" LOGIN;`);
  expect(sql).toContain(`rolname = 'o"d''d%'`);
  expect(sql).toContain(`format('GRANT CONNECT ON DATABASE %I TO "o""d''d%%"', current_database())`);
  expect(sql).not.toContain('PASSWORD');
});
