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
