// The pictures of the README: `node test/pages/screenshots.ts` takes them again after a change of how things look.
import { join } from 'node:path';
import { root } from '../house/source-files.ts';
import { startChromium } from './chromium.ts';
import { keep, pageOf } from './sites.ts';

const pictures = [
  { name: 'status-page', width: 1120, height: 1080, colorScheme: 'light' },
  { name: 'status-page-phone', width: 390, height: 844, colorScheme: 'dark' },
] as const;

const browser = await startChromium();
const html = await pageOf(3, { ...keep });
for (const { name, width, height, colorScheme } of pictures) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.setContent(html);
  const path = join(root, `docs/images/${name}.png`);
  await page.screenshot({ path });
  console.log(path);
}
await browser.close();
