export const id = 714;
export const ids = [714];
export const modules = {

/***/ 2714:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  postgresql: () => (/* binding */ postgresql)
});

// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __webpack_require__(8500);
// EXTERNAL MODULE: ./lib/core/duration.js
var duration = __webpack_require__(8415);
// EXTERNAL MODULE: ./lib/core/failure.js
var core_failure = __webpack_require__(8165);
// EXTERNAL MODULE: ./lib/sys/short-command.js
var short_command = __webpack_require__(8639);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(7598);
// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(7075);
// EXTERNAL MODULE: ./lib/sys/environment.js
var sys_environment = __webpack_require__(8268);
// EXTERNAL MODULE: ./lib/sys/process.js
var sys_process = __webpack_require__(996);
// EXTERNAL MODULE: external "node:fs/promises"
var external_node_fs_promises_ = __webpack_require__(1455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(6760);
// EXTERNAL MODULE: ./node_modules/zod/v4/classic/iso.js
var iso = __webpack_require__(4377);
// EXTERNAL MODULE: ./lib/core/size.js
var core_size = __webpack_require__(6282);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(3024);
// EXTERNAL MODULE: ./node_modules/zod/v4/classic/schemas.js + 6 modules
var schemas = __webpack_require__(6921);
;// CONCATENATED MODULE: ./lib/sys/process-identity.js


/** Names one process for ever: its number is given out again after it ended, and after a reboot. */
const ProcessIdentity = schemas/* object */.Ikc({
    pid: schemas/* int */.Whr(),
    /** Clock ticks after boot, from /proc/<pid>/stat; null where there is no /proc. */
    startTime: schemas/* string */.YjP().nullable(),
    bootId: schemas/* string */.YjP().nullable(),
    /** The namespace in which `pid` means something: a folder may be shared between containers. */
    pidNamespace: schemas/* string */.YjP().nullable(),
});
function ownIdentity() {
    return {
        pid: process.pid,
        startTime: startTimeOf(process.pid),
        bootId: textOf('/proc/sys/kernel/random/boot_id'),
        pidNamespace: pidNamespace(),
    };
}
/** Whether the process still runs; undefined when that cannot be told from here. */
function isAlive(identity) {
    const here = ownIdentity();
    if (here.bootId !== identity.bootId)
        return here.bootId === null || identity.bootId === null ? undefined : false;
    if (here.pidNamespace !== identity.pidNamespace)
        return undefined;
    const startTime = startTimeOf(identity.pid);
    return startTime !== null && startTime === identity.startTime;
}
/** Processes whose working folder is `folder` or lies below it: what a PostgreSQL server's all do. */
function processesIn(folder) {
    return namesIn('/proc')
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) => isWithin(folder, workingFolder(pid)))
        .map(Number);
}
function isWithin(folder, path) {
    return path === folder || path.startsWith(`${folder}/`);
}
/** The direct children of a process, as the kernel counts them. */
function childrenOf(pid) {
    const text = textOf(`/proc/${pid}/task/${pid}/children`) ?? '';
    return text
        .split(' ')
        .filter((word) => word !== '')
        .map(Number);
}
function startTimeOf(pid) {
    // The program's name stands in parentheses and may hold spaces: count from the last one.
    const stat = textOf(`/proc/${pid}/stat`);
    if (stat === null)
        return null;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isZombie = fields[0] === 'Z' || fields[0] === 'X';
    return isZombie ? null : (fields[19] ?? null);
}
function pidNamespace() {
    try {
        return (0,external_node_fs_.readlinkSync)('/proc/self/ns/pid');
    }
    catch {
        return null; // no Linux
    }
}
function workingFolder(pid) {
    try {
        return (0,external_node_fs_.readlinkSync)(`/proc/${pid}/cwd`);
    }
    catch {
        return ''; // ended meanwhile, or somebody else's
    }
}
function textOf(path) {
    try {
        return (0,external_node_fs_.readFileSync)(path, 'utf8').trim();
    }
    catch {
        return null; // ended meanwhile, or no Linux
    }
}
function namesIn(folder) {
    try {
        return (0,external_node_fs_.readdirSync)(folder);
    }
    catch {
        return []; // no Linux
    }
}

;// CONCATENATED MODULE: ./lib/sys/scratch-dir.js










const OWNER_FILE = 'owner.json';
const NAME = /^scratch-[A-Za-z0-9._-]+$/;
/** Being made or removed by the process that its name says: a moment in which there may be no file to say it. */
const HALF = /^\.half-([A-Za-z0-9_-]+)\.[0-9a-f]+$/;
const REMOVE_ROUNDS = 5;
const KEPT_MS = 24 * 3_600_000;
/** How long a folder is left alone whose owner cannot be judged from here (another container, no owner). */
const UNCLEAR_MS = 24 * 3_600_000;
const TMPFS = new Set([0x01021994, 0x858458f6]);
const Owner = ProcessIdentity.extend({
    createdAt: iso/* datetime */.w$(),
    keptUntil: iso/* datetime */.w$().optional(),
});
/**
 * Makes `scratch-<name>` below `base`, which is made too when it is not there.
 *
 * @param neededBytes free space there must be
 * @throws {Failure} `scratch-failed` when `base` is not safe or not on disk, `disk-full`
 */
async function makeScratchDir(base, name, neededBytes) {
    await prepareBase(base);
    await checkSpace(base, neededBytes);
    const path = (0,external_node_path_.join)(base, `scratch-${name}`);
    const owner = { ...ownIdentity(), createdAt: new Date().toISOString() };
    await makeOwned(path, owner).catch((cause) => {
        throw unusable(base, `nothing can be written to it (${(0,core_failure/* messageOf */.b)(cause)})`, cause);
    });
    return {
        path,
        remove: async () => void (await removeDir(path)),
        keep: async () => {
            await writeOwner(path, { ...owner, keptUntil: new Date(Date.now() + KEPT_MS).toISOString() });
            await (0,external_node_fs_promises_.chmod)(path, 0o700);
        },
    };
}
async function makeOwned(path, owner) {
    const half = halfName((0,external_node_path_.dirname)(path));
    await (0,external_node_fs_promises_.mkdir)(half, { mode: 0o711 });
    // The umask of the runner's service may have taken from it what the server's user needs to pass.
    await (0,external_node_fs_promises_.chmod)(half, 0o711);
    await writeOwner(half, owner);
    await (0,external_node_fs_promises_.rename)(half, path);
}
function halfName(base) {
    const identity = Buffer.from(JSON.stringify(ownIdentity())).toString('base64url');
    return (0,external_node_path_.join)(base, `.half-${identity}.${(0,external_node_crypto_.randomBytes)(6).toString('hex')}`);
}
/** Undefined when the name does not say it. */
function makerOf(name) {
    try {
        const identity = Buffer.from(HALF.exec(name)?.[1] ?? '', 'base64url').toString('utf8');
        return ProcessIdentity.parse(JSON.parse(identity));
    }
    catch {
        return undefined; // not one of ours
    }
}
async function writeOwner(path, owner) {
    await (0,external_node_fs_promises_.writeFile)((0,external_node_path_.join)(path, OWNER_FILE), `${JSON.stringify(owner)}\n`, { mode: 0o600 });
}
async function prepareBase(base) {
    const made = await (0,external_node_fs_promises_.mkdir)(base, { recursive: true, mode: 0o711 }).catch((cause) => {
        throw unusable(base, 'it could not be made', cause);
    });
    if (made !== undefined)
        await (0,external_node_fs_promises_.chmod)(base, 0o711);
    const state = await (0,external_node_fs_promises_.lstat)(base);
    if (state.isSymbolicLink())
        throw unusable(base, 'it is a symbolic link');
    if (!state.isDirectory())
        throw unusable(base, 'it is no folder');
    if (!isTrusted(state))
        throw unusable(base, 'it belongs to somebody else, or others may write to it');
    const { type } = await (0,external_node_fs_promises_.statfs)(base);
    if (TMPFS.has(type))
        throw unusable(base, 'it is on tmpfs: a database restored there would fill the memory');
}
/** Ours or the administrator's, and nobody else may put something in our folder's place. */
function isTrusted(state) {
    const isSticky = (state.mode & 0o1000) !== 0;
    const othersWrite = (state.mode & 0o022) !== 0;
    return (state.uid === process.getuid?.() || state.uid === 0) && (isSticky || !othersWrite);
}
function unusable(base, why, cause) {
    return new core_failure/* Failure */.H('scratch-failed', `The scratch folder ${base} cannot be used: ${why}.`, {
        cause,
        hint: 'Name with `scratch-dir` a folder on disk that belongs to the user of this runner and that only it may write to.',
    });
}
/** The nearest folder above `path` that another user cannot pass; undefined when all let it through. */
async function closedFolderAbove(path) {
    for (let folder = (0,external_node_path_.dirname)(path);; folder = (0,external_node_path_.dirname)(folder)) {
        if (((await (0,external_node_fs_promises_.stat)(folder)).mode & 0o001) === 0)
            return folder;
        if (folder === (0,external_node_path_.dirname)(folder))
            return undefined;
    }
}
/** What an ordinary user may still write to the file system of `path`. */
async function freeBytesOf(path) {
    const { bavail, bsize } = await (0,external_node_fs_promises_.statfs)(path);
    return bavail * bsize;
}
async function checkSpace(base, neededBytes) {
    const freeBytes = await freeBytesOf(base);
    if (freeBytes >= neededBytes)
        return;
    const numbers = `${(0,core_size/* formatBytes */.z)(freeBytes)} are free, about ${(0,core_size/* formatBytes */.z)(neededBytes)} are needed`;
    throw new core_failure/* Failure */.H('disk-full', `The scratch folder ${base} has too little room: ${numbers}.`, {
        hint: 'Free space there, or name a folder on a larger disk with `scratch-dir`.',
    });
}
/**
 * Removes folders below `base` that killed runs left or whose day as a kept one is over. Never
 * touches the folder of a live run, nor what does not bear our mark.
 *
 * @returns what was removed, one sentence each
 */
async function removeLeftoverDirs(base) {
    const state = await (0,external_node_fs_promises_.lstat)(base).catch(() => undefined);
    if (state === undefined || !state.isDirectory() || !isTrusted(state))
        return [];
    const removed = [];
    for (const name of await (0,external_node_fs_promises_.readdir)(base)) {
        const path = (0,external_node_path_.join)(base, name);
        const why = NAME.test(name) || HALF.test(name) ? await whyLeftover(path) : undefined;
        if (why === undefined)
            continue;
        const ended = await removeDir(path);
        removed.push(`${path} (${why}${ended > 0 ? `; ${ended} processes still ran in it` : ''})`);
    }
    return removed;
}
async function whyLeftover(path) {
    const state = await (0,external_node_fs_promises_.lstat)(path).catch(() => undefined);
    if (state === undefined || !state.isDirectory() || state.uid !== process.getuid?.())
        return undefined;
    const isOld = Date.now() - state.mtimeMs > UNCLEAR_MS;
    const maker = makerOf((0,external_node_path_.basename)(path));
    if (maker !== undefined)
        return whyGone(maker, isOld);
    const owner = await readOwner(path);
    if (owner === undefined)
        return isOld ? 'it has no owner' : undefined;
    if (owner.keptUntil !== undefined)
        return Date.parse(owner.keptUntil) < Date.now() ? 'kept for a day' : undefined;
    return whyGone(owner, isOld);
}
function whyGone(owner, isOld) {
    const alive = isAlive(owner);
    if (alive === undefined)
        return isOld ? 'a day old, and its owner is not here' : undefined;
    return alive ? undefined : `left by process ${owner.pid}, which is gone`;
}
async function readOwner(path) {
    try {
        return Owner.parse(JSON.parse(await (0,external_node_fs_promises_.readFile)((0,external_node_path_.join)(path, OWNER_FILE), 'utf8')));
    }
    catch {
        return undefined; // not ours, or damaged; the age of the folder decides
    }
}
/** Resolves with how many processes had to be ended first. */
async function removeDir(path) {
    const ended = await endProcessesIn(path);
    const half = halfName((0,external_node_path_.dirname)(path));
    try {
        await (0,external_node_fs_promises_.rename)(path, half);
        await removeTree(half);
    }
    catch (cause) {
        if (cause.code !== 'ENOENT')
            throw unusable((0,external_node_path_.dirname)(path), `${path} cannot be removed (${(0,core_failure/* messageOf */.b)(cause)})`, cause);
    }
    return ended;
}
/** Not with node's own, to which every file is a promise of the same moment: 60 MB for twelve thousand tables. */
async function removeTree(path) {
    const env = (0,sys_environment/* childEnvironment */.Q)(process.env, { libpq: false });
    for (let round = 1;; round += 1) {
        try {
            return void (await (0,sys_process/* runText */.le)({ program: 'rm', args: ['-rf', '--', path], env }));
        }
        catch (error) {
            // Something was still writing to it.
            if (round === REMOVE_ROUNDS)
                throw error;
            await (0,promises_.setTimeout)(50);
        }
    }
}
/** A server is known by the data folder it works in, never by its name or number. */
async function endProcessesIn(path) {
    const ended = new Set();
    for (let round = 0; round < 100; round += 1) {
        const running = processesIn(path);
        if (running.length === 0)
            break;
        for (const pid of running) {
            ended.add(pid);
            kill(pid);
        }
        await (0,promises_.setTimeout)(20);
    }
    return ended.size;
}
function kill(pid) {
    try {
        process.kill(pid, 'SIGKILL');
    }
    catch {
        // Ended by itself between the look and the signal.
    }
}

// EXTERNAL MODULE: external "node:zlib"
var external_node_zlib_ = __webpack_require__(8522);
// EXTERNAL MODULE: external "node:stream/consumers"
var consumers_ = __webpack_require__(8321);
// EXTERNAL MODULE: external "node:buffer"
var external_node_buffer_ = __webpack_require__(4573);
;// CONCATENATED MODULE: ./lib/engines/postgresql/raw-text.js

// A database of encoding SQL_ASCII may hold any bytes in names and definitions. Those that are no UTF-8 become lone
// surrogates, one each, which no valid text holds: nothing is lost, and `encodeText` gives the same bytes back.
const ESCAPE = 0xdc00;
const ESCAPED = /([\u{dc80}-\u{dcff}]+)/u;
/** Bytes that ought to be UTF-8 as a text that tells the others apart. */
function decodeText(bytes) {
    if ((0,external_node_buffer_.isUtf8)(bytes))
        return bytes.toString('utf8');
    const parts = [];
    let from = 0;
    for (let at = 0; at < bytes.length;) {
        const length = lengthAt(bytes, at);
        if (length === 0) {
            parts.push(bytes.toString('utf8', from, at), String.fromCharCode(ESCAPE + (bytes[at] ?? 0)));
            from = at + 1;
        }
        at += length || 1;
    }
    return parts.join('') + bytes.toString('utf8', from);
}
/** Bytes of the character that begins at `at`; 0: none does. */
function lengthAt(bytes, at) {
    const first = bytes[at] ?? 0;
    if (first < 0x80)
        return 1;
    const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const character = bytes.subarray(at, at + length);
    return first >= 0xc2 && character.length === length && (0,external_node_buffer_.isUtf8)(character) ? length : 0;
}
function encodeText(text) {
    if (text.isWellFormed())
        return Buffer.from(text);
    const parts = text.split(ESCAPED);
    return Buffer.concat(parts.map((part, at) => (at % 2 === 0 ? Buffer.from(part) : Buffer.from(bytesOf(part)))));
}
function bytesOf(escaped) {
    return Array.from(escaped, (char) => char.charCodeAt(0) - ESCAPE);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/archive-list.js




/** Entries of an archive's table of contents, in the order they would be restored. */
function parseArchiveList(list) {
    return list.split('\n').flatMap((line) => {
        const [, id, what] = /^(\d+); \d+ \d+ (.*)$/.exec(line) ?? [];
        return id === undefined || what === undefined ? [] : [{ id: Number(id), line, what }];
    });
}
/** Extensions that a restore would create. */
function extensionsIn(entries) {
    return entries.flatMap(({ what }) => /^EXTENSION - (.*) $/.exec(what)?.[1] ?? []);
}
const IDENT = '(?:"(?:[^"]|"")*"|[^\\s"(),.;]+)';
const QUALIFIED = `${IDENT}\\.${IDENT}`;
const FOREIGN_KEY = new RegExp(`ALTER TABLE (?:ONLY )?(${QUALIFIED})\\s+ADD CONSTRAINT (${IDENT}) FOREIGN KEY \\([^)]*\\) REFERENCES (${QUALIFIED})\\(`);
const ATTACH = new RegExp(`ALTER TABLE ONLY (${QUALIFIED}) ATTACH PARTITION (${QUALIFIED}) `);
const PARTITIONED = new RegExp(`CREATE TABLE (${QUALIFIED}) \\([\\s\\S]*\\n\\)\\nPARTITION BY `);
const ENTRY_COMMENT = /^-- TOC entry (\d+) \(class \d+ OID \d+\)$/m;
/** Entries whose statements `findDanglingKeys` reads. */
function keyEntries(entries) {
    return entries.filter(({ what }) => /^(FK CONSTRAINT |TABLE ATTACH |TABLE (?!DATA ))/.test(what));
}
/**
 * Foreign keys into tables whose rows the archive does not hold, or into partitioned ones of which a
 * partition's rows are missing: they cannot be created again. Tables of extensions are no part of an
 * archive, and have their rows from the extension.
 *
 * @param entries of all archives of the backup
 * @param sql what `pg_restore --verbose -f -` prints for `keyEntries`
 */
function findDanglingKeys(entries, sql) {
    const partitions = new Map();
    const partitioned = new Set();
    const keys = [];
    for (const { id, statement } of statementsById(sql)) {
        const [, parent, child] = ATTACH.exec(statement) ?? [];
        if (parent !== undefined && child !== undefined)
            partitions.set(parent, [...(partitions.get(parent) ?? []), child]);
        const created = PARTITIONED.exec(statement)?.[1];
        if (created !== undefined)
            partitioned.add(created);
        const [, table, name, references] = FOREIGN_KEY.exec(statement) ?? [];
        if (references !== undefined)
            keys.push({ id, constraint: `${table} ${name}`, references });
    }
    const has = (kind, table) => entries.some(({ what }) => what.startsWith(`${kind} ${listName(table)} `));
    const isRowless = (table) => partitioned.has(table)
        ? (partitions.get(table) ?? []).some(isRowless)
        : has('TABLE', table) && !has('TABLE DATA', table);
    return keys.filter((key) => isRowless(key.references));
}
function statementsById(sql) {
    const [, ...parts] = sql.split(ENTRY_COMMENT);
    return parts.flatMap((part, index) => index % 2 === 0 ? [{ id: Number(part), statement: parts[index + 1] ?? '' }] : []);
}
/** `"My Schema".orders` as a list writes it: `My Schema orders`, line ends as spaces. */
function listName(qualified) {
    const [, schema = '', name = ''] = new RegExp(`^(${IDENT})\\.(${IDENT})$`).exec(qualified) ?? [];
    return [schema, name].map(plain).join(' ');
}
function plain(written) {
    const name = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
    return name.replaceAll(/[\r\n]/g, ' ');
}
/**
 * Runs a program that needs only the head of `input`, and gives its stdout. The table of contents
 * stands before the data, so nothing has to be kept: the rest of the stream is not read.
 */
async function readHead(commands, input, signal) {
    const pipe = (0,sys_process/* startPipeline */.lq)(commands, 'pipe', signal);
    let broken;
    input.once('error', (error) => {
        broken ??= error;
        void pipe.end();
    });
    pipe.stdin?.on('error', () => { }); // the reader had enough
    if (pipe.stdin !== null)
        input.pipe(pipe.stdin);
    try {
        const output = decodeText(await (0,consumers_.buffer)(pipe.stdout));
        const exit = await pipe.programs.at(-1)?.exit;
        signal.throwIfAborted();
        const failure = exit === undefined ? undefined : (0,sys_process/* failureOf */.g5)(exit);
        if (failure !== undefined)
            throw broken ?? (await killedBefore(pipe)) ?? failure;
        return output;
    }
    finally {
        input.destroy();
        input.on('error', () => { }); // our own destroying it is no error
        await pipe.end();
    }
}
/** A program killed before the reader leaves it an input that is too short, which says nothing of the backup. */
async function killedBefore({ programs }) {
    const exits = Promise.all(programs.slice(0, -1).map(({ exit }) => exit));
    const ended = await Promise.race([exits, (0,promises_.setTimeout)(1_000, [], { ref: false })]);
    const killed = ended.find(({ signal }) => signal !== null && signal !== 'SIGPIPE');
    return killed === undefined ? undefined : (0,sys_process/* failureOf */.g5)(killed);
}

;// CONCATENATED MODULE: ./lib/sys/line-cutter.js
/** A longer line goes through unseen: memory stays flat, and it is never left out. */
const LONGEST = 64 * 1024;
const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);
/** Leaves lines out of a stream of bytes, which comes in chunks that end anywhere. */
class LineCutter {
    #isDropped;
    /** The beginning of a line that goes on in the next chunk. */
    #held = NOTHING;
    #isLong = false;
    /** @param isDropped asked once for every line, in order, without its end */
    constructor(isDropped) {
        this.#isDropped = isDropped;
    }
    /** What is kept of this chunk, and of the line that the one before ended in. */
    take(chunk) {
        const kept = [];
        let [from, at] = [0, 0];
        for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, at)) {
            const isOut = this.#endLine(chunk.subarray(at, end), kept);
            if (isOut && at > from)
                kept.push(chunk.subarray(from, at));
            at = end + 1;
            if (isOut)
                from = at;
        }
        const to = this.#holds(chunk.subarray(at), kept) ? at : chunk.length;
        if (to > from)
            kept.push(chunk.subarray(from, to));
        return kept;
    }
    /** The last line, when it has no end. */
    end() {
        const last = this.#held;
        this.#held = NOTHING;
        return last.length === 0 || this.#isDropped(last) ? [] : [last];
    }
    /** Whether the line that ends here is left out; what was held of one that stays is kept. */
    #endLine(rest, kept) {
        if (this.#isLong) {
            this.#isLong = false;
            return false;
        }
        const held = this.#held;
        if (held.length === 0)
            return this.#isDropped(rest);
        this.#held = NOTHING;
        const isOut = this.#isDropped(Buffer.concat([held, rest]));
        if (!isOut)
            kept.push(held);
        return isOut;
    }
    /** Whether the beginning of a line is held back until its end is known; too much of it is not. */
    #holds(rest, kept) {
        if (!this.#isLong && this.#held.length + rest.length <= LONGEST) {
            this.#held = Buffer.concat([this.#held, rest]);
            return true;
        }
        if (this.#held.length > 0)
            kept.push(this.#held);
        this.#held = NOTHING;
        this.#isLong = true;
        return false;
    }
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/plain-dump.js

const plain_dump_IDENT = '"(?:[^"]|"")*"|[^\\s",;()]+';
const END = '-- PostgreSQL database dump complete';
/** Only in the head, before anything was created: further down it could be part of a text. */
const HEAD = /^(|--.*|SET .*|SELECT pg_catalog\.set_config\(.*|\\.*|(CREATE|ALTER|DROP|COMMENT ON) DATABASE .*)$/;
const OWNER = new RegExp(`^ALTER .* OWNER TO (${plain_dump_IDENT});$`);
const GRANT = new RegExp(`^(?:GRANT|REVOKE) .* (?:TO|FROM) (${plain_dump_IDENT})(?: WITH GRANT OPTION)?;$`);
const DEFAULTS = new RegExp(`^ALTER DEFAULT PRIVILEGES FOR ROLE (${plain_dump_IDENT}) .*? (?:TO|FROM) (${plain_dump_IDENT})(?: WITH GRANT OPTION)?;$`);
const POLICY = new RegExp(`^CREATE POLICY .* TO ((?:${plain_dump_IDENT})(?:, (?:${plain_dump_IDENT}))*)(?: USING .*| WITH CHECK .*|;)$`);
const MAPPING = new RegExp(`^CREATE USER MAPPING FOR (${plain_dump_IDENT}) `);
const MADE_DATABASE = new RegExp(`^CREATE DATABASE (${plain_dump_IDENT}) WITH TEMPLATE = template0 (.*);$`);
/** No role of the dump: every server has them, or they are no names. */
const NO_ROLE = /^(PUBLIC|CURRENT_USER|SESSION_USER|pg_.*)$/;
function newPlainFacts() {
    return {
        ...{ isDump: false, isCluster: false, isComplete: false, objects: 0 },
        ...{ server: undefined, client: undefined, database: undefined, encoding: undefined, locale: undefined },
        roles: new Set(),
    };
}
/** Reads what one line outside of rows tells. `isHead`: nothing was created before it. */
function readLine(line, isHead, facts) {
    if (isHead)
        readHeadLine(line, facts);
    if (line === END)
        facts.isComplete = true;
    if (line.startsWith('CREATE '))
        facts.objects += 1;
    for (const name of rolesOf(line))
        facts.roles.add(name);
}
function readHeadLine(line, facts) {
    if (line === '-- PostgreSQL database dump')
        facts.isDump = true;
    if (line === '-- PostgreSQL database cluster dump')
        facts.isCluster = true;
    facts.server ??= /^-- Dumped from database version (\S+)/.exec(line)?.[1];
    facts.client ??= /^-- Dumped by pg_dump version (\S+)/.exec(line)?.[1];
    facts.encoding ??= /^SET client_encoding = '(\w+)';$/.exec(line)?.[1];
    const [, name, options = ''] = MADE_DATABASE.exec(line) ?? [];
    if (name === undefined)
        return;
    facts.database ??= nameOf(name);
    facts.locale ??= localeOf(options);
}
/** `ENCODING = 'UTF8' LOCALE_PROVIDER = libc LC_COLLATE = 'C' LC_CTYPE = 'de_DE.UTF-8'`, or one LOCALE for both. */
function localeOf(options) {
    const value = (name) => new RegExp(`(?:^| )${name} = '([^']*)'`).exec(options)?.[1];
    const both = value('LOCALE');
    const [collate, ctype] = [value('LC_COLLATE') ?? both, value('LC_CTYPE') ?? both];
    if (collate === undefined || ctype === undefined)
        return undefined;
    const provider = /LOCALE_PROVIDER = (libc|icu|builtin)/.exec(options)?.[1];
    const icuLocale = value('ICU_LOCALE') ?? value('BUILTIN_LOCALE');
    return { provider: provider ?? 'libc', collate, ctype, ...(icuLocale !== undefined && { icuLocale }) };
}
function rolesOf(line) {
    const [, maker, grantee] = DEFAULTS.exec(line) ?? [];
    const list = POLICY.exec(line)?.[1];
    const listed = list === undefined ? [] : [...list.matchAll(new RegExp(plain_dump_IDENT, 'g'))].map(([name]) => name);
    const one = OWNER.exec(line)?.[1] ?? GRANT.exec(line)?.[1] ?? MAPPING.exec(line)?.[1];
    const written = maker === undefined ? [one, ...listed] : [maker, grantee];
    return written.flatMap((name) => (name === undefined || NO_ROLE.test(name) ? [] : nameOf(name)));
}
function nameOf(written) {
    return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
}
/** First letters of the lines that are looked at; rows as INSERT are not, of which there may be millions. */
const LOOKED_AT = new Set([...'\\-ACDGRS\r'].map((letter) => letter.charCodeAt(0)));
/**
 * Cuts a plain dump into lines and shows those outside of rows that matter.
 *
 * @param drops says of a line whether it is left out of what `take` gives back
 */
function plainDumpReader(drops) {
    const state = { isInRows: false, isHead: true, isTail: false };
    const judge = (line) => {
        state.isHead &&= HEAD.test(line);
        const isOut = drops(line, state);
        if (/^COPY .* FROM stdin;$/.test(line))
            state.isInRows = true;
        if (line === END)
            state.isTail = true;
        return isOut;
    };
    return new LineCutter((line) => {
        if (state.isInRows) {
            if (line.length <= 3 && line.toString('latin1').trimEnd() === '\\.')
                state.isInRows = false;
            return false;
        }
        if (line.length === 0 || LOOKED_AT.has(line[0] ?? 0))
            return judge(line.toString('utf8').replace(/\r$/, ''));
        state.isHead = false;
        return false;
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/connection.js

// Not WHATWG `URL`: it refuses what libpq takes, several hosts and sockets among them.
const DSN = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
/** The URL would carry it into argv, where everybody on the machine reads it. */
const SECRET_PARAMETERS = new Set(['password', 'sslpassword', 'oauth_client_secret']);
// A server that is gone without a word is noticed within two minutes; the system's own default is two hours.
const KEEPALIVES = ['keepalives_idle=60', 'keepalives_interval=15', 'keepalives_count=4'];
/**
 * Takes a URL apart. With wrapped programs the address is `tools-host`, or the socket inside.
 *
 * @throws {Failure} `invalid-input`; the value is never quoted, since it may hold a password
 */
function parseTarget(connection) {
    const { url } = connection;
    const parts = DSN.exec(url === '' ? 'postgresql://' : url);
    if (parts === null)
        throw malformed('it does not begin with `postgresql://` or is not a URL');
    const [, userinfo = '', address = '', path = '', query = ''] = parts;
    refuseSpiltPassword(address, path + query);
    const [user = '', ...rest] = userinfo.split(':');
    const parameters = parseParameters(query);
    const password = rest.length > 0 ? decode(rest.join(':')) : parameters.secrets.get('password');
    if (parameters.secrets.has('sslpassword'))
        throw malformed('`sslpassword` would be visible to every user of the machine; use a key without one, or a service file');
    const wrapped = connection.toolsPrefix !== undefined;
    const host = wrapped ? (connection.toolsHost ?? '') : address;
    const plain = wrapped ? parameters.plain.filter((entry) => !/^(host|hostaddr|port)=/.test(entry)) : parameters.plain;
    const at = user === '' ? host : `${user}@${host}`;
    return {
        password: password === '' ? undefined : password,
        database: path === '' ? parameters.database : decode(path),
        hasAddress: address !== '',
        label: `${address || 'the local socket'}${path === '' ? '' : `/${decode(path)}`}`,
        dsn: ({ applicationName, database }) => {
            const name = database === undefined ? path : encodeURIComponent(database);
            // A parameter would win over the path.
            const kept = database === undefined ? plain : plain.filter((entry) => !entry.startsWith('dbname='));
            const alive = KEEPALIVES.filter((entry) => !plain.some((given) => given.startsWith(entry.replace(/=.*/, '='))));
            const entries = [...kept, ...alive, `application_name=${encodeURIComponent(applicationName)}`];
            return `postgresql://${at}/${name}?${entries.join('&')}`;
        },
    };
}
/** A password that ends too early runs into the address, and libpq would quote it as a host or a port. */
function refuseSpiltPassword(address, behind) {
    if (address.includes('@'))
        throw malformed('a password holds `@`: write it as `%40`');
    const ports = address.split(',').map((host) => /:([^:\]]*)$/.exec(host)?.[1] ?? '');
    if (ports.every((port) => /^\d*$/.test(port)))
        return;
    if (!behind.includes('@'))
        throw malformed('its port is not a number');
    throw malformed('a password holds `/` or `?`: write them as `%2F` and `%3F`');
}
function parseParameters(query) {
    const plain = [];
    const secrets = new Map();
    for (const entry of query.split('&').filter((text) => text !== '')) {
        const [name = '', value = ''] = entry.split('=', 2);
        if (SECRET_PARAMETERS.has(name))
            secrets.set(name, decode(value));
        else if (name !== 'application_name')
            plain.push(entry);
    }
    const database = plain.findLast((entry) => entry.startsWith('dbname='))?.slice('dbname='.length);
    return { plain, secrets, database: database === undefined ? undefined : decode(database) };
}
function decode(text) {
    try {
        return decodeURIComponent(text);
    }
    catch (cause) {
        throw malformed('a `%` in it is not followed by two hex digits', cause);
    }
}
function malformed(why, cause) {
    return new core_failure/* Failure */.H('invalid-input', `\`database-url\` (value hidden) cannot be used: ${why}.`, {
        cause,
        hint: 'Write postgresql://user:password@host:5432/database, with special characters of the password percent-encoded.',
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/options.js
/** A setting of our own that tells whether what a connection asks for at its start arrives at a server: a pooler leaves it out. */
const ARRIVED = 'lifeboat.arrived';
/**
 * What roles and databases set by ALTER … SET and what would end or bend a program of ours before it can say SET
 * itself. Not the search path: each program sets it, and assertions see the database's own.
 */
const UNHINDERED = {
    [ARRIVED]: 'on',
    default_transaction_read_only: 'off',
    default_transaction_isolation: 'read committed',
    statement_timeout: '0',
    lock_timeout: '0',
    idle_in_transaction_session_timeout: '0',
    row_security: 'off',
};
/** @param major undefined: of a server that nobody has asked yet, which would refuse settings it does not know */
function unhindered(major) {
    return {
        ...UNHINDERED,
        ...(major !== undefined && major >= 14 && { idle_session_timeout: '0' }),
        ...(major !== undefined && major >= 17 && { transaction_timeout: '0' }),
    };
}
/** The same for sessions in a restored database, where settings of its roles must not bend anything either. */
const SHIELD = {
    role: 'none',
    local_preload_libraries: '',
    client_min_messages: 'warning',
};
/**
 * Options of everything we run in a restored database. A login trigger would lock us out (17 on).
 *
 * @param superuser others may not set all of it, and may restore nothing that needs it either
 */
function shielded(major, superuser = true) {
    const guarded = { session_preload_libraries: '', ...(major >= 17 && { event_triggers: 'off' }) };
    return { ...unhindered(major), ...SHIELD, ...(superuser && guarded) };
}
/** As PGOPTIONS has them, behind what was given before: the last word holds. */
function optionsText(before, options) {
    const words = Object.entries(options).map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, '\\$&')}`);
    return [before, ...words].join(' ').trim();
}
/** In the connection string, where `options` holds in place of PGOPTIONS. */
function withOptions(dsn, before, options) {
    const given = optionsIn(dsn);
    const bare = dsn.replaceAll(/(?<=[?&])options=[^&]*&?/g, '').replace(/[?&]$/, '');
    return `${bare}${bare.includes('?') ? '&' : '?'}options=${encodeURIComponent(optionsText(given ?? before, options))}`;
}
/** What a connection string says itself; undefined: nothing. The last one holds. */
function optionsIn(dsn) {
    const given = [...dsn.matchAll(/[?&]options=([^&]*)/g)].at(-1)?.[1];
    return given === undefined ? undefined : decodeURIComponent(given);
}
function optionsEnvironment(before, options) {
    return { PGOPTIONS: optionsText(before, options) };
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/pooler.js



/** What to do where a connection goes through a pooler that cannot carry a backup. */
const PAST_THE_POOLER = 'Give in `database-url` the port of PostgreSQL itself, or of a pool in session mode (PgBouncer then needs `ignore_startup_parameters = options`): a snapshot lives in one session.';
/** Each round is won by a pooler only while its other clients take what we gave back. */
const ROUNDS = 3;
/** A pool that is full makes its clients wait. */
const MOST_WAIT_MS = 15_000;
const PID = 'SELECT pg_catalog.pg_backend_pid();';
/**
 * Refuses a pooler that gives every transaction another server, before anything is set: what is set there stays, and
 * the next transaction of an application gets it. Where a pool is idle one client alone meets the same server again and
 * again; two tell, since each gets what the other gave back.
 *
 * @param openBeside only called where something stands between us and the server
 * @throws {Failure} `source-refused`
 */
async function refuseTransactionPool(ask, openBeside) {
    const [arrived] = await ask(`SELECT pg_catalog.current_setting('${ARRIVED}', true);`);
    if (arrived === 'on')
        return;
    const beside = await openBeside();
    try {
        for (let round = 1; round <= ROUNDS; round += 1) {
            const [mine] = await ask(PID);
            const [others] = await inTime(beside.ask(`BEGIN; ${PID}`));
            // In this order: a pool of one server would keep us waiting for the one that the other holds.
            if (mine === others || mine !== (await ask(PID))[0])
                throw inTransactions();
            await beside.ask('ROLLBACK;');
        }
    }
    finally {
        await beside.end();
    }
}
async function inTime(answer) {
    answer.catch(() => { }); // it may come once nobody waits for it
    return Promise.race([answer, (0,promises_.setTimeout)(MOST_WAIT_MS, undefined, { ref: false }).then(() => Promise.reject(noSecond()))]);
}
function noSecond() {
    const message = `The pooler gave no second connection to its server for ${MOST_WAIT_MS / 1000} s.`;
    return new core_failure/* Failure */.H('source-busy', message, {
        hint: 'A backup needs four at a time: raise `default_pool_size`, or give in `database-url` the port of PostgreSQL itself.',
    });
}
function inTransactions() {
    const message = 'The connection goes through a pooler in transaction mode: two statements met two servers.';
    return new core_failure/* Failure */.H('source-refused', message, { hint: PAST_THE_POOLER });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/explain.js


/** Said to whoever comes too late for an exported snapshot. */
const SNAPSHOT_LOST = /invalid snapshot identifier|could not import the requested snapshot|snapshot ".*" does not exist/;
const GRANTS = 'Grant the backup role what it needs (README, "The database role"): GRANT pg_read_all_data TO <role>, BYPASSRLS where row security is used, and SELECT on large objects or superuser where there are any.';
// First match wins. Patterns are those of libpq and the server in their untranslated form: sessions
// and programs run with LC_MESSAGES=C.
const explanations = [
    {
        // Of a session that waits it is `terminating connection due to …`, which says another thing elsewhere.
        pattern: /due to conflict with recovery/,
        code: 'source-busy',
        hint: 'The standby had to replay what the backup kept waiting: a VACUUM, DROP or TRUNCATE of the primary. Raise `max_standby_streaming_delay` on the standby above what a backup takes (and for VACUUM set `hot_standby_feedback`), or back up the primary.',
    },
    {
        // PgBouncer; of later versions `unsupported startup parameter in options: statement_timeout`.
        pattern: /unsupported startup parameter|not allowed in statement pooling mode/,
        code: 'source-refused',
        hint: PAST_THE_POOLER,
    },
    {
        pattern: /docker daemon|docker API|podman.*connect|No such container|container \S+ is not running/i,
        code: 'tool-failed',
        hint: 'Check that the container of `tools-prefix` runs (`docker ps`), and that the user of this runner may use it (group docker).',
    },
    {
        pattern: /password authentication failed|no password supplied/,
        code: 'source-denied',
        hint: 'Check user and password in `database-url` (special characters percent-encoded), or PGPASSWORD and ~/.pgpass of the runner.',
    },
    {
        pattern: /no pg_hba\.conf entry/,
        code: 'source-denied',
        hint: "Allow this runner's address in pg_hba.conf of the server, and reload it. `no encryption` in the message means that only TLS is allowed: add ?sslmode=require.",
    },
    {
        pattern: /(Peer|Ident) authentication failed/,
        code: 'source-denied',
        hint: 'The socket asks for the system user of that name: connect over TCP (postgresql://user:password@127.0.0.1/…) or map the user in pg_ident.conf.',
    },
    {
        pattern: /permission denied for database/,
        code: 'source-denied',
        hint: 'GRANT CONNECT ON DATABASE <database> TO <role>, as an owner of the database (README, "The database role").',
    },
    {
        pattern: /is not permitted to log in/,
        code: 'source-denied',
        hint: 'ALTER ROLE <role> LOGIN, or use another user in `database-url`.',
    },
    {
        pattern: /is not currently accepting connections/,
        code: 'source-denied',
        hint: 'Name the database at the end of `database-url`; this one is closed (ALTER DATABASE <database> ALLOW_CONNECTIONS true opens it).',
    },
    {
        pattern: /cannot connect to invalid database/,
        code: 'source-denied',
        hint: 'A DROP DATABASE of it was cut off: nothing in it can be read any more. Drop it (DROP DATABASE <database>, from another database), and try again.',
    },
    {
        pattern: /server does not support SSL/,
        code: 'source-unreachable',
        hint: 'Switch on `ssl` on the server, or, where the network is private, leave `sslmode` out of `database-url`.',
    },
    {
        pattern: /certificate verify failed|root certificate file|server certificate for|SSL error|tlsv1 alert/,
        code: 'source-unreachable',
        hint: "Check the certificate of the server: `sslrootcert` must name the authority that signed it, and with `sslmode=verify-full` the host of `database-url` must be the certificate's.",
    },
    {
        pattern: /invalid (URI|connection option|sslmode|port number|integer value)|missing "=" after|definition of service/,
        code: 'invalid-input',
        hint: 'Correct `database-url`: postgresql://user:password@host:5432/name?sslmode=require, special characters percent-encoded; parameters are those of libpq.',
    },
    {
        pattern: /database ".*" does not exist/,
        code: 'source-unreachable',
        hint: 'Correct the database name at the end of `database-url`.',
    },
    {
        pattern: /role ".*" does not exist/,
        code: 'source-denied',
        hint: 'Create the role (README, "The database role"), or correct the user in `database-url`.',
    },
    {
        pattern: /too many (connections|clients)|remaining connection slots/,
        code: 'source-busy',
        hint: 'Raise max_connections, or reserve connections for the backup role; a backup needs four.',
    },
    {
        pattern: /could not translate host name|Name or service not known|Temporary failure in name resolution/,
        code: 'source-unreachable',
        hint: 'Correct the host in `database-url`, or the DNS of this runner.',
    },
    {
        pattern: /Connection refused|could not connect|timeout expired|No route to host|Network is unreachable|Is the server running|server closed the connection unexpectedly|connection to server .* failed|terminating connection|the database system is (starting up|shutting down|in recovery)/,
        code: 'source-unreachable',
        hint: 'Check that the server runs and that this runner reaches its host and port (firewall, container network, `tools-prefix`).',
    },
    {
        pattern: /row-level security|row security/,
        code: 'source-denied',
        hint: 'Rows hidden by a policy would be missing without a word: give the backup role BYPASSRLS (ALTER ROLE <role> BYPASSRLS).',
    },
    { pattern: /permission denied|must be (superuser|owner)/, code: 'source-denied', hint: GRANTS },
    {
        // pg_dump's `--lock-wait-timeout` is a statement_timeout for its LOCK TABLE.
        pattern: /lock timeout|could not obtain lock|lock-wait-timeout|statement timeout.*LOCK TABLE/s,
        code: 'source-busy',
        hint: 'DDL (ALTER, TRUNCATE, VACUUM FULL, a migration) held a table longer than `table-lock-timeout`, or queued for one while it was read. Run the backup at another time, or raise the limit.',
    },
    {
        pattern: SNAPSHOT_LOST,
        code: 'source-unreachable',
        hint: 'The session that held the snapshot was ended: by somebody on the server (pg_terminate_backend), by a restart, or with its connection. Look at the log of the server, then run it again.',
    },
    {
        pattern: /canceling statement due to user request/,
        code: 'source-refused',
        hint: 'Somebody cancelled it on the server (pg_cancel_backend), or something does so with long statements. Leave backups alone, and run it again.',
    },
    {
        pattern: /server version mismatch/,
        code: 'tool-version',
        hint: "Install the client programs of the server's major on the runner.",
    },
    {
        pattern: /out of shared memory/,
        code: 'source-refused',
        hint: 'The server has no room for the locks: a backup holds one on every table to its end, as pg_dump does. Raise `max_locks_per_transaction` there (64 by default; 512 are enough for some 50,000 tables), and restart it.',
    },
    {
        pattern: /No space left on device|disk full/,
        code: 'disk-full',
        hint: 'Free space where the message says, then run again.',
    },
];
const UNKNOWN = 'The words are those of the program: search for them in its manual, and in the log of the server. With debug logging (RUNNER_DEBUG=1, `--debug`) the log shows how it was called.';
/**
 * The same failure with the code and hint for an operator, when the message is a known one.
 *
 * @param otherwise the hint for words of a program that nobody knows
 */
function explain(failure, otherwise = UNKNOWN) {
    if (failure.hint !== undefined)
        return failure;
    const known = explanations.find(({ pattern }) => pattern.test(failure.message));
    if (known === undefined && failure.code !== 'tool-failed')
        return failure;
    const { code, hint } = known ?? { code: failure.code, hint: otherwise };
    return new core_failure/* Failure */.H(code, failure.message, { hint, cause: failure });
}
/** The same for anything thrown; what is no failure of a program stays as it is. */
function explainError(error) {
    return error instanceof core_failure/* Failure */.H ? explain(error) : error;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/programs.js








/** Folders where distributions put them, Debian's first. Its `pg_dump` in PATH is a wrapper that picks the highest. */
const LAYOUTS = [
    { base: '/usr/lib/postgresql', folder: /^(\d+)$/ },
    { base: '/usr', folder: /^pgsql-(\d+)$/ },
    { base: '/opt', folder: /^postgresql-?(\d+)$/ },
];
/** Installations found on this machine that hold `program`, highest major first; with `binDir`, only that one. */
async function findInstallations(env, binDir, program) {
    const known = binDir === undefined ? LAYOUTS.flatMap(foldersOf) : [{ folder: binDir, major: undefined }];
    const onPath = binDir === undefined ? pathFolders(env) : [];
    const found = [];
    for (const { folder, major } of [...known, ...onPath]) {
        if (!isExecutable((0,external_node_path_.join)(folder, program)) || found.some((other) => other.folder === folder))
            continue;
        const actual = major ?? (await majorOf((0,external_node_path_.join)(folder, program), env));
        if (actual !== undefined)
            found.push({ folder, major: actual });
    }
    if (binDir !== undefined && found.length === 0) {
        const others = (await findInstallations(env, undefined, program)).map(({ folder }) => folder);
        const where = others.length === 0 ? 'e.g. /usr/lib/postgresql/16/bin' : `here ${others.join(' or ')}`;
        throw new core_failure/* Failure */.H('tool-missing', `There is no ${program} in ${binDir}.`, {
            hint: `Point \`bin-dir\` at a folder with PostgreSQL programs, ${where}, or leave it out.`,
        });
    }
    return found.toSorted((a, b) => b.major - a.major);
}
function foldersOf({ base, folder }) {
    return programs_namesIn(base).flatMap((name) => {
        const major = folder.exec(name)?.[1];
        return major === undefined ? [] : [{ folder: (0,external_node_path_.join)(base, name, 'bin'), major: Number(major) }];
    });
}
function programs_namesIn(folder) {
    try {
        return (0,external_node_fs_.readdirSync)(folder);
    }
    catch {
        return []; // a layout this machine does not have
    }
}
function pathFolders(env) {
    // Debian's wrappers in /usr/bin answer for an installation that is in the list already.
    const isWrapper = (folder) => safeRealpath((0,external_node_path_.join)(folder, 'psql')).endsWith('/pg_wrapper');
    const folders = (env.PATH ?? '').split(':').filter((folder) => folder.startsWith('/') && !isWrapper(folder));
    return folders.map((folder) => ({ folder, major: undefined }));
}
function safeRealpath(path) {
    try {
        return (0,external_node_fs_.realpathSync)(path);
    }
    catch {
        return path;
    }
}
function isExecutable(path) {
    try {
        (0,external_node_fs_.accessSync)(path, external_node_fs_.constants.X_OK);
        return true;
    }
    catch {
        return false;
    }
}
/** The major in `psql (PostgreSQL) 15.20 (Debian …)`; undefined when it cannot be run. */
async function majorOf(path, env) {
    const command = { program: path, args: ['--version'], env: (0,sys_environment/* childEnvironment */.Q)(env, { libpq: false }) };
    return parseMajor(await (0,short_command/* askProgram */.a)(command).catch(() => ''));
}
function parseVersion(text) {
    return /\(PostgreSQL\) (\d+(?:\.\d+)*(?:(?:beta|rc)\d+)?)/.exec(text)?.[1];
}
function parseMajor(text) {
    const version = parseVersion(text);
    return version === undefined ? undefined : Number.parseInt(version, 10);
}
/**
 * A client whose programs are those in `folder`, or the wrapped ones of `tools-prefix`.
 *
 * @param options that hold in every session, over those of the user, the role and the database
 */
function clientIn(connection, env, folder, options = unhindered(undefined)) {
    const given = env.PGOPTIONS ?? '';
    const target = withTargetOptions(connection, given, options);
    const password = target.password === undefined ? {} : { PGPASSWORD: target.password };
    const [wrapper, ...words] = connection.toolsPrefix ?? [];
    return {
        target,
        wrapped: wrapper !== undefined,
        command: (program, args, extraEnv = {}) => {
            const childEnv = {
                ...(0,sys_environment/* childEnvironment */.Q)(env, { libpq: true }),
                PGCLIENTENCODING: 'UTF8',
                ...optionsEnvironment(given, options),
                ...password,
                ...extraEnv,
            };
            if (wrapper !== undefined)
                return { program: wrapper, args: [...words, program, ...args], env: childEnv };
            return { program: folder === undefined ? program : (0,external_node_path_.join)(folder, program), args, env: childEnv };
        },
    };
}
/** Where our environment does not come along, or `options` of the URL would hold in its place. */
function withTargetOptions(connection, before, options) {
    const target = parseTarget(connection);
    const isWrapped = connection.toolsPrefix !== undefined;
    return {
        ...target,
        dsn: (given) => {
            const dsn = target.dsn(given);
            return isWrapped || optionsIn(dsn) !== undefined ? withOptions(dsn, before, options) : dsn;
        },
    };
}
/** A client good enough to ask the server its version: the newest psql talks to every older server. */
async function anyClient(connection, env) {
    if (connection.toolsPrefix !== undefined)
        return clientIn(connection, env, undefined);
    const [newest] = await findInstallations(env, connection.binDir, 'psql');
    if (newest !== undefined)
        return clientIn(connection, env, newest.folder);
    throw new core_failure/* Failure */.H('tool-missing', 'There is no psql on this runner.', {
        hint: "Install PostgreSQL's client programs of the server's major (Debian: apt-get install postgresql-client), or name their folder with `bin-dir`.",
    });
}
/**
 * The client for dumping from a server of `major`: its own major, or with `allowNewer` the lowest above.
 *
 * @throws {Failure} `tool-version`, naming the package; `tool-missing`
 */
async function clientForMajor(connection, env, given) {
    const { major, program, allowNewer, options = unhindered(major) } = given;
    if (connection.toolsPrefix !== undefined) {
        const client = clientIn(connection, env, undefined, options);
        checkMajor(given, await wrappedMajor(client, program), 'the one that `tools-prefix` runs');
        return client;
    }
    const all = await findInstallations(env, connection.binDir, program);
    const exact = all.find((one) => one.major === major);
    const newer = all.filter((one) => one.major > major).at(-1);
    const chosen = exact ?? (allowNewer ? newer : undefined);
    if (chosen !== undefined)
        return clientIn(connection, env, chosen.folder, options);
    const best = newer ?? all[0];
    if (best === undefined)
        throw new core_failure/* Failure */.H('tool-missing', `There is no ${program} on this runner.`, { hint: packageHint(major) });
    throw wrongMajor(given, best.major, best.folder);
}
const PREFIX_HINT = 'The prefix in `tools-prefix` must run the program named after it and pass its output through, e.g. `docker exec -i db`.';
async function wrappedMajor(client, program) {
    const answer = await (0,short_command/* askProgram */.a)(client.command(program, ['--version'])).catch((error) => {
        throw explainPrefix(error);
    });
    const major = parseMajor(answer);
    if (major !== undefined)
        return major;
    throw new core_failure/* Failure */.H('tool-failed', `\`tools-prefix\` answered "${answer.trim().slice(0, 80)}" to ${program} --version.`, { hint: PREFIX_HINT });
}
/** A failure of the wrapper, or of the program behind it: the words of a known one say more than ours. */
function explainPrefix(error) {
    if (!(error instanceof core_failure/* Failure */.H))
        return error;
    const { code, message, hint } = explain(error, PREFIX_HINT);
    return new core_failure/* Failure */.H(code, message, { ...(hint !== undefined && { hint }), cause: error });
}
function checkMajor(given, found, where) {
    if (found === given.major || (given.allowNewer && found > given.major))
        return;
    throw wrongMajor(given, found, where);
}
function wrongMajor(given, found, where) {
    const why = found < given.major
        ? `${given.program} ${found} (${where}) is older than the server, which is ${given.major}: it cannot ${given.program === 'pg_restore' ? 'read its dumps' : 'dump it'}.`
        : `${given.program} ${found} (${where}) is newer than the server, which is ${given.major}: the server's own major may not take such a dump back.`;
    const also = found > given.major ? ' Or accept that with `allow-newer-client: true`.' : '';
    return new core_failure/* Failure */.H('tool-version', why, { hint: packageHint(given.major) + also });
}
function packageHint(major) {
    return `Install postgresql-client-${major} on the runner before this step (on Debian and Ubuntu from apt.postgresql.org), or name its folder with \`bin-dir\`.`;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/dump-file.js










const GZIP = Buffer.from([0x1f, 0x8b]);
const CUSTOM = Buffer.from('PGDMP');
/** Of a tar archive, where its first header says so. */
const TAR = { at: 257, magic: 'ustar' };
const HEAD_BYTES = 512;
/**
 * Reads a dump once, from its first byte to its last: what it is, whether it is whole as far as a file can tell, and
 * what it says of where it comes from. Nothing of it is run.
 *
 * @throws {Failure} `invalid-input` for what is no dump of one database, `backup-invalid` for half of one
 */
async function inspectDump(given, context) {
    const path = (0,external_node_path_.resolve)(given);
    const found = await (0,external_node_fs_promises_.stat)(path).catch((cause) => {
        throw new core_failure/* Failure */.H('invalid-input', `${path} cannot be read.`, {
            cause,
            hint: 'Check the path and its permissions.',
        });
    });
    if (!found.isFile())
        throw new core_failure/* Failure */.H('invalid-input', `${path} is no file.`, { hint: 'Give the path of one dump.' });
    const isGzipped = (await firstBytes(path)).subarray(0, 2).equals(GZIP);
    const { head, facts, ...seen } = await readWhole(path, isGzipped, context.signal);
    const kind = kindOf(head, facts, path);
    const told = kind === 'sql' ? tellPlain(facts, path) : await tellArchive({ path, isGzipped }, context);
    const file = { path, name: (0,external_node_path_.basename)(path), modifiedAt: found.mtime, format: kind, isGzipped };
    return { ...file, ...seen, ...told };
}
async function readWhole(path, isGzipped, signal) {
    const seen = { bytes: 0, plainBytes: 0 };
    const hash = (0,external_node_crypto_.createHash)('sha256');
    const facts = newPlainFacts();
    const reader = factsReader(facts);
    const stored = (0,external_node_fs_.createReadStream)(path, { highWaterMark: 1 << 20 });
    stored.on('data', (chunk) => {
        hash.update(chunk);
        seen.bytes += chunk.length;
    });
    let head = Buffer.alloc(0);
    for await (const chunk of plainOf(stored, isGzipped, path)) {
        signal.throwIfAborted();
        if (head.length < HEAD_BYTES)
            head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES)]);
        seen.plainBytes += chunk.length;
        if (!isArchive(head))
            reader.take(chunk);
    }
    reader.end();
    return { ...seen, sha256: hash.digest('hex'), head, facts };
}
function factsReader(facts) {
    return plainDumpReader((line, { isHead }) => {
        readLine(line, isHead, facts);
        return false;
    });
}
async function firstBytes(path) {
    const file = await (0,external_node_fs_promises_.open)(path).catch((cause) => {
        throw new core_failure/* Failure */.H('invalid-input', `${path} cannot be read.`, { cause, hint: 'Check its permissions.' });
    });
    try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
        return buffer.subarray(0, bytesRead);
    }
    finally {
        await file.close();
    }
}
function isArchive(head) {
    return head.subarray(0, CUSTOM.length).equals(CUSTOM);
}
/** The dump without gzip. Errors when the file ends too early: gzip tells that by its checksum. */
function openPlain({ path, isGzipped }) {
    return plainOf((0,external_node_fs_.createReadStream)(path, { highWaterMark: 1 << 20 }), isGzipped, path);
}
function plainOf(stored, isGzipped, path) {
    if (!isGzipped)
        return stored;
    const gunzip = (0,external_node_zlib_.createGunzip)({ chunkSize: 1 << 18 });
    stored.once('error', (error) => gunzip.destroy(error));
    gunzip.once('close', () => stored.destroy());
    const explain = (cause) => new core_failure/* Failure */.H('backup-invalid', `${path} is not whole: ${cause.message}.`, { cause, hint: dump_file_HALF });
    const destroy = gunzip.destroy.bind(gunzip);
    gunzip.destroy = (error) => destroy(error && !(error instanceof core_failure/* Failure */.H) ? explain(error) : error);
    return stored.pipe(gunzip);
}
const dump_file_HALF = 'The disk was full or the dump broke off when it was made: there is no whole backup in it. Adopt another one.';
const MADE_BY = 'Make one with `pg_dump -Fc` (or plain SQL, with gzip or without), one database in each file.';
function kindOf(head, facts, path) {
    if (isArchive(head))
        return 'pg_dump-custom';
    const refuse = (what) => new core_failure/* Failure */.H('invalid-input', `${path} ${what}.`, { hint: MADE_BY });
    if (head.length === 0)
        throw refuse('is empty');
    if (head.subarray(TAR.at, TAR.at + TAR.magic.length).toString('latin1') === TAR.magic)
        throw refuse('is a tar archive, which is not taken');
    if (facts.isCluster)
        throw refuse('was made by pg_dumpall and holds a whole cluster');
    if (!facts.isDump)
        throw refuse('is no dump of PostgreSQL');
    return 'sql';
}
function tellPlain(facts, path) {
    if (!facts.isComplete)
        throw new core_failure/* Failure */.H('backup-invalid', `${path} is not whole: the line that pg_dump writes last is missing.`, {
            hint: dump_file_HALF,
        });
    const { server, client, database, locale, objects } = facts;
    const named = { server, client, database, locale, objects, createdAt: undefined };
    return { ...named, encoding: facts.encoding ?? 'UTF8', roles: [...facts.roles] };
}
/** Its table of contents, and its definitions as SQL: pg_restore only writes both out here, and runs nothing. */
async function tellArchive(file, context) {
    const list = await askRestore(['-l'], file, context);
    const field = (name) => new RegExp(`^; +${name}: (.*)$`, 'm').exec(list)?.[1]?.trim();
    const facts = newPlainFacts();
    const reader = factsReader(facts);
    reader.take(Buffer.from(await askRestore(['--create', '--schema-only', '-f', '-'], file, context)));
    reader.end();
    const created = /^; Archive created at (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/m.exec(list);
    return {
        server: field('Dumped from database version')?.split(' ')[0],
        client: field('Dumped by pg_dump version')?.split(' ')[0],
        createdAt: created === null ? undefined : new Date(`${created[1]}T${created[2]}Z`),
        database: field('dbname'),
        encoding: facts.encoding ?? 'UTF8',
        locale: facts.locale,
        roles: [...facts.roles],
        objects: facts.objects,
    };
}
async function askRestore(args, file, { env, binDir, signal }) {
    const [newest] = await findInstallations(env, binDir, 'pg_restore');
    if (newest === undefined)
        throw new core_failure/* Failure */.H('tool-missing', 'There is no pg_restore on this machine.', {
            hint: "Install PostgreSQL's client programs (Debian: apt-get install postgresql-client), or name their folder with `bin-dir`.",
        });
    // The wall clock in the header bears no zone; pg_restore prints it in ours.
    const environment = { ...(0,sys_environment/* childEnvironment */.Q)(env, { libpq: false }), LC_ALL: 'C', TZ: 'UTC' };
    const command = { program: `${newest.folder}/pg_restore`, args, env: environment };
    return readHead([command], openPlain(file), signal).catch((error) => {
        if (!(error instanceof core_failure/* Failure */.H) || error.code !== 'tool-failed')
            throw error;
        throw new core_failure/* Failure */.H('backup-invalid', `${file.path} cannot be read: ${error.message}`, {
            cause: error,
            hint: 'Either it is damaged, or a newer pg_dump made it: install the client programs of that version, or name their folder with `bin-dir`.',
        });
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/isolation.js





/** Debian's `nobody`. Not `postgres`: it owns the files of a production server on the same machine. */
const NOBODY = { uid: 65_534, gid: 65_534 };
/** Without these, a process that gives up its uid still has none of our rights to regain. */
const NO_RIGHTS = ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];
const OWN_NAMESPACES = ['-n', '-p', '-i', '-m', '--fork', '--kill-child=KILL'];
/** What a server may see: programs, libraries, configuration. Everything else at the top is covered. */
const KEPT = /^(bin|dev|etc|gnu|lib\w*|nix|proc|sbin|snap|sys|usr)$/;
/** Memory and terminals that programs of one user share. */
const SHARED = ['/dev/mqueue', '/dev/pts'];
/** Where Debian keeps dictionaries of text search that the server's own folder links to. */
const DICTIONARIES = '/var/cache/postgresql';
// An allow-list, since nobody knows all places of keys, backups, other scratch folders and sockets, which
// no network namespace stops. What is shown again is opened before its parent is covered. The kernel's
// process list would show the environment of the step to a server of the same user. initdb needs /dev/shm.
const HIDE = `set -f; umask 022; IFS='
'; i=3; for d in $SHOW; do eval "exec $i<\\"\\$d\\""; i=$((i + 1)); done
for d in $HIDE; do mount -t tmpfs -o mode=755,size=1m none "$d" || exit 1; done
i=3; for d in $SHOW; do mkdir -p "$d" && mount -c --bind "/proc/self/fd/$i" "$d" || exit 1
eval "exec $i<&-"; i=$((i + 1)); done
[ ! -d /dev/shm ] || mount -t tmpfs -o mode=1777,size=64m none /dev/shm || exit 1
mount -t proc proc /proc 2>/dev/null || mount -t tmpfs -o mode=755,size=1m none /proc || exit 1
mount -o remount,bind,ro / 2>/dev/null
unset HIDE SHOW IFS i d; exec "$@"`;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/**
 * Finds out how far this machine lets us isolate a server.
 *
 * @param own the one folder the server may write to
 * @param programs the folder of its programs
 * @throws {Failure} `tool-missing`: as root there must be setpriv, since PostgreSQL refuses to run as root
 */
async function planIsolation(env, { own, programs }) {
    const isRoot = process.getuid?.() === 0;
    const user = isRoot ? NOBODY : undefined;
    const rights = [
        'setpriv',
        ...(user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']),
        ...NO_RIGHTS.slice(0, isRoot ? undefined : 1),
        // Set last of all: a change of user clears it.
        '--pdeathsig=KILL',
        '--',
    ];
    const launchers = isRoot ? asRoot(rights) : asUser(rights);
    for (const launcher of launchers) {
        const sight = launcher.isolates === 'all' ? planSight([own, (0,external_node_path_.dirname)(programs)]) : {};
        const plan = { words: launcher.words, env: { ...serverEnvironment(env), ...sight } };
        // Not any program: one whose libraries lie out of sight must not be found out only by the drill.
        if (await works(plan, (0,external_node_path_.join)(programs, 'postgres')))
            return describe(launcher, plan, user);
    }
    if (isRoot)
        throw noSetpriv();
    return describe({ words: [], isolates: 'nothing' }, { words: [], env: serverEnvironment(env) }, user);
}
function asRoot(rights) {
    return [
        { words: ['unshare', ...OWN_NAMESPACES, '--', 'sh', '-c', HIDE, 'sh', ...rights], isolates: 'all' },
        { words: ['unshare', '-n', '--', ...rights], isolates: 'network' },
        { words: rights, isolates: 'nothing' },
    ];
}
function asUser(rights) {
    // The rights in the new user namespace are needed for the second step only, and given up after it.
    const enter = ['unshare', '--map-current-user', '--keep-caps', '--'];
    const drop = rights.flatMap((word) => word === '--' ? [...NO_RIGHTS.slice(1), '--ambient-caps=-all', '--'] : [word]);
    return [
        { words: [...enter, 'unshare', ...OWN_NAMESPACES, '--', 'sh', '-c', HIDE, 'sh', ...drop], isolates: 'all' },
        { words: ['unshare', '--map-current-user', '-n', '--', ...rights], isolates: 'network' },
        { words: rights, isolates: 'nothing' },
    ];
}
async function works(plan, server) {
    const [program = '', ...args] = [...plan.words, server, '--version'];
    return (0,sys_process/* runText */.le)({ program, args, env: plan.env, cwd: '/' }).then(() => true, () => false);
}
function describe({ isolates }, plan, user) {
    const notIsolated = [
        ...(isolates === 'nothing' ? ['The network was open: this machine refuses `unshare -n`.'] : []),
        ...(isolates === 'all' ? [] : ["Other servers' sockets and the runner's files were in sight: no mount namespace."]),
        ...(user === undefined && isolates === 'nothing' ? ['It ran as the same user as this step.'] : []),
    ];
    return {
        wrap: (program, args) => {
            const [first, ...rest] = [...plan.words, program, ...args];
            return { program: first ?? program, args: rest, env: plan.env, cwd: '/' };
        },
        notIsolated,
        user,
        ownProcesses: isolates === 'all',
    };
}
/** Nothing of the step's: no token, no PG*, no HOME. The runner finds orphans by its tracking id. */
function serverEnvironment(env) {
    const { RUNNER_TRACKING_ID: tracking } = (0,sys_environment/* childEnvironment */.Q)(env, { libpq: false });
    return { PATH, LANG: 'C', ...(tracking === undefined ? {} : { RUNNER_TRACKING_ID: tracking }) };
}
/** Folders to cover, and those below them to show again, for the launcher; a path of ours has no line end. */
function planSight(needed) {
    const isKept = (path) => KEPT.test(path.split('/')[1] ?? '');
    const tops = (0,external_node_fs_.readdirSync)('/', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const hidden = [...tops.map(({ name }) => `/${name}`).filter((path) => !isKept(path)), ...SHARED.filter(isFolder)];
    // The real path first: another one may lead through a link into what is covered.
    const shown = [...needed, DICTIONARIES].filter(isFolder).flatMap((path) => [(0,external_node_fs_.realpathSync)(path), path]);
    return {
        HIDE: hidden.join('\n'),
        SHOW: [...new Set(shown)].filter((path) => path !== '/' && !isKept(path)).join('\n'),
    };
}
function isFolder(path) {
    return (0,external_node_fs_.existsSync)(path) && (0,external_node_fs_.statSync)(path).isDirectory();
}
function noSetpriv() {
    return new core_failure/* Failure */.H('tool-missing', 'As root, a scratch server cannot be started: setpriv is missing or refused.', {
        hint: 'Install util-linux, or run the step as an ordinary user. PostgreSQL refuses to run as root.',
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/restore-words.js

/** Where what pg_restore ended with begins; warnings and notices come before it. */
const ERROR_LINE = /^(?:\S+ exited with \d+: )?pg_restore: error: /;
/** What follows the message itself: rows, names and statements of the dump. */
const BESIDE = /^(DETAIL|HINT|CONTEXT|QUERY|LINE \d+|Command was): /;
/** Code that makes up its message. Of PL/pgSQL that is two statements; other languages do not tell. */
const MADE_UP = /\bPL\/pgSQL function .* at (RAISE|ASSERT)$|\bPL\/(?!pgSQL )\w+ (function|anonymous)/m;
/** Of a statement longer than what is kept of stderr only the end is there. */
function isCut(message) {
    return message.startsWith('pg_restore exited ') || message.length >= sys_process/* STDERR_TAIL */.uk;
}
/** Neither pg_restore said it nor what reads the archive: it is about the way to pg_restore, and not about the dump. */
function isOfWrapper(message) {
    const { program } = /^(?<program>\S+) exited with /.exec(message)?.groups ?? {};
    if (program === undefined || program === 'pg_restore' || program === 'zstd' || isCut(message))
        return false;
    return !message.split('\n').some((line) => ERROR_LINE.test(line));
}
/**
 * Of a failed restore's message what the server, libpq or a program say themselves. Rows, names, statements and
 * code of the dump can hold any words, and those must not pass for a full disk or a server that died.
 *
 * @returns an empty text when they said nothing that can be told from the dump
 */
function ownWords(message) {
    const lines = message.split('\n');
    const from = lines.findLastIndex((line) => ERROR_LINE.test(line));
    if (from === -1)
        return isCut(message) ? '' : message;
    if (MADE_UP.test(message))
        return '';
    const length = lines.slice(from).findIndex((line) => BESIDE.test(line));
    const [first = '', ...more] = lines.slice(from, length === -1 ? undefined : from + length);
    const said = /\bERROR: {2}/.test(first) ? [first] : [first, ...more];
    return said.join('\n').replaceAll(/".*"/g, '""');
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/session.js






// Whatever the role or database sets by ALTER … SET would hit us too: a statement_timeout kills the
// count of a large table, an idle_in_transaction_session_timeout the snapshot (section 5 of the facts).
const SETTINGS = [
    `search_path = ''`,
    `timezone = 'UTC'`,
    `datestyle = 'ISO, YMD'`,
    `intervalstyle = 'postgres'`,
    `extra_float_digits = 1`,
    `bytea_output = 'hex'`,
    `quote_all_identifiers = off`,
    `row_security = off`,
    `standard_conforming_strings = on`,
    `statement_timeout = 0`,
    `lock_timeout = 0`,
    `idle_in_transaction_session_timeout = 0`,
    `lc_messages = 'C'`,
    `client_min_messages = error`,
    `jit = off`,
    `tcp_keepalives_idle = 60`,
    `xmlbinary = 'base64'`,
];
/** Only where the server knows them (14 and 17 on): set without an error elsewhere. */
const NEWER_SETTINGS = ['idle_session_timeout', 'transaction_timeout'];
/** May be denied (`lc_messages` is for superusers before 15); messages then come in the server's language. */
const OPTIONAL = new Set([`lc_messages = 'C'`]);
const LINE_END = 0x0a;
/** An idle psql ends in a few milliseconds. */
const CLOSE_MS = 2_000;
function literal(text) {
    return `'${text.replaceAll("'", "''")}'`;
}
/** A quoted identifier; safe in SQL and as an exact pattern of pg_dump's `-t`. */
function identifier(name) {
    return `"${name.replaceAll('"', '""')}"`;
}
/**
 * Connects. The caller closes.
 *
 * @throws {Failure} `source-unreachable`, `source-denied`, `source-refused` (a transaction pooler)
 */
async function openSession(client, given) {
    const opened = connect(client, given);
    try {
        if (given.isKnown !== true)
            await refuseTransactionPool(opened.talk.ask, async () => beside(client, given));
        return await greet(opened);
    }
    catch (error) {
        opened.stop();
        await opened.running.end();
        throw error;
    }
}
function connect(client, given) {
    const dsn = client.target.dsn(given);
    const args = ['-X', '-q', '-A', '-t', '-w', '-v', 'ON_ERROR_STOP=0', '-v', 'VERBOSITY=default', '-d', dsn];
    const command = client.command('psql', args, { LC_ALL: 'C', PGCONNECT_TIMEOUT: '15' });
    const running = (0,sys_process/* start */.ni)(command, ['pipe', 'pipe', 'pipe']);
    return { talk: conversation(running, given.signal), running, stop: (0,sys_process/* endOnAbort */.BJ)(running, given.signal) };
}
function beside(client, given) {
    const { talk, running, stop } = connect(client, given);
    return {
        ask: talk.ask,
        end: async () => {
            stop();
            await running.end();
        },
    };
}
async function greet({ talk, running, stop }) {
    const [host = '', port = ''] = await talk.ask('\\echo :HOST\n\\echo :PORT');
    await switchOffNewer(talk);
    await readRawBytes(talk);
    for (const setting of SETTINGS) {
        await talk.ask(`SET ${setting};`).catch((error) => {
            if (!OPTIONAL.has(setting))
                throw error;
        });
    }
    const query = async (sql) => (await talk.ask(`SELECT to_jsonb(q)::text FROM (${sql}\n) AS q;`)).map((line) => JSON.parse(line));
    const one = async (sql) => {
        const [row] = await query(sql);
        if (row === undefined)
            throw new core_failure/* Failure */.H('tool-failed', `The server gave no row for: ${sql.slice(0, 200)}`);
        return row;
    };
    const { pid } = await one('SELECT pg_backend_pid() AS pid');
    await refusePooler(pid, one);
    const close = async () => {
        stop();
        running.child.stdin?.end('\\q\n');
        // A psql that waits for a server which says nothing any more would wait for ever, and we for it.
        const timer = setTimeout(() => void running.end(), CLOSE_MS);
        await running.exit;
        clearTimeout(timer);
    };
    return {
        pid,
        host,
        port: port === '' ? null : Number(port),
        query,
        one,
        execute: async (sql) => void (await talk.ask(`${sql};`)),
        close,
    };
}
/** Before all else: a transaction_timeout ends the whole session. */
async function switchOffNewer(talk) {
    await talk.ask(`SET search_path = '';`);
    const newer = NEWER_SETTINGS.map(literal).join(', ');
    await talk.ask(`SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN (${newer});`);
}
/** Any bytes may stand in such a database, and the server would refuse to send as UTF-8 what is none. */
async function readRawBytes(talk) {
    const [encoding] = await talk.ask('SHOW server_encoding;');
    if (encoding === 'SQL_ASCII')
        await talk.ask(`SET client_encoding = 'SQL_ASCII';`);
}
async function refusePooler(pid, one) {
    const again = await one(`SELECT pg_backend_pid() AS pid, current_setting('timezone') AS zone`);
    if (again.pid !== pid || again.zone !== 'UTC')
        throw inTransactions();
}
/** Reads psql's stdout line by line; a random word that only we know ends each answer. */
function conversation(running, signal) {
    const marker = (0,external_node_crypto_.randomBytes)(16).toString('hex');
    const waiting = [];
    const { stdin, stdout } = running.child;
    stdin?.on('error', () => { }); // EPIPE: the exit below says what happened
    onLines(stdout, (line) => {
        const first = waiting[0];
        if (first === undefined)
            return;
        if (!line.endsWith(marker))
            first.lines.push(line);
        else {
            if (line.length > marker.length)
                first.lines.push(line.slice(0, -marker.length));
            waiting.shift();
            first.resolve(first.lines);
        }
    });
    let ended;
    void running.exit.then((exit) => {
        ended = signal?.aborted
            ? signal.reason
            : explain((0,sys_process/* failureOf */.g5)(exit) ?? new core_failure/* Failure */.H('source-unreachable', 'psql ended before it was asked to.'));
        for (const { reject } of waiting.splice(0))
            reject(ended);
    });
    const send = (text) => new Promise((resolve, reject) => {
        if (ended !== undefined)
            return reject(ended);
        waiting.push({ lines: [], resolve, reject });
        stdin?.write(encodeText(`${text}\n\\echo ${marker}\n`));
    });
    return { ask: (text) => ask(send, text) };
}
async function ask(send, text) {
    // `:ERROR` is psql's own word on the last statement; one more line tells success from failure.
    const lines = await send(`${text}\n\\echo :ERROR`);
    if (lines.at(-1) !== 'true')
        return lines.slice(0, -1);
    const message = (await send('\\echo :LAST_ERROR_MESSAGE')).join('\n');
    const [state] = await send('\\echo :SQLSTATE');
    throw explain(new core_failure/* Failure */.H('tool-failed', `PostgreSQL answered: ${message} (SQLSTATE ${state})`));
}
/** Not node:readline: it also breaks lines at U+2028, which data may hold. */
function onLines(stream, take) {
    let rest = [];
    stream?.on('data', (chunk) => {
        let from = 0;
        for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, from)) {
            const line = chunk.subarray(from, end);
            take(decodeText(rest.length === 0 ? line : Buffer.concat([...rest, line])));
            rest = [];
            from = end + 1;
        }
        if (from < chunk.length)
            rest.push(chunk.subarray(from));
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/scratch-role.js


const TARGET_OTHERWISE = 'Or leave owners and grants out with `owner: false`, or give a superuser in `target-url`.';
const OTHERWISE = 'Or give a superuser in `scratch-url`, on a server of no value, or leave it out.';
function rightsOf(session) {
    return session.one(`
    SELECT rolname AS name, rolsuper OR rolcreatedb AS databases, rolsuper OR rolcreaterole AS roles
    FROM pg_catalog.pg_roles WHERE rolname = current_user`);
}
/**
 * Refuses a role that could not even make the database, before anything is made.
 *
 * @param missing roles that the backup needs and this server has not
 * @throws {Failure} `scratch-failed`
 */
async function refuseWeakRole(session, missing) {
    const { name, databases, roles } = await rightsOf(session);
    const lacks = [...(databases ? [] : ['CREATEDB']), ...(roles || missing.length === 0 ? [] : ['CREATEROLE'])];
    if (lacks.length === 0)
        return;
    const what = lacks.map((word) => (word === 'CREATEDB' ? 'create databases' : 'create roles')).join(' and ');
    throw new core_failure/* Failure */.H('scratch-failed', `The role ${name} of \`scratch-url\` may not ${what}.`, {
        hint: `ALTER ROLE ${identifier(name)} ${lacks.join(' ')}. ${OTHERWISE}`,
    });
}
async function mayCreateRoles(session) {
    return (await rightsOf(session)).roles;
}
/** Makes the role of `scratch-url` a member of a role that it created: only then it may give it objects, and read them. */
async function joinRole(session, role) {
    const { major, superuser } = await session.one(`
    SELECT current_setting('server_version_num')::int / 10000 AS major, rolsuper AS superuser
    FROM pg_catalog.pg_roles WHERE rolname = current_user`);
    if (superuser)
        return;
    const options = major >= 16 ? ' WITH INHERIT TRUE, SET TRUE' : '';
    await session.execute(`GRANT ${identifier(role)} TO CURRENT_USER${options}`);
}
/**
 * Refuses objects that the role of `scratch-url` could not give to their owners, before anything is restored.
 * A superuser may give to everybody.
 *
 * @throws {Failure} `scratch-failed`, naming the owners
 */
async function refuseForeignOwners(session, entries, where = 'elsewhere') {
    // From 16 on a member may be one that cannot become the role.
    const become = `CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END`;
    const strangers = await session.query(`
    SELECT rolname AS name FROM pg_catalog.pg_roles
    WHERE NOT starts_with(rolname, 'pg_') AND NOT (pg_has_role(oid, 'USAGE') AND pg_has_role(oid, ${become}))`);
    const owners = strangers
        .map(({ name }) => name)
        .filter((name) => entries.some((one) => one.what.endsWith(` ${name}`)));
    if (owners.length === 0)
        return;
    const { name } = await rightsOf(session);
    const isTarget = where === 'target';
    const message = `The backup holds objects of ${owners.join(', ')}, and the role ${name} of \`${isTarget ? 'target-url' : 'scratch-url'}\` cannot give them to a role that it is no inheriting member of.`;
    throw new core_failure/* Failure */.H(isTarget ? 'target-failed' : 'scratch-failed', message, {
        hint: `GRANT ${owners.map(identifier).join(', ')} TO ${identifier(name)} there. ${isTarget ? TARGET_OTHERWISE : OTHERWISE}`,
    });
}
const DENIED = /permission denied|must be (a |an )?(owner|superuser|member|able|database owner)|must (have|inherit) |only (superusers|roles with)|row-level security/;
/**
 * Whether these words of the server are about the rights of the role of `scratch-url`: they say nothing of the backup.
 *
 * @param session of the same role; rejects when the server is gone
 */
async function isDenied(session, said) {
    const sql = `SELECT rolsuper AS superuser FROM pg_catalog.pg_roles WHERE rolname = current_user`;
    const { superuser } = await session.one(sql);
    return !superuser && DENIED.test(said);
}
function deniedHint(where) {
    return where === 'target'
        ? `That needs more rights than the role of \`target-url\` has. ${TARGET_OTHERWISE}`
        : `That needs more rights than the role of \`scratch-url\` has. ${OTHERWISE}`;
}
/** Roles that this server has none of. */
async function missingRoles(session, names) {
    if (names.length === 0)
        return [];
    const sql = `SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname IN (${names.map(literal).join(', ')})`;
    const there = new Set((await session.query(sql)).map(({ name }) => name));
    return names.filter((name) => !there.has(name));
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/restore-failure.js



const OUT_OF_ROOM = 'The scratch server ran out of room';
const SCRATCH_FULL = 'Free space in the scratch folder, or name one on a larger disk with `scratch-dir`; with `scratch-url`, free space on that server.';
const TARGET_OUT_OF_ROOM = 'The target server ran out of room';
const TARGET_FULL = 'Free space on the target server, or, where it has no room for two databases, restore with `drop-first: true`.';
const FULL = /No space left on device|disk full|wrote only \d+ of \d+ bytes/;
const DIED = {
    pattern: /server closed the connection|terminating connection|connection to server|the database system is|no connection to the server/,
    what: 'The scratch server died during the restore',
    hint: 'Look for the reason in the log of the kernel (dmesg): mostly the memory was full.',
    elsewhere: {
        what: 'The connection to the server of `scratch-url` broke during the restore',
        hint: 'Look in the log of that server for a restart, a crash or a session that was ended (pg_terminate_backend); if it says nothing, check the network to it. Then drill again.',
    },
    target: {
        what: 'The connection to the target server broke during the restore',
        hint: 'Look in the log of that server for a restart, a crash or a session that was ended (pg_terminate_backend); if it says nothing, check the network to it. Then restore again.',
    },
};
/** What ends a restore and says nothing of the backup: of the machine, and of whoever else is on it. */
const FROM_OUTSIDE = [
    {
        pattern: /: ERROR: {2}canceling statement due to (user request|statement timeout|lock timeout)$/m,
        what: 'The restore was cancelled on the scratch server',
        hint: 'Somebody cancelled the statement there (pg_cancel_backend), or a time limit did. Let the drill come to its end, and drill again.',
        target: {
            what: 'The restore was cancelled on the target server',
            hint: 'Somebody cancelled the statement there (pg_cancel_backend), or a time limit did. Let the restore come to its end, and restore again.',
        },
    },
    {
        // `failureOf`'s words for a program that ended by a signal.
        pattern: /^\S+ was killed by /,
        what: 'The restore was ended from outside',
        hint: 'Somebody ended the program, or the system did because memory ran out: look at `dmesg`.',
    },
    {
        pattern: /Read-only file system|Input\/output error/,
        what: 'The disk of the scratch server failed',
        hint: 'Check the disk and its mount (`dmesg`, `mount`), or name another folder with `scratch-dir`.',
        target: {
            what: 'The disk of the target server failed',
            hint: 'Check the disk and its mount there (`dmesg`, `mount`).',
        },
    },
    {
        pattern: /out of memory|[Cc]annot allocate memory|could not fork|out of shared memory|[Tt]oo many open files/,
        what: 'This machine has too little for the restore',
        hint: 'Give this machine more memory, or fewer jobs at a time.',
        target: {
            what: 'The target server has too little for the restore',
            hint: 'Give it more memory, or restore with fewer `jobs`; for "out of shared memory" raise max_locks_per_transaction there.',
        },
    },
    {
        // postgres_fdw and dblink: a view is filled anew from a server that a drill must not reach.
        pattern: /could not connect to server "|could not establish connection/,
        what: 'The restore needs another server, which a drill does not reach',
        hint: 'A materialized view, or code in a constraint or index, reads from a foreign server: its rows are in no dump. Create the view WITH NO DATA, or leave it out with `exclude-tables`.',
        target: {
            what: 'The restore needs another server, which the target server does not reach',
            hint: 'A materialized view, or code in a constraint or index, reads from a foreign server: let the target server reach it, and restore again.',
        },
    },
    DIED,
];
/**
 * What went wrong in a restore, by what it says of the backup: a full disk and a server that died say
 * nothing of it, an object that cannot be made does.
 */
function explainRestore(error, artifact, where = 'own') {
    if (!(error instanceof core_failure/* Failure */.H) || error.code !== 'tool-failed')
        return error;
    const lines = firstLines(error.message);
    const said = ownWords(error.message);
    if (FULL.test(said))
        return outOfRoom(lines, error, where);
    const outside = FROM_OUTSIDE.find(({ pattern }) => pattern.test(said));
    if (outside !== undefined) {
        const { what, hint } = advice(outside, where);
        return new core_failure/* Failure */.H(codeOf(where), `${what}: ${lines}`, { cause: error, hint });
    }
    if (/deadlock detected/.test(said)) {
        const message = `Streams of the restore locked each other out at ${artifact}: ${lines}`;
        return new core_failure/* Failure */.H(codeOf(where), message, { cause: error, hint: 'Restore one by one: `jobs: 1`.' });
    }
    if (isOfWrapper(error.message)) {
        return new core_failure/* Failure */.H(codeOf(where), `What \`tools-prefix\` runs failed during the restore: ${lines}`, {
            cause: error,
            hint: 'Look whether the container or machine of `tools-prefix` still runs (`docker ps`), then try again.',
        });
    }
    const hint = where === 'target' && /role "[^"]*" does not exist/.test(lines) ? { hint: ROLE_MISSING } : {};
    return new core_failure/* Failure */.H('restore-failed', `${artifact} could not be restored: ${lines}`, { cause: error, ...hint });
}
const ROLE_MISSING = 'Create the role first, let the restore do it with `create-roles: true`, or leave owners and grants out with `owner: false`.';
function codeOf(where) {
    return where === 'target' ? 'target-failed' : 'scratch-failed';
}
function outOfRoom(lines, cause, where) {
    const [what, hint] = where === 'target' ? [TARGET_OUT_OF_ROOM, TARGET_FULL] : [OUT_OF_ROOM, SCRATCH_FULL];
    return new core_failure/* Failure */.H('disk-full', `${what}: ${lines}`, { cause, hint });
}
/**
 * As `explainRestore`, for when the server can be asked: of a long statement only the end is kept, and why it
 * failed is lost. A server that is gone, or that denies it to us, disproves nothing.
 *
 * @param session to the same server, open since before
 */
async function explainStep(error, artifact, session, where) {
    const explained = explainRestore(error, artifact, where);
    if (!(explained instanceof core_failure/* Failure */.H) || explained.code !== 'restore-failed')
        return explained;
    const asked = await isDenied(session, error instanceof core_failure/* Failure */.H ? ownWords(error.message) : '').catch(() => 'gone');
    if (asked === false)
        return explained;
    const { what, hint } = asked === true ? { what: 'The restore was denied', hint: deniedHint(where) } : advice(DIED, where);
    return new core_failure/* Failure */.H(codeOf(where), `${what}: ${explained.message}`, { cause: error, hint });
}
function advice(outside, where) {
    return (where === 'own' ? undefined : outside[where]) ?? outside;
}
/** The error, the object and the statement, without what pg_restore says besides. */
function firstLines(message) {
    const lines = message
        .split('\n')
        .map((line) => line.replace(/^(pg_restore exited with \d+: )?pg_restore: (error: |while PROCESSING TOC:)?/, '').trim())
        .filter((line) => line !== '' && !line.startsWith('warning:'));
    return lines.join(' · ').slice(0, 1500);
}

// EXTERNAL MODULE: ./lib/core/lanes.js
var lanes = __webpack_require__(7856);
// EXTERNAL MODULE: ./lib/core/report.js + 1 modules
var report = __webpack_require__(4317);
// EXTERNAL MODULE: ./lib/sys/zstd.js
var sys_zstd = __webpack_require__(4426);
;// CONCATENATED MODULE: ./lib/engines/postgresql/restore-keys.js





/** Foreign keys of this step into tables whose rows the backup does not hold. */
async function danglingKeys(target, step, open) {
    const wanted = keyEntries(step.entries);
    const mayDangle = hasTablesWithoutRows(step) && wanted.some(({ what }) => what.startsWith('FK CONSTRAINT '));
    const isRowless = target.manifest.scope === 'schema' || target.part === 'schema';
    if (isRowless || step.sections.includes('pre-data') || !mayDangle)
        return [];
    const read = await restoreListed(target, { name: 'keys.list', entries: wanted }, ['--verbose', '-f', '-']);
    const commands = [(0,sys_zstd/* unzstdCommand */.Sz)(target.env), ...read];
    return findDanglingKeys(step.all, await readHead(commands, await open(step.artifact), target.signal));
}
/** Partitioned tables have no rows of their own, so this only saves a look in the usual case. */
function hasTablesWithoutRows({ entries, all }) {
    const data = all.filter(({ what }) => what.startsWith('TABLE DATA ')).length;
    return entries.filter(({ what }) => /^TABLE (?!DATA |ATTACH )/.test(what)).length > data;
}
/** Arguments for a pg_restore on this machine that restore these entries and no others. */
async function useList(target, list) {
    return ['-L', await writeList(target, list)];
}
async function writeList({ folder }, { name, entries }) {
    const path = (0,external_node_path_.join)(folder, name);
    await (0,external_node_fs_promises_.writeFile)(path, `${entries.map(({ id }) => id).join('\n')}\n`, { mode: 0o600 });
    return path;
}
// The file has no name any more when the program starts, so that nothing is left of it however the program
// ends. `dd` of single bytes: on a pipe everything else may read into the archive that follows.
const TAKE_LIST = `umask 077; { f=$(mktemp) && exec 3>"$f" 4<"$f" && rm -f "$f" &&
dd bs=1 count="$0" 2>/dev/null >&3 && exec 3>&-; } || { echo 'no room for the list of pg_restore in /tmp' >&2; exit 1; }
exec "$@" -L /dev/fd/4`;
/**
 * Commands that restore these entries of the archive on their stdin and no others. Behind `tools-prefix` there
 * are none of our files, so the list travels in front of the archive.
 */
async function restoreListed(target, list, args) {
    const { client, env } = target;
    const path = await writeList(target, list);
    if (!client.wrapped)
        return [client.command('pg_restore', [...args, '-L', path], { LC_ALL: 'C' })];
    const { size } = await (0,external_node_fs_promises_.stat)(path);
    return [
        { program: 'cat', args: [path, '-'], env: (0,sys_environment/* childEnvironment */.Q)(env, { libpq: false }) },
        client.command('sh', ['-c', TAKE_LIST, String(size), 'pg_restore', ...args], { LC_ALL: 'C' }),
    ];
}

// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(8161);
;// CONCATENATED MODULE: ./lib/engines/postgresql/restore-plan.js


const SECTIONS_OF = {
    all: ['pre-data', 'data', 'post-data'],
    schema: ['pre-data', 'post-data'],
    data: ['pre-data', 'data'],
};
/** Of a step what belongs to the part that is restored; nothing when none of it does. */
function restrict(step, part) {
    const { artifact, sections } = step;
    if (part === 'all')
        return [step];
    const one = SECTIONS_OF.all.filter((section) => section === artifact.role);
    const held = sections.length > 0 ? sections : one.length > 0 ? one : SECTIONS_OF.all;
    const wanted = held.filter((section) => SECTIONS_OF[part].includes(section));
    if (wanted.length === 0)
        return [];
    return [wanted.length === held.length ? step : { artifact, sections: wanted }];
}
/**
 * The order in which archives make a database; steps of one phase do not wait for each other. Rows come
 * between the halves of their schema: with indexes, keys and triggers in place they would be checked and
 * changed on their way.
 *
 * @param part `data`: rows in bare tables, without indexes, keys and triggers
 * @throws {Failure} `backup-invalid` when there is nothing to restore
 */
function planPhases(manifest, part = 'all') {
    const phases = planAll(manifest).map((steps) => steps.flatMap((step) => restrict(step, part)));
    return phases.filter((steps) => steps.length > 0);
}
function planAll(manifest) {
    const archives = manifest.artifacts.filter(({ format }) => format === 'pg_dump-custom');
    const of = (role) => archives.filter((artifact) => artifact.role === role);
    const all = (artifacts, sections = []) => artifacts.map((artifact) => ({ artifact, sections }));
    const whole = [...of('dump'), ...(manifest.scope === 'schema' ? of('schema') : [])];
    if (whole.length > 0)
        return whole.map((artifact) => all([artifact]));
    const phases = [
        [...all(of('pre-data')), ...all(of('schema'), ['pre-data'])],
        all(of('data')),
        all([...of('schema'), ...of('post-data')], ['post-data']),
    ].filter((steps) => steps.length > 0);
    if (phases.length > 0)
        return phases;
    throw new core_failure/* Failure */.H('backup-invalid', `The manifest of ${manifest.id} names no archive of pg_dump.`);
}
/** Streams restored at a time when nothing is said: what the backup has, at most one a core. */
function restoreJobs({ artifacts }, given) {
    const streams = artifacts.filter(({ role }) => role === 'data').length;
    return given ?? Math.max(1, Math.min(streams, (0,external_node_os_.availableParallelism)()));
}

// EXTERNAL MODULE: external "node:stream/promises"
var external_node_stream_promises_ = __webpack_require__(6466);
;// CONCATENATED MODULE: ./lib/engines/postgresql/restore-spooled.js









/** `pg_restore -j` needs a file it can seek in, and one that is not somewhere else than the program. */
function mayBeSpooled({ jobs, client }, { artifact }) {
    return artifact.role === 'post-data' && jobs > 1 && !client.wrapped;
}
/**
 * Makes indexes, keys and triggers in parallel, from a file: it holds definitions only and so is small.
 * Decrypted it lies in the private folder of the scratch server alone, and no longer than it is read.
 */
async function restoreSpooled(target, step, open) {
    const path = (0,external_node_path_.join)(target.folder, 'definitions.spool');
    try {
        await spool((0,sys_zstd/* zstd */.q9)(target.env).decompress(await open(step.artifact)), path, target.signal);
        for (const { entries, args, jobs } of planPasses(step.entries)) {
            const list = await useList(target, { name: 'restore.list', entries });
            const all = [...args, ...list, ...(jobs ? [`--jobs=${target.jobs}`] : []), path];
            await (0,sys_process/* runText */.le)(restoreCommand(target, all), { signal: target.signal });
        }
    }
    finally {
        await (0,external_node_fs_promises_.rm)(path, { force: true });
    }
}
const INDEX = /^(CONSTRAINT|CHECK CONSTRAINT|INDEX|INDEX ATTACH) /;
const restore_spooled_ATTACH = /^INDEX ATTACH /;
const ON_INDEX = /^(COMMENT|SECURITY LABEL) .*(CONSTRAINT|INDEX) /;
/**
 * What may be made in parallel. With partitioned tables only indexes, as far as they come first (one on a
 * materialized view may need what comes between): the archive does not tell pg_restore that a trigger
 * of a partition needs that of its parent, nor that a foreign key to a partitioned table locks its
 * partitions; with two at a time the one fails and the other ends in a deadlock (seen with 15.20). Nor may two
 * indexes be attached at a time: where partitions are nested, neither sees the other done, the uppermost one stays
 * invalid, and a foreign key finds no unique constraint (seen with 15.18).
 */
function planPasses(entries) {
    const section = ['--section=post-data'];
    if (!entries.some(({ what }) => what.startsWith('TABLE ATTACH ')))
        return [{ entries, args: section, jobs: true }];
    const first = entries.findIndex(({ what }) => INDEX.test(what));
    const length = entries.slice(first).findIndex(({ what }) => !INDEX.test(what) && !ON_INDEX.test(what));
    if (first === -1 || length === -1)
        return [{ entries, args: section, jobs: false }];
    const indexes = new Set(entries.slice(first, first + length).filter(({ what }) => !restore_spooled_ATTACH.test(what)));
    return [
        { entries: [...indexes], args: [], jobs: true },
        { entries: entries.filter((one) => !indexes.has(one)), args: section, jobs: false },
    ];
}
async function spool(plain, path, signal) {
    await (0,external_node_stream_promises_.pipeline)(plain, (0,external_node_fs_.createWriteStream)(path, { mode: 0o600, flags: 'wx' }), { signal }).catch((cause) => {
        if (cause.code !== 'ENOSPC')
            throw cause;
        throw new core_failure/* Failure */.H('disk-full', `${OUT_OF_ROOM}: ${cause.message}`, { cause, hint: SCRATCH_FULL });
    });
}
/** pg_restore into the target; the first error ends it. */
function restoreCommand(target, what) {
    return target.client.command('pg_restore', restoreArguments(target, what), { LC_ALL: 'C' });
}
/** For a pg_restore into the target that ends at the first error. */
function restoreArguments(target, what) {
    const { client, database, ownership } = target;
    const dsn = client.target.dsn({ applicationName: 'lifeboat', database });
    const always = ['--exit-on-error', '--no-tablespaces', '--no-subscriptions', '--no-password', '-d', dsn];
    const owner = ownership?.owner === false ? ['--no-owner', '--no-privileges'] : [];
    const role = ownership?.role === undefined ? [] : [`--role=${ownership.role}`];
    return [...always, ...owner, ...role, ...what];
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/restore-subscriptions.js




/**
 * Subscriptions are not created: a second subscriber would take the rows of the first one's slot. They are named with
 * the statements that make them, but for how they connect, which may hold a password.
 */
async function describeSubscriptions(target, lists, open) {
    if (target.part === 'data')
        return [];
    const statements = [];
    for (const [artifact, all] of lists) {
        const entries = all.filter(({ what }) => what.startsWith('SUBSCRIPTION '));
        if (entries.length === 0)
            continue;
        const list = { name: `subscriptions-${artifact.key}.list`, entries };
        const commands = [(0,sys_zstd/* unzstdCommand */.Sz)(target.env), ...(await restoreListed(target, list, ['-f', '-']))];
        statements.push(...createStatements(await readHead(commands, await open(artifact), target.signal)));
    }
    if (statements.length === 0)
        return [];
    const message = `${statements.length} subscriptions of the backup were not created, so that this database does not pull in place of the one that does: ${statements.join(' ')}`;
    const hint = 'Where this database takes the place of the subscriber for good: run these statements with its connection string, then ALTER SUBSCRIPTION … ENABLE and ALTER SUBSCRIPTION … REFRESH PUBLICATION.';
    return [(0,report/* finding */.gk)('left-out', 'warn', message, { hint, numbers: { subscriptions: statements.length } })];
}
const CREATE = /^CREATE SUBSCRIPTION [\s\S]*?;$/gm;
const CONNECTION = / CONNECTION (?:E?'(?:[^'\\]|''|\\.)*') PUBLICATION /;
/** The statements, with the connection left out. One that is not as pg_dump writes it is cut before it. */
function createStatements(sql) {
    return (sql.match(CREATE) ?? []).map((statement) => CONNECTION.test(statement)
        ? statement.replace(CONNECTION, " CONNECTION '…' PUBLICATION ")
        : `${statement.split(' CONNECTION ')[0]} CONNECTION …;`);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-words.js

/** What is said of a failed connection names `database-url`, and there is none in a restore. */
async function aboutTarget(connecting) {
    return connecting.catch((error) => {
        if (!(error instanceof core_failure/* Failure */.H) || !/`database-url`/.test(`${error.message} ${error.hint}`))
            throw error;
        const hint = error.hint?.replaceAll('`database-url`', '`target-url`');
        throw new core_failure/* Failure */.H(error.code, error.message.replaceAll('`database-url`', '`target-url`'), {
            cause: error,
            ...(hint !== undefined && { hint }),
        });
    });
}
/** A statement that the target server refused, in words that say what it was for. */
async function refusedAs(doing, what, hint) {
    return doing.catch((error) => {
        if (!(error instanceof core_failure/* Failure */.H) || error.code === 'stalled' || error.code === 'cancelled')
            throw error;
        throw new core_failure/* Failure */.H('target-failed', `${what}: ${error.message}`, { cause: error, hint });
    });
}
function missingExtensions(missing) {
    const verb = missing.length === 1 ? 'extension is' : 'extensions are';
    const message = `The backup needs what is not installed on the target server: the ${verb} ${missing.join(', ')}.`;
    return new core_failure/* Failure */.H('guard-refused', message, {
        hint: "Install there the packages the source's server has (Debian: postgresql-contrib for those of PostgreSQL itself, postgresql-<major>-<extension>, e.g. postgresql-16-postgis-3), and restore again.",
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/restore.js













/**
 * Restores the archives of a backup into an empty database.
 *
 * @returns what was left out, and why
 * @throws {Failure} `restore-failed` naming the object, `scratch-failed` when an extension is missing
 *                   or the server died, `disk-full`, or what the stored bytes errored with
 */
async function restoreArchives(target, open) {
    const phases = planPhases(target.manifest, target.part);
    const lists = await readLists(target, phases.flat().map(({ artifact }) => artifact), open);
    const all = [...lists.values()].flat();
    const leftOut = [];
    for (const phase of phases) {
        const steps = phase.map((step) => ({ ...step, entries: lists.get(step.artifact) ?? [], isPartial: false, all }));
        leftOut.push(...(await runPhase(target, steps, open)));
    }
    return [
        ...(leftOut.length === 0 ? [] : [describeLeftOut(leftOut)]),
        ...(placeOf(target) === 'target' ? await describeSubscriptions(target, lists, open) : []),
    ];
}
/**
 * What the archives hold, each read as far as its list.
 *
 * @throws {Failure} when this server cannot take it: extensions that are missing, owners that are not ours
 */
async function readLists(target, artifacts, open) {
    const lists = new Map();
    await (0,lanes/* inLanes */.L)([...new Set(artifacts)], target.jobs, async (artifact) => {
        lists.set(artifact, await readList(target, artifact, open));
    });
    const all = [...lists.values()].flat();
    await refuseMissingExtensions(target, all);
    if (target.ownership?.owner !== false)
        await refuseForeignOwners(target.session, all, placeOf(target));
    return lists;
}
/**
 * Runs steps that do not wait for each other; the first one that fails ends the others.
 *
 * @returns foreign keys that were left out
 */
async function runPhase(target, steps, open) {
    const failed = new AbortController();
    const signal = AbortSignal.any([target.signal, failed.signal]);
    const leftOut = [];
    await (0,lanes/* inLanes */.L)(steps, target.jobs, async (step) => {
        try {
            leftOut.push(...(await runStep({ ...target, signal }, step, open)));
        }
        catch (error) {
            failed.abort(error);
            throw error;
        }
    });
    return leftOut;
}
function describeLeftOut(keys) {
    const shown = `${keys.slice(0, 10).join(', ')}${keys.length > 10 ? ', …' : ''}`;
    const message = `${keys.length} foreign keys into tables whose rows this backup does not hold were left out: ${shown}.`;
    return (0,report/* finding */.gk)('left-out', 'pass', message, { numbers: { foreignKeys: keys.length } });
}
async function readList(target, artifact, open) {
    const commands = [(0,sys_zstd/* unzstdCommand */.Sz)(target.env), target.client.command('pg_restore', ['-l'], { LC_ALL: 'C' })];
    const list = await readHead(commands, await open(artifact), target.signal).catch((error) => {
        throw explainRestore(error, artifact.key, placeOf(target));
    });
    return parseArchiveList(list);
}
async function runStep(target, step, open) {
    try {
        const keys = await danglingKeys(target, step, open);
        const gone = new Set(keys.map(({ id }) => id));
        const entries = step.entries.filter(({ id }) => !gone.has(id));
        const restore = mayBeSpooled(target, step) ? restoreSpooled : restoreStreamed;
        await restore(target, { ...step, entries, isPartial: step.isPartial || keys.length > 0 }, open);
        return keys.map(({ constraint, references }) => `${constraint} (into ${references})`);
    }
    catch (error) {
        throw await explainStep(error, step.artifact.key, target.session, placeOf(target));
    }
}
/** A server that we did not configure is not ours. */
function placeOf({ tuned, place }) {
    return place ?? (tuned ? 'own' : 'elsewhere');
}
async function restoreStreamed(target, step, open) {
    const { artifact, sections, entries, isPartial } = step;
    const what = sections.map((section) => `--section=${section}`);
    if (fitsOneTransaction(target, entries))
        what.push('--single-transaction');
    const args = restoreArguments(target, what);
    const restore = isPartial
        ? await restoreListed(target, { name: `${artifact.sha256}.list`, entries }, args)
        : [target.client.command('pg_restore', args, { LC_ALL: 'C' })];
    const stored = await open(artifact);
    const pipe = (0,sys_process/* startPipeline */.lq)([(0,sys_zstd/* unzstdCommand */.Sz)(target.env), ...restore], 'pipe', target.signal);
    await feedWhole(pipe, stored, sections.length > 0, target.signal);
}
/**
 * As `feed`, for a reader that may have enough before the end (definitions stand at the head): then
 * the rest is read all the same, since only the end tells that the stored bytes are what they were.
 */
async function feedWhole(pipe, stored, mayStop, signal) {
    if (!mayStop)
        return (0,sys_process/* feed */.hm)(pipe, stored);
    const reader = pipe.programs.at(-1);
    pipe.stdin?.on('error', () => { }); // the reader had enough
    pipe.stdout.resume();
    for await (const chunk of stored) {
        signal.throwIfAborted();
        if (pipe.stdin?.writable && !pipe.stdin.write(chunk))
            await drained(pipe.stdin);
    }
    pipe.stdin?.end();
    const exit = await reader?.exit;
    if (exit?.code !== 0)
        await pipe.done;
}
function drained(stdin) {
    return new Promise((resolve) => {
        if (!stdin.writable)
            return resolve();
        stdin.once('drain', resolve);
        stdin.once('close', resolve);
        stdin.once('error', () => resolve());
    });
}
/** Objects that a server which was not configured for it can lock at once. */
const DEFAULT_LOCKS = 1_000;
/** Each is locked by itself until the end; nothing says how many there are before the list is read. */
const MOST_LARGE_OBJECTS = 2_000;
/** Rows are then written without WAL, a quarter faster; but every object stays locked to the end. */
function fitsOneTransaction({ tuned, facts }, entries) {
    const blobs = entries.filter(({ what }) => what.startsWith('BLOB')).length;
    if (Math.max(blobs, facts?.largeObjects?.count ?? 0) > MOST_LARGE_OBJECTS)
        return false;
    return tuned || entries.length <= DEFAULT_LOCKS;
}
/** Before the restore starts: an hour later it would end at the first CREATE EXTENSION. */
async function refuseMissingExtensions(target, entries) {
    const wanted = new Set([...extensionsIn(entries), ...(target.facts?.extensions.map(({ name }) => name) ?? [])]);
    const there = await target.session.query('SELECT name FROM pg_catalog.pg_available_extensions');
    const missing = [...wanted].filter((name) => !there.some((one) => one.name === name));
    if (missing.length === 0)
        return;
    if (placeOf(target) === 'target')
        throw missingExtensions(missing);
    const { major } = target.manifest.server;
    const verb = missing.length === 1 ? 'extension is' : 'extensions are';
    throw new core_failure/* Failure */.H('scratch-failed', `The backup needs what is not installed on the scratch server: the ${verb} ${missing.join(', ')}.`, {
        hint: `Install on this runner the packages the source's server has (Debian: postgresql-contrib for those of PostgreSQL itself, postgresql-${major}-<extension>, e.g. postgresql-${major}-postgis-3). One that must be preloaded also needs \`scratch-settings: shared_preload_libraries = '…'\`.`,
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/restore-database.js



/**
 * Creates the database as the source's was: owner, settings, grants, limit.
 *
 * @param session of a superuser, in another database
 * @returns what could not be applied, each a `warn`
 * @throws {Failure} when the database could not be created
 */
async function createDatabase(session, plan) {
    const name = identifier(plan.name);
    const { server } = plan.manifest;
    const locale = plan.explicitLocale ? localeClauses(server) : '';
    await session.execute(`CREATE DATABASE ${name} TEMPLATE template0 ${locale}`);
    await session.execute(`COMMENT ON DATABASE ${name} IS ${literal(plan.comment)}`).catch(async (error) => {
        // Without its mark nobody would know it as ours again.
        await session.execute(`DROP DATABASE ${name}`);
        throw error;
    });
    const statements = [
        `ALTER DATABASE ${name} OWNER TO ${identifier(server.owner)}`,
        ...(server.connectionLimit < 0 ? [] : [`ALTER DATABASE ${name} CONNECTION LIMIT ${server.connectionLimit}`]),
        ...plan.settings.map(({ role, setting }) => settingStatement(name, role, setting)),
        ...(await grantStatements(session, name, server)),
    ];
    const findings = [];
    for (const statement of statements) {
        await session.execute(statement).catch((error) => {
            if (!(error instanceof core_failure/* Failure */.H))
                throw error;
            const message = `Something of the database itself could not be restored (${statement}): ${error.message}`;
            findings.push((0,report/* finding */.gk)('facts-settings', 'warn', message));
        });
    }
    return findings;
}
/** @param major of the server the clauses are for; undefined: its default provider stays */
function localeClauses(server, major = 0) {
    const base = `ENCODING ${literal(server.encoding)} LC_COLLATE ${literal(server.collate)} LC_CTYPE ${literal(server.ctype)}`;
    const { icuLocale, localeProvider } = server;
    if (icuLocale === undefined || localeProvider === 'libc')
        return major >= 15 ? `${base} LOCALE_PROVIDER libc` : base;
    return `${base} LOCALE_PROVIDER ${localeProvider} ${localeProvider.toUpperCase()}_LOCALE ${literal(icuLocale)}`;
}
/** Settings whose value is a list; each of its words is quoted by itself. */
const LISTS = /^(search_path|temp_tablespaces|(session|local|shared)_preload_libraries|unix_socket_directories)$/i;
/** `ALTER DATABASE … SET` or `ALTER ROLE … IN DATABASE … SET` from `name=value` as the catalog holds it. */
function settingStatement(database, role, setting) {
    const whose = role === null ? `DATABASE ${database}` : `ROLE ${identifier(role)} IN DATABASE ${database}`;
    return `ALTER ${whose} ${setClause(setting)}`;
}
/** `SET … TO …` from `name=value` as the catalog holds it. */
function setClause(setting) {
    const at = setting.indexOf('=');
    const [name, value] = [setting.slice(0, at), setting.slice(at + 1)];
    const written = LISTS.test(name) ? listWords(value).map(literal).join(', ') : literal(value);
    return `SET ${identifier(name)} TO ${written}`;
}
function listWords(value) {
    const words = [...value.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)];
    return words.length === 0 ? [''] : words.map(([word, quoted]) => quoted?.replaceAll('""', '"') ?? word);
}
/** The server itself takes `datacl` apart: names in it may hold anything. */
async function grantStatements(session, database, server) {
    if (server.acl === null)
        return [];
    const items = server.acl.map((item) => literal(item)).join(', ');
    const grants = await session
        .query(`
      SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END AS grantee, privilege_type AS privilege,
        is_grantable AS option
      FROM aclexplode(ARRAY[${items}]::aclitem[])`)
        .catch((error) => {
        // A role in it is missing here; roles-restored says which. The grants are then compared as facts.
        if (error instanceof core_failure/* Failure */.H)
            return [];
        throw error;
    });
    const owner = identifier(server.owner);
    return [
        `REVOKE ALL ON DATABASE ${database} FROM PUBLIC, ${owner}`,
        ...grants.map(({ grantee, privilege, option }) => {
            const to = grantee === null ? 'PUBLIC' : identifier(grantee);
            return `GRANT ${privilege} ON DATABASE ${database} TO ${to}${option && grantee !== server.owner ? ' WITH GRANT OPTION' : ''}`;
        }),
    ];
}
/**
 * Takes out of the new database what every new one has and the source's had lost; a dump says nothing
 * of that.
 *
 * @param session in the new database
 */
async function dropWhatSourceLacked(session, facts) {
    if (facts === undefined)
        return;
    const schemas = facts.schema.filter(({ kind }) => kind === 'schema');
    // Without a single schema the facts say nothing of schemas.
    if (schemas.length > 0 && !schemas.some(({ identity }) => identity === 'public')) {
        await session.execute('DROP SCHEMA IF EXISTS public');
    }
    if (!facts.extensions.some(({ name }) => name === 'plpgsql'))
        await session.execute('DROP EXTENSION IF EXISTS plpgsql');
}

// EXTERNAL MODULE: ./lib/core/bounded-text.js
var bounded_text = __webpack_require__(8);
;// CONCATENATED MODULE: ./lib/engines/postgresql/globals.js
/** A quoted or plain identifier as PostgreSQL's tools write them. */
const globals_NAME = '("[^"]*(?:""[^"]*)*"|[^\\s";]+)';
const CREATE_ROLE = new RegExp(`^CREATE ROLE ${globals_NAME}$`);
const TABLESPACE = /^(CREATE|ALTER|DROP|COMMENT ON) TABLESPACE\b|^(GRANT|REVOKE)\b[^"']*\bON TABLESPACE\b/;
const ROLE_STATEMENT = /^(CREATE ROLE|ALTER ROLE|GRANT|REVOKE|COMMENT ON ROLE|ALTER DEFAULT|SET|SELECT)\b/;
/**
 * What of a `pg_dumpall --globals-only` text is run in a scratch server: all but the role that the
 * server was made with, tablespaces (there is one disk) and psql's own commands.
 */
function planGlobals(text, bootstrapRole) {
    const run = [];
    const leftOut = [];
    for (const sql of splitStatements(text)) {
        const creates = globals_nameOf(CREATE_ROLE.exec(sql)?.[1]);
        if (creates === bootstrapRole)
            continue;
        if (TABLESPACE.test(sql))
            leftOut.push({ sql, why: 'tablespaces stay with the old server' });
        else if (sql.startsWith('SECURITY LABEL'))
            leftOut.push({ sql, why: 'security labels need their provider' });
        else if (!ROLE_STATEMENT.test(sql))
            leftOut.push({ sql, why: 'it is no statement about roles' });
        else
            run.push({ sql, creates });
    }
    return { run, leftOut };
}
/** The roles that a globals file creates, the bootstrap role among them. */
function rolesIn(text) {
    return splitStatements(text)
        .map((sql) => globals_nameOf(CREATE_ROLE.exec(sql)?.[1]))
        .filter((name) => name !== undefined);
}
/** A name as an identifier says it. */
function globals_nameOf(written) {
    return written?.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
}
/**
 * Statements without their semicolons. Comments go, and so do psql's commands (`\restrict`,
 * `\connect`): the text may come from anybody who can write to the store, and `\!` would run a shell
 * beside our secrets. Nothing of it ever reaches psql as a script.
 */
function splitStatements(text) {
    // Quoted text, an escape string, a comment, a psql command on its own line, the end, or anything else.
    // Not `(?:[^']|'')*`: it remembers every letter, and a comment of 16 MB ends in a stack overflow.
    const piece = /'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*"|--[^\n]*|^\\[^\n]*|;|[^'";\\-]+|[\s\S]/gm;
    const statements = [];
    let sql = '';
    let isBlank = true;
    for (const [token] of withEscapeStrings(text).matchAll(piece)) {
        if (token === ';') {
            if (!isBlank)
                statements.push(sql.trim());
            sql = '';
            isBlank = true;
        }
        else if (!token.startsWith('--') && !(token.startsWith('\\') && isBlank)) {
            sql += token;
            isBlank &&= token.trim() === '';
        }
    }
    return isBlank ? statements : [...statements, sql.trim()];
}
/** `E'it\'s'` as `E'it''s'`: the backslash would hide where the text ends. Doubled ones stay as they are. */
function withEscapeStrings(text) {
    return text.replace(/(?<![\w"'])E'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'/g, (whole) => whole.replaceAll(/\\([\s\S])/g, keepEscape));
}
function keepEscape(whole, escaped) {
    return escaped === "'" ? "''" : whole;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/restore-roles.js







/** A hundred thousand roles. */
const MOST_GLOBALS_BYTES = 32 << 20;
/** Reads `globals.sql` as it was stored. */
async function readGlobalsText(stored, env) {
    return (0,bounded_text/* boundedText */.L)((0,sys_zstd/* zstd */.q9)(env).decompress(stored), MOST_GLOBALS_BYTES, 'The artifact with the roles');
}
/**
 * Runs a globals file in a server of our own, statement by statement: one that fails is named, and
 * the others still count.
 */
async function restoreRoles(session, globals, bootstrapRole) {
    const plan = planGlobals(globals, bootstrapRole);
    const failed = [];
    for (const { sql } of plan.run) {
        await runVerbatim(session, sql).catch((error) => {
            if (!(error instanceof core_failure/* Failure */.H))
                throw error;
            failed.push(`${hidePassword(sql)}: ${error.message.split('\n')[0]}`);
        });
    }
    const roles = plan.run.filter(({ creates }) => creates !== undefined).length;
    if (failed.length > 0) {
        const message = `${failed.length} of ${plan.run.length} statements about roles failed. ${failed.slice(0, 5).join('; ')}`;
        return (0,report/* finding */.gk)('roles-restored', 'fail', message, { numbers: { failed: failed.length } });
    }
    const extra = plan.leftOut.length > 0 ? `; ${plan.leftOut.length} statements left out (${plan.leftOut[0]?.why})` : '';
    return (0,report/* finding */.gk)('roles-restored', 'pass', `${roles} roles with their memberships were restored${extra}.`, {
        numbers: { roles },
    });
}
/**
 * Sent as hex, so that psql sees no byte of it: a name with a line end and a backslash in it would be
 * a command to psql, and psql has our rights.
 */
async function runVerbatim(session, sql) {
    const hex = Buffer.from(sql, 'utf8').toString('hex');
    await session.execute(`DO $run$BEGIN EXECUTE convert_from(decode('${hex}', 'hex'), 'UTF8'); END$run$`);
}
/** A backup that could not dump its globals still has owners; without them nothing could be restored. */
function ownersAsSql(facts) {
    const names = facts?.roles.map(({ name }) => name).filter((name) => !name.startsWith('pg_')) ?? [];
    return names.map((name) => `CREATE ROLE ${identifier(name)};\n`).join('');
}
function hidePassword(sql) {
    return sql.replace(/PASSWORD '(?:[^']|'')*'/, "PASSWORD '…'").slice(0, 200);
}
/** Names of roles that the backup's objects may belong to or be granted to. */
function roleNames(globals, facts) {
    const named = globals === undefined ? [] : rolesIn(globals);
    return [...new Set([...named, ...(facts?.roles.map(({ name }) => name) ?? [])])].filter((name) => !name.startsWith('pg_'));
}
/**
 * On a server that is not ours: creates the roles that are missing, without login, and changes none.
 *
 * @param mark the comment that makes them ours, to be removed afterwards
 * @returns how many were created
 */
async function createMissingRoles(session, names, mark) {
    const missing = await missingRoles(session, names);
    await refuseWeakRole(session, missing);
    for (const name of missing) {
        await createMarkedRole(session, name, mark);
        await joinRole(session, name);
    }
    return missing.length;
}
/** In one statement: killed in between, it would leave a role that nobody knows as ours. */
async function createMarkedRole(session, name, mark) {
    const role = identifier(name);
    await runVerbatim(session, `CREATE ROLE ${role} NOLOGIN; COMMENT ON ROLE ${role} IS ${literal(mark)}`);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/build-database.js




/** The text of the globals artifact; undefined when the backup has none. */
async function globalsOf(target, open) {
    const artifact = target.manifest.artifacts.find(({ role }) => role === 'globals');
    return artifact === undefined ? undefined : readGlobalsText(await open(artifact), target.env);
}
/** Creates the database as the source's was, and restores the archives into it. Roles are there already. */
async function buildDatabase(target, given, open) {
    const properties = await makeDatabase(target, given);
    return [...properties, ...(await restoreArchives(target, open))];
}
/** Creates the database as the source's was, without anything in it. */
async function makeDatabase(target, given) {
    const { session, database, client, facts, manifest, signal } = target;
    // The manifest of an encrypted backup has none.
    const settings = facts?.settings ?? manifest.server.settings;
    const properties = await createDatabase(session, { name: database, manifest, settings, ...given });
    const fresh = await openSession(client, { applicationName: 'lifeboat', database, signal });
    try {
        await dropWhatSourceLacked(fresh, facts);
    }
    finally {
        await fresh.close();
    }
    return properties;
}

// EXTERNAL MODULE: ./lib/core/plain-text.js
var plain_text = __webpack_require__(1483);
;// CONCATENATED MODULE: ./lib/engines/postgresql/connecting.js




/** A server that restarts is back by then, and whoever mistyped the port learns it soon enough. */
const WAITS_MS = [1_000, 2_000, 4_000];
/** What waiting can help with. A password, a name or a certificate that is wrong stays wrong. */
const PASSING = new RegExp([
    'the database system is (starting up|shutting down|in recovery mode|not yet accepting connections)',
    'too many (clients|connections)|remaining connection slots',
    'Connection refused|Connection reset by peer|server closed the connection unexpectedly',
    // Of a socket that is not there: a server takes it along when it stops.
    'Is the server running locally',
    'terminating connection due to administrator command',
].join('|'));
function connecting({ env, log }) {
    const share = Number(env.LIFEBOAT_TEST_RETRY_WAIT ?? 1);
    /** Where a session was opened before. */
    const known = new Set();
    let retries = 0;
    const wait = async (ms, error, signal) => {
        log.info(`${(0,plain_text/* asSentence */.KG)(error.message.trim().split('\n')[0] ?? '')} Trying again in ${ms / 1000} s.`);
        await (0,promises_.setTimeout)(ms * share, undefined, { signal }).catch(() => signal.throwIfAborted());
        retries += 1;
    };
    return {
        open: async (client, given, patience) => {
            const { label } = client.target;
            const session = await patiently(() => openSession(client, { ...given, isKnown: known.has(label) }), (ms, error) => wait(ms, error, patience));
            known.add(label);
            return session;
        },
        retries: () => retries,
    };
}
/** Tries again while the error is a passing one and there are waits left. */
async function patiently(connect, wait) {
    for (const ms of WAITS_MS) {
        try {
            return await connect();
        }
        catch (error) {
            if (!isPassing(error))
                throw error;
            await wait(ms, error);
        }
    }
    return connect();
}
/** Of several hosts in one URL each may have its own reason; what another try cannot mend comes first in `explain`. */
function isPassing(error) {
    if (!(error instanceof core_failure/* Failure */.H) || !PASSING.test(error.message))
        return false;
    return error.code === 'source-unreachable' || error.code === 'source-busy';
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/drill-mark.js


const TEXT = 'Lifeboat drill, may be dropped: ';
/** How every database of a drill is named; with the comment it is what makes one ours to drop. */
const DRILL_PREFIX = 'lifeboat_drill_';
/** Small letters and digits, so that nobody has to quote it. */
function drillDatabase(drillId) {
    return DRILL_PREFIX + drillId.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
}
/** The comment on a drill's database and roles: whose they are, so that a later run knows the dead ones. */
function drillMark(drillId) {
    return TEXT + JSON.stringify({ drill: drillId, host: (0,external_node_os_.hostname)(), ...ownIdentity() });
}
/** Whether the run that left this mark is known to be over; false for what bears no mark or is not ours to judge. */
function isDeadMark(comment) {
    if (comment === null || !comment.startsWith(TEXT))
        return false;
    try {
        const mark = JSON.parse(comment.slice(TEXT.length));
        const identity = ProcessIdentity.parse(mark);
        const isHere = typeof mark === 'object' && mark !== null && 'host' in mark && mark.host === (0,external_node_os_.hostname)();
        return isHere && isAlive(identity) === false;
    }
    catch {
        return false; // not as we write it
    }
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-database.js
/** Extensions with their schema. The version is told, and not proof of anything. */
async function readExtensions(session) {
    return await session.query(`
    SELECT e.extname AS name, e.extversion AS version, quote_ident(n.nspname) AS schema
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY e.extname COLLATE "C"`);
}
/** `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`; those of roles everywhere are the roles' facts. */
async function readSettings(session) {
    return await session.query(`
    SELECT r.rolname AS role, setting FROM pg_db_role_setting s
    JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
    LEFT JOIN pg_roles r ON r.oid = s.setrole CROSS JOIN LATERAL unnest(s.setconfig) AS setting
    ORDER BY r.rolname COLLATE "C" NULLS FIRST, setting COLLATE "C"`);
}
/**
 * How many large objects there are, and the sum of their sizes: with holes, since a dump fills them.
 * Without access to pg_largeobject each is opened and its end sought, which needs SELECT on each.
 */
async function readLargeObjects(session) {
    const { count, readable } = await session.one(`
    SELECT (SELECT count(*) FROM pg_largeobject_metadata) AS count,
      has_table_privilege('pg_catalog.pg_largeobject', 'SELECT') AS readable`);
    if (count === 0)
        return { count, bytes: 0 };
    const { bytes } = await session.one(readable ? SIZES_BY_PAGES : SIZES_BY_SEEKING);
    return { count, bytes };
}
const SIZES_BY_PAGES = `
  SELECT coalesce(sum(size), 0) AS bytes FROM (
    SELECT max(pageno::int8 * (current_setting('block_size')::int8 / 4) + length(data)) AS size
    FROM pg_largeobject GROUP BY loid) AS sizes`;
// 262144 is INV_READ, 2 is SEEK_END. Closed one by one: a descriptor each for a million of them is memory.
const SIZES_BY_SEEKING = `
  SELECT coalesce(sum(size), 0) AS bytes FROM (
    SELECT lo_lseek64(fd, 0, 2) AS size, lo_close(fd) FROM (
      SELECT lo_open(oid, 262144) AS fd FROM pg_largeobject_metadata OFFSET 0) AS opened OFFSET 0) AS sizes`;

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-migration.js

const tool = (name, table, shown, order, also = []) => ({
    tool: name,
    table,
    shown,
    order,
    columns: [...new Set([...shown, ...order, ...also])],
});
/** Of two tools with a table of the same name, the one with more columns comes first. */
const tools = [
    tool('Flyway', 'flyway_schema_history', ['version', 'description', 'success'], ['installed_rank']),
    tool('Liquibase', 'databasechangelog', ['id', 'author'], ['orderexecuted'], ['md5sum']),
    tool('Prisma', '_prisma_migrations', ['migration_name'], ['started_at'], ['checksum']),
    tool('Alembic', 'alembic_version', ['version_num'], ['version_num']),
    tool('Django', 'django_migrations', ['app', 'name'], ['id']),
    tool('Entity Framework', '__EFMigrationsHistory', ['MigrationId'], ['MigrationId']),
    tool('golang-migrate', 'schema_migrations', ['version', 'dirty'], ['version']),
    tool('Ecto', 'schema_migrations', ['version'], ['version'], ['inserted_at']),
    tool('Rails', 'schema_migrations', ['version'], ['version']),
    tool('goose', 'goose_db_version', ['version_id', 'is_applied'], ['id']),
    tool('Knex', 'knex_migrations', ['name'], ['id'], ['batch']),
    tool('Laravel', 'migrations', ['migration', 'batch'], ['id']),
    tool('TypeORM', 'migrations', ['name'], ['id'], ['timestamp']),
    tool('Sequelize', 'SequelizeMeta', ['name'], ['name']),
    tool('Drizzle', '__drizzle_migrations', ['hash'], ['id'], ['created_at']),
    tool('node-pg-migrate', 'pgmigrations', ['name'], ['id'], ['run_on']),
    tool('sqlx', '_sqlx_migrations', ['version', 'description'], ['version']),
    tool('Diesel', '__diesel_schema_migrations', ['version'], ['version']),
    tool('dbmate', 'schema_migrations', ['version'], ['version']),
];
/** The newest row of the first migration tool's table whose rows this dump holds; null when there is none. */
async function readMigration(session, tables) {
    const names = new Set(tools.map((one) => one.table));
    const candidates = tables.filter((table) => names.has(table.relname));
    if (candidates.length === 0)
        return null;
    const columns = await readColumnNames(session, candidates);
    for (const known of tools) {
        const table = candidates.find(({ relname, oid }) => relname === known.table && known.columns.every((name) => columns.get(oid)?.has(name)));
        if (table !== undefined) {
            return { tool: known.tool, table: table.name, newest: await newestOf(session, known, table.name) };
        }
    }
    return null;
}
async function readColumnNames(session, tables) {
    const oids = tables.map((table) => table.oid).join(', ');
    const rows = await session.query(`
    SELECT a.attrelid::int8 AS oid, jsonb_agg(a.attname) AS names FROM pg_attribute a
    WHERE a.attrelid IN (${oids}) AND a.attnum > 0 AND NOT a.attisdropped GROUP BY a.attrelid`);
    return new Map(rows.map(({ oid, names }) => [oid, new Set(names)]));
}
/** Characters shown of the newest row: anybody who may write to that table decides how long it is. */
const facts_migration_LONGEST = 500;
async function newestOf(session, known, table) {
    const shown = known.shown.map((name) => `${identifier(name)}::text`).join(', ');
    const order = known.order.map((name) => `${identifier(name)} DESC NULLS LAST`).join(', ');
    const [row] = await session.query(`SELECT left(concat_ws(${literal(' ')}, ${shown}), ${facts_migration_LONGEST}) AS newest FROM ONLY ${table} ORDER BY ${order}, 1 LIMIT 1`);
    return row?.newest ?? 'no row';
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-roles.js
/**
 * Roles of the cluster without PostgreSQL's own (`pg_*`), from what everybody may read: pg_roles and
 * not pg_authid, so without passwords. Memberships in PostgreSQL's own roles count.
 */
async function readRoles(session, major) {
    const options = major >= 16
        ? `CASE WHEN bool_or(m.inherit_option) THEN NULL ELSE 'INHERIT FALSE' END,
         CASE WHEN bool_or(m.set_option) THEN NULL ELSE 'SET FALSE' END`
        : 'NULL';
    const rows = await session.query(`
    SELECT r.rolname AS name, jsonb_build_array(
        CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
        CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END,
        CASE WHEN r.rolcanlogin THEN 'LOGIN' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
        CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
        CASE WHEN r.rolconnlimit <> -1 THEN 'CONNECTION LIMIT ' || r.rolconnlimit END,
        'VALID UNTIL ' || r.rolvaliduntil::text) AS attributes,
      (SELECT jsonb_agg(g.line) FROM (
        SELECT g.rolname || coalesce(' WITH ' || nullif(concat_ws(', ',
            CASE WHEN bool_or(m.admin_option) THEN 'ADMIN' END, ${options}), ''), '') AS line
        FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid GROUP BY g.rolname) AS g
      ) AS "memberOf",
      to_jsonb(r.rolconfig) AS settings
    FROM pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY r.rolname COLLATE "C"`);
    return rows.map(({ name, attributes, memberOf, settings }) => ({
        name,
        attributes: attributes.filter((word) => word !== null).sort(),
        memberOf: (memberOf ?? []).sort(),
        settings: (settings ?? []).sort(),
    }));
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-digest.js

/**
 * Digest of a definition: `exact` counts as it is, expressions without what a dump and restore changes.
 * First 32 hex digits of a SHA-256.
 */
function digestOf(exact, expressions) {
    const normal = expressions.map((text) => (text === null ? null : normalise(text)));
    return (0,external_node_crypto_.createHash)('sha256')
        .update(JSON.stringify([exact, normal]))
        .digest('hex')
        .slice(0, 32);
}
// One piece of SQL at a time: E'…', '…', "…", $tag$…$tag$, a word or number, white space, `::`, or one character.
const PIECE = /[eE]'[^'\\]*(?:(?:''|\\.)[^'\\]*)*'|'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*"|(\$[^\W\d]*\w*\$).*?\1|[\p{L}\p{N}_$.]+|\s+|::|./gsu;
const QUOTED_OR_WORD = /^["\p{L}_]/u;
/**
 * An expression as pg_get_expr, pg_get_viewdef and the like give it, without casts, parentheses and
 * white space: a server that reads back its own output places them differently (measured on 15.20:
 * `x = ANY ((ARRAY['a'::varchar, …])::text[])` comes back as `ARRAY[('a'::varchar)::text, …]`).
 */
function normalise(expression) {
    const pieces = (expression.match(PIECE) ?? []).filter((piece) => piece.trim() !== '');
    const kept = [];
    for (let at = 0; at < pieces.length; at++) {
        const piece = pieces[at] ?? '';
        if (piece === '::')
            at = endOfType(pieces, at + 1) - 1;
        else if (piece !== '(' && piece !== ')')
            kept.push(piece);
    }
    return kept.join(' ');
}
/** Words that continue a type's name after its first: `timestamp(3) without time zone`, `character varying(10)[]`. */
const CONTINUES = {
    character: ['varying'],
    bit: ['varying'],
    double: ['precision'],
    timestamp: ['with', 'without', 'time', 'zone'],
    time: ['with', 'without', 'time', 'zone'],
    interval: ['year', 'month', 'day', 'hour', 'minute', 'second', 'to'],
};
/** The place after the type that begins at `start`. */
function endOfType(pieces, start) {
    const first = pieces[start] ?? '';
    let at = endOfName(pieces, start);
    const words = CONTINUES[first] ?? [];
    for (;;) {
        const piece = pieces[at];
        if (piece === '(' && isModifier(pieces, at))
            at = pieces.indexOf(')', at) + 1;
        else if (piece === '[' && pieces[at + 1] === ']')
            at += 2;
        else if (piece !== undefined && words.includes(piece))
            at += 1;
        else
            return at;
    }
}
/** `public."Mood"` comes as `public.`, `"Mood"`; `"My schema".mood` as `"My schema"`, `.mood`. */
function endOfName(pieces, start) {
    let at = start + 1;
    while (joins(pieces[at - 1], pieces[at]))
        at += 1;
    return at;
}
function joins(before, after) {
    if (before === undefined || after === undefined)
        return false;
    return (before.endsWith('.') && QUOTED_OR_WORD.test(after)) || (before.startsWith('"') && after.startsWith('.'));
}
/** `(-1234, 5)`, with room; a type of an extension may take some more. */
const LONGEST_MODIFIER = 20;
/** `(10,2)` behind a type, and not a parenthesis of the expression around it. */
function isModifier(pieces, open) {
    // Not to the far end: thousands of types in one expression would each look through all of it.
    const close = pieces.slice(open, open + LONGEST_MODIFIER).indexOf(')') + open;
    const inside = pieces.slice(open + 1, close);
    return close > open && inside.length > 0 && inside.every((piece) => /^(-?\d+|,|-|\w+)$/.test(piece));
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-scope.js
/** Oids below are given by initdb: casts, languages and the like have no schema to tell them apart. */
const FIRST_NORMAL_OID = 16_384;
const EVERYTHING = { hidden: new Map() };
/** A condition: the schema is the user's. `^pg_` is reserved, temporary schemas among them. */
function userSchema(column) {
    return `${column} !~ '^pg_' AND ${column} <> 'information_schema'`;
}
/** A condition: no member of an extension, which brings its objects itself. */
function notMember(catalog, oid) {
    return `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_catalog.${catalog}'::regclass
    AND e.objid = ${oid} AND e.deptype = 'e')`;
}
/** A condition: not the array type that comes with every other type. */
function notArray(type) {
    return `(SELECT e.typarray FROM pg_type e WHERE e.oid = ${type}.typelem) IS DISTINCT FROM ${type}.oid`;
}
function notHidden(scope, catalog, oid) {
    const oids = scope.hidden.get(catalog) ?? [];
    return oids.length === 0 ? 'true' : `NOT ${oid} = ANY (${oidArray(oids)})`;
}
function oidArray(oids) {
    return `'{${oids.join(',')}}'::oid[]`;
}
/** The user's relations of some kinds, as a FROM item: pg_class and `name`. */
function relations(scope, kinds) {
    const list = [...kinds].map((kind) => `'${kind}'`).join(', ');
    return `(SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN (${list}) AND ${userSchema('n.nspname')}
      AND ${notMember('pg_class', 'c.oid')} AND ${notHidden(scope, 'pg_class', 'c.oid')})`;
}
/** Elements of an array of texts in order, as jsonb; null when there are none. */
function sorted(array) {
    return `(SELECT jsonb_agg(x::text ORDER BY x::text) FROM unnest(${array}) AS x)`;
}
/**
 * Finds what is not part of this dump: everything of tables left out whole, and foreign keys into
 * tables whose rows are left out, which no restore can create again.
 */
async function readScope(session, given) {
    const found = [
        ...(given.excluded.length > 0 ? await session.query(partsOf(given.excluded)) : []),
        ...(given.rows ? await session.query(foreignKeysWithoutRows(given.held)) : []),
    ];
    const hidden = new Map();
    for (const { catalog, oid } of found)
        hidden.set(catalog, [...(hidden.get(catalog) ?? []), oid]);
    return { major: given.major, hidden, largeObjects: given.largeObjects };
}
function partsOf(oids) {
    const among = (column) => `${column} = ANY (${oidArray(oids)})`;
    return `
    SELECT 'pg_class' AS catalog, c.oid::int8 AS oid FROM pg_class c WHERE ${among('c.oid')}
    UNION ALL SELECT 'pg_class', i.indexrelid::int8 FROM pg_index i WHERE ${among('i.indrelid')}
    UNION ALL SELECT 'pg_class', d.objid::int8 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
      AND d.refclassid = 'pg_class'::regclass AND ${among('d.refobjid')} AND d.deptype = 'i'
    UNION ALL SELECT 'pg_constraint', k.oid::int8 FROM pg_constraint k WHERE ${among('k.conrelid')}
    UNION ALL SELECT 'pg_trigger', t.oid::int8 FROM pg_trigger t WHERE ${among('t.tgrelid')}
    UNION ALL SELECT 'pg_policy', p.oid::int8 FROM pg_policy p WHERE ${among('p.polrelid')}
    UNION ALL SELECT 'pg_rewrite', r.oid::int8 FROM pg_rewrite r WHERE ${among('r.ev_class')}
    UNION ALL SELECT 'pg_statistic_ext', s.oid::int8 FROM pg_statistic_ext s WHERE ${among('s.stxrelid')}`;
}
function foreignKeysWithoutRows(held) {
    return `
    WITH RECURSIVE leaves (root, oid) AS (
      SELECT k.confrelid, k.confrelid FROM pg_constraint k WHERE k.contype = 'f'
      UNION SELECT l.root, i.inhrelid FROM leaves l
        JOIN pg_class p ON p.oid = l.oid AND p.relkind = 'p' JOIN pg_inherits i ON i.inhparent = l.oid),
    rowless AS (
      SELECT l.root FROM leaves l JOIN pg_class c ON c.oid = l.oid
      WHERE c.relkind = 'r' AND NOT c.oid = ANY (${oidArray(held)}) AND ${notMember('pg_class', 'c.oid')})
    SELECT 'pg_constraint' AS catalog, k.oid::int8 AS oid FROM pg_constraint k
    WHERE k.contype = 'f' AND k.confrelid IN (SELECT root FROM rowless)`;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-owned-objects.js

/**
 * A FROM item: objects with an owner. `acl_kind`, as acldefault wants it, is null where nothing can be
 * granted; `system` objects are initdb's, of which a dump holds changed grants only.
 */
function ownedObjects(scope) {
    const parts = [
        facts_owned_objects_relations(scope),
        functions(),
        types(),
        facts_owned_objects_schemas(),
        operators(),
        withoutSchema('language', 'pg_language', 'lan', 'l'),
        withoutSchema('foreign-data wrapper', 'pg_foreign_data_wrapper', 'fdw', 'F'),
        withoutSchema('server', 'pg_foreign_server', 'srv', 'S'),
        withoutSchema('publication', 'pg_publication', 'pub'),
        withoutSchema('event trigger', 'pg_event_trigger', 'evt'),
        inSchema('operator class', 'pg_opclass', 'opc', 'opcnamespace'),
        inSchema('operator family', 'pg_opfamily', 'opf', 'opfnamespace'),
        inSchema('collation', 'pg_collation', 'coll', 'collnamespace'),
        inSchema('conversion', 'pg_conversion', 'con', 'connamespace'),
        inSchema('text search dictionary', 'pg_ts_dict', 'dict', 'dictnamespace'),
        inSchema('text search configuration', 'pg_ts_config', 'cfg', 'cfgnamespace'),
        `${inSchema('statistics', 'pg_statistic_ext', 'stx', 'stxnamespace')}
      AND ${notHidden(scope, 'pg_statistic_ext', 'x.oid')}`,
    ];
    return `(${parts.join(' UNION ALL ')})`;
}
const userOrSystem = (column) => `(${userSchema(column)} OR ${column} = 'pg_catalog')`;
function facts_owned_objects_relations(scope) {
    return `
    SELECT 'pg_class'::regclass AS classid, c.oid, CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END AS type,
      format('%I.%I', n.nspname, c.relname) AS name, c.relowner AS owner, c.relacl AS acl,
      CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END AS acl_kind, n.nspname = 'pg_catalog' AS system
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND ${userOrSystem('n.nspname')}
      AND ${notHidden(scope, 'pg_class', 'c.oid')}`;
}
/** Without those that come with a range type. */
function functions() {
    return `
    SELECT 'pg_proc'::regclass, p.oid, 'function',
      format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner, p.proacl, 'f',
      n.nspname = 'pg_catalog'
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE ${userOrSystem('n.nspname')} AND (n.nspname <> 'pg_catalog' OR p.proacl IS NOT NULL)
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
        AND d.deptype = 'i')`;
}
/** Without row types of tables, and arrays. */
function types() {
    return `
    SELECT 'pg_type'::regclass, t.oid, 'type', format('%I.%I', n.nspname, t.typname), t.typowner, t.typacl, 'T',
      n.nspname = 'pg_catalog'
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class r ON r.oid = t.typrelid
    WHERE ${userOrSystem('n.nspname')} AND t.typtype IN ('b', 'c', 'd', 'e', 'r')
      AND (r.oid IS NULL OR r.relkind = 'c') AND ${notArray('t')}`;
}
function facts_owned_objects_schemas() {
    return `
    SELECT 'pg_namespace'::regclass, n.oid, 'schema', quote_ident(n.nspname), n.nspowner, n.nspacl, 'n',
      n.nspname = 'pg_catalog'
    FROM pg_namespace n WHERE ${userOrSystem('n.nspname')}`;
}
/** Without shells that only name an operator another one will commute with. */
function operators() {
    return `
    SELECT 'pg_operator'::regclass, o.oid, 'operator',
      (pg_identify_object('pg_operator'::regclass, o.oid, 0)).identity, o.oprowner, NULL, NULL, false
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE ${userSchema('n.nspname')} AND o.oprcode <> 0`;
}
function inSchema(type, catalog, prefix, schemaColumn) {
    return `
    SELECT '${catalog}'::regclass, x.oid, '${type}', format('%I.%I', n.nspname, x.${prefix}name), x.${prefix}owner,
      NULL::aclitem[], NULL, false
    FROM ${catalog} x JOIN pg_namespace n ON n.oid = x.${schemaColumn} WHERE ${userSchema('n.nspname')}`;
}
function withoutSchema(type, catalog, prefix, aclKind) {
    const acl = aclKind === undefined ? 'NULL::aclitem[], NULL' : `x.${prefix}acl, '${aclKind}'`;
    return `
    SELECT '${catalog}'::regclass, x.oid, '${type}', quote_ident(x.${prefix}name), x.${prefix}owner, ${acl},
      x.oid < ${FIRST_NORMAL_OID}
    FROM ${catalog} x`;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-grants.js


/** Who owns what, who may do what, and what was said about it. */
function grantQueries(scope) {
    return [
        owners(scope),
        grants(scope),
        columnGrants(scope),
        defaultPrivileges(),
        ...(scope.largeObjects ? [largeObjects()] : []),
        comments(scope),
    ];
}
/** A condition: initdb or CREATE EXTENSION brings this object o, so the dump holds only what was changed of it. */
const BROUGHT = `(o.system OR EXISTS (SELECT FROM pg_depend e
  WHERE e.classid = o.classid AND e.objid = o.oid AND e.deptype = 'e'))`;
/** With the owner in the identity: "missing: … owned by app, unexpected: … owned by eve" says all. */
function owners(scope) {
    return {
        kind: 'owner',
        sql: `
    SELECT format('%s %s owned by %I', o.type, o.name, pg_get_userbyid(o.owner)) AS identity, NULL AS exact
    FROM ${ownedObjects(scope)} AS o WHERE NOT ${BROUGHT}`,
    };
}
const GRANTEE = `CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END`;
// The owner as grantor goes without saying: who that is belongs to the owner's own fact.
const PRIVILEGES = `jsonb_agg(concat_ws(' ', g.privilege_type, CASE WHEN g.is_grantable THEN 'WITH GRANT OPTION' END,
    CASE WHEN g.grantor <> o.owner THEN 'BY ' || pg_get_userbyid(g.grantor) END)
  ORDER BY g.privilege_type, g.is_grantable, pg_get_userbyid(g.grantor))`;
/** One fact per object and grantee, with the privileges nobody granted but everybody has by default. */
function grants(scope) {
    return {
        kind: 'grant',
        sql: `
    SELECT format('%s %s to %s', o.type, o.name, ${GRANTEE}) AS identity, ${PRIVILEGES} AS exact
    FROM ${ownedObjects(scope)} AS o
    LEFT JOIN pg_init_privs i ON i.classoid = o.classid AND i.objoid = o.oid AND i.objsubid = 0
    CROSS JOIN LATERAL aclexplode(coalesce(o.acl, acldefault(o.acl_kind::"char", o.owner))) AS g
    WHERE o.acl_kind IS NOT NULL AND (NOT ${BROUGHT} OR (g.grantee <> o.owner
      AND ${sorted('coalesce(o.acl, acldefault(o.acl_kind::"char", o.owner))')}
        IS DISTINCT FROM ${sorted('coalesce(i.initprivs, acldefault(o.acl_kind::"char", o.owner))')}))
    GROUP BY o.type, o.name, g.grantee`,
    };
}
function columnGrants(scope) {
    return {
        kind: 'grant',
        sql: `
    SELECT format('column %s.%I to %s', o.name, a.attname, ${GRANTEE}) AS identity, ${PRIVILEGES} AS exact
    FROM ${ownedObjects(scope)} AS o
    JOIN pg_attribute a ON a.attrelid = o.oid AND NOT a.attisdropped AND a.attacl IS NOT NULL
    LEFT JOIN pg_init_privs i ON i.classoid = o.classid AND i.objoid = o.oid AND i.objsubid = a.attnum
    CROSS JOIN LATERAL aclexplode(a.attacl) AS g
    WHERE o.classid = 'pg_class'::regclass AND (NOT ${BROUGHT} OR ${sorted('a.attacl')} IS DISTINCT FROM ${sorted('i.initprivs')})
    GROUP BY o.name, a.attname, g.grantee`,
    };
}
function defaultPrivileges() {
    return {
        kind: 'default-privileges',
        sql: `
    SELECT format('of %I%s on %s', pg_get_userbyid(d.defaclrole), ' in schema ' || quote_ident(n.nspname),
        CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
          WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' WHEN 'L' THEN 'large objects'
          ELSE d.defaclobjtype::text END) AS identity,
      ${sorted('d.defaclacl')} AS exact
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace`,
    };
}
/** Grouped by owner and grants: there may be millions, hardly ever with more than a handful of both. */
function largeObjects() {
    return {
        kind: 'large-objects',
        sql: `
    SELECT format('owned by %I, granted %s', pg_get_userbyid(l.lomowner), coalesce(acl.items, 'to nobody')) AS identity,
      jsonb_build_array(count(*), sum(l.oid::int8)) AS exact
    FROM pg_largeobject_metadata l CROSS JOIN LATERAL (
      SELECT string_agg(x::text, ', ' ORDER BY x::text) AS items FROM unnest(l.lomacl) AS x) AS acl
    GROUP BY l.lomowner, acl.items`,
    };
}
/** Extensions bring their own; copies of a parent's constraint or trigger lose theirs in every dump. */
function comments(scope) {
    const hidden = [...scope.hidden].flatMap(([catalog, oids]) => oids.map((oid) => `('pg_catalog.${catalog}'::regclass::oid, ${oid}::oid)`));
    const notHere = hidden.length === 0 ? 'true' : `NOT (d.classoid, d.objoid) IN (VALUES ${hidden.join(', ')})`;
    return {
        kind: 'comment',
        sql: `
    SELECT concat_ws(' ', i.type, i.identity) AS identity, to_jsonb(d.description) AS exact
    FROM pg_description d
    CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
    WHERE (d.objoid >= ${FIRST_NORMAL_OID} OR d.classoid = 'pg_largeobject'::regclass
        OR i.type = 'schema' AND i.identity = 'public')
      AND (i.schema IS NULL OR ${userSchema('i.schema')}) AND d.classoid <> 'pg_extension'::regclass
      AND ${scope.largeObjects} >= (d.classoid = 'pg_largeobject'::regclass) AND ${notHere}
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid
        AND (e.deptype = 'e' OR e.refclassid = e.classid AND e.classid IN ('pg_constraint'::regclass, 'pg_trigger'::regclass)))
      AND ${notMember('pg_class', 'd.objoid')}`,
    };
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-objects.js

/** Objects that are no part of a table. */
function objectQueries(scope) {
    return [
        facts_objects_schemas(),
        facts_objects_functions(scope),
        aggregates(),
        enums(),
        domains(),
        composites(),
        ranges(scope),
        baseTypes(),
        eventTriggers(),
        publications(scope),
        publishedTables(scope),
        ...(scope.major >= 15 ? [publishedSchemas()] : []),
        ...textSearch(),
        ...facts_objects_operators(),
        ...conversions(),
        ...foreign(),
    ];
}
function facts_objects_schemas() {
    return {
        kind: 'schema',
        sql: `SELECT quote_ident(n.nspname) AS identity, NULL AS exact FROM pg_namespace n
      WHERE ${userSchema('n.nspname')} AND ${notMember('pg_namespace', 'n.oid')}`,
    };
}
/** The body counts byte by byte; one in SQL's own syntax is deparsed by the server. */
function facts_objects_functions(scope) {
    const sqlBody = scope.major >= 14 ? 'pg_get_function_sqlbody(p.oid)' : 'NULL';
    return {
        sql: `
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind,
      format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS identity,
      jsonb_build_array(p.prokind, l.lanname, CASE WHEN ${sqlBody} IS NULL THEN p.prosrc END, p.probin, p.provolatile,
        p.proisstrict, p.prosecdef, p.proleakproof, p.proparallel, p.procost, p.prorows, ${sorted('p.proconfig')},
        nullif(p.prosupport::oid, 0)::regproc::text, ${sorted('p.protrftypes::regtype[]')}) AS exact,
      jsonb_build_array(pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), ${sqlBody}) AS expressions
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE p.prokind <> 'a' AND ${userSchema('n.nspname')} AND ${notMember('pg_proc', 'p.oid')}
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
        AND d.deptype = 'i')`,
    };
}
function aggregates() {
    return {
        kind: 'aggregate',
        sql: `
    SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS identity,
      jsonb_build_array(to_jsonb(a) - '{aggfnoid,aggtranstype,aggmtranstype,aggsortop}'::text[],
        a.aggtranstype::regtype::text, a.aggmtranstype::regtype::text, a.aggsortop::regoperator::text,
        p.proparallel) AS exact,
      jsonb_build_array(pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) AS expressions
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_aggregate a ON a.aggfnoid = p.oid
    WHERE ${userSchema('n.nspname')} AND ${notMember('pg_proc', 'p.oid')}`,
    };
}
function facts_objects_types(typtype, exact, expressions, join = '') {
    return {
        kind: 'type',
        sql: `
    SELECT format('%I.%I', n.nspname, t.typname) AS identity, jsonb_build_array(t.typtype, ${exact}) AS exact,
      jsonb_build_array(${expressions}) AS expressions
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace ${join}
    WHERE t.typtype = '${typtype}' AND ${userSchema('n.nspname')} AND ${notMember('pg_type', 't.oid')}`,
    };
}
function enums() {
    const labels = '(SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)';
    return facts_objects_types('e', labels, '');
}
function domains() {
    const collation = `(SELECT format('%I.%I', cn.nspname, k.collname) FROM pg_collation k
    JOIN pg_namespace cn ON cn.oid = k.collnamespace WHERE k.oid = t.typcollation)`;
    return facts_objects_types('d', `format_type(t.typbasetype, t.typtypmod), t.typnotnull, ${collation}`, `CASE WHEN t.typdefaultbin IS NULL THEN t.typdefault ELSE pg_get_expr(t.typdefaultbin, 0) END`);
}
function composites() {
    const attributes = `(SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod),
      (SELECT format('%I.%I', cn.nspname, k.collname) FROM pg_collation k
        JOIN pg_namespace cn ON cn.oid = k.collnamespace WHERE k.oid = a.attcollation)) ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)`;
    return facts_objects_types('c', attributes, '', `JOIN pg_class r ON r.oid = t.typrelid AND r.relkind = 'c'`);
}
function ranges(scope) {
    const multirange = scope.major >= 14 ? 'r.rngmultitypid::regtype::text' : 'NULL';
    const exact = `r.rngsubtype::regtype::text, r.rngcanonical::text, r.rngsubdiff::text, ${multirange},
    (SELECT format('%I.%I', cn.nspname, k.collname) FROM pg_collation k
      JOIN pg_namespace cn ON cn.oid = k.collnamespace WHERE k.oid = r.rngcollation),
    (SELECT o.opcname FROM pg_opclass o WHERE o.oid = r.rngsubopc)`;
    return facts_objects_types('r', exact, '', 'JOIN pg_range r ON r.rngtypid = t.oid');
}
/** Without the array type that comes with every other type. */
function baseTypes() {
    const exact = `t.typlen, t.typbyval, t.typcategory, t.typispreferred, t.typdelim, t.typalign, t.typstorage,
    t.typinput::text, t.typoutput::text, t.typreceive::text, t.typsend::text, t.typmodin::text, t.typmodout::text,
    t.typanalyze::text, nullif(t.typelem, 0)::regtype::text`;
    const base = facts_objects_types('b', exact, 't.typdefault');
    return { ...base, sql: `${base.sql} AND ${notArray('t')}` };
}
function eventTriggers() {
    return {
        kind: 'event-trigger',
        sql: `
    SELECT quote_ident(t.evtname) AS identity,
      jsonb_build_array(t.evtevent, t.evtfoid::regprocedure::text, t.evtenabled, ${sorted('t.evttags')}) AS exact
    FROM pg_event_trigger t WHERE ${notMember('pg_event_trigger', 't.oid')}`,
    };
}
function publications(scope) {
    const viaRoot = scope.major >= 13 ? 'p.pubviaroot' : 'NULL';
    const generated = scope.major >= 18 ? 'p.pubgencols' : 'NULL';
    return {
        kind: 'publication',
        sql: `
    SELECT quote_ident(p.pubname) AS identity,
      jsonb_build_array(p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, ${viaRoot},
        ${generated}) AS exact
    FROM pg_publication p WHERE ${notMember('pg_publication', 'p.oid')}`,
    };
}
function publishedTables(scope) {
    const columns = `(SELECT jsonb_agg(a.attname ORDER BY a.attname) FROM pg_attribute a
    WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs))`;
    const newer = scope.major >= 15;
    return {
        kind: 'publication-table',
        sql: `
    SELECT format('%s in %I', r.prrelid::regclass, p.pubname) AS identity,
      ${newer ? columns : 'NULL'} AS exact,
      jsonb_build_array(${newer ? 'pg_get_expr(r.prqual, r.prrelid)' : 'NULL'}) AS expressions
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
    WHERE ${notHidden(scope, 'pg_class', 'r.prrelid')}`,
    };
}
function publishedSchemas() {
    return {
        kind: 'publication-schema',
        sql: `SELECT format('%I in %I', n.nspname, p.pubname) AS identity, NULL AS exact FROM pg_publication_namespace s
      JOIN pg_namespace n ON n.oid = s.pnnspid JOIN pg_publication p ON p.oid = s.pnpubid`,
    };
}
/** An object with a schema and nothing else to tell it by, with columns that say what it is. */
function named(kind, catalog, prefix, schemaColumn, exact) {
    return {
        kind,
        sql: `
    SELECT format('%I.%I', n.nspname, x.${prefix}name) AS identity, ${exact} AS exact
    FROM ${catalog} x JOIN pg_namespace n ON n.oid = x.${schemaColumn}
    WHERE ${userSchema('n.nspname')} AND ${notMember(catalog, 'x.oid')}`,
    };
}
function textSearch() {
    const mapping = `jsonb_build_array(x.cfgparser::text, (SELECT jsonb_agg(jsonb_build_array(m.maptokentype, m.mapseqno,
      m.mapdict::regdictionary::text) ORDER BY m.maptokentype, m.mapseqno)
    FROM pg_ts_config_map m WHERE m.mapcfg = x.oid))`.replace('x.cfgparser::text', '(SELECT p.prsname FROM pg_ts_parser p WHERE p.oid = x.cfgparser)');
    const template = '(SELECT t.tmplname FROM pg_ts_template t WHERE t.oid = x.dicttemplate)';
    const functionsOf = (without) => `to_jsonb(x) - '${without}'::text[]`;
    return [
        named('text-search-configuration', 'pg_ts_config', 'cfg', 'cfgnamespace', mapping),
        named('text-search-dictionary', 'pg_ts_dict', 'dict', 'dictnamespace', `jsonb_build_array(${template}, x.dictinitoption)`),
        named('text-search-parser', 'pg_ts_parser', 'prs', 'prsnamespace', functionsOf('{oid,prsnamespace}')),
        named('text-search-template', 'pg_ts_template', 'tmpl', 'tmplnamespace', functionsOf('{oid,tmplnamespace}')),
    ];
}
function facts_objects_operators() {
    const identity = (catalog) => `(pg_identify_object('${catalog}'::regclass, x.oid, 0)).identity`;
    const members = `(SELECT jsonb_agg(m ORDER BY m) FROM (
      SELECT format('operator %s %s %s', o.amopstrategy, o.amopopr::regoperator, o.amoppurpose) FROM pg_amop o
        WHERE o.amopfamily = x.oid
      UNION ALL SELECT format('function %s %s %s %s', p.amprocnum, p.amproclefttype::regtype,
        p.amprocrighttype::regtype, p.amproc) FROM pg_amproc p WHERE p.amprocfamily = x.oid) AS members (m))`;
    const inSchema = (kind, catalog, prefix, exact) => ({
        kind,
        sql: `SELECT ${identity(catalog)} AS identity, ${exact} AS exact FROM ${catalog} x
      JOIN pg_namespace n ON n.oid = x.${prefix}namespace
      WHERE ${userSchema('n.nspname')} AND ${notMember(catalog, 'x.oid')}`,
    });
    const operator = inSchema('operator', 'pg_operator', 'opr', `jsonb_build_array(x.oprcode::text, x.oprresult::regtype::text, nullif(x.oprcom, 0)::regoperator::text,
      nullif(x.oprnegate, 0)::regoperator::text, x.oprrest::text, x.oprjoin::text, x.oprcanmerge, x.oprcanhash)`);
    return [
        { ...operator, sql: `${operator.sql} AND x.oprcode <> 0` },
        inSchema('operator-family', 'pg_opfamily', 'opf', members),
        inSchema('operator-class', 'pg_opclass', 'opc', `jsonb_build_array(x.opcintype::regtype::text, x.opcdefault, nullif(x.opckeytype, 0)::regtype::text)`),
    ];
}
function conversions() {
    const cast = `jsonb_build_array(nullif(x.castfunc, 0)::regprocedure::text, x.castcontext, x.castmethod)`;
    return [
        named('collation', 'pg_collation', 'coll', 'collnamespace', `to_jsonb(x) - '{oid,collnamespace,collowner,collversion}'::text[]`),
        named('conversion', 'pg_conversion', 'con', 'connamespace', `to_jsonb(x) - '{oid,connamespace,conowner}'::text[]`),
        {
            kind: 'cast',
            sql: `SELECT format('%s as %s', x.castsource::regtype, x.casttarget::regtype) AS identity, ${cast} AS exact
        FROM pg_cast x WHERE x.oid >= ${FIRST_NORMAL_OID} AND ${notMember('pg_cast', 'x.oid')}`,
        },
        {
            kind: 'language',
            sql: `SELECT quote_ident(x.lanname) AS identity,
          jsonb_build_array(x.lanpltrusted, x.lanplcallfoid::regproc::text, x.laninline::regproc::text) AS exact
        FROM pg_language x WHERE x.oid >= ${FIRST_NORMAL_OID} AND ${notMember('pg_language', 'x.oid')}`,
        },
    ];
}
function foreign() {
    return [
        {
            kind: 'foreign-data-wrapper',
            sql: `SELECT quote_ident(x.fdwname) AS identity, jsonb_build_array(x.fdwhandler::regproc::text,
          x.fdwvalidator::regproc::text, x.fdwoptions) AS exact
        FROM pg_foreign_data_wrapper x WHERE ${notMember('pg_foreign_data_wrapper', 'x.oid')}`,
        },
        {
            kind: 'server',
            sql: `SELECT quote_ident(x.srvname) AS identity, jsonb_build_array((SELECT w.fdwname
          FROM pg_foreign_data_wrapper w WHERE w.oid = x.srvfdw), x.srvtype, x.srvversion, x.srvoptions) AS exact
        FROM pg_foreign_server x WHERE ${notMember('pg_foreign_server', 'x.oid')}`,
        },
        {
            // Options hold passwords: not even a digest of one leaves the server.
            kind: 'user-mapping',
            sql: `SELECT format('%s on %I', CASE x.umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(x.usename) END, x.srvname)
          AS identity, NULL AS exact FROM pg_user_mappings x`,
        },
    ];
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-relations.js

/** Tables and what belongs to them, in the order a reader expects them. */
function relationQueries(scope) {
    return [
        tables(scope),
        columns(scope),
        views(scope),
        sequences(scope),
        indexes(scope),
        constraints(scope),
        domainConstraints(),
        triggers(scope),
        rules(scope),
        policies(scope),
        statistics(scope),
    ];
}
// Attribute numbers, physical order and tablespaces are not part of it: a restore changes them rightly.
function tables(scope) {
    return {
        sql: `
    SELECT CASE c.relkind WHEN 'f' THEN 'foreign-table' ELSE 'table' END AS kind, c.name AS identity,
      jsonb_build_array(c.relkind, c.relpersistence, ${sorted('c.reloptions')}, ${sorted('toast.reloptions')},
        c.relrowsecurity, c.relforcerowsecurity, c.relreplident, am.amname, nullif(c.reloftype, 0)::regtype::text,
        (SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident),
        (SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid),
        (SELECT jsonb_build_array(s.srvname, f.ftoptions) FROM pg_foreign_table f
          JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid)) AS exact,
      jsonb_build_array(CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
        pg_get_expr(c.relpartbound, c.oid)) AS expressions
    FROM ${relations(scope, 'rpf')} AS c
    LEFT JOIN pg_am am ON am.oid = c.relam
    LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid`,
    };
}
function columns(scope) {
    const compression = scope.major >= 14 ? `nullif(a.attcompression, '')` : 'NULL';
    // From 18 on NOT NULL is a constraint of its own, whose name a restore may choose anew.
    const notNull = `(SELECT jsonb_build_array(k.convalidated, k.connoinherit) FROM pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum])`;
    // Minor releases of late 2026 keep a version of their own among the options; pg_dump leaves it out.
    const options = `(SELECT jsonb_agg(o ORDER BY o) FROM unnest(a.attoptions) AS o WHERE o !~ '^pg_attver=')`;
    return {
        kind: 'column',
        sql: `
    SELECT format('%s.%I', c.name, a.attname) AS identity,
      jsonb_build_array(format_type(a.atttypid, a.atttypmod), a.attidentity, a.attgenerated,
        CASE WHEN a.attcollation <> t.typcollation THEN
          (SELECT format('%I.%I', n.nspname, k.collname) FROM pg_collation k
            JOIN pg_namespace n ON n.oid = k.collnamespace WHERE k.oid = a.attcollation) END,
        CASE WHEN c.relkind <> 'v' THEN jsonb_build_array(a.attnotnull, nullif(a.attstorage, t.typstorage),
          ${compression}, nullif(a.attstattarget, -1), ${options}, ${sorted('a.attfdwoptions')},
          ${notNull}) END) AS exact,
      jsonb_build_array(pg_get_expr(d.adbin, d.adrelid)) AS expressions
    FROM ${relations(scope, 'rpfmv')} AS c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum`,
    };
}
function views(scope) {
    return {
        sql: `
    SELECT CASE c.relkind WHEN 'm' THEN 'materialized-view' ELSE 'view' END AS kind, c.name AS identity,
      jsonb_build_array(${sorted('c.reloptions')}, am.amname) AS exact,
      jsonb_build_array(pg_get_viewdef(c.oid)) AS expressions
    FROM ${relations(scope, 'vm')} AS c LEFT JOIN pg_am am ON am.oid = c.relam`,
    };
}
function sequences(scope) {
    return {
        kind: 'sequence',
        sql: `
    SELECT c.name AS identity,
      jsonb_build_array(c.relpersistence, s.seqtypid::regtype::text, s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
        s.seqcache, s.seqcycle,
        (SELECT format('%s %s.%I', d.deptype, d.refobjid::regclass, a.attname) FROM pg_depend d
          JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
            AND d.deptype IN ('a', 'i') AND ${notHidden(scope, 'pg_class', 'd.refobjid')})) AS exact
    FROM ${relations(scope, 'S')} AS c JOIN pg_sequence s ON s.seqrelid = c.oid`,
    };
}
/** Those pg_dump dumps: an index that CREATE INDEX CONCURRENTLY left invalid is not there after a restore. */
function indexes(scope) {
    return {
        kind: 'index',
        sql: `
    SELECT format('%I.%I', n.nspname, i.relname) AS identity,
      jsonb_build_array(x.indisclustered, x.indisreplident, x.indisvalid,
        (SELECT p.inhparent::regclass::text FROM pg_inherits p WHERE p.inhrelid = i.oid),
        (SELECT jsonb_agg(jsonb_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = i.oid AND a.attstattarget >= 0)) AS exact,
      jsonb_build_array(pg_get_indexdef(i.oid)) AS expressions
    FROM ${relations(scope, 'rpm')} AS c JOIN pg_index x ON x.indrelid = c.oid
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
    WHERE (x.indisvalid OR c.relkind = 'p') AND x.indisready`,
    };
}
/** Without those that a parent's brings (`conparentid`), and without NOT NULL: the column knows it. */
function constraints(scope) {
    return {
        sql: `
    SELECT CASE k.contype WHEN 'f' THEN 'foreign-key' ELSE 'constraint' END AS kind,
      format('%I on %s', k.conname, c.name) AS identity, to_jsonb(k.contype) AS exact,
      jsonb_build_array(pg_get_constraintdef(k.oid)) AS expressions
    FROM ${relations(scope, 'rpf')} AS c JOIN pg_constraint k ON k.conrelid = c.oid
    WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0
      AND ${notHidden(scope, 'pg_constraint', 'k.oid')}`,
    };
}
function domainConstraints() {
    return {
        kind: 'constraint',
        sql: `
    SELECT format('%I on %I.%I', k.conname, n.nspname, t.typname) AS identity, to_jsonb(k.contype) AS exact,
      jsonb_build_array(pg_get_constraintdef(k.oid)) AS expressions
    FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE k.contype = 'c' AND ${userSchema('n.nspname')} AND ${notMember('pg_type', 't.oid')}`,
    };
}
/**
 * A partition's copy of its parent's trigger counts only when it is switched differently, under the
 * parent's name: before 15 a rename of the parent's left it behind, and the restore does not.
 */
function triggers(scope) {
    const parent = `(SELECT d.refobjid FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass
      AND d.objid = t.oid AND d.refclassid = 'pg_trigger'::regclass LIMIT 1)`;
    return {
        kind: 'trigger',
        sql: `
    SELECT format('%I on %s', coalesce(p.tgname, t.tgname), c.name) AS identity, to_jsonb(t.tgenabled) AS exact,
      jsonb_build_array(CASE WHEN p.oid IS NULL THEN pg_get_triggerdef(t.oid) END) AS expressions
    FROM ${relations(scope, 'rpfv')} AS c JOIN pg_trigger t ON t.tgrelid = c.oid
    LEFT JOIN pg_trigger p ON p.oid = ${parent}
    WHERE (p.oid IS NULL AND NOT t.tgisinternal) OR (NOT p.tgisinternal AND p.tgenabled <> t.tgenabled)`,
    };
}
function rules(scope) {
    return {
        kind: 'rule',
        sql: `
    SELECT format('%I on %s', r.rulename, c.name) AS identity, to_jsonb(r.ev_enabled) AS exact,
      jsonb_build_array(pg_get_ruledef(r.oid)) AS expressions
    FROM ${relations(scope, 'rpfv')} AS c JOIN pg_rewrite r ON r.ev_class = c.oid
    WHERE r.rulename <> '_RETURN'`,
    };
}
function policies(scope) {
    return {
        kind: 'policy',
        sql: `
    SELECT format('%I on %s', p.polname, c.name) AS identity,
      jsonb_build_array(p.polcmd, p.polpermissive,
        (SELECT jsonb_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END
          ORDER BY CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END)
          FROM unnest(p.polroles) AS r)) AS exact,
      jsonb_build_array(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) AS expressions
    FROM ${relations(scope, 'rp')} AS c JOIN pg_policy p ON p.polrelid = c.oid`,
    };
}
function statistics(scope) {
    const target = scope.major >= 13 ? 'nullif(s.stxstattarget, -1)' : 'NULL';
    return {
        kind: 'statistics',
        sql: `
    SELECT format('%I.%I', n.nspname, s.stxname) AS identity, jsonb_build_array(${target}) AS exact,
      jsonb_build_array(pg_get_statisticsobjdef(s.oid)) AS expressions
    FROM ${relations(scope, 'rpfm')} AS c JOIN pg_statistic_ext s ON s.stxrelid = c.oid
    JOIN pg_namespace n ON n.oid = s.stxnamespace`,
    };
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-schema.js




/** Every object of the schema, with a digest of its definition, by kind and identity. */
async function readSchema(session, scope) {
    const facts = [];
    for (const query of [...relationQueries(scope), ...objectQueries(scope), ...grantQueries(scope)]) {
        for (const row of await session.query(bounded(query)))
            facts.push(facts_schema_describe(query, row));
    }
    return facts.sort((a, b) => compare(a.kind, b.kind) || compare(a.identity, b.identity));
}
/** Bytes beyond which the server sends a hash of what is compared as it is: a function may hold a gigabyte. */
const LONGEST_EXACT = 2_000;
/** The same for expressions. Casts, parentheses and white space then go by rougher rules than `normalise` has. */
const LONGEST_EXPRESSIONS = 250_000;
function bounded({ kind, sql }) {
    const hash = (text) => `'sha256:' || encode(sha256(convert_to(${text}, current_setting('server_encoding'))), 'hex')`;
    const bare = `translate(regexp_replace(d.expressions::text, '::("[^"]*"|[a-z0-9_. ])+', '', 'g'), ' ()', '')`;
    const expressions = `CASE WHEN octet_length(d.expressions::text) > ${LONGEST_EXPRESSIONS}
    THEN jsonb_build_array(${hash(bare)}) ELSE to_jsonb(d.expressions) END AS expressions`;
    // OFFSET keeps the planner from working out a definition once for each time it is named here.
    return `SELECT ${kind === undefined ? 'd.kind, ' : ''}d.identity,
      CASE WHEN octet_length(d.exact::text) > ${LONGEST_EXACT}
        THEN to_jsonb(${hash('d.exact::text')}) ELSE to_jsonb(d.exact) END AS exact
      ${/ AS expressions\b/.test(sql) ? `, ${expressions}` : ''}
    FROM (${sql} OFFSET 0) AS d`;
}
function facts_schema_describe(query, row) {
    const kind = query.kind ?? row.kind ?? 'object';
    return { kind, identity: row.identity, digest: digestOf(row.exact, row.expressions ?? []) };
}
/** By code units: the same on every machine, whatever its locale. */
function compare(a, b) {
    return a < b ? -1 : a > b ? 1 : 0;
}

// EXTERNAL MODULE: ./lib/core/sequence-order.js
var sequence_order = __webpack_require__(983);
;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-sequences.js





/** Sequences in one statement. */
const BATCH = 200;
/** How often a list is read anew because one of it was dropped before it could be read. */
const ATTEMPTS = 3;
/**
 * Where every sequence stands now. Outside the snapshot's transaction: before the dump and after it.
 * Needs SELECT on each (pg_read_all_data has it).
 */
async function readSequences(session, scope = EVERYTHING) {
    for (let attempt = 1;; attempt++) {
        try {
            return await readOnce(session, scope);
        }
        catch (error) {
            const vanished = error instanceof core_failure/* Failure */.H && /does not exist|could not open relation/.test(error.message);
            if (!vanished || attempt === ATTEMPTS)
                throw error;
        }
    }
}
/** A standby has no unlogged relations: reading one is an error there. */
async function readOnce(session, scope) {
    const listed = await session.query(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement::text AS increment, s.seqcycle AS cycle
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema('n.nspname')} AND (${notMember('pg_class', 'c.oid')}
        OR c.oid = ANY (SELECT unnest(extconfig) FROM pg_extension))
      AND (c.relpersistence <> 'u' OR NOT pg_is_in_recovery()) AND ${notHidden(scope, 'pg_class', 'c.oid')}
    ORDER BY 1`);
    const states = new Map();
    for (let from = 0; from < listed.length; from += BATCH) {
        const parts = listed
            .slice(from, from + BATCH)
            .map(({ name }) => `SELECT ${literal(name)} AS name, last_value::text AS value, is_called FROM ${name}`);
        const rows = await session.query(parts.join(' UNION ALL '));
        for (const { name, value, is_called } of rows)
            states.set(name, { value, isCalled: is_called });
    }
    return listed.flatMap((one) => {
        const state = states.get(one.name);
        return state === undefined ? [] : [{ ...one, ...state }];
    });
}
/** As facts hold them when there is one reading only, as of a restored database. */
function asFacts(readings) {
    return readings.map(({ name, increment, cycle, value, isCalled }) => {
        const state = { value, isCalled };
        return { name, increment, cycle, before: state, after: state };
    });
}
/**
 * Puts the two readings around the dump in place of the one the facts were read with, and names the
 * sequences whose place in the dump nobody can tell. Those that came or went are left out.
 */
function mergeSequences(facts, before, after) {
    const first = new Map(before.map((one) => [one.name, one]));
    const last = new Map(after.map((one) => [one.name, one]));
    const unknown = [];
    const sequences = facts.sequences.flatMap((sequence) => {
        const start = first.get(sequence.name);
        const end = last.get(sequence.name);
        const why = whyUnknown(sequence.name, start, end);
        if (why !== undefined)
            unknown.push(why);
        return start === undefined || end === undefined ? [] : [between(start, end)];
    });
    return { facts: { ...facts, sequences }, findings: unknown.length === 0 ? [] : [moved(unknown)] };
}
function between(start, end) {
    const state = ({ value, isCalled }) => ({ value, isCalled });
    return {
        name: end.name,
        increment: end.increment,
        cycle: start.cycle || end.cycle,
        before: state(start),
        after: state(end),
    };
}
function whyUnknown(name, start, end) {
    if (start === undefined)
        return `${name} was created while the dump began`;
    if (end === undefined)
        return `${name} was dropped or renamed during the dump`;
    if (start.increment !== end.increment)
        return `${name} was altered during the dump`;
    if (!(0,sequence_order/* isBefore */.Y)(end, start, end.increment))
        return undefined;
    return end.cycle || start.cycle
        ? `${name} started over (CYCLE) during the dump, from ${start.value} to ${end.value}`
        : `${name} was set back during the dump, from ${start.value} to ${end.value}`;
}
function moved(unknown) {
    const named = unknown.slice(0, 20).join('; ') + (unknown.length > 20 ? `; and ${unknown.length - 20} more` : '');
    return (0,report/* finding */.gk)('sequence-moved', 'unknown', `Where the dump holds these sequences cannot be told: ${named}.`, {
        numbers: { sequences: unknown.length },
        hint: 'Look who calls setval or alters sequences at this hour; the next backup compares them again.',
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts-tables.js


/** Counts every table, one statement each: none holds more than its own answer, and progress is seen. */
async function readTables(session, request) {
    const { tables } = request;
    const columns = request.level === 'fingerprints' ? await readColumns(session, tables) : new Map();
    const encoding = await readEncoding(session);
    const facts = [];
    for (const table of tables) {
        const from = `FROM ONLY ${table.name} ${table.condition ?? ''}`;
        facts.push(request.level === 'counts'
            ? await count(session, table.name, from)
            : await fingerprint(session, table.name, from, columns.get(table.oid) ?? [], encoding));
        request.onProgress?.(table.name, facts.length, tables.length);
    }
    return facts.sort((a, b) => (a.name < b.name ? -1 : 1));
}
async function count(session, name, from) {
    const { rows } = await session.one(`SELECT count(*) AS rows ${from}`);
    return { name, rows };
}
/**
 * `v1:<count>:<sum>`: the sum over all rows of the first 64 bits (as a signed integer) of the SHA-256
 * of the row's text. A sum and no XOR, in which two equal rows would cancel out.
 */
async function fingerprint(session, name, from, columns, encoding) {
    const row = `ROW(${columns.map(identifier).join(', ')})::text`;
    const hash = `sha256(convert_to(${row}, '${encoding}'))`;
    const { rows, sum } = await session.one(`SELECT count(*) AS rows,
      coalesce(sum(('x' || encode(substr(${hash}, 1, 8), 'hex'))::bit(64)::int8), 0)::text AS sum ${from}`);
    return { name, rows, fingerprint: `v1:${rows}:${sum}` };
}
/** Columns by name, so that dropped ones and the order of inheritance do not matter; virtual ones hold nothing. */
async function readColumns(session, tables) {
    const rows = await session.query(`
    SELECT a.attrelid::int8 AS oid, jsonb_agg(a.attname ORDER BY a.attname COLLATE "C") AS columns
    FROM pg_attribute a WHERE a.attrelid = ANY (${oidArray(tables.map((table) => table.oid))})
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v' GROUP BY a.attrelid`);
    return new Map(rows.map(({ oid, columns }) => [oid, columns]));
}
/** Bytes of a SQL_ASCII database mean nothing: a conversion would refuse the first one above 127. */
async function readEncoding(session) {
    const { encoding } = await session.one(`SELECT current_setting('server_encoding') AS encoding`);
    return encoding === 'SQL_ASCII' ? 'SQL_ASCII' : 'UTF8';
}
/** Those whose rows a dump of a standby holds: unlogged tables are empty there, and pg_dump leaves them out. */
async function withoutUnlogged(session, tables) {
    const unlogged = await session.query(`SELECT c.oid::int8 AS oid FROM pg_class c
    WHERE c.relpersistence = 'u' AND c.oid = ANY (${oidArray(tables.map((table) => table.oid))})`);
    const oids = new Set(unlogged.map(({ oid }) => oid));
    return tables.filter((table) => !oids.has(table.oid));
}
/**
 * Whether materialized views will be populated after a restore: pg_dump refreshes none whose rows are
 * left out, and none that reads, through whatever views, from one that is not populated.
 */
async function readMaterializedViews(session, given) {
    return await session.query(`
    WITH RECURSIVE reads (root, oid) AS (
      SELECT c.oid, c.oid FROM pg_class c WHERE c.relkind = 'm'
      UNION SELECT r.root, c.oid FROM reads r
        JOIN pg_rewrite w ON w.ev_class = r.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('m', 'v'))
    SELECT format('%I.%I', n.nspname, m.relname) AS name,
      bool_and(c.relispopulated) AND NOT m.oid = ANY (${oidArray(given.withoutRows)}) AS populated
    FROM reads r JOIN pg_class c ON c.oid = r.oid JOIN pg_class m ON m.oid = r.root
    JOIN pg_namespace n ON n.oid = m.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT m.oid = ANY (${oidArray(given.excluded)})
    GROUP BY m.oid, m.relname, n.nspname ORDER BY 1`);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/facts.js








/**
 * Reads facts in the session's current transaction: of the snapshot the caller has set, or of a
 * restored database. Sequences stand as they stand now (`mergeSequences` puts it right for a dump).
 *
 * @throws {Failure} `source-denied` when a table, sequence or large object may not be read
 */
async function readFacts(session, request) {
    // The text of `money` depends on it, and a scratch server need not have the source's.
    await session.execute(`SET lc_monetary = 'C'`);
    const { major } = await session.one(`SELECT current_setting('server_version_num')::int / 10000 AS major`);
    const tables = request.unloggedRows ? request.tables : await withoutUnlogged(session, request.tables);
    const oids = (relations = []) => relations.map(({ oid }) => oid);
    const [excluded, withoutRows, held] = [oids(request.excluded), oids(request.withoutRows), oids(tables)];
    const rows = request.scope !== 'schema';
    const largeObjects = request.scope === 'full' || request.scope === 'data';
    const scope = await readScope(session, { major, excluded, held, rows, largeObjects });
    const { known } = request;
    return {
        format: 1,
        engine: 'postgresql',
        level: request.level,
        schema: known?.reread.schema === false ? known.facts.schema : await readSchema(session, scope),
        tables: rows ? await readRows(session, { ...request, tables }) : [],
        // pg_dump --data-only refreshes none.
        materializedViews: rows && request.scope !== 'data' ? await readMaterializedViews(session, { withoutRows, excluded }) : [],
        sequences: rows ? asFacts(await readSequences(session, scope)) : [],
        extensions: await readExtensions(session),
        roles: await readRoles(session, major),
        largeObjects: known?.reread.largeObjects === false
            ? known.facts.largeObjects
            : largeObjects
                ? await readLargeObjects(session)
                : null,
        settings: await readSettings(session),
        migration: rows ? await readMigration(session, tables) : null,
    };
}
async function readRows(session, request) {
    const { known, tables } = request;
    if (known === undefined)
        return readTables(session, request);
    const { facts, reread } = known;
    const there = new Set(tables.map(({ name }) => name));
    const kept = facts.tables.filter(({ name }) => there.has(name) && !reread.tables.has(name));
    const anew = await readTables(session, { ...request, tables: tables.filter(({ name }) => reread.tables.has(name)) });
    return [...kept, ...anew].sort((a, b) => (a.name < b.name ? -1 : 1));
}

// EXTERNAL MODULE: ./lib/core/table-pattern.js
var table_pattern = __webpack_require__(3704);
;// CONCATENATED MODULE: ./lib/engines/postgresql/tables.js


const RELATIONS = `
  SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname, c.relkind AS kind,
    format('%I.%I', n.nspname, c.relname) AS name,
    c.relpersistence = 'u' AS unlogged, e.extname AS extension,
    coalesce(c.oid = ANY (e.extconfig), false) AS configuration,
    nullif(e.extcondition[array_position(e.extconfig, c.oid)], '') AS condition,
    CASE WHEN c.relispartition THEN
      (SELECT i.inhparent::int8 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) END AS "partitionOf",
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS "canSelect",
    c.relkind IN ('r', 'p') AND row_security_active(c.oid) AS "rowsHidden"
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
  WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  ORDER BY 2, 3`;
/** Every relation of the database that a dump could hold, by schema and name. */
async function listRelations(session) {
    return await session.query(RELATIONS);
}
/** Waits for whoever has locked one of the tables: lock them first. */
async function readTableSizes(session, tables, scope) {
    const oids = tables.map((one) => one.oid).join(',');
    const rows = await session.query(`SELECT oid::int8 AS oid, pg_table_size(oid)::int8 AS bytes FROM unnest('{${oids}}'::oid[]) AS oid`);
    const { bytes } = await session.one(`SELECT pg_table_size('pg_catalog.pg_largeobject')::int8 AS bytes`);
    const hasLargeObjects = scope === 'full' || scope === 'data';
    return { tables: new Map(rows.map((one) => [one.oid, one.bytes ?? 0])), largeObjects: hasLargeObjects ? bytes : 0 };
}
/**
 * Applies a selection.
 *
 * @throws {Failure} `invalid-input` when a pattern matches nothing: a misspelt table must not be an empty backup
 */
function selectTables(relations, selection) {
    const excluded = matching(relations, selection.excludeTables, 'exclude-tables');
    const left = relations.filter((one) => !excluded.has(one.oid));
    const named = selection.scope === 'tables' ? matching(left, selection.tables, 'tables') : undefined;
    const dataless = matching(left, selection.excludeTableData, 'exclude-table-data');
    const holdsRows = (one) => selection.scope !== 'schema' && (named === undefined || named.has(one.oid)) && !dataless.has(one.oid);
    const isTable = (one) => one.kind === 'r' && (one.extension === null || one.configuration);
    return {
        dumped: left.filter((one) => isTable(one) && holdsRows(one)),
        withoutRows: left.filter((one) => (isTable(one) || one.kind === 'm') && !holdsRows(one)),
        excluded: relations.filter((one) => excluded.has(one.oid)),
    };
}
/** Tables whose rows this dump holds, as facts count them. */
async function listDumpedTables(session, selection) {
    return [...selectTables(await listRelations(session), selection).dumped];
}
/** Oids that the patterns match; a partitioned table stands for its partitions. */
function matching(relations, patterns, input) {
    const found = new Set();
    for (const text of patterns) {
        const hits = matchOne(relations, (0,table_pattern/* parsePattern */.E)(text, input));
        if (hits.length === 0)
            throw noSuchTable(relations, text, input);
        for (const hit of hits)
            addWithPartitions(relations, hit, found);
    }
    return found;
}
function matchOne(relations, pattern) {
    return relations.filter((one) => pattern.table.test(one.relname) && (pattern.schema?.test(one.schema) ?? true));
}
function addWithPartitions(relations, one, into) {
    into.add(one.oid);
    if (one.kind !== 'p')
        return;
    for (const child of relations.filter((other) => other.partitionOf === one.oid))
        addWithPartitions(relations, child, into);
}
function noSuchTable(relations, text, input) {
    const folded = text.toLowerCase();
    const near = relations.filter((one) => [one.relname, one.name].some((name) => name.toLowerCase() === folded));
    const maybe = near.length > 0 ? ` Did you mean ${near.map((one) => one.name).join(' or ')}?` : '';
    return new core_failure/* Failure */.H('invalid-input', `\`${input}\`: no table is named "${text}".${maybe}`, {
        hint: 'Names are exact and keep their case; `*` and `?` are wildcards; without a schema every schema is searched.',
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/tamper-database.js

const tamper_database_NOTHING = { schema: false, tables: new Set(), largeObjects: false };
/** What is neither a definition nor a row. */
const databaseDamages = [
    {
        damage: 'a sequence set back',
        attempts: setBack,
        none: { notDone: 'none-there', why: 'the backup holds no sequence' },
    },
    {
        damage: 'a lost setting of the database',
        attempts: resetSetting,
        none: { notDone: 'none-there', why: 'the database has no setting of its own' },
    },
    {
        damage: 'a lost large object (facts hold their number and bytes)',
        attempts: unlinkLargeObject,
        none: { notDone: 'none-there', why: 'the backup holds no large object' },
    },
];
/** To where it stood before the first reading: one that was called gives a value for the second time. */
async function setBack({ expected }) {
    // One that moved during the dump, or started over, may rightly stand in several places: it comes last.
    const isCertain = ({ before, after, cycle }) => !cycle && before.value === after.value;
    const byCertainty = expected.sequences.toSorted((a, b) => Number(isCertain(b)) - Number(isCertain(a)));
    return byCertainty.map(({ name, before, increment }) => {
        const value = before.isCalled ? before.value : String(BigInt(before.value) - BigInt(increment));
        return {
            target: name,
            sql: `ALTER SEQUENCE ${name} RESTART WITH ${value}`,
            expect: [{ rule: 'facts-sequences', names: `sequence ${name}` }],
            reread: tamper_database_NOTHING,
        };
    });
}
async function resetSetting({ session, known }) {
    if (known.settings.length === 0)
        return [];
    const { name } = await session.one('SELECT current_database() AS name');
    return known.settings.map(({ role, setting }) => {
        const variable = setting.slice(0, setting.indexOf('='));
        const whose = role === null ? `DATABASE ${identifier(name)}` : `ROLE ${identifier(role)} IN DATABASE ${identifier(name)}`;
        const target = `${variable}${role === null ? '' : ` of role ${role}`}`;
        return {
            target,
            sql: `ALTER ${whose} RESET ${identifier(variable)}`,
            expect: [{ rule: 'facts-settings', names: `setting ${target}` }],
            reread: tamper_database_NOTHING,
        };
    });
}
async function unlinkLargeObject({ session, known }) {
    if (known.largeObjects === null || known.largeObjects.count === 0)
        return [];
    const [first] = await session.query('SELECT oid::int8 AS oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid LIMIT 1');
    if (first === undefined)
        return [];
    const expect = [{ rule: 'facts-large-objects', names: 'large objects' }];
    const reread = { ...tamper_database_NOTHING, largeObjects: true };
    return [{ target: String(first.oid), sql: `SELECT lo_unlink(${first.oid})`, expect, reread }];
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/tamper-objects.js


const SCHEMA_ONLY = { schema: true, tables: new Set(), largeObjects: false };
/** What a definition can lose or gain. */
const objectDamages = [
    { damage: 'a dropped table', attempts: dropTable, none: noneThere('table') },
    { damage: 'an extra table', attempts: createTable, none: noneThere('schema') },
    dropped('a dropped index', 'index that is not a constraint’s', INDEXES()),
    dropped('a dropped constraint', 'constraint', CONSTRAINTS()),
    dropped('a dropped trigger', 'trigger', TRIGGERS()),
    dropped('a dropped policy', 'policy', POLICIES()),
    dropped('a missing grant', 'grant', tamper_objects_GRANTS()),
];
function noneThere(what) {
    return { notDone: 'none-there', why: `the database has no ${what}` };
}
function dropped(damage, what, sql) {
    return {
        damage,
        none: noneThere(what),
        attempts: async (database) => (await candidates(database, sql)).map(asAttempt),
    };
}
/** Those only that the facts know: a member of an extension is nobody's loss. */
async function candidates({ session, known }, sql) {
    const keyOf = ({ kind, identity }) => `${kind} ${identity}`;
    const there = new Set(known.schema.map(keyOf));
    return (await session.query(sql)).filter((one) => there.has(keyOf(one)));
}
function asAttempt({ kind, identity, sql }) {
    const expect = [{ rule: 'facts-schema', names: `${kind.replaceAll('-', ' ')} ${identity}` }];
    return { target: identity, sql, expect, reread: SCHEMA_ONLY };
}
/** Also of its rows, which are then not there. */
async function dropTable(database) {
    const counted = new Set(database.known.tables.map(({ name }) => name));
    return (await candidates(database, TABLES())).map((one) => {
        const attempt = asAttempt(one);
        const rows = counted.has(one.identity) ? [{ rule: 'facts-tables', names: `table ${one.identity}` }] : [];
        return { ...attempt, expect: [...attempt.expect, ...rows] };
    });
}
const EXTRA = 'lifeboat_self_test';
async function createTable({ session }) {
    const schemas = await session.query(`
    SELECT n.nspname AS name, quote_ident(n.nspname) AS quoted FROM pg_catalog.pg_namespace n
    WHERE ${userSchema('n.nspname')} ORDER BY n.nspname <> 'public', 1`);
    return schemas.map(({ name, quoted }) => {
        const sql = `CREATE TABLE ${identifier(name)}.${EXTRA} (id integer)`;
        return asAttempt({ kind: 'table', identity: `${quoted}.${EXTRA}`, sql });
    });
}
function TABLES() {
    return `
    SELECT 'table' AS kind, format('%I.%I', n.nspname, c.relname) AS identity,
      format('DROP TABLE %I.%I CASCADE', n.nspname, c.relname) AS sql
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND ${userSchema('n.nspname')} AND ${notMember('pg_class', 'c.oid')}
    ORDER BY c.relispartition, pg_relation_size(c.oid), 2`;
}
function INDEXES() {
    return `
    SELECT 'index' AS kind, format('%I.%I', n.nspname, i.relname) AS identity,
      format('DROP INDEX %I.%I CASCADE', n.nspname, i.relname) AS sql
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
    WHERE ${userSchema('n.nspname')} AND NOT i.relispartition
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    ORDER BY x.indisunique, 2`;
}
function CONSTRAINTS() {
    return `
    SELECT CASE k.contype WHEN 'f' THEN 'foreign-key' ELSE 'constraint' END AS kind,
      format('%I on %I.%I', k.conname, n.nspname, c.relname) AS identity,
      format('ALTER TABLE %I.%I DROP CONSTRAINT %I CASCADE', n.nspname, c.relname, k.conname) AS sql
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype IN ('c', 'f', 'u', 'x', 'p') AND k.conparentid = 0 AND k.coninhcount = 0
      AND c.relkind IN ('r', 'p') AND ${userSchema('n.nspname')}
    ORDER BY array_position('{c,f,u,x,p}'::"char"[], k.contype), 2`;
}
function TRIGGERS() {
    return `
    SELECT 'trigger' AS kind, format('%I on %I.%I', t.tgname, n.nspname, c.relname) AS identity,
      format('DROP TRIGGER %I ON %I.%I CASCADE', t.tgname, n.nspname, c.relname) AS sql
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND NOT c.relispartition AND ${userSchema('n.nspname')} ORDER BY 2`;
}
function POLICIES() {
    return `
    SELECT 'policy' AS kind, format('%I on %I.%I', p.polname, n.nspname, c.relname) AS identity,
      format('DROP POLICY %I ON %I.%I', p.polname, n.nspname, c.relname) AS sql
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema('n.nspname')} ORDER BY 2`;
}
/** Rights given to others on a relation, else on a schema, else what the owner of a table has. */
function tamper_objects_GRANTS() {
    const grantee = `CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END`;
    const type = `CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
    ELSE 'table' END`;
    const ofRelation = (rank, acl, condition) => `
    SELECT ${rank} AS rank, format('%s %I.%I to %s', ${type}, n.nspname, c.relname, ${grantee}) AS identity,
      format('REVOKE ALL ON TABLE %I.%I FROM %s CASCADE', n.nspname, c.relname, ${grantee}) AS sql
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(${acl}) AS g
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${userSchema('n.nspname')} AND ${condition}`;
    return `
    SELECT DISTINCT 'grant' AS kind, a.identity, a.sql, a.rank FROM (
      ${ofRelation(1, 'c.relacl', 'g.grantee <> c.relowner AND g.grantor = c.relowner')}
      UNION ALL
      SELECT 2, format('schema %I to %s', n.nspname, ${grantee}),
        format('REVOKE ALL ON SCHEMA %I FROM %s CASCADE', n.nspname, ${grantee})
      FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) AS g
      WHERE ${userSchema('n.nspname')} AND g.grantee <> n.nspowner AND g.grantor = n.nspowner
      UNION ALL
      ${ofRelation(3, `coalesce(c.relacl, acldefault('r', c.relowner))`, 'g.grantee = c.relowner')}) AS a
    ORDER BY a.rank, a.identity`;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/tamper-rows.js


/** The smallest tables with rows: the rows of the one that is damaged are counted again. */
const tamper_rows_TABLES = 8;
/** What the rows of a table can suffer; values are in fingerprints only. */
function rowDamages(level) {
    const noRows = { notDone: 'none-there', why: 'no table of the backup has a row that takes it' };
    const counted = { notDone: 'not-in-facts', why: 'counts hold no values' };
    const isSeen = level === 'fingerprints';
    return [
        { damage: 'a deleted row', attempts: deleteRow, none: noRows },
        { damage: 'a changed value', attempts: isSeen ? changeValue : async () => [], none: isSeen ? noRows : counted },
        {
            damage: 'values swapped between two rows (their order is no fact)',
            attempts: isSeen ? swapValues : async () => [],
            none: isSeen ? noRows : counted,
        },
    ];
}
/** Division by zero when no row was touched: a damage that was not done must not look overlooked. */
const AT_LEAST = (rows, from) => `SELECT 1 / (count(*) / ${rows}) FROM ${from}`;
async function deleteRow(database) {
    return smallTables(database, 1).map(({ name }) => ({
        target: name,
        sql: `WITH gone AS (DELETE FROM ONLY ${name} WHERE ctid = (SELECT ctid FROM ONLY ${name} LIMIT 1) RETURNING 1)
      ${AT_LEAST(1, 'gone')}`,
        expect: [{ rule: 'facts-tables', names: `table ${name}` }],
        reread: { schema: false, tables: new Set([name]), largeObjects: false },
    }));
}
async function changeValue(database) {
    const tables = smallTables(database, 1);
    const columns = await tamper_rows_readColumns(database, tables);
    return columns.flatMap(({ table, column, category, nullable }) => otherValues(identifier(column), category, nullable).map((value) => ({
        ...seenByFingerprint(table.name, column),
        sql: `WITH old AS (SELECT x.ctid AS at, ROW(x.*)::text AS was FROM ONLY ${table.name} x
          WHERE x.${identifier(column)} IS NOT NULL LIMIT 1),
        new AS (UPDATE ONLY ${table.name} x SET ${identifier(column)} = ${value} FROM old WHERE x.ctid = old.at
          RETURNING ROW(x.*)::text <> old.was AS changed)
        ${AT_LEAST(1, 'new WHERE changed')}`,
    })));
}
/** Of which one may fit; what the column does not take is an error, and the next is tried. */
function otherValues(quoted, category, nullable) {
    const column = `x.${quoted}`;
    const byCategory = {
        N: `${column} + 1`,
        S: `CASE WHEN ${column}::text = 'x' THEN 'y' ELSE 'x' END`,
        B: `NOT ${column}`,
        D: `${column} + interval '1 day'`,
    };
    const value = byCategory[category];
    return [...(value === undefined ? [] : [value]), ...(nullable ? ['NULL'] : [])];
}
/** Two rows that differ in one column and in the rest of them: else a swap is the same rows in another order. */
async function swapValues(database) {
    const tables = smallTables(database, 2);
    const columns = await tamper_rows_readColumns(database, tables);
    return columns.flatMap(({ table, column, inUnique }) => {
        const others = columns.filter((one) => one.table === table && one.column !== column);
        if (others.length === 0 || inUnique)
            return [];
        const value = identifier(column);
        const rest = (alias) => `ROW(${others.map((one) => `${alias}.${identifier(one.column)}`).join(', ')})::text`;
        return {
            ...seenByFingerprint(table.name, column),
            sql: `WITH one AS MATERIALIZED (SELECT x.ctid AS at, x.${value} AS v, ${rest('x')} AS rest FROM ONLY ${table.name} x
          WHERE x.${value} IS NOT NULL LIMIT 1),
        two AS MATERIALIZED (SELECT x.ctid AS at, x.${value} AS v FROM ONLY ${table.name} x, one
          WHERE x.${value}::text <> one.v::text AND ${rest('x')} <> one.rest LIMIT 1),
        swapped AS (UPDATE ONLY ${table.name} x SET ${value} = CASE WHEN x.ctid = one.at THEN two.v ELSE one.v END
          FROM one, two WHERE x.ctid IN (one.at, two.at) RETURNING 1)
        ${AT_LEAST(2, 'swapped')}`,
        };
    });
}
function seenByFingerprint(table, column) {
    return {
        target: `${table}, column ${identifier(column)}`,
        expect: [{ rule: 'facts-fingerprints', names: `values of table ${table}` }],
        reread: { schema: false, tables: new Set([table]), largeObjects: false },
    };
}
/** Fewest rows first; of an extension's configuration table some rows only are counted. */
function smallTables({ known, tables }, rows) {
    const rowsOf = new Map(known.tables.map((one) => [one.name, one.rows]));
    const count = ({ name }) => rowsOf.get(name) ?? 0;
    const fitting = tables.filter((one) => one.condition === null && count(one) >= rows);
    return fitting.toSorted((a, b) => count(a) - count(b)).slice(0, tamper_rows_TABLES);
}
/** Those a row may be given other values for, as they stand, unique ones last. */
async function tamper_rows_readColumns({ session }, tables) {
    const rows = await session.query(`
    SELECT a.attrelid::int8 AS oid, a.attname AS column, t.typcategory AS category,
      NOT a.attnotnull AND NOT t.typnotnull AS nullable,
      EXISTS (SELECT FROM pg_index x WHERE x.indrelid = a.attrelid AND (x.indisunique OR x.indisexclusion)
        AND a.attnum = ANY (x.indkey)) AS "inUnique"
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = ANY (${oidArray(tables.map(({ oid }) => oid))}) AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attgenerated = '' AND a.attidentity <> 'a'
    ORDER BY 5, a.attnum`);
    return tables.flatMap((table) => rows.filter(({ oid }) => oid === table.oid).map((row) => ({ ...row, table })));
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/tamper.js




/** How many objects are tried for one kind: a trigger, a check, a missing replica identity may forbid the first. */
const MOST_ATTEMPTS = 40;
/** The row or value does not take the change: data exceptions, constraints, types without the operator, no replica identity. */
const DOES_NOT_TAKE = /\(SQLSTATE (22|23|42804|42846|42883|42725|428C9|55000|0A000|2BP01|42P07)/;
/**
 * Does every kind of damage in a transaction of its own, reads facts in that transaction, and rolls it
 * back. RESTART of a sequence is transactional (setval is not), and so is `ALTER DATABASE … SET`.
 */
async function* tamperWith(database, reread) {
    // Triggers, rules and foreign keys of the database itself must not undo or widen a damage. Denied to
    // ordinary users on a foreign server: there they fire, and an attempt they forbid gives way to the next.
    await database.session.execute('SET session_replication_role = replica').catch(unlessOurs);
    for (const kind of [...objectDamages, ...databaseDamages, ...rowDamages(database.known.level)]) {
        yield await tryKind(kind, database, reread);
    }
}
async function tryKind({ damage, attempts, none }, database, reread) {
    const all = await attempts(database);
    let refused;
    for (const attempt of all.slice(0, MOST_ATTEMPTS)) {
        const found = await tryOne(attempt, database.session, reread).catch(unlessOurs);
        if (!(found instanceof core_failure/* Failure */.H))
            return { ...tamper_describe(attempt, damage), found };
        refused = found;
    }
    if (refused === undefined)
        return { damage, ...none };
    if (!DOES_NOT_TAKE.test(refused.message))
        return { damage, notDone: 'failed', why: refused.message.trim() };
    return { damage, notDone: 'none-there', why: 'nothing in the database takes it: keys, checks, types forbid it' };
}
async function tryOne({ sql, reread: what }, session, reread) {
    await session.execute('BEGIN READ WRITE');
    try {
        await session.execute(sql);
        return await reread(what);
    }
    finally {
        await session.execute('ROLLBACK');
    }
}
function tamper_describe({ target, expect, reread }, damage) {
    const parts = [
        ...(reread.schema ? ['the schema'] : []),
        ...(reread.tables.size > 0 ? [`the rows of ${[...reread.tables].join(', ')}`] : []),
        ...(reread.largeObjects ? ['large objects'] : []),
    ];
    const path = `${parts.length === 0 ? 'what is read every time' : parts.join(', ')} read anew`;
    return { damage, target, path, expect };
}
function unlessOurs(error) {
    if (error instanceof core_failure/* Failure */.H)
        return error;
    throw error;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/scratch-checks.js










function checksOf(restored) {
    return {
        readFacts: (level) => inDatabase(restored, (session) => readRestoredFacts(restored, session, level)),
        tamper: (known) => tamperRestored(restored, known),
        assert: (name, sql) => assertTrue(restored, name, sql),
        amcheck: () => runAmcheck(restored),
        compareWith: (live) => inDatabase(restored, (session) => compareCounts(session, live, restored)),
    };
}
async function inDatabase(restored, use) {
    const { client, database, signal } = restored;
    const session = await openSession(client, { applicationName: 'lifeboat', database, signal });
    try {
        return await use(session);
    }
    finally {
        await session.close();
    }
}
/** Facts of the tables that the backup's facts name: what else there is, the schema's facts tell. */
async function readRestoredFacts(restored, session, level, known) {
    const tables = await listExpected(restored, session);
    const { scope } = restored.manifest;
    return readFacts(session, { level, tables, scope, unloggedRows: true, ...(known && { known }) });
}
async function listExpected({ facts }, session) {
    const expected = new Set(facts?.tables.map(({ name }) => name));
    return (await listRelations(session)).filter(({ kind, name }) => kind === 'r' && expected.has(name));
}
async function* tamperRestored(restored, known) {
    const { client, database, signal, facts: expected = known } = restored;
    const session = await openSession(client, { applicationName: 'lifeboat', database, signal });
    try {
        const tables = await listExpected(restored, session);
        const reread = (what) => readRestoredFacts(restored, session, known.level, { facts: known, reread: what });
        yield* tamperWith({ session, known, expected, tables }, reread);
    }
    finally {
        await session.close();
    }
}
/** The user's SQL, but none of psql's own commands: it runs outside the scratch server, with our rights. */
async function assertTrue(restored, name, sql) {
    const { client, database, signal } = restored;
    const dsn = client.target.dsn({ applicationName: 'lifeboat', database });
    const args = ['-X', '-q', '-A', '-t', '-w', '-v', 'ON_ERROR_STOP=1', '-d', dsn, '-c', sql.trim()];
    if (sql.trim().startsWith('\\'))
        return (0,report/* finding */.gk)('assertion', 'unknown', `${name}: a command of psql is no SQL.`, {
            hint: 'Give one statement that yields one row with one boolean.',
        });
    try {
        const answer = await (0,sys_process/* runText */.le)(client.command('psql', args, { LC_ALL: 'C' }), { signal });
        if (answer === 't\n')
            return (0,report/* finding */.gk)('assertion', 'pass', `${name}: true.`);
        return (0,report/* finding */.gk)('assertion', 'fail', `${name}: expected one true, got ${describeAnswer(answer)}. ${sql}`, {
            hint: 'Ask the live database the same. If it is false there too, mend the data or the assertion; if not, look at the data of this backup: `keep-scratch: true` keeps them.',
        });
    }
    catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof core_failure/* Failure */.H))
            throw error;
        return (0,report/* finding */.gk)('assertion', 'unknown', `${name} could not be answered: ${error.message.trim()}`, {
            hint: 'Give one statement that yields one row with one boolean.',
        });
    }
}
/** A row with a null is an empty line to psql, no row is no line at all. */
function describeAnswer(answer) {
    if (answer === '')
        return 'no row';
    if (answer === '\n')
        return 'null';
    return answer === 'f\n' ? 'false' : `"${answer.trimEnd().slice(0, 200)}"`;
}
/** Exits with 0: sound; 2: corruption, a line each; anything else: it could not look. */
async function runAmcheck(restored) {
    const { client, database, signal } = restored;
    const dsn = client.target.dsn({ applicationName: 'lifeboat', database });
    const jobs = `--jobs=${Math.max(1, (0,external_node_os_.availableParallelism)())}`;
    const args = ['--install-missing', '--heapallindexed', '--no-password', jobs, dsn];
    const running = (0,sys_process/* start */.ni)(client.command('pg_amcheck', args, { LC_ALL: 'C' }), ['ignore', 'pipe', 'pipe']);
    const stop = (0,sys_process/* endOnAbort */.BJ)(running, signal);
    const output = running.child.stdout === null ? '' : await (0,consumers_.text)(running.child.stdout);
    const exit = await running.exit;
    stop();
    signal.throwIfAborted();
    if (exit.code === 0)
        return [(0,report/* finding */.gk)('amcheck', 'pass', 'pg_amcheck found no corruption in tables and B-tree indexes.')];
    const said = `${output}\n${exit.stderr}`.trim();
    if (exit.code === 2 && output.trim() !== '')
        return [(0,report/* finding */.gk)('amcheck', 'fail', `pg_amcheck found corruption: ${said.slice(0, 1000)}`)];
    return [
        (0,report/* finding */.gk)('amcheck', 'unknown', `pg_amcheck could not look: ${(0,sys_process/* failureOf */.g5)(exit)?.message ?? said}`.slice(0, 1000), {
            hint: 'It needs PostgreSQL 14 or later and the amcheck extension (Debian: in the server package; elsewhere postgresql-contrib).',
        }),
    ];
}
async function compareCounts(session, connection, restored) {
    const { env, connections, signal } = restored;
    const live = await connections.open(await anyClient(connection, env), { applicationName: 'lifeboat', signal }, signal);
    try {
        const [here, there] = [await tableNames(session), await tableNames(live)];
        const rows = [];
        for (const table of [...new Set([...here, ...there])].sort()) {
            rows.push({
                table,
                live: there.has(table) ? await countRows(live, table) : null,
                restored: here.has(table) ? await countRows(session, table) : null,
            });
        }
        return rows;
    }
    finally {
        await live.close();
    }
}
async function tableNames(session) {
    const tables = (await listRelations(session)).filter(({ kind, extension }) => kind === 'r' && extension === null);
    return new Set(tables.map(({ name }) => name));
}
/** Null when it may not be read or is gone: this is for information only. */
async function countRows(session, table) {
    try {
        return (await session.one(`SELECT count(*) AS rows FROM ONLY ${table}`)).rows;
    }
    catch (error) {
        if (error instanceof core_failure/* Failure */.H)
            return null;
        throw error;
    }
}

// EXTERNAL MODULE: external "node:dns/promises"
var external_node_dns_promises_ = __webpack_require__(1553);
;// CONCATENATED MODULE: ./lib/engines/postgresql/drill-guard.js


/**
 * Refuses a server that a backup comes from: untrusted code from a dump would run beside the
 * production data. The address counts as well as the identifier, which pg_upgrade changes.
 *
 * @throws {Failure} `guard-refused`
 */
async function refuseSourceServer(target, known) {
    for (const server of known) {
        const why = await sameServer(target, server);
        if (why === undefined)
            continue;
        throw new core_failure/* Failure */.H('guard-refused', `\`scratch-url\` leads to a server that is backed up here: ${why}, database ${server.database}.`, {
            hint: 'Leave `scratch-url` out (a scratch server of its own is started), or give a server that holds nothing of value.',
        });
    }
}
async function sameServer(target, known) {
    if (target.systemIdentifier !== null && target.systemIdentifier === known.systemIdentifier) {
        return `its system identifier is ${known.systemIdentifier}`;
    }
    if (target.port !== known.port)
        return undefined;
    const [here, there] = await Promise.all([addressesOf(target.host), addressesOf(known.host)]);
    return here.some((address) => there.includes(address)) ? `it is ${known.host}:${known.port}` : undefined;
}
/** What a host name stands for now; a name that nobody knows stands for itself. */
async function addressesOf(host) {
    if (host.startsWith('/'))
        return [host];
    const found = await (0,external_node_dns_promises_.lookup)(host, { all: true }).catch(() => []);
    return [host, ...found.map(({ address }) => address)];
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/drill-traces.js




/** Between tries on new connections: of a server that was started again the old ones are gone. */
const AGAIN_MS = [0, 1_000, 2_000, 4_000];
/**
 * Removes database and roles of one drill, and ends its session.
 *
 * @throws {Failure} `scratch-failed` when the server does not let us
 */
async function dropSurely({ client, session, silence, drillId }) {
    let failed = await failureIn(() => dropOwn(session, drillId).finally(() => session.close()));
    for (const pauseMs of AGAIN_MS) {
        if (failed === undefined || silence.aborted)
            break;
        await (0,promises_.setTimeout)(pauseMs);
        failed = await failureIn(() => dropAnew(client, drillId, silence));
    }
    if (failed === undefined)
        return;
    const message = `The database ${drillDatabase(drillId)} of this drill and its roles could not be removed from the server of \`scratch-url\`.`;
    throw new core_failure/* Failure */.H('scratch-failed', message, {
        cause: failed.error,
        hint: 'The next drill on this runner with this `scratch-url` removes them. Look why that server does not answer.',
    });
}
async function failureIn(use) {
    return use().then(() => undefined, (error) => ({ error }));
}
async function dropAnew(client, drillId, signal) {
    const session = await openSession(client, { applicationName: 'lifeboat', signal });
    await dropOwn(session, drillId).finally(() => session.close());
}
async function dropOwn(session, drillId) {
    const mark = drillMark(drillId);
    const roles = await markedRoles(session, (comment) => comment === mark);
    const own = (await drillDatabases(session)).find(({ name }) => name === drillDatabase(drillId));
    if (own !== undefined && isOf(own, (comment) => comment === mark, roles))
        await dropDatabase(session, own.name);
    for (const name of roles)
        await dropRole(session, name);
}
/**
 * Removes databases and roles that bear the mark of a run on this machine which is over.
 *
 * @returns what was removed, for the log
 */
async function dropDead(session, log) {
    const roles = await markedRoles(session, isDeadMark);
    const dead = (await drillDatabases(session)).filter((one) => isOf(one, isDeadMark, roles)).map(({ name }) => name);
    const gone = [];
    const attempt = (what, drop) => drop.then(() => void gone.push(what), 
    // Made by a drill with another role in its URL; ours goes on without.
    (error) => log.warning(`The ${what} of a killed drill could not be removed: ${error}`));
    for (const name of dead)
        await attempt(`database ${name}`, dropDatabase(session, name));
    for (const name of roles)
        await attempt(`role ${name}`, dropRole(session, name));
    return gone;
}
/** A database gets its comment after it was made; until then the role of its name, which was there before it, tells. */
function isOf({ name, comment }, isMark, roles) {
    return comment === null ? roles.includes(name) : isMark(comment);
}
async function hasDatabase(session, name) {
    return (await drillDatabases(session)).some((one) => one.name === name);
}
/** By name only: the comment says whose each is. */
function drillDatabases(session) {
    return session.query(`
    SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment FROM pg_catalog.pg_database
    WHERE starts_with(datname, ${literal(DRILL_PREFIX)})`);
}
async function dropDatabase(session, name) {
    await session.execute(`DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE)`);
}
async function markedRoles(session, isOurs) {
    const roles = await session.query(`
    SELECT rolname AS name, shobj_description(oid, 'pg_authid') AS comment FROM pg_catalog.pg_roles`);
    return roles.filter(({ comment }) => isOurs(comment)).map(({ name }) => name);
}
async function dropRole(session, name) {
    await session.execute(`DROP ROLE IF EXISTS ${identifier(name)}`);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/heartbeat.js


const MOST_BETWEEN_MS = 5_000;
/**
 * Asks a server every few seconds, while `use` works with it, whether it still answers. Bytes that move
 * cannot tell: an index is built without any, and a lost network keeps a sender waiting for ever.
 *
 * @throws what `use` rejects with
 */
async function whileAnswering(heartbeat, use) {
    const silent = new AbortController();
    const over = new AbortController();
    let timer;
    const heard = () => {
        clearTimeout(timer);
        timer = setTimeout(() => silent.abort(heartbeat.fellSilent()), heartbeat.stallMs);
    };
    heard();
    const asking = keepAsking(heartbeat, over.signal, heard);
    try {
        return await use({ signal: AbortSignal.any([heartbeat.signal, silent.signal]), silence: silent.signal });
    }
    finally {
        over.abort();
        await asking;
        clearTimeout(timer);
    }
}
async function keepAsking({ ask, stallMs }, over, heard) {
    const everyMs = Math.min(MOST_BETWEEN_MS, stallMs / 4);
    // The first one late: whether the server lets us in, the caller finds out.
    while (await waited(everyMs, over))
        await ask(over).then(heard, () => { });
}
/** Asks on a connection of its own. One that was ended is no answer, but the next may get through. */
function askAnew(client) {
    let session;
    return async (over) => {
        try {
            session ??= await openSession(client, { applicationName: 'lifeboat', signal: over, isKnown: true });
            await session.one('SELECT 1 AS alive');
        }
        catch (error) {
            session = undefined;
            throw error;
        }
    };
}
async function waited(ms, over) {
    await (0,promises_.setTimeout)(ms, undefined, { signal: over }).catch(() => { });
    return !over.aborted;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/server-info.js

// Columns of pg_database come and go between majors (datlocprovider 15, daticulocale 15-16, datlocale 17),
// so the row is read as JSON.
const SQL = `
  SELECT current_setting('server_version') AS version,
    CASE WHEN has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
      THEN (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) END AS "systemIdentifier",
    to_jsonb(d) AS database, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
    (SELECT jsonb_agg(jsonb_build_object('role', CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END, 'setting', one)
        ORDER BY s.setrole, one)
      FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) AS one WHERE s.setdatabase = d.oid) AS settings,
    (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10) AS "bootstrapRole",
    pg_is_in_recovery() AS standby,
    (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser
  FROM pg_catalog.pg_database d WHERE d.datname = `;
/**
 * What the manifest says of the server, and whether we are superuser. `clockOffsetSeconds` is the caller's.
 *
 * @param of name of a database that exists; undefined: the session's
 */
async function readServerInfo(session, of) {
    const row = await session.one(`${SQL}${of === undefined ? 'current_database()' : literal(of)}`);
    const { database } = row;
    const icuLocale = server_info_textOf(database, 'datlocale') ?? server_info_textOf(database, 'daticulocale');
    const collationVersion = server_info_textOf(database, 'datcollversion');
    const server = {
        version: row.version.split(' ')[0] ?? row.version,
        major: Number.parseInt(row.version, 10),
        systemIdentifier: row.systemIdentifier,
        host: session.host,
        port: session.port,
        database: server_info_textOf(database, 'datname') ?? '',
        owner: row.owner,
        acl: Array.isArray(database.datacl) ? database.datacl.map(String) : null,
        connectionLimit: Number(database.datconnlimit),
        settings: row.settings ?? [],
        encoding: row.encoding,
        localeProvider: providerOf(server_info_textOf(database, 'datlocprovider')),
        collate: server_info_textOf(database, 'datcollate') ?? '',
        ctype: server_info_textOf(database, 'datctype') ?? '',
        ...(icuLocale === undefined ? {} : { icuLocale }),
        ...(collationVersion === undefined ? {} : { collationVersion }),
        bootstrapRole: row.bootstrapRole,
        standby: row.standby,
    };
    return { server, superuser: row.superuser };
}
function server_info_textOf(row, column) {
    const value = row[column];
    return typeof value === 'string' ? value : undefined;
}
function providerOf(code) {
    return code === 'i' ? 'icu' : code === 'b' ? 'builtin' : 'libc';
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/scratch-elsewhere.js
















/**
 * Lends a database of our own on a server that is not ours. Only what bears a drill's mark is ever
 * dropped there, and no role that was there before is touched.
 *
 * @throws {Failure} `guard-refused` when a backup comes from this server
 */
async function withElsewhere(request, scratchUrl, context, use) {
    const connection = { ...request.connection, url: scratchUrl };
    const finder = await anyClient(connection, context.env);
    const { stallMs, signal } = request;
    const fellSilent = () => silent(finder.target.label, stallMs);
    return whileAnswering({ ask: askAnew(finder), stallMs, signal, fellSilent }, (alive) => lendDatabase({ ...request, signal: alive.signal }, { connection, finder, silence: alive.silence }, context, use));
}
function silent(where, stallMs) {
    const message = `The server of \`scratch-url\` (${where}) gave no answer for ${(0,duration/* formatDuration */.a3)(stallMs)}.`;
    return new core_failure/* Failure */.H('scratch-failed', message, {
        hint: 'That server or the network to it hangs: look at both, and drill again. If it is only slow, raise `stall-timeout`.',
    });
}
async function lendDatabase(request, { connection, finder, silence }, context, use) {
    const open = (client) => context.connections.open(client, { applicationName: 'lifeboat', signal: silence }, request.signal);
    const first = await open(finder).catch(unreachable);
    const { server, superuser } = await readServerInfo(first).finally(() => first.close());
    await refuseSourceServer(server, request.knownServers ?? []);
    refuseOlder(server.major, request);
    const client = await clientForMajor(connection, context.env, {
        major: server.major,
        program: 'pg_restore',
        allowNewer: true,
        options: shielded(server.major, superuser),
    });
    const folder = await makeScratchDir(request.scratchDir, request.drillId.toLowerCase(), 0);
    // Not bound to the signal: it is what cleans up when we are cancelled.
    const session = await open(client);
    let isDone = false;
    try {
        for (const what of await dropDead(session, context.log))
            context.log.info(`Removed ${what} of a killed drill.`);
        const given = { request, context, client, session, folder: folder.path };
        const used = await use(scratch_elsewhere_describe(given, { version: server.version, location: client.target.label }));
        isDone = true;
        return used;
    }
    finally {
        await dropSurely({ client, session, silence, drillId: request.drillId })
            .catch((error) => {
            if (isDone)
                throw error;
            // What went wrong before is what the reader needs.
            context.log.warning((0,core_failure/* messageOf */.b)(error));
        })
            .finally(() => folder.remove());
    }
}
/** The hints for a failed connection name `database-url`, and there is none here. */
function unreachable(error) {
    // Of a server that fell silent everything is said.
    if (!(error instanceof core_failure/* Failure */.H) || error.code === 'scratch-failed')
        throw error;
    const hint = error.hint?.replaceAll('`database-url`', '`scratch-url`');
    throw new core_failure/* Failure */.H(error.code, `The server of \`scratch-url\` cannot be used: ${error.message}`, {
        cause: error,
        ...(hint !== undefined && { hint }),
    });
}
function refuseOlder(major, { manifest }) {
    if (major >= manifest.server.major)
        return;
    throw new core_failure/* Failure */.H('scratch-failed', `\`scratch-url\` leads to PostgreSQL ${major}; the backup comes from ${manifest.server.major}.`, {
        hint: 'Give a server of the same major, or leave `scratch-url` out.',
    });
}
function scratch_elsewhere_describe(given, server) {
    const { request, context, client, session, folder } = given;
    const { manifest, facts, signal, drillId } = request;
    const target = {
        client,
        session,
        database: drillDatabase(drillId),
        manifest,
        facts,
        folder,
        tuned: false,
        jobs: restoreJobs(manifest, request.jobs),
        signal,
        ...context,
    };
    return {
        server: server.location,
        version: server.version,
        notIsolated: [
            'The server of `scratch-url` was not started by us: code in the dump reached what that server reaches.',
        ],
        restore: (open) => restoreThere(given, target, open),
        ...checksOf(target),
        keep: async () => undefined,
    };
}
async function restoreThere(given, target, open) {
    const { drillId } = given.request;
    const names = roleNames(await globalsOf(target, open), target.facts);
    const mark = drillMark(drillId);
    const created = await createMissingRoles(target.session, names, mark);
    // One of this name that is there is not ours, and must not become it by a role of ours.
    const isFree = !(await hasDatabase(target.session, target.database));
    if (isFree && (await mayCreateRoles(target.session)))
        await createMarkedRole(target.session, target.database, mark);
    const message = `${created} of ${names.length} roles were missing and were created without login for the time of the drill.`;
    const roles = (0,report/* finding */.gk)('roles-restored', 'pass', message, { numbers: { created } });
    return [roles, ...(await buildDatabase(target, { comment: mark, explicitLocale: true }, open))];
}

// EXTERNAL MODULE: ./lib/core/restored-size.js
var restored_size = __webpack_require__(291);
;// CONCATENATED MODULE: ./lib/engines/postgresql/scratch-space.js


/** An empty cluster, some WAL, sort files. */
const BASE_BYTES = 256 * 1024 * 1024;
/** Bytes that a scratch server with the restored database will take on disk. */
function estimateScratchBytes(manifest, artifactBytes) {
    return BASE_BYTES + (0,restored_size/* estimateRestoredBytes */.A)(manifest, artifactBytes);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/scratch-settings.js


const MIB = 1024 * 1024;
/**
 * Lines of postgresql.conf for a server that is thrown away: nothing has to survive a crash, nothing
 * runs by itself, nobody is reached. What the user allowed comes last but cannot undo the isolation.
 *
 * @param freeBytes memory that is free now
 */
function scratchConfiguration(given) {
    const lines = { ...speed(given), ...quiet(given.major) };
    const isolation = {
        listen_addresses: '',
        unix_socket_directories: given.socketDir,
        unix_socket_permissions: '0700',
        port: String(SCRATCH_PORT),
        archive_mode: 'off',
        max_wal_senders: '0',
        max_replication_slots: '0',
        max_logical_replication_workers: '0',
        // Files in the data folder: a segment in /dev/shm would outlive a killed server.
        dynamic_shared_memory_type: 'mmap',
    };
    return `${[...format(lines), ...given.allowed, ...format(isolation)].join('\n')}\n`;
}
/** Part of the socket's name only: a scratch server never listens on TCP. */
const SCRATCH_PORT = 5432;
function speed(given) {
    const { totals } = given.manifest;
    const megabytes = (share, most) => `${Math.round(clamp(given.freeBytes * share, 64 * MIB, most) / MIB)}MB`;
    // Beside the session itself, which sorts as well: one more than there are cores made indexes slower (measured).
    const workers = String(Math.max(1, Math.min(8, (0,external_node_os_.availableParallelism)() - 1)));
    return {
        fsync: 'off',
        full_page_writes: 'off',
        synchronous_commit: 'off',
        wal_level: 'minimal',
        max_wal_size: `${restored_size/* MOST_WAL */.x / MIB}MB`,
        checkpoint_timeout: '1h',
        autovacuum: 'off',
        shared_buffers: megabytes(0.1, 1024 * MIB),
        maintenance_work_mem: megabytes(0.1, 1024 * MIB),
        max_parallel_maintenance_workers: workers,
        max_parallel_workers: workers,
        max_connections: '20',
        // A restore in one transaction holds a lock on all it made: tables, indexes, TOAST, sequences.
        max_locks_per_transaction: String(Math.round(clamp((totals.schemaObjects + totals.tables * 8) / 10, 256, 100_000))),
    };
}
function quiet(major) {
    return {
        shared_preload_libraries: '',
        session_preload_libraries: '',
        local_preload_libraries: '',
        logging_collector: 'off',
        log_destination: 'stderr',
        log_min_messages: 'warning',
        log_min_error_statement: 'panic',
        lc_messages: 'C',
        ssl: 'off',
        jit: 'off',
        ...(major >= 17 && { summarize_wal: 'off' }),
    };
}
function clamp(value, least, most) {
    return Math.max(least, Math.min(most, value));
}
function format(settings) {
    return Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/scratch-server.js












const SOCKET_NAME = `/.s.PGSQL.${SCRATCH_PORT}`;
const SOCKET_LIMIT = 107;
const READY_MS = 120_000;
/**
 * The installed server of `major`, and not a neighbour of it: another major would prove something else.
 *
 * @throws {Failure} `tool-missing`, naming the package
 */
async function findServer(env, binDir, major) {
    const found = await findInstallations(env, binDir, 'postgres');
    const exact = found.find((one) => one.major === major);
    if (exact !== undefined)
        return exact;
    const others = [...new Set(found.map((one) => one.major))];
    const have = others.length === 0
        ? 'There are no server programs of PostgreSQL here'
        : `Only ${others.join(', ')} ${others.length === 1 ? 'is' : 'are'} here`;
    throw new core_failure/* Failure */.H('tool-missing', `A drill of this backup needs the server of PostgreSQL ${major}. ${have}.`, {
        hint: `Install postgresql-${major} on the runner (Debian and Ubuntu: from apt.postgresql.org, with create_main_cluster = false in /etc/postgresql-common/createcluster.conf), or name its folder with \`bin-dir\`.`,
    });
}
/**
 * Makes a cluster with the source's encoding, locale and bootstrap role, and starts it.
 *
 * @throws {Failure} `scratch-failed` with the hint what to install, or the end of the server's log
 */
async function startScratchServer(plan) {
    const socketDir = (0,external_node_path_.join)(plan.folder, 's');
    checkSocketPath(socketDir);
    const dataDir = await makeOwnFolder(plan, 'data');
    await makeOwnFolder(plan, 's');
    await initialise(plan, dataDir);
    const { manifest, settings: allowed } = plan;
    const configuration = scratchConfiguration({
        manifest,
        major: plan.installation.major,
        socketDir,
        freeBytes: process.availableMemory(),
        allowed,
    });
    await (0,external_node_fs_promises_.appendFile)((0,external_node_path_.join)(dataDir, 'postgresql.conf'), configuration);
    const launched = plan.isolation.wrap((0,external_node_path_.join)(plan.installation.folder, 'postgres'), ['-D', dataDir]);
    const running = (0,sys_process/* start */.ni)(launched, ['ignore', 'ignore', 'pipe']);
    try {
        await waitUntilReady(running, dataDir, plan.signal);
    }
    catch (error) {
        await stop(running, plan.isolation, 'at once');
        throw error;
    }
    return { client: await clientOf(plan, socketDir), stop: (how) => stop(running, plan.isolation, how) };
}
function checkSocketPath(socketDir) {
    const bytes = Buffer.byteLength(socketDir + SOCKET_NAME);
    if (bytes <= SOCKET_LIMIT)
        return;
    throw new core_failure/* Failure */.H('scratch-failed', `The socket ${socketDir}${SOCKET_NAME} would have a path of ${bytes} bytes; ${SOCKET_LIMIT} are allowed.`, {
        hint: 'Give `scratch-dir` a shorter path.',
    });
}
async function makeOwnFolder(plan, name) {
    const path = (0,external_node_path_.join)(plan.folder, name);
    await (0,external_node_fs_promises_.mkdir)(path, { mode: 0o700 });
    const { user } = plan.isolation;
    if (user !== undefined)
        await (0,external_node_fs_promises_.chown)(path, user.uid, user.gid);
    return path;
}
async function initialise(plan, dataDir) {
    const args = ['-D', dataDir, '--auth=trust', '--no-sync', ...initdbArguments(plan)];
    const command = plan.isolation.wrap((0,external_node_path_.join)(plan.installation.folder, 'initdb'), args);
    await (0,sys_process/* runText */.le)(command, { signal: plan.signal }).catch((error) => {
        throw error instanceof core_failure/* Failure */.H && error.code === 'tool-failed' ? explainInitdb(error, plan.manifest) : error;
    });
}
/** As the source's database was made; `template0` then has its locale, and the restored one inherits it. */
function initdbArguments({ manifest, installation }) {
    const { server } = manifest;
    const locale = [`--locale=${server.collate}`, `--lc-collate=${server.collate}`, `--lc-ctype=${server.ctype}`];
    const icu = server.icuLocale === undefined ? [] : [`--icu-locale=${server.icuLocale}`];
    const builtin = server.icuLocale === undefined ? [] : [`--builtin-locale=${server.icuLocale}`];
    const provider = server.localeProvider === 'icu' ? icu : server.localeProvider === 'builtin' ? builtin : [];
    return [
        `--username=${server.bootstrapRole}`,
        `--encoding=${server.encoding}`,
        ...locale,
        '--lc-messages=C',
        ...(installation.major >= 15 ? [`--locale-provider=${server.localeProvider}`, ...provider] : []),
        ...(installation.major >= 18 ? ['--no-data-checksums'] : []),
    ];
}
function explainInitdb(error, { server }) {
    const full = explainFullDisk(error.message, error);
    if (full !== undefined)
        return full;
    const isLocale = /invalid locale|locale name|could not (open collator|find)|encoding mismatch|ICU is not/i.test(error.message);
    if (!isLocale)
        return new core_failure/* Failure */.H('scratch-failed', `The scratch server could not be made: ${withoutLauncher(error.message)}`, {
            cause: error,
            hint: 'Look at the message of initdb above. If it was killed, memory may have run out: look at `dmesg`.',
        });
    const names = [...new Set([server.collate, server.ctype])].join(', ');
    const wanted = `${names}${server.icuLocale === undefined ? '' : `, ${server.localeProvider} ${server.icuLocale}`}`;
    return new core_failure/* Failure */.H('scratch-failed', `The source's locale (${wanted}; ${server.encoding}) is missing on this runner: ${lastLine(error.message)}`, {
        cause: error,
        hint: `Generate it: add \`${server.collate} ${server.encoding === 'UTF8' ? 'UTF-8' : server.encoding}\` to /etc/locale.gen and run locale-gen (Debian), or \`localedef -i ${server.collate.split('.')[0]} -f UTF-8 ${server.collate}\`. Fedora and RHEL: install glibc-langpack-<language>.`,
    });
}
function lastLine(message) {
    const lines = withoutLauncher(message).trim().split('\n');
    return lines.findLast((line) => line.includes('error:')) ?? lines.join('\n');
}
/** `unshare exited with 1: initdb: error: …`: the launcher only passes on what the program said. */
function withoutLauncher(message) {
    return message.replace(/^\S+ exited with \d+: /, '');
}
/** Others fill a disk too, after its free space was looked at. */
function explainFullDisk(message, cause) {
    const line = message.split('\n').find((one) => one.includes('No space left on device'));
    if (line === undefined)
        return undefined;
    return new core_failure/* Failure */.H('disk-full', `${OUT_OF_ROOM}: ${withoutLauncher(line)}`, {
        cause,
        hint: SCRATCH_FULL,
    });
}
/** The postmaster writes its state into its pid file; asking over the socket would cost a process per try. */
async function waitUntilReady(running, dataDir, signal) {
    let ended = false;
    void running.exit.then(() => {
        ended = true;
    });
    const until = Date.now() + READY_MS;
    while (!isReady(dataDir)) {
        signal.throwIfAborted();
        if (ended || Date.now() > until)
            throw await explainStart(running, ended);
        await (0,promises_.setTimeout)(15);
    }
}
function isReady(dataDir) {
    try {
        return (0,external_node_fs_.readFileSync)((0,external_node_path_.join)(dataDir, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim() === 'ready';
    }
    catch {
        return false; // not written yet
    }
}
async function explainStart(running, ended) {
    if (!ended)
        await running.end('SIGKILL');
    const { stderr } = await running.exit;
    const full = explainFullDisk(stderr);
    if (full !== undefined)
        return full;
    const how = ended ? 'ended while it started' : `was not ready after ${READY_MS / 1000} s`;
    return new core_failure/* Failure */.H('scratch-failed', `The scratch server ${how}: ${stderr.trim() || 'it said nothing'}`, {
        hint: 'Look at the message of PostgreSQL above; settings given in `scratch-settings` are part of it.',
    });
}
async function stop(running, isolation, how) {
    // The launcher waits for the server, which is process 1 of its namespace; without one it is the server.
    const server = isolation.ownProcesses ? childrenOf(running.pid ?? -1)[0] : running.pid;
    if (how === 'tidy' && server !== undefined) {
        tell(server, 'SIGINT'); // fast shutdown: connections end, a checkpoint is written
        await Promise.race([running.exit, (0,promises_.setTimeout)(30_000, undefined, { ref: false })]);
    }
    // Ending process 1 of a namespace ends all of it, programs that left their session included.
    await running.end(isolation.ownProcesses ? 'SIGKILL' : 'SIGQUIT');
}
function tell(pid, signal) {
    try {
        process.kill(pid, signal);
    }
    catch {
        // It has ended already.
    }
}
/** With nothing of libpq's environment: a PGPORT or PGSERVICE of the step would lead somewhere else. */
async function clientOf(plan, socketDir) {
    const { installation } = plan;
    const user = encodeURIComponent(plan.manifest.server.bootstrapRole);
    const url = `postgresql://${user}@/postgres?host=${encodeURIComponent(socketDir)}&port=${SCRATCH_PORT}`;
    const env = (0,sys_environment/* childEnvironment */.Q)(plan.env, { libpq: false });
    return clientIn({ url }, env, await clientFolder(plan), shielded(installation.major));
}
/** Where pg_restore of the server's major is: beside the server, else as near above it as there is. */
async function clientFolder({ env, installation }) {
    const beside = await findInstallations(env, installation.folder, 'pg_restore').catch(() => []);
    const all = [...beside, ...(await findInstallations(env, undefined, 'pg_restore'))];
    const newer = all.filter((one) => one.major > installation.major).at(-1);
    const chosen = all.find((one) => one.major === installation.major) ?? newer ?? all[0];
    if (chosen !== undefined)
        return chosen.folder;
    throw new core_failure/* Failure */.H('tool-missing', `There is no pg_restore of PostgreSQL ${installation.major} on this runner.`, {
        hint: `Install postgresql-client-${installation.major}, or name its folder with \`bin-dir\`.`,
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/scratch.js














/** Less than one segment of WAL. */
const FULL_BYTES = 8 << 20;
/**
 * Lends an empty server of the backup's major: an own one, or the one of `scratch-url`. Processes,
 * folder and socket (there: database and roles) are gone when `use` settles.
 *
 * @throws {Failure} `tool-missing`, `scratch-failed`, `disk-full`, `guard-refused`
 */
async function withScratch(request, context, use, connections = connecting(context)) {
    if (request.scratchUrl !== undefined)
        return withElsewhere(request, request.scratchUrl, { ...context, connections }, use);
    return withOwnServer(request, { ...context, connections }, (own) => use(scratch_describe(own)));
}
/** As `withScratch`, always of our own, for who works in it with SQL. */
async function withOwnServer(request, context, use) {
    const installation = await findServer(context.env, request.connection.binDir, request.manifest.server.major);
    const needed = estimateScratchBytes(request.manifest, request.artifactBytes);
    const folder = await makeScratchDir(request.scratchDir, request.drillId.toLowerCase(), needed);
    const end = endOf(folder, request, context);
    try {
        const isolation = await planIsolation(context.env, { own: folder.path, programs: installation.folder });
        if (isolation.user !== undefined)
            await refuseClosedFolder(folder.path);
        const { manifest, settings, signal } = request;
        const plan = { manifest, installation, isolation, folder: folder.path, settings, env: context.env, signal };
        end.server = await startScratchServer(plan);
        const { notIsolated } = isolation;
        return await use(await scratch_connect(end, { request, context, folder, notIsolated }));
    }
    catch (error) {
        end.keep = true;
        throw (await scratch_explainFullDisk(folder.path, error)) ?? explainDisk(folder.path, error);
    }
    finally {
        await end.run();
    }
}
/** What fails because of the machine; damage and wrong keys stay what they are, however full the disk. */
const MAY_BE_FULL = new Set([
    'disk-full',
    'restore-failed',
    'scratch-failed',
    'source-unreachable',
    'tool-failed',
]);
/** A server on a full disk fails in many words, and none of them may disprove a backup. */
async function scratch_explainFullDisk(path, error) {
    if (!(error instanceof core_failure/* Failure */.H) || !MAY_BE_FULL.has(error.code))
        return undefined;
    if (error.code !== 'disk-full' && (await freeBytesOf(path)) >= FULL_BYTES)
        return undefined;
    const message = error.message.startsWith(OUT_OF_ROOM) ? error.message : `${OUT_OF_ROOM}: ${error.message}`;
    return new core_failure/* Failure */.H('disk-full', message, { cause: error, hint: SCRATCH_FULL });
}
/** An error of the file system on our own folder, e.g. of a disk that the kernel has just mounted read-only. */
function explainDisk(path, error) {
    if (!(error instanceof Error) || !('syscall' in error) || error instanceof core_failure/* Failure */.H)
        return error;
    return new core_failure/* Failure */.H('scratch-failed', `The scratch folder ${path} failed: ${error.message}`, {
        cause: error,
        hint: 'Check the disk and its mount (`dmesg`, `mount`), or name another folder with `scratch-dir`.',
    });
}
/** Removes what killed runs left below `scratchDir`; says what it was. */
async function removeLeftovers(scratchDir, context) {
    const removed = await removeLeftoverDirs(scratchDir);
    for (const what of removed)
        context.log.info(`Removed ${what}`);
    return removed;
}
function endOf(folder, request, { log }) {
    const end = {
        server: undefined,
        session: undefined,
        keep: false,
        run: async () => {
            const isKept = end.keep && request.keepOnFailure && end.server !== undefined && !request.signal.aborted;
            await end.session?.close();
            await end.server?.stop(isKept ? 'tidy' : 'at once');
            // What went wrong before is what the reader needs; the next drill removes the rest.
            if (!isKept)
                return folder.remove().catch((error) => log.warning(String(error)));
            await folder.keep();
            log.info(`The scratch server was kept for 24 hours in ${folder.path}.`);
        },
    };
    return end;
}
async function refuseClosedFolder(path) {
    const closed = await closedFolderAbove(path);
    if (closed === undefined)
        return;
    throw new core_failure/* Failure */.H('scratch-failed', `${closed} lets no other user pass, and as root the scratch server runs as one.`, {
        hint: `chmod o+x ${closed}, or name another folder with \`scratch-dir\`.`,
    });
}
async function scratch_connect(end, own) {
    const { request, context, folder, notIsolated } = own;
    const { manifest, facts, signal } = request;
    const client = end.server?.client;
    if (client === undefined)
        throw new core_failure/* Failure */.H('scratch-failed', 'The scratch server is gone.');
    const session = await openSession(client, { applicationName: 'lifeboat', signal });
    end.session = session;
    const { version } = await session.one(`SELECT current_setting('server_version') AS version`);
    const database = drillDatabase(request.drillId);
    const jobs = restoreJobs(manifest, request.jobs);
    const given = { manifest, facts, folder: folder.path, tuned: true, jobs, signal, ...context };
    return {
        target: { client, session, database, ...given },
        version: version.split(' ')[0] ?? version,
        notIsolated,
        mark: drillMark(request.drillId),
        keep: async () => {
            end.keep = true;
            return request.keepOnFailure ? folder.path : undefined;
        },
    };
}
function scratch_describe(own) {
    const { target, version, notIsolated, keep } = own;
    return {
        server: 'own',
        version,
        notIsolated,
        restore: (open) => restoreOwn(own, open),
        ...checksOf(target),
        keep,
    };
}
async function restoreOwn({ target, mark }, open) {
    const roles = await restoreOwnRoles(target, open);
    const rest = await buildDatabase(target, { comment: mark, explicitLocale: false }, open);
    return [roles, ...rest];
}
/** Roles of the backup, in a server of our own. */
async function restoreOwnRoles(target, open) {
    const { session, facts, manifest } = target;
    const globals = await globalsOf(target, open);
    return restoreRoles(session, globals ?? ownersAsSql(facts), manifest.server.bootstrapRole);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/adopt.js















const BOOTSTRAP = 'postgres';
const adopt_MIB = 1024 * 1024;
/** These are in every cluster: nothing is made under such a name. */
const TAKEN = new Set(['postgres', 'template0', 'template1']);
/**
 * Restores a file into a scratch server of its own, isolated like a drill's, and lends what is there as a snapshot to
 * be dumped: with facts, in the form of every other backup. Server, folder and socket are gone when `use` settles.
 *
 * @throws {Failure} `restore-failed` when the file does not make a database, `tool-missing`, `scratch-failed`, `disk-full`
 */
async function withAdopted(request, context, takeSnapshot, use) {
    const { file, signal } = request;
    const installation = await serverFor(file, request, context);
    const needed = 256 * adopt_MIB + Math.round(file.plainBytes * 1.5);
    const folder = await makeScratchDir(request.scratchDir, request.scratchId.toLowerCase(), needed);
    let server;
    try {
        const isolation = await planIsolation(context.env, { own: folder.path, programs: installation.folder });
        if (isolation.user !== undefined)
            await refuseClosedFolder(folder.path);
        const like = likeSource(file, installation.major);
        const settings = [];
        const plan = { manifest: like, installation, isolation, folder: folder.path, settings, env: context.env, signal };
        server = await startScratchServer(plan);
        const database = await load(server.client, request);
        const options = optionsEnvironment('', shielded(installation.major));
        const env = { ...(0,sys_environment/* childEnvironment */.Q)(context.env, { libpq: false }), ...options };
        const { notIsolated } = isolation;
        return await takeSnapshot(dumpRequest(request, server.client, database), env, (snapshot) => use({ snapshot: { ...snapshot, server: honest(snapshot.server) }, notIsolated }));
    }
    catch (error) {
        throw (await scratch_explainFullDisk(folder.path, error)) ?? explainDisk(folder.path, error);
    }
    finally {
        await server?.stop('at once');
        await folder.remove().catch((error) => context.log.warning(String(error)));
    }
}
/** The server's own major, else the next one that is installed: what it makes, no older server takes back. */
async function serverFor({ server }, { binDir }, { env, log }) {
    const all = (await findInstallations(env, binDir, 'postgres')).toReversed();
    const major = server === undefined ? undefined : Number.parseInt(server, 10);
    if (major === undefined)
        return all.at(-1) ?? findServer(env, binDir, 0);
    const found = all.find((one) => one.major >= major);
    if (found === undefined)
        return findServer(env, binDir, major);
    if (found.major > major)
        log.warning(`PostgreSQL ${major} is not installed here: the backup will be one of PostgreSQL ${found.major}.`);
    return found;
}
function likeSource(file, major) {
    const { provider, collate, ctype, icuLocale } = file.locale ?? {
        ...{ provider: 'libc', collate: 'C.UTF-8', ctype: 'C.UTF-8', icuLocale: undefined },
    };
    const locale = { localeProvider: provider, collate, ctype, ...(icuLocale !== undefined && { icuLocale }) };
    const { objects: schemaObjects, plainBytes: databaseBytes } = file;
    return {
        server: {
            ...{
                version: String(major),
                major,
                systemIdentifier: null,
                host: '',
                port: null,
                database: '',
                owner: BOOTSTRAP,
            },
            ...{ acl: null, connectionLimit: -1, settings: [], encoding: file.encoding, ...locale },
            ...{ bootstrapRole: BOOTSTRAP, standby: false, clockOffsetSeconds: 0 },
        },
        totals: { databaseBytes, tables: schemaObjects, rows: null, schemaObjects },
    };
}
/** Nobody knows where the file's database was: neither its server nor what its clock said. */
function honest(server) {
    return { ...server, systemIdentifier: null, host: '', port: null, clockOffsetSeconds: 0 };
}
/** Resolves with the name of the database that holds what was in the file. */
async function load(client, { file, source, signal }) {
    const session = await openSession(client, { applicationName: 'lifeboat', signal });
    try {
        for (const role of file.roles.filter((name) => name !== BOOTSTRAP)) {
            await session.execute(`CREATE ROLE ${identifier(role)}`);
        }
        const named = file.database !== undefined && !TAKEN.has(file.database) ? file.database : undefined;
        const database = named ?? source;
        try {
            if (file.format === 'sql')
                await loadPlain(client, session, file, { database, signal });
            else
                await loadArchive(client, session, file, { database, isNamed: named !== undefined, signal });
        }
        catch (error) {
            throw withHint(explainRestore(error, file.name));
        }
        return database;
    }
    finally {
        await session.close();
    }
}
function withHint(error) {
    if (!(error instanceof core_failure/* Failure */.H) || error.code !== 'restore-failed' || error.hint !== undefined)
        return error;
    return new core_failure/* Failure */.H(error.code, error.message, {
        cause: error,
        hint: 'The file alone does not make a database, and so is no backup. Usual reasons: it holds single tables or rows only (`-t`, `-a`), was made with `--clean` without `--if-exists`, needs an extension that is not installed here, or is damaged.',
    });
}
async function loadArchive(client, session, file, { database, isNamed, signal }) {
    // With `--create` come owner, settings, grants and locale of the database itself.
    if (!isNamed)
        await session.execute(`CREATE DATABASE ${identifier(database)} TEMPLATE template0`);
    const where = client.target.dsn({ applicationName: 'lifeboat', ...(!isNamed && { database }) });
    const args = ['--exit-on-error', '--no-tablespaces', '--no-subscriptions', '--no-password', '-d', where];
    const command = client.command('pg_restore', [...args, ...(isNamed ? ['--create'] : [])], { LC_ALL: 'C' });
    await (0,sys_process/* feed */.hm)((0,sys_process/* startPipeline */.lq)([command], 'pipe', signal), openPlain(file));
}
/**
 * psql has our rights, and a file may come from anywhere: `\!` in it would run a shell. So psql is told with its own
 * `\restrict`, under a key that the file cannot know, to refuse every command but the matching `\unrestrict`; its own
 * lexer decides what is one. What pg_dump itself writes of them is taken out before.
 */
async function loadPlain(client, session, file, { database, signal }) {
    await session.execute(`CREATE DATABASE ${identifier(database)} TEMPLATE template0`);
    const dsn = client.target.dsn({ applicationName: 'lifeboat', database });
    const args = ['-X', '-q', '-w', '-v', 'ON_ERROR_STOP=1', '-d', dsn, '-f', '-'];
    const command = { ...client.command('psql', args, { LC_ALL: 'C' }), cwd: '/' };
    const key = (0,external_node_crypto_.randomBytes)(32).toString('hex');
    const plain = openPlain(file);
    const filtered = restrictedScript(key);
    plain.once('error', (error) => filtered.destroy(error));
    filtered.once('close', () => plain.destroy());
    await (0,sys_process/* feed */.hm)((0,sys_process/* startPipeline */.lq)([command], 'pipe', signal), plain.pipe(filtered)).catch((error) => {
        throw explainPsql(error, file.name);
    });
}
/** psql exits with 2 when the server is gone, and with 3 when a statement or a command failed. */
function explainPsql(error, name) {
    if (!(error instanceof core_failure/* Failure */.H) || !error.message.startsWith('psql exited with 3'))
        return error;
    if (error.message.includes('invalid command \\restrict'))
        return new core_failure/* Failure */.H('tool-version', 'This psql does not know `\\restrict`, so nothing of the file was run.', {
            cause: error,
            hint: 'Install the latest minor release of the client programs (13.22, 14.19, 15.14, 16.10, 17.6 or later).',
        });
    if (error.message.includes('backslash commands are restricted'))
        return new core_failure/* Failure */.H('guard-refused', `${name} holds commands for psql beside SQL, which pg_dump does not write.`, {
            cause: error,
            hint: 'They could run programs on this machine, so it was not taken. Look at the lines that begin with a backslash, and find out who put them there.',
        });
    const said = error.message.split('\n').filter((line) => /ERROR|FATAL|PANIC|error:/.test(line));
    const what = said.at(-1)?.replace(/^psql:<stdin>:\d+: /, '') ?? error.message;
    return new core_failure/* Failure */.H('restore-failed', `${name} could not be restored: ${what.slice(0, 500)}`, { cause: error });
}
/** What pg_dump writes for psql alone, or for a server of another major; only where it cannot be part of a text. */
const LEFT_OUT_IN_HEAD = /^\\(restrict|unrestrict) [A-Za-z0-9]+$|^(CREATE|DROP) DATABASE .*;$|^SET transaction_timeout = 0;$/;
/** The script as it is given to psql. */
function restrictedScript(key) {
    let made;
    const reader = plainDumpReader((line, { isHead, isTail }) => {
        if (isTail)
            return /^\\unrestrict [A-Za-z0-9]+$/.test(line);
        // To the database that the dump has just made, and again when its settings hold; psql refuses any other.
        if (isHead && line.startsWith('\\connect '))
            made ??= line;
        if (isHead && line === made)
            return true;
        return isHead && LEFT_OUT_IN_HEAD.test(line);
    });
    const script = new external_node_stream_.Transform({
        transform(chunk, _, done) {
            for (const piece of reader.take(chunk))
                this.push(piece);
            done();
        },
        flush(done) {
            for (const piece of reader.end())
                this.push(piece);
            done();
        },
    });
    script.push(`\\restrict ${key}\n`);
    return script;
}
function dumpRequest(request, client, database) {
    const { source, facts, jobs, binDir, stallMs, holder, signal } = request;
    return {
        ...{ source, facts, stallMs, holder, signal, scope: 'full', tables: [], excludeTables: [], excludeTableData: [] },
        connection: {
            url: client.target.dsn({ applicationName: 'lifeboat', database }),
            ...(binDir !== undefined && { binDir }),
        },
        ...{ rolePasswords: false, lockTimeoutMs: 0, tableLockTimeoutMs: 60_000, allowNewerClient: true },
        ...(jobs !== undefined && { jobs }),
    };
}

;// CONCATENATED MODULE: ./lib/sys/large-writes.js

const BYTES = 1 << 20;
const STDBUF = ['/usr/libexec/coreutils/libstdbuf.so', '/usr/lib/coreutils/libstdbuf.so'].find((path) => (0,external_node_fs_.existsSync)(path));
/**
 * For a program of the C library that writes much: its stdout is buffered by the megabyte, as `stdbuf -o1M` does it.
 * Otherwise every 4 KiB wake the reader; for pg_dump and the zstd behind it that is a tenth of their time (measured).
 * Empty where coreutils have no such library.
 */
const largeWrites = STDBUF === undefined ? {} : { LD_PRELOAD: STDBUF, _STDBUF_O: String(BYTES) };

// EXTERNAL MODULE: ./lib/core/ticker.js
var ticker = __webpack_require__(4625);
;// CONCATENATED MODULE: ./lib/engines/postgresql/stream-plan.js

/** Tables that are named in arguments of pg_dump, which looks each up by itself. */
const MOST_NAMED = 500;
/** Of all names together: a wrapper may pass the arguments on as one, which holds 128 KiB. */
const MOST_CHARACTERS = 48 << 10;
/** `--exclude-table-data="".""`, and the end of the argument. */
const NAME_OVERHEAD = 28;
/**
 * Deals tables out to streams, the largest first, each to the stream that has least. What is too small
 * to be worth naming stays in the last stream, with sequences and large objects.
 *
 * @param given.streams at most so many groups
 * @param given.otherBytes what the last stream holds besides tables
 * @returns one group at least, the last of them that of the rest
 */
function planGroups(sized, given) {
    const largest = sized
        // pg_dump takes those of an extension only together with it.
        .filter(({ table }) => table.extension === null)
        .toSorted((one, other) => other.bytes - one.bytes);
    const named = largest.slice(0, howManyNamed(largest));
    const all = sized.reduce((sum, { bytes }) => sum + bytes, given.otherBytes);
    const rest = named.reduce((sum, { bytes }) => sum - bytes, all);
    const groups = Array.from({ length: given.streams }, (_, at) => ({
        tables: [],
        bytes: at === given.streams - 1 ? rest : 0,
    }));
    for (const { table, bytes } of named) {
        const least = groups.reduce((one, other) => (other.bytes < one.bytes ? other : one));
        least.tables.push(table);
        least.bytes += bytes;
    }
    return groups.filter(({ tables }, at) => tables.length > 0 || at === groups.length - 1);
}
function howManyNamed(largest) {
    let characters = 0;
    const last = largest.findIndex(({ table }, at) => {
        characters += table.schema.length + table.relname.length + NAME_OVERHEAD;
        return at === MOST_NAMED || characters > MOST_CHARACTERS;
    });
    return last === -1 ? largest.length : last;
}
/** Whether rows go in several streams. The other scopes are small, or need their large objects in one. */
function isParallel({ jobs = 1, scope }) {
    return jobs > 1 && (scope === 'full' || scope === 'tables');
}
/** Threads of each zstd: 0 leaves the choice to it, which takes every core. */
function threadsOf(request) {
    return isParallel(request) ? Math.max(1, Math.floor((0,external_node_os_.availableParallelism)() / (request.jobs ?? 1))) : 0;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/snapshot.js









/** How often a snapshot that DDL disturbed is taken again. */
const snapshot_ATTEMPTS = 4;
/**
 * With the locks held, a table can only be out of reach because DDL queues for it, behind ourselves: a deadlock
 * that PostgreSQL cannot see and that keeps everybody else from the table, so it is not waited out.
 */
const BEHIND_DDL_MS = 10_000;
/** Names in one LOCK statement. */
const LOCK_BATCH = 500;
/**
 * Takes a snapshot and ACCESS SHARE locks on every table to be dumped, and starts over when one was
 * rewritten or dropped in between: a TRUNCATE there gives an empty table that even counts under the
 * snapshot agree with (measured on 15.20). With the locks held, nothing can come between any more.
 *
 * @throws {Failure} `source-denied` naming tables we may not read, `source-busy` naming who blocks,
 *                   `source-changed` when four snapshots in a row were disturbed
 */
async function takeGuardedSnapshot(client, control, request, given) {
    const findings = [];
    for (let attempt = 1; attempt <= snapshot_ATTEMPTS; attempt++) {
        const session = await openOwn(client, request, given);
        try {
            const taken = await exportAndLock(session, control, request, given.log);
            const confirm = () => session.execute('SELECT 1 WHERE false');
            return { ...taken, findings, confirm, close: () => session.close() };
        }
        catch (error) {
            await session.close();
            if (!(error instanceof core_failure/* Failure */.H) || error.code !== 'source-changed')
                throw error;
            given.log.warning(`Snapshot ${attempt} was disturbed: ${error.message} Taking a new one.`);
            findings.push((0,report/* finding */.gk)('backup-restarted', 'warn', `Snapshot ${attempt} was given up: ${error.message}`));
        }
    }
    throw new core_failure/* Failure */.H('source-changed', `DDL disturbed ${snapshot_ATTEMPTS} snapshots in a row; the last: ${findings.at(-1)?.message ?? ''}`, {
        hint: 'Run the backup when no migration or TRUNCATE job runs, or leave out the rows of such tables with `exclude-table-data`.',
    });
}
async function exportAndLock(session, control, request, log) {
    // now() is fixed at BEGIN and so never later than the snapshot: what was committed before it is in the dump.
    await session.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { snapshotId, takenAt } = await session.one(`
    SELECT pg_export_snapshot() AS "snapshotId",
      to_char(date_trunc('second', CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() ELSE now() END),
        'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "takenAt"`);
    if (takenAt === null)
        throw noReplay();
    const relations = await listRelations(session);
    const selected = selectTables(relations, request);
    refuseUnreadable(selected.dumped);
    const locked = isParallel(request) ? [...selected.dumped, ...othersToLock(relations, selected)] : selected.dumped;
    const waitMs = request.tableLockTimeoutMs;
    const waiting = () => `Waiting, at most ${(0,duration/* formatDuration */.a3)(waitMs)} each, for the locks on ${locked.length} tables.`;
    const sleep = (ms, signal) => (0,promises_.setTimeout)(ms, undefined, { signal, ref: false }).catch(() => { });
    await (0,ticker/* withTicker */.B)({ sleep, log }, waiting, () => lockTables(session, control, locked, waitMs));
    await refuseRewritten(session, selected.dumped);
    return {
        snapshotId,
        takenAt: new Date(takenAt),
        selected,
        sizes: await readTableSizes(session, selected.dumped, request.scope),
    };
}
/**
 * Tables dumped without rows: one pg_dump locks them itself, but of several each would see them at another
 * moment. Which it may not lock, pg_dump refuses in its own words.
 */
function othersToLock(relations, { dumped, excluded }) {
    const known = new Set([...dumped, ...excluded].map(({ oid }) => oid));
    const isTable = ({ kind }) => kind === 'r' || kind === 'p';
    return relations.filter((one) => isTable(one) && one.extension === null && one.canSelect && !known.has(one.oid));
}
function noReplay() {
    return new core_failure/* Failure */.H('source-refused', 'The standby has not replayed any transaction yet: nobody knows how old its data are.', {
        hint: 'Wait until it has replayed something from the primary, or back up the primary.',
    });
}
function refuseUnreadable(tables) {
    const denied = tables.filter((one) => !one.canSelect);
    if (denied.length > 0) {
        throw new core_failure/* Failure */.H('source-denied', `The backup role may not read ${listed(denied)}.`, {
            hint: 'GRANT pg_read_all_data TO the role (PostgreSQL 14 and later), or USAGE on the schemas and SELECT on these tables; or leave them out with `exclude-table-data`.',
        });
    }
    const hidden = tables.filter((one) => one.rowsHidden);
    if (hidden.length > 0) {
        throw new core_failure/* Failure */.H('source-denied', `Row security hides rows of ${listed(hidden)} from the backup role.`, {
            hint: 'ALTER ROLE <role> BYPASSRLS, or leave these tables out with `exclude-table-data`.',
        });
    }
}
function listed(tables) {
    const more = tables.length > 10 ? ` and ${tables.length - 10} more` : '';
    return (tables
        .slice(0, 10)
        .map((one) => one.name)
        .join(', ') + more);
}
async function lockTables(session, control, tables, waitMs) {
    await session.execute(`SET LOCAL lock_timeout = ${Math.max(1, Math.round(waitMs))}`);
    for (let from = 0; from < tables.length; from += LOCK_BATCH) {
        const batch = tables.slice(from, from + LOCK_BATCH);
        const names = batch.map((one) => `ONLY ${one.name}`).join(', ');
        await session.execute(`LOCK TABLE ${names} IN ACCESS SHARE MODE`).catch(async (error) => {
            throw await explainLock(error, control, session.pid, batch);
        });
    }
    await session.execute('SET LOCAL lock_timeout = 0');
}
async function explainLock(error, control, pid, batch) {
    if (!(error instanceof core_failure/* Failure */.H))
        return error;
    if (/does not exist/.test(error.message))
        return new core_failure/* Failure */.H('source-changed', 'a table was dropped or renamed before it could be locked.', { cause: error });
    if (!/lock timeout/.test(error.message))
        return error;
    const oids = batch.map((one) => one.oid).join(', ');
    const blockers = await control.query(`
    SELECT l.relation::regclass::text AS table, a.pid, a.usename AS user, a.application_name AS application, a.state
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
    WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND l.relation IN (${oids}) AND a.pid <> ${pid} LIMIT 3`);
    const who = blockers.map((one) => `${one.table} is locked by process ${one.pid} (user ${one.user}, application "${one.application}", ${one.state ?? 'state hidden'})`);
    return new core_failure/* Failure */.H('source-busy', `DDL is in the way: ${who.join('; ') || error.message}.`, {
        cause: error,
        hint: 'A migration, TRUNCATE or VACUUM FULL, or a transaction somebody left open, holds the table longer than `table-lock-timeout`. End it, or run the backup later.',
    });
}
/**
 * pg_class is read under the snapshot, pg_relation_filenode() sees the present: they differ after a rewrite. Only
 * of tables that are dumped: one that is emptied all day long may be left out for that very reason.
 */
async function refuseRewritten(session, dumped) {
    const rewritten = await session.query(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = ANY ('{${dumped.map(({ oid }) => oid).join(',')}}'::oid[]) AND c.relkind = 'r'
      AND c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid) LIMIT 5`);
    if (rewritten.length > 0)
        throw new core_failure/* Failure */.H('source-changed', `${rewritten.map((one) => one.name).join(', ')} was truncated, rewritten or dropped in the meantime.`);
}
/** A name no other run has, within the 63 bytes PostgreSQL keeps; `holder` tells a waiting run who we are. */
function makeApplicationName(holder) {
    return `lifeboat ${(0,external_node_crypto_.randomBytes)(3).toString('hex')} ${holder}`.slice(0, 60);
}
/** How long whoever works under a guarded snapshot may wait for a lock, in whole milliseconds. */
function lockWaitMs({ tableLockTimeoutMs }) {
    return Math.max(1, Math.round(Math.min(tableLockTimeoutMs, BEHIND_DDL_MS)));
}
function openOwn(client, { signal }, { applicationName, connections }) {
    return connections.open(client, { applicationName, signal }, signal);
}
/** A second session in the snapshot, for counting beside the dump. The caller closes. */
async function openInSnapshot(client, snapshotId, request, given) {
    const session = await openOwn(client, request, given);
    await session.execute(`SET lock_timeout = ${lockWaitMs(request)}`);
    await session.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await session.execute(`SET TRANSACTION SNAPSHOT ${literal(snapshotId)}`);
    return session;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/dump.js









/** Custom-format header, catalog and per-table overhead, so that small databases have a sane estimate. */
const OVERHEAD_BYTES = 1 << 20;
/** The streams of one backup: what pg_dump says in one part or several, and the globals. */
function planStreams(plan) {
    const rows = totalBytes(plan) + OVERHEAD_BYTES;
    const globals = textStream('globals', 'globals.sql', 'sql', plan.globals, plan);
    if (isParallel(plan.request))
        return [...parallelStreams(plan), globals];
    const schema = () => pgDumpStream(plan, 'schema', 'schema.dump', [...selection(plan), '--schema-only'], OVERHEAD_BYTES);
    const data = [...selection(plan), '--data-only'];
    switch (plan.request.scope) {
        case 'full':
            return [pgDumpStream(plan, 'dump', 'database.dump', selection(plan), rows), globals];
        case 'tables':
            return [pgDumpStream(plan, 'dump', 'tables.dump', selection(plan), rows), globals];
        case 'schema':
            return [schema(), globals];
        case 'data':
            return [schema(), pgDumpStream(plan, 'data', 'data.dump', data, rows), globals];
    }
}
function totalBytes({ selected, sizes }) {
    return selected.dumped.reduce((sum, { oid }) => sum + (sizes.tables.get(oid) ?? 0), sizes.largeObjects);
}
/**
 * The dump by sections, its rows in several streams of one snapshot. Definitions come first: only of
 * tables can locks keep DDL away, and what is read early is read before there is any.
 */
function parallelStreams(plan) {
    const { request, selected, sizes } = plan;
    // The names of artifacts alone must tell the scope.
    const prefix = request.scope === 'tables' ? 'tables-' : '';
    const part = (role, name, args, bytes) => pgDumpStream(plan, role, `${prefix}${name}.dump`, args, bytes + OVERHEAD_BYTES);
    const sized = selected.dumped.map((table) => ({ table, bytes: sizes.tables.get(table.oid) ?? 0 }));
    const groups = planGroups(sized, { streams: request.jobs ?? 1, otherBytes: sizes.largeObjects });
    const views = selected.withoutRows.filter(({ kind }) => kind === 'm');
    // With the tables in its list `pg_restore -j` knows which indexes and keys would lock each other out.
    const postData = ['--section=pre-data', '--section=post-data', '--no-blobs', ...selection(plan, views)];
    return [
        part('pre-data', 'pre-data', ['--section=pre-data', ...selection(plan, [])], 0),
        part('post-data', 'post-data', postData, 0),
        ...groups.map((group, at) => part('data', `data-${String(at + 1).padStart(2, '0')}`, groupArguments(plan, groups, group), group.bytes)),
    ];
}
function groupArguments(plan, groups, group) {
    if (group !== groups.at(-1))
        return ['--section=data', ...exactly('--table', group.tables)];
    const elsewhere = groups.slice(0, -1).flatMap(({ tables }) => tables);
    return ['--section=data', ...selection(plan, [...plan.selected.withoutRows, ...elsewhere])];
}
function pgDumpStream(plan, role, name, args, bytes) {
    return {
        role,
        name,
        format: 'pg_dump-custom',
        estimatedBytes: bytes,
        open: ({ level }) => {
            const dump = plan.client.command('pg_dump', pgDumpArguments(plan, args), { LC_ALL: 'C', ...largeWrites });
            return openOutput([dump, (0,sys_zstd/* zstdCommand */.LI)(level, plan.env, threadsOf(plan.request))], 'none', plan.request.signal);
        },
    };
}
/** Arguments of every pg_dump of a snapshot. `-Z0`: zstd compresses better and faster outside, and parallel. */
function pgDumpArguments(plan, what) {
    const { request, snapshotId, encoding, applicationName, client } = plan;
    return [
        '-Fc',
        '-Z0',
        '-w',
        `--snapshot=${snapshotId}`,
        `--encoding=${encoding}`,
        // A stream queued behind DDL that waits for our own locks is a deadlock PostgreSQL cannot see.
        `--lock-wait-timeout=${lockWaitMs(request)}`,
        ...what,
        '-d',
        client.target.dsn({ applicationName }),
    ];
}
/** All that was selected, without the rows of some tables. */
function selection({ request, selected }, withoutRows = selected.withoutRows) {
    return [
        ...(request.scope === 'tables' ? ['--no-blobs'] : []),
        ...exactly('--exclude-table', selected.excluded),
        ...(request.scope === 'schema' ? [] : exactly('--exclude-table-data', withoutRows)),
    ];
}
function exactly(option, tables) {
    return tables.map((one) => {
        if (!one.name.isWellFormed())
            throw unspeakable(one);
        return `${option}=${exactPattern(one)}`;
    });
}
/** Arguments of programs are UTF-8; pg_dump would not find the table, and not say so. */
function unspeakable({ name }) {
    return new core_failure/* Failure */.H('source-refused', `The name of the table ${name} is not UTF-8: pg_dump cannot be told of it.`, {
        hint: 'Rename it (ALTER TABLE … RENAME), or back up the whole database in one stream: without `tables`, `exclude-tables`, `exclude-table-data` and `jobs`.',
    });
}
/** pg_dump's pattern syntax: between double quotes everything is literal but the double quote itself. */
function exactPattern(table) {
    return [table.schema, table.relname].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}
function textStream(role, name, format, text, plan) {
    return {
        role,
        name,
        format,
        estimatedBytes: Buffer.byteLength(text),
        open: ({ level }) => {
            const opened = (0,sys_process/* startPipeline */.lq)([(0,sys_zstd/* zstdCommand */.LI)(level, plan.env)], 'pipe', plan.request.signal);
            opened.stdin?.on('error', () => { }); // zstd's own exit says what happened
            if (opened.stdin !== null)
                external_node_stream_.Readable.from([text]).pipe(opened.stdin);
            return { compressed: (0,sys_process/* outputOf */.jH)(opened), plainBytes: () => Buffer.byteLength(text) };
        },
    };
}
function openOutput(commands, input, signal) {
    const opened = (0,sys_process/* startPipeline */.lq)(commands, input, signal);
    const zstd = opened.programs.at(-1);
    let exact;
    void zstd?.exit.then((exit) => {
        exact = (0,sys_zstd/* plainBytesOf */.xd)(exit.stderr);
    });
    return { compressed: (0,sys_process/* outputOf */.jH)(opened, explainError), plainBytes: () => exact ?? bytesRead(zstd) };
}
/** What a running program has read so far, by the kernel's count; undefined once it is gone. */
function bytesRead(program) {
    try {
        const io = (0,external_node_fs_.readFileSync)(`/proc/${program?.pid}/io`, 'utf8');
        return Number(/^rchar: (\d+)/m.exec(io)?.[1]);
    }
    catch {
        return undefined; // ended between two looks, or a kernel without this file: progress then shows stored bytes only
    }
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/dump-encoding.js

/** Beyond ASCII. In a database of SQL_ASCII each byte counts as a character. */
const OTHER = String.raw `'[^\x01-\x7f]'`;
/**
 * The encoding of a dump: the database's own, since a conversion fails at the first character the other one lacks,
 * and takes its time. Where names are more than ASCII it is UTF8 still, as the command line and lists of an archive are;
 * only in SQL_ASCII there is nothing that could be converted.
 */
async function readDumpEncoding(session, own) {
    if (own === 'SQL_ASCII' || own === 'UTF8')
        return own;
    const names = { pg_class: 'relname', pg_namespace: 'nspname', pg_roles: 'rolname', pg_constraint: 'conname' };
    const others = Object.entries(names).map(([catalog, name]) => `EXISTS (SELECT FROM pg_catalog.${catalog} WHERE ${identifier(name)}::text ~ ${OTHER})`);
    const { isAscii } = await session.one(`SELECT NOT (${others.join(' OR ')}) AS "isAscii"`);
    return isAscii ? own : 'UTF8';
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/dump-globals.js




/**
 * Roles, memberships and tablespaces as SQL. Without superuser pg_dumpall may be denied something even
 * with `--no-role-passwords`; then the text is built from what every role may read, and the finding says so.
 *
 * @returns `text` for psql, and whether pg_dumpall wrote it
 */
async function readGlobals(client, session, given) {
    const { database } = await session.one('SELECT current_database() AS database');
    const passwords = given.rolePasswords ? [] : ['--no-role-passwords'];
    const args = ['--globals-only', ...passwords, '-w', '-l', database, '-d', client.target.dsn(given)];
    try {
        const text = await (0,sys_process/* runText */.le)(client.command('pg_dumpall', args, { LC_ALL: 'C' }), { signal: given.signal });
        return { text, findings: [(0,report/* finding */.gk)('globals-dumped', 'pass', 'Roles and memberships were dumped by pg_dumpall.')] };
    }
    catch (error) {
        // Passwords were asked for: roles without them would be a quiet loss.
        if (!(error instanceof core_failure/* Failure */.H) || error.code !== 'tool-failed' || given.rolePasswords)
            throw error;
        const why = `pg_dumpall was refused (${error.message.split('\n')[0]})`;
        const message = `${why}; roles were written from pg_roles, without tablespaces.`;
        return { text: await rolesAsSql(session), findings: [(0,report/* finding */.gk)('globals-dumped', 'warn', message)] };
    }
}
async function rolesAsSql(session) {
    const roles = await session.query(`
    SELECT r.rolname AS name, r.rolconnlimit AS limit, concat_ws(' ',
        CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END, CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
        CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
        CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
        CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END) AS words,
      (SELECT jsonb_agg(jsonb_build_object('role', pg_get_userbyid(m.roleid), 'admin', m.admin_option) ORDER BY 1)
        FROM pg_catalog.pg_auth_members m WHERE m.member = r.oid) AS "memberOf",
      r.rolconfig AS settings
    FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY r.rolname`);
    const created = roles.flatMap((role) => {
        const name = identifier(role.name);
        return [
            `CREATE ROLE ${name};`,
            `ALTER ROLE ${name} WITH ${role.words} CONNECTION LIMIT ${role.limit};`,
            ...(role.settings ?? []).map((entry) => settingOf(name, entry)),
        ];
    });
    const granted = roles.flatMap((role) => (role.memberOf ?? []).map((one) => `GRANT ${identifier(one.role)} TO ${identifier(role.name)}${one.admin ? ' WITH ADMIN OPTION' : ''};`));
    return `${[...created, ...granted].join('\n')}\n`;
}
/** Settings that hold a list must not be quoted as one word (as pg_dumpall does it). */
const dump_globals_LISTS = new Set([
    'search_path',
    'temp_tablespaces',
    'session_preload_libraries',
    'local_preload_libraries',
    'datestyle',
]);
function settingOf(role, entry) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, at);
    const value = entry.slice(at + 1);
    const written = dump_globals_LISTS.has(name.toLowerCase()) ? value : literal(value);
    return `ALTER ROLE ${role} SET ${identifier(name)} TO ${written === '' ? "''" : written};`;
}

// EXTERNAL MODULE: ./lib/core/backup-report.js
var backup_report = __webpack_require__(4348);
;// CONCATENATED MODULE: ./lib/engines/postgresql/examine-rights.js



/** Names shown of a list; the number says how many there are. */
const MOST_NAMES = 5;
// No `has_largeobject_privilege` before 18.
const UNREADABLE = `
  SELECT
    (SELECT count(*)::int4 FROM pg_catalog.pg_largeobject_metadata AS l
      WHERE NOT pg_has_role(l.lomowner, 'USAGE') AND current_setting('lo_compat_privileges') <> 'on'
        AND NOT EXISTS (SELECT FROM aclexplode(l.lomacl) AS a WHERE a.privilege_type = 'SELECT'
          AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))) AS "largeObjects",
    (SELECT count(*)::int4 FROM pg_catalog.pg_largeobject_metadata) AS "allLargeObjects",
    (SELECT coalesce(jsonb_agg(name), '[]') FROM (SELECT format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e'
          AND d.classid = 'pg_catalog.pg_class'::regclass)
        AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
      ORDER BY 1) AS s) AS sequences,
    (SELECT coalesce(jsonb_agg(name), '[]') FROM unnest('{pg_roles,pg_auth_members,pg_db_role_setting,pg_tablespace}'::text[]) AS name
      WHERE NOT has_table_privilege('pg_catalog.' || name, 'SELECT')) AS globals,
    has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS "identifies"`;
/** Judges whether this role may read all that a full backup reads; a finding for each kind of thing. */
async function examineRights(session, role) {
    const who = identifier(role);
    const relations = (await listRelations(session)).filter(({ extension, configuration, kind }) => {
        return (extension === null || configuration) && kind !== 'f';
    });
    const found = await session.one(UNREADABLE);
    const closed = relations.filter(({ canSelect }) => !canSelect).map(({ name }) => name);
    const hidden = relations.filter(({ rowsHidden }) => rowsHidden).map(({ name }) => name);
    const readAll = `\`GRANT pg_read_all_data TO ${who};\` in psql, as a superuser`;
    const say = (missing, good, bad, hint) => (0,report/* finding */.gk)('database-access', missing ? 'fail' : 'pass', missing ? bad : good, missing ? { hint } : {});
    return [
        say(closed.length > 0, `${role} may read all ${relations.length} tables and materialized views.`, `${role} may not read ${examine_rights_named(closed, 'table')}.`, readAll),
        say(hidden.length > 0, 'Row security hides no rows.', `Row security hides rows of ${examine_rights_named(hidden, 'table')}.`, `\`ALTER ROLE ${who} BYPASSRLS;\` in psql, as a superuser`),
        say(found.sequences.length > 0, `${role} may read every sequence.`, `${role} may not read ${examine_rights_named(found.sequences, 'sequence')}.`, readAll),
        judgeLargeObjects(found, role, say),
        say(found.globals.length > 0, `${role} may read roles, memberships and tablespaces.`, `${role} may not read ${found.globals.join(', ')}, so no roles can be dumped.`, found.globals.map((name) => `\`GRANT SELECT ON pg_catalog.${name} TO ${who};\``).join(' ')),
        ...judgeIdentity(found, who),
    ];
}
function judgeLargeObjects(found, role, say) {
    const all = found.allLargeObjects;
    return say(found.largeObjects > 0, all === 0 ? 'There are no large objects.' : `${role} may read all ${all} large objects.`, `${role} may not read ${found.largeObjects} of ${all} large objects.`, 'Run the block for large objects (README, "The database role"), again whenever new ones came; `lifeboat init` writes it.');
}
/** By it a drill and a restore tell whom they must not touch. */
function judgeIdentity({ identifies }, who) {
    if (identifies)
        return [];
    const hint = `\`GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO ${who};\` in psql, as a superuser`;
    return [(0,report/* finding */.gk)('database-access', 'warn', 'The system identifier of the server may not be read.', { hint })];
}
function examine_rights_named(names, what) {
    const shown = names.slice(0, MOST_NAMES).join(', ');
    const more = names.length > MOST_NAMES ? ' and others' : '';
    return `${names.length} ${what}${names.length === 1 ? '' : 's'} (${shown}${more})`;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/examine.js











/** A backup holds so many while it runs. */
const CONNECTIONS = 4;
/** Looks at programs, database and isolation without changing anything; what stands in the way is a finding. */
async function examine(request, context) {
    const { findings, major } = await examineDatabase(request, context);
    return [
        ...findings,
        ...(await examinePrograms(request, context, major)),
        ...(await examineDrills(request, context, major)),
    ];
}
async function examineDatabase(request, context) {
    const { url, signal } = request;
    if (url === undefined)
        return { findings: [], major: undefined };
    const connection = { ...request.programs, url };
    const result = await attempt('database-access', signal, async () => {
        const session = await context.connections.open(await anyClient(connection, context.env), { applicationName: 'lifeboat doctor', signal }, signal);
        try {
            return await lookAt(session, context);
        }
        finally {
            await session.close();
        }
    });
    return Array.isArray(result) ? { findings: result, major: undefined } : result;
}
async function lookAt(session, context) {
    const asked = context.now().getTime();
    const { at } = await session.one('SELECT extract(epoch FROM clock_timestamp())::float8 AS at');
    const middle = (asked + context.now().getTime()) / 2;
    const { server } = await readServerInfo(session);
    const role = await session.one(`
    SELECT rolname AS name, rolsuper AS superuser, rolconnlimit AS limit,
      (SELECT coalesce(jsonb_agg(one), '[]') FROM pg_catalog.pg_db_role_setting AS s
        JOIN pg_catalog.pg_database AS d ON d.datname = current_database(), unnest(s.setconfig) AS one
        WHERE s.setrole IN (0, r.oid) AND s.setdatabase IN (0, d.oid)) AS settings
    FROM pg_catalog.pg_roles AS r WHERE rolname = current_user`);
    const where = `${server.database} on ${server.host}`;
    const reached = `PostgreSQL ${server.version} answers for ${where} as ${role.name}${server.standby ? '; it is a standby' : ''}.`;
    return {
        major: server.major,
        findings: [
            (0,report/* finding */.gk)('database-access', 'pass', reached),
            ...(await examineRights(session, role.name)),
            ...judgeRole(role),
            ...(await judgeSlots(session)),
            (0,backup_report/* judgeClock */.M)(Math.round(at - middle / 1_000)),
        ],
    };
}
/** Whatever they are, sessions of ours set them aside; it is said so that nobody looks for the cause in them. */
const SET_ASIDE = /^(statement_timeout|lock_timeout|idle_\w+_timeout|transaction_timeout|search_path|row_security)=/;
function judgeRole({ name, superuser, limit, settings }) {
    const who = identifier(name);
    const aside = settings.filter((one) => SET_ASIDE.test(one));
    return [
        ...(superuser
            ? [
                (0,report/* finding */.gk)('database-settings', 'warn', `${name} is a superuser: whoever gets hold of this URL owns the server.`, {
                    hint: 'Give backups a role that may only read: `lifeboat init` writes its SQL (README, "The database role").',
                }),
            ]
            : []),
        ...(limit >= 0 && limit < CONNECTIONS
            ? [
                (0,report/* finding */.gk)('database-settings', 'fail', `${name} may hold ${limit} connections; a backup needs ${CONNECTIONS}.`, {
                    hint: `\`ALTER ROLE ${who} CONNECTION LIMIT ${CONNECTIONS};\` in psql, as a superuser`,
                }),
            ]
            : []),
        (0,report/* finding */.gk)('database-settings', 'pass', aside.length === 0
            ? `No time-out is set for ${name}.`
            : `${aside.join(', ')} of ${name} or the database do not hold for backups, which set them aside.`),
    ];
}
/** One that nobody reads keeps WAL until the disk is full, and then there is no server to back up. */
async function judgeSlots(session) {
    const slots = await session.query(`
    SELECT slot_name AS name, CASE WHEN NOT pg_is_in_recovery()
        THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 END AS bytes
    FROM pg_catalog.pg_replication_slots WHERE NOT active ORDER BY 1`);
    return slots.map(({ name, bytes }) => {
        const size = bytes === null ? '' : ` It holds back ${(0,core_size/* formatBytes */.z)(Math.max(0, bytes))} of WAL so far.`;
        return (0,report/* finding */.gk)('database-settings', 'warn', `Nobody reads the replication slot ${name}.${size}`, {
            hint: `Connect its consumer again, or \`SELECT pg_drop_replication_slot(${literal(name)});\``,
        });
    });
}
async function examinePrograms(request, { env }, major) {
    const { programs, url = '', signal } = request;
    const connection = { ...programs, url };
    if (major === undefined)
        return programs.toolsPrefix === undefined ? listClients(request, env) : [];
    const findings = [];
    for (const program of ['pg_dump', 'pg_dumpall', 'pg_restore', 'psql']) {
        const found = await attempt('runner-program', signal, async () => {
            await clientForMajor(connection, env, { major, program, allowNewer: program === 'psql' });
            return [
                (0,report/* finding */.gk)('runner-program', 'pass', `${program} ${program === 'psql' ? 'for' : 'of'} PostgreSQL ${major} is here.`),
            ];
        });
        findings.push(...found);
    }
    return findings;
}
/** Without a server nobody knows which major is wanted. */
async function listClients({ programs, signal }, env) {
    return attempt('runner-program', signal, async () => {
        const majors = (await findInstallations(env, programs.binDir, 'pg_dump')).map((one) => one.major);
        if (majors.length > 0)
            return [(0,report/* finding */.gk)('runner-program', 'pass', `pg_dump of PostgreSQL ${majors.join(', ')} is here.`)];
        return [
            (0,report/* finding */.gk)('runner-program', 'warn', 'There is no pg_dump on this runner; only backups need it.', {
                hint: '`sudo apt-get install --no-install-recommends postgresql-client`',
            }),
        ];
    });
}
/** Server programs, and how far this machine isolates them: only drills need them, so what is missing warns. */
async function examineDrills(request, { env }, major) {
    const { programs, scratchDir, signal } = request;
    const lenient = (findings) => findings.map((one) => (one.status === 'fail' ? { ...one, status: 'warn' } : one));
    const found = await attempt('scratch-server', signal, async () => {
        const [newest] = await findInstallations(env, programs.binDir, 'postgres');
        const server = major === undefined ? newest : await findServer(env, programs.binDir, major);
        if (server === undefined)
            throw noServer();
        const own = (0,external_node_fs_.existsSync)(scratchDir) ? scratchDir : '/var/tmp';
        const { notIsolated } = await planIsolation(env, { own, programs: server.folder });
        const text = "A scratch server gets no network, and sees no other process and none of the runner's files.";
        return [
            (0,report/* finding */.gk)('scratch-server', 'pass', `Server programs of PostgreSQL ${server.major} are here, for drills.`),
            notIsolated.length === 0
                ? (0,report/* finding */.gk)('scratch-isolation', 'pass', text)
                : (0,report/* finding */.gk)('scratch-isolation', 'warn', notIsolated.join(' '), {
                    hint: 'Install util-linux, and allow unprivileged user namespaces: `sysctl kernel.unprivileged_userns_clone=1` on Debian, `sysctl kernel.apparmor_restrict_unprivileged_userns=0` on Ubuntu.',
                }),
        ];
    });
    return lenient(found);
}
function noServer() {
    return new core_failure/* Failure */.H('tool-missing', 'There are no server programs of PostgreSQL here; only drills need them.', {
        hint: '`sudo apt-get install --no-install-recommends postgresql`, with create_main_cluster = false in /etc/postgresql-common/createcluster.conf',
    });
}
/** What fails becomes a finding: the other checks still tell something. */
async function attempt(rule, signal, look) {
    try {
        return await look();
    }
    catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof core_failure/* Failure */.H))
            throw error;
        const { message, hint } = error;
        return [(0,report/* finding */.gk)(rule, 'fail', message.trim(), hint === undefined ? {} : { hint })];
    }
}
/** Runs statements in one session, in their order. */
async function administer(connection, statements, context, signal) {
    const client = await anyClient(connection, context.env);
    const session = await context.connections.open(client, { applicationName: 'lifeboat init', signal }, signal);
    try {
        for (const statement of statements)
            await session.execute(statement.replace(/;\s*$/, ''));
    }
    finally {
        await session.close();
    }
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/left-out.js

/** What this backup does not hold, and why: said in the manifest, so that nobody is surprised by a restore. */
async function listLeftOut(session, request, given) {
    const counts = await session.one(`SELECT
    (SELECT count(*) FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
      WHERE d.datname = current_database())::int4 AS subscriptions,
    (SELECT count(*) FROM pg_catalog.pg_foreign_table)::int4 AS "foreignTables",
    (SELECT count(*) FROM pg_catalog.pg_user_mappings WHERE umoptions IS NULL)::int4 AS "closedMappings",
    (SELECT count(*) FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_')::int4 AS tablespaces`);
    const { selected } = given;
    const out = [];
    const say = (when, what, why) => when && out.push({ what, why });
    say(selected.excluded.length > 0, `${selected.excluded.length} tables`, 'exclude-tables');
    say(request.excludeTableData.length > 0, `rows of ${selected.withoutRows.length} tables`, 'exclude-table-data');
    say(request.scope === 'tables', `rows of ${selected.withoutRows.length} other tables, large objects`, 'tables');
    say(request.scope === 'schema', 'all rows', 'schema-only');
    say(counts.subscriptions > 0 && !given.superuser, `${counts.subscriptions} subscriptions`, 'only a superuser can dump them');
    say(counts.foreignTables > 0, `rows of ${counts.foreignTables} foreign tables`, 'they live on another server');
    // pg_dump writes those it may not see without their options, and says nothing.
    say(counts.closedMappings > 0 && !given.superuser, `user names and passwords of ${counts.closedMappings} user mappings`, 'only a superuser or the owner of the foreign server can dump them');
    say(given.standby && given.unlogged, 'rows of unlogged tables', 'a standby has none');
    say(!request.rolePasswords, 'passwords of roles', 'role-passwords is false');
    say(counts.tablespaces > 0, 'files of tablespaces', 'a logical backup restores into the default tablespace');
    return out;
}
/**
 * A view over, or a child of, a table that is not dumped would break the restore: refused before
 * anything is written.
 */
async function refuseDependents(session, excluded) {
    if (excluded.length === 0)
        return;
    const oids = excluded.map((one) => one.oid).join(', ');
    const dependents = await session.query(`
    SELECT DISTINCT c.oid::regclass::text AS name FROM (
      SELECT r.ev_class AS oid FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
        WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid IN (${oids})
      UNION SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent IN (${oids})) AS c
    WHERE c.oid NOT IN (${oids}) ORDER BY 1`);
    if (dependents.length === 0)
        return;
    const names = dependents.map((one) => one.name).join(', ');
    throw new core_failure/* Failure */.H('invalid-input', `\`exclude-tables\` leaves out tables that others are built on: ${names}. Such a backup cannot be restored.`, {
        hint: 'Leave those out too, or keep the definition and drop only the rows with `exclude-table-data`.',
    });
}

// EXTERNAL MODULE: ./lib/core/table-choice.js
var table_choice = __webpack_require__(7423);
;// CONCATENATED MODULE: ./lib/engines/postgresql/load-across.js





/**
 * Writes a schema of the scratch server into the target, in one transaction: no statement of it is undone alone.
 *
 * @param exists the schema is there, empty
 */
async function copySchema(crossing, schema, exists) {
    const dump = ['--schema', identifier(schema), '--no-publications', '--no-subscriptions', '--no-security-labels'];
    await cross(crossing, dump, exists ? ['--schema', schema] : [], {});
}
/**
 * Writes rows into the target's tables, and sets their sequences, in one transaction.
 *
 * @param given `without`: sequences that are left as they are; `rest`: triggers and foreign keys can be put to rest
 */
async function copyRows(crossing, given) {
    const wanted = [...given.tables, ...given.sequences].flatMap((name) => ['--table', load_across_exactPattern(name)]);
    const env = given.rest ? { session_replication_role: 'replica' } : {};
    const left = given.without.flatMap((name) => ['--exclude-table-data', load_across_exactPattern(name)]);
    await cross(crossing, ['--data-only', ...wanted, ...left], ['--data-only'], env);
}
/** Every part quoted: a name that needs none may still mean something to a pattern. */
function load_across_exactPattern(name) {
    const parts = name.match(/"(?:[^"]|"")*"|[^".]+/gsu) ?? [];
    return parts.map((part) => (part.startsWith('"') ? part : identifier(part))).join('.');
}
const LANGUAGE = { LC_ALL: 'C' };
async function cross(crossing, dump, restore, settings) {
    const { from, to, role, env, signal } = crossing;
    const source = from.client.target.dsn({ applicationName: 'lifeboat', database: from.database });
    const client = await restoringClient(to, settings, env);
    const target = client.target.dsn({ applicationName: 'lifeboat', database: to.database });
    const always = ['--exit-on-error', '--single-transaction', '--no-owner', '--no-privileges', '--no-tablespaces'];
    // Its bytes may be no UTF-8; of the others the target takes what UTF8 holds.
    const encoding = from.encoding === 'SQL_ASCII' ? ['--encoding=SQL_ASCII'] : [];
    const asRole = role === undefined ? [] : [`--role=${role}`];
    const commands = [
        from.client.command('pg_dump', ['-Fc', '-Z0', '--no-password', ...encoding, ...dump, '-d', source], LANGUAGE),
        client.command('pg_restore', [...always, '--no-password', ...asRole, ...restore, '-d', target], LANGUAGE),
    ];
    const pipe = (0,sys_process/* startPipeline */.lq)(commands, 'none', signal);
    pipe.stdout.resume();
    await settle(pipe, to.client.target.label);
}
/** Of the target's major, or as near above it as there is. */
async function restoringClient(to, settings, env) {
    const options = { ...unhindered(to.major), ...settings };
    if (to.connection.toolsPrefix !== undefined)
        return clientIn(to.connection, env, undefined, options);
    return clientForMajor(to.connection, env, { major: to.major, program: 'pg_restore', allowNewer: true, options });
}
async function settle(pipe, where) {
    try {
        await pipe.done;
    }
    catch (error) {
        if (!(error instanceof core_failure/* Failure */.H) || error.code !== 'tool-failed')
            throw error;
        throw new core_failure/* Failure */.H('tool-failed', `Nothing was written into ${where}: ${error.message}`, {
            cause: error,
            hint: 'It was one transaction, and it was taken back. Mend what the message says, and restore again.',
        });
    }
    finally {
        await pipe.end();
    }
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/load-choosable.js

/** Which tables there are the definitions tell, and whose rows: the facts, or where there are none the archives. */
async function listChoosable(session, facts, restored) {
    const counted = new Set(facts?.tables.map(({ name }) => name));
    const holdsRows = (name) => (facts === undefined ? restored.holdsRows(name) : counted.has(name));
    const relations = await listRelations(session);
    const names = new Map(relations.map(({ oid, name }) => [oid, name]));
    const kinds = { r: 'table', p: 'partitioned table', m: 'materialized view', f: 'foreign table' };
    const views = await session.query(`SELECT format('%I.%I', schemaname, viewname) AS name, schemaname AS schema, viewname AS table
     FROM pg_catalog.pg_views WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'`);
    return [
        ...relations.map(({ schema, relname, name, kind, partitionOf, extension }) => ({
            ...{ schema, table: relname, name, extension, kind: kinds[kind] },
            partitionOf: partitionOf === null ? null : (names.get(partitionOf) ?? null),
            holdsRows: kind === 'r' && holdsRows(name),
        })),
        ...views.map((view) => ({
            ...view,
            ...{ kind: 'view', partitionOf: null, holdsRows: false, extension: null },
        })),
    ];
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/load-counts.js



function expectedOf({ facts }, name) {
    return facts?.tables.find((one) => one.name === name);
}
function isSame(expected, found) {
    const isComparable = expected.fingerprint !== undefined && found.fingerprint !== undefined;
    return expected.rows === found.rows && (!isComparable || expected.fingerprint === found.fingerprint);
}
/** By the names given, whatever the order. */
async function countIn(session, names, { facts }) {
    await session.execute(`SET lc_monetary = 'C'`);
    const oids = names.map((name) => `(${literal(name)}, ${literal(name)}::regclass::oid::int8)`);
    const rows = await session.query(`SELECT v.name, v.oid FROM (VALUES ${oids.join(', ')}) AS v (name, oid)`);
    const tables = rows.map(({ name, oid }) => ({ oid, name, schema: '', relname: '', condition: null }));
    return readTables(session, { level: facts?.level === 'fingerprints' ? 'fingerprints' : 'counts', tables });
}
/** What is written is written: one that cannot be counted is said, and not taken for a failure to write. */
async function countArrived(session, names, request) {
    return countIn(session, names, request).catch((error) => {
        if (!(error instanceof core_failure/* Failure */.H))
            throw error;
        const message = `The tables were written into the target, but could not be counted there: ${error.message}`;
        throw new core_failure/* Failure */.H(error.code, message, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) });
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/load-move.js


/** Name of a table after it was moved, its own part as the server wrote it. */
function movedName(name, schema) {
    const [table = ''] = /(?:"(?:[^"]|"")*"|[^".]+)$/su.exec(name) ?? [];
    return `${identifier(schema)}.${table}`;
}
/**
 * Moves the tables, in the scratch server, into a schema of their own: with indexes, keys, checks and the sequences
 * of their columns, and without what ties them to tables that stay.
 *
 * @returns what was left out, a sentence each
 * @throws {Failure} `guard-refused` when two things would have one name there
 */
async function moveTables(session, choice, schema) {
    const oids = `ARRAY[${choice.all.map((name) => `${literal(name)}::regclass::oid`).join(', ')}]`;
    const loose = await session.query(cutLoose(oids));
    const sequences = await session.query(sharedSequences(oids));
    const statements = [
        `CREATE SCHEMA ${identifier(schema)}`,
        ...loose.map(({ sql }) => sql),
        ...choice.all.map((name) => `ALTER TABLE ${name} SET SCHEMA ${identifier(schema)}`),
        ...sequences.flatMap(({ name }) => [
            `ALTER SEQUENCE ${name} OWNED BY NONE`,
            `ALTER SEQUENCE ${name} SET SCHEMA ${identifier(schema)}`,
        ]),
    ];
    for (const statement of statements)
        await session.execute(statement).catch((error) => throwMove(error));
    return loose.map(({ left }) => left).filter((left) => left !== '');
}
function throwMove(error) {
    if (!(error instanceof core_failure/* Failure */.H) || !/already exists in schema/.test(error.message))
        throw error;
    throw new core_failure/* Failure */.H('guard-refused', `Two of these tables cannot stand in one schema: ${error.message.trim()}`, {
        cause: error,
        hint: 'Nothing was written. Restore them one by one, each with an `into-schema` of its own.',
    });
}
/** Partitions of parents that stay, children of parents that stay, foreign keys into tables that stay. */
function cutLoose(oids) {
    const name = (oid) => `(SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${oid})`;
    return `
    SELECT CASE WHEN child.relispartition THEN format('ALTER TABLE %s DETACH PARTITION %s', ${name('i.inhparent')}, ${name('i.inhrelid')})
        ELSE format('ALTER TABLE %s NO INHERIT %s', ${name('i.inhrelid')}, ${name('i.inhparent')}) END AS sql,
      format('%s is a table of its own there, without %s', ${name('i.inhrelid')}, ${name('i.inhparent')}) AS left
    FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class child ON child.oid = i.inhrelid AND child.relkind IN ('r', 'p')
    WHERE i.inhrelid = ANY (${oids}) AND NOT i.inhparent = ANY (${oids})
    UNION ALL
    SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', ${name('k.conrelid')}, k.conname),
      format('foreign key %s %I (into %s)', ${name('k.conrelid')}, k.conname, ${name('k.confrelid')})
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY (${oids}) AND NOT k.confrelid = ANY (${oids})`;
}
/** Sequences that a default takes its values from and that belong to no column which moves. */
function sharedSequences(oids) {
    return `
    SELECT DISTINCT format('%I.%I', n.nspname, s.relname) AS name
    FROM pg_catalog.pg_attrdef a
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = a.oid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
    JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
    WHERE a.adrelid = ANY (${oids}) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o
      WHERE o.classid = 'pg_catalog.pg_class'::regclass AND o.objid = s.oid AND o.deptype IN ('a', 'i')
        AND o.refclassid = 'pg_catalog.pg_class'::regclass AND o.refobjid = ANY (${oids}))`;
}
/**
 * What the tables use and what does not come along with them: types, functions, operators, collations, access
 * methods, parents.
 */
async function readNeeded(session, choice) {
    const oids = `ARRAY[${choice.all.map((name) => `${literal(name)}::regclass::oid`).join(', ')}]`;
    return session.query(`
    WITH own (classid, objid) AS (
      SELECT 'pg_catalog.pg_class'::regclass, unnest(${oids})
      UNION SELECT 'pg_catalog.pg_class'::regclass, i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = ANY (${oids})
      UNION SELECT 'pg_catalog.pg_attrdef'::regclass, a.oid FROM pg_catalog.pg_attrdef a WHERE a.adrelid = ANY (${oids})
      UNION SELECT 'pg_catalog.pg_constraint'::regclass, k.oid FROM pg_catalog.pg_constraint k
        WHERE k.conrelid = ANY (${oids}) AND k.contype <> 'f'
      UNION SELECT 'pg_catalog.pg_type'::regclass, t.oid FROM pg_catalog.pg_type t
        WHERE t.typrelid = ANY (${oids}) OR t.typelem IN (SELECT r.reltype FROM pg_catalog.pg_class r WHERE r.oid = ANY (${oids}))),
    used AS (
      SELECT DISTINCT d.refclassid, d.refobjid FROM own JOIN pg_catalog.pg_depend d USING (classid, objid)
      WHERE d.refclassid = ANY ('{pg_type,pg_proc,pg_operator,pg_opclass,pg_opfamily,pg_collation,pg_am,pg_ts_config,pg_ts_dict,pg_language}'::regclass[])
      EXCEPT SELECT classid, objid FROM own)
    SELECT a.type, i.identity, a.object_names AS names, a.object_args AS args
    FROM used u, pg_catalog.pg_identify_object_as_address(u.refclassid, u.refobjid, 0) AS a,
      pg_catalog.pg_identify_object(u.refclassid, u.refobjid, 0) AS i
    ORDER BY 1, 2`);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/table-shapes.js

const SHAPE = `
  SELECT c.oid::int8 AS oid, format('%I.%I', n.nspname, c.relname) AS name, c.relkind = 'p' AS partitioned,
    coalesce((SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'notNull', a.attnotnull, 'generated', a.attgenerated <> '', 'identity', a.attidentity <> '',
        'hasDefault', a.atthasdef) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns,
    coalesce((SELECT jsonb_agg(a.attname ORDER BY k.at)
      FROM pg_catalog.pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, at), pg_catalog.pg_attribute a
      WHERE i.indrelid = c.oid AND i.indisprimary AND k.at <= i.indnkeyatts
        AND a.attrelid = c.oid AND a.attnum = k.attnum), '[]') AS key,
    coalesce((SELECT jsonb_agg(jsonb_build_object('column', a.attname, 'sequence', format('%I.%I', sn.nspname, s.relname),
        'ascending', q.seqincrement > 0) ORDER BY s.oid)
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
      JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
      JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
        AND d.refobjid = c.oid AND d.deptype IN ('a', 'i')), '[]') AS sequences,
    coalesce((SELECT jsonb_agg(DISTINCT format('%I.%I', rn.nspname, r.relname))
      FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
      JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
      WHERE k.conrelid = c.oid AND k.contype = 'f'), '[]') AS references
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p')`;
/** Shapes of tables by their names as facts write them; one that is not there is missing from the answer. */
async function readShapes(session, names) {
    const oids = names.map((name) => `to_regclass(${literal(name)})::oid`).join(', ');
    const rows = await session.query(`${SHAPE} AND c.oid = ANY (ARRAY[${oids}]::oid[]) ORDER BY 2`);
    return new Map(rows.map((row) => [row.name, row]));
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/load-target.js



const load_target_MOST_NAMED = 20;
/**
 * Refuses a schema that holds something, before anything is restored.
 *
 * @returns whether it is there, empty
 * @throws {Failure} `guard-refused`
 */
async function checkSchema({ session, database }, schema, role) {
    const who = role === undefined ? 'current_user' : literal(role);
    if (role !== undefined)
        await refuseRole(session, role);
    const state = await session.one(`
    SELECT n.oid IS NOT NULL AS exists,
      EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = n.oid) AS used,
      CASE WHEN n.oid IS NULL THEN has_database_privilege(${who}, current_database(), 'CREATE')
        ELSE has_schema_privilege(${who}, n.oid, 'CREATE') END AS "mayCreate"
    FROM (SELECT ${literal(schema)}::text AS wanted) w LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.wanted`);
    if (state.used)
        throw new core_failure/* Failure */.H('guard-refused', `The schema ${schema} of ${database} is there and is not empty.`, {
            hint: `Name with \`into-schema\` one that does not exist, or drop it when nothing in it is needed: DROP SCHEMA ${identifier(schema)} CASCADE.`,
        });
    if (!state.mayCreate)
        throw new core_failure/* Failure */.H('guard-refused', `${role ?? 'The user of `target-url`'} may not create anything in ${database} for it.`, {
            hint: `GRANT CREATE ON ${state.exists ? `SCHEMA ${identifier(schema)}` : `DATABASE ${identifier(database)}`} TO ${role === undefined ? 'that user' : identifier(role)}, or use another one.`,
        });
    return state.exists;
}
async function refuseRole(session, role) {
    const known = await session.query(`SELECT pg_has_role(oid, 'MEMBER') AS member FROM pg_catalog.pg_roles WHERE rolname = ${literal(role)}`);
    if (known[0]?.member === true)
        return;
    const why = known.length === 0 ? 'there is no such role in the target' : 'the user of `target-url` is no member of it';
    throw new core_failure/* Failure */.H('guard-refused', `\`role\` cannot be ${role}: ${why}.`, {
        hint: 'Nothing was written. Name a role that the user of `target-url` may become (SET ROLE), or leave it out.',
    });
}
/**
 * Refuses to begin where types, functions and the like are missing that the tables are made of.
 *
 * @throws {Failure} `guard-refused`, naming each
 */
async function refuseMissing({ session, database }, needed) {
    const missing = [];
    for (const one of needed)
        if (!(await isThere(session, one)))
            missing.push(`${one.type} ${one.identity}`);
    if (missing.length === 0)
        return;
    throw new core_failure/* Failure */.H('guard-refused', `The tables need what ${database} does not have: ${load_target_named(missing)}.`, {
        hint: 'Nothing was written. Create these there first (an extension brings its own), or restore the backup into a new database: leave `into-schema` out.',
    });
}
async function isThere(session, { type, names, args }) {
    const array = (words) => `ARRAY[${words.map(literal).join(', ')}]::text[]`;
    const sql = `SELECT (pg_catalog.pg_get_object_address(${literal(type)}, ${array(names)}, ${array(args)})).objid > 0 AS there`;
    try {
        return (await session.one(sql)).there;
    }
    catch (error) {
        if (error instanceof core_failure/* Failure */.H && error.code === 'tool-failed')
            return false;
        throw error;
    }
}
/**
 * Refuses live tables that cannot take the rows as they are.
 *
 * @param shapes of the tables in the backup
 * @throws {Failure} `guard-refused`, naming every table and what is wrong with it
 */
async function checkTables(target, choice, shapes) {
    const { session, database } = target;
    const live = await readShapes(session, choice.leaves);
    const wrong = choice.leaves.flatMap((name) => {
        const [shape, there] = [shapes.get(name), live.get(name)];
        const why = shape === undefined ? undefined : there === undefined ? 'is missing' : differs(shape, there);
        return why === undefined ? [] : [`${name} ${why}`];
    });
    const filled = await filledOf(session, [...live.keys()]);
    wrong.push(...filled.map((name) => `${name} holds rows`));
    if (wrong.length === 0)
        return;
    throw new core_failure/* Failure */.H('guard-refused', `Rows cannot be put into the tables of ${database}: ${load_target_named(wrong)}.`, {
        hint: 'Nothing was written. Tables must be there, empty, with the columns of the backup: restore them beside the live ones with `tables` and `into-schema` instead, or make a new database with `schema-only`.',
    });
}
function differs(shape, live) {
    const there = new Map(live.columns.map((column) => [column.name, column]));
    const needed = shape.columns.filter(({ generated }) => !generated);
    const missing = needed.filter(({ name }) => !there.has(name)).map(({ name }) => name);
    const other = needed.filter(({ name, type }) => there.has(name) && there.get(name)?.type !== type);
    const computed = needed.filter(({ name }) => there.get(name)?.generated).map(({ name }) => name);
    const unfilled = live.columns.filter((one) => !needed.some(({ name }) => name === one.name) &&
        one.notNull &&
        !one.hasDefault &&
        !one.identity &&
        !one.generated);
    const parts = [
        ...(missing.length === 0 ? [] : [`has no column ${missing.join(', ')}`]),
        ...other.map(({ name, type }) => `has ${name} as ${there.get(name)?.type}, not ${type}`),
        ...(computed.length === 0 ? [] : [`computes ${computed.join(', ')} itself`]),
        ...(unfilled.length === 0 ? [] : [`demands a value for ${unfilled.map(({ name }) => name).join(', ')}`]),
    ];
    return parts.length === 0 ? undefined : parts.join(' and ');
}
/** Tables in one statement. */
const load_target_BATCH = 200;
async function filledOf(session, names) {
    const filled = [];
    for (let from = 0; from < names.length; from += load_target_BATCH) {
        const parts = names
            .slice(from, from + load_target_BATCH)
            .map((name) => `SELECT ${literal(name)} AS name WHERE EXISTS (SELECT FROM ONLY ${name})`);
        const rows = await session.query(parts.join(' UNION ALL '));
        filled.push(...rows.map(({ name }) => name));
    }
    return filled;
}
/**
 * How rows are written: with triggers and foreign keys at rest where we may, so that neither the order of tables
 * matters nor anything runs that ran when the rows were made.
 *
 * @returns whether they can be put to rest
 * @throws {Failure} `guard-refused` where they cannot, and triggers would run
 */
async function checkTriggers({ session, database }, leaves) {
    const mayRest = await session.execute('SET session_replication_role = replica').then(() => true, (error) => {
        if (error instanceof core_failure/* Failure */.H && error.code !== 'source-unreachable')
            return false;
        throw error;
    });
    if (mayRest)
        await session.execute('SET session_replication_role = origin');
    const oids = leaves.map((name) => `to_regclass(${literal(name)})::oid`).join(', ');
    const modes = mayRest ? "'A', 'R'" : "'O', 'A'";
    const triggers = await session.query(`
    SELECT format('%I on %s', t.tgname, t.tgrelid::regclass) AS name FROM pg_catalog.pg_trigger t
    WHERE NOT t.tgisinternal AND t.tgenabled IN (${modes}) AND t.tgtype & 4 > 0
      AND t.tgrelid = ANY (ARRAY[${oids}]::oid[]) ORDER BY 1`);
    if (triggers.length === 0)
        return mayRest;
    const why = mayRest
        ? 'they are enabled ALWAYS or for REPLICA'
        : 'the user of `target-url` may not set `session_replication_role`';
    throw new core_failure/* Failure */.H('guard-refused', `Triggers of ${database} would run on the rows, since ${why}: ${load_target_named(triggers.map(({ name }) => name))}.`, {
        hint: 'Nothing was written. Connect as a superuser (from 15 on also a role with GRANT SET ON PARAMETER session_replication_role), or disable these triggers: ALTER TABLE … DISABLE TRIGGER ….',
    });
}
/**
 * Publications that send on what is written: subscribers get rows of tables that they may not have.
 *
 * @param tables none: those of tables that are about to be made
 */
async function readPublications({ session }, tables) {
    const oids = tables.map((name) => `to_regclass(${literal(name)})::oid`).join(', ');
    const of = `EXISTS (SELECT FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname
    AND to_regclass(format('%I.%I', t.schemaname, t.tablename))::oid = ANY (ARRAY[${oids}]::oid[]))`;
    const found = await session.query(`SELECT p.pubname AS name FROM pg_catalog.pg_publication p
    WHERE p.puballtables OR ${of} ORDER BY 1`);
    if (found.length === 0)
        return [];
    return [`What was written goes to the subscribers of ${load_target_named(found.map(({ name }) => name))} too.`];
}
function load_target_named(list) {
    const more = list.length - load_target_MOST_NAMED;
    return list.slice(0, load_target_MOST_NAMED).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/load-rows.js


/**
 * Sequences of the tables, or all of them when all tables are loaded.
 *
 * @param restored session in the scratch server
 * @param live session in the target
 */
async function load_rows_readSequences(restored, live, given) {
    const found = given.all ? await allSequences(restored) : await sequencesOf(restored, given.leaves);
    const own = [];
    const shared = [];
    const missing = [];
    for (const name of found) {
        const { there } = await live.one(`SELECT to_regclass(${literal(name)}) IS NOT NULL AS there`);
        if (!there)
            missing.push(name);
        else if (await isShared(live, name, given.leaves))
            shared.push(await stateOf(restored, name));
        else
            own.push(name);
    }
    return { own, shared, missing };
}
async function allSequences(session) {
    const rows = await session.query(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid
        AND e.deptype = 'e') ORDER BY 1`);
    return rows.map(({ name }) => name);
}
/** Those that belong to columns of the tables, and those that their defaults take numbers from. */
async function sequencesOf(session, tables) {
    const oids = oidsOf(tables);
    const rows = await session.query(`
    SELECT format('%I.%I', n.nspname, s.relname) AS name FROM pg_catalog.pg_class s
    JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
    WHERE s.relkind = 'S' AND (
      EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = ANY (${oids}) AND d.deptype IN ('a', 'i'))
      OR EXISTS (${usersOf('s.oid')} AND a.adrelid = ANY (${oids}))) ORDER BY 1`);
    return rows.map(({ name }) => name);
}
/** A table that is not loaded and holds rows uses it. */
async function isShared(live, sequence, loaded) {
    const oid = `${literal(sequence)}::regclass::oid`;
    const users = await live.query(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND NOT c.oid = ANY (${oidsOf(loaded)}) AND EXISTS (${usersOf(oid)} AND a.adrelid = c.oid)`);
    return users.length > 0;
}
/** The first half of a query for defaults that call nextval on a sequence. */
function usersOf(sequence) {
    return `SELECT FROM pg_catalog.pg_attrdef a JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = a.oid
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = ${sequence}`;
}
function oidsOf(tables) {
    return `ARRAY[${tables.map((name) => `to_regclass(${literal(name)})::oid`).join(', ')}]::oid[]`;
}
async function stateOf(session, name) {
    return session.one(`
    SELECT ${literal(name)} AS name, last_value::text AS value, is_called AS "isCalled",
      (SELECT seqincrement > 0 FROM pg_catalog.pg_sequence WHERE seqrelid = ${literal(name)}::regclass) AS ascending
    FROM ${name}`);
}
async function setForward(live, sequences) {
    for (const { name, value, isCalled, ascending } of sequences) {
        const ahead = ascending ? '<' : '>';
        await live.query(`SELECT pg_catalog.setval(${literal(name)}, ${value}, ${isCalled}) AS set
      FROM ${name} WHERE last_value ${ahead} ${value}`);
    }
}
/** Foreign keys that were at rest while rows came, into tables that did not come with them. */
async function keysNotHeld(live, loaded) {
    const oids = oidsOf(loaded);
    const keys = await live.query(`
    SELECT format('%I', k.conname) AS name, format('%I.%I', n.nspname, c.relname) AS from,
      format('%s%I.%I', CASE WHEN r.relkind = 'p' THEN '' ELSE 'ONLY ' END, rn.nspname, r.relname) AS to,
      (SELECT jsonb_agg(format('%I', a.attname) ORDER BY u.at) FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, at)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum) AS columns,
      (SELECT jsonb_agg(format('%I', a.attname) ORDER BY u.at) FROM unnest(k.confkey) WITH ORDINALITY AS u (attnum, at)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum) AS referenced
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class r ON r.oid = k.confrelid JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
    WHERE k.contype = 'f' AND k.convalidated AND k.conrelid = ANY (${oids}) AND NOT k.confrelid = ANY (${oids})
    ORDER BY 2, 1`);
    const broken = [];
    for (const { name, from, to, columns, referenced } of keys) {
        const set = columns.map((column) => `l.${column} IS NOT NULL`).join(' AND ');
        const same = columns.map((column, at) => `r.${referenced[at]} = l.${column}`).join(' AND ');
        const { rows } = await live.one(`SELECT count(*) AS rows FROM ONLY ${from} AS l WHERE ${set} AND NOT EXISTS (SELECT FROM ${to} AS r WHERE ${same})`);
        if (rows > 0)
            broken.push(`${rows} rows of ${from} lead, by the foreign key ${name}, to rows that are not there.`);
    }
    return broken;
}
/** Materialized views hold what their tables held before. */
async function viewsToRefresh(live) {
    const views = await live.query(`SELECT format('%I.%I', schemaname, matviewname) AS name FROM pg_catalog.pg_matviews WHERE ispopulated ORDER BY 1`);
    if (views.length === 0)
        return [];
    return [
        `Materialized views were not refreshed: ${load_target_named(views.map(({ name }) => `REFRESH MATERIALIZED VIEW ${name}`))}.`,
    ];
}

// EXTERNAL MODULE: ./lib/core/table-name.js
var table_name = __webpack_require__(7887);
;// CONCATENATED MODULE: ./lib/engines/postgresql/visible-sql.js


/** Control and format characters, line ends of every kind among them: in a log or a table they would be gone. */
const HIDDEN = /[\p{C}\u2028\u2029]/u;
/** A quoted identifier that can be printed and copied. */
function visibleIdentifier(name) {
    return HIDDEN.test(name) ? `U&${identifier(escaped(name))}` : identifier(name);
}
/** The same of a literal. */
function visibleLiteral(text) {
    return HIDDEN.test(text) ? `U&${literal(escaped(text))}` : literal(text);
}
/** A qualified name as facts write it, the same way; one that is whole already stays as it is. */
function visibleName(qualified) {
    if (!HIDDEN.test(qualified))
        return qualified;
    const { schema, table } = (0,table_name/* splitName */.W)(qualified);
    return `${visibleIdentifier(schema)}.${visibleIdentifier(table)}`;
}
function escaped(text) {
    const written = [...text].map((char) => {
        if (char === '\\')
            return '\\\\';
        const code = char.codePointAt(0) ?? 0;
        return HIDDEN.test(char) ? `\\+${code.toString(16).padStart(6, '0')}` : char;
    });
    return written.join('');
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/merge-sql.js


/** SQL that shows how a restored table and the live one differ, and SQL that puts back what is missing. */
function sqlFor(given) {
    const restored = { ...given, name: visibleName(given.name), into: visibleName(given.into) };
    const { name, live } = restored;
    if (live === undefined)
        return { table: given.name, ...sqlForMissing(restored, visibleIdentifier((0,table_name/* splitName */.W)(given.name).schema)) };
    const pair = pairOf(restored, live);
    const noted = pair.notes.map(comment).join('');
    if (pair.columns.length === 0) {
        const nothing = `${comment(`${name} and ${restored.into} have no column in common.`)}${noted}`;
        return { table: given.name, differences: nothing, merge: nothing };
    }
    const { differences, merge } = pair.key.length > 0 ? byKey(pair) : byRow(pair);
    return {
        table: given.name,
        differences: `${noted}${differences}`,
        merge: `${noted}${merge}${merge_sql_sequencesOf(pair, live)}`,
    };
}
/** Statements of all tables, those first that others refer to. */
function inOrder(tables) {
    const done = new Set();
    const ordered = [];
    const visit = (one) => {
        if (done.has(one.name))
            return;
        done.add(one.name); // before those it needs: a circle of keys has no order anyhow
        for (const needed of one.live?.references ?? []) {
            const other = tables.find(({ name }) => name === needed);
            if (other !== undefined)
                visit(other);
        }
        ordered.push(one);
    };
    for (const one of tables)
        visit(one);
    return ordered;
}
function pairOf({ name, into, shape }, live) {
    const there = new Map(live.columns.map((column) => [column.name, column]));
    const here = new Map(shape.columns.map((column) => [column.name, column]));
    const isPlain = (column) => column !== undefined && !column.generated;
    const columns = shape.columns.filter((one) => isPlain(one) && isPlain(there.get(one.name))).map((one) => one.name);
    const isSameKey = shape.key.length > 0 && shape.key.every((column) => columns.includes(column));
    const key = isSameKey && live.key.toSorted().join() === shape.key.toSorted().join() ? shape.key : [];
    return {
        ...{ name, live: only(live, name), restored: only(shape, into), columns, key },
        overriding: columns.some((column) => there.get(column)?.identity) ? ' OVERRIDING SYSTEM VALUE' : '',
        asLive: (alias, column) => {
            const type = there.get(column)?.type;
            const cast = type === undefined || type === here.get(column)?.type ? '' : `::${type}`;
            return `${alias}.${visibleIdentifier(column)}${cast}`;
        },
        settable: columns.filter((column) => !key.includes(column) && !there.get(column)?.identity),
        notes: notesOn(shape, live),
    };
}
/** `ONLY` for an ordinary table: rows of its children are theirs. Of a partitioned one it would be nothing. */
function only(shape, name) {
    return shape.partitioned ? name : `ONLY ${name}`;
}
function notesOn(shape, live) {
    const names = (columns) => columns.map((one) => one.name);
    const gone = names(shape.columns).filter((column) => !names(live.columns).includes(column));
    const fresh = live.columns.filter((column) => !names(shape.columns).includes(column.name));
    const needed = fresh.filter((one) => one.notNull && !one.hasDefault && !one.identity && !one.generated);
    return [
        ...(gone.length === 0 ? [] : [`The live table has no column ${gone.join(', ')}: left out.`]),
        ...(fresh.length === 0 ? [] : [`Only the live table has ${names(fresh).join(', ')}: not compared.`]),
        ...(needed.length === 0 ? [] : [`Rows that are inserted need a value for ${names(needed).join(', ')}: add one.`]),
    ];
}
function byKey(pair) {
    const { columns, key, live, restored, asLive, name } = pair;
    const same = key.map((column) => `l.${visibleIdentifier(column)} = ${asLive('r', column)}`).join(' AND ');
    const changed = `${rowOf(pair, 'l')} IS DISTINCT FROM ${rowOf(pair, 'r')}`;
    const sets = pair.settable.map((column) => `${visibleIdentifier(column)} = ${asLive('r', column)}`);
    const both = key.map((column) => `l.${visibleIdentifier(column)}`).join(', ');
    const update = `UPDATE ${live} AS l SET ${sets.join(', ')}\nFROM ${restored} AS r\nWHERE ${same} AND ${changed};\n`;
    return {
        differences: [
            `${comment(`${name}: rows of the backup that are missing live`)}SELECT ${list(columns, 'r')} FROM ${restored} AS r\nWHERE NOT EXISTS (SELECT FROM ${live} AS l WHERE ${same});\n`,
            `${comment(`${name}: rows that are only live`)}SELECT ${list(columns, 'l')} FROM ${live} AS l\nWHERE NOT EXISTS (SELECT FROM ${restored} AS r WHERE ${same});\n`,
            `${comment(`${name}: rows that differ, as they are live and as the backup has them`)}SELECT ${both}, ${rowOf(pair, 'l')} AS live, ${rowOf(pair, 'r')} AS restored\nFROM ${live} AS l JOIN ${restored} AS r ON ${same}\nWHERE ${changed};\n`,
        ].join(''),
        merge: [
            `${comment(`${name}: put back rows that are missing live`)}INSERT INTO ${name} (${list(columns)})${pair.overriding}\nSELECT ${columns.map((column) => asLive('r', column)).join(', ')} FROM ${restored} AS r\nWHERE NOT EXISTS (SELECT FROM ${live} AS l WHERE ${same})\nON CONFLICT DO NOTHING;\n`,
            ...(sets.length === 0
                ? []
                : [comment(`${name}: give rows that differ the values of the backup; this undoes what was changed since`)]),
            ...(sets.length === 0 ? [] : [commentedOut(update)]),
        ].join(''),
    };
}
/** Without a key rows are told apart by all they hold, and equal ones counted. */
function byRow(pair) {
    const { columns, live, restored, asLive, name } = pair;
    const texts = (side, from) => `SELECT ${rowOf(pair, side)} FROM ${from} AS ${side}`;
    const minus = (first, second) => `${first}\nEXCEPT ALL\n${second};\n`;
    const [ofLive, ofRestored] = [texts('l', live), texts('r', restored)];
    const numbered = `SELECT ${list(columns, 'r')}, ${rowOf(pair, 'r')} AS "lifeboat row",\n    row_number() OVER (PARTITION BY ${rowOf(pair, 'r')}) AS "lifeboat number" FROM ${restored} AS r`;
    const counted = `SELECT ${rowOf(pair, 'l')} AS "lifeboat row", count(*) AS "lifeboat count" FROM ${live} AS l GROUP BY 1`;
    return {
        differences: [
            comment(`${name} has no primary key: rows are compared by all they hold.`),
            `${comment(`${name}: rows of the backup that are missing live`)}${minus(ofRestored, ofLive)}`,
            `${comment(`${name}: rows that are only live`)}${minus(ofLive, ofRestored)}`,
        ].join(''),
        merge: `${comment(`${name}: put back rows that are missing live, as often as they are missing`)}INSERT INTO ${name} (${list(columns)})${pair.overriding}\nSELECT ${columns.map((column) => asLive('r', column)).join(', ')}\nFROM (${numbered}) AS r\nLEFT JOIN (${counted}) AS l USING ("lifeboat row")\nWHERE r."lifeboat number" > coalesce(l."lifeboat count", 0)\nON CONFLICT DO NOTHING;\n`,
    };
}
/** As text, since not every type can be compared; a row of one NULL is not one of an empty text. */
function rowOf({ columns, asLive }, alias) {
    const values = columns.map((column) => (alias === 'r' ? asLive('r', column) : `l.${visibleIdentifier(column)}`));
    return `ROW(${values.join(', ')})::text`;
}
function list(columns, alias) {
    return columns.map((column) => (alias === undefined ? '' : `${alias}.`) + visibleIdentifier(column)).join(', ');
}
/** Behind the newest row, and never back: other rows may have taken numbers meanwhile. */
function merge_sql_sequencesOf({ live, columns }, { sequences }) {
    return sequences
        .filter(({ column }) => columns.includes(column))
        .map(({ column, sequence, ascending }) => {
        const [most, further] = ascending ? ['max', 'GREATEST'] : ['min', 'LEAST'];
        const furthest = `(SELECT ${most}(${visibleIdentifier(column)}) FROM ${live})`;
        const text = comment(`${visibleName(sequence)}: behind the rows that were put back`);
        return `${text}SELECT pg_catalog.setval(${visibleLiteral(sequence)}, ${further}(${furthest}, last_value)) FROM ${visibleName(sequence)}\nWHERE ${furthest} IS NOT NULL;\n`;
    })
        .join('');
}
function sqlForMissing({ name, into }, schema) {
    return {
        differences: `${comment(`${name} is not there live: every row of the backup is missing.`)}SELECT count(*) FROM ${into};\n`,
        merge: `${comment(`${name} is not there live: move it to its place. Foreign keys, triggers, policies and grants are not on it.`)}${commentedOut(`CREATE SCHEMA IF NOT EXISTS ${schema};\nALTER TABLE ${into} SET SCHEMA ${schema};\n`)}`,
    };
}
/** A name in it may hold line ends, behind which a comment would be over. */
function comment(text) {
    return `-- ${text.replaceAll(/[\p{C}\u2028\u2029]+/gu, ' ')}\n`;
}
/** Without the marks it is the statement again. */
function commentedOut(sql) {
    return `-- ${sql.trimEnd().replaceAll(/\r\n|\n|\r/g, '$&-- ')}\n`;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/restore-partly.js







/** What would act on rows or hide them, fill itself from tables that stay empty, or hold rows of nobody. */
const LEFT_OUT = /^(TRIGGER|EVENT TRIGGER|RULE|POLICY|ROW SECURITY|PUBLICATION|PUBLICATION TABLE|PUBLICATION TABLES IN SCHEMA|MATERIALIZED VIEW DATA|BLOB|BLOBS|BLOB METADATA) /;
const BLOB = /^BLOBS? /;
/**
 * Restores the definitions into an empty database.
 *
 * Only the head of each archive is read for it; that its bytes are what they were turns out with the rows.
 */
async function restoreDefinitions(target, open) {
    const { definitions, rows } = planParts(target.manifest);
    const artifacts = [...definitions, ...rows.flat()].map(({ artifact }) => artifact);
    const lists = await readLists(target, artifacts, open);
    for (const { artifact } of definitions)
        await restoreHead(target, artifact, { lists, open });
    const all = [...lists.values()].flat();
    const data = all.filter(({ what }) => what.startsWith('TABLE DATA '));
    const ofTable = (name) => `TABLE DATA ${listName(name)} `;
    return {
        holdsRows: (table) => data.some(({ what }) => what.startsWith(ofTable(table))),
        hasLargeObjects: all.some(({ what }) => BLOB.test(what)),
        restoreRows: async (tables) => {
            const wanted = tables.map(ofTable);
            const isWanted = ({ what }) => what.startsWith('TABLE DATA ') ? wanted.some((start) => what.startsWith(start)) : !LEFT_OUT.test(what);
            return restoreWanted(target, { rows, lists, isWanted, open });
        },
    };
}
/** Of a whole archive the two halves are restored one after the other. */
function planParts({ artifacts, id }) {
    const archives = artifacts.filter(({ format }) => format === 'pg_dump-custom');
    const steps = (roles, sections) => archives.filter(({ role }) => roles.includes(role)).map((artifact) => ({ artifact, sections }));
    const definitions = steps(['dump', 'pre-data', 'schema'], ['pre-data']);
    const rows = [
        steps(['dump'], ['data', 'post-data']),
        steps(['data'], []),
        steps(['schema', 'post-data'], ['post-data']),
    ];
    if (definitions.length > 0)
        return { definitions, rows: rows.filter((phase) => phase.length > 0) };
    throw new core_failure/* Failure */.H('backup-invalid', `The manifest of ${id} names no archive of pg_dump with definitions.`);
}
async function restoreHead(target, artifact, { lists, open }) {
    const { client, env, session, signal } = target;
    const list = await useList(target, { name: 'definitions.list', entries: lists.get(artifact) ?? [] });
    const args = restoreArguments(target, ['--section=pre-data', '--single-transaction', ...list]);
    const commands = [(0,sys_zstd/* unzstdCommand */.Sz)(env), client.command('pg_restore', args, { LC_ALL: 'C' })];
    await readHead(commands, await open(artifact), signal).catch(async (error) => {
        throw await explainStep(error, artifact.key, session, 'own');
    });
}
async function restoreWanted(target, given) {
    const { rows, lists, isWanted, open } = given;
    const all = [...lists.values()].flat().filter(isWanted);
    const leftOut = [];
    for (const phase of rows) {
        const steps = phase.map((step) => {
            const entries = (lists.get(step.artifact) ?? []).filter(isWanted);
            return { ...step, entries, isPartial: true, all };
        });
        leftOut.push(...(await runPhase(target, steps, open)));
    }
    return leftOut;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/load-tables.js















/**
 * Restores tables in a scratch server, compares them there with the facts, and writes them into the target in one
 * transaction. What cannot end well is refused before the rows are fetched.
 *
 * @throws {Failure} `guard-refused` and `invalid-input` with nothing written; `restore-failed` when the scratch server
 *                   or the target did not take it: nothing was written then either
 */
async function loadTables(request, context) {
    const { target, signal, intoSchema } = request;
    const client = await anyClient(target, context.env);
    const session = await context.connections.open(client, { applicationName: 'lifeboat', signal }, signal);
    try {
        const { database, major } = await session.one(`SELECT current_database() AS database, current_setting('server_version_num')::int / 10000 AS major`);
        const live = { session, database, major, client, connection: target };
        const schemaExists = intoSchema === undefined ? false : await checkSchema(live, intoSchema, request.role);
        request.onStep('starting the scratch server');
        return await withOwnServer(scratchRequest(request), context, (own) => loadFrom({ request, own, live, schemaExists, env: context.env }));
    }
    finally {
        await session.close();
    }
}
function scratchRequest(request) {
    const { manifest, facts, scratch, restoreId, signal } = request;
    return { ...scratch, manifest, facts, drillId: restoreId, signal };
}
async function loadFrom(load) {
    const { request, own } = load;
    const { client, database, signal } = own.target;
    request.onStep('restoring into scratch');
    await restoreOwnRoles(own.target, request.open);
    await makeDatabase(own.target, { comment: own.mark, explicitLocale: false });
    const restored = await restoreDefinitions(own.target, request.open);
    const scratch = await openSession(client, { applicationName: 'lifeboat', database, signal });
    try {
        const choice = (0,table_choice/* chooseTables */.H)(request.tables, await listChoosable(scratch, request.facts, restored));
        if (choice.leaves.length === 0)
            throw nothingToLoad(request);
        const found = { choice, scratch, restored, shapes: await readShapes(scratch, choice.all) };
        return request.intoSchema === undefined
            ? await loadRows(load, found)
            : await loadBeside(load, found, request.intoSchema);
    }
    finally {
        await scratch.close();
    }
}
function nothingToLoad({ manifest }) {
    return new core_failure/* Failure */.H('guard-refused', `The backup ${manifest.id} holds rows of no table.`, {
        hint: 'Choose another backup: `lifeboat list` shows them with their scope.',
    });
}
async function loadBeside(load, found, schema) {
    const { request, live, schemaExists } = load;
    const { choice, scratch, restored } = found;
    await refuseClashes(scratch, choice, schema);
    await refuseMissing(live, await readNeeded(scratch, choice));
    const counted = await restoreChecked(load, found);
    // Once more, since keys and indexes are there only now.
    await refuseMissing(live, await readNeeded(scratch, choice));
    const restoredShapes = await readShapes(scratch, choice.roots);
    const moved = await moveTables(scratch, choice, schema);
    request.onStep('writing into the target');
    await copySchema(crossing(load), schema, schemaExists);
    request.onStep('counting');
    const into = (name) => movedName(name, schema);
    const arrived = await countArrived(live.session, choice.leaves.map(into), request);
    const shapes = await readShapes(live.session, choice.roots);
    const tables = choice.roots.flatMap((name) => {
        const shape = restoredShapes.get(name);
        return shape === undefined ? [] : [{ name, into: into(name), shape, live: shapes.get(name) }];
    });
    return {
        ...load_tables_describe(load, found, { counted: counted.facts, arrived, into }),
        leftOut: [
            ...load_tables_describeLeftOut(found),
            ...counted.keys.map((key) => `foreign key ${key}`),
            ...moved,
            'triggers, rules, policies, grants and owners of the tables',
        ],
        warnings: [...load_tables_largeObjects(restored, found), ...(await readPublications(live, []))],
        sql: inOrder(tables).map(sqlFor),
    };
}
/** Two names that become one, and a schema that the backup has itself: types and functions of it would be mixed up. */
async function refuseClashes(session, choice, schema) {
    const { taken } = await session.one(`SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = ${literal(schema)}) AS taken`);
    if (taken)
        throw new core_failure/* Failure */.H('guard-refused', `The backup holds a schema named ${schema} itself.`, {
            hint: 'Name with `into-schema` a schema that neither the backup nor the target knows, e.g. `restored`.',
        });
    const names = choice.all.map((name) => movedName(name, schema));
    const twice = choice.all.filter((_, at) => names.indexOf(names[at] ?? '') !== names.lastIndexOf(names[at] ?? ''));
    if (twice.length === 0)
        return;
    throw new core_failure/* Failure */.H('guard-refused', `These tables would have one name in ${schema}: ${load_target_named(twice)}.`, {
        hint: 'Name each with its schema in `tables`, and restore them one by one, each with an `into-schema` of its own.',
    });
}
async function loadRows(load, found) {
    const { request, live } = load;
    const { choice, scratch, restored, shapes } = found;
    await checkTables(live, choice, shapes);
    const rest = await checkTriggers(live, choice.leaves);
    const counted = await restoreChecked(load, found);
    const sequences = await load_rows_readSequences(scratch, live.session, {
        all: request.tables.length === 0,
        leaves: choice.leaves,
    });
    request.onStep('writing into the target');
    await copyRows(crossing(load), {
        tables: choice.leaves,
        sequences: sequences.own,
        without: sequences.shared.map(({ name }) => name),
        rest,
    });
    await setForward(live.session, sequences.shared);
    request.onStep('counting');
    const arrived = await countArrived(live.session, choice.leaves, request);
    return {
        ...load_tables_describe(load, found, { counted: counted.facts, arrived, into: (name) => name }),
        leftOut: load_tables_describeLeftOut(found),
        warnings: [
            ...load_tables_largeObjects(restored, found),
            ...describeSequences(sequences),
            ...(rest ? await keysNotHeld(live.session, choice.leaves) : []),
            ...(await viewsToRefresh(live.session)),
            ...(await readPublications(live, choice.leaves)),
        ],
        sql: [],
    };
}
function describeSequences({ shared, missing }) {
    return [
        ...shared.map(({ name }) => `Other tables take numbers from ${name} too: it was set forward, not back.`),
        ...missing.map((name) => `The sequence ${name} is missing in the target: nothing was set.`),
    ];
}
/** @returns what the tables held in the scratch server, and foreign keys of them that were left out there */
async function restoreChecked(load, found) {
    const { request } = load;
    const { choice, scratch, restored } = found;
    const keys = await restored.restoreRows(choice.leaves);
    const facts = await countIn(scratch, choice.leaves, request);
    const wrong = facts.flatMap((one) => {
        const expected = expectedOf(request, one.name);
        if (expected === undefined || isSame(expected, one))
            return [];
        return [
            `${one.name}: expected ${expected.rows} rows, found ${one.rows}${expected.rows === one.rows ? ' with other values' : ''}`,
        ];
    });
    if (wrong.length > 0)
        throw new core_failure/* Failure */.H('restore-failed', `The restored tables are not what they were in the snapshot: ${load_target_named(wrong)}.`, {
            hint: 'Nothing was written. Restore from another backup, and drill this one.',
        });
    return { facts, keys: keys.filter((key) => choice.all.some((name) => key.startsWith(`${name} `))) };
}
function load_tables_describe({ request, own }, { choice }, given) {
    const arrived = new Map(given.arrived.map((one) => [one.name, one]));
    return {
        scratch: { version: own.version, notIsolated: own.notIsolated },
        tables: choice.leaves.map((from) => {
            const into = given.into(from);
            const expected = expectedOf(request, from) ?? given.counted.find(({ name }) => name === from);
            return { from, into, expected, arrived: arrived.get(into) ?? { name: into, rows: 0 } };
        }),
    };
}
function load_tables_describeLeftOut({ choice }) {
    return choice.passedOver.map((name) => `${name}: the backup holds no rows of it`);
}
function load_tables_largeObjects(restored, { choice, shapes }) {
    if (!restored.hasLargeObjects)
        return [];
    const columns = choice.all.flatMap((name) => (shapes.get(name)?.columns ?? [])
        .filter(({ type }) => /(^|\.)(oid|lo)$/.test(type))
        .map((column) => `${name}.${column.name}`));
    if (columns.length === 0)
        return [];
    return [`Large objects do not come along with single tables; these columns may name some: ${load_target_named(columns)}.`];
}
function crossing({ own, live, request, env }) {
    const { client, database, signal } = own.target;
    const { encoding } = request.manifest.server;
    return { from: { client, database, encoding }, to: live, role: request.role, env, signal };
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/source-lock.js





const POLL_MS = 1_000;
/** Between two lines that say who is waited for. */
const SAY_MS = 10_000;
/**
 * Takes the lock of a source for as long as the session lives: an advisory lock, which a read-only role
 * and a standby have too, and which ends with its holder, however that dies. It is per database; a
 * primary and its standby do not share it.
 *
 * @param given.waitMs how long to wait for another run; 0 refuses at once
 * @throws {Failure} `source-busy`, saying who holds it
 */
async function lockSource(session, given) {
    const { source, waitMs, signal, log } = given;
    const key = lockKey(source);
    for (let waited = 0;; waited += POLL_MS) {
        const { taken } = await session.one(`SELECT pg_try_advisory_lock(${key}) AS taken`);
        if (taken)
            return;
        if (waited >= waitMs)
            throw busy(source, await holderOf(session, key), waitMs);
        if (waited % SAY_MS === 0) {
            const who = describeBusy(source, await holderOf(session, key));
            log.info(`Waiting, at most ${(0,duration/* formatDuration */.a3)(waitMs)}: the ${who}`);
        }
        await (0,promises_.setTimeout)(Math.min(POLL_MS, waitMs - waited), undefined, { signal }).catch(() => signal.throwIfAborted());
    }
}
/** A signed 64-bit number that is the same for a source everywhere. */
function lockKey(source) {
    return advisoryKey(`lifeboat source ${source}`);
}
function advisoryKey(what) {
    const digest = (0,external_node_crypto_.createHash)('sha256').update(what).digest();
    return `'${digest.readBigInt64BE(0)}'::int8`;
}
async function holderOf(session, key) {
    const [holder] = await session.query(`
    SELECT a.application_name AS application, to_char(a.backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since,
      host(a.client_addr) AS address
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND (l.classid::int8 << 32) | l.objid::int8 = ${key}
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`);
    return holder;
}
function describeBusy(source, holder) {
    return `source ${source} is being backed up by ${describeHolder(holder)}.`;
}
function describeHolder(holder) {
    const who = holder === undefined ? 'another run' : `"${holder.application}"`;
    const since = holder?.since == null
        ? ''
        : `, connected since ${holder.since}${holder.address == null ? '' : ` from ${holder.address}`}`;
    return `${who}${since}`;
}
function busy(source, holder, waitMs) {
    const waited = waitMs > 0 ? ` It did not end within ${(0,duration/* formatDuration */.a3)(waitMs)}.` : '';
    return new core_failure/* Failure */.H('source-busy', `The ${describeBusy(source, holder)}${waited}`, {
        hint: 'Let the other run finish, or wait for it with `lock-timeout: 30m`. Give both jobs the same `concurrency` group so that they queue.',
    });
}
/** Ends every connection that carries our name but this one, also those of programs inside a container. */
async function endOwnBackends(session, applicationName) {
    await session.query(`
    SELECT pg_terminate_backend(pid) AS ended FROM pg_catalog.pg_stat_activity
    WHERE application_name = ${literal(applicationName)} AND usename = current_user AND pid <> pg_backend_pid()`);
}

// EXTERNAL MODULE: ./lib/core/restore-names.js
var restore_names = __webpack_require__(436);
;// CONCATENATED MODULE: ./lib/engines/postgresql/target-create-roles.js








const GRANTED_BY = new RegExp(` GRANTED BY ${globals_NAME}$`);
const SUBJECTS = [
    new RegExp(`^CREATE ROLE ${globals_NAME}$`),
    new RegExp(`^ALTER ROLE ${globals_NAME} (?:WITH|SET) `),
    new RegExp(`^COMMENT ON ROLE ${globals_NAME} IS `),
];
const MEMBERSHIP = new RegExp(`^GRANT ${globals_NAME} TO ${globals_NAME}(?: WITH [A-Z, ]+)?$`);
const PARAMETER = new RegExp(`^GRANT [A-Z ,]+ ON PARAMETER \\S+ TO ${globals_NAME}(?: WITH GRANT OPTION)?$`);
/** What only a superuser may say, also in the negative, which is how every new role is. */
const SUPERUSERS_WORDS = / (NO)?(SUPERUSER|REPLICATION|BYPASSRLS)(?= |$)/g;
/**
 * Creates the roles that the server lacks as the backup's globals say: attributes, passwords where there are any,
 * settings, memberships. Roles that are there keep all they have, and get no membership either.
 *
 * @param globals undefined when the backup has none: its facts then say all but passwords
 */
async function createRoles(lent, globals) {
    const { session, request, context, user } = lent;
    const text = globals ?? factsAsGlobals(request.facts);
    const statements = planGlobals(text, '').run.map(({ sql }) => sql.replace(GRANTED_BY, ''));
    const named = statements.flatMap((sql) => globals_nameOf(SUBJECTS[0]?.exec(sql)?.[1]) ?? []);
    const missing = new Set(await missingRoles(session, named));
    const failed = [];
    for (const sql of statements) {
        const subject = subjectOf(sql);
        if (subject === undefined || !missing.has(subject))
            continue;
        if (sql.startsWith('CREATE ROLE ')) {
            const what = `The role ${subject} could not be created`;
            await refusedAs(runVerbatim(session, sql), what, 'Create it by hand, or give in `target-url` a role with CREATEROLE.');
            await joinRole(session, subject);
            context.log.info(`Created the role ${subject}.`);
        }
        else
            await runOrNote(lent, user.superuser ? sql : withoutSuperusersWords(sql, failed), failed);
    }
    return target_create_roles_describe([...missing], failed);
}
/** The role that a statement changes: of a membership the member. */
function subjectOf(sql) {
    for (const pattern of [...SUBJECTS, PARAMETER]) {
        const found = globals_nameOf(pattern.exec(sql)?.[1]);
        if (found !== undefined)
            return found;
    }
    return globals_nameOf(MEMBERSHIP.exec(sql)?.[2]);
}
function withoutSuperusersWords(sql, failed) {
    const [, head = '', tail = ''] = /^(ALTER ROLE .*? WITH)( .*)$/s.exec(sql) ?? [];
    if (head === '')
        return sql;
    const at = tail.indexOf(" PASSWORD '");
    const [words, rest] = at === -1 ? [tail, ''] : [tail.slice(0, at), tail.slice(at)];
    const given = [...words.matchAll(SUPERUSERS_WORDS)].filter(([, no]) => no === undefined).map(([, , word]) => word);
    if (given.length > 0)
        failed.push(`${head} ${given.join(' ')}: only a superuser may`);
    return head + words.replaceAll(SUPERUSERS_WORDS, '') + rest;
}
async function runOrNote({ session }, sql, failed) {
    await runVerbatim(session, sql).catch((error) => {
        if (!(error instanceof core_failure/* Failure */.H))
            throw error;
        failed.push(`${hidePassword(sql)}: ${error.message.split('\n')[0]}`);
    });
}
function target_create_roles_describe(created, failed) {
    const numbers = { created: created.length };
    const made = created.length === 0
        ? 'No role of the backup was missing.'
        : `Created as the backup says, since they were missing: ${created.join(', ')}.`;
    if (failed.length === 0)
        return [(0,report/* finding */.gk)('roles-restored', 'pass', made, { numbers })];
    const message = `${made} Of them ${failed.length} attributes or memberships could not be set: ${failed.slice(0, 5).join('; ')}`;
    const hint = 'Set them as a superuser.';
    return [(0,report/* finding */.gk)('roles-restored', 'warn', message, { numbers, hint })];
}
/** For a backup that could not dump its globals: the same statements, without passwords. */
function factsAsGlobals(facts) {
    const roles = facts?.roles ?? [];
    const lines = [
        ...roles.map(({ name }) => `CREATE ROLE ${identifier(name)}`),
        ...roles.flatMap(({ name, attributes }) => attributes.length === 0 ? [] : [`ALTER ROLE ${identifier(name)} WITH ${attributes.map(written).join(' ')}`]),
        ...roles.flatMap(({ name, settings }) => settings.map((one) => `ALTER ROLE ${identifier(name)} ${setClause(one)}`)),
        ...roles.flatMap(({ name, memberOf }) => memberOf.map((line) => membership(line, name))),
    ];
    return lines.map((line) => `${line};\n`).join('');
}
function written(attribute) {
    return attribute.replace(/^VALID UNTIL (.*)$/, "VALID UNTIL '$1'");
}
/** `readers WITH ADMIN`; the words that 16 and later add are left out, since older servers know none of them. */
function membership(line, member) {
    const [, group = line, options = ''] = /^(.*?)(?: WITH ([A-Z, ]+))?$/.exec(line) ?? [];
    const admin = options.split(', ').includes('ADMIN') ? ' WITH ADMIN OPTION' : '';
    return `GRANT ${identifier(group)} TO ${identifier(member)}${admin}`;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-compare.js



/** What no dump holds, as it now stands in the catalog, beside what the backup recorded of its own database. */
async function compareProperties(lent, database, settings) {
    const { session, request } = lent;
    const expected = request.manifest.server;
    const { server: found } = await readServerInfo(session, database);
    const rows = [
        ['encoding', expected.encoding, found.encoding],
        ['collation', target_compare_localeOf(expected), target_compare_localeOf(found)],
        ['connection limit', String(expected.connectionLimit), String(found.connectionLimit)],
        ['settings', names(settings), names(found.settings)],
    ];
    if (request.ownership.owner) {
        rows.push(['owner', expected.owner, found.owner]);
        rows.push(['grants', await target_compare_grants(session, expected), await target_compare_grants(session, found)]);
    }
    const numbers = { settings: settings.length };
    const different = rows.filter(([, wanted, is]) => wanted !== is);
    if (different.length === 0) {
        const what = `Encoding, collation, connection limit, ${request.ownership.owner ? 'owner, grants' : 'no owner and grants'}`;
        const message = `${what} and ${settings.length} settings of the database are those of the backup.`;
        return (0,report/* finding */.gk)('facts-settings', 'pass', message, { numbers });
    }
    const said = different.map(([what, wanted, is]) => what === 'settings' ? 'its settings' : `its ${what}, ${is || 'none'} instead of ${wanted || 'none'}`);
    const message = `Something of the database itself is not as it was: ${said.join('; ')}.`;
    return (0,report/* finding */.gk)('facts-settings', 'warn', message, { numbers, hint: 'Set it by hand, where this database needs it.' });
}
function target_compare_localeOf({ localeProvider, collate, ctype, icuLocale, }) {
    return [localeProvider, collate, ctype, ...(icuLocale === undefined ? [] : [icuLocale])].join(' ');
}
function names(settings) {
    return settings
        .map(({ role, setting }) => `${role ?? ''} ${setting}`)
        .sort()
        .join('\n');
}
/** In one form, since nobody having granted anything means the same as the grants that everybody has by default. */
async function target_compare_grants(session, { acl, owner }) {
    const items = acl === null ? 'NULL' : `ARRAY[${acl.map(literal).join(', ')}]`;
    // A role that is missing would make an aclitem of the whole array impossible, so names are compared as text.
    const { text } = await session.one(`
    SELECT string_agg(item, ', ' ORDER BY item) AS text FROM (
      SELECT regexp_replace(x::text, '/[^/]*$', '') AS item FROM unnest(coalesce(${items}::text[],
        acldefault('d', (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${literal(owner)}))::text[])) AS x) AS all_items`);
    return text ?? '';
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-mark.js

const UNFINISHED = 'Lifeboat restore, unfinished, may be dropped: ';
const target_mark_KEPT = 'Lifeboat restore, what was there before: ';
const LEFT = 'Lifeboat restore, not in its place: ';
const TEXTS = [
    [UNFINISHED, 'unfinished'],
    [target_mark_KEPT, 'kept'],
    [LEFT, 'kept'],
];
const Mark = schemas/* object */.Ikc({
    /** Name of the target's database. */
    target: schemas/* string */.YjP(),
    /** Id of the restore. */
    restore: schemas/* string */.YjP(),
});
/**
 * A connection limit that nobody sets by hand. It is there from the first moment of a new database, and the comment
 * only a moment later: killed in between, a restore leaves a database that is known by its limit.
 */
const BUILDING_LIMIT = 2_071_949;
/** The comment on a database that is being restored. */
function unfinishedMark(target, restore) {
    return UNFINISHED + JSON.stringify({ target, restore });
}
/** The comment on a database whose place a restored one took. */
function keptMark(given) {
    return target_mark_KEPT + JSON.stringify(given);
}
/** The comment on a database that was restored and left beside the target for a person to look at. */
function leftMark(given) {
    return LEFT + JSON.stringify(given);
}
/** What a comment says of a restore; undefined when it is none of ours. */
function readMark(comment) {
    const [text, what] = TEXTS.find(([begin]) => comment?.startsWith(begin)) ?? [];
    if (comment === null || text === undefined)
        return undefined;
    try {
        return { ...Mark.parse(JSON.parse(comment.slice(text.length))), what };
    }
    catch {
        return undefined; // not as we write it
    }
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-database.js







/** The manifest of an encrypted backup has none. */
function settingsOf({ request }) {
    return request.facts?.settings ?? request.manifest.server.settings;
}
/**
 * Creates a database that only we, superusers and members of its owner that we could not tell from us may enter.
 * Owner, encoding and locale are the backup's from the start: they cannot be changed later, or objects are given by
 * its rights.
 */
async function createClosed(lent, database) {
    const { session, request, name: target, user, major } = lent;
    const { server } = request.manifest;
    const name = identifier(database);
    const clauses = `TEMPLATE template0 ${localeClauses(server, major)} CONNECTION LIMIT ${BUILDING_LIMIT}`;
    await refusedAs(session.execute(`CREATE DATABASE ${name} ${clauses}`), `The database ${database} could not be created (encoding ${server.encoding}, collation ${server.collate})`, 'A role needs CREATEDB for it. A locale that the server does not know must be installed on its machine (`locale -a` lists them; Debian: package locales, `dpkg-reconfigure locales`), and PostgreSQL restarted.');
    lent.building.set(database, []);
    await session.execute(`COMMENT ON DATABASE ${name} IS ${literal(unfinishedMark(target, request.restoreId))}`);
    await session.execute(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    const owner = ownerOf(lent);
    if (owner !== user.name) {
        const hint = `GRANT ${identifier(owner)} TO ${identifier(user.name)} there, or restore with \`owner: false\`.`;
        const what = `The database ${database} could not be given to ${owner}`;
        await refusedAs(session.execute(`ALTER DATABASE ${name} OWNER TO ${identifier(owner)}`), what, hint);
        await session.execute(`GRANT CONNECT ON DATABASE ${name} TO ${identifier(user.name)}`);
        await session.execute(`REVOKE CONNECT ON DATABASE ${name} FROM ${identifier(owner)}`);
    }
    // It keeps all others out, and would keep us out, too, if we were no superuser.
    if (user.superuser)
        await session.execute(`ALTER DATABASE ${name} CONNECTION LIMIT 0`);
}
function ownerOf({ request, user }) {
    const { owner, role } = request.ownership;
    return owner ? request.manifest.server.owner : (role ?? user.name);
}
/** `ALTER DATABASE … SET`; one that this server does not know, or does not let us set, is a warning. */
async function applySettings(lent, database) {
    const findings = [];
    for (const { role, setting } of settingsOf(lent)) {
        await lent.session.execute(settingStatement(identifier(database), role, setting)).catch((error) => {
            if (!(error instanceof core_failure/* Failure */.H))
                throw error;
            // Not its value: it may be a secret.
            const what = `${setting.split('=')[0]}${role === null ? '' : ` of the role ${role}`}`;
            findings.push(notApplied(`The setting ${what}`, error));
        });
    }
    return findings;
}
function notApplied(what, error) {
    const reason = error.message.replace(/ \(SQLSTATE .*/s, '');
    return (0,report/* finding */.gk)('facts-settings', 'warn', `${what} of the database could not be set: ${reason}`, {
        hint: 'Set it by hand as a superuser, where this database needs it.',
    });
}
/**
 * What opens the database and gives it the grants and the limit of the backup's own. All of it is tried, and taken
 * back: what fails is left out and named, so that nothing of it can fail in the middle of a swap.
 */
async function planFinishing(lent, database) {
    const { session } = lent;
    const { connectionLimit } = lent.request.manifest.server;
    const wanted = [
        (name) => `ALTER DATABASE ${name} CONNECTION LIMIT ${connectionLimit}`,
        ...(await grantsOf(lent)),
    ];
    const works = [];
    const findings = [];
    await session.execute('BEGIN');
    try {
        for (const statement of wanted) {
            const failed = await target_database_attempt(session, statement(identifier(database)));
            if (failed === undefined)
                works.push(statement);
            else
                findings.push(notApplied(statement('…'), failed));
        }
        findings.push(await compareProperties(lent, database, settingsOf(lent)));
    }
    finally {
        await session.execute('ROLLBACK');
    }
    lent.building.set(database, works);
    return findings;
}
async function target_database_attempt(session, sql) {
    await session.execute('SAVEPOINT tried');
    try {
        await session.execute(sql);
        return undefined;
    }
    catch (error) {
        if (!(error instanceof core_failure/* Failure */.H))
            throw error;
        await session.execute('ROLLBACK TO tried');
        return error;
    }
}
async function grantsOf(lent) {
    const { request, user } = lent;
    const { acl } = request.manifest.server;
    const owner = identifier(ownerOf(lent));
    const nobody = (name) => `REVOKE ALL ON DATABASE ${name} FROM PUBLIC, ${owner}, ${identifier(user.name)}`;
    if (acl !== null && request.ownership.owner)
        return [nobody, ...(await grantsFrom(lent.session, acl, request.manifest.server.owner))];
    return [
        nobody,
        (name) => `GRANT ALL ON DATABASE ${name} TO ${owner}`,
        (name) => `GRANT CONNECT, TEMPORARY ON DATABASE ${name} TO PUBLIC`,
    ];
}
/** The server itself takes an item apart: names in it may hold anything. */
async function grantsFrom(session, acl, owner) {
    const grants = [];
    for (const item of acl) {
        const sql = `
      SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END AS grantee, privilege_type AS privilege,
        is_grantable AS option FROM aclexplode(ARRAY[${literal(item)}]::aclitem[])`;
        const found = await session.query(sql).catch((error) => {
            // A role that is missing here; comparing says what is not granted for it.
            if (error instanceof core_failure/* Failure */.H)
                return [];
            throw error;
        });
        for (const { grantee, privilege, option } of found) {
            const to = grantee === null ? 'PUBLIC' : identifier(grantee);
            const may = option && grantee !== owner ? ' WITH GRANT OPTION' : '';
            grants.push((name) => `GRANT ${privilege} ON DATABASE ${name} TO ${to}${may}`);
        }
    }
    return grants;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-databases.js



const MAY_SEE_SIZE = `has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')`;
/** Databases that restores to `target` made or kept, and `target` itself. */
async function listDatabases(session, target) {
    const rows = await session.query(`
    SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment, datconnlimit AS limit,
      CASE WHEN ${MAY_SEE_SIZE} THEN pg_database_size(oid) ELSE 0 END AS bytes
    FROM pg_catalog.pg_database d
    WHERE datname = ${literal(target)} OR datconnlimit = ${BUILDING_LIMIT}
      OR shobj_description(oid, 'pg_database') LIKE 'Lifeboat restore, %'
    ORDER BY datname COLLATE "C"`);
    return rows
        .map(({ limit, ...row }) => ({ ...row, mark: readMark(row.comment) ?? unmarked(row, limit, target) }))
        .filter(({ name, mark }) => name === target || mark?.target === target);
}
/** Killed between its first moment and its comment. */
function unmarked({ name, comment }, limit, target) {
    const isOurs = comment === null && limit === BUILDING_LIMIT && (0,restore_names/* isRestoredName */.g9)(name, target);
    return isOurs ? { what: 'unfinished', target, restore: '' } : undefined;
}
async function target_databases_hasDatabase(session, name) {
    const found = await session.query(`SELECT 1 AS one FROM pg_catalog.pg_database WHERE datname = ${literal(name)}`);
    return found.length > 0;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-lent.js


/** A session in one database of the server; ends when we are cancelled. */
async function target_lent_inDatabase(lent, database, use) {
    const { client, request, applicationName } = lent;
    const session = await openSession(client, { applicationName, database, signal: request.signal });
    try {
        return await use(session);
    }
    finally {
        await session.close();
    }
}
/** One more in the maintenance database, that outlives a cancelled run. */
function openBeside({ client, applicationName, silence }) {
    return openSession(client, { applicationName, signal: silence });
}
/** Between tries on new connections: of a server that was started again the old ones are gone. */
const target_lent_AGAIN_MS = [0, 1_000, 2_000, 4_000];
/** The same on a connection of its own, for when that of `lent` may be gone; tried again while the server comes back. */
async function onNewSession(lent, use) {
    let failed;
    for (const pauseMs of target_lent_AGAIN_MS) {
        if (lent.silence.aborted)
            break;
        await (0,promises_.setTimeout)(pauseMs);
        try {
            const session = await openBeside(lent);
            return await use(session).finally(() => session.close());
        }
        catch (error) {
            failed = error;
        }
    }
    throw failed ?? lent.silence.reason;
}
function applicationNameOf(restoreId) {
    // PostgreSQL cuts it at 63 bytes.
    return `lifeboat restore ${restoreId}`.slice(0, 63);
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-drop.js





const MOST_DROP_MINUTES = 10;
/** Ends connections to `database` and drops it, when it is the target or bears the mark of a restore to it. */
async function dropNamed(lent, database) {
    const listed = (await listDatabases(lent.session, lent.name)).find(({ name }) => name === database);
    if (listed === undefined) {
        throw new core_failure/* Failure */.H('guard-refused', `The database ${database} was not dropped: it is not ${lent.name}, and bears no mark of a restore to it.`, { hint: `Look what it holds. If nobody needs it: DROP DATABASE ${identifier(database)};` });
    }
    await target_drop_dropDatabase(lent.session, database).catch((error) => finishDrop(lent, database, error));
    lent.building.delete(database);
}
/** `datconnlimit` of a database whose drop was cut off: it can be dropped, and nothing else. */
const INVALID = -2;
/** A drop that was cut off may have come to its end, or have destroyed what is still there by name. */
async function finishDrop(lent, database, error) {
    const isGone = await onNewSession(lent, async (session) => {
        const [one] = await session.query(`SELECT datconnlimit AS limit FROM pg_catalog.pg_database WHERE datname = ${literal(database)}`);
        if (one?.limit === INVALID)
            await target_drop_dropDatabase(session, database);
        return one === undefined || one.limit === INVALID;
    }).catch(() => false);
    if (!isGone)
        throw error;
}
/** It waits for every process of the server to take note: one that hangs must not hold us for ever. */
async function target_drop_dropDatabase(session, database) {
    const name = identifier(database);
    await session.execute(`SET statement_timeout = '${MOST_DROP_MINUTES}min'`);
    await refusedAs(session
        .execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
        .finally(() => session.execute('SET statement_timeout = 0').catch(() => { })), `The database ${database} could not be dropped`, 'What keeps it: prepared transactions (pg_prepared_xacts), logical replication slots in use (pg_replication_slots), subscriptions in it (pg_subscription), or connections that this role may not end. Remove them, and drop it again.');
}
/** What killed restores left half-restored. The caller holds the lock: whoever made it is gone. */
async function dropLeft(lent) {
    const left = (await listDatabases(lent.session, lent.name)).filter((one) => one.mark?.what === 'unfinished' && one.name !== lent.name && !lent.building.has(one.name));
    for (const { name } of left) {
        await target_drop_dropDatabase(lent.session, name);
        lent.context.log.info(`Removed the database ${name}, which a killed restore left unfinished.`);
    }
    return left.map(({ name }) => name);
}
/**
 * Drops what was made and not finished, also when the run was cancelled or its session was ended.
 *
 * @throws {Failure} `target-failed` when the server does not let us
 */
async function dropUnfinished(lent) {
    if (lent.building.size === 0)
        return;
    let failed = await target_drop_failureIn(() => dropBuilding(lent, lent.session));
    if (failed !== undefined)
        failed = await target_drop_failureIn(() => onNewSession(lent, (session) => dropBuilding(lent, session)));
    if (failed === undefined)
        return;
    const message = `The database ${[...lent.building.keys()].join(', ')}, which was not finished, could not be removed.`;
    throw new core_failure/* Failure */.H('target-failed', message, {
        cause: failed.error,
        hint: 'The next restore to this target removes it. Look why the server does not answer.',
    });
}
async function dropBuilding(lent, session) {
    const isOurs = ({ mark }) => mark?.what === 'unfinished' && (mark.restore === lent.request.restoreId || mark.restore === '');
    const listed = await listDatabases(session, lent.name);
    for (const name of [...lent.building.keys()]) {
        if (listed.some((one) => one.name === name && isOurs(one)))
            await target_drop_dropDatabase(session, name);
        lent.building.delete(name);
    }
}
async function target_drop_failureIn(use) {
    return use().then(() => undefined, (error) => ({ error }));
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-roles.js



/** Roles that a restore needs before it starts, by what the records of the backup say. */
function neededRoles({ request }) {
    const { manifest, facts, ownership } = request;
    const { owner, role } = ownership;
    const names = [...(role === undefined ? [] : [role]), ...(owner ? rolesOfDatabase(manifest, facts) : [])];
    return [...new Set(names)].filter((name) => !name.startsWith('pg_'));
}
function rolesOfDatabase({ server }, facts) {
    const grantees = (server.acl ?? []).map(granteeOf).filter((name) => name !== '');
    return [server.owner, ...grantees, ...(facts === undefined ? [] : rolesInSchema(facts, NAMED))];
}
/** `app=CTc/shop` or `"odd one"=c/shop`; an empty one is PUBLIC. */
function granteeOf(item) {
    const [, written = ''] = /^("(?:[^"]|"")*"|[^=]*)=/.exec(item) ?? [];
    return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
}
const OWNING = {
    owner: (identity, role) => identity.endsWith(` owned by ${role}`),
    'large-objects': (identity, role) => identity.startsWith(`owned by ${role},`),
};
/** How facts of each kind name a role. */
const NAMED = {
    ...OWNING,
    grant: (identity, role) => identity.endsWith(` to ${role}`),
    'default-privileges': (identity, role) => identity.startsWith(`of ${role} on `) || identity.startsWith(`of ${role} in schema `),
};
function rolesInSchema(facts, naming) {
    const named = facts.schema.filter(({ kind }) => naming[kind] !== undefined);
    const isNamed = (role) => [role, identifier(role)].some((written) => named.some(({ kind, identity }) => naming[kind]?.(identity, written)));
    return facts.roles.map(({ name }) => name).filter(isNamed);
}
async function readMissingRoles(lent) {
    return missingRoles(lent.session, neededRoles(lent));
}
/** Whether this role may do what the restore does, said before anything is begun. */
async function readUser(lent, missing) {
    const { session, request } = lent;
    const me = await session.one(`
    SELECT rolname AS name, rolsuper AS superuser, rolsuper OR rolcreatedb AS databases,
      rolsuper OR rolcreaterole AS roles FROM pg_catalog.pg_roles WHERE rolname = current_user`);
    const name = identifier(me.name);
    const creates = request.ownership.createRoles && missing.length > 0;
    const lacks = [
        ...(me.databases ? [] : [{ what: 'create and rename databases', sql: `ALTER ROLE ${name} CREATEDB;` }]),
        ...(me.roles || !creates ? [] : [{ what: 'create roles', sql: `ALTER ROLE ${name} CREATEROLE;` }]),
        ...(me.superuser ? [] : await readMembershipsLacking(lent, name)),
        ...(await readTemplateLacking(lent)),
    ];
    return { name: me.name, superuser: me.superuser, mayCreateDatabases: me.databases, lacks };
}
async function readMembershipsLacking({ session, name, request, major }, me) {
    const { facts, manifest, ownership } = request;
    const owners = ownership.owner
        ? [manifest.server.owner, ...(facts === undefined ? [] : rolesInSchema(facts, OWNING))]
        : [];
    const others = new Set([...owners, ...(ownership.role === undefined ? [] : [ownership.role])]);
    // From 16 on a member may be one that cannot become the role.
    const become = major >= 16 ? 'SET' : 'MEMBER';
    const cannot = (condition) => session.query(`
      SELECT rolname AS role FROM pg_catalog.pg_roles
      WHERE (${condition}) AND NOT (pg_has_role(oid, 'USAGE') AND pg_has_role(oid, '${become}'))`);
    const given = others.size === 0 ? [] : await cannot(`rolname IN (${[...others].map(literal).join(', ')})`);
    const databaseOwner = await cannot(`oid = (SELECT datdba FROM pg_catalog.pg_database WHERE datname = ${literal(name)})`);
    const line = (what, role) => ({ what, sql: `GRANT ${identifier(role)} TO ${me};` });
    return [
        ...given.map(({ role }) => line(`give objects to ${role}`, role)),
        ...databaseOwner.map(({ role }) => line(`rename or drop the database ${name}, which belongs to ${role}`, role)),
    ];
}
/** A template can be renamed, by nobody be dropped, and new databases may be copies of it. */
async function readTemplateLacking({ session, name }) {
    const templates = await session.query(`SELECT 1 AS one FROM pg_catalog.pg_database WHERE datname = ${literal(name)} AND datistemplate`);
    const what = `rename or drop the database ${name}, which is a template`;
    return templates.map(() => ({ what, sql: `ALTER DATABASE ${identifier(name)} IS_TEMPLATE false;` }));
}
/** Refuses what a restore would otherwise find out at its first grant to a role that is not there. */
async function refuseMissingRoles(lent) {
    const missing = await readMissingRoles(lent);
    if (missing.length === 0)
        return;
    const verb = missing.length === 1 ? 'role' : 'roles';
    throw new core_failure/* Failure */.H('guard-refused', `The target server lacks the ${verb} ${missing.join(', ')}, which the backup needs.`, {
        hint: 'Create them first, let the restore do it with `create-roles: true`, or leave owners and grants out with `owner: false`.',
    });
}
/** Of the backup's roles, but for the one this server was made with, those that log in without a password. Empty where pg_authid is closed to us. */
async function readRolesWithoutPassword(lent) {
    const { session, request } = lent;
    const names = [...new Set([...(request.facts?.roles.map(({ name }) => name) ?? []), ...neededRoles(lent)])];
    const { readable } = await session.one(`SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS readable`);
    if (!readable || names.length === 0)
        return [];
    const rows = await session.query(`
    SELECT rolname AS role FROM pg_catalog.pg_authid
    WHERE rolcanlogin AND rolpassword IS NULL AND oid <> 10 AND rolname IN (${names.map(literal).join(', ')}) ORDER BY 1`);
    // psql asks for it and sends it hashed: it is in no history and no log.
    return rows.map(({ role }) => ({ role, command: `\\password ${identifier(role)}` }));
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-build.js











/** Makes a database of the backup; it is closed to others until it is finished, and gone when that fails. */
async function buildTarget(lent, database, open) {
    const { session, request } = lent;
    target_build_refuseOlder(lent);
    if (await target_databases_hasDatabase(session, database)) {
        throw new core_failure/* Failure */.H('guard-refused', `There is a database ${database} already.`, {
            hint: 'Look what it holds, rename or drop it, and restore again.',
        });
    }
    const target = restoreTarget(lent, database);
    const roles = request.ownership.createRoles ? await createRoles(lent, await globalsOf(target, open)) : [];
    await refuseMissingRoles(lent);
    try {
        await createClosed(lent, database);
        const settings = await applySettings(lent, database);
        const lacked = await dropWhatIsNew(lent, database);
        const restored = await restoreArchives(target, open);
        return [...roles, ...settings, ...lacked, ...restored, ...(await planFinishing(lent, database))];
    }
    catch (error) {
        // What went wrong is what the reader needs; that something was left is said in the log.
        await dropUnfinished(lent).catch((left) => lent.context.log.warning(String(left)));
        throw error;
    }
}
function target_build_refuseOlder({ major, request }) {
    const { server } = request.manifest;
    if (major >= server.major)
        return;
    const message = `The target server is PostgreSQL ${major}; the backup comes from ${server.major}, and no dump goes back to an older major.`;
    throw new core_failure/* Failure */.H('guard-refused', message, { hint: `Restore to a server of major ${server.major} or later.` });
}
function restoreTarget(lent, database) {
    const { client, session, request, folder, context } = lent;
    const { manifest, facts, part, ownership, jobs, signal } = request;
    const { owner, role } = ownership;
    return {
        ...{ client, session, database, manifest, facts, folder, signal, part, ...context },
        tuned: false,
        place: 'target',
        jobs: restoreJobs(manifest, jobs),
        ownership: { owner, ...(role !== undefined && { role }) },
    };
}
/** What every new database has and the source's had lost; not ours to drop where it belongs to the superuser. */
async function dropWhatIsNew(lent, database) {
    try {
        await target_lent_inDatabase(lent, database, (session) => dropWhatSourceLacked(session, lent.request.facts));
        return [];
    }
    catch (error) {
        if (!(error instanceof core_failure/* Failure */.H) || lent.request.signal.aborted)
            throw error;
        return [notApplied('That the schema public or the language plpgsql is gone', error)];
    }
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-connect.js





/** A database cannot be renamed from within. The second where the first is closed to us, or is the target. */
const MAINTENANCE = ['postgres', 'template1'];
const TRY_ANOTHER = /database ".*" does not exist|permission denied for database|not currently accepting connections|no pg_hba\.conf entry/;
/**
 * The control session and a client of the server's major, both at home in a maintenance database. The session of the
 * caller's to close.
 */
async function connectTarget(finder, reaching) {
    const { request, context, silence } = reaching;
    const applicationName = applicationNameOf(request.restoreId);
    const { session: first, home } = await openMaintenance(finder, reaching, applicationName);
    const { server, user } = await readBoth(first).finally(() => first.close());
    const options = shielded(server.major, user.superuser);
    const client = atHome(await findClient(reaching, options, server.major), home);
    const session = await context.connections.open(client, { applicationName, signal: silence }, request.signal);
    return { client, session, major: server.major, user, applicationName };
}
/** Of the server's major or later; where there is none, one that can read the backup will do for a newer server. */
async function findClient({ request, context }, options, major) {
    const given = { program: 'pg_restore', allowNewer: true, options };
    const find = (wanted) => clientForMajor(request.connection, context.env, { ...given, major: wanted });
    return find(major).catch((error) => {
        const { server } = request.manifest;
        if (!(error instanceof core_failure/* Failure */.H) || error.code !== 'tool-version' || server.major >= major)
            throw error;
        return find(server.major);
    });
}
async function readBoth(session) {
    const { server } = await readServerInfo(session);
    const user = await session.one('SELECT rolname AS name, rolsuper AS superuser FROM pg_catalog.pg_roles WHERE rolname = current_user');
    return { server, user };
}
async function openMaintenance(finder, { request, context, silence, name }, applicationName) {
    const homes = MAINTENANCE.filter((home) => home !== name);
    for (const [at, home] of homes.entries()) {
        try {
            const given = { applicationName, signal: silence };
            return { home, session: await context.connections.open(atHome(finder, home), given, request.signal) };
        }
        catch (error) {
            const isLast = at === homes.length - 1;
            if (isLast || !(error instanceof core_failure/* Failure */.H) || !TRY_ANOTHER.test(error.message))
                throw error;
        }
    }
    throw new core_failure/* Failure */.H('source-denied', 'The target server has no database to connect to beside the target.');
}
/** Connects to `home` where no other database is named. */
function atHome(client, home) {
    const { target } = client;
    return { ...client, target: { ...target, dsn: (given) => target.dsn({ database: home, ...given }) } };
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-content.js


/** More takes longer than somebody who looks at a plan wants to wait. */
const MOST_SCANNED_BYTES = 1 << 30;
const TABLES_A_QUERY = 100;
const SEGMENT_BYTES = 1 << 30;
const OWN_RELATIONS = `
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE ${userSchema('n.nspname')} AND ${notMember('pg_class', 'c.oid')}`;
/**
 * What a database holds, and who is connected to it.
 *
 * @param session in that database
 * @param applicationName of connections that are ours
 */
async function readContent(session, database, applicationName) {
    const name = literal(database);
    const { bytes, tables, objects } = await session.one(`
    SELECT pg_database_size(current_database()) AS bytes,
      (SELECT count(*) ${OWN_RELATIONS} AND c.relkind IN ('r', 'p')) AS tables,
      (SELECT count(*) ${OWN_RELATIONS})
        + (SELECT count(*) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
           WHERE ${userSchema('n.nspname')} AND ${notMember('pg_proc', 'p.oid')})
        + (SELECT count(*) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
           WHERE ${userSchema('n.nspname')} AND ${notMember('pg_type', 't.oid')})
        + (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata) AS objects`);
    const named = async (sql) => (await session.query(sql)).map((row) => row.name);
    return {
        bytes,
        tables,
        isEmpty: objects === 0,
        newestWrite: await readNewestWrite(session, bytes),
        connections: await session.query(`
      SELECT coalesce(usename, '') AS user, coalesce(application_name, '') AS application, count(*)::int4 AS count
      FROM pg_catalog.pg_stat_activity
      WHERE datname = ${name} AND usename IS NOT NULL AND application_name <> ${literal(applicationName)}
        AND coalesce(backend_type, 'client backend') = 'client backend'
      GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`),
        slots: await named(`SELECT slot_name AS name FROM pg_catalog.pg_replication_slots WHERE database = ${name} ORDER BY 1`),
        subscriptions: await named(`
      SELECT subname AS name FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
      WHERE d.datname = ${name} ORDER BY 1`),
        publications: await named('SELECT pubname AS name FROM pg_catalog.pg_publication ORDER BY 1'),
        prepared: await session.query(`
      SELECT gid, extract(epoch FROM now() - prepared)::int4 AS seconds
      FROM pg_catalog.pg_prepared_xacts WHERE database = ${name} ORDER BY prepared, gid`),
    };
}
/** By commits where the server keeps their times, else by its files; either may be denied. */
async function readNewestWrite(session, bytes) {
    const { tracked } = await session.one(`SELECT current_setting('track_commit_timestamp')::bool AS tracked`);
    const tries = [
        ...(tracked && bytes <= MOST_SCANNED_BYTES ? [['commits', newestCommit]] : []),
        ['files', newestFile],
    ];
    for (const [from, read] of tries) {
        const at = await read(session).catch(() => null);
        if (at !== null)
            return { at: new Date(at), from };
    }
    return null;
}
/** In milliseconds. Rows that were deleted tell nothing any more. */
async function newestCommit(session) {
    const tables = await session.query(`SELECT n.nspname AS schema, c.relname AS name ${OWN_RELATIONS} AND c.relkind IN ('r', 'm')`);
    let newest = null;
    for (let at = 0; at < tables.length; at += TABLES_A_QUERY) {
        const parts = tables
            .slice(at, at + TABLES_A_QUERY)
            .map(({ schema, name }) => `SELECT max(pg_xact_commit_timestamp(xmin)) AS at FROM ONLY ${identifier(schema)}.${identifier(name)}`);
        const found = await session.one(`SELECT floor(extract(epoch FROM max(at)) * 1000)::int8 AS at FROM (${parts.join(' UNION ALL ')}) AS each`);
        if (found.at !== null)
            newest = Math.max(newest ?? 0, found.at);
    }
    return newest;
}
/** In milliseconds: when the server last wrote rows of a table to disk, which it does with each checkpoint. */
async function newestFile(session) {
    const { at } = await session.one(`
    SELECT floor(extract(epoch FROM max((pg_stat_file(f.path, true)).modification)) * 1000)::int8 AS at
    FROM (SELECT pg_relation_filepath(c.oid) || CASE WHEN part > 0 THEN '.' || part ELSE '' END AS path
      FROM pg_catalog.pg_class c, generate_series(0, pg_relation_size(c.oid) / ${SEGMENT_BYTES}) AS part
      WHERE c.oid IN (SELECT c.oid ${OWN_RELATIONS} AND c.relkind IN ('r', 'm', 'S'))) AS f`);
    return at;
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-disk.js






/**
 * Free bytes where the server keeps its data, when that is on this machine and surely this server's: a wrong number
 * is worse than none.
 */
async function readFreeSpace(session, client) {
    const place = await session.one(`
    SELECT (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory') AS folder,
      pg_backend_pid() AS pid, floor(extract(epoch FROM pg_postmaster_start_time()))::int8 AS "startedAt"`);
    if (!(await isHere(session.host)))
        return unknown(`the server is on another machine (${session.host})`);
    const { folder } = place;
    if (folder === null)
        return unknown('this role may not read `data_directory` (GRANT pg_read_all_settings allows it)');
    if (client.wrapped)
        return askDf(client, folder);
    const isFolder = await (0,external_node_fs_promises_.stat)(folder).then((state) => state.isDirectory(), () => false);
    if (!isFolder)
        return unknown(`its folder ${folder} is not on this machine: it runs in a container`);
    if (!(await isOfServer(folder, place)))
        return unknown(`it cannot be told from here whether ${folder} on this machine is its folder`);
    return { freeBytes: await freeBytesOf(folder), freeUnknown: undefined };
}
function unknown(why) {
    return { freeBytes: null, freeUnknown: why };
}
async function isHere(host) {
    if (host === '' || host.startsWith('/') || host.startsWith('@'))
        return true;
    const own = new Set(Object.values((0,external_node_os_.networkInterfaces)()).flatMap((all) => all?.map(({ address }) => address) ?? []));
    const found = await (0,external_node_dns_promises_.lookup)(host, { all: true }).catch(() => []);
    return found.some(({ address }) => own.has(address) || /^(127\.|::1$)/.test(address));
}
/** Its own word in the folder, or, where that is closed to us, our backend among the processes of this machine. */
async function isOfServer(folder, { pid, startedAt }) {
    const said = await (0,external_node_fs_promises_.readFile)((0,external_node_path_.join)(folder, 'postmaster.pid'), 'utf8').catch(() => undefined);
    // The third line is when it started, in seconds.
    if (said !== undefined)
        return Math.abs(Number(said.split('\n')[2]) - startedAt) <= 1;
    const words = await (0,external_node_fs_promises_.readFile)(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return words.startsWith('postgres:');
}
/** Where the programs run, in the words of POSIX: kilobytes available in the fourth column. */
async function askDf(client, folder) {
    const command = client.command('sh', ['-c', 'test -d "$0" && df -Pk "$0"', folder], { LC_ALL: 'C' });
    const said = await (0,short_command/* askProgram */.a)(command).catch(() => '');
    const kilobytes = Number(said.trim().split('\n').at(-1)?.split(/\s+/)[3]);
    if (!Number.isFinite(kilobytes))
        return unknown(`\`df\` behind \`tools-prefix\` does not know ${folder}`);
    return { freeBytes: kilobytes * 1024, freeUnknown: undefined };
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-inspect.js







/** What is on the server now; reads only. */
async function inspectTarget(lent) {
    const { session, client, name, request, applicationName } = lent;
    const exists = await target_databases_hasDatabase(session, name);
    const { server } = await readServerInfo(session, exists ? name : undefined);
    const missing = await readMissingRoles(lent);
    const content = (inside) => readContent(inside, name, applicationName);
    const wanted = request.facts?.extensions.map((one) => one.name) ?? [];
    return {
        server: { ...server, database: name },
        user: await readUser(lent, missing),
        location: client.target.hasAddress ? client.target.label : whereItLed(server, name),
        database: exists ? await aboutTarget(target_lent_inDatabase(lent, name, content)) : undefined,
        ...(await readFreeSpace(session, client)),
        missingRoles: missing,
        missingExtensions: await readMissingExtensions(lent, wanted),
        leftDatabases: (await listDatabases(session, name)).flatMap(({ name: left, mark, bytes }) => mark === undefined || lent.building.has(left) ? [] : [{ name: left, what: mark.what, bytes }]),
    };
}
/** Whoever confirms a restore must see which server the environment chose. */
function whereItLed({ host, port }, name) {
    return `${host}${port === null ? '' : `:${port}`}/${name}`;
}
async function readMissingExtensions({ session }, wanted) {
    const there = await session.query('SELECT name FROM pg_catalog.pg_available_extensions');
    return wanted.filter((name) => !there.some((one) => one.name === name));
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-lock.js


/**
 * Takes the lock of the target for as long as the control session lives: an advisory lock in the maintenance
 * database, which ends with its holder, however that dies.
 *
 * @throws {Failure} `guard-refused`, saying who holds it
 */
async function lockTarget(lent) {
    if (lent.isLocked)
        return;
    const { session, name } = lent;
    const key = advisoryKey(`lifeboat restore ${name}`);
    const { taken } = await session.one(`SELECT pg_try_advisory_lock(${key}) AS taken`);
    lent.isLocked = taken;
    if (taken)
        return;
    const who = describeHolder(await holderOf(session, key));
    throw new core_failure/* Failure */.H('guard-refused', `The database ${name} is being restored by ${who}.`, {
        hint: 'Let that restore come to its end, or end it, and restore again.',
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-reading.js




/** Facts of the tables that the backup's facts name. */
function readFactsOf(lent, database, level) {
    const { client, request, context } = lent;
    const { facts, part, signal } = request;
    const manifest = part === 'schema' ? { ...request.manifest, scope: 'schema' } : request.manifest;
    return checksOf({ client, database, manifest, facts, signal, ...context }).readFacts(level);
}
/** Null for what is not there or may not be read. */
async function countTables(lent, database, tables) {
    return target_lent_inDatabase(lent, database, async (session) => {
        const rows = [];
        for (const table of tables) {
            const found = await session
                .one(`SELECT count(*) AS rows FROM ${quoted(table)}`)
                .catch((error) => {
                if (error instanceof core_failure/* Failure */.H && !lent.request.signal.aborted)
                    return { rows: null };
                throw error;
            });
            rows.push({ table, rows: found.rows });
        }
        return rows;
    });
}
/** A name as facts write it, `shop.orders` or `"My Shop"."Orders"`; never any other SQL. */
function quoted(table) {
    const parts = table.match(/"(?:[^"]|"")*"|[^".]+/g) ?? [];
    return parts.map((part) => (part.startsWith('"') ? part : identifier(part))).join('.');
}
async function analyzeDatabase(lent, database) {
    await target_lent_inDatabase(lent, database, (session) => session.execute('ANALYZE'));
}
async function reindexDatabase(lent, database) {
    await target_lent_inDatabase(lent, database, (session) => session.execute(`REINDEX DATABASE ${identifier(database)}`));
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target-swap.js






/** A try waits five seconds in the server for connections to end. */
const TRIES = 4;
const BETWEEN_MS = 100;
const BUSY = /is being accessed by other users|lock timeout/;
/** Puts `restored` in the place of the target, which is kept as `keepAs`. */
async function swapDatabases(lent, restored, keepAs) {
    const { session, name, request } = lent;
    await refuseTaken(session, keepAs);
    await refusePrepared(session, [name, restored]);
    const [old] = (await listDatabases(session, name)).filter((one) => one.name === name);
    const comment = old?.mark === undefined ? (old?.comment ?? null) : null;
    const { since } = await session.one(`SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since`);
    const mark = keptMark({ target: name, restore: request.restoreId, since, comment });
    const [kept, target] = [identifier(keepAs), identifier(name)];
    const statements = [
        `ALTER DATABASE ${target} RENAME TO ${kept}`,
        `ALTER DATABASE ${identifier(restored)} RENAME TO ${target}`,
        ...(lent.building.get(restored) ?? []).map((statement) => statement(target)),
        `COMMENT ON DATABASE ${kept} IS ${literal(mark)}`,
        `COMMENT ON DATABASE ${target} IS ${comment === null ? 'NULL' : literal(comment)}`,
    ];
    const ended = await inOneTransaction(lent, { databases: [name, restored], restored, statements });
    lent.building.delete(restored);
    return { ended };
}
/** Gives `database` the target's name, finished: whoever is killed leaves it marked as unfinished, or in its place. */
async function renameToTarget(lent, database) {
    const { session, name, building } = lent;
    await refuseTaken(session, name);
    await refusePrepared(session, [database]);
    const target = identifier(name);
    const statements = [
        `ALTER DATABASE ${identifier(database)} RENAME TO ${target}`,
        ...(building.get(database) ?? []).map((statement) => statement(target)),
        `COMMENT ON DATABASE ${target} IS NULL`,
    ];
    await inOneTransaction(lent, { databases: [database], restored: database, statements });
    building.delete(database);
}
/** Takes the mark off and lets connections in. */
async function finishDatabase(lent, database) {
    const statements = lent.building.get(database);
    if (statements === undefined)
        return;
    const name = identifier(database);
    const all = [...statements.map((statement) => statement(name)), `COMMENT ON DATABASE ${name} IS NULL`];
    await transact(lent.session, all);
    lent.building.delete(database);
}
/** The same for one that stays beside the target: its mark says why. */
async function keepDatabase(lent, database, why) {
    const statements = lent.building.get(database);
    if (statements === undefined)
        return;
    const name = identifier(database);
    const mark = leftMark({ target: lent.name, restore: lent.request.restoreId, why });
    const all = [...statements.map((statement) => statement(name)), `COMMENT ON DATABASE ${name} IS ${literal(mark)}`];
    await transact(lent.session, all);
    lent.building.delete(database);
}
async function refuseTaken(session, name) {
    if (!(await target_databases_hasDatabase(session, name)))
        return;
    throw new core_failure/* Failure */.H('guard-refused', `There is a database ${name} already.`, {
        hint: 'Look what it holds, rename or drop it, and try again.',
    });
}
async function refusePrepared(session, databases) {
    const prepared = await session.query(`
    SELECT gid, database FROM pg_catalog.pg_prepared_xacts WHERE database IN (${databases.map(literal).join(', ')})`);
    if (prepared.length === 0)
        return;
    const named = prepared.map(({ gid, database }) => `${gid} in ${database}`).join(', ');
    const commands = prepared.map(({ gid }) => `ROLLBACK PREPARED ${literal(gid)}; (or COMMIT PREPARED)`).join(' ');
    throw new core_failure/* Failure */.H('guard-refused', `Prepared transactions keep a database from being renamed: ${named}.`, {
        hint: `Whoever prepared them must end them. In that database: ${commands}`,
    });
}
async function transact(session, statements) {
    await session.execute('BEGIN');
    try {
        await session.execute(`SET LOCAL lock_timeout = '5s'`);
        for (const statement of statements)
            await session.execute(statement);
        await session.execute('COMMIT');
    }
    catch (error) {
        await session.execute('ROLLBACK').catch(() => { }); // of a session that ended the server does it
        throw error;
    }
}
/**
 * Renames while nobody is connected. The rename itself takes a lock that new connections wait for, and then waits a few
 * seconds for those that are there, which another session ends meanwhile: a client that connects again in a loop cannot
 * get between. Nothing but the transaction closes the databases, so that whoever is killed leaves them open.
 *
 * @returns how many connections were ended
 */
async function inOneTransaction(lent, { databases, restored, statements }) {
    const { session, request } = lent;
    const beside = await openBeside(lent);
    const ended = new Set();
    try {
        for (let tries = 1;; tries += 1) {
            request.signal.throwIfAborted();
            const over = new AbortController();
            const ending = keepEnding(beside, { databases, ended, over: over.signal });
            try {
                await transact(session, statements);
                return ended.size;
            }
            catch (error) {
                if (await isRenamedAllTheSame(lent, { databases, restored, error }))
                    return ended.size;
                if (!(error instanceof core_failure/* Failure */.H) || !BUSY.test(error.message))
                    throw notRenamed(databases, error);
                if (tries === TRIES)
                    throw await stuck(beside, databases, error);
            }
            finally {
                over.abort();
                await ending;
            }
        }
    }
    finally {
        await beside.close();
    }
}
/**
 * A connection that is cut while it commits does not say how that ended: the server is asked anew.
 *
 * @throws {Failure} `target-failed` when nobody can tell
 */
async function isRenamedAllTheSame(lent, { databases, restored, error }) {
    if (await lent.session.query('SELECT 1 AS one').catch(() => undefined))
        return false;
    const there = await onNewSession(lent, (session) => target_databases_hasDatabase(session, restored)).catch((cause) => {
        const message = `The connection was lost while ${databases.join(' and ')} were renamed, and nobody can tell whether they were: ${(0,core_failure/* messageOf */.b)(error)}`;
        throw new core_failure/* Failure */.H('target-failed', message, {
            cause,
            hint: `Once the server answers, look which databases there are (\`psql -l\`): they were renamed if there is no ${restored} any more. It was one transaction: both were, or none.`,
        });
    });
    return !there;
}
function notRenamed(databases, error) {
    if (!(error instanceof core_failure/* Failure */.H) || error.code === 'stalled')
        return error;
    const message = `${databases.join(' and ')} could not be renamed, and nothing was changed: ${error.message}`;
    return new core_failure/* Failure */.H('target-failed', message, {
        cause: error,
        hint: 'Renaming needs CREATEDB and the rights of the owner of each database: GRANT <owner> TO <role>, or give a superuser in `target-url`.',
    });
}
async function keepEnding(session, { databases, ended, over }) {
    while (!over.aborted) {
        for (const { pid } of await connectionsTo(session, databases).catch(() => [])) {
            // Each by itself: one that we may not end must not save the others.
            const [answer] = await session
                .query(`SELECT pg_terminate_backend(${pid}) AS ok`)
                .catch(() => []);
            if (answer?.ok)
                ended.add(pid);
        }
        await (0,promises_.setTimeout)(BETWEEN_MS, undefined, { signal: over }).catch(() => { });
    }
}
function connectionsTo(session, databases) {
    return session.query(`
    SELECT pid, usename AS user, application_name AS application, state FROM pg_catalog.pg_stat_activity
    WHERE datname IN (${databases.map(literal).join(', ')}) AND pid <> pg_backend_pid() ORDER BY pid`);
}
async function stuck(session, databases, cause) {
    const left = await connectionsTo(session, databases).catch(() => []);
    const named = left.map(({ pid, user, application, state }) => [`pid ${pid}`, `role ${user ?? 'unknown'}`, application, state].filter(Boolean).join(', '));
    const message = `${databases.join(' and ')} could not be renamed, and nothing was changed: connections to them did not end (${named.join('; ') || cause.message}).`;
    const commands = left.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`).join(' ');
    return new core_failure/* Failure */.H('target-failed', message, {
        cause,
        hint: `Stop the application that holds them, or end them as a superuser: ${commands} A process that does not even end then waits for the system (its disk, its network); look at it on the server.`,
    });
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/target.js















/**
 * Lends the server that a restore works on. What was made there and not finished is gone when `use` settles.
 *
 * @throws {Failure} `source-unreachable`, `source-denied`, `tool-missing`, `stalled`
 */
async function withTarget(request, context, use) {
    const finder = await aboutTarget(anyClient(request.connection, context.env));
    const name = targetName(finder, context.env);
    const { stallMs, signal } = request;
    let ask;
    const heartbeat = {
        ask: async (over) => {
            if (ask === undefined)
                throw new Error('Not connected yet.');
            await ask(over);
        },
        fellSilent: () => target_silent(finder.target.label, stallMs),
        ...{ stallMs, signal },
    };
    return whileAnswering(heartbeat, async (alive) => {
        const reaching = { request: { ...request, signal: alive.signal }, context, silence: alive.silence, name };
        const connected = await aboutTarget(connectTarget(finder, reaching));
        ask = askAnew(connected.client);
        return lend(reaching, connected, use);
    });
}
function targetName({ target }, env) {
    const name = target.database ?? env.PGDATABASE;
    if (name !== undefined && Buffer.byteLength(name) > restore_names/* LONGEST_NAME */.B6)
        throw new core_failure/* Failure */.H('invalid-input', `The name of the database in \`target-url\` is longer than ${restore_names/* LONGEST_NAME */.B6} bytes: ${name}.`, {
            hint: 'PostgreSQL would cut it without a word. Give the name as it is on the server (`psql -l`), or a shorter one.',
        });
    if (name !== undefined && name !== '')
        return name;
    throw new core_failure/* Failure */.H('invalid-input', '`target-url` names no database.', {
        hint: 'End it with the name of the database to restore: postgresql://user@host:5432/shop. It need not exist.',
    });
}
function target_silent(where, stallMs) {
    return new core_failure/* Failure */.H('stalled', `The target server (${where}) gave no answer for ${(0,duration/* formatDuration */.a3)(stallMs)}.`, {
        hint: 'That server or the network to it hangs: look at both, and restore again. If it is only slow, raise `stall-timeout`.',
    });
}
async function lend(reaching, connected, use) {
    const { request, context } = reaching;
    const { session } = connected;
    try {
        const folder = await makeScratchDir(request.scratchDir, `restore-${request.restoreId.toLowerCase()}`, 0);
        const state = { folder: folder.path, building: new Map(), isLocked: false };
        const lent = { ...reaching, ...connected, ...state };
        try {
            return await useAndTidy(lent, use);
        }
        finally {
            await folder.remove().catch((error) => context.log.warning(String(error)));
        }
    }
    finally {
        await session.close();
    }
}
async function useAndTidy(lent, use) {
    let isDone = false;
    try {
        const used = await use(target_describe(lent));
        isDone = true;
        return used;
    }
    finally {
        await dropUnfinished(lent).catch((error) => {
            if (isDone)
                throw error;
            // What went wrong before is what the reader needs.
            lent.context.log.warning(error instanceof Error ? error.message : String(error));
        });
    }
}
function target_describe(lent) {
    /** Nothing is changed without the lock. */
    const locked = (change) => lockTarget(lent).then(change);
    return {
        name: lent.name,
        inspect: () => inspectTarget(lent),
        lock: () => lockTarget(lent),
        dropLeft: () => locked(() => dropLeft(lent)),
        build: (database, open) => locked(() => buildTarget(lent, database, open)),
        readFacts: (database, level) => readFactsOf(lent, database, level),
        countRows: (database, tables) => countTables(lent, database, tables),
        analyze: (database) => analyzeDatabase(lent, database),
        reindex: (database) => reindexDatabase(lent, database),
        keep: (database, why) => locked(() => keepDatabase(lent, database, why)),
        finish: (database) => locked(() => finishDatabase(lent, database)),
        swap: (restored, keepAs) => locked(() => swapDatabases(lent, restored, keepAs)),
        rename: (database) => locked(() => renameToTarget(lent, database)),
        drop: (database) => locked(() => dropNamed(lent, database)),
        rolesWithoutPassword: () => readRolesWithoutPassword(lent),
    };
}

;// CONCATENATED MODULE: ./lib/engines/postgresql/engine.js






















const END_BACKENDS_MS = 3_000;
/** PostgreSQL through its own programs: psql, pg_dump, pg_dumpall, pg_restore, initdb, postgres. */
function postgresql(context) {
    const connections = connecting(context);
    return {
        name: 'postgresql',
        withSnapshot: (request, use) => withSnapshot(request, { ...context, connections }, use),
        withScratch: (request, use) => withScratch(request, context, use, connections),
        inspectDump: (path, given) => inspectDump(path, { ...given, env: context.env }),
        withAdopted: (request, use) => withAdopted(request, context, (dump, env, useSnapshot) => withSnapshot(dump, { ...context, env, connections }, useSnapshot), use),
        withTarget: (request, use) => withTarget(request, { ...context, connections }, use),
        loadTables: (request) => loadTables(request, { ...context, connections }),
        administer: (connection, statements, signal) => administer(connection, statements, { ...context, connections }, signal),
        examine: (request) => examine(request, { ...context, connections }),
        removeLeftovers: (scratchDir) => removeLeftovers(scratchDir, context),
        retries: () => connections.retries(),
    };
}
async function withSnapshot(request, context, use) {
    const finder = await anyClient(request.connection, context.env);
    // It may be waiting for a lock.
    const stallMs = request.stallMs + request.tableLockTimeoutMs;
    let control;
    const heartbeat = {
        // Not on one more connection, since a role may have few. One that was ended is not silent; and as long as there is
        // none, connecting has limits of its own, and its retries take their time.
        ask: async () => void (await control?.one('SELECT 1 AS alive').catch(() => { })),
        stallMs,
        signal: request.signal,
        fellSilent: () => engine_silent(stallMs),
    };
    return whileAnswering(heartbeat, async ({ signal, silence }) => {
        const applicationName = makeApplicationName(request.holder);
        // Not bound to the signal: it is what ends our other backends when we are cancelled.
        control = await context.connections.open(finder, { applicationName, signal: silence }, request.signal);
        return await lockAndUse({ ...request, signal }, context, { control, applicationName }, use);
    });
}
function engine_silent(stallMs) {
    return new core_failure/* Failure */.H('stalled', `The database server gave no answer for ${(0,duration/* formatDuration */.a3)(stallMs)}.`, {
        hint: 'The database server or the network to it hangs. Look at its activity, or raise `stall-timeout`.',
    });
}
async function lockAndUse(request, context, { control, applicationName }, use) {
    const over = new AbortController();
    const signal = AbortSignal.any([request.signal, over.signal]);
    try {
        const { source, lockTimeoutMs: waitMs } = request;
        await lockSource(control, { source, waitMs, signal: request.signal, log: context.log });
        await control.execute(`SET lock_timeout = ${lockWaitMs(request)}`);
        return await useSnapshot({ request: { ...request, signal }, context, control, applicationName }, use);
    }
    finally {
        over.abort();
        await endBackends(control, applicationName, context.log);
        await control.close();
    }
}
/** A server that says nothing any more must not keep a step that has failed because of it. */
async function endBackends(control, applicationName, log) {
    const ended = endOwnBackends(control, applicationName).catch((error) => log.debug(`Own connections could not be ended: ${error}`));
    await Promise.race([ended, (0,promises_.setTimeout)(END_BACKENDS_MS, undefined, { ref: false })]);
}
async function useSnapshot(run, use) {
    const { request, context, control, applicationName } = run;
    const info = await readServerInfo(control);
    const { major } = info.server;
    const client = await clientForMajor(request.connection, context.env, {
        major,
        program: 'pg_dump',
        allowNewer: request.allowNewerClient,
    });
    const clockOffsetSeconds = await readClockOffset(control, context);
    const sequencesBefore = await readSequences(control);
    const guard = await takeGuardedSnapshot(client, control, request, { applicationName, ...context });
    try {
        return await use(await engine_describe(run, { info, client, clockOffsetSeconds, sequencesBefore, guard }));
    }
    catch (error) {
        throw await whyLost(guard, error);
    }
    finally {
        await guard.close();
    }
}
/** Whoever comes too late for a snapshot learns only that it is gone; the session that held it knows why. */
async function whyLost(guard, error) {
    if (!(error instanceof core_failure/* Failure */.H) || !SNAPSHOT_LOST.test(error.message))
        return error;
    return guard.confirm().then(() => error, (why) => why);
}
async function engine_describe(run, taken) {
    const { request, context, control, applicationName } = run;
    const { info, client, guard } = taken;
    const { selected, snapshotId, sizes } = guard;
    const { standby } = info.server;
    await refuseDependents(control, selected.excluded);
    const globals = await readGlobals(client, control, { ...request, applicationName });
    const { bytes } = await control.one('SELECT pg_database_size(current_database()) AS bytes');
    const unlogged = selected.dumped.some((one) => one.unlogged);
    return {
        server: { ...info.server, clockOffsetSeconds: taken.clockOffsetSeconds },
        takenAt: guard.takenAt,
        client: await versionOf(client),
        databaseBytes: bytes,
        tables: selected.dumped.length,
        findings: [...guard.findings, ...globals.findings],
        leftOut: await listLeftOut(control, request, { selected, superuser: info.superuser, standby, unlogged }),
        streams: planStreams({
            client,
            request,
            env: context.env,
            snapshotId,
            encoding: await readDumpEncoding(control, info.server.encoding),
            applicationName,
            selected,
            sizes,
            globals: globals.text,
        }),
        readFacts: () => factsInSnapshot(run, taken),
        finish: (facts) => finishFacts(run, taken, facts),
    };
}
async function factsInSnapshot(run, taken) {
    const { request, applicationName } = run;
    const { selected, snapshotId } = taken.guard;
    if (request.facts === 'none')
        return undefined;
    const session = await openInSnapshot(taken.client, snapshotId, request, {
        applicationName,
        connections: run.context.connections,
    });
    try {
        const unloggedRows = !taken.info.server.standby;
        return await readFacts(session, {
            level: request.facts,
            tables: selected.dumped,
            excluded: selected.excluded,
            withoutRows: selected.withoutRows,
            scope: request.scope,
            unloggedRows,
        });
    }
    finally {
        await session.close();
    }
}
async function finishFacts(run, taken, facts) {
    await taken.guard.confirm();
    if (facts === undefined)
        return { facts, findings: [] };
    return mergeSequences(facts, taken.sequencesBefore, await readSequences(run.control));
}
/** Server minus runner, in seconds, by the middle of one round trip. */
async function readClockOffset(session, context) {
    const asked = context.now().getTime();
    const { at } = await session.one('SELECT extract(epoch FROM clock_timestamp())::float8 AS at');
    const middle = (asked + context.now().getTime()) / 2;
    return Math.round(at - middle / 1000);
}
async function versionOf(client) {
    const answer = await (0,short_command/* askProgram */.a)(client.command('pg_dump', ['--version']));
    return `pg_dump ${parseVersion(answer) ?? answer.trim()}`;
}


/***/ })

};
