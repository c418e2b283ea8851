export const id = 134;
export const ids = [134];
export const modules = {

/***/ 134:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   metricsText: () => (/* binding */ metricsText)
/* harmony export */ });
/* harmony import */ var prom_client__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(5222);
/* harmony import */ var _core_metrics_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(4238);


/**
 * Writes samples in the text format of Prometheus, in the order of the closed list; what only a newer version
 * knows comes last, with the help it had.
 */
async function metricsText({ samples, help }) {
    const registry = new prom_client__WEBPACK_IMPORTED_MODULE_0__.Registry();
    const names = [...Object.keys(_core_metrics_js__WEBPACK_IMPORTED_MODULE_1__/* .metrics */ .qd), ...new Set(samples.map(({ name }) => name))];
    for (const name of new Set(names)) {
        const own = samples.filter((sample) => sample.name === name);
        if (own.length > 0)
            addGauge(registry, name, { help: helpOf(name, help), own });
    }
    return await registry.metrics();
}
function addGauge(registry, name, { help, own }) {
    const labelNames = [...new Set(own.flatMap(({ labels }) => Object.keys(labels)))];
    const gauge = new prom_client__WEBPACK_IMPORTED_MODULE_0__.Gauge({ name, help, labelNames, registers: [registry] });
    for (const { labels, value } of own)
        if (value !== null)
            gauge.set({ ...labels }, value);
}
function helpOf(name, help) {
    const known = Object.hasOwn(_core_metrics_js__WEBPACK_IMPORTED_MODULE_1__/* .metrics */ .qd, name) ? _core_metrics_js__WEBPACK_IMPORTED_MODULE_1__/* .metrics */ .qd[name].help : undefined;
    return known ?? help.get(name) ?? name;
}


/***/ })

};
