import type { SequenceFact } from '../../core/facts.ts';
import { identifier } from './session.ts';
import type { Attempt, DamageKind, TamperedDatabase } from './tamper.ts';

const NOTHING = { schema: false, tables: new Set<string>(), largeObjects: false };

/** What is neither a definition nor a row. */
export const databaseDamages: readonly DamageKind[] = [
  {
    damage: 'a sequence set back',
    attempts: setBack,
    none: { notDone: 'none-there', why: 'the backup holds no sequence' },
  },
  {
    damage: 'a lost setting of the database',
    attempts: resetSetting,
    none: { notDone: 'none-there', why: 'the database has no setting of its own' },
  },
  {
    damage: 'a lost large object (facts hold their number and bytes)',
    attempts: unlinkLargeObject,
    none: { notDone: 'none-there', why: 'the backup holds no large object' },
  },
];

/** To where it stood before the first reading: one that was called gives a value for the second time. */
async function setBack({ expected }: TamperedDatabase): Promise<Attempt[]> {
  // One that moved during the dump, or started over, may rightly stand in several places: it comes last.
  const isCertain = ({ before, after, cycle }: SequenceFact) => !cycle && before.value === after.value;
  const byCertainty = expected.sequences.toSorted((a, b) => Number(isCertain(b)) - Number(isCertain(a)));
  return byCertainty.map(({ name, before, increment }) => {
    const value = before.isCalled ? before.value : String(BigInt(before.value) - BigInt(increment));
    return {
      target: name,
      sql: `ALTER SEQUENCE ${name} RESTART WITH ${value}`,
      expect: [{ rule: 'facts-sequences', names: `sequence ${name}` }],
      reread: NOTHING,
    };
  });
}

async function resetSetting({ session, known }: TamperedDatabase): Promise<Attempt[]> {
  if (known.settings.length === 0) return [];
  const { name } = await session.one<{ name: string }>('SELECT current_database() AS name');
  return known.settings.map(({ role, setting }) => {
    const variable = setting.slice(0, setting.indexOf('='));
    const whose =
      role === null ? `DATABASE ${identifier(name)}` : `ROLE ${identifier(role)} IN DATABASE ${identifier(name)}`;
    const target = `${variable}${role === null ? '' : ` of role ${role}`}`;
    return {
      target,
      sql: `ALTER ${whose} RESET ${identifier(variable)}`,
      expect: [{ rule: 'facts-settings', names: `setting ${target}` }],
      reread: NOTHING,
    };
  });
}

async function unlinkLargeObject({ session, known }: TamperedDatabase): Promise<Attempt[]> {
  if (known.largeObjects === null || known.largeObjects.count === 0) return [];
  const [first] = await session.query<{ oid: number }>(
    'SELECT oid::int8 AS oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid LIMIT 1',
  );
  if (first === undefined) return [];
  const expect = [{ rule: 'facts-large-objects', names: 'large objects' }] as const;
  const reread = { ...NOTHING, largeObjects: true };
  return [{ target: String(first.oid), sql: `SELECT lo_unlink(${first.oid})`, expect, reread }];
}
