/** `1 table`, `1,234 tables`: how every message counts. `thing` takes an s in the plural. */
export function counted(count: number, thing: string): string {
  return `${count.toLocaleString('en-US')} ${thing}${count === 1 ? '' : 's'}`;
}
