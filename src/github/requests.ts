import { z } from 'zod';
import { Failure } from '../core/failure.ts';
import { clip } from '../core/plain-text.ts';
import type { Log } from '../core/ports.ts';
import { openRequests, type SendRequest } from './toolkit.ts';

export interface Reply {
  readonly data: unknown;
  /** The next page, as GitHub gives it. */
  readonly next: string | undefined;
}

/** Requests to GitHub's API, with the patience that it asks for. */
export interface Requests {
  /**
   * @param what what is being done, for the error: `list issues`
   * @throws {Failure} `github-denied` with what to grant, `github-invalid` for what it does not take, `not-found`, `github-unavailable`
   */
  send(what: string, route: string, parameters?: Readonly<Record<string, unknown>>): Promise<Reply>;
  /** Every element of a list, page by page, at most `mostPages`. */
  list<T extends z.ZodType>(
    what: string,
    route: string,
    parameters: Readonly<Record<string, unknown>>,
    schema: T,
    mostPages?: number,
  ): Promise<z.output<T>[]>;
}

export interface Access {
  readonly token: string;
  readonly apiUrl: string;
  readonly log: Log;
  /** Ends waiting and requests. */
  readonly signal: AbortSignal;
  /** What to grant, for a token that may not. */
  readonly grant: string;
}

const MOST_TRIES = 5;
const FIRST_WAIT_MS = 500;
/** Who asks for more patience than this is asked again by the next run. */
const LONGEST_WAIT_MS = 25_000;
/** Who has not answered by then is asked again. */
const LONGEST_ANSWER_MS = 20_000;
/** Of what GitHub said in a message, in characters: a proxy says a whole page. */
const MOST_SAID = 500;
const PAGE = 100;
const MOST_PAGES = 10;

export async function openGitHub(access: Access): Promise<Requests> {
  const request = await openRequests(access.token, access.apiUrl, access.log);
  const send = (what: string, route: string, parameters: Readonly<Record<string, unknown>> = {}) =>
    withPatience(what, access, () => sendOnce(request, route, parameters, access));
  return {
    send,
    list: async (what, route, parameters, schema, mostPages = MOST_PAGES) => {
      const found: unknown[] = [];
      let page: Reply | undefined = await send(what, route, { ...parameters, per_page: PAGE });
      for (let pages = 1; page !== undefined; pages++) {
        found.push(...readReply(what, z.array(z.unknown()), page.data));
        page = page.next === undefined || pages >= mostPages ? undefined : await send(what, `GET ${page.next}`);
      }
      return found.map((each) => readReply(what, schema, each));
    },
  };
}

/**
 * What GitHub answered, as far as it is used.
 *
 * @throws {Failure} `github-invalid` when it is something else: a proxy or a login page answered in its place
 */
export function readReply<T extends z.ZodType>(what: string, schema: T, data: unknown): z.output<T> {
  const { data: read, error } = schema.safeParse(data);
  if (error === undefined) return read;
  const { path = [], message = '' } = error.issues[0] ?? {};
  const where = path.length === 0 ? '' : ` at \`${path.join('.')}\``;
  const text = `GitHub answered what is not its API: asked to ${what}, it sent something else${where}: ${message}`;
  throw new Failure('github-invalid', text, {
    cause: error,
    hint: 'Check GITHUB_API_URL, and that no proxy between this runner and GitHub answers in its place.',
  });
}

async function sendOnce(
  request: SendRequest,
  route: string,
  parameters: Readonly<Record<string, unknown>>,
  { apiUrl, signal }: Access,
): Promise<Reply> {
  const silence = AbortSignal.timeout(LONGEST_ANSWER_MS);
  const ends = AbortSignal.any([signal, silence]);
  try {
    const { data, headers } = await request(route, { ...parameters, request: { signal: ends } });
    // An answer that broke off is a short one to the client, and no error.
    ends.throwIfAborted();
    return { data, next: nextPage(headers.link, apiUrl) };
  } catch (cause) {
    if (signal.aborted || !silence.aborted) throw cause;
    throw Object.assign(new Error('It gave no whole answer within 20 seconds.', { cause }), { status: 504 });
  }
}

