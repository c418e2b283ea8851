export const id = 189;
export const ids = [189];
export const modules = {

/***/ 1189:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   pingText: () => (/* binding */ pingText),
/* harmony export */   sendPing: () => (/* binding */ sendPing),
/* harmony export */   sendStart: () => (/* binding */ sendStart)
/* harmony export */ });
/* harmony import */ var _core_change_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(119);
/* harmony import */ var _core_report_text_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(7329);
/* harmony import */ var _http_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(3909);



/** What every such service keeps of a body, https://healthchecks.io/docs/http_api/ */
const MAX_BYTES = 10_000;
/** @throws {Failure} `not-delivered`, `timed-out` */
async function sendStart(target, sending) {
    await send(target, '/start', '', sending);
}
/** @throws {Failure} `not-delivered`, `timed-out` */
async function sendPing(target, { report, notification }, sending) {
    const suffix = (0,_core_change_js__WEBPACK_IMPORTED_MODULE_0__/* .isWell */ .f5)(report.verdict) ? '' : '/fail';
    await send(target, suffix, pingText(report, notification.run.url), sending);
}
/** The first lines of a report, with the run behind the verdict. */
function pingText(report, runUrl) {
    const [verdict = '', ...rest] = (0,_core_report_text_js__WEBPACK_IMPORTED_MODULE_1__/* .renderText */ .S)(report).split('\n');
    const text = [verdict, ...(runUrl === undefined ? [] : [runUrl]), ...rest].join('\n');
    if (Buffer.byteLength(text) <= MAX_BYTES)
        return text;
    const mark = '\n…\n';
    const cut = Buffer.from(text)
        .subarray(0, MAX_BYTES - Buffer.byteLength(mark))
        .toString('utf8');
    // A character of several bytes may have been cut through.
    return `${cut.replace(/\ufffd$/, '')}${mark}`;
}
async function send(target, suffix, body, sending) {
    const { label } = target;
    const url = new URL(target.url);
    url.pathname += suffix;
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    const answer = await (0,_http_js__WEBPACK_IMPORTED_MODULE_2__/* .post */ .bE)({ label, url: url.href, headers, body }, sending);
    if ((0,_http_js__WEBPACK_IMPORTED_MODULE_2__/* .isTaken */ .Ck)(answer) && !isUnknown(answer))
        return;
    const said = /^[\w ()-]{1,60}$/.test(answer.body.trim()) ? answer.body.trim() : '';
    throw (0,_http_js__WEBPACK_IMPORTED_MODULE_2__/* .notTaken */ .h4)(label, answer, said, 'Check that the check exists, and that its whole ping URL was copied.');
}
/** Healthchecks answers 200 to the number of a check that does not exist. */
function isUnknown({ body }) {
    return /^OK \((not found|rate limited)\)/.test(body);
}


/***/ })

};
