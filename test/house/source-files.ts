import { globSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type ParseResult, parseSync } from 'oxc-parser';

export const root = resolve(import.meta.dirname, '../..');

export interface SourceFile {
  /** From the root: `src/core/keys.ts`. */
  readonly path: string;
  readonly text: string;
  readonly parsed: ParseResult;
}

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export function sourceFiles(pattern: string): SourceFile[] {
  return globSync(join(root, pattern)).map((path) => {
    const text = readFileSync(path, 'utf8');
    const parsed = parseSync(path, text);
    if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]?.message}`);
    return { path: relative(root, path), text, parsed };
  });
}

/** Every node of a file, outer before inner. */
export function* nodesOf(file: SourceFile): Generator<Node> {
  const waiting: unknown[] = [file.parsed.program];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (isNode(value)) yield value;
    waiting.push(...Object.values(value));
  }
}

function isNode(value: object): value is Node {
  return 'type' in value && typeof value.type === 'string' && 'start' in value;
}

export function linesOf(file: SourceFile, node: Node): number {
  return file.text.slice(node.start, node.end).split('\n').length;
}

export function lineNumber(file: SourceFile, node: Node): number {
  return file.text.slice(0, node.start).split('\n').length;
}