/** Only on the server that the token is for. */
function nextPage(link: unknown, apiUrl: string): string | undefined {
  const given = /<([^>]+)>;\s*rel="next"/.exec(typeof link === 'string' ? link : '')?.[1];
  const url = given === undefined ? null : URL.parse(given);
  return url !== null && url.origin === new URL(apiUrl).origin ? given : undefined;
}

const Refused = z.object({
  status: z.int(),
  message: z.string(),
  response: z
    .object({
      headers: z.record(z.string(), z.unknown()).default({}),
      data: z.object({ message: z.string() }).partial().optional().catch(undefined),
    })
    .optional(),
});
type Refused = z.output<typeof Refused>;

async function withPatience<T>(what: string, access: Access, send: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      if (access.signal.aborted) throw outOfTime(what, error);
      const refused = Refused.safeParse(error).data;
      if (refused === undefined) throw error;
      const waitMs = waitFor(refused, tries);
      if (waitMs === undefined || tries >= MOST_TRIES) throw explained(what, refused, error, access);
      access.log.debug(`GitHub could not ${what} (${refused.status}); asked again in ${waitMs} ms.`);
      await pause(waitMs, access.signal);
      if (access.signal.aborted) throw outOfTime(what, error);
    }
  }
}

/**
 * Milliseconds until it makes sense to ask again, undefined when it never does. Limits are told by
 * 429 and by 403 with one of these headers:
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
function waitFor({ status, response }: Refused, tries: number): number | undefined {
  const headers = response?.headers ?? {};
  const isLimit = status === 429 || (status === 403 && isLimited(headers, response?.data?.message));
  if (!isLimit && (status < 500 || status === 501)) return undefined;
  const asked = Number(headers['retry-after'] ?? Number.NaN) * 1_000;
  const waitMs = Number.isFinite(asked) ? asked : FIRST_WAIT_MS * 2 ** (tries - 1);
  return waitMs > LONGEST_WAIT_MS || (isLimit && isSpent(headers)) ? undefined : waitMs;
}

function isLimited(headers: Readonly<Record<string, unknown>>, message = ''): boolean {
  return 'retry-after' in headers || isSpent(headers) || /rate limit/i.test(message);
}

/** The allowance of the hour is gone; it comes back too late for this run. */
function isSpent(headers: Readonly<Record<string, unknown>>): boolean {
  return headers['x-ratelimit-remaining'] === '0';
}

function explained(what: string, refused: Refused, cause: unknown, { grant }: Access): Failure {
  const { status, response } = refused;
  const said = clip(response?.data?.message ?? refused.message, MOST_SAID);
  const message = `GitHub did not ${what} (${status}): ${said}`;
  const limited = status === 429 || (status === 403 && isLimited(response?.headers ?? {}, said));
  if (limited) {
    const hint = 'GitHub limits how much one token may ask for; the next run tries again.';
    return new Failure('github-unavailable', message, { cause, hint });
  }
  if (status === 401) {
    const hint = 'Check `github-token`: it is wrong, or no longer valid.';
    return new Failure('github-denied', message, { cause, hint });
  }
  if (status === 403) return new Failure('github-denied', message, { cause, hint: grant });
  if (status === 404 || status === 410) return new Failure('not-found', message, { cause, hint: grant });
  if (status >= 500) {
    const hint = 'GitHub has a problem, or cannot be reached from this runner; the next run tries again.';
    return new Failure('github-unavailable', message, { cause, hint });
  }
  return new Failure('github-invalid', message, { cause });
}

function outOfTime(what: string, cause: unknown): Failure {
  return new Failure('github-unavailable', `There was no time left to ${what}.`, {
    cause,
    hint: 'GitHub answered slowly or not at all; the next run tries again.',
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
