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

/** `--<input>-file PATH` reads the value of an input from a file. */
export const FILE = '-file';

/**
 * Reads `--input value`, `--input=value`, `--switch`, and `--input-file PATH`, which reads the value from a file. An input that takes
 * several values may be repeated. Words without a flag are the values of the inputs in `positional`, in that order.
 *
 * @throws {Failure} `invalid-input` for what is no flag, a flag without a value or with two, a secret in the open
 */
export function parseFlags(words: readonly string[], schema: z.ZodObject, positional: readonly string[] = []): Flags {
  const inputs = new Map(describeInputs(schema).map((input) => [input.name, input]));
  const given: Record<string, string> = {};
  const own = { json: false, help: false, debug: false };
  const rest = [...words];
  const places = [...positional];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [name, inlineValue] = isPlaced(word) && places.length > 0 ? [places.shift() ?? '', word] : splitFlag(word);
    if (name === 'json' || name === 'help' || name === 'debug') own[name] = true;
    else {
      const [input, value] = readFlag(name, inlineValue, rest, inputs);
      if (given[input] !== undefined && inputs.get(input)?.many !== true) throw givenTwice(input);
      given[input] = given[input] === undefined ? value : `${given[input]}\n${value}`;
    }
  }
  return { given, ...own };
}

/** Not a flag, and not something that was meant as one. */
function isPlaced(word: string): boolean {
  return word !== '' && !word.startsWith('-');
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
  if (input.secret && fromFile === undefined) throw secretInTheOpen(input);
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

/** A hint as it is typed here: `confirm: orders` is `--confirm orders`, and `store` is `--store`. */
export function asFlags(hint: string, schema: z.ZodObject): string {
  const inputs = new Map(describeInputs(schema).map((input) => [input.name, input]));
  return hint.replaceAll(/`([a-z][a-z0-9-]*)(?:: ([^`\n]+))?`/g, (said, name: string, value: string | undefined) => {
    const input = inputs.get(name);
    if (input === undefined) return said;
    const flag = `--${name}${input.secret ? FILE : ''}`;
    if (value === undefined) return `\`${flag}\``;
    return input.flag ? `\`${flag}${value === 'true' ? '' : `=${value}`}\`` : `\`${flag} ${value}\``;
  });
}

/** Everybody on the machine can read a command line, and the shell writes it to a file. */
function secretInTheOpen({ name, env }: InputDescription): Failure {
  const file = `a file with \`--${name}${FILE} PATH\``;
  return new Failure('invalid-input', `--${name} is a secret and cannot be a flag.`, {
    hint: env ? `Set ${variableOf(name)} in the environment, or give ${file}.` : `Give ${file}.`,
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
