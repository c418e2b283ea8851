import { thawCommand } from '../core/archived.ts';
import { Failure, type FailureCode } from '../core/failure.ts';
import { UNTRUSTED } from '../core/untrusted.ts';

export interface S3Call {
  /** The permission the call needs, which is also its name: `s3:PutObject`. */
  readonly permission: string;
  readonly location: string;
  /** What was asked for, when it is one object. */
  readonly key?: string | undefined;
}

interface Meaning {
  readonly code: FailureCode;
  readonly hint: string;
}

const KEYS =
  'Check the access key and its secret (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`) and that they belong to this endpoint.';
const SESSION =
  'The session must outlive the job: raise `role-duration-seconds` of aws-actions/configure-aws-credentials and the maximum session duration of the role.';
const NETWORK =
  'Check the endpoint, the name servers, the proxy (`https_proxy`, `no_proxy`) and the firewall of the runner.';
const REGION = 'Give the region of the bucket in the store URL: `?region=eu-central-1`.';
const CERTIFICATE = 'The certificate of the endpoint is not trusted: give its CA in `NODE_EXTRA_CA_CERTS`.';
const PARAMETERS =
  'Check the parameters of the store URL (storage-class, sse, object-lock) against what the bucket allows.';
const FULL = 'Raise the quota of the bucket or user, or prune older backups first.';
const BUSY = 'The store had a problem of its own, and retries did not help: try again later.';
const BUCKET = 'Create the bucket, or check its name, the region and the endpoint in the store URL.';

const denied = (hint: string): Meaning => ({ code: 'store-denied', hint });
const unavailable = (hint: string): Meaning => ({ code: 'store-unavailable', hint });

const MEANINGS: Record<string, Meaning> = {
  NoSuchBucket: { code: 'store-missing', hint: BUCKET },
  NoSuchKey: { code: 'not-found', hint: 'It was removed, or never written.' },
  NotFound: { code: 'not-found', hint: 'It was removed, or never written.' },
  PreconditionFailed: {
    code: 'artifact-corrupt',
    hint: 'The object was replaced while it was read, though objects are written once: find out who else writes there.',
  },
  InvalidAccessKeyId: denied(KEYS),
  SignatureDoesNotMatch: denied(KEYS),
  InvalidSecurity: denied(KEYS),
  ExpiredToken: denied(SESSION),
  ExpiredTokenException: denied(SESSION),
  TokenRefreshRequired: denied(SESSION),
  RequestExpired: denied(SESSION),
  InvalidToken: denied(`The session token is not valid. ${SESSION}`),
  CredentialsProviderError: denied(
    'Run aws-actions/configure-aws-credentials in an earlier step, or set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` from secrets.',
  ),
  RequestTimeTooSkewed: denied(
    'The clock of the runner is wrong: switch on time synchronisation (chrony, systemd-timesyncd).',
  ),
  PermanentRedirect: unavailable(REGION),
  TemporaryRedirect: unavailable(REGION),
  AuthorizationHeaderMalformed: unavailable(REGION),
  IllegalLocationConstraintException: unavailable(REGION),
  QuotaExceeded: { code: 'store-full', hint: FULL },
  EntityTooLarge: { code: 'store-full', hint: 'The store takes no object or part of this size: see `max-parts`.' },
  InsufficientStorage: { code: 'store-full', hint: FULL },
  XMinioStorageFull: { code: 'store-full', hint: FULL },
  InvalidStorageClass: denied(PARAMETERS),
  InvalidArgument: denied(PARAMETERS),
  InvalidRequest: denied(PARAMETERS),
  NotImplemented: denied(
    'The store does not know this call: leave out storage-class, sse or object-lock if the URL has them.',
  ),
  TimeoutError: unavailable(NETWORK),
};

/** What the SDK and its network layer say, read without trusting any of it to be there. */
function factsOf(error: unknown): { name: string; errno: string; message: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: '', errno: '', message: String(error), status: undefined };
  const { $metadata, code, Code } = error as {
    $metadata?: { httpStatusCode?: number };
    code?: unknown;
    Code?: unknown;
  };
  const errno = typeof code === 'string' ? code : '';
  const name = typeof Code === 'string' ? Code : error.name;
  return { name, errno, message: error.message || errno || name, status: $metadata?.httpStatusCode };
}

export function statusOf(error: unknown): number | undefined {
  return factsOf(error).status;
}

/** The error code of S3 (`NoSuchKey`), or the name of an error of the SDK. */
export function nameOf(error: unknown): string {
  return factsOf(error).name;
}

/** For `catch`: turns the errors meant into undefined, and lets the others go on. */
export function undefinedWhere(isMeant: (error: unknown) => boolean): (error: unknown) => undefined {
  return (error) => {
    if (isMeant(error)) return undefined;
    throw error;
  };
}

/** Any error of the SDK as a failure that says which call it was and what to do. */
export function s3Failure(error: unknown, call: S3Call): Failure {
  if (error instanceof Failure) return error;
  const { code, hint } = meaningOf(error, call);
  const { name, message, status } = factsOf(error);
  const object = call.key === undefined ? '' : ` of ${call.key}`;
  // HEAD has no body, so the SDK can only say "UnknownError" there; the status says more.
  const what = /^(UnknownError|Unknown|Error|\d*)$/.test(name) && status !== undefined ? `HTTP ${status}` : name;
  const text = message === name || message === 'UnknownError' || message === '' ? what : `${what}: ${message}`;
  return new Failure(code, `${call.permission}${object} failed on ${call.location}: ${text}`, { hint, cause: error });
}

function frozen({ location, key = '' }: S3Call): Meaning {
  const hint = `It lies in an archive class. Thaw it, wait until that is done (minutes to two days), then try again: ${thawCommand(location, key)}`;
  return { code: 'archived', hint };
}

function meaningOf(error: unknown, call: S3Call): Meaning {
  const { name, errno, message, status } = factsOf(error);
  if (name === 'InvalidObjectState') return frozen(call);
  const known = MEANINGS[name];
  if (known !== undefined) return known;
  if (/^KMS/i.test(name))
    return denied('Check the KMS key: `kms:GenerateDataKey` and `kms:Decrypt` for this role, and that it is enabled.');
  if (UNTRUSTED.test(errno)) return unavailable(CERTIFICATE);
  if (/^Region is missing/.test(message)) return unavailable(REGION);
  if (status === 301 || status === 307) return unavailable(REGION);
  if (status === 403 || status === 401) {
    // Without s3:ListBucket, S3 answers 403 and not 404 for a key that does not exist.
    const needed = call.permission === 's3:GetObject' ? '`s3:GetObject` and `s3:ListBucket`' : `\`${call.permission}\``;
    return denied(`Allow ${needed} on the bucket and its objects for the role or user of this job.`);
  }
  if (status === 404) return { code: 'not-found', hint: BUCKET };
  if (status === 507) return { code: 'store-full', hint: FULL };
  return unavailable(status === undefined ? NETWORK : BUSY);
}
