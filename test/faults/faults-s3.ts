import { join } from 'node:path';
import type { Fault } from './fault.ts';
import {
  always,
  type Case,
  expired,
  faultOf,
  firstTries,
  from,
  internal,
  late,
  once,
  onceIn,
  skewed,
  slowDown,
} from './s3-misdeeds.ts';

const PARTS = 2;
/** A drill reads manifest, facts and globals; of the dump first its beginning, and gives the rest up, then all of it. */
const WHOLE_RANGES = [1, 2, 3, 8, 9, 10, 11];

const cases: readonly (Omit<Case, 'action'> & Partial<Case>)[] = [
  { name: 'a part meets a reset connection', decide: once({ do: 'reset' }, 'UploadPart', PARTS), expected: 'passes' },
  { name: 'a part meets 500', decide: once(internal, 'UploadPart', PARTS), expected: 'passes' },
  { name: 'a part stalls', decide: once({ do: 'stall' }, 'UploadPart', PARTS), expected: 'passes' },
  {
    name: 'a part stalls half way',
    decide: once({ do: 'stall', after: 'half' }, 'UploadPart', PARTS),
    expected: 'passes',
  },
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
    decide: from(skewed, 'backup'),
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
    name: 'a range stalls half way',
    decide: onceIn({ do: 'stall', after: 'half' }, 'GetObject', WHOLE_RANGES),
    expected: 'passes',
    action: 'restore-drill',
  },
  {
    name: 'ranges stall half way for ever',
    decide: always({ do: 'stall', after: 'half' }, 'GetObject'),
    expected: 'fails',
    says: /->/,
    action: 'restore-drill',
  },
  {
    name: 'a list meets a reset connection',
    decide: once({ do: 'reset' }, 'ListObjects'),
    expected: 'passes',
    action: 'restore-drill',
  },
  {
    name: 'a look meets a reset connection',
    decide: once({ do: 'reset' }, 'HeadObject', 6),
    expected: 'passes',
    action: 'restore-drill',
  },
  {
    name: 'the record meets 500',
    decide: once(internal, 'PutObject'),
    expected: 'passes',
    action: 'restore-drill',
  },
  {
    name: 'the answer to the record is lost',
    decide: once({ ...internal, forwarded: true }, 'PutObject'),
    expected: 'passes',
    action: 'restore-drill',
  },
  {
    name: 'the store says that the clock is wrong',
    decide: from(skewed, 'restore-drill'),
    expected: 'fails',
    says: /clock|HTTP 403/,
    mayLeave: true,
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
    name: 'every range of the dump arrives with a wrong byte',
    decide: () => (one) =>
      one.operation === 'GetObject' && one.key.endsWith('/database.dump.zst')
        ? { do: 'flip', what: 'answer' }
        : undefined,
    ...{ expected: 'fails', mayDisprove: true },
    says: /->/,
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
  ...cases.map((one) => faultOf({ action: 'backup', ...one })),
  {
    ...{ group: 'S3', name: "the runner's clock is 20 minutes ahead", action: 'backup', store: 's3', moments: 1 },
    expected: 'fails',
    says: /clock/,
    inject: async () => ({ changed: { preload: join(import.meta.dirname, 'skewed-clock.ts') }, hit: () => true }),
  },
];
