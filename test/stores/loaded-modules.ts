import { registerHooks } from 'node:module';

// Run as a program of its own: prints, as JSON, the packages that opening a store loads.
const packages = new Set<string>();
registerHooks({
  load(url, context, nextLoad) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
    if (name !== undefined) packages.add(name);
    return nextLoad(url, context);
  },
});
const { openStore } = await import('../../src/stores/registry.ts');
const context = { env: {}, forbidden: ['/srv/workspace'], stallMs: 60_000, now: () => new Date() };
const outcome = await openStore(process.argv[2] ?? '', context).then(
  () => 'opened',
  (error: { code?: string }) => error.code,
);
console.log(JSON.stringify({ outcome, packages: [...packages] }));
