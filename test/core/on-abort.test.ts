import { expect, it, vi } from 'vitest';
import { onAbort } from '../../src/core/on-abort.ts';

it('calls everybody who still waits when the signal aborts, once', () => {
  const stop = new AbortController();
  const called: string[] = [];
  const ends = ['a', 'b', 'c'].map((name) => onAbort(stop.signal, () => called.push(name)));
  ends[1]?.();
  onAbort(stop.signal, () => called.push('d'));
  ends[1]?.();
  stop.abort();
  expect(called).toEqual(['a', 'd', 'c']);
  for (const end of ends) end();
  expect(called).toHaveLength(3);
});

it('listens to a signal once, however many wait for it', () => {
  const { signal } = new AbortController();
  const listen = vi.spyOn(signal, 'addEventListener');
  for (let call = 0; call < 100; call += 1) onAbort(signal, () => {})();
  expect(listen).toHaveBeenCalledOnce();
});
