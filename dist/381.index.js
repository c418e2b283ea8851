export const id = 381;
export const ids = [381];
export const modules = {

/***/ 5550:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   M: () => (/* binding */ escaped),
/* harmony export */   n: () => (/* binding */ escapedUrl)
/* harmony export */ });
/* harmony import */ var _core_plain_text_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(1483);

/** Zero width: nobody sees it, and what it stands in is no name or link any more. */
const BREAK = '\u200b';
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/**
 * Foreign text for Slack and Telegram, which escape the same three characters. Nothing in it can open a
 * tag, mention anybody or become a link; Mattermost would read `@channel` and Markdown images in it.
 *
 * @param limit most characters of the result, which never ends within an entity
 */
function escaped(text, limit) {
    let shown = '';
    for (const char of unlinked((0,_core_plain_text_js__WEBPACK_IMPORTED_MODULE_0__/* .visible */ .RK)(text))) {
        const next = ENTITIES[char] ?? char;
        if (shown.length + next.length >= limit)
            return `${shown}…`;
        shown += next;
    }
    return shown;
}
function unlinked(text) {
    return text
        .replaceAll(/([@#])(?=[\p{L}\p{N}_])/gu, `$1${BREAK}`)
        .replaceAll(/(https?|ftp|mailto|tg|xmpp):/gi, `$1${BREAK}:`)
        .replaceAll(/www\./gi, `www${BREAK}.`)
        .replaceAll('](', `]${BREAK}(`);
}
/** An address that we made ourselves, for the inside of a link. */
function escapedUrl(url) {
    return (URL.parse(url)?.href ?? '').replaceAll(/[&<>"|]/g, (char) => ENTITIES[char] ?? encodeURIComponent(char));
}


/***/ }),

/***/ 3909:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Ck: () => (/* binding */ isTaken),
/* harmony export */   bE: () => (/* binding */ post),
/* harmony export */   h4: () => (/* binding */ notTaken)
/* harmony export */ });
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(7067);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(4708);
/* harmony import */ var node_timers_promises__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(8500);
/* harmony import */ var _core_failure_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(8165);




const PAUSE_MS = 1_000;
/** A longer wait would not end in the time that there is. */
const LONGEST_PAUSE_MS = 20_000;
const MAX_REDIRECTS = 3;
const MAX_ANSWER_BYTES = 16_384;
/**
 * Sends a POST, a second time where the first met a passing trouble: connection reset, 429, 5xx.
 *
 * @returns the answer whatever its status
 * @throws {Failure} `not-delivered`, `timed-out`; never with the URL in it
 */
async function post(what, sending) {
    try {
        return await trySending(what, sending);
    }
    catch (error) {
        throw explain(error, what, sending.signal);
    }
}
async function trySending(what, sending) {
    const { signal } = sending;
    const first = await follow(what, sending).catch((error) => {
        if (signal.aborted || !isPassing(error))
            throw error;
        return undefined;
    });
    if (first !== undefined && first.status !== 429 && first.status < 500)
        return first;
    const pauseMs = first === undefined ? PAUSE_MS : pauseOf(first, what, sending.now());
    if (first !== undefined && pauseMs > LONGEST_PAUSE_MS)
        return first;
    await (0,node_timers_promises__WEBPACK_IMPORTED_MODULE_2__.setTimeout)(pauseMs, undefined, { signal });
    return follow(what, sending);
}
function pauseOf(answer, { pauseIn }, now) {
    const { retryAfter = '' } = answer;
    const seconds = pauseIn?.(answer) ?? (/^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : undefined);
    const date = Date.parse(retryAfter);
    const ms = seconds === undefined ? date - now.getTime() : seconds * 1_000;
    return Number.isNaN(ms) ? PAUSE_MS : Math.max(ms, PAUSE_MS);
}
/** To another host a redirect would carry secrets; and a POST stays one by 307 and 308 only. */
async function follow(what, sending, redirects = 0) {
    const answer = await once(what, sending);
    if (answer.status < 300 || answer.status > 399)
        return answer;
    const from = new URL(what.url);
    const to = URL.parse(answer.location ?? '', what.url);
    const isSafe = to?.host === from.host && (to.protocol === from.protocol || to.protocol === 'https:');
    const mayFollow = isSafe && (answer.status === 307 || answer.status === 308) && redirects < MAX_REDIRECTS;
    if (mayFollow)
        return follow({ ...what, url: to.href }, sending, redirects + 1);
    throw new _core_failure_js__WEBPACK_IMPORTED_MODULE_3__/* .Failure */ .H('not-delivered', `${what.label} redirected to ${to?.host ?? 'nowhere'} (${answer.status}).`, {
        hint: 'Put the address that answers itself into `notify`.',
    });
}
function once({ url, headers, body }, { env, signal }) {
    return new Promise((resolve, reject) => {
        const isSecure = url.startsWith('https:');
        // Node's own agents ignore `https_proxy`; these honour it.
        const agent = isSecure ? new node_https__WEBPACK_IMPORTED_MODULE_1__.Agent({ proxyEnv: env }) : new node_http__WEBPACK_IMPORTED_MODULE_0__.Agent({ proxyEnv: env });
        const sized = { ...headers, 'user-agent': 'lifeboat', 'content-length': Buffer.byteLength(body) };
        const sent = (isSecure ? node_https__WEBPACK_IMPORTED_MODULE_1__.request : node_http__WEBPACK_IMPORTED_MODULE_0__.request)(url, { method: 'POST', agent, signal, headers: sized });
        sent.on('error', reject);
        sent.on('response', (response) => readAnswer(response).then(resolve, reject));
        sent.end(body);
    });
}
async function readAnswer(response) {
    const chunks = [];
    let bytes = 0;
    for await (const chunk of response) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES)
            break;
    }
    const body = Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8');
    const { location, 'retry-after': retryAfter } = response.headers;
    return { status: response.statusCode ?? 0, body, location, retryAfter };
}
const PASSING = new Set(['ECONNRESET', 'EPIPE', 'EAI_AGAIN']);
function isPassing(error) {
    return PASSING.has(codeOf(error));
}
function codeOf(error) {
    return error instanceof Error && 'code' in error ? String(error.code) : '';
}
/** By the code alone: messages of libraries may hold the URL. */
function explain(error, { label, url }, signal) {
    if (error instanceof _core_failure_js__WEBPACK_IMPORTED_MODULE_3__/* .Failure */ .H)
        return error;
    const { host, protocol } = new URL(url);
    const reach = `Check that this machine reaches ${host}, by \`https_proxy\` and \`no_proxy\` where there is a proxy.`;
    if (signal.aborted)
        return new _core_failure_js__WEBPACK_IMPORTED_MODULE_3__/* .Failure */ .H('timed-out', `${label} did not answer in time.`, { hint: reach, cause: error });
    const code = codeOf(error);
    const isTls = /CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO_/.test(code) && protocol === 'https:';
    const hint = isTls
        ? `Check the certificate of ${host}; one of your own authority needs NODE_EXTRA_CA_CERTS in the environment of the job.`
        : reach;
    return new _core_failure_js__WEBPACK_IMPORTED_MODULE_3__/* .Failure */ .H('not-delivered', `${label} could not be reached${code === '' ? '' : ` (${code})`}.`, {
        hint,
        cause: error,
    });
}
/** Whether it was taken. */
function isTaken({ status }) {
    return status >= 200 && status < 300;
}
/** A receiver that did not take it: `Slack (hooks.slack.com) answered 404 (no_service).` */
function notTaken(label, { status }, said, hint) {
    const busy = `It is out of order or has too much to do; the next run tries again.`;
    const what = said === '' ? '' : ` (${said})`;
    return new _core_failure_js__WEBPACK_IMPORTED_MODULE_3__/* .Failure */ .H('not-delivered', `${label} answered ${status}${what}.`, {
        hint: status === 429 || status >= 500 ? busy : hint,
    });
}


