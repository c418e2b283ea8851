import { join } from 'node:path';
import { s3Parameters } from './bytes-in-store.ts';
import type { Fault, Injection } from './fault.ts';
import type { Dice } from './random.ts';
import { type Misdeed, type S3Operation, type S3Request, s3Proxy } from './s3-proxy.ts';
import type { Action, Site } from './site.ts';

type Decide = (one: S3Request) => Misdeed | undefined;

const slowDown: Misdeed = { do: 'answer', status: 503, code: 'SlowDown' };
const internal: Misdeed = { do: 'answer', status: 500, code: 'InternalError' };
/** An answer that begins well: S3 says 200 before it knows, and the error stands in the body. */
const late: Misdeed = { do: 'answer', status: 200, code: 'InternalError' };
const expired: Misdeed = { do: 'answer', status: 400, code: 'ExpiredToken' };

/** Requests that a backup of this database makes of a bucket, about; a drill makes some less. */
const REQUESTS: Record<Action, number> = { backup: 24, 'restore-drill': 14 };

/** The first time only, of a request that comes up in one of these turns. */
const onceIn =
  (misdeed: Misdeed, operation: S3Operation, turns: readonly number[]) =>
  (dice: Dice): Decide => {
    const turn = dice.pick(turns);
    return (one) =>
      one.operation === operation && one.ofOperation === turn && one.attempt === 1 ? misdeed : undefined;
  };
/** The same of the first turns. */
const once = (misdeed: Misdeed, operation: S3Operation, most = 1) =>
  onceIn(
    misdeed,
    operation,
    Array.from({ length: most }, (_, at) => at + 1),
  );
/** Every request, the first times that it comes. */
const firstTries = (misdeed: Misdeed, tries: number) => (): Decide => (one) =>
  one.attempt <= tries ? misdeed : undefined;
/** From one request on for ever. */
const from =
  (misdeed: Misdeed, action: Action) =>
  (dice: Dice): Decide => {
    const first = dice.between(1, REQUESTS[action]);
    return (one) => (one.number >= first ? misdeed : undefined);
  };
const always = (misdeed: Misdeed, operation: S3Operation) => (): Decide => (one) =>
  one.operation === operation ? misdeed : undefined;

interface Case {
  readonly name: string;
  readonly decide: (dice: Dice) => Decide;
  readonly expected: Fault['expected'];
  readonly says?: RegExp;
  readonly mayLeave?: boolean;
  readonly action?: Action;
}

const PARTS = 2;
/** A drill reads manifest, facts and globals; of the dump first its beginning, and gives the rest up, then all of it. */
const WHOLE_RANGES = [1, 2, 3, 8, 9, 10, 11];

