export const id = 846;
export const ids = [846];
export const modules = {

/***/ 9160:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   KW: () => (/* binding */ cancelled),
/* harmony export */   Pq: () => (/* binding */ readInto),
/* harmony export */   S3: () => (/* binding */ endedEarly),
/* harmony export */   Um: () => (/* binding */ guardBody),
/* harmony export */   pV: () => (/* binding */ exactly)
/* harmony export */ });
/* harmony import */ var node_stream__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(7075);
/* harmony import */ var _core_failure_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(8165);
/* harmony import */ var _core_on_abort_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(3985);



/** Why a call ended early: the reason the signal was given, when that can be shown, else `cancelled`. */
function cancelled(signal) {
    const reason = signal.reason;
    if (reason instanceof _core_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .Failure */ .H)
        return reason;
    return new _core_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .Failure */ .H('cancelled', 'It was cancelled before it was finished.', { cause: reason });
}
/**
 * Hands every chunk of `body` to `take`, one at a time. The body is destroyed when `take` rejects or
 * `signal` aborts, so that the program behind it ends.
 *
 * @throws what `body` errored with, what `take` rejected with, or the reason of the signal
 */
async function readInto(body, signal, take) {
    const stop = guardBody(body, signal);
    try {
        for await (const chunk of body)
            await take(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk));
        if (signal?.aborted === true)
            throw cancelled(signal);
    }
    finally {
        stop();
    }
}
/**
 * Destroys `body` with the reason as soon as `signal` aborts. Returns what ends the watch. An error
 * of the body before anybody reads it is kept for the reader and does not end the process.
 */
function guardBody(body, signal) {
    body.on('error', () => { });
    if (signal === undefined)
        return () => { };
    const destroy = () => void body.destroy(cancelled(signal));
    if (!signal.aborted)
        return (0,_core_on_abort_js__WEBPACK_IMPORTED_MODULE_2__/* .onAbort */ .u)(signal, destroy);
    destroy();
    return () => { };
}
/** Passes bytes through, and errors unless they are `length` in all: a short read must never look like the end. */
function exactly(length, key) {
    let seen = 0;
    return new node_stream__WEBPACK_IMPORTED_MODULE_0__.Transform({
        transform(chunk, _encoding, done) {
            seen += chunk.length;
            done(null, chunk);
        },
        flush(done) {
            done(seen === length ? null : endedEarly(key, seen, length));
        },
    });
}
function endedEarly(key, seen, length) {
    return new _core_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .Failure */ .H('artifact-corrupt', `${key} ended after ${seen} of ${length} bytes.`, {
        hint: 'It was changed or truncated while it was read: find out by whom, and check the disk.',
    });
}


/***/ }),

