import { readFileSync } from 'node:fs';
import type { Log } from '../../../src/core/ports.ts';
import { withScratch } from '../../../src/engines/postgresql/scratch.ts';

/** A process of its own that starts a scratch server and holds it until it is killed: what a runner may do to us. */
const [manifestPath = '', scratchDir = ''] = process.argv.slice(2);
const log: Log = { info() {}, warning() {}, debug() {}, group: (_title, use) => use() };
const request = {
  manifest: JSON.parse(readFileSync(manifestPath, 'utf8')),
  facts: undefined,
  connection: {},
  settings: [],
  scratchDir,
  artifactBytes: 0,
  keepOnFailure: false,
  drillId: `hold-${process.pid}`,
  stallMs: 60_000,
  signal: new AbortController().signal,
};

await withScratch(request, { env: process.env, log }, async (scratch) => {
  process.stdout.write(`${JSON.stringify({ notIsolated: scratch.notIsolated })}\n`);
  await new Promise((resolve) => process.stdin.once('data', resolve));
});
