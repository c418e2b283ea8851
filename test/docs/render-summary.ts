// Shows job summaries as GitHub would, near enough to look at them: `node test/docs/render-summary.ts FOLDER FILE.md…`
// writes a PNG of each into FOLDER; `--dark` before the folder for the other theme. Charts need mermaid, which is too
// large for every run of the tests: `npm install --no-save mermaid` first, else their source is shown.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { marked } from 'marked';
import type { Page } from 'playwright-core';
import { root } from '../house/source-files.ts';
import { startChromium } from '../pages/chromium.ts';

/** As wide as the summary on the page of a run, on a usual screen. */
const WIDTH = 1012;

const require = createRequire(import.meta.url);
const mermaidPath = join(root, 'node_modules/mermaid/dist/mermaid.min.js');

/** A whole page around a summary, in the colours that GitHub uses. */
export async function summaryPage(markdown: string): Promise<string> {
  const css = readFileSync(require.resolve('github-markdown-css/github-markdown.css'), 'utf8');
  const body = await marked.parse(markdown, { gfm: true });
  // What GitHub removes cannot be seen there either.
  const clean = body.replaceAll(/<(script|style|iframe|form)\b[\s\S]*?<\/\1>/gi, '').replaceAll(/ on\w+="[^"]*"/gi, '');
  const box = 'body{margin:0;background:light-dark(#fff,#0d1117)}:root{color-scheme:light dark}article{padding:24px}';
  return `<!doctype html><meta charset="utf-8"><style>${css}${box}</style><article class="markdown-body">${clean}</article>`;
}

/** Opens a summary in a page, charts drawn where mermaid is there. */
export async function showSummary(page: Page, markdown: string): Promise<void> {
  await page.setContent(await summaryPage(markdown));
  if (!existsSync(mermaidPath)) return;
  await page.addScriptTag({ path: mermaidPath });
  await page.evaluate(`(async () => {
    const theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'default';
    mermaid.initialize({ startOnLoad: false, theme });
    for (const code of document.querySelectorAll('code.language-mermaid')) {
      const chart = document.createElement('div');
      chart.textContent = code.textContent;
      code.parentElement.replaceWith(chart);
      await mermaid.run({ nodes: [chart] });
    }
  })()`);
}

if (import.meta.main) {
  const [first, ...rest] = process.argv.slice(2);
  const colorScheme = first === '--dark' ? 'dark' : 'light';
  const [folder = '', ...files] = first === '--dark' ? rest : [first ?? '', ...rest];
  if (!existsSync(mermaidPath)) console.log('Charts are shown as their source: npm install --no-save mermaid');
  mkdirSync(folder, { recursive: true });
  const browser = await startChromium();
  for (const file of files) {
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 400 }, colorScheme });
    await showSummary(page, readFileSync(file, 'utf8'));
    const path = join(folder, `${basename(file, '.md')}.png`);
    await page.screenshot({ path, fullPage: true });
    console.log(path);
    await page.close();
  }
  await browser.close();
}