/***/ 2846:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  localStore: () => (/* binding */ localStore)
});

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(3024);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(1455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(6760);
// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(7075);
// EXTERNAL MODULE: ./lib/core/failure.js
var failure = __webpack_require__(8165);
// EXTERNAL MODULE: ./lib/core/store-traits.js
var store_traits = __webpack_require__(938);
// EXTERNAL MODULE: ./lib/stores/body.js
var stores_body = __webpack_require__(9160);
;// CONCATENATED MODULE: ./lib/stores/local-errors.js

const MEANINGS = {
    ENOSPC: { code: 'store-full', hint: 'Free space on that file system, or prune older backups first.' },
    EDQUOT: { code: 'store-full', hint: 'Raise the disk quota of the user the runner runs as, or prune older backups.' },
    EFBIG: { code: 'store-full', hint: 'The file system or a limit (`ulimit -f`) allows no file of this size.' },
    EACCES: { code: 'store-denied', hint: 'Give the user the runner runs as read and write access to this folder.' },
    EPERM: { code: 'store-denied', hint: 'Give the user the runner runs as read and write access to this folder.' },
    EROFS: { code: 'store-denied', hint: 'The file system is mounted read-only: remount it for writing.' },
    ELOOP: {
        code: 'store-denied',
        hint: 'A symbolic link stands where a file or folder of the store belongs: remove it.',
    },
    ENOTDIR: { code: 'store-denied', hint: 'A file stands where the store needs a folder: move it away.' },
    EEXIST: { code: 'store-denied', hint: 'A file stands where the store needs a folder: move it away.' },
    ENAMETOOLONG: { code: 'store-denied', hint: 'The file system takes no name of this length: use a shorter folder.' },
};
const UNAVAILABLE = {
    code: 'store-unavailable',
    hint: 'Check the disk and its mount: `dmesg`, `df`, `mount`.',
};
function errorCode(error) {
    return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
/** Whether `error` says that a file or folder is not there. */
function isAbsent(error) {
    const code = errorCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR';
}
/** An error of the file system as a failure an operator can act on. */
function localFailure(error, doing) {
    if (error instanceof failure/* Failure */.H)
        return error;
    const { code, hint } = MEANINGS[errorCode(error) ?? ''] ?? UNAVAILABLE;
    return new failure/* Failure */.H(code, `${doing} failed: ${(0,failure/* messageOf */.b)(error)}`, {
        hint,
        cause: error,
    });
}
/** Runs one step on the file system; its errors become failures that say what was being done. */
async function onDisk(doing, step) {
    try {
        return await step();
    }
    catch (error) {
        throw localFailure(error, doing);
    }
}

;// CONCATENATED MODULE: ./lib/stores/local-folder.js
var __addDisposableResource = (undefined && undefined.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var __disposeResources = (undefined && undefined.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});




const TEMPORARY = '.tmp-';
/** The base folder of a local store: which paths keys have, and that none leaves it. */
class Folder {
    base;
    location;
    #real;
    constructor(base, location) {
        this.base = base;
        this.location = location;
    }
    /**
     * The path of a key, or of the folder part of a prefix. Keys come from manifests too, which
     * somebody else may have written: `..` must not lead out.
     */
    pathOf(key) {
        const names = key.split('/');
        const odd = names.some((name) => name === '' || name === '.' || name === '..' || name.startsWith(TEMPORARY));
        if (!odd && !key.includes('\0'))
            return (0,external_node_path_.join)(this.base, key);
        throw new failure/* Failure */.H('store-denied', `The key ${JSON.stringify(key)} cannot be a path in ${this.location}.`, {
            hint: 'Keys have no empty, `.` or `..` parts. Whoever wrote this key did not write it with this program.',
        });
    }
    /** The same, after checking that no symbolic link on the way leads out of the base. */
    async safePathOf(key) {
        const path = this.pathOf(key);
        const [inside, base] = await Promise.all([realFolder((0,external_node_path_.dirname)(path)), this.#realBase()]);
        if (inside === base || inside.startsWith(base + external_node_path_.sep))
            return path;
        throw new failure/* Failure */.H('store-denied', `${(0,external_node_path_.dirname)(path)} is a link that leads out of ${this.location}.`, {
            hint: 'Use the folder it points to as a store of its own, or mount it in place (`mount --bind`).',
        });
    }
    /** Asked once: it stays where it is, and one that is exchanged for a link in between no longer matches. */
    #realBase() {
        this.#real ??= realFolder(this.base);
        return this.#real;
    }
    /** Rejects with `store-missing` when the base does not exist: an unmounted disk is not an empty store. */
    async mustExist() {
        if (await isFolder(this.base))
            return;
        throw new failure/* Failure */.H('store-missing', `The folder of the store ${this.location} does not exist.`, {
            hint: 'Mount the disk, or create the folder: the first backup creates it only below an existing folder.',
        });
    }
    /** Creates the base itself, but nothing above it: a missing parent is a disk that is not mounted. */
    async createBase() {
        if (await isFolder(this.base))
            return;
        if (!(await isFolder((0,external_node_path_.dirname)(this.base))))
            await this.mustExist();
        await this.#create(this.base);
    }
    /** Creates the folder of a path below the base, durable up to the base. */
    async createParent(path) {
        await this.#create((0,external_node_path_.dirname)(path));
    }
    /** Step by step: `mkdir` with `recursive` reports a read-only file system as ENOENT. */
    async #create(folder) {
        try {
            await (0,promises_.mkdir)(folder, { mode: 0o700 });
        }
        catch (error) {
            if (errorCode(error) === 'EEXIST' && (await isFolder(folder)))
                return;
            if (errorCode(error) !== 'ENOENT' || folder === this.base)
                throw localFailure(error, `Creating ${folder}`);
            await this.#create((0,external_node_path_.dirname)(folder));
            return this.#create(folder);
        }
        await syncFolder((0,external_node_path_.dirname)(folder));
    }
    /** Removes the folder of a path and those above it, as long as they are empty; never the base. */
    async removeEmptyParents(path) {
        for (let folder = (0,external_node_path_.dirname)(path); folder.startsWith(this.base + external_node_path_.sep); folder = (0,external_node_path_.dirname)(folder)) {
            try {
                await (0,promises_.rmdir)(folder);
            }
            catch {
                return; // not empty, already gone, or not ours to remove: an empty folder does no harm
            }
        }
    }
}
/** Makes a creation, rename or removal in `folder` survive a power cut, where the file system can do that. */
async function syncFolder(folder) {
    await onDisk(`Syncing ${folder}`, async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const handle = __addDisposableResource(env_1, await (0,promises_.open)(folder, 'r'), true);
            await handle.sync().catch((error) => {
                // Network file systems (SMB, some of FUSE) know no such thing for folders.
                if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes(errorCode(error) ?? ''))
                    throw error;
            });
        }
        catch (e_1) {
            env_1.error = e_1;
            env_1.hasError = true;
        }
        finally {
            const result_1 = __disposeResources(env_1);
            if (result_1)
                await result_1;
        }
    });
}
async function isFolder(path) {
    return onDisk(`Looking at ${path}`, async () => {
        try {
            return (await (0,promises_.lstat)(await (0,promises_.realpath)(path))).isDirectory();
        }
        catch (error) {
            if (isAbsent(error))
                return false;
            throw error;
        }
    });
}
/** Links resolved as far as the path exists; what is created below cannot be a link. */
async function realFolder(path) {
    try {
        return await (0,promises_.realpath)(path);
    }
    catch (error) {
        if (!isAbsent(error) || path === (0,external_node_path_.dirname)(path))
            return onDisk(`Looking at ${path}`, () => Promise.reject(error));
        return (0,external_node_path_.join)(await realFolder((0,external_node_path_.dirname)(path)), path.slice((0,external_node_path_.dirname)(path).length));
    }
}

