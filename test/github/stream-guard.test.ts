import fc from 'fast-check';
import { expect, it } from 'vitest';
import { guardStream, harmless } from '../../src/github/stream-guard.ts';

/** What the runner takes for a command: see `harmless`. */
const isCommand = (line: string) => /^[\s\u0085]*::/.test(line) || line.includes('##[');

const sink = () => {
  const written: string[] = [];
  return {
    written,
    write: (text: string) => void written.push(text),
    lines: () => written.join('').split(/\r\n|\r|\n/),
  };
};

it('lets no text become a workflow command, wherever its lines begin', () => {
  const part = fc.constantFrom('::', '##[', ' ', '\t', '\u0085', '\n', '\r', 'error', ']', 'x', '\u00a0');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      expect(
        harmless(parts.join(''))
          .split(/\r\n|\r|\n/)
          .filter(isCommand),
      ).toEqual([]);
    }),
  );
});

it('guards a stream against everybody but the owner of the way around it', () => {
  const { write, lines } = sink();
  const stream = { write: write as never };
  const past = guardStream(stream);
  const output = stream as { write: (text: string | Uint8Array) => boolean };
  output.write('half ');
  output.write('::error::still the same line\n');
  output.write(Buffer.from('::add-mask::a\n'));
  past(() => output.write('::group::ours\n'));
  expect(lines()).toEqual(['half ::error::still the same line', '| ::add-mask::a', '::group::ours', '']);
});

it('lets no text become a command in pieces either, nor behind a command of ours', () => {
  const part = fc.constantFrom(':', '::', '#', '##', '[', ' ', '\n', '\r', 'error', ']', 'x', 'OURS');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 15 }), (parts) => {
      const { write, lines } = sink();
      const stream = { write: write as never };
      const past = guardStream(stream);
      const output = stream as { write: (text: string) => boolean };
      for (const text of parts) text === 'OURS' ? past(() => output.write('::ours\n')) : output.write(text);
      const commands = lines().filter(isCommand);
      expect(commands).toEqual(parts.filter((text) => text === 'OURS').map(() => '::ours'));
    }),
  );
});

it('closes the way past it again when what was written through it failed', () => {
  const { write, lines } = sink();
  const stream = { write: write as never };
  const past = guardStream(stream);
  const broken = () => {
    throw new Error('broke off');
  };
  expect(() => past(broken)).toThrow('broke off');
  (stream as { write: (text: string) => boolean }).write('::error::x\n');
  expect(lines()).toEqual(['| ::error::x', '']);
});
