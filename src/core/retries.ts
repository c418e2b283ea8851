import { counted } from './counted.ts';
import type { Engine, Store, World } from './ports.ts';
import { type Finding, finding } from './report.ts';

/** What was tried again in one run: what keeps happening and is overcome every time is a warning to whoever reads it. */
export class Retries {
  readonly #stores: Store[] = [];
  readonly #engines: Engine[] = [];

  /** The same world; what is opened through it is asked by `findings`. */
  watch(world: World): World {
    const remember =
      <T, A>(list: T[], open: (given: A) => Promise<T>) =>
      async (given: A): Promise<T> => {
        const opened = await open(given);
        list.push(opened);
        return opened;
      };
    return {
      ...world,
      openStore: remember(this.#stores, world.openStore),
      openEngine: remember(this.#engines, world.openEngine),
    };
  }

  /** One for each store, and one for the source, that was asked more than once; none where all went well. */
  findings(): Finding[] {
    const places = Map.groupBy(this.#stores, ({ location }) => location);
    const stores = [...places].map(([subject, stores]) => {
      const retries = sum(stores);
      const message = `${counted(retries, 'request')} to ${subject} met a passing error and ${retries === 1 ? 'was' : 'were'} sent again.`;
      return finding('store-retries', 'pass', message, { subject, numbers: { retries } });
    });
    const retries = sum(this.#engines);
    const message = `Connecting to PostgreSQL met ${counted(retries, 'passing error')} and was tried again.`;
    const all = [...stores, finding('source-retries', 'pass', message, { numbers: { retries } })];
    return all.filter(({ numbers }) => numbers?.retries !== 0);
  }
}

function sum(counting: readonly { retries(): number }[]): number {
  return counting.reduce((total, one) => total + one.retries(), 0);
}
