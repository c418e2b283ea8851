import { type Html, html } from './html.ts';
import type { Verdict } from './report.ts';

/** Shapes that differ, so that a verdict is never told by its colour alone. */
const shapes: Readonly<Record<Verdict, Html>> = {
  pass: html`<circle cx="8" cy="8" r="7.5"/><path d="M4.5 8.5l2.4 2.4 4.6-5.4"/>`,
  warn: html`<path class="solid" d="M8 .8 15.6 15H.4z"/><path d="M8 6v4.2M8 12.6v.2"/>`,
  fail: html`<rect x=".5" y=".5" width="15" height="15" rx="3"/><path d="M5 5l6 6M11 5l-6 6"/>`,
  unknown: html`<path class="solid" d="M8 .2 15.8 8 8 15.8.2 8z"/><path d="M6.3 6.4a1.8 1.8 0 1 1 2.5 1.7c-.6.3-.8.6-.8 1.2M8 11.6v.2"/>`,
};

/** Sign, word and colour of a verdict. */
export function badge(verdict: Verdict): Html {
  return html`<span class="badge ${verdict}"><svg class="sign" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">${shapes[verdict]}</svg>${verdict}</span>`;
}

const WIDTH = 96;

/** How much of its limit an age has used up; the numbers stand beside it. */
export function ageBar(ageMs: number | undefined, maxAgeMs: number): Html | undefined {
  if (ageMs === undefined) return undefined;
  const isOver = ageMs > maxAgeMs;
  const share = maxAgeMs === 0 ? 1 : Math.min(Math.max(ageMs / maxAgeMs, 0), 1);
  return html`<svg class="age ${isOver ? 'over' : 'within'}" width="${WIDTH}" height="8" viewBox="0 0 ${WIDTH} 8" aria-hidden="true"><rect class="rail" width="${WIDTH}" height="8" rx="4"/><rect class="used" width="${Math.max(8, Math.round(share * WIDTH))}" height="8" rx="4"/></svg>`;
}

const BAR = 5;
const HEIGHT = 18;
const MOST_BARS = 12;

/** The last sizes as bars from zero, newest last; the newest stands as a number beside them. */
export function sizeBars(bytes: readonly number[]): Html | undefined {
  const shown = bytes.slice(-MOST_BARS);
  if (shown.length < 2) return undefined;
  const most = Math.max(...shown, 1);
  const bars = shown.map((value, at) => {
    const height = Math.max(1, Math.round((value / most) * HEIGHT));
    return html`<rect x="${at * (BAR + 1)}" y="${HEIGHT - height}" width="${BAR}" height="${height}"/>`;
  });
  const width = shown.length * (BAR + 1) - 1;
  return html`<svg class="bars" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" aria-hidden="true">${bars}</svg>`;
}