;// CONCATENATED MODULE: ./lib/stores/local-list.js




/** Folders read, and files looked at, ahead of whoever takes them. */
const AHEAD = 16;
/** Files looked at together. */
const MOST_FILES = 256;
/**
 * Walks the regular files in folders that may hold keys with this prefix, in ascending order of the
 * keys' bytes, folder by folder. Links, sockets and names that are no UTF-8 are not ours and do not
 * appear; folders that lie wholly before `after` are not opened. Of what is far ahead only names are kept.
 *
 * @param wanted which files to yield; a file is looked at only when it is wanted
 */
async function* walk(base, prefix, wanted, after = '') {
    const ahead = new Map();
    const begin = (step) => {
        const taken = ahead.get(step) ?? take(step, { base, prefix, wanted, after });
        // What went wrong is told when its turn has come, if it comes.
        taken.catch(() => undefined);
        ahead.set(step, taken);
        return taken;
    };
    // The next step is the last one.
    const left = [prefix.slice(0, prefix.lastIndexOf('/') + 1)];
    for (let step = left.at(-1); step !== undefined; step = left.at(-1)) {
        for (const next of left.slice(-AHEAD))
            void begin(next);
        const { found, rest } = await begin(step);
        ahead.delete(step);
        left.pop();
        yield* found;
        for (const next of rest.toReversed())
            left.push(next);
    }
}
async function take(step, sought) {
    if (typeof step !== 'string')
        return { found: await look(sought.base, step), rest: [] };
    const [first, ...rest] = stepsIn(step, await namesIn(step, sought), sought);
    if (first === undefined)
        return { found: [], rest };
    if (typeof first === 'string')
        return { found: [], rest: [first, ...rest] };
    return { found: await look(sought.base, first), rest };
}
function stepsIn(folder, names, { prefix, wanted }) {
    const steps = [];
    let files = [];
    for (const name of names) {
        const key = folder + name;
        if (name.endsWith('/')) {
            files = [];
            if (key.startsWith(prefix) || prefix.startsWith(key))
                steps.push(key);
        }
        else if (wanted({ key, name })) {
            if (files.length === 0)
                steps.push(files);
            files.push(key);
            if (files.length === MOST_FILES)
                files = [];
        }
    }
    return steps;
}
/** What is in a folder after a key, in order; folders with a slash at the end, which is how their keys sort. */
async function namesIn(folder, { base, after }) {
    if (!after.startsWith(folder) && compareBytes(folder, after) < 0)
        return [];
    const start = after.startsWith(folder) ? after.slice(folder.length) : '';
    const names = [];
    for (const entry of await readFolder((0,external_node_path_.join)(base, folder))) {
        const isFolder = entry.isDirectory();
        const name = isFolder ? `${entry.name}/` : entry.name;
        if ((isFolder || entry.isFile()) && !isBefore(name, start))
            names.push(name);
    }
    return names.sort(compareBytes);
}
/** What is in a folder; nothing when it does not exist (any more). */
async function readFolder(path) {
    return onDisk(`Reading ${path}`, async () => {
        try {
            return await (0,promises_.readdir)(path, { withFileTypes: true });
        }
        catch (error) {
            if (isAbsent(error))
                return [];
            throw error;
        }
    });
}
function isBefore(name, start) {
    if (start === '' || (name.endsWith('/') && start.startsWith(name)))
        return false;
    return compareBytes(name, start) <= 0;
}
async function look(base, keys) {
    const found = await Promise.all(keys.map((key) => lookAt(key, (0,external_node_path_.join)(base, key))));
    return found.filter((file) => file !== undefined);
}
async function lookAt(key, path) {
    return onDisk(`Looking at ${path}`, async () => {
        try {
            return { key, path, stats: await (0,promises_.lstat)(path) };
        }
        catch (error) {
            // Gone since the folder was read, or a name that is no UTF-8 and so cannot be asked for.
            if (isAbsent(error))
                return undefined;
            throw error;
        }
    });
}
/** Where UTF-16 may order in another way than UTF-8 does. */
const HIGH = /[\uD800-\uFFFF]/;
function compareBytes(a, b) {
    if (HIGH.test(a) || HIGH.test(b))
        return Buffer.compare(Buffer.from(a), Buffer.from(b));
    if (a === b)
        return 0;
    return a < b ? -1 : 1;
}
function isTemporary(name) {
    return name.startsWith(TEMPORARY);
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(7598);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(8161);
// EXTERNAL MODULE: ./lib/stores/write-once.js
var write_once = __webpack_require__(8103);
;// CONCATENATED MODULE: ./lib/stores/local-write.js
var local_write_addDisposableResource = (undefined && undefined.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var local_write_disposeResources = (undefined && undefined.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});









const READ_BACK_BYTES = 4 * 1024 * 1024;
const TEMPORARY_NAME = /^\.tmp-\d+\.[^.]+\.[0-9a-f]{8}\.(.+)$/s;
/**
 * Writes `body` so that `path` is absent or complete at every moment: a temporary file beside it,
 * synced and read back, then given its name. Leaves nothing behind when it rejects.
 */
async function writeDurably(folder, path, body, options) {
    const { handle, temporary } = await openTemporary(folder, path);
    try {
        const written = await fill(handle, temporary, body, options).finally(() => handle.close());
        await readBack(temporary, written, options);
        await giveName(temporary, path);
        await syncFolder((0,external_node_path_.dirname)(path));
        return written;
    }
    catch (error) {
        await (0,promises_.rm)(temporary, { force: true }).catch(() => { }); // openUploads finds what cannot be removed now
        await folder.removeEmptyParents(path);
        throw error;
    }
}
/** The name a temporary file will get, or undefined when it is none of ours. */
function nameOfTemporary(name) {
    return TEMPORARY_NAME.exec(name)?.[1];
}
async function openTemporary(folder, path) {
    const host = (0,external_node_os_.hostname)().replaceAll(/[^A-Za-z0-9_-]/g, '-') || 'unknown';
    const name = `${TEMPORARY}${process.pid}.${host}.${(0,external_node_crypto_.randomBytes)(4).toString('hex')}.${(0,external_node_path_.basename)(path)}`;
    const temporary = (0,external_node_path_.join)((0,external_node_path_.dirname)(path), name);
    for (let attempt = 1;; attempt += 1) {
        await folder.createParent(path);
        try {
            return { handle: await (0,promises_.open)(temporary, 'wx', 0o600), temporary };
        }
        catch (error) {
            // Somebody who removed the last backup beside us also removes the folder just created.
            if (!isAbsent(error) || attempt === 3)
                return onDisk(`Writing ${path}`, () => Promise.reject(error));
        }
    }
}
async function fill(handle, temporary, body, options) {
    const hash = (0,external_node_crypto_.createHash)('sha256');
    let bytes = 0;
    await (0,stores_body/* readInto */.Pq)(body, options.signal, async (chunk) => {
        await onDisk(`Writing ${temporary}`, () => handle.writeFile(chunk));
        hash.update(chunk);
        bytes += chunk.length;
        options.onBytes?.(chunk.length);
    });
    await onDisk(`Syncing ${temporary}`, () => handle.sync());
    return { bytes, sha256: hash.digest('hex') };
}
async function readBack(temporary, written, options) {
    const hash = (0,external_node_crypto_.createHash)('sha256');
    await onDisk(`Reading back ${temporary}`, async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const handle = local_write_addDisposableResource(env_1, await (0,promises_.open)(temporary, 'r'), true);
            for await (const chunk of handle.createReadStream({ highWaterMark: READ_BACK_BYTES, autoClose: false })) {
                hash.update(chunk);
                options.onBytes?.(0); // a sign of life, so that nobody takes the reading for a stall
                if (options.signal?.aborted === true)
                    throw (0,stores_body/* cancelled */.KW)(options.signal);
            }
        }
        catch (e_1) {
            env_1.error = e_1;
            env_1.hasError = true;
        }
        finally {
            const result_1 = local_write_disposeResources(env_1);
            if (result_1)
                await result_1;
        }
    });
    if (hash.digest('hex') === written.sha256)
        return;
    throw new failure/* Failure */.H('artifact-corrupt', `${temporary} held other bytes than were written to it.`, {
        hint: 'The disk or its memory is damaged: check `dmesg` and SMART before writing backups there.',
    });
}
async function giveName(temporary, path) {
    await onDisk(`Naming ${path}`, async () => {
        if ((0,write_once/* isRewritten */.v)(path))
            return (0,promises_.rename)(temporary, path);
        try {
            // link() refuses a name that is taken, which rename() would silently overwrite.
            await (0,promises_.link)(temporary, path);
        }
        catch (error) {
            if (errorCode(error) === 'EEXIST')
                throw (0,write_once/* alreadyThere */.p)(path);
            // No hard links here (exFAT, many network mounts): the name was free a moment ago.
            return (0,promises_.rename)(temporary, path);
        }
        await (0,promises_.rm)(temporary);
    });
}

