import type { Fault } from './fault.ts';
import { CROWDED, type Refusal, refusingProxy, STARTING } from './refusing-proxy.ts';

/** What a server says for a while, and what lasts longer than anybody waits. */
const refusals: readonly [string, Refusal][] = [
  ['is starting up', STARTING],
  ['has no connection left', CROWDED],
  ['resets connections', 'reset'],
];

export const connectingFaults: readonly Fault[] = refusals.flatMap(([what, refusal]) => [
  connecting(`the server ${what}, twice`, refusal, 2, { expected: 'passes', counts: 'source-retries' }),
  connecting(`the server ${what} for ever`, refusal, Number.POSITIVE_INFINITY, {
    expected: 'fails',
    says: /->.*(server runs|max_connections)/s,
  }),
]);

function connecting(
  name: string,
  refusal: Refusal,
  times: number,
  judged: Pick<Fault, 'expected' | 'counts' | 'says'>,
): Fault {
  return {
    ...{ group: 'PostgreSQL', name, action: 'backup', store: 'file', moments: 1 },
    ...judged,
    inject: async ({ server, databaseUrl }) => {
      const proxy = await refusingProxy(server.port, times, refusal);
      return {
        changed: { databaseUrl: databaseUrl.replace(`:${server.port}/`, `:${proxy.port}/`) },
        hit: () => proxy.refused() > 0,
        mend: proxy.close,
      };
    },
  };
}
