export const id = 112;
export const ids = [112];
export const modules = {

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
