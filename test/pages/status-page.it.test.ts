import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChromium, whyNoChromium } from './chromium.ts';
import { keep, pageOf } from './sites.ts';

const widths = [320, 390, 1280];
const counts = [0, 1, 3, 100];

describe.skipIf(whyNoChromium() !== undefined)('the status page in a browser', () => {
  const pages = new Map<string, string>();
  const asked: string[] = [];
  let server: Server;
  let browser: Browser;
  let base: string;

  beforeAll(async () => {
    for (const count of counts) pages.set(`/${count}`, await pageOf(count, { ...keep }));
    server = createServer(({ url = '' }, response) => {
      asked.push(url);
      response.writeHead(pages.has(url) ? 200 : 404, { 'content-type': 'text/html' }).end(pages.get(url));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    browser = await startChromium();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function withPage<T>(
    path: string,
    options: BrowserContextOptions,
    use: (page: Page) => Promise<T>,
  ): Promise<T> {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      await page.goto(base + path);
      return await use(page);
    } finally {
      await context.close();
    }
  }

  const unfold = (page: Page) =>
    page.evaluate('document.querySelectorAll("details").forEach((one) => { one.open = true })');

  it.each(counts)('of %i sources asks for nothing else, and breaks no rule of its own policy', async (count) => {
    const before = asked.length;
    const complaints: string[] = [];
    const requests: string[] = [];
    await withPage('/0', {}, async (page) => {
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(`${base}/${count}`);
      expect(await page.evaluate('getComputedStyle(document.querySelector("h1")).fontWeight')).toBe('700');
    });
    expect(requests).toEqual([`${base}/${count}`]);
    expect(asked.slice(before).filter((url) => url !== '/favicon.ico')).toEqual(['/0', `/${count}`]);
    expect(complaints).toEqual([]);
  });

  it.each(counts.flatMap((count) => widths.map((width) => ({ count, width }))))(
    'of $count sources fits a screen of $width pixels, unfolded too',
    async ({ count, width }) => {
      const tooWide = await withPage(`/${count}`, { viewport: { width, height: 800 } }, async (page) => {
        await unfold(page);
        return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      });
      expect(tooWide).toBe(0);
    },
  );

  it.each([0, 3].flatMap((count) => (['light', 'dark'] as const).map((colorScheme) => ({ count, colorScheme }))))(
    'of $count sources can be read by everybody, $colorScheme',
    async ({ count, colorScheme }) => {
      expect(await withPage(`/${count}`, { colorScheme }, violations)).toEqual([]);
    },
  );

  it.each(['light', 'dark'] as const)('can be read by everybody when all is unfolded, %s', async (colorScheme) => {
    const found = await withPage('/1', { colorScheme }, async (page) => {
      await unfold(page);
      return violations(page);
    });
    expect(found).toEqual([]);
  });

  it('of 100 sources can be read by everybody, and names nothing twice', async () => {
    await withPage('/100', { viewport: { width: 390, height: 800 } }, async (page) => {
      // The rest is the same a hundred times, and takes minutes.
      await page.evaluate(
        'document.querySelectorAll("details.source:nth-of-type(n+4)").forEach((one) => one.remove())',
      );
      expect(await violations(page)).toEqual([]);
    });
    const ids = [...(pages.get('/100') ?? '').matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(500);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('notices what not everybody can read', async () => {
    const found = await withPage('/1', {}, async (page) => {
      await page.evaluate('document.querySelector("h2").style.color = "#ddd"; document.documentElement.lang = ""');
      return violations(page);
    });
    expect(found).toEqual(expect.arrayContaining(['color-contrast', 'html-has-lang']));
  });

  it('leads from a source of the overview to its part, which unfolds', async () => {
    await withPage('/100', {}, async (page) => {
      const place = page.locator('#source-tenant-96');
      expect(await place.isVisible()).toBe(false);
      await page.getByRole('link', { name: 'tenant-96', exact: true }).click();
      await place.waitFor({ state: 'visible' });
    });
  });

  it('can be used with the keyboard alone: skip link first, then every link, fold and table', async () => {
    await withPage('/1', {}, async (page) => {
      const focused = () => page.evaluate<string>('document.activeElement.className || document.activeElement.tagName');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('skip');
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('scroll');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('A');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('SUMMARY');
    });
  });

  it('prints what is folded', async () => {
    await withPage('/3', {}, async (page) => {
      await page.emulateMedia({ media: 'print' });
      const rows = page.locator('details.points td').first();
      expect(await rows.evaluate((cell) => (cell as unknown as { checkVisibility(): boolean }).checkVisibility())).toBe(
        true,
      );
    });
  });
});

/** Rules of axe that the page breaks, by name. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: { id: string }[] }>(
    'axe.run(document, { resultTypes: ["violations"] })',
  );
  return violations.map(({ id }) => id);
}