;// CONCATENATED MODULE: ./lib/stores/versions.js

/** What a store says that keeps only what is there now. */
function noVersions(key, location) {
    return new failure/* Failure */.H('not-found', `${location} keeps no older versions, so there is none of ${key}.`, {
        hint: 'Take the backup from another store that holds it, or from a snapshot of the file system.',
    });
}

;// CONCATENATED MODULE: ./lib/stores/local.js
var local_addDisposableResource = (undefined && undefined.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var local_disposeResources = (undefined && undefined.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});













const READ_BYTES = 1024 * 1024;
/** Read at once: thousands of manifests as streams of a file take several times the memory, and longer. */
const SMALL_BYTES = 64 * 1024;
/**
 * A folder as a store. Files are 0600, folders 0700. The base folder is created by the first `put`
 * when its parent exists; before that, and while a disk is not mounted, everything that reads rejects
 * with `store-missing`.
 */
function localStore(place) {
    return new Local(new Folder(place.folder, place.location));
}
class Local {
    location;
    #folder;
    constructor(folder) {
        this.#folder = folder;
        this.location = folder.location;
    }
    async put(key, body, options = {}) {
        const stop = (0,stores_body/* guardBody */.Um)(body, options.signal);
        try {
            const path = await this.#pathToWrite(key);
            const written = await writeDurably(this.#folder, path, body, options);
            const stats = await onDisk(`Looking at ${path}`, () => (0,promises_.lstat)(path, { bigint: true }));
            return { ...written, tag: tagOf(stats) };
        }
        finally {
            stop();
            body.destroy(); // no effect on a body that was read to its end
        }
    }
    async get(key, options = {}) {
        if (options.signal?.aborted === true)
            throw (0,stores_body/* cancelled */.KW)(options.signal);
        const path = await this.#folder.safePathOf(key);
        const handle = await (0,promises_.open)(path, external_node_fs_.constants.O_RDONLY | external_node_fs_.constants.O_NOFOLLOW | external_node_fs_.constants.O_NONBLOCK).catch((error) => this.#refuseAbsent(key, error));
        const stats = await handle.stat();
        if (!stats.isFile()) {
            await handle.close();
            throw new failure/* Failure */.H('not-found', `${key} in ${this.location} is no file.`);
        }
        const start = options.start ?? 0;
        const length = Math.max(0, Math.min(options.length ?? stats.size, stats.size - start));
        if (length <= SMALL_BYTES)
            return readAtOnce(handle, { start, length, key }, options.signal);
        const file = handle.createReadStream({ start, end: start + length - 1, highWaterMark: READ_BYTES });
        return checkedStream(file, length, key, options.signal);
    }
    async head(key) {
        const path = await this.#folder.safePathOf(key);
        try {
            const stats = await (0,promises_.lstat)(path, { bigint: true });
            if (!stats.isFile())
                return undefined;
            return { key, bytes: Number(stats.size), modifiedAt: stats.mtime, tag: tagOf(stats) };
        }
        catch (error) {
            if (!isAbsent(error))
                throw localFailure(error, `Looking at ${path}`);
            await this.#folder.mustExist();
            return undefined;
        }
    }
    async *list(prefix, options = {}) {
        await this.#checkPrefix(prefix);
        const isWanted = ({ key, name }) => key.startsWith(prefix) && !isTemporary(name);
        const files = walk(this.#folder.base, prefix, isWanted, options.after);
        for await (const { key, stats } of files) {
            if (options.signal?.aborted === true)
                throw (0,stores_body/* cancelled */.KW)(options.signal);
            yield { key, bytes: stats.size, modifiedAt: stats.mtime };
        }
    }
    async listFolders() {
        await this.#folder.mustExist();
        const { base } = this.#folder;
        const entries = await onDisk(`Reading ${base}`, () => (0,promises_.readdir)(base, { withFileTypes: true }));
        const folders = entries.filter((entry) => entry.isDirectory() && !isTemporary(entry.name));
        return folders.map((entry) => entry.name).sort(compareBytes);
    }
    async remove(keys) {
        await this.#folder.mustExist();
        const left = [];
        const touched = new Map();
        for (const key of keys) {
            const path = await this.#folder.safePathOf(key);
            const reason = await removeFile(path);
            if (reason === undefined)
                touched.set((0,external_node_path_.dirname)(path), path);
            else
                left.push({ key, reason });
        }
        for (const [folder, path] of touched) {
            await syncFolder(folder).catch(refuseUnlessGone);
            await this.#folder.removeEmptyParents(path);
        }
        return left;
    }
    async locks() {
        return [];
    }
    async keepsVersions() {
        return false;
    }
    async *hidden() { }
    async *versionsUnder() { }
    async getVersion({ key }) {
        throw noVersions(key, this.location);
    }
    async undelete({ key }) {
        throw noVersions(key, this.location);
    }
    async *openUploads(prefix) {
        await this.#checkPrefix(prefix);
        for await (const { key, path, stats } of walk(this.#folder.base, prefix, ({ name }) => isTemporary(name))) {
            const name = nameOfTemporary((0,external_node_path_.basename)(path));
            const target = name === undefined ? undefined : (0,external_node_path_.join)((0,external_node_path_.dirname)(key), name);
            if (target === undefined || !target.startsWith(prefix))
                continue;
            const abort = () => this.#abort(path);
            yield { key: target, startedAt: stats.birthtime, lastChangeAt: stats.mtime, abort };
        }
    }
    async freeSpace() {
        const { base } = this.#folder;
        const space = await (0,promises_.statfs)(base).catch(async (error) => {
            if (!isAbsent(error))
                throw localFailure(error, `Looking at ${base}`);
            // Before the first backup the base is missing, and will be on the file system of its parent.
            return (0,promises_.statfs)((0,external_node_path_.dirname)(base)).catch(async () => {
                await this.#folder.mustExist();
                throw localFailure(error, `Looking at ${base}`);
            });
        });
        return { freeBytes: space.bavail * space.bsize, totalBytes: space.blocks * space.bsize };
    }
    async lifecycle() {
        return undefined;
    }
    async lockTraits() {
        return { isPossible: false, byDefault: undefined };
    }
    async traits(key) {
        const path = await this.#folder.safePathOf(key);
        const { type } = await onDisk(`Looking at ${path}`, () => (0,promises_.statfs)(path));
        // A name is taken by a link, which the kernel refuses where there is one.
        const conditionalWrites = { whole: 'honoured', inParts: 'honoured' };
        return { conditionalWrites, clockOffsetSeconds: undefined, fileSystem: (0,store_traits/* fileSystemOf */.j)(type) };
    }
    retries() {
        return 0;
    }
    async close() { }
    async #pathToWrite(key) {
        await this.#folder.createBase();
        const path = await this.#folder.safePathOf(key);
        const isTaken = !(0,write_once/* isRewritten */.v)(key) && (await this.head(key)) !== undefined;
        if (isTaken)
            throw (0,write_once/* alreadyThere */.p)(`${key} in ${this.location}`);
        return path;
    }
    async #checkPrefix(prefix) {
        await this.#folder.mustExist();
        const folder = prefix.slice(0, prefix.lastIndexOf('/'));
        if (prefix.includes('/'))
            await this.#folder.safePathOf(`${folder}/x`);
    }
    async #refuseAbsent(key, error) {
        if (!isAbsent(error))
            throw localFailure(error, `Opening ${key} in ${this.location}`);
        await this.#folder.mustExist();
        throw new failure/* Failure */.H('not-found', `${key} is not in ${this.location}.`, { cause: error });
    }
    async #abort(path) {
        await onDisk(`Removing ${path}`, () => (0,promises_.rm)(path, { force: true }));
        await this.#folder.removeEmptyParents(path);
    }
}
async function removeFile(path) {
    try {
        await (0,promises_.rm)(path);
        return undefined;
    }
    catch (error) {
        return isAbsent(error) ? undefined : localFailure(error, 'Removing it').message;
    }
}
function refuseUnlessGone(error) {
    if (!isAbsent(error.cause))
        throw error;
}
function tagOf(stats) {
    return `${stats.size} bytes of ${stats.mtimeNs}`;
}
/** The bytes as a stream that errors where they are fewer; the file is closed. */
async function readAtOnce(handle, { start, length, key }, signal) {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    await onDisk(`Reading ${key}`, async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const file = local_addDisposableResource(env_1, handle, true);
            for (let read = -1; read !== 0 && filled < length; filled += read) {
                read = (await file.read(bytes, filled, length - filled, start + filled)).bytesRead;
            }
        }
        catch (e_1) {
            env_1.error = e_1;
            env_1.hasError = true;
        }
        finally {
            const result_1 = local_disposeResources(env_1);
            if (result_1)
                await result_1;
        }
    });
    const stream = new external_node_stream_.Readable({
        read() {
            if (filled > 0)
                this.push(bytes.subarray(0, filled));
            if (filled === length)
                this.push(null);
            else
                this.destroy((0,stores_body/* endedEarly */.S3)(key, filled, length));
        },
    });
    return stream.once('close', (0,stores_body/* guardBody */.Um)(stream, signal));
}
/** `file`, erroring when it ends early; destroying what is returned closes the file. */
function checkedStream(file, length, key, signal) {
    const checked = (0,stores_body/* exactly */.pV)(length, key);
    const stop = (0,stores_body/* guardBody */.Um)(checked, signal);
    (0,external_node_stream_.pipeline)(file, checked, stop);
    return checked;
}


/***/ }),

/***/ 8103:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   p: () => (/* binding */ alreadyThere),
/* harmony export */   v: () => (/* binding */ isRewritten)
/* harmony export */ });
/* harmony import */ var _core_failure_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8165);
/* harmony import */ var _core_keys_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(1547);


const MARKS = [_core_keys_js__WEBPACK_IMPORTED_MODULE_1__/* .IN_PROGRESS */ .mS, _core_keys_js__WEBPACK_IMPORTED_MODULE_1__/* .REMOVING */ .ci];
/** Objects are written once; only the marks of a backup that is being made or removed change while it is. */
function isRewritten(key) {
    return MARKS.some((mark) => key === mark || key.endsWith(`/${mark}`));
}
function alreadyThere(what) {
    return new _core_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .H('store-denied', `${what} exists already, and objects are written once.`, {
        hint: 'Two runs wrote the same backup, or a clock was set back: let one source be backed up by one job.',
    });
}


/***/ })

};
