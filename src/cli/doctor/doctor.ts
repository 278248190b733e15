import { defineCommand } from 'citty';
import { systemClock } from '../../clock.ts';
import { secretsOf } from '../../config/keys.ts';
import { masker } from '../../logs/redact.ts';
import { VERSION, versionLine } from '../../version.ts';
import { about } from '../argv/command.ts';
import { integerFlag } from '../argv/integer.ts';
import { ExitError } from '../exit.ts';
import { print, useColor } from '../output.ts';
import { CONFIG_FLAG } from '../source.ts';
import { widthOf } from '../wrap.ts';
import { checkClock } from './clock-check.ts';
import { checkConfig } from './config-check.ts';
import { checkEnvironment } from './environment-checks.ts';
import type { Finding } from './finding.ts';
import { failed, ok, skipped } from './finding.ts';
import { checkDirectories, checkOpenFiles, checkPort } from './machine-checks.ts';
import { checkProviders } from './provider-checks.ts';
import { findingsText } from './text.ts';

const DEFAULT_SECONDS = 10;
const MOST_SECONDS = 300;
const AT_ONCE = 16;
const COLUMNS = 80;

export default defineCommand({
  meta: about({
    name: 'doctor',
    description:
      'Check configuration, keys, network, clock, disk and port, using only free calls. Exit status: 0 no failures, 1 failures, 2 wrong usage',
    examples: [
      'llmproxy doctor',
      'llmproxy doctor --config production.yaml --env-file .env',
      'llmproxy doctor --json',
    ],
  }),
  args: {
    config: CONFIG_FLAG,
    timeout: {
      type: 'string',
      valueHint: 'seconds',
      description: `Time limit for all checks together (default: ${DEFAULT_SECONDS})`,
    },
    json: { type: 'boolean', description: 'Print the findings as JSON' },
  },
  async run({ args }) {
    const seconds =
      args.timeout === undefined ? DEFAULT_SECONDS : integerFlag('timeout', args.timeout, 1, MOST_SECONDS);
    const abort = new AbortController();
    const late = new Error(`no answer within ${seconds} s`);
    const cancel = systemClock.after(seconds * 1_000, () => abort.abort(late));
    const { findings, secrets } = await examine(args.config, abort.signal);
    cancel();
    const mask = masker(secrets);
    const shown = findings.map((each) => masked(each, mask));
    const wrong = shown.some(({ state }) => state === 'failed');
    if (args.json)
      print(`${JSON.stringify({ version: VERSION, ok: !wrong, checks: shown.map(plain) }, null, 2)}\n`);
    else {
      const { stdout } = process;
      const width = Math.min(COLUMNS, widthOf(stdout));
      print(`${findingsText(shown, { width, color: useColor(stdout) })}\n`);
    }
    if (wrong) throw new ExitError(1);
  },
});

interface Examined {
  readonly findings: readonly Finding[];
  readonly secrets: readonly string[];
}

async function examine(flag: string | undefined, signal: AbortSignal): Promise<Examined> {
  const version = ok('version', versionLine().replace(/^llmproxy /, ''));
  const { config, plugins, findings } = await checkConfig(flag);
  if (!config)
    return { findings: [version, ...findings, skipped('providers', 'without a configuration')], secrets: [] };
  const { env } = process;
  const asking = { env, classes: plugins.classes(() => undefined), signal, atOnce: AT_ONCE };
  const [providers, port] = await Promise.all([
    checkProviders(config, asking),
    checkPort(config.server, signal),
  ]);
  const offline =
    providers.reached === 'no'
      ? [failed('network', NO_NETWORK, 'Check the network, DNS, and HTTPS_PROXY if you need one.')]
      : [];
  return {
    findings: [
      version,
      ...findings,
      ...offline,
      ...providers.findings,
      checkClock(providers.skewsMs),
      ...checkEnvironment(config, env),
      port,
      ...checkDirectories(config),
      checkOpenFiles(config),
    ],
    secrets: secretsOf(config, env),
  };
}

const NO_NETWORK = 'no provider beyond this machine answers: it seems to be offline';

function masked({ name, state, message, fix }: Finding, mask: (text: string) => string): Finding {
  return { name, state, message: mask(message), fix: fix === undefined ? undefined : mask(fix) };
}

/** The JSON output: every field is always present. */
function plain({ name, state, message, fix }: Finding) {
  return { name, state, message, fix: fix ?? null };
}
