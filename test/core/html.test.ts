import { parseFragment } from 'parse5';
import { expect, it } from 'vitest';
import { computed, html, prose } from '../../src/core/html.ts';

const hostile = `"><script>alert(1)</script><img src=x onerror='a'>&amp; \u202e\u0000`;

it('escapes text for an element and for an attribute in quotes', () => {
  const { markup } = html`<b title="${hostile}">${hostile}</b>`;
  const [element] = parseFragment(markup).childNodes;
  expect(element).toMatchObject({ nodeName: 'b', attrs: [{ name: 'title' }], childNodes: [{ nodeName: '#text' }] });
  expect(parseFragment(markup).childNodes).toHaveLength(1);
});

it('spells out what cannot be seen', () => {
  expect(html`${'a\u202eb\u0000c'}`.markup).toBe('a\\u{202e}b\\x00c');
});

it('takes markup of its own as it is, lists of it too, and nothing for undefined and false', () => {
  expect(html`<ul>${['a', 'b'].map((item) => html`<li>${item}</li>`)}${undefined}${false}${0}</ul>`.markup).toBe(
    '<ul><li>a</li><li>b</li>0</ul>',
  );
  expect(html`${computed('M0 0h1')}`.markup).toBe('M0 0h1');
});

it('clips what is longer than anybody reads', () => {
  expect(html`${'x'.repeat(5_000)}`.markup).toMatch(/^x{2000}… \(3000 more characters\)$/);
});

it('shows code between backticks, and lines apart', () => {
  expect(prose('Run `a <b>` now.\nThen `c').markup).toBe('Run <code>a &lt;b&gt;</code> now.<br>Then `c');
});
