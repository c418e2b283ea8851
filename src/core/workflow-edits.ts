import { bucketsOf, hasSessions, type Setup, urlSecretOf } from './setup.ts';

/** A workflow that is written from an example; each edit says what it changes, and must find it. */
export class WorkflowText {
  #text: string;

  constructor(example: string) {
    this.#text = example;
  }

  toString(): string {
    return this.#text;
  }

  /** @throws when nothing is found: the example has changed, and nobody may notice only when it runs */
  change(pattern: RegExp, to: string): this {
    const changed = this.#text.replaceAll(pattern, () => to);
    if (!pattern.test(this.#text)) throw new Error(`The example has no ${pattern} any more.`);
    // The state of a global pattern.
    pattern.lastIndex = 0;
    this.#text = changed;
    return this;
  }

  /** Where there is something to change. */
  changeAny(pattern: RegExp, to: string): this {
    this.#text = this.#text.replaceAll(pattern, () => to);
    return this;
  }
}

/** One key of a mapping with the comment lines above it. */
const withComment = (line: string) => new RegExp(`(?:^ *# .*\\n)*^ *${line}.*\\n`, 'gm');

const SESSION = /^ {6}- uses: aws-actions\/[\s\S]*?(?=^ {6}- uses: )/gm;

/** What every example needs: whose it is, where it runs, where backups are, and what may be asked of that place. */
export function commonEdits(workflow: WorkflowText, setup: Setup): WorkflowText {
  const { source, stores, region, runsOn, principal } = setup;
  const header = '#\n# Written by `lifeboat init`. It is yours: change what you like.\n';
  workflow
    .change(/^#\n# To use it: [\s\S]*?(?=^name: )/gm, header)
    .change(/^ {2}LIFEBOAT_STORE: .*$/gm, `  LIFEBOAT_STORE: ${blockOf(stores, 4)}`)
    .change(/\[self-hosted, linux\]/g, `[${runsOn.join(', ')}]`)
    .change(/(?<=source: |group: [a-z-]+-)orders$/gm, source)
    .changeAny(/\bORDERS_DATABASE_URL\b/g, urlSecretOf(source));
  editRecipients(workflow, setup);
  if (bucketsOf(stores).length === 0) return workflow.change(SESSION, '').change(withComment('id-token: write'), '');
  workflow.change(/(?<=aws-region: )eu-central-1/g, region);
  if (hasSessions(setup)) return workflow.change(/arn:aws:iam::111122223333:role\/lifeboat(?=-)/g, principal);
  return useKeys(workflow);
}

function editRecipients(workflow: WorkflowText, { recipients }: Setup): void {
  const line = withComment('LIFEBOAT_AGE_RECIPIENTS:');
  if (recipients.length === 0) workflow.changeAny(line, '').changeAny(withComment('age-identity:'), '');
  else workflow.changeAny(/(?<=LIFEBOAT_AGE_RECIPIENTS: )age1-put-\S*/g, blockOf(recipients, 4));
}

/** Where there is no OIDC, each job has the keys of its own user in secrets. */
function useKeys(workflow: WorkflowText): WorkflowText {
  for (const user of ['backup', 'read', 'drill', 'restore', 'prune', 'doctor']) {
    const secret = (what: string) => `\${{ secrets.LIFEBOAT_${user.toUpperCase()}_${what} }}`;
    const keys = `          aws-access-key-id: ${secret('KEY_ID')}\n          aws-secret-access-key: ${secret('SECRET_KEY')}`;
    workflow.changeAny(new RegExp(`^ *role-to-assume: .*/lifeboat-${user}$`, 'gm'), keys);
  }
  return workflow.change(withComment('role-duration-seconds:'), '').change(withComment('id-token: write'), '');
}

/** A scalar, or several lines of one below it. */
export function blockOf(lines: readonly string[], indent: number): string {
  const [only = ''] = lines;
  if (lines.length === 1) return only;
  return `|\n${lines.map((line) => `${' '.repeat(indent)}${line}`).join('\n')}`;
}
