import { pipeline, Readable, Transform } from 'node:stream';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Small enough that also a slow line takes one in a few seconds. */
const SLICE_BYTES = 128 * 1024;

/** Options of one call; the client passes them on to its handler. */
export type CallOptions = NonNullable<Parameters<NodeHttpHandler['handle']>[1]> & {
  /** Called whenever the connection takes or gives some bytes. */
  readonly onLife?: () => void;
};

/** Sends like its base, and tells of every slice that went out: a part may be larger than a minute's worth of a line. */
export class LifeHandler extends NodeHttpHandler {
  override async handle(request: Parameters<NodeHttpHandler['handle']>[0], options: CallOptions = {}) {
    const { onLife } = options;
    if (onLife === undefined) return super.handle(request, options);
    const sliced: typeof request = Object.assign(Object.create(Object.getPrototypeOf(request)), request);
    if (Buffer.isBuffer(request.body)) sliced.body = Readable.from(slicesOf(request.body, onLife));
    const { response } = await super.handle(sliced, options);
    onLife();
    // A store that needs long for many parts keeps the line alive with white space.
    if (response.body instanceof Readable) response.body = listenedTo(response.body, onLife);
    return { response };
  }
}

function* slicesOf(bytes: Buffer, onLife: () => void): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    onLife();
    yield bytes.subarray(at, at + SLICE_BYTES);
  }
}

function listenedTo(body: Readable, onLife: () => void): Readable {
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onLife();
      done(null, chunk);
    },
  });
  return pipeline(body, through, () => {});
}