/***/ }),

/***/ 5381:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   sendSlack: () => (/* binding */ sendSlack),
/* harmony export */   slackMessage: () => (/* binding */ slackMessage)
/* harmony export */ });
/* harmony import */ var _core_notification_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(9196);
/* harmony import */ var _core_plain_text_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(1483);
/* harmony import */ var _escape_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(5550);
/* harmony import */ var _http_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(3909);




// Limits of Block Kit: 50 blocks, 150 characters in a header, 3,000 in a section; the cuts below add up to less.
// https://docs.slack.dev/reference/block-kit/blocks
const LONGEST_HEADER = 150;
/** More than that nobody reads in a chat. */
const MAX_FINDINGS = 10;
/** Of the text, which is shown where blocks are not: in previews, and by compatible servers. */
const LONGEST_TEXT = 12_000;
/** @throws {Failure} `not-delivered`, `timed-out` */
async function sendSlack(target, { notification }, sending) {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const body = JSON.stringify(slackMessage(notification));
    const answer = await (0,_http_js__WEBPACK_IMPORTED_MODULE_2__/* .post */ .bE)({ label: target.label, url: target.url, headers, body }, sending);
    if (!(0,_http_js__WEBPACK_IMPORTED_MODULE_2__/* .isTaken */ .Ck)(answer))
        throw (0,_http_js__WEBPACK_IMPORTED_MODULE_2__/* .notTaken */ .h4)(target.label, answer, saidBy(answer), hintFor(saidBy(answer)));
}
function slackMessage(notification) {
    const head = `${_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .icons */ .Pt[notification.verdict]} ${(0,_core_plain_text_js__WEBPACK_IMPORTED_MODULE_3__/* .oneLine */ .TN)((0,_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .headOf */ .Uo)(notification))}`;
    const intro = introOf(notification);
    const findings = notification.findings.slice(0, MAX_FINDINGS).map(describe);
    const rest = restOf(notification);
    const header = { type: 'header', text: { type: 'plain_text', text: (0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escaped */ .M)(head, LONGEST_HEADER), emoji: false } };
    const text = [`*${(0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escaped */ .M)(head, 300)}*`, intro, ...findings, rest].filter((part) => part !== '').join('\n\n');
    return {
        text: text.length > LONGEST_TEXT ? [`*${(0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escaped */ .M)(head, 300)}*`, intro, rest].join('\n\n') : text,
        blocks: [header, ...[intro, ...findings, rest].filter((part) => part !== '').map(section)],
        unfurl_links: false,
        unfurl_media: false,
    };
}
function section(text) {
    // Verbatim: Slack looks for neither links nor names of channels.
    return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}
