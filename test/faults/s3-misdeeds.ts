import { type StoreFiles, s3Parameters } from './bytes-in-store.ts';
import type { Fault, Injection } from './fault.ts';
import type { Dice } from './random.ts';
import { type Misdeed, type S3Operation, type S3Proxy, type S3Request, s3Proxy } from './s3-proxy.ts';
import type { Action, Site } from './site.ts';

type Answer = Extract<Misdeed, { do: 'answer' }>;
export type Decide = (one: S3Request) => Misdeed | undefined;

export const slowDown: Answer = { do: 'answer', status: 503, code: 'SlowDown' };
export const internal: Answer = { do: 'answer', status: 500, code: 'InternalError' };
/** An answer that begins well: S3 says 200 before it knows, and the error stands in the body. */
export const late: Answer = { do: 'answer', status: 200, code: 'InternalError' };
export const skewed: Answer = { do: 'answer', status: 403, code: 'RequestTimeTooSkewed' };
export const expired: Answer = { do: 'answer', status: 400, code: 'ExpiredToken' };

/** Requests that an action makes of a bucket here, about. */
export const REQUESTS: Record<Action, number> = { backup: 24, 'restore-drill': 14, 'verify-freshness': 20, prune: 15 };

/** The first time only, of a request that comes up in one of these turns. */
export const onceIn =
  (misdeed: Misdeed, operation: S3Operation, turns: readonly number[]) =>
  (dice: Dice): Decide => {
    const turn = dice.pick(turns);
    return (one) => (one.operation === operation && one.ofOperation === turn ? misdeed : undefined);
  };
/** The same of the first turns. */
export const once = (misdeed: Misdeed, operation: S3Operation, most = 1) =>
  onceIn(
    misdeed,
    operation,
    Array.from({ length: most }, (_, at) => at + 1),
  );
/** Every request, the first times that it comes. */
export const firstTries = (misdeed: Misdeed, tries: number) => (): Decide => (one) =>
  one.attempt <= tries ? misdeed : undefined;
/** From one request on for ever. */
export const from =
  (misdeed: Misdeed, action: Action) =>
  (dice: Dice): Decide => {
    const first = dice.between(1, REQUESTS[action]);
    return (one) => (one.number >= first ? misdeed : undefined);
  };
export const always = (misdeed: Misdeed, operation: S3Operation) => (): Decide => (one) =>
  one.operation === operation ? misdeed : undefined;

/** What an action meets that speaks to a bucket through a proxy. */
export interface Case {
  readonly name: string;
  readonly decide: (dice: Dice) => Decide;
  readonly expected: Fault['expected'];
  readonly says?: RegExp;
  readonly mayLeave?: boolean;
  readonly mayDisprove?: boolean;
  readonly action: Action;
  readonly moments?: number;
}

export function faultOf({ decide, ...rest }: Case): Fault {
  return {
    ...rest,
    ...(rest.expected === 'passes' && { counts: 'store-retries' }),
    ...{ group: 'S3', store: 's3' },
    moments: rest.moments ?? 1,
    inject: (site, dice) => behindProxy(site, decide(dice)),
  };
}

export async function behindProxy({ s3Endpoint = '', store }: Site, decide: Decide): Promise<Injection> {
  const proxy = await s3Proxy(s3Endpoint, decide);
  return { changed: { store: proxied(store, proxy) }, hit: () => proxy.done() > 0, mend: proxy.close };
}

/** The URL of a store behind the proxy. */
export function proxied({ url }: Pick<StoreFiles, 'url'>, { endpoint }: Pick<S3Proxy, 'endpoint'>): string {
  return `${url.replace(/\?.*$/, '')}?${s3Parameters(endpoint)}`;
}
