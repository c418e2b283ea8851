import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restrictedScript } from '../../../src/engines/postgresql/adopt.ts';
import { newPlainFacts, plainDumpReader, readLine } from '../../../src/engines/postgresql/plain-dump.ts';

const KEY = 'k3y';
const HEAD = `--
-- PostgreSQL database dump
--

\\restrict abcDEF

-- Dumped from database version 15.20 (Debian 15.20-1)
-- Dumped by pg_dump version 16.1

SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);

CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'de_DE.UTF-8';
ALTER DATABASE shop OWNER TO chain;

\\connect shop

`;
const TAIL = `--
-- PostgreSQL database dump complete
--

\\unrestrict abcDEF

`;

async function script(dump: string, cuts: readonly number[] = []): Promise<string> {
  const bytes = Buffer.from(dump);
  const chunks = [0, ...cuts].map((from, at) => bytes.subarray(from, cuts[at] ?? bytes.length));
  return (await buffer(Readable.from(chunks).pipe(restrictedScript(KEY)))).toString();
}

function factsOf(dump: string) {
  const facts = newPlainFacts();
  const reader = plainDumpReader((line, { isHead }) => {
    readLine(line, isHead, facts);
    return false;
  });
  reader.take(Buffer.from(dump));
  reader.end();
  return facts;
}

describe('the script that psql is given', () => {
  it('begins with a restriction of our own, and lacks the commands of pg_dump', async () => {
    const text = await script(`${HEAD}CREATE TABLE public.a (id int);\n${TAIL}`);
    expect(text.startsWith(`\\restrict ${KEY}\n`)).toBe(true);
    expect(text.slice(1)).not.toContain('\\');
    expect(text).not.toMatch(/CREATE DATABASE|transaction_timeout|unrestrict/);
    expect(text).toContain('ALTER DATABASE shop OWNER TO chain;');
  });

  it.each([
    ['a shell command', '\\! id'],
    ['a second connection', '\\connect postgres'],
    ['an end of the restriction', '\\unrestrict abcDEF'],
    ['a copy from a program', "\\copy a from program 'id'"],
  ])('keeps %s that stands among statements, for psql to refuse', async (_, line) => {
    expect(await script(`${HEAD}CREATE TABLE public.a (id int);\n${line}\n${TAIL}`)).toContain(`\n${line}\n`);
  });

  it('leaves rows and texts as they are, whatever they look like', async () => {
    const rows = 'COPY public.a (t) FROM stdin;\n\\restrict x\nSET transaction_timeout = 0;\n\\connect y\n\\.\n';
    const texts = "INSERT INTO public.a VALUES ('\nCREATE DATABASE x;\nSET transaction_timeout = 0;\n');\n";
    expect(await script(HEAD + rows + texts + TAIL)).toContain(rows + texts);
  });

  it('is the same wherever the stream is cut, and however long a line is', async () => {
    const long = `COPY public.a (t) FROM stdin;\n${'x'.repeat(200_000)}\n\\.\n-- ${'y'.repeat(70_000)}\nCREATE TABLE b ();\n`;
    const dump = HEAD + long + TAIL;
    const whole = await script(dump);
    expect(whole).toContain(long);
    const cut = fc.array(fc.nat({ max: dump.length }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(cut, async (cuts) => {
        expect(
          await script(
            dump,
            cuts.toSorted((a, b) => a - b),
          ),
        ).toBe(whole);
      }),
      { numRuns: 60 },
    );
  });
});

describe('what a plain dump tells', () => {
  it('knows versions, database, locale, and that it is whole', () => {
    expect(factsOf(HEAD + TAIL)).toMatchObject({
      ...{ isDump: true, isComplete: true, server: '15.20', client: '16.1', database: 'shop', encoding: 'UTF8' },
      locale: { provider: 'libc', collate: 'de_DE.UTF-8', ctype: 'de_DE.UTF-8' },
    });
    expect(factsOf(HEAD)).toMatchObject({ isDump: true, isComplete: false });
  });

  it('names every role that is needed, and none that stands in a row', () => {
    const dump = `${HEAD}ALTER TABLE public.a OWNER TO "my ""role""";
GRANT SELECT ON TABLE public.a TO reader;
GRANT ALL ON TABLE public.a TO admin WITH GRANT OPTION;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA public GRANT SELECT ON TABLES TO taker;
CREATE POLICY p ON public.a FOR SELECT TO one, "Two" USING (true);
CREATE USER MAPPING FOR mapped SERVER s OPTIONS (x 'y');
COPY public.a (t) FROM stdin;
GRANT SELECT ON TABLE public.a TO nobody;
\\.
`;
    expect([...factsOf(dump).roles]).toEqual([
      ...['chain', 'my "role"', 'reader', 'admin', 'maker', 'taker', 'one', 'Two', 'mapped'],
    ]);
  });
});
