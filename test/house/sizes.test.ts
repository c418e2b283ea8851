import { expect, it } from 'vitest';
import { lineNumber, linesOf, type Node, nodesOf, sourceFiles } from './source-files.ts';

const files = [...sourceFiles('src/**/*.ts'), ...sourceFiles('scripts/**/*.ts')];
const functions = files.flatMap((file) =>
  [...nodesOf(file)].filter(isFunction).map((node) => ({
    where: `${file.path}:${lineNumber(file, node)}`,
    lines: linesOf(file, node),
    inSrc: file.path.startsWith('src/'),
  })),
);

it('keeps files under 300 lines', () => {
  const long = files.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
  expect(long.filter(({ lines }) => lines > 300)).toEqual([]);
});

it('keeps functions under 40 lines', () => {
  expect(functions.filter(({ lines }) => lines > 40)).toEqual([]);
});

it('keeps the middle function under 12 lines', () => {
  const sizes = functions
    .filter(({ inSrc }) => inSrc)
    .map(({ lines }) => lines)
    .sort((a, b) => a - b);
  expect(sizes.length).toBeGreaterThan(100);
  expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(12);
});

it('names files after what they hold', () => {
  const vague = /(^|[-/])(utils?|helpers?|common|misc|types|shared)\.ts$/;
  expect(files.map(({ path }) => path).filter((path) => vague.test(path))).toEqual([]);
  expect(files.map(({ path }) => path).filter((path) => !/^[a-z0-9/.-]+$/.test(path))).toEqual([]);
});

function isFunction({ type }: Node): boolean {
  return ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(type);
}
