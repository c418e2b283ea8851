import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { lines, text } from '../../src/github/inputs.ts';
import { redactDeep, redactor, secretsOf } from '../../src/github/masks.ts';

const schema = z.strictObject({
  'database-url': text('Where.', { secret: true }).optional(),
  'age-identity': text('Key.', { secret: true }).optional(),
  store: lines('Store.').optional(),
  source: text('Name.').optional(),
});

it('finds the password of a URL as written, as meant, and encoded', () => {
  const secrets = secretsOf([schema], { 'database-url': 'postgresql://app:p%40ss%20word@db/shop' }, {});
  expect(secrets).toEqual(expect.arrayContaining(['p%40ss%20word', 'p@ss word']));
  expect(redactor(secrets)('FATAL: p@ss word, p%40ss%20word')).toBe('FATAL: ***, ***');
});

it.each([
  ['postgresql://u:s3cret@h1:1,h2:2/db', 's3cret'],
  ['postgresql://h/db?password=s3cret&sslmode=require', 's3cret'],
  ['redis://:s3cret@h/0', 's3cret'],
  ['postgresql://u:50%@h/db', '50%'],
])('finds the password in %s', (url, password) => {
  expect(secretsOf([schema], { 'database-url': url }, {})).toContain(password);
});

it.each([
  ['postgresql://lifeboat:Tr0ub@dor3x@127.0.0.1:5432/orders', ['Tr0ub@dor3x', 'Tr0ub', 'dor3x']],
  ['postgresql://lifeboat:Tr0ub/dor3x?yes@127.0.0.1:5432/orders', ['Tr0ub/dor3x?yes', 'Tr0ub', 'dor3x', 'yes']],
])('finds the pieces of a password that was not encoded: %s', (url, pieces) => {
  expect(secretsOf([schema], { 'database-url': url }, {})).toEqual(expect.arrayContaining(pieces));
});

it('takes neither host nor port nor database for a password', () => {
  const url = 'postgresql://db.example.com:5432/shop?user=me@example.com';
  expect(secretsOf([schema], { 'database-url': url }, {}).map(decodeURIComponent)).toEqual([url, url]);
});

it('finds a password that was put where none belongs', () => {
  expect(secretsOf([schema], { store: 'file:///a\ns3://key:s3cret@bucket' }, {})).toContain('s3cret');
});

const notifying = z.strictObject({ notify: text('Who.', { secret: true }).optional() });

it.each([
  ['telegram://123456:AAF-l0ng@-100', ['123456:AAF-l0ng', '123456%3AAAF-l0ng', 'AAF-l0ng']],
  ['telegram://123456%3AAAF-l0ng@@chan', ['123456:AAF-l0ng', '123456%3AAAF-l0ng']],
  [
    'slack+https://hooks.slack.com/services/T0LIFEBOAT/B0LIFEBOAT/key0key0key0',
    ['/services/T0LIFEBOAT/B0LIFEBOAT/key0key0key0', 'services/T0LIFEBOAT/B0LIFEBOAT/key0key0key0', 'key0key0key0'],
  ],
  ['https://hooks.slack.com/services/T0/B0/key0key0key0', ['/services/T0/B0/key0key0key0', 'key0key0key0']],
  ['slack+http://chat/hooks/abcdefgh', ['/hooks/abcdefgh']],
  ['smtps://ops:p%40ss%3Aword@mail?to=a@b.example', ['p%40ss%3Aword', 'p@ss:word']],
  ['webhook+https://u:hunter2@h/hook?secret=s%26+cret&code=0123456789abcdef', ['s%26+cret', 's&+cret', 'hunter2']],
  ['webhook+https://h/hook?code=0123456789abcdef', ['0123456789abcdef']],
  ['ping+https://hc-ping.com/0d338dcc-a054-11ec-b909-0242ac120002', ['0d338dcc-a054-11ec-b909-0242ac120002']],
])('finds every piece of %s', (line, pieces) => {
  for (const given of [line, `\n  ${line} \r\nping+https://h/x`]) {
    expect(secretsOf([notifying], { notify: given }, {})).toEqual(expect.arrayContaining(pieces));
  }
  expect(secretsOf([notifying], {}, { LIFEBOAT_NOTIFY: line })).toEqual(expect.arrayContaining(pieces));
});

