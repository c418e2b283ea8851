import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { backupKey, MANIFEST, makeId } from '../../src/core/keys.ts';
import { writeManifest } from '../../src/core/manifest.ts';
import { drillRecordKey } from '../../src/core/record-keys.ts';
import { artifactOf, hexOf, manifestOf } from '../fixtures.ts';

const HOUR_MS = 3_600_000;
const WRITERS = 48;

export interface Shape {
  readonly sources: number;
  readonly backups: number;
}

export type Write = (key: string, bytes: Buffer) => void | Promise<void>;

/** `source-0000` and so on; the first one is judged. */
export const sourceName = (at: number) => `source-${String(at).padStart(4, '0')}`;

/**
 * Writes sound backups, one an hour up to an hour ago, two keys each; the newest of each source proven by
 * a drill.
 *
 * @param location as the store prints it: drill records speak for one store
 */
export async function fill({ sources, backups }: Shape, now: Date, location: string, write: Write): Promise<number> {
  const newest = Math.floor(now.getTime() / HOUR_MS) * HOUR_MS - HOUR_MS;
  let keys = 0;
  let under: Promise<void>[] = [];
  const put = async (key: string, bytes: Buffer) => {
    keys += 1;
    under.push(Promise.resolve(write(key, bytes)));
    if (under.length < WRITERS) return;
    await Promise.all(under);
    under = [];
  };
  for (let at = 0; at < sources; at++) {
    for (let back = 0; back < backups; back++) {
      const isLast = back === 0;
      const made = makeBackup(sourceName(at), new Date(newest - back * HOUR_MS), location, isLast);
      for (const [key, bytes] of made) await put(key, bytes);
    }
  }
  await Promise.all(under);
  return keys;
}

function makeBackup(source: string, takenAt: Date, location: string, isDrilled: boolean): [string, Buffer][] {
  const id = makeId(takenAt, hexOf(source + takenAt.getTime()));
  const dump = Buffer.from(id);
  const artifact = artifactOf('database.dump.zst', dump);
  const manifest = Buffer.from(
    writeManifest(manifestOf({ source, id, scope: 'full', takenAt, artifacts: [artifact] })),
  );
  const files: [string, Buffer][] = [
    [backupKey(source, id, artifact.key), dump],
    [backupKey(source, id, MANIFEST), manifest],
  ];
  return isDrilled ? [...files, makeDrill(source, id, takenAt, manifest, location)] : files;
}

function makeDrill(source: string, id: string, takenAt: Date, manifest: Buffer, store: string): [string, Buffer] {
  const drill = { id: makeId(takenAt, 'd00d1e'), verdict: 'pass', proof: 'proven' } as const;
  const at = `${takenAt.toISOString().slice(0, 19)}Z`;
  const record = {
    ...{ format: 1, ...drill, source, backup: id, store, alsoRead: [], startedAt: at, finishedAt: at, findings: [] },
    manifestSha256: artifactOf('x', manifest).sha256,
    ...{ restoreSeconds: 1, dataLossSeconds: null, tool: { name: 'lifeboat', version: '0' } },
    scratch: { server: 'own', version: '15.20', notIsolated: [] },
  };
  return [drillRecordKey(source, id, drill), Buffer.from(JSON.stringify(record))];
}

export function intoFolder(folder: string): Write {
  return (key, bytes) => {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  };
}

export function intoBucket(client: S3Client, Bucket: string, prefix: string): Write {
  return async (key, Body) => void (await client.send(new PutObjectCommand({ Bucket, Key: `${prefix}/${key}`, Body })));
}
