export const id = 112;
export const ids = [112];
export const modules = {

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

/***/ 1112:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   sendWebhook: () => (/* binding */ sendWebhook),
/* harmony export */   signatureOf: () => (/* binding */ signatureOf)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(7598);
/* harmony import */ var _http_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(3909);


/** @throws {Failure} `not-delivered`, `timed-out` */
async function sendWebhook(target, { notification }, sending) {
    const { label, url, secret } = target;
    const body = JSON.stringify(notification);
    const headers = {
        'content-type': 'application/json; charset=utf-8',
        ...(secret !== undefined && { 'x-lifeboat-signature-256': signatureOf(body, secret) }),
    };
    const answer = await (0,_http_js__WEBPACK_IMPORTED_MODULE_1__/* .post */ .bE)({ label, url, headers, body }, sending);
    if (!(0,_http_js__WEBPACK_IMPORTED_MODULE_1__/* .isTaken */ .Ck)(answer))
        throw (0,_http_js__WEBPACK_IMPORTED_MODULE_1__/* .notTaken */ .h4)(label, answer, '', hintFor(answer.status));
}
/** Over the bytes of the body, in which `sentAt` stands: it ages with its signature. */
function signatureOf(body, secret) {
    return `sha256=${(0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createHmac)('sha256', secret).update(body).digest('hex')}`;
}
function hintFor(status) {
    if (status === 401 || status === 403)
        return 'Check that the receiver knows the same `secret`, or its own token.';
    if (status === 404 || status === 410)
        return 'Check the path of the URL: nothing listens there.';
    return 'Look into the log of the receiver.';
}


/***/ })

};
