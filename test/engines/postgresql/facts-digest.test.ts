import { describe, expect, it } from 'vitest';
import { digestOf, normalise } from '../../../src/engines/postgresql/facts-digest.ts';

describe('an expression', () => {
  // Left: as a server shows it first; right: as it shows what it has read back from a dump.
  it.each([
    [
      `((status)::text = ANY ((ARRAY['new'::character varying, 'it''s'::character varying])::text[]))`,
      `((status)::text = ANY (ARRAY[('new'::character varying)::text, ('it''s'::character varying)::text]))`,
    ],
    [`(total > (0)::numeric(12,2))`, `(total > 0::numeric)`],
    [`at > '2020-01-01 00:00:00+00'::timestamp(3) with time zone`, `at > '2020-01-01 00:00:00+00'`],
    [`x::double precision[] OR y`, `x OR y`],
    [`kind = ANY ('{a,b}'::"Sch""ema, with stuff"."Mood"[])`, `kind = ANY ('{a,b}')`],
    [`kind = 'a'::app.mood AND b`, `kind = 'a' AND b`],
    [`span > '1 day'::interval day to second AND b`, `span > '1 day' AND b`],
    [`SELECT  a,\n    b\n   FROM t;`, `SELECT a, b FROM t;`],
    [`(f((a)::text, (b)))`, `f(a, b)`],
    [`((a)::bit varying(5) || b)`, `a || b`],
  ])('%s is the same as %s', (before, after) => {
    expect(normalise(before)).toBe(normalise(after));
    expect(digestOf(null, [before])).toBe(digestOf(null, [after]));
  });

  it.each([
    [`a = 'x'`, `a = 'x '`],
    [`a = '(x)'`, `a = 'x'`],
    [`a = 'b::text'`, `a = 'b'`],
    [`a = E'\\'::text'`, `a = E'\\''`],
    [`"a b" > 1`, `"ab" > 1`],
    [`"a::text" > 1`, `"a" > 1`],
    [`a > 1`, `a >= 1`],
    [`a IN (1, 2)`, `a IN (1, 2, 3)`],
    [`a AND b`, `a OR b`],
    [`f(a, b)`, `f(b, a)`],
    [`x::text || y`, `x::text || z`],
    [`x::text IS NULL`, `x::text IS NOT NULL`],
    [`a[1] = 2`, `a[2] = 2`],
    [`x::integer[1]`, `x::integer`],
    [`$tag$ (a) $tag$`, `$tag$ a $tag$`],
    [`ä > 1`, `ö > 1`],
  ])('%s differs from %s', (one, other) => {
    expect(normalise(one)).not.toBe(normalise(other));
  });
});

describe('a digest', () => {
  it('is the first half of a SHA-256 in hex', () => {
    expect(digestOf(null, [])).toMatch(/^[0-9a-f]{32}$/);
  });

  it('takes what is exact as it is, parentheses and white space too', () => {
    expect(digestOf(['BEGIN (a); END'], [])).not.toBe(digestOf(['BEGIN a; END'], []));
  });

  it('tells no expression from an empty one, and one place from another', () => {
    expect(digestOf(null, [null])).not.toBe(digestOf(null, ['']));
    expect(digestOf(null, [null, 'a'])).not.toBe(digestOf(null, ['a', null]));
  });
});
