/** When somebody needs a command. */
export const occasions = {
  daily: 'Day by day',
  disaster: 'In a disaster, in this order',
  setup: 'Set up',
} as const;

export type Occasion = keyof typeof occasions;

export interface CommandHelp {
  readonly occasion: Occasion;
  /** What stands beside its name in the list of commands. */
  readonly summary: string;
  /** Lines that can be typed, without `lifeboat` and the name. */
  readonly examples: readonly string[];
}

const STORE = '--store file:///srv/backups';
const ID = '20261121T031500Z-3f9a1c';

/** In the order in which they are shown. */
export const commandHelp: Readonly<Record<string, CommandHelp>> = {
  backup: {
    occasion: 'daily',
    summary: 'take a backup, with the facts to compare it by',
    examples: [
      `--source orders --database-url-file /etc/lifeboat/orders.url ${STORE}`,
      `--source orders ${STORE} --store 's3://acme-backups/prod?region=eu-central-1'`,
    ],
  },
  'restore-drill': {
    occasion: 'daily',
    summary: 'restore a backup into a throwaway server, and prove it',
    examples: [`--source orders ${STORE}`, `--source orders --backup ${ID} ${STORE} --max-duration 30m`],
  },
  'verify-freshness': {
    occasion: 'daily',
    summary: 'judge age, size, copies and drills of what the stores hold',
    examples: [STORE, `--source orders ${STORE} --max-age 26h --read-data newest`],
  },
  status: {
    occasion: 'daily',
    summary: 'every source at a glance, as text or as a page',
    examples: [STORE, `${STORE} --html /var/www/backups/index.html`],
  },
  prune: {
    occasion: 'daily',
    summary: 'remove what no keep rule wants',
    examples: [`--source orders ${STORE} --keep-daily 7 --keep-weekly 4 --dry-run`],
  },
  pin: {
    occasion: 'daily',
    summary: 'keep one backup whatever the rules say',
    examples: [
      `${ID} --reason 'before the move to 17' ${STORE}`,
      `latest --source orders --reason 'before the move' --for 8w ${STORE}`,
    ],
  },
  unpin: {
    occasion: 'daily',
    summary: 'let go of it again',
    examples: [`${ID} ${STORE}`],
  },
  list: {
    occasion: 'disaster',
    summary: 'what there is to restore: age, size, proof, needs',
    examples: [
      STORE,
      `--source orders ${STORE} --limit all`,
      `--deleted --store 's3://acme-backups/prod?region=eu-central-1'`,
      `--as-of 2026-11-21T03:00:00Z --store 's3://acme-backups/prod?region=eu-central-1'`,
    ],
  },
  show: {
    occasion: 'disaster',
    summary: 'one backup: copies, contents, drills, how to restore it',
    examples: [`${ID} ${STORE}`, `latest --source orders ${STORE} --age-identity-file /etc/lifeboat/age.key`],
  },
  undelete: {
    occasion: 'disaster',
    summary: 'bring back what was deleted or written over (buckets with versions)',
    examples: [
      `${ID} --store 's3://acme-backups/prod?region=eu-central-1' --dry-run`,
      `${ID} --store 's3://acme-backups/prod?region=eu-central-1'`,
    ],
  },
  copy: {
    occasion: 'disaster',
    summary: 'bring a copy into another store',
    examples: [
      `${ID} --from file:///srv/backups --to 's3://acme-backups/prod?region=eu-central-1'`,
      `--source orders --all-missing --from file:///srv/backups --to 's3://acme-backups/prod?region=eu-central-1'`,
    ],
  },
  restore: {
    occasion: 'disaster',
    summary: 'restore a backup, under guards',
    examples: [
      `--source orders ${STORE} --target-url-file /etc/lifeboat/target.url --dry-run`,
      `--source orders ${STORE} --target-url-file /etc/lifeboat/target.url --swap --confirm orders`,
      `--source orders ${STORE} --target-url-file /etc/lifeboat/target.url --tables public.users --into-schema rescued --confirm orders`,
    ],
  },
  init: {
    occasion: 'setup',
    summary: 'write workflows, roles, policies and keys',
    examples: [
      `--source orders ${STORE} --dry-run`,
      `--source orders --store 's3://acme-backups/prod?region=eu-central-1' --principal arn:aws:iam::111122223333:role/lifeboat`,
      `--source orders ${STORE} --create-role --database-url-file /etc/lifeboat/admin.url`,
    ],
  },
  doctor: {
    occasion: 'setup',
    summary: 'check programs, permissions, stores, clock',
    examples: [`--database-url-file /etc/lifeboat/orders.url ${STORE}`],
  },
  adopt: {
    occasion: 'setup',
    summary: 'take an existing dump into a store',
    examples: [`--source orders --file /srv/old/orders_2026-11-20.sql.gz ${STORE}`],
  },
  completion: {
    occasion: 'setup',
    summary: 'print a completion script: `completion bash`, `zsh` or `fish`',
    examples: [
      'bash > /etc/bash_completion.d/lifeboat',
      'zsh > ~/.zsh/_lifeboat',
      'fish > ~/.config/fish/completions/lifeboat.fish',
    ],
  },
};
