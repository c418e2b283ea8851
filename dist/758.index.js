export const id = 758;
export const ids = [758];
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

/***/ 9758:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   sendTelegram: () => (/* binding */ sendTelegram),
/* harmony export */   telegramText: () => (/* binding */ telegramText)
/* harmony export */ });
/* harmony import */ var zod__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(6921);
/* harmony import */ var _core_notification_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(9196);
/* harmony import */ var _core_plain_text_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(1483);
/* harmony import */ var _escape_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(5550);
/* harmony import */ var _http_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(3909);





/** Of a message, https://core.telegram.org/bots/api#sendmessage; counted there without tags. */
const LONGEST = 4_096;
/** @throws {Failure} `not-delivered`, `timed-out` */
async function sendTelegram(target, { notification }, sending) {
    const { label, token, chat, thread, endpoint } = target;
    const body = JSON.stringify({
        chat_id: chat,
        ...(thread !== undefined && { message_thread_id: thread }),
        text: telegramText(notification),
        parse_mode: 'HTML',
        link_preview_options: { is_disabled: true },
    });
    const url = `${endpoint}/bot${token}/sendMessage`;
    const headers = { 'content-type': 'application/json' };
    const pauseIn = (answer) => errorOf(answer)?.parameters?.retry_after;
    const answer = await (0,_http_js__WEBPACK_IMPORTED_MODULE_2__/* .post */ .bE)({ label, url, headers, body, pauseIn }, sending);
    if ((0,_http_js__WEBPACK_IMPORTED_MODULE_2__/* .isTaken */ .Ck)(answer))
        return;
    const said = (errorOf(answer)?.description ?? '').replaceAll(token, '***');
    throw (0,_http_js__WEBPACK_IMPORTED_MODULE_2__/* .notTaken */ .h4)(label, answer, (0,_core_plain_text_js__WEBPACK_IMPORTED_MODULE_3__/* .clip */ .$Q)((0,_core_plain_text_js__WEBPACK_IMPORTED_MODULE_3__/* .oneLine */ .TN)(said), 200), hintFor(answer, target));
}
/** As HTML of Telegram. Findings are left out as a whole: a message with half a tag is refused. */
function telegramText(notification, longest = LONGEST) {
    const head = `<b>${_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .icons */ .Pt[notification.verdict]} ${inline((0,_core_plain_text_js__WEBPACK_IMPORTED_MODULE_3__/* .oneLine */ .TN)((0,_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .headOf */ .Uo)(notification)), 400)}</b>`;
    const intro = [(0,_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .changeSentence */ .y6)(notification), (0,_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .placeOf */ .$t)(notification), sourcesOf(notification)]
        .filter((line) => line !== '')
        .map((line) => inline(line, 300));
    const { url } = notification.run;
    const link = url === undefined ? '' : `<a href="${(0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escapedUrl */ .n)(url)}">Open the run</a>`;
    const start = [head, ...intro].join('\n');
    const findings = [];
    const whole = () => [start, ...findings, [(0,_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .moreSentence */ .rr)(notification, findings.length), link].filter((line) => line !== '').join('\n')]
        .filter((part) => part !== '')
        .join('\n\n');
    for (const finding of notification.findings) {
        findings.push(describe(finding));
        if (whole().length <= longest)
            continue;
        findings.pop();
        break;
    }
    return whole();
}
function sourcesOf({ sources }) {
    return sources.length === 0 ? '' : sources.slice(0, 10).join(', ');
}
function describe({ status, message, rule, hint }) {
    const first = `${_core_notification_js__WEBPACK_IMPORTED_MODULE_0__/* .icons */ .Pt[status]} <b>${status}</b> ${inline(message, 600)} (${rule})`;
    return hint === undefined ? first : `${first}\n<b>What to do:</b> ${inline(hint, 400)}`;
}
/** `code` between backticks is shown as code, since messages and hints write input names so. */
function inline(text, limit) {
    return (0,_escape_js__WEBPACK_IMPORTED_MODULE_1__/* .escaped */ .M)(text, limit).replaceAll(/`([^`\n]+)`/g, '<code>$1</code>');
}
const TelegramError = zod__WEBPACK_IMPORTED_MODULE_4__/* .object */ .Ikc({
    description: zod__WEBPACK_IMPORTED_MODULE_4__/* .string */ .YjP().optional(),
    parameters: zod__WEBPACK_IMPORTED_MODULE_4__/* .object */ .Ikc({ retry_after: zod__WEBPACK_IMPORTED_MODULE_4__/* .number */ .aig().optional(), migrate_to_chat_id: zod__WEBPACK_IMPORTED_MODULE_4__/* .number */ .aig().optional() }).optional(),
});
function errorOf({ body }) {
    try {
        return TelegramError.parse(JSON.parse(body));
    }
    catch {
        return undefined; // Not from Telegram, but from something before it.
    }
}
function hintFor(answer, { chat }) {
    const { description = '', parameters } = errorOf(answer) ?? {};
    const moved = parameters?.migrate_to_chat_id;
    if (moved !== undefined)
        return `The group became a supergroup. Write its new number, ${moved}, into \`notify\`.`;
    if (answer.status === 401 || answer.status === 404) {
        return 'The token is wrong or was revoked. Ask @BotFather for it, and put it into the secret.';
    }
    if (/chat not found/i.test(description)) {
        return `There is no chat ${chat} for this bot. Add the bot to it, or write to the bot once; numbers of groups are negative.`;
    }
    if (answer.status === 403)
        return `The bot was removed from ${chat} or blocked there. Add it again.`;
    return 'Check token, chat and, for a group with topics, `thread`.';
}


/***/ })

};
