import { z } from 'zod';
import * as freshness from '../actions/verify-freshness.ts';
import type { World } from '../core/ports.ts';
import type { Report } from '../core/report.ts';
import { publishing } from '../github/inputs/every-action.ts';
import { parseInputs, type RawInputs, text } from '../github/inputs.ts';

export const description =
  'Shows every source at a glance, as verify-freshness judges it, and writes a status page: calendar, curves, recovery points, what prune will keep.';

const { 'status-page': _, schedules: __, ...judging } = freshness.inputs.shape;

/** It tells nobody but the reader, so it has none of the inputs that say who is told. */
export const inputs = z.strictObject({
  html: text('Folder, or path of an `.html` file, that the page is written to.').optional(),
  ...without(judging, publishing),
});

function without<T extends object, K extends object>(all: T, some: K): Omit<T, keyof K> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !Object.hasOwn(some, name))) as Omit<T, keyof K>;
}

/** Judges, and writes the page where one is asked for. A page that cannot be written is a failure: it is the work. */
export async function status(raw: RawInputs, world: World): Promise<Report> {
  const { html, ...given } = parseInputs(inputs, raw);
  freshness.refuseIdleKeepRules(given, html);
  return freshness.judge(given, world, async (writePage) => {
    if (html === undefined) return [];
    const path = await writePage(html);
    world.log.info(`The status page is ${path}.`);
    return [];
  });
}
