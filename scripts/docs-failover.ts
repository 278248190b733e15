/**
 * Writes docs/failover.md from the rules table and the promises; `--check` only says whether it is stale. Both fail
 * when a promise names a test that is not there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS } from '../src/errors.ts';
import type { FaultRule, Scope } from '../src/errors.ts';
import { PROMISES } from './promises.ts';

const ROOT = join(import.meta.dir, '..');
const PATH = join(ROOT, 'docs/failover.md');

const BLAMED: Readonly<Record<Scope, string>> = {
  request: 'the request alone',
  endpoint: 'the endpoint of the target',
  target: 'the target',
  key: 'the key',
  provider: 'the provider',
};

const HEALTH: Readonly<Record<FaultRule['health'], string>> = {
  failure: 'counts for its breaker',
  down: 'cooldown at once',
  suspect: 'cooldown after three different requests in a row',
  busy: 'pause',
  none: '',
};

const RETRY: Readonly<Record<FaultRule['retry'], string>> = {
  at_once: 'at once',
  first: 'yes',
  last: 'when no other is ready',
  never: 'no',
};

const FAILOVER: Readonly<Record<FaultRule['failover'], string>> = {
  yes: 'yes',
  no: 'no',
  larger: 'unless its context is known to be as small',
  policy: 'where `content_policy` says so',
};

const rules = Object.entries<FaultRule>(FAULTS).map(
  ([fault, { retry, failover, blames, health, cooldownMs, status, code, means }]) => {
    const first = cooldownMs > 0 ? `, at first ${cooldownMs / 1000} s` : '';
    return `| \`${fault}\` | ${means} | ${RETRY[retry]} | ${FAILOVER[failover]} | ${BLAMED[blames]} | ${HEALTH[health]}${first} | ${status} | \`${code}\` |`;
  },
);

const sources = new Map<string, string>();
const missing: string[] = [];

/** The test as the page names it. */
function cited([file, title]: readonly [string, string]): string {
  const path = `test/${file}.test.ts`;
  if (!sources.has(path)) sources.set(path, readFileSync(join(ROOT, path), 'utf8'));
  if (!sources.get(path)!.includes(title)) missing.push(`${path}: ${title}`);
  return `- \`${file}\`: ${title.replaceAll('|', '\\|')}`;
}

const promises = PROMISES.map(({ when, does }) => `| ${when} | ${does} |`);
const proofs = PROMISES.map(({ when, tests }) => `**${when}**\n\n${tests.map(cited).join('\n')}`);

const text = `# Retry and failover

Made by \`scripts/docs-failover.ts\` from the rules table in \`src/errors.ts\` and from \`scripts/promises.ts\`; do not edit
it here.

## What you can rely on

Streamed and unstreamed, where the row does not say otherwise.

| what happens | what the proxy does |
| --- | --- |
${promises.join('\n')}

## How it decides

One loop asks one target (a provider and a model) at a time, best first: by the order of a route, then by \`priority\`, then
by \`weight\`. After a failure the rules table below decides. A retry at the same target waits by exponential backoff with
full jitter (\`retry_delay\`, \`routing.max_retry_delay\`), at most \`max_retries\` times. A Retry-After of the provider is never
shortened. All attempts fit into \`routing.deadline\` and \`routing.max_attempts\`, waits for a Retry-After or a rest into \`routing.wait_budget\`.
The 200 is held until the first content, or the whole body when it is not streamed; until then everything may be tried
elsewhere.

Failures open a target's breaker (\`routing.breaker\`): so many in a row, or so large a share of the calls in a window. It is
not asked until the cooldown is over, then by one request alone. The cooldown doubles with each failed trial.

A provider's keys (\`api_keys\`) take turns. One that is refused is down until a probe of the provider's free endpoint is
answered (\`health.probe\`), the configuration is read again (SIGHUP is enough), or, where there is no such endpoint, one
request tries it after five minutes, then ten, up to an hour.

## What costs money

\`resume\`, \`hedge\` and \`probe_model\` are off unless asked for. A resumed stream pays for the prompt and for the text so far
a second time, as input of the other target. A hedge may be charged by both targets, also by the one that is let go.
\`probe_model\` pays for one short answer an interval.

## The rules table

| fault | what it is | same target again | next target | blames | what follows | status | code |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rules.join('\n')}

The status is the provider's own where it says something to the client, and the body too when the fault is the client's.
The rest is told in OpenAI's error shape, with every attempt under \`details\`. A failure after the first content was sent
is an error event in the stream: the same object after \`data: \`, and no \`[DONE]\`.

## The tests that hold it to this

Each runs the compiled binary between a caller and a provider that breaks on purpose (\`test/helpers/broken.ts\`).

${proofs.join('\n\n')}
`;

if (missing.length > 0) {
  process.stderr.write(`scripts/promises.ts names tests that are not there:\n${missing.join('\n')}\n`);
  process.exitCode = 1;
} else if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (readFileSync(PATH, 'utf8') !== text) {
  process.stderr.write('docs/failover.md is stale: run make docs\n');
  process.exitCode = 1;
}
