import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { Failure } from './core/failure.ts';
import { nearest } from './core/nearest.ts';
import { variableOf } from './github/environment.ts';
import { describeInputs, type InputDescription, type RawInputs } from './github/inputs.ts';

/** A command line taken apart: what is given to the action, and what only concerns the terminal. */
export interface Flags {
  readonly given: RawInputs;
  readonly json: boolean;
  readonly help: boolean;
  readonly debug: boolean;
}

const FILE = '-file';

/**
 * Reads `--input value`, `--input=value`, `--switch`, and `--input-file PATH`, which reads the value from a file. An input that takes
 * several values may be repeated.
 *
 * @throws {Failure} `invalid-input` for what is no flag, a flag without a value or with two, a secret in the open
 */
export function parseFlags(words: readonly string[], schema: z.ZodObject): Flags {
  const inputs = new Map(describeInputs(schema).map((input) => [input.name, input]));
  const given: Record<string, string> = {};
  const own = { json: false, help: false, debug: false };
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [name, inlineValue] = splitFlag(word);
    if (name === 'json' || name === 'help' || name === 'debug') own[name] = true;
    else {
      const [input, value] = readFlag(name, inlineValue, rest, inputs);
      if (given[input] !== undefined && inputs.get(input)?.many !== true) throw givenTwice(input);
      given[input] = given[input] === undefined ? value : `${given[input]}\n${value}`;
    }
  }
  return { given, ...own };
}

/** How to use one command, from the same schema as action.yml. */
export function describeFlags(command: string, description: string, schema: z.ZodObject): string {
  const lines = describeInputs(schema).map((input) => {
    const value = input.flag
      ? input.default === 'true'
        ? '=false'
        : ''
      : input.secret
        ? `${FILE} PATH`
        : ` ${placeholder(input)}`;
    const notes = [
      input.required ? 'required' : '',
      input.default === undefined ? '' : `default ${input.default}`,
      input.env ? `or ${variableOf(input.name)}` : '',
    ].filter((note) => note !== '');
    return `  --${input.name}${value}\n      ${input.description}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
  });
  const own = ['  --json\n      Print the report as JSON.', '  --debug\n      Show programs, timings and stacks.'];
  return `${description}\n\nUsage: lifeboat ${command} [--input value]…\n\n${[...lines, ...own].join('\n')}\n`;
}

function splitFlag(word: string): [string, string | undefined] {
  const parts = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word);
  if (word === '-h') return ['help', undefined];
  if (parts?.[1] !== undefined) return [parts[1], parts[2]];
  throw new Failure('invalid-input', `"${word}" is no flag.`, {
    hint: 'Flags are written `--input value`, e.g. `--source orders`; a switch is `--dry-run` or `--dry-run=false`.',
  });
}

function readFlag(
  name: string,
  inlineValue: string | undefined,
  rest: string[],
  inputs: ReadonlyMap<string, InputDescription>,
): [string, string] {
  const direct = inputs.get(name);
  const fromFile = direct === undefined && name.endsWith(FILE) ? inputs.get(name.slice(0, -FILE.length)) : undefined;
  const input = direct ?? fromFile;
  if (input === undefined) {
    const known = [...inputs.values()].map((each) => `--${each.name}${each.secret ? FILE : ''}`).join(', ');
    throw new Failure('invalid-input', `There is no flag --${name} here.`, {
      hint: `${guess(name, inputs)}There are ${known}.`,
    });
  }
  if (input.secret && fromFile === undefined) throw secretInTheOpen(input.name);
  // Like `dry-run: true`; a switch takes no other word, so that `--dry-run --json` is two flags.
  if (input.flag)
    return [input.name, inlineValue ?? (/^(true|false)$/.test(rest[0] ?? '') ? rest.shift() : undefined) ?? 'true'];
  const value = inlineValue ?? rest.shift();
  if (value === undefined) throw new Failure('invalid-input', `--${name} has no value.`, { hint: input.description });
  return [input.name, fromFile === undefined ? value : readValue(input.name, value)];
}

function givenTwice(name: string): Failure {
  return new Failure('invalid-input', `--${name} was given twice.`, {
    hint: 'It takes one value: leave one of them out.',
  });
}

function guess(name: string, inputs: ReadonlyMap<string, InputDescription>): string {
  const meant = nearest(name, [...inputs.keys()]);
  return meant === undefined ? '' : `Did you mean \`--${meant}\`? `;
}

/** Everybody on the machine can read a command line, and the shell writes it to a file. */
function secretInTheOpen(name: string): Failure {
  return new Failure('invalid-input', `--${name} is a secret and cannot be a flag.`, {
    hint: `Set ${variableOf(name)} in the environment, or give a file with \`--${name}${FILE} PATH\`.`,
  });
}

function readValue(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (cause) {
    throw new Failure('invalid-input', `The file of --${name}${FILE} cannot be read: ${path}`, {
      cause,
      hint: 'Check the path, and that this user may read the file: `ls -l` shows its owner and rights.',
    });
  }
}

function placeholder(input: InputDescription): string {
  return input.values.length > 0 ? input.values.join('|') : 'VALUE';
}
