import { describe, expect, it } from 'vitest';
import { describeFolder } from '../../src/core/catalog.ts';
import { Failure } from '../../src/core/failure.ts';
import { judgeLifecycle, type LifecycleMatters, readLifecycle } from '../../src/core/lifecycle-judgement.ts';
import type { LifecycleRule } from '../../src/core/ports.ts';
import type { RetentionPolicy } from '../../src/core/retention.ts';
import { memoryStore } from '../../src/stores/memory.ts';

const now = new Date('2026-11-21T12:00:00Z');
const none = { isNarrowed: false, expires: undefined, archives: undefined, abortsUploadsAfterDays: undefined };
const aborts: LifecycleRule = { ...none, name: 'parts', prefix: '', abortsUploadsAfterDays: 7 };
const expires = (afterDays: number, prefix = ''): LifecycleRule => ({
  ...none,
  name: 'old',
  prefix,
  expires: { afterDays },
});

function backup(takenAt: string, pin?: string) {
  const id = `${takenAt.replaceAll('-', '')}T030000Z-3f9a1c`;
  const names = ['manifest.json', 'database.dump.zst', ...(pin === undefined ? [] : [`pin-${pin}.json`])];
  const objects = names.map((name) => ({ key: `orders/${id}/${name}`, bytes: 1, modifiedAt: now }));
  return describeFolder('orders', id, objects);
}

function judged(rules: LifecycleRule[], given: Partial<LifecycleMatters> = {}) {
  const matters: LifecycleMatters = { holdings: [], policy: undefined, now, ifUnknown: 'pass', ...given };
  const findings = judgeLifecycle('s3://bucket', { rules }, matters);
  return findings.map(({ status, message }) => `${status}: ${message}`);
}

const policy = (rest: Omit<RetentionPolicy, 'timeZone'>): RetentionPolicy => ({ timeZone: 'UTC', ...rest });

it('is content with a rule that tidies, and with one for noncurrent versions', () => {
  const noncurrent: LifecycleRule = { ...none, name: 'versions', prefix: '' };
  expect(judged([aborts, noncurrent])).toEqual(['pass: No lifecycle rule of the bucket removes or archives backups.']);
});

it('wishes for the rule that tidies', () => {
  expect(judged([])).toHaveLength(2);
  expect(judged([], { ifUnknown: 'warn' })[1]).toMatch(/^warn: No lifecycle rule removes the parts/);
});

it('warns of a rule that expires backups, even if nothing is that old yet', () => {
  const holdings = [{ source: 'orders', backups: [backup('2026-11-20')] }];
  expect(judged([aborts, expires(30)], { holdings })).toEqual([
    'warn: The lifecycle rule old removes objects after 30 days, whether they are the newest, pinned or proven.',
  ]);
});

describe('a rule that takes what is to be kept', () => {
  it.each([
    [{ counts: { monthly: 12 } }, 'keep-monthly 12 keeps backups for 372 days'],
    [{ counts: { daily: Number.POSITIVE_INFINITY } }, 'keep-daily all keeps backups for ever'],
    [{ withinPeriod: { weekly: { years: 1, months: 0, days: 0, hours: 0 } } }, 'for 366 days'],
  ])('by the keep rules %j', (rest, reason) => {
    const [only, ...others] = judged([aborts, expires(30)], { policy: policy(rest) });
    expect(others).toEqual([]);
    expect(only).toMatch(/^fail: /);
    expect(only).toContain(reason);
  });

  it('not where the keep rules keep for a shorter time', () => {
    expect(judged([aborts, expires(30)], { policy: policy({ counts: { daily: 7, weekly: 4 } }) })[0]).toMatch(/^warn/);
  });

  it('by the age of a backup, in the folder of the rule alone', () => {
    const holdings = [{ source: 'orders', backups: [backup('2026-10-01')] }];
    expect(judged([aborts, expires(30)], { holdings })[0]).toContain('which is 51 days old');
    expect(judged([aborts, expires(30, 'orders/')], { holdings })[0]).toMatch(/^fail/);
    expect(judged([aborts, expires(30, 'orders-wallets/')], { holdings })[0]).toMatch(/^warn/);
  });

  it.each([
    ['forever', 'fail'],
    ['20270301T000000Z', 'fail'],
    ['20261125T000000Z', 'warn'],
  ])('by a pin until %s', (pin, status) => {
    const holdings = [{ source: 'orders', backups: [backup('2026-11-20', pin)] }];
    expect(judged([aborts, expires(30)], { holdings })[0]).toMatch(new RegExp(`^${status}`));
  });

  it('on a certain day, whatever there is', () => {
    const rule: LifecycleRule = { ...none, name: 'end', prefix: '', expires: { on: new Date('2027-01-01T00:00:00Z') } };
    expect(judged([aborts, rule])[0]).toMatch(/^fail: The lifecycle rule end removes objects on 2027-01-01, and /);
  });

  it('by moving it where it cannot be read', () => {
    const archives = { afterDays: 7, storageClass: 'DEEP_ARCHIVE' };
    const found = judged([aborts, { ...none, name: 'cold', prefix: '', archives }], {
      policy: policy({ counts: { daily: 14 } }),
    });
    expect(found[0]).toContain('moves to DEEP_ARCHIVE, where nothing can be read at once, objects after 7 days');
    expect(found[0]).toMatch(/^fail/);
  });
});

it('says that rules could not be read, and fails nobody for it', async () => {
  const store = memoryStore();
  store.setLifecycle(new Failure('store-denied', 's3:GetLifecycleConfiguration failed: AccessDenied'));
  const matters: LifecycleMatters = { holdings: [], policy: undefined, now, ifUnknown: 'pass' };
  const [only, ...others] = judgeLifecycle(store.location, await readLifecycle(store), matters);
  expect(others).toEqual([]);
  expect(only).toMatchObject({ rule: 'lifecycle', status: 'pass', hint: expect.stringContaining('Allow') });
  expect(judgeLifecycle(store.location, await readLifecycle(memoryStore()), matters)).toEqual([]);
});
