import { posix } from 'node:path';
import { expect, it } from 'vitest';
import { nodesOf, type SourceFile, sourceFiles } from './source-files.ts';

interface Layer {
  /** Folders, or single files without their ending, below src/. */
  readonly layers: readonly string[];
  readonly packages: RegExp;
}

// Which folder may import which, and which packages. This is the whole dependency rule; main, cli,
// post and world are above it.
const layers: Readonly<Record<string, Layer>> = {
  core: { layers: ['core'], packages: /^(zod|node:(stream|stream\/.+|crypto|path|util))$/ },
  sys: { layers: ['core', 'sys'], packages: /^(@actions\/exec|age-encryption|zod|node:.+)$/ },
  engines: { layers: ['core', 'sys', 'engines'], packages: /^(redis|zod|node:.+)$/ },
  stores: { layers: ['core', 'stores'], packages: /^(zod|node:.+)$/ },
  github: { layers: ['core', 'github'], packages: /^(@actions\/.+|zod|node:(fs|crypto|os|path))$/ },
  notify: { layers: ['core', 'notify'], packages: /^(nodemailer|prom-client|zod|node:.+)$/ },
  actions: { layers: ['core', 'actions', 'github/inputs'], packages: /^zod$/ },
  commands: { layers: ['core', 'actions', 'commands', 'github/inputs'], packages: /^zod$/ },
};

/** What one file may import beyond its folder. */
const exceptions: Readonly<Record<string, RegExp>> = {
  'src/stores/s3': /^(@aws-sdk\/.+|@smithy\/node-http-handler)$/,
};

const files = sourceFiles('src/**/*.ts');

it.each(Object.keys(layers))('src/%s imports only what it may', (name) => {
  const inside = files.filter(({ path }) => path.startsWith(`src/${name}/`));
  expect(inside.flatMap((file) => wrongImports(file, layers[name]))).toEqual([]);
});

it('puts every folder of src under the rule', () => {
  const folders = new Set(
    files.map(({ path }) => path.split('/')).flatMap((parts) => (parts.length > 2 ? [parts[1]] : [])),
  );
  expect([...folders].filter((folder) => layers[folder ?? ''] === undefined)).toEqual([]);
});

/**
 * Where `import()` may stand: in registries, so that what is not used is not loaded, and around GitHub's
 * toolkit, which brings an HTTP client along, and whose commands the command line must not have.
 */
const loaders = /^src\/((engines|stores|notify)\/registry|github\/toolkit)\.ts$/;

it('loads at run time only what not every run needs', () => {
  const dynamic = files.filter(({ parsed }) => parsed.module.dynamicImports.length > 0).map(({ path }) => path);
  expect(dynamic.filter((path) => !loaders.test(path))).toEqual([]);
});

it('loads the toolkit of GitHub nowhere else', () => {
  const direct = files.flatMap(({ path, parsed }) =>
    parsed.module.staticImports
      .filter(({ moduleRequest }) => /^@actions\/(core|github)$/.test(moduleRequest.value))
      .map(({ moduleRequest }) => `${path} imports ${moduleRequest.value}`),
  );
  expect(direct).toEqual([]);
});

it('keeps core free of clock, chance, environment and console', () => {
  const core = files.filter(({ path }) => path.startsWith('src/core/'));
  expect(core.flatMap(impurities)).toEqual([]);
});

it('has one error class', () => {
  const classes = files.flatMap((file) =>
    [...nodesOf(file)].flatMap((node) => (isErrorClass(node) ? [`${file.path}: ${textOf(file, node.id)}`] : [])),
  );
  expect(classes).toEqual(['src/core/failure.ts: Failure']);
});

it('finds what it looks for: the rule can be broken', () => {
  const { layers: allowed, packages } = layers.core ?? { layers: [], packages: /^$/ };
  expect(isAllowed('src/core/x.ts', '../sys/zstd.ts', allowed, packages)).toBe(false);
  expect(isAllowed('src/core/x.ts', 'node:fs', allowed, packages)).toBe(false);
  expect(isAllowed('src/core/x.ts', './keys.ts', allowed, packages)).toBe(true);
  expect(isAllowed('src/stores/s3-upload.ts', '@aws-sdk/client-s3', [], /^$/)).toBe(true);
  expect(isAllowed('src/stores/local.ts', '@aws-sdk/client-s3', [], /^$/)).toBe(false);
});

function wrongImports(file: SourceFile, layer: Layer | undefined): string[] {
  const { staticImports, staticExports } = file.parsed.module;
  const reexports = staticExports.flatMap(({ entries }) => entries.map((entry) => entry.moduleRequest?.value));
  const from = [...staticImports.map((each) => each.moduleRequest.value), ...reexports].filter(
    (each) => each !== undefined,
  );
  return from
    .filter((each) => !isAllowed(file.path, each, layer?.layers ?? [], layer?.packages ?? /^$/))
    .map((each) => `${file.path} imports ${each}`);
}

function isAllowed(path: string, from: string, allowed: readonly string[], packages: RegExp): boolean {
  if (!from.startsWith('.')) return packages.test(from) || isException(path, from);
  const target = posix
    .join(posix.dirname(path), from)
    .replace(/^src\//, '')
    .replace(/\.ts$/, '');
  return allowed.some((layer) => target === layer || target.startsWith(`${layer}/`));
}

function isException(path: string, from: string): boolean {
  return Object.entries(exceptions).some(([prefix, packages]) => path.startsWith(prefix) && packages.test(from));
}

function impurities(file: SourceFile): string[] {
  return [...nodesOf(file)].flatMap((node) => {
    const what = textOf(file, node);
    const isClock = node.type === 'NewExpression' && /^new Date\(\)$/.test(what);
    const isAmbient =
      node.type === 'MemberExpression' && /^(Date\.now|Math\.random|process\.|console\.|performance\.)/.test(what);
    return isClock || isAmbient ? [`${file.path}: ${what}`] : [];
  });
}

function isErrorClass(node: { type: string; superClass?: unknown }): node is { type: string; id: unknown } {
  const superClass = node.superClass as { name?: string } | null | undefined;
  return node.type === 'ClassDeclaration' && /Error$|^Failure$/.test(superClass?.name ?? '');
}

function textOf(file: SourceFile, node: unknown): string {
  const { start, end } = node as { start: number; end: number };
  return file.text.slice(start, end);
}
