import { lookup } from 'node:dns/promises';
import { Failure } from '../../core/failure.ts';
import type { ServerInfo } from '../../core/manifest.ts';

type Place = Pick<ServerInfo, 'systemIdentifier' | 'host' | 'port' | 'database'>;

/**
 * Refuses a server that a backup comes from: untrusted code from a dump would run beside the
 * production data. The address counts as well as the identifier, which pg_upgrade changes.
 *
 * @throws {Failure} `guard-refused`
 */
export async function refuseSourceServer(target: Place, known: readonly Place[]): Promise<void> {
  for (const server of known) {
    const why = await sameServer(target, server);
    if (why === undefined) continue;
    throw new Failure(
      'guard-refused',
      `\`scratch-url\` leads to a server that is backed up here: ${why}, database ${server.database}.`,
      {
        hint: 'Leave `scratch-url` out (a scratch server of its own is started), or give a server that holds nothing of value.',
      },
    );
  }
}

async function sameServer(target: Place, known: Place): Promise<string | undefined> {
  if (target.systemIdentifier !== null && target.systemIdentifier === known.systemIdentifier) {
    return `its system identifier is ${known.systemIdentifier}`;
  }
  if (target.port !== known.port) return undefined;
  const [here, there] = await Promise.all([addressesOf(target.host), addressesOf(known.host)]);
  return here.some((address) => there.includes(address)) ? `it is ${known.host}:${known.port}` : undefined;
}

/** What a host name stands for now; a name that nobody knows stands for itself. */
async function addressesOf(host: string): Promise<string[]> {
  if (host.startsWith('/')) return [host];
  const found = await lookup(host, { all: true }).catch(() => []);
  return [host, ...found.map(({ address }) => address)];
}
