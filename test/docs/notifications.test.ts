import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { isWanted, notifyOn } from '../../src/core/change.ts';
import { Notification } from '../../src/core/notification.ts';
import { parseNotify } from '../../src/core/notify-target.ts';
import { blockAfter, blocksIn, readDocument, sectionOf } from './documents.ts';

const document = readDocument('docs/NOTIFICATIONS.md');
const section = { path: 'README.md', text: sectionOf(readDocument('README.md'), '## Notifications') };

const Property = z.object({ description: z.string().optional(), $ref: z.string().optional() }).loose();

/** The table that the schema gives. */
function messageTable(): string {
  const { properties = {} } = z.toJSONSchema(Notification);
  const rows = Object.entries(properties).map(([name, property]) => {
    const { description, const: only } = Property.parse(property);
    return `| \`${name}\` | ${description ?? `Version of the message, ${String(only)}.`} |`;
  });
  return ['| Field | Meaning |', '| --- | --- |', ...rows].join('\n');
}

it('lists the fields of a message as the schema has them', () => {
  const shown = /<!-- table -->\n\n([\s\S]*?)\n\n<!-- end -->/.exec(document.text)?.[1];
  expect(shown).toBe(messageTable());
});

it('shows a message that is one', () => {
  const example: unknown = JSON.parse(blockAfter(document, 'example'));
  expect(z.strictObject(Notification.shape).parse(example)).toEqual(example);
});

it('shows code that knows a genuine message from others', async () => {
  const code = Buffer.from(blockAfter(document, 'verify')).toString('base64');
  const { isGenuine } = (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as {
    isGenuine(body: Buffer, header: string | undefined, secret: string, now: number): boolean;
  };
  const body = Buffer.from(JSON.stringify({ sentAt: '2026-11-21T07:42:18.031Z', text: 'é' }));
  const header = `sha256=${createHmac('sha256', 'correct horse').update(body).digest('hex')}`;
  const now = Date.parse('2026-11-21T07:43:00Z');
  expect(isGenuine(body, header, 'correct horse', now)).toBe(true);
  expect(isGenuine(body, header, 'another', now)).toBe(false);
  expect(isGenuine(Buffer.from(`${body} `), header, 'correct horse', now)).toBe(false);
  expect(isGenuine(body, undefined, 'correct horse', now)).toBe(false);
  expect(isGenuine(body, header, 'correct horse', now + 3_600_000)).toBe(false);
});

it('the README shows lines that are read, of every kind', () => {
  const lines = [
    ...blocksIn(section, 'text')
      .join('\n')
      .matchAll(/^\S+:\/\/\S+$/gm),
  ].map(([line]) => line);
  const kinds = new Set(parseNotify(lines.join('\n')).map(({ kind }) => kind));
  expect([...kinds].toSorted()).toEqual(['mail', 'ping', 'slack', 'telegram', 'webhook']);
});

it('the README says what is sent when', () => {
  const rows = section.text.split('\n').filter((line) => /^\| `(failure|change|always)`/.test(line));
  const changes = ['broke', 'still-broken', 'recovered', 'still-well'] as const;
  const expected = notifyOn.map((on) =>
    [`\`${on}\``, ...changes.map((change) => (isWanted(change, on) ? 'yes' : '')), 'yes'].join(' | '),
  );
  expect(
    rows.map((row) =>
      row
        .replace(/^\| /, '')
        .replace(/ \|$/, '')
        .replaceAll(/\s*\|\s*/g, ' | '),
    ),
  ).toEqual(expected.map((row) => row.replaceAll(/\s*\|\s*/g, ' | ')));
});
