import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { counted } from './counted.ts';
import { Failure } from './failure.ts';
import type { World } from './ports.ts';
import { type Finding, finding } from './report.ts';

const PROBE = 'Whoever reads this has the key.';

export interface Keys {
  readonly recipients: readonly string[];
  readonly identity: string | undefined;
}

/** Encrypts a few bytes to each recipient and tries to open them with the identity. */
export async function tryKeys(
  { recipients, identity }: Keys,
  { encryption }: Pick<World, 'encryption'>,
): Promise<Finding[]> {
  if (recipients.length === 0 && identity === undefined) return [];
  encryption.checkRecipients(recipients);
  if (identity === undefined) {
    const many = counted(recipients.length, 'recipient');
    return [
      finding(
        'key-pair',
        'pass',
        `Backups can be encrypted to ${many}; whether anybody can read them was not tried without \`age-identity\`.`,
      ),
    ];
  }
  encryption.checkIdentity(identity);
  if (recipients.length === 0) return [finding('key-pair', 'pass', 'The identity can be used.')];
  const opened: string[] = [];
  for (const recipient of recipients) if (await opens(recipient, identity, encryption)) opened.push(recipient);
  if (opened.length > 0) {
    const others = recipients.length - opened.length;
    const rest = others === 0 ? '' : ` ${counted(others, 'recipient')} more have keys of their own.`;
    return [
      finding('key-pair', 'pass', `The identity opens what is encrypted to ${opened.map(short).join(', ')}.${rest}`),
    ];
  }
  return [
    finding(
      'key-pair',
      'fail',
      `The identity opens nothing that is encrypted to ${recipients.map(short).join(', ')}.`,
      {
        hint: 'Give both halves of one pair: `age-keygen -y lifeboat.key` prints the recipient of a secret key.',
      },
    ),
  ];
}

async function opens(recipient: string, identity: string, encryption: World['encryption']): Promise<boolean> {
  try {
    const stored = encryption.encrypt([recipient], Readable.from([Buffer.from(PROBE)], { objectMode: false }));
    return (await text(encryption.decrypt(identity, stored))) === PROBE;
  } catch (error) {
    if (error instanceof Failure && error.code === 'decryption-failed') return false;
    throw error;
  }
}

/** Enough to tell keys apart. */
function short(recipient: string): string {
  return `${recipient.slice(0, 8)}…`;
}
