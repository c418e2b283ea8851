/** Variables of a child: names without inputs, tokens or anything a step was given. */
export type Environment = Readonly<Record<string, string>>;

// What programs need to run, to find containers, and to speak the user's language. `LD_*` and
// `NODE_OPTIONS` stay out: an earlier step that wrote GITHUB_ENV must not steer our children.
const PLAIN = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'TERM',
  'SHELL',
  'RUNNER_TRACKING_ID',
  'XDG_RUNTIME_DIR',
  'DOCKER_HOST',
  'DOCKER_CONFIG',
  'DOCKER_CONTEXT',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  'CONTAINER_HOST',
  'KUBECONFIG',
  'KRB5CCNAME',
  'KRB5_CONFIG',
]);

/** The allow-listed part of `env`; with `libpq`, also the variables PostgreSQL's client library reads. */
export function childEnvironment(env: NodeJS.ProcessEnv, given: { libpq: boolean }): Environment {
  const allowed = (name: string) =>
    PLAIN.has(name) || name.startsWith('LC_') || (given.libpq && /^PG[A-Z]+$/.test(name));
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && allowed(entry[0])),
  );
}
