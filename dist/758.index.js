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
