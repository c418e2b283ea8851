import type { Guard } from './guard.ts';

/** What the doctor must find, and the setup must never do. */
export const setupGuards: readonly Guard[] = [
  {
    what: 'a probe of the doctor is removed',
    file: 'src/core/store-trial.ts',
    guard: '  const left = await store.remove([key]);\n',
    without: '  const left: { reason: string }[] = [];\n',
    test: 'test/core/store-trial.test.ts',
  },
  {
    what: 'the doctor compares what it reads with what it wrote',
    file: 'src/core/store-trial.ts',
    guard: 'if ((await text(await store.get(key))) !== PROBE_TEXT)',
    without: 'if ((await text(await store.get(key))) === "")',
    test: 'test/core/store-trial.test.ts',
  },
  {
    what: 'nothing is tried where it would stay locked',
    file: 'src/core/store-trial.ts',
    guard: 'if (locks?.byDefault !== undefined) return [',
    without: 'if (locks?.byDefault === "") return [',
    test: 'test/core/store-trial.test.ts',
  },
  {
    what: 'a rule that expires what is kept is found',
    file: 'src/core/lifecycle-judgement.ts',
    guard: '...(policy !== undefined && days > afterDays',
    without: '...(policy !== undefined && days < 0',
    test: 'test/core/lifecycle-judgement.test.ts',
  },
  {
    what: 'a rule that expires what is there is found',
    file: 'src/core/lifecycle-judgement.ts',
    guard: 'const old = complete.filter(({ takenAt }) => ageDays(takenAt) > afterDays);',
    without: 'const old = complete.filter(({ takenAt }) => ageDays(takenAt) < 0);',
    test: 'test/core/lifecycle-judgement.test.ts',
  },
  {
    what: 'the doctor misses a right to sequences',
    file: 'src/engines/postgresql/examine-rights.ts',
    guard: '      found.sequences.length > 0,\n',
    without: '      found.sequences.length < 0,\n',
    test: 'test/actions/doctor.it.test.ts',
  },
  {
    what: 'the doctor misses a right to tables',
    file: 'src/engines/postgresql/examine-rights.ts',
    guard: '      closed.length > 0,\n',
    without: '      closed.length < 0,\n',
    test: 'test/actions/doctor.it.test.ts',
  },
  {
    what: 'a key that opens nothing is found',
    file: 'src/core/key-trial.ts',
    guard:
      'for (const recipient of recipients) if (await opens(recipient, identity, encryption)) opened.push(recipient);',
    without:
      'for (const recipient of recipients) if ((await opens(recipient, identity, encryption)) || identity !== "") opened.push(recipient);',
    test: 'test/actions/doctor.it.test.ts',
  },
  {
    what: 'only this user reads a secret',
    file: 'src/sys/user-files.ts',
    guard: 'secret ? 0o600 : 0o644',
    without: 'secret ? 0o640 : 0o644',
    test: 'test/sys/user-files.test.ts',
  },
  {
    what: 'a key is never written over',
    file: 'src/core/setup-keys.ts',
    guard:
      "  if (there !== undefined) return { path, identity, recipients, findings: [say(path, 'is there and was left alone')] };\n",
    without: '',
    test: 'test/commands/init.it.test.ts',
  },
  {
    what: 'no secret is written into a repository',
    file: 'src/core/setup-keys.ts',
    guard: '  if (repository === undefined) return;\n',
    without: '  if (repository !== "") return;\n',
    test: 'test/commands/init.it.test.ts',
  },
  {
    what: 'init writes over nothing',
    file: 'src/core/setup-plan.ts',
    guard: '  if (lost.length === 0) return;\n',
    without: '  if (lost.length >= 0) return;\n',
    test: 'test/commands/init.it.test.ts',
  },
  {
    what: 'workflows of init run where they are told to',
    file: 'src/core/workflow-edits.ts',
    guard: "    .change(/\\[self-hosted, linux\\]/g, `[${runsOn.join(', ')}]`)\n",
    without: "    .change(/\\[self-hosted, linux\\]/g, `[ubuntu-latest]${runsOn[99] ?? ''}`)\n",
    test: 'test/commands/init.it.test.ts',
  },
];
