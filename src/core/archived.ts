import { Failure } from './failure.ts';

/** Classes whose objects cannot be read before they were thawed, which takes from minutes to two days. */
const FROZEN = new Set(['GLACIER', 'DEEP_ARCHIVE']);

export function isFrozen({ storageClass }: { readonly storageClass?: string }): boolean {
  return storageClass !== undefined && FROZEN.has(storageClass);
}

/** Whether any artifact lies in such a class, by its listing; one that was thawed for some days counts as well. */
export function hasFrozen({
  artifacts,
}: {
  readonly artifacts: readonly { readonly storageClass?: string }[];
}): boolean {
  return artifacts.some(isFrozen);
}

export function isArchivedError(error: unknown): error is Failure {
  return error instanceof Failure && error.code === 'archived';
}

/**
 * The line to type before an archived object can be read.
 *
 * @param location of the store, `s3://bucket/prefix`, maybe with its endpoint
 */
export function thawCommand(location: string, key: string): string {
  const [, bucket = '', prefix = '', endpoint] =
    /^s3:\/\/([^/?]+)\/?([^?]*)(?:\?(?:.*&)?endpoint=([^&]*))?/.exec(location) ?? [];
  const full = `${prefix}${prefix === '' || prefix.endsWith('/') ? '' : '/'}${key}`;
  const request = `'{"Days":7,"GlacierJobParameters":{"Tier":"Standard"}}'`;
  const where = endpoint === undefined ? '' : ` --endpoint-url ${decodeURIComponent(endpoint)}`;
  return `aws s3api restore-object${where} --bucket ${bucket} --key '${full}' --restore-request ${request}`;
}
