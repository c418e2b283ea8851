import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';

/** A store as it lies there, read without any code of the program: what it says of itself is not asked. */
export interface StoreFiles {
  readonly url: string;
  /** Keys, hidden ones too. */
  keys(): Promise<string[]>;
  read(key: string): Promise<Buffer>;
  /** Uploads that were begun and neither finished nor given up. */
  openUploads(): Promise<string[]>;
  clear(): Promise<void>;
}

export function folderFiles(folder: string): StoreFiles {
  const all = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const isOpen = (key: string) => /(^|\/)\.tmp-/.test(key);
  return {
    url: `file://${folder}`,
    keys: async () => all().filter((key) => !isOpen(key)),
    read: async (key) => readFileSync(join(folder, key)),
    openUploads: async () => all().filter(isOpen),
    clear: async () => {}, // its folder goes as a whole
  };
}

export interface Bucket {
  readonly client: S3Client;
  readonly name: string;
  /** Without what leads to the endpoint: `?…`. */
  readonly parameters: string;
}

export function bucketFiles({ client, name, parameters }: Bucket, prefix: string): StoreFiles {
  const given = { Bucket: name, Prefix: `${prefix}/` };
  const keys = async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command(given));
    return Contents.map(({ Key = '' }) => Key.slice(prefix.length + 1));
  };
  return {
    url: `s3://${name}/${prefix}?${parameters}`,
    keys,
    read: async (key) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key: `${prefix}/${key}` }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    openUploads: async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(given));
      return Uploads.map(({ Key = '' }) => Key.slice(prefix.length + 1));
    },
    clear: async () => {
      for (const key of await keys())
        await client.send(new DeleteObjectCommand({ Bucket: name, Key: `${prefix}/${key}` }));
    },
  };
}

/** Copies everything below one prefix to another, within the bucket. */
export async function copyPrefix(bucket: Bucket, from: string, to: string): Promise<void> {
  const { client, name } = bucket;
  for (const key of await bucketFiles(bucket, from).keys()) {
    const CopySource = encodeURI(`${name}/${from}/${key}`);
    await client.send(new CopyObjectCommand({ Bucket: name, Key: `${to}/${key}`, CopySource }));
  }
}

/** What leads to an endpoint, in the URL of a store. */
export function s3Parameters(endpoint: string): string {
  return `endpoint=${encodeURIComponent(endpoint)}&region=us-east-1&path-style=true`;
}