function introOf(notification) {
    const { headline, sources } = notification;
    const numbers = headline.map(({ name, value }) => `${name}: ${value}`).join(' · ');
    const where = [(0,_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .placeOf */ .$t)(notification), ...sources.slice(0, 10)].join(' · ');
    return [(0,_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .changeSentence */ .y6)(notification), where, numbers]
        .filter((line) => line !== '')
        .map((line) => (0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escaped */ .M)((0,_core_plain_text_js__WEBPACK_IMPORTED_MODULE_3__/* .oneLine */ .TN)(line), 900))
        .join('\n');
}
function describe({ status, message, rule, subject, hint }) {
    const where = subject === undefined ? '' : ` — ${(0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escaped */ .M)((0,_core_plain_text_js__WEBPACK_IMPORTED_MODULE_3__/* .oneLine */ .TN)(subject), 300)}`;
    const first = `${_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .icons */ .Pt[status]} *${status}* ${(0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escaped */ .M)(message, 1_400)} (${rule}${where})`;
    return hint === undefined ? first : `${first}\n*What to do:* ${(0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escaped */ .M)(hint, 1_000)}`;
}
function restOf(notification) {
    const { url } = notification.run;
    const shown = Math.min(notification.findings.length, MAX_FINDINGS);
    const link = url === undefined ? '' : `<${(0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escapedUrl */ .n)(url)}|Open the run>`;
    return [(0,_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .moreSentence */ .rr)(notification, shown), link].filter((line) => line !== '').join('\n');
}
/** Slack says one word, e.g. `no_service`. */
function saidBy({ body }) {
    return /^[a-z_]{2,60}$/.test(body.trim()) ? body.trim() : '';
}
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
const HINTS = {
    no_service: 'The webhook was revoked or its app removed. Make a new one, and put its URL into the secret.',
    no_active_hooks: 'The webhook was switched off. Make a new one, and put its URL into the secret.',
    no_team: 'The workspace is not there. Make a webhook in the one you use, and put its URL into the secret.',
    invalid_token: 'Copy the whole URL of the incoming webhook again; a part of it is missing or wrong.',
    channel_not_found: 'The channel was removed. Make a webhook for another one.',
    channel_is_archived: 'The channel was archived. Make a webhook for another one.',
    action_prohibited: 'The workspace forbids this webhook to post. Ask one of its administrators.',
};
function hintFor(said) {
    return HINTS[said] ?? 'Check that the whole URL of the incoming webhook was copied, and that it still exists.';
}


/***/ })

};
