import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitWords } from '../../src/core/words.ts';

it.each([
  ['docker exec -i -e PGPASSWORD chain-postgres', ['docker', 'exec', '-i', '-e', 'PGPASSWORD', 'chain-postgres']],
  ['  sudo   -u "back up" ', ['sudo', '-u', 'back up']],
  ["a'b c'd", ['ab cd']],
  ['one\\ word', ['one word']],
  ["''", ['']],
  ['$HOME `id`', ['$HOME', '`id`']],
  ['', []],
])('splits %j as a shell would, and expands nothing', (text, words) => {
  expect(splitWords(text)).toEqual(words);
});

it.each(['docker "exec', "it's", 'end\\'])('refuses %j, whose quote is never closed', (text) => {
  expect(() => splitWords(text)).toThrow(/never closed/);
});

it('agrees with bash on quoted words', () => {
  const word = fc.string({ unit: fc.constantFrom('a', ' ', "'", '"', '\\', '-'), minLength: 1, maxLength: 8 });
  const quote = (plain: string) => `'${plain.replaceAll("'", `'"'"'`)}'`;
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (list) => {
      const line = list.map(quote).join('  ');
      expect(splitWords(line)).toEqual(list);
      const bash = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
      expect(list.length === 0 ? [] : bash.split('\0').slice(0, -1)).toEqual(splitWords(line));
    }),
    { numRuns: 30 },
  );
});
