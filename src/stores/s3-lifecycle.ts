import {
  GetBucketLifecycleConfigurationCommand,
  type LifecycleRule as S3Rule,
  type Transition,
} from '@aws-sdk/client-s3';
import type { LifecycleRule } from '../core/ports.ts';
import type { S3Access } from './s3-access.ts';
import { nameOf, statusOf } from './s3-errors.ts';

/** Classes whose objects must be restored there before anybody can read them. */
const ARCHIVES = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** Enabled rules of the bucket that reach keys of this store; undefined where the store knows no such thing. */
export async function readLifecycle(access: S3Access): Promise<readonly LifecycleRule[] | undefined> {
  const command = new GetBucketLifecycleConfigurationCommand({ Bucket: access.place.bucket });
  const answer = await access.call('s3:GetLifecycleConfiguration', (client) =>
    client.send(command).catch(withoutRules),
  );
  if (answer === undefined) return undefined;
  const enabled = (answer.Rules ?? []).flatMap((rule, index) => (rule.Status === 'Enabled' ? [{ rule, index }] : []));
  return enabled.flatMap(({ rule, index }) => readRule(rule, index, access.place.root));
}

/** A bucket that never had rules answers with an error. */
function withoutRules(error: unknown): { Rules?: S3Rule[] } | undefined {
  if (nameOf(error) === 'NoSuchLifecycleConfiguration') return { Rules: [] };
  if (statusOf(error) === 501 || nameOf(error) === 'NotImplemented' || nameOf(error) === 'MethodNotAllowed')
    return undefined;
  throw error;
}

function readRule(rule: S3Rule, index: number, root: string): LifecycleRule[] {
  const { Filter: filter, Expiration: expiration } = rule;
  const prefix = filter?.And?.Prefix ?? filter?.Prefix ?? rule.Prefix ?? '';
  // Another folder of the bucket.
  if (!prefix.startsWith(root) && !root.startsWith(prefix)) return [];
  const sizes = [filter?.ObjectSizeGreaterThan, filter?.ObjectSizeLessThan, filter?.And?.ObjectSizeGreaterThan];
  const narrowing = [...sizes, filter?.And?.ObjectSizeLessThan, filter?.Tag, filter?.And?.Tags?.[0]];
  return [
    {
      name: rule.ID || `number ${index + 1}`,
      prefix: prefix.startsWith(root) ? prefix.slice(root.length) : '',
      isNarrowed: narrowing.some((part) => part !== undefined),
      expires: momentOf(expiration ?? {}),
      archives: firstArchive(rule.Transitions ?? []),
      abortsUploadsAfterDays: rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation,
    },
  ];
}

function momentOf({ Days: afterDays, Date: on }: { Days?: number | undefined; Date?: Date | undefined }) {
  if (afterDays !== undefined) return { afterDays };
  return on === undefined ? undefined : { on };
}

function firstArchive(transitions: readonly Transition[]): LifecycleRule['archives'] {
  const archive = transitions.find(({ StorageClass: name = '' }) => ARCHIVES.has(name));
  const moment = archive === undefined ? undefined : momentOf(archive);
  return moment && { ...moment, storageClass: archive?.StorageClass ?? '' };
}