it('does not hide words that a URL shares with everything else', () => {
  const notify =
    'slack+https://hooks.slack.com/services/T0LIFEBOAT/B0LIFEBOAT/key0key0key0\nwebhook+https://ops.example.com/backups?a=b';
  const secrets = secretsOf([notifying], { notify }, {});
  const line = 'file:///srv/backups: the services of hooks.slack.com and ops.example.com';
  expect(redactor(secrets)(line)).toBe(line);
});

it('takes each line of a secret, but not its comments, which name the public key', () => {
  const identity = '# created: 2026-11-21\n# public key: age1xyz\nAGE-SECRET-KEY-1ABC\nAGE-SECRET-KEY-1DEF\n';
  const secrets = secretsOf([schema], { 'age-identity': identity }, {});
  expect(secrets).toEqual(expect.arrayContaining(['AGE-SECRET-KEY-1ABC', 'AGE-SECRET-KEY-1DEF']));
  expect(redactor(secrets)('age1xyz AGE-SECRET-KEY-1DEF')).toBe('age1xyz ***');
});

it('finds a secret key of age in any input and in any variable of ours', () => {
  const secrets = secretsOf(
    [schema],
    {
      store: 'file:///a',
      'age-recipients': 'age1xyz\nAGE-SECRET-KEY-19KABC # old',
      unknown: 'x=age-secret-key-pq-1def;',
    },
    { LIFEBOAT_AGE_RECIPIENT: 'AGE-PLUGIN-YUBIKEY-1GHJ', OTHER: 'AGE-SECRET-KEY-1ZZZ' },
  );
  expect(secrets.toSorted()).toEqual(['AGE-PLUGIN-YUBIKEY-1GHJ', 'AGE-SECRET-KEY-19KABC', 'age-secret-key-pq-1def']);
});

it('takes secrets of programs from the environment, and nothing else from there', () => {
  expect(
    secretsOf([schema], { source: 'orders' }, { PGPASSWORD: 'hunter2', HOME: '/root', AWS_SESSION_TOKEN: '' }),
  ).toEqual(['hunter2']);
});

it.each(['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'])(
  'finds the password in %s, and does not hide the address',
  (name) => {
    for (const value of ['http://bob:S3cr%40tPw@prox y:bad', 'bob:S3cr%40tPw@proxy:3128']) {
      const redact = redactor(secretsOf([schema], {}, { [name]: value }));
      expect(redact('S3cr%40tPw, S3cr@tPw at proxy:3128 for bob')).toBe('***, *** at proxy:3128 for bob');
    }
    expect(secretsOf([schema], {}, { [name]: 'http://proxy:3128' })).toEqual([]);
  },
);

it('takes secret inputs from the environment too', () => {
  expect(secretsOf([schema], {}, { LIFEBOAT_AGE_IDENTITY: 'AGE-SECRET-KEY-1X', LIFEBOAT_SOURCE: 'orders' })).toEqual([
    'AGE-SECRET-KEY-1X',
  ]);
});

it('leaves text shorter than three characters alone: it would hide the log', () => {
  expect(secretsOf([schema], {}, { PGPASSWORD: 'pg' })).toEqual([]);
});

it('leaves nothing of a password in a redacted report, whatever it is made of', () => {
  const password = fc.string({ minLength: 6, maxLength: 20 }).filter((value) => value.trim() === value);
  fc.assert(
    fc.property(password, (secret) => {
      const url = `postgresql://app:${encodeURIComponent(secret)}@db/shop`;
      fc.pre(!secret.startsWith('#') && !'postgresql://app:@db/shop login of app failed: '.includes(secret));
      const redact = redactor(secretsOf([schema], { 'database-url': url }, {}));
      const hidden = redactDeep({ message: `login of app failed: ${secret}`, deep: [{ url }] }, redact);
      expect(JSON.stringify(hidden)).not.toContain(JSON.stringify(secret).slice(1, -1));
    }),
  );
});

it('changes no verdict and no name by a secret that reads like one', () => {
  const report = {
    title: 'fail: orders',
    verdict: 'fail',
    sources: ['orders'],
    findings: [{ rule: 'run-failed', status: 'fail', source: 'orders', message: 'fail and orders' }],
  };
  expect(redactDeep(report, redactor(['orders', 'fail', 'run-failed']))).toEqual({
    title: '***: ***',
    verdict: 'fail',
    sources: ['orders'],
    findings: [{ rule: 'run-failed', status: 'fail', source: 'orders', message: '*** and ***' }],
  });
});
