import { expect, it } from 'vitest';
import { counted } from '../../src/core/counted.ts';

it.each([
  [0, '0 tables'],
  [1, '1 table'],
  [1_234, '1,234 tables'],
])('counts %d as people do', (count, said) => {
  expect(counted(count, 'table')).toBe(said);
});
