import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Action } from '../src/actions/index.ts';
import { commandHelp } from '../src/command-help.ts';
import { commands } from '../src/commands/index.ts';
import { splitWords } from '../src/core/words.ts';
import { parseFlags } from '../src/flags.ts';
import { common } from '../src/github/inputs/every-action.ts';
import { choice, flag, parseInputs, type RawInputs, text } from '../src/github/inputs.ts';
import { describeCommand, describeCommands, describeCommonInputs } from '../src/help.ts';

const all = Object.entries<Action>(commands);

const schema = z.strictObject({
  ...common,
  id: text('An id.'),
  'dry-run': flag('Only shows the plan.').prefault('false'),
  'require-proven': flag('Only with proof.').prefault('true'),
  facts: choice(['counts', 'none'], 'What is recorded.').prefault('counts'),
  'age-identity': text('Secret key.', { secret: true, env: true }).optional(),
});

it('describes a command: examples, what it needs, what it takes, and the names of what all take', () => {
  const described = describeCommand('prune', { description: 'Removes backups.', inputs: schema, positional: ['id'] });
  expect(described).toBe(`Usage: lifeboat prune ID [--input value]...

Removes backups.

Examples:
  lifeboat prune --source orders --store file:///srv/backups --keep-daily 7 --keep-weekly 4 --dry-run

Needed:
  --store URL
      Where backups are, one URL a line: \`file:///srv/backups\` or
      \`s3://bucket/prefix?region=eu-central-1\`. (or LIFEBOAT_STORE; may be repeated)
  ID
      An id.

Inputs:
  --dry-run
      Only shows the plan. (default false)
  --require-proven=false
      Only with proof. (default true)
  --facts counts|none
      What is recorded. (default counts)
  --age-identity-file PATH
      Secret key. (or LIFEBOAT_AGE_IDENTITY)
  --json
      Print the report as JSON, and nothing else, on standard output; also of what went wrong.
  --debug
      Show programs, timings and stacks.

As everywhere:
  --timeout VALUE, --stall-timeout VALUE, --github-token-file PATH, --issue on-failure|never,
  --issue-assignees VALUE, --issue-labels VALUE, --metrics-file VALUE, --pushgateway-url-file
  PATH, --notify-file PATH, --notify-on failure|change|always; \`lifeboat help inputs\` explains
  them.

A secret is given as a file, never on the command line; where a variable is named, it may hold
it.

Exit status: 0 pass or warn; 1 the work was done, and what it found is not acceptable; 2 it
could not be done.
`);
});

it('lists every command once, under the occasion it is for, and says how secrets are given', () => {
  const listed = describeCommands(commands);
  for (const [name] of all) expect(listed.split('\n').filter((line) => line.startsWith(`  ${name} `))).toHaveLength(1);
  expect(listed.indexOf('Day by day:')).toBeLessThan(listed.indexOf('In a disaster, in this order:'));
  expect(listed).toContain('`--database-url-file PATH`');
  expect(listed).toMatch(/Exit status: 0 .*1 .*2 /s);
  expect(listed.split('\n').filter((line) => line.length > 96)).toEqual([]);
});

it('explains what is folded', () => {
  expect(describeCommonInputs(schema)).toContain('  --stall-timeout VALUE\n      Time without');
  expect(describeCommonInputs(schema)).not.toContain('--facts');
});

describe.each(all)('examples of %s', (name, { inputs, positional }) => {
  const examples = commandHelp[name]?.examples ?? [];

  it('has one', () => {
    expect(examples).not.toEqual([]);
  });

  it.each(examples)('can be typed: %s', (example) => {
    const words = splitWords(example).map((word) => (word.startsWith('/etc/lifeboat/') ? '/dev/null' : word));
    const given: RawInputs = parseFlags(words, inputs, positional).given;
    // What the environment holds, in an example that does not say it.
    const url = 'postgresql://db.example/orders';
    const around = { 'database-url': url, 'target-url': url, ...emptyGone(given) };
    expect(() => parseInputs(inputs, known(around, inputs))).not.toThrow();
  });
});

function emptyGone(given: RawInputs): RawInputs {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
}

function known(given: RawInputs, inputs: z.ZodObject): RawInputs {
  return Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(inputs.shape, name)));
}
