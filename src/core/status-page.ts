import { createHash } from 'node:crypto';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { drillText } from './freshness-overview.ts';
import { computed, type Html, html, prose } from './html.ts';
import type { Verdict } from './report.ts';
import { formatBytes } from './size.ts';
import type { SourceStatus, Status } from './status.ts';
import { minuteOf } from './status-curves.ts';
import { ageBar, badge, sizeBars } from './status-signs.ts';
import { type Detail, findingsHtml, sourceHtml } from './status-source.ts';
import { style } from './status-style.ts';

/** From so many sources on, only what is not well stands open, and each is shown in less detail. */
const MANY = 12;
const FEW = 3;

/**
 * The status page: one file without script and without anything to load, the same for the same status.
 * Whoever gets it can read it; it says nothing of what is in the databases.
 */
export function statusPage(status: Status): string {
  const { verdict, sources } = status;
  const title = titleOf(status);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyOf(style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, nofollow">
<meta name="generator" content="${status.tool.name} ${status.tool.version}">
<title>${verdict}: ${title}</title>
<style>${computed(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="${verdict}"><p class="brand">Lifeboat</p>
<h1>${title}</h1>
<p class="lead">${badge(verdict)} <span>Judged <time datetime="${status.now.toISOString()}">${minuteOf(status.now)} UTC</time>. A page that is older than its schedule says nothing of today.</span></p></header>
<main id="main" tabindex="-1">
${overviewHtml(status)}
${sources.map((source) => sourceHtml(source, status, detailOf(source, sources.length)))}
</main>
<footer><p>Made by ${status.tool.name} ${status.tool.version}. All times are UTC.${status.policy === undefined && ' What prune will keep is not said, since no keep rule was given.'}</p></footer>
</body>
</html>
`;
  return page.markup;
}

/** Nothing may be loaded, run or sent; the one style sheet is named by its hash. */
function policyOf(sheet: string): string {
  const hash = createHash('sha256').update(sheet).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}

function titleOf({ sources, verdict }: Status): string {
  const isBad = (one: Verdict) => one === 'fail' || one === 'unknown';
  const bad = sources.filter(({ overview }) => isBad(overview.verdict)).length;
  const warned = sources.filter(({ overview }) => overview.verdict === 'warn').length;
  if (sources.length === 0) return 'There is no backup to show';
  if (bad > 0) return `${bad} of ${counted(sources.length, 'source')} ${bad === 1 ? 'is' : 'are'} not in order`;
  const all = sources.length === 1 ? 'The one source is' : `All ${sources.length} sources are`;
  if (isBad(verdict)) return `${all} in order, but not all could be judged`;
  return `${all} in order${warned > 0 ? `, ${warned} with a warning` : ''}`;
}

function detailOf({ overview }: SourceStatus, sources: number): Detail {
  const isWell = overview.verdict === 'pass' || overview.verdict === 'warn';
  const few = { values: 120, points: 400, passed: true };
  const many = { values: 30, points: 12, passed: false };
  return { ...(sources > MANY ? many : few), open: sources <= FEW || (!isWell && sources <= MANY) };
}

function overviewHtml(status: Status): Html {
  const { sources, findings } = status;
  const table =
    sources.length === 0
      ? html`<p>No source was found in the stores that could be read. As soon as there is a backup, its source is listed here.</p>`
      : html`<div class="scroll" tabindex="0" role="group" aria-label="Overview of all sources"><table class="overview">
<caption>All sources, the worst first</caption>
<thead><tr><th scope="col">Source</th><th scope="col">Verdict</th><th scope="col">Newest backup</th><th scope="col">Size</th><th scope="col">Last drill</th><th scope="col">What to do</th></tr></thead>
<tbody>${sources.map(rowHtml)}</tbody></table></div>`;
  return html`<section aria-labelledby="overview"><h2 id="overview">Overview</h2>
${findingsHtml(findings)}
${table}</section>`;
}

function rowHtml({ overview }: SourceStatus): Html {
  const { source, verdict, ageMs, maxAgeMs, bytes, lastDrill, nextAction } = overview;
  const newest = bytes.at(-1);
  const age = ageMs === undefined ? 'not in every store' : formatDuration(ageMs);
  return html`<tr><th scope="row"><a href="#source-${source}">${source}</a></th><td>${badge(verdict)}</td><td class="aged">${age} <span class="quiet">limit ${formatDuration(maxAgeMs)}</span>${ageBar(ageMs, maxAgeMs)}</td><td class="sized">${newest === undefined ? '–' : formatBytes(newest)} ${sizeBars(bytes)}</td><td>${drillText(lastDrill)}</td><td class="next">${nextAction === undefined ? '–' : prose(nextAction)}</td></tr>`;
}
