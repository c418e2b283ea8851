export const id = 658;
export const ids = [658];
export const modules = {

/***/ 658:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  sendMail: () => (/* binding */ sendMail)
});

// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __webpack_require__(8500);
// EXTERNAL MODULE: ./node_modules/nodemailer/dist/esm/nodemailer.js + 38 modules
var nodemailer = __webpack_require__(6739);
// EXTERNAL MODULE: ./lib/core/failure.js
var failure = __webpack_require__(8165);
// EXTERNAL MODULE: ./lib/core/notification.js
var core_notification = __webpack_require__(9196);
// EXTERNAL MODULE: ./lib/core/plain-text.js
var plain_text = __webpack_require__(1483);
// EXTERNAL MODULE: ./lib/core/report-text.js
var report_text = __webpack_require__(7329);
;// CONCATENATED MODULE: ./lib/notify/mail-body.js



/** The part for readers without HTML. */
function mailText(notification) {
    const { headline, findings, run } = notification;
    const sections = [
        (0,plain_text/* oneLine */.TN)((0,core_notification/* headOf */.Uo)(notification)),
        introOf(notification).join('\n'),
        findings.map(report_text/* describeFinding */.j).join('\n\n'),
        (0,core_notification/* moreSentence */.rr)(notification, findings.length),
        headline.map(({ name, value }) => `${(0,plain_text/* oneLine */.TN)(name)}: ${(0,plain_text/* oneLine */.TN)(value)}`).join('\n'),
        run.url === undefined ? '' : `The run: ${run.url}`,
    ];
    return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}
