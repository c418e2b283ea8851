// Passes stdin on to stdout, so many megabytes a second: stands for a slower network or disk.
//
//   … | node throttle.ts 40
import { setTimeout as sleep } from 'node:timers/promises';

const bytesPerMs = Number(process.argv[2]) * 1000;
const startedAt = performance.now();
let bytes = 0;

for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
  bytes += chunk.length;
  if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  const ahead = bytes / bytesPerMs - (performance.now() - startedAt);
  if (ahead > 5) await sleep(ahead);
}
