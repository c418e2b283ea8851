import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Packages of GitHub name source maps that they do not hold; Vite warns of each file.
  logLevel: 'error',
  test: {
    include: ['test/**/*.test.ts'],
    // The official language service is published for bundlers: its imports need Vite's resolution.
    server: { deps: { inline: [/@actions\/(languageservice|workflow-parser)/] } },
    // Two real servers and a handful of child processes: more workers only make each other wait.
    maxWorkers: 2,
    // Real servers on a busy machine: no test is about time, and a hanging one still ends.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Vitest's own second is too short for a server on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    // Servers that refuse are refused often here: waiting for them shows nothing.
    env: { LIFEBOAT_TEST_RETRY_WAIT: '0.01' },
  },
});
