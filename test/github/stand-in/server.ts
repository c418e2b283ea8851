import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished } from 'vitest';
import { actionsHandlers } from './actions.ts';
import { issueHandlers } from './issues.ts';
import { type Call, checkReply, type Matched, matchCall } from './openapi.ts';
import { freshState, type State } from './state.ts';

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** A list, sent in pages. */
  readonly list?: readonly unknown[];
}

export type Handler = (state: State, call: Call, path: Matched['path']) => Answer;

export interface Misdeed {
  /** On requests whose route begins so; on all when absent. */
  readonly route?: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly message?: string;
  /** In place of the message. */
  readonly body?: unknown;
  /** Does the work, and answers as if it had not. */
  readonly afterwards?: boolean;
  times: number;
}

export interface GitHub {
  readonly state: State;
  /** `GITHUB_API_URL`: below a path, as a GitHub Enterprise Server has it. */
  readonly apiUrl: string;
  /** `POST /repos/{owner}/{repo}/issues`, in the order they came. */
  readonly requests: readonly string[];
  readonly misdeeds: Misdeed[];
  /** Called before a request is answered; an answer waits for it. */
  before: (route: string) => Promise<void>;
}

const handlers: Readonly<Record<string, Handler>> = { ...issueHandlers, ...actionsHandlers };
const BASE = '/api/v3';

/** A GitHub with one repository. A request that GitHub would not take fails the test. */
export async function startGitHub(changes: Partial<State> = {}): Promise<GitHub> {
  const state = freshState(changes);
  const requests: string[] = [];
  const violations: string[] = [];
  const misdeeds: Misdeed[] = [];
  const github = { state, apiUrl: '', requests, misdeeds, before: async (_route: string) => {} };
  const server = createServer((request, response) => {
    answer(request, github).then(
      (reply) => send(response, reply, request, github.apiUrl),
      (error: unknown) => {
        violations.push(error instanceof Error ? error.message : String(error));
        send(response, { status: 400, body: { message: violations.at(-1) } }, request, github.apiUrl);
      },
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  github.apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}${BASE}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    expect(violations).toEqual([]);
  });
  return github;
}

async function answer(request: IncomingMessage, github: GitHub & { requests: string[] }): Promise<Answer> {
  const url = new URL(request.url ?? '', github.apiUrl);
  if (!url.pathname.startsWith(`${BASE}/`)) throw new Error(`${url.pathname} is not below the API's address.`);
  const body = await text(request);
  const call: Call = {
    method: request.method ?? '',
    path: url.pathname.slice(BASE.length),
    query: url.searchParams,
    body: body === '' ? undefined : JSON.parse(body),
  };
  const matched = matchCall(call);
  github.requests.push(matched.route);
  await github.before(matched.route);
  if (request.headers.authorization !== `token ${github.state.token}`) return refusal(401, 'Bad credentials');
  const misdeed = github.misdeeds.find(({ route = '', times }) => times > 0 && matched.route.startsWith(route));
  if (misdeed !== undefined && misdeed.afterwards !== true) return misbehave(misdeed);
  const { owner, repo } = matched.path;
  const isHere = owner === undefined || (owner === github.state.owner && repo === github.state.repo);
  const reply = isHere ? handle(github.state, call, matched) : refusal(404, 'Not Found');
  if (misdeed !== undefined) return misbehave(misdeed);
  checkReply(matched.route, reply.status, reply.list ?? reply.body);
  return reply;
}

function handle(state: State, call: Call, { route, path }: Matched): Answer {
  const handler = handlers[route];
  if (handler === undefined) throw new Error(`Nothing handles ${route}.`);
  return handler(state, call, path);
}

function misbehave(misdeed: Misdeed): Answer {
  misdeed.times--;
  const { status, headers = {}, message = 'Something went wrong', body = { message } } = misdeed;
  return { status, headers, body };
}

export function refusal(status: number, message: string): Answer {
  return { status, body: { message, documentation_url: 'https://docs.github.com/rest' } };
}

/** Lists in pages, with the links that GitHub gives to the next one. */
function send(response: ServerResponse, reply: Answer, request: IncomingMessage, apiUrl: string): void {
  const url = new URL(request.url ?? '', apiUrl);
  const size = Number(url.searchParams.get('per_page') ?? 30);
  const page = Number(url.searchParams.get('page') ?? 1);
  const body = reply.list === undefined ? reply.body : reply.list.slice((page - 1) * size, page * size);
  const headers: Record<string, string> = { 'content-type': 'application/json', ...reply.headers };
  if (reply.list !== undefined && reply.list.length > page * size) {
    url.searchParams.set('page', String(page + 1));
    url.searchParams.set('after', 'Y3Vyc29y');
    headers.link = `<${url.href}>; rel="next"`;
  }
  response.writeHead(reply.status, headers).end(JSON.stringify(body));
}
