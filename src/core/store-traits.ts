/** One enabled rule of a bucket by which it removes, moves or tidies by itself. */
export interface LifecycleRule {
  /** Its id, or its number among the rules. */
  readonly name: string;
  /** Relative to the store: keys that begin with it are under the rule; empty for all of them. */
  readonly prefix: string;
  /** It asks for tags or sizes too, so it takes some objects and not others. */
  readonly isNarrowed: boolean;
  /** After how many days, or when, current objects are removed. */
  readonly expires: { readonly afterDays: number } | { readonly on: Date } | undefined;
  /** After how many days, or when, current objects go where they cannot be read at once, and the name of that class. */
  readonly archives:
    | (({ readonly afterDays: number } | { readonly on: Date }) & { readonly storageClass: string })
    | undefined;
  /** Days after which parts of unfinished uploads are removed. */
  readonly abortsUploadsAfterDays: number | undefined;
}

/** What became of a write under a key that was taken, sent with the condition that it is free (`If-None-Match: *`). */
export type ConditionalWrite = 'honoured' | 'ignored' | 'not-supported';

/** Under what kind of file system a folder lies; `memory` is gone with the machine, `network` with the line. */
export interface FileSystem {
  /** As `mount` names it: `ext4`, `tmpfs`, `nfs`; in hex where nobody knows. */
  readonly name: string;
  readonly kind: 'disk' | 'memory' | 'network' | 'unknown';
}

/** Whether objects can be locked, and for how long the store locks them without being asked. */
export interface LockTraits {
  readonly isPossible: boolean;
  /** `GOVERNANCE for 30 days`; undefined without a default. */
  readonly byDefault: string | undefined;
}

/** What a store is like, found out by trying. What could not be asked is undefined. */
export interface StoreTraits {
  /** Some stores honour it for an object that comes whole, and ignore it for one that comes in parts. */
  readonly conditionalWrites: { readonly whole: ConditionalWrite; readonly inParts: ConditionalWrite };
  /** The store's clock minus ours, in seconds. */
  readonly clockOffsetSeconds: number | undefined;
  readonly fileSystem: FileSystem | undefined;
}

const FILE_SYSTEMS: Readonly<Record<number, readonly [string, FileSystem['kind']]>> = {
  61267: ['ext4', 'disk'],
  1481003842: ['xfs', 'disk'],
  2435016766: ['btrfs', 'disk'],
  801189825: ['zfs', 'disk'],
  4076150800: ['f2fs', 'disk'],
  2035054128: ['overlay', 'disk'],
  16914836: ['tmpfs', 'memory'],
  2240043254: ['ramfs', 'memory'],
  26985: ['nfs', 'network'],
  4283649346: ['cifs', 'network'],
  4266872130: ['smb2', 'network'],
  20859: ['smb', 'network'],
  12805120: ['ceph', 'network'],
  16914839: ['9p', 'network'],
  1397113167: ['afs', 'network'],
  // sshfs, s3fs, gluster and others: what it is cannot be told from its number.
  1702057286: ['fuse', 'unknown'],
};

/** @param type the number that statfs(2) gives */
export function fileSystemOf(type: number): FileSystem {
  const [name, kind] = FILE_SYSTEMS[type] ?? [`0x${type.toString(16)}`, 'unknown'];
  return { name, kind };
}