/** The same as HTML. Styles stand in the elements, since many programs take no others; nothing is loaded. */
function mailHtml(notification) {
    const { headline, findings, run, verdict } = notification;
    const color = (0,core_notification/* isFailure */.N6)(notification) ? '#b42318' : '#1a7f37';
    const intro = introOf(notification).map(html).join('<br>');
    const pairs = headline.map(({ name, value }) => `<b>${html(name)}:</b> ${html(value)}`).join('<br>');
    const more = (0,core_notification/* moreSentence */.rr)(notification, findings.length);
    const link = run.url === undefined ? '' : `<a href="${html(run.url)}">Open the run</a>`;
    const parts = [intro, ...findings.map(describe), more, pairs, link].filter((part) => part !== '');
    return [
        '<!doctype html><html><body style="font-family:sans-serif;font-size:14px;line-height:1.5">',
        `<h2 style="font-size:18px;color:${color}">${core_notification/* icons */.Pt[verdict]} ${html((0,core_notification/* headOf */.Uo)(notification))}</h2>`,
        ...parts.map((part) => `<p>${part}</p>`),
        '</body></html>',
    ].join('\n');
}
function introOf(notification) {
    const { sources } = notification;
    const names = sources.length === 0 ? '' : `${sources.length === 1 ? 'Source' : 'Sources'}: ${sources.join(', ')}`;
    return [(0,core_notification/* changeSentence */.y6)(notification), (0,core_notification/* placeOf */.$t)(notification), names].filter((line) => line !== '').map(plain_text/* oneLine */.TN);
}
function describe({ status, message, rule, subject, hint }) {
    const where = subject === undefined ? '' : ` — ${html(subject)}`;
    const first = `${core_notification/* icons */.Pt[status]} <b>${status}</b> ${inline(message)} <span style="color:#666">(${rule}${where})</span>`;
    return hint === undefined ? first : `${first}<br><b>What to do:</b> ${inline(hint)}`;
}
/** `code` between backticks is shown as code, since messages and hints write input names so. */
function inline(text) {
    return html(text).replaceAll(/`([^`\n]+)`/g, '<code>$1</code>');
}
const ENTITIES = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
};
function html(text) {
    return (0,plain_text/* visible */.RK)(text)
        .replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? '')
        .replaceAll('\n', '<br>');
}

;// CONCATENATED MODULE: ./lib/notify/mail.js






const PAUSE_MS = 2_000;
const LONGEST_MS = 120_000;
/** A subject is shown to about this length. */
const LONGEST_SUBJECT = 200;
/** @throws {Failure} `not-delivered`, `timed-out` */
async function sendMail(target, message, { signal }) {
    try {
        const refused = await trySending(target, message, signal);
        if (refused.length > 0)
            throw notAll(target, refused);
    }
    catch (error) {
        throw explain(error, target, signal);
    }
}
async function trySending(target, message, signal) {
    try {
        return await sendOnce(target, message, signal);
    }
    catch (error) {
        if (signal.aborted || !isPassing(error))
            throw error;
        await (0,promises_.setTimeout)(PAUSE_MS, undefined, { signal });
        return sendOnce(target, message, signal);
    }
}
/** Resolves with the recipients that were refused while others were taken. */
async function sendOnce(target, message, signal) {
    const { host, port, secure, startTls, login } = target;
    const transport = (0,nodemailer/* createTransport */.oO)({
        host,
        port,
        secure,
        requireTLS: startTls === 'required',
        ignoreTLS: startTls === 'never',
        // With a login and no AUTH on offer nodemailer would try without.
        ...(login !== undefined && { auth: { user: login.user, pass: login.password }, forceAuth: true }),
        // The signal ends it; nodemailer's own limits are only for the case that there is none.
        connectionTimeout: LONGEST_MS,
        greetingTimeout: LONGEST_MS,
        socketTimeout: LONGEST_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
    });
    const info = await transport.sendMail({ ...mailOf(target, message), signal });
    return info.rejected;
}
/** A failure starts a conversation, and what follows on it, recovery too, is an answer. */
function mailOf({ to, from }, { notification, thread }) {
    const { id, change, failingSince } = notification;
    const domain = from.slice(from.lastIndexOf('@') + 1);
    const first = failingSince === null ? undefined : `<lifeboat.${thread}.${Date.parse(failingSince)}@${domain}>`;
    const isFirst = change === 'broke' && first !== undefined;
    return {
        from: { name: 'Lifeboat', address: from },
        to: [...to],
        subject: (0,plain_text/* clip */.$Q)((0,plain_text/* oneLine */.TN)(`[Lifeboat] ${(0,core_notification/* headOf */.Uo)(notification)}`), LONGEST_SUBJECT),
        date: new Date(notification.sentAt),
        messageId: isFirst ? first : `<lifeboat.${id}@${domain}>`,
        ...(!isFirst && first !== undefined && { inReplyTo: first, references: [first] }),
        // RFC 3834: no vacation notes, please.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        text: mailText(notification),
        html: mailHtml(notification),
    };
}
function isPassing(error) {
    const { code, responseCode } = error;
    const isTemporary = typeof responseCode === 'number' && responseCode >= 400 && responseCode < 500;
    return isTemporary || code === 'ECONNRESET' || code === 'ECONNECTION' || (code === 'ESOCKET' && isReset(error));
}
function isReset(error) {
    return error instanceof Error && /ECONNRESET|EPIPE/.test(error.message);
}
function notAll({ label, to }, refused) {
    const message = `${label} was not taken for ${refused.join(', ')}; ${to.length - refused.length} of ${to.length} were.`;
    return new failure/* Failure */.H('not-delivered', message, { hint: 'Check that these addresses exist.' });
}
/** By codes and by what the server answered: messages of libraries may hold what was sent. */
function explain(error, target, signal) {
    if (error instanceof failure/* Failure */.H)
        return error;
    const { label, host, port } = target;
    const server = `${host}:${port}`;
    const extra = (hint) => ({ hint, cause: error });
    if (signal.aborted) {
        const hint = `Check that this machine reaches ${server}; mail goes there directly, by no proxy.`;
        return new failure/* Failure */.H('timed-out', `${label} could not be sent in time by ${server}.`, extra(hint));
    }
    const said = answerOf(error, target);
    const why = said === '' ? codeOf(error) : said;
    return new failure/* Failure */.H('not-delivered', `${label} could not be sent by ${server} (${why}).`, extra(hintFor(error, server)));
}
function answerOf(error, { login }) {
    const { response } = error;
    if (typeof response !== 'string')
        return '';
    const text = login === undefined ? response : response.replaceAll(login.password, '***');
    return (0,plain_text/* clip */.$Q)((0,plain_text/* oneLine */.TN)(text.trim()), 200);
}
function codeOf(error) {
    const { code } = error;
    const inner = error instanceof Error ? /\bE[A-Z]{4,}\b|[A-Z]+(?:_[A-Z]+)+/.exec(error.message)?.[0] : undefined;
    return inner ?? (typeof code === 'string' ? code : 'no reason given');
}
function hintFor(error, server) {
    const { code, responseCode } = error;
    if (code === 'EAUTH' || code === 'ENOAUTH' || responseCode === 535) {
        return 'Check user and password in the URL; characters such as `@`, `:` and `/` must be encoded, e.g. `%40`.';
    }
    if (code === 'ETLS' || (error instanceof Error && /certificate|SSL|TLS/i.test(error.message))) {
        return `Check the certificate of ${server} and the port: \`smtps://\` is for 465, \`smtp://\` for 587 and 25. One of your own authority needs NODE_EXTRA_CA_CERTS in the environment of the job.`;
    }
    if (code === 'EENVELOPE' || code === 'EMESSAGE') {
        return 'Check `to` and `from`: many servers take mail only from an address of their own, or only after a login.';
    }
    return `Check host and port, and that this machine reaches ${server}; mail goes there directly, by no proxy.`;
}


/***/ })

};
