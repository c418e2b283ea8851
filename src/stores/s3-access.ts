import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { s3Failure } from './s3-errors.ts';
import { LifeHandler } from './s3-life.ts';
import type { S3Place } from './store-url.ts';

/** The first try and three more; together they may take as long as one stall. */
const ATTEMPTS = 4;
const CONNECT_MS = 10_000;

export interface S3Context {
  readonly env: NodeJS.ProcessEnv;
  readonly stallMs: number;
  readonly now: () => Date;
}

/** One bucket and prefix with the client for it; every call goes through here, so every error is explained. */
export class S3Access {
  readonly client: S3Client;
  readonly place: S3Place;
  readonly now: () => Date;
  /** Not AWS itself: stores that came after it refuse the checksums it has added since. */
  readonly isCustom: boolean;
  /** Requests that were sent again, by the SDK or by ourselves. */
  retries = 0;

  constructor(place: S3Place, context: S3Context) {
    const endpoint = place.endpoint ?? context.env.AWS_ENDPOINT_URL_S3 ?? context.env.AWS_ENDPOINT_URL;
    this.place = place;
    this.now = context.now;
    this.isCustom = endpoint !== undefined;
    this.client = makeClient(place, endpoint, context);
    countRetries(this);
  }

  /** Runs one call; its errors become failures that name the permission. */
  async call<T>(permission: string, send: (client: S3Client) => Promise<T>, key?: string): Promise<T> {
    try {
      return await send(this.client);
    } catch (error) {
      throw s3Failure(error, { permission, location: this.place.location, key });
    }
  }

  /** The name of a key within the bucket. */
  full(key: string): string {
    return this.place.root + key;
  }

  /** The key of a name within the bucket. */
  relative(name: string): string {
    return name.slice(this.place.root.length);
  }
}

/** As they are sent, since a call that is given up in between tells of none. One function for each call, run at each try. */
function countRetries(access: S3Access): void {
  access.client.middlewareStack.add(
    (next) => {
      let tries = 0;
      return (args) => {
        tries += 1;
        if (tries > 1) access.retries += 1;
        return next(args);
      };
    },
    { step: 'deserialize', name: 'countRetries' },
  );
}

function makeClient(place: S3Place, endpoint: string | undefined, context: S3Context): S3Client {
  const { env } = context;
  const region = place.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? (endpoint && 'us-east-1');
  return new S3Client({
    ...(region && { region }),
    ...(endpoint && {
      endpoint,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
    forcePathStyle: place.pathStyle,
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    requestHandler: makeHandler(env, Math.max(1_000, Math.floor(context.stallMs / ATTEMPTS))),
  });
}

/** The SDK's own agents ignore `https_proxy`; node's honour it when they are asked to. */
function makeHandler(env: NodeJS.ProcessEnv, idleMs: number): LifeHandler {
  const options = { keepAlive: true, maxSockets: 50, proxyEnv: env };
  return new LifeHandler({
    httpAgent: new HttpAgent(options),
    httpsAgent: new HttpsAgent(options),
    connectionTimeout: Math.min(CONNECT_MS, idleMs),
    socketTimeout: idleMs,
  });
}
