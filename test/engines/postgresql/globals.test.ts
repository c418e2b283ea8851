import { expect, it } from 'vitest';
import { planGlobals, rolesIn, splitStatements } from '../../../src/engines/postgresql/globals.ts';

it.each([
  {
    what: 'comments',
    text: '-- a; b\nCREATE ROLE a;\n--\n\nCREATE ROLE b;',
    statements: ['CREATE ROLE a', 'CREATE ROLE b'],
  },
  {
    what: 'quotes',
    text: `CREATE ROLE "a;""b";COMMENT ON ROLE x IS 'it''s; --no';`,
    statements: [`CREATE ROLE "a;""b"`, `COMMENT ON ROLE x IS 'it''s; --no'`],
  },
  {
    what: 'escape strings',
    text: `COMMENT ON ROLE x IS E'a\\\\b\\';c';`,
    statements: [`COMMENT ON ROLE x IS E'a\\\\b'';c'`],
  },
  { what: 'a last one without an end', text: 'CREATE ROLE a', statements: ['CREATE ROLE a'] },
  { what: 'nothing', text: ' ;; \n', statements: [] },
])('splits statements with $what', ({ text, statements }) => {
  expect(splitStatements(text)).toEqual(statements);
});

it.each(['\\! touch /tmp/x', '\\restrict abc', '\\connect other'])('never lets %j reach psql', (line) => {
  expect(splitStatements(`CREATE ROLE a;\n${line}\nCREATE ROLE b;\n${line}\n`)).toEqual([
    'CREATE ROLE a',
    'CREATE ROLE b',
  ]);
});

it('leaves out the bootstrap role, tablespaces, and whatever is not about roles', () => {
  const text = `SET client_encoding = 'UTF8';
    CREATE ROLE "the boss"; ALTER ROLE "the boss" WITH SUPERUSER; CREATE ROLE shop;
    CREATE TABLESPACE fast OWNER shop LOCATION '/fast'; GRANT ALL ON TABLESPACE fast TO shop;
    ALTER TABLESPACE fast SET (seq_page_cost=1); COMMENT ON TABLESPACE fast IS 'x';
    GRANT "the boss" TO shop; DROP TABLE x; GRANT SET ON PARAMETER work_mem TO shop;`;
  const plan = planGlobals(text, 'the boss');
  expect(plan.run.map(({ sql }) => sql)).toEqual([
    `SET client_encoding = 'UTF8'`,
    'ALTER ROLE "the boss" WITH SUPERUSER',
    'CREATE ROLE shop',
    'GRANT "the boss" TO shop',
    'GRANT SET ON PARAMETER work_mem TO shop',
  ]);
  expect(plan.leftOut).toHaveLength(5);
});

it('knows the roles that a text creates', () => {
  expect(rolesIn('CREATE ROLE a; CREATE ROLE "B ""c"""; ALTER ROLE a WITH LOGIN;')).toEqual(['a', 'B "c"']);
});
