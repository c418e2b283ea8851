import { z } from 'zod';
import { type Bucket, bucketsOf, type Setup, type SetupFile } from './setup.ts';
import * as texts from './templates/bucket.ts';

const Policy = z.object({
  Version: z.literal('2012-10-17'),
  Statement: z.array(z.object({ Effect: z.literal('Allow'), Action: z.array(z.string()), Resource: z.string() })),
});

/** Which role does which work; its name is the last word of its ARN. */
const ROLES = [
  ['backup', texts.backup],
  ['read', texts.verifyFreshness],
  ['drill', texts.restoreDrill],
  ['restore', texts.restore],
  ['prune', texts.prune],
  ['doctor', texts.doctor],
] as const;

/** The bucket and the prefix of docs/S3.md, where these texts are from. */
const EXAMPLE = 'arn:aws:s3:::acme-backups';
const EXAMPLE_PREFIX = 'prod/';

/** A policy and the lifecycle rule for each bucket. */
export function bucketFiles(setup: Setup): SetupFile[] {
  const buckets = bucketsOf(setup.stores);
  return buckets.flatMap((bucket) => {
    const ending = buckets.length === 1 ? '' : `-${bucket.name}`;
    return [
      {
        path: `lifeboat/bucket-policy${ending}.json`,
        text: jsonOf(policyOf(bucket, setup)),
        purpose: `lets each job do its own work in ${bucket.name}, and no more`,
      },
      {
        path: `lifeboat/lifecycle${ending}.json`,
        text: jsonOf(lifecycleOf(bucket)),
        purpose: `removes the parts of uploads that were never finished from ${bucket.name}`,
      },
    ];
  });
}

function policyOf(bucket: Bucket, { principal }: Setup) {
  const Statement = ROLES.flatMap(([role, text]) =>
    Policy.parse(JSON.parse(text)).Statement.map((statement) => {
      const Resource = statement.Resource.replace(`${EXAMPLE}/${EXAMPLE_PREFIX}`, `${arnOf(bucket)}/${bucket.prefix}`);
      const own = Resource === statement.Resource ? Resource.replace(EXAMPLE, arnOf(bucket)) : Resource;
      const Principal = { AWS: [`${principal}-${role}`] };
      return { ...statement, Action: actionsOf(role, statement.Action, bucket), Resource: own, Principal };
    }),
  );
  return { Version: '2012-10-17', Statement };
}

/** Who writes locked objects must be allowed to lock them. */
function actionsOf(role: string, actions: readonly string[], { parameters }: Bucket): readonly string[] {
  const isWriter = role === 'backup' && actions.includes('s3:PutObject');
  if (!isWriter || !parameters.has('object-lock')) return actions;
  return [...actions, 's3:PutObjectRetention', 's3:GetObjectRetention'];
}

function lifecycleOf({ prefix }: Bucket): unknown {
  return JSON.parse(texts.lifecycle.replaceAll(`"${EXAMPLE_PREFIX}"`, JSON.stringify(prefix)));
}

function arnOf({ name }: Bucket): string {
  return `arn:aws:s3:::${name}`;
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