const cases: readonly Case[] = [
  { name: 'a part meets a reset connection', decide: once({ do: 'reset' }, 'UploadPart', PARTS), expected: 'passes' },
  { name: 'a part meets 500', decide: once(internal, 'UploadPart', PARTS), expected: 'passes' },
  { name: 'a part stalls', decide: once({ do: 'stall' }, 'UploadPart', PARTS), expected: 'passes' },
  {
    name: 'a part arrives with a wrong byte',
    decide: once({ do: 'flip', what: 'request' }, 'UploadPart', PARTS),
    expected: 'either',
  },
  {
    name: 'a small object arrives with a wrong byte',
    decide: once({ do: 'flip', what: 'request' }, 'PutObject', 4),
    expected: 'either',
  },
  {
    name: 'a small object meets a reset connection',
    decide: once({ do: 'reset' }, 'PutObject', 4),
    expected: 'passes',
  },
  {
    name: 'the answer to a small object is lost',
    decide: once({ ...internal, forwarded: true }, 'PutObject', 4),
    expected: 'passes',
  },
  { name: 'a look meets a reset connection', decide: once({ do: 'reset' }, 'HeadObject', 4), expected: 'passes' },
  {
    name: 'completing answers 200 with an error, not done',
    decide: once(late, 'CompleteMultipartUpload'),
    expected: 'passes',
  },
  {
    name: 'completing answers 200 with an error, yet done',
    decide: once({ ...late, forwarded: true }, 'CompleteMultipartUpload'),
    expected: 'passes',
  },
  {
    name: 'completing answers 200 with an error for ever',
    decide: always(late, 'CompleteMultipartUpload'),
    expected: 'fails',
    says: /InternalError.*->.*try again later/s,
  },
  { name: 'a storm of 503 SlowDown, twice each', decide: firstTries(slowDown, 2), expected: 'passes' },
  {
    name: '503 SlowDown for ever',
    decide: from(slowDown, 'backup'),
    expected: 'fails',
    says: /(SlowDown|HTTP 503).*->.*try again later/s,
    mayLeave: true,
  },
  {
    name: '500 for ever',
    decide: from(internal, 'backup'),
    expected: 'fails',
    says: /InternalError|HTTP 500/,
    mayLeave: true,
  },
  {
    name: 'every connection is reset from then on',
    decide: from({ do: 'reset' }, 'backup'),
    expected: 'fails',
    says: /->.*(endpoint|firewall)/s,
    mayLeave: true,
  },
  {
    name: 'everything stalls from then on',
    decide: from({ do: 'stall' }, 'backup'),
    expected: 'fails',
    says: /->.*(endpoint|network)/s,
    mayLeave: true,
  },
  {
    name: 'credentials expire',
    decide: from(expired, 'backup'),
    expected: 'fails',
    says: /role-duration-seconds/,
    mayLeave: true,
  },
  {
    name: 'the store says that the clock is wrong',
    decide: from({ do: 'answer', status: 403, code: 'RequestTimeTooSkewed' }, 'backup'),
    expected: 'fails',
    says: /clock|HTTP 403/,
    mayLeave: true,
  },
  {
    name: 'a range meets a reset connection',
    decide: onceIn({ do: 'reset' }, 'GetObject', WHOLE_RANGES),
    expected: 'passes',
    action: 'restore-drill',
  },
  {
    name: 'a range is truncated',
    decide: onceIn({ do: 'truncate' }, 'GetObject', WHOLE_RANGES),
    expected: 'passes',
    action: 'restore-drill',
  },
  {
    name: 'a range stalls',
    decide: onceIn({ do: 'stall' }, 'GetObject', WHOLE_RANGES),
    expected: 'passes',
    action: 'restore-drill',
  },
  {
    name: 'a range arrives with a wrong byte',
    decide: once({ do: 'flip', what: 'answer' }, 'GetObject', 6),
    expected: 'either',
    action: 'restore-drill',
  },
  {
    name: 'a storm of 503 SlowDown, twice each',
    decide: firstTries(slowDown, 2),
    expected: 'passes',
    action: 'restore-drill',
  },
  {
    name: 'ranges are truncated for ever',
    decide: always({ do: 'truncate' }, 'GetObject'),
    expected: 'fails',
    says: /->/,
    action: 'restore-drill',
  },
  {
    name: 'everything stalls from then on',
    decide: from({ do: 'stall' }, 'restore-drill'),
    expected: 'fails',
    says: /->/,
    mayLeave: true,
    action: 'restore-drill',
  },
  {
    name: 'credentials expire',
    decide: from(expired, 'restore-drill'),
    expected: 'fails',
    says: /role-duration-seconds/,
    mayLeave: true,
    action: 'restore-drill',
  },
];

export const s3Faults: readonly Fault[] = [
  ...cases.map(
    ({ decide, action = 'backup', ...rest }): Fault => ({
      ...rest,
      ...(rest.expected === 'passes' && { counts: 'store-retries' }),
      ...{ group: 'S3', action, store: 's3', moments: 1 },
      inject: (site, dice) => behindProxy(site, decide(dice)),
    }),
  ),
  {
    ...{ group: 'S3', name: "the runner's clock is 20 minutes ahead", action: 'backup', store: 's3', moments: 1 },
    expected: 'fails',
    says: /clock/,
    inject: async () => ({ changed: { preload: join(import.meta.dirname, 'skewed-clock.ts') }, hit: () => true }),
  },
];

async function behindProxy({ s3Endpoint = '', store }: Site, decide: Decide): Promise<Injection> {
  const proxy = await s3Proxy(s3Endpoint, decide);
  const url = `${store.url.replace(/\?.*$/, '')}?${s3Parameters(proxy.endpoint)}`;
  return { changed: { store: url }, hit: () => proxy.done() > 0, mend: proxy.close };
}
