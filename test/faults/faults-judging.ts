import type { Fault } from './fault.ts';
import { kill } from './processes.ts';
import {
  always,
  type Case,
  expired,
  faultOf,
  firstTries,
  from,
  internal,
  once,
  proxied,
  REQUESTS,
  slowDown,
} from './s3-misdeeds.ts';
import { s3Proxy } from './s3-proxy.ts';
import type { Site } from './site.ts';

const ACTIONS = ['verify-freshness', 'prune'] as const;
const BUSY = /->.*try again later/s;
const NETWORK = /->.*(endpoint|network|firewall)/s;

const cases = ACTIONS.flatMap((action): Case[] => [
  { action, name: 'every connection is reset, twice each', decide: firstTries({ do: 'reset' }, 2), expected: 'passes' },
  { action, name: '500, twice each', decide: firstTries(internal, 2), expected: 'passes' },
  { action, name: 'a storm of 503 SlowDown, twice each', decide: firstTries(slowDown, 2), expected: 'passes' },
  { action, name: 'a list is truncated', decide: once({ do: 'truncate' }, 'ListObjects'), expected: 'passes' },
  {
    action,
    name: 'a list stalls half way',
    decide: once({ do: 'stall', after: 'half' }, 'ListObjects'),
    expected: 'passes',
  },
  {
    ...{ action, name: 'lists are truncated for ever', decide: always({ do: 'truncate' }, 'ListObjects') },
    ...{ expected: 'fails', says: /->/ },
  },
  ...lasting(action),
]);

/** From a request on for ever: what a prune has removed by then is gone, and the rest stays a backup or becomes none. */
function lasting(action: (typeof ACTIONS)[number]): Case[] {
  const given = { action, expected: 'fails', mayLeave: true, moments: action === 'prune' ? 4 : 1 } as const;
  return [
    { ...given, name: 'every connection is reset from then on', decide: from({ do: 'reset' }, action), says: NETWORK },
    { ...given, name: '500 for ever', decide: from(internal, action), says: BUSY },
    { ...given, name: '503 SlowDown for ever', decide: from(slowDown, action), says: BUSY },
    { ...given, name: 'credentials expire', decide: from(expired, action), says: /role-duration-seconds/ },
    {
      ...given,
      name: 'everything stalls from then on',
      decide: from({ do: 'stall' }, action),
      says: NETWORK,
      moments: 1,
    },
  ];
}

const lostAnswer: Case = {
  action: 'prune',
  name: 'the answer to a deletion is lost',
  decide: once({ ...internal, forwarded: true }, 'DeleteObjects', 2),
  expected: 'passes',
};

/** Where the order of the two decides whether what is left is a backup that is none. */
const betweenDeletions: Case = {
  action: 'prune',
  name: 'credentials expire between two deletions',
  decide: () => (one) => (one.operation === 'DeleteObjects' && one.ofOperation >= 2 ? expired : undefined),
  expected: 'fails',
  says: /2 backups are half removed: no backup any more.*->.*role-duration-seconds/s,
  mayLeave: true,
};

/** By then it knows what is there; what comes after are the plan, the last look and the deletions. */
const FIRST_LOOKED = 4;

const kills = (['SIGKILL', 'SIGTERM'] as const).map(
  (signal): Fault => ({
    ...{
      group: 'Kill',
      name: `${signal} of a prune at one of its requests`,
      action: 'prune',
      store: 's3',
      moments: 10,
    },
    ...{ expected: 'either', says: /cancelled/, mayLeave: true },
    inject: (site, dice) => killAt(site, signal, dice.between(FIRST_LOOKED, REQUESTS.prune)),
  }),
);

async function killAt({ s3Endpoint = '', store }: Site, signal: NodeJS.Signals, number: number) {
  let pid = 0;
  let hit = false;
  const proxy = await s3Proxy(s3Endpoint, (one) => {
    if (one.number === number) hit = kill(pid, signal);
    return undefined;
  });
  return {
    changed: { store: proxied(store, proxy) },
    hit: () => hit,
    during: async (run: { pid: number }) => {
      pid = run.pid;
    },
    mend: proxy.close,
  };
}

export const judgingFaults: readonly Fault[] = [
  ...cases.map(faultOf),
  faultOf(lostAnswer),
  faultOf(betweenDeletions),
  ...kills,
];
