/** Writes docs/failover.md from the rules table; `--check` only says whether it is stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS } from '../src/errors.ts';
import type { FaultRule } from '../src/errors.ts';

const PATH = join(import.meta.dir, '../docs/failover.md');

const HEALTH: Readonly<Record<FaultRule['health'], string>> = {
  failure: 'counts as a failure',
  down: 'provider goes down',
  busy: 'target rests',
  missing: 'target rests',
  none: 'says nothing',
};

const RETRY: Readonly<Record<FaultRule['retry'], string>> = {
  at_once: 'at once, once',
  first: 'yes',
  last: 'when no other is ready',
  never: 'no',
};

const rows = Object.entries<FaultRule>(FAULTS).map(
  ([fault, { retry, failover, health, cooldownMs, status, code }]) => {
    const rest = cooldownMs > 0 ? `${cooldownMs / 1000} s` : '';
    return `| \`${fault}\` | ${RETRY[retry]} | ${failover ? 'yes' : 'no'} | ${HEALTH[health]} | ${rest} | ${status} | \`${code}\` |`;
  },
);

const text = `# Retry and failover

Made by \`scripts/docs-failover.ts\` from the rules table in \`src/errors.ts\`; do not edit it here.

One loop asks one target (a provider and a model) at a time, best first: by the order of a route, then by \`priority\`, then
by \`weight\`. After a failure the table below decides. A retry at the same target waits by exponential backoff with full
jitter (\`retry_delay\`, \`routing.max_retry_delay\`), at most \`max_retries\` times. A Retry-After of the provider is never
shortened: it is waited out when no other target is ready sooner and \`routing.wait_budget\` allows, else another target is
asked and this one rests for that time. All attempts fit into \`routing.deadline\` and \`routing.max_attempts\`.

Failures in a row open a target's breaker (\`routing.breaker\`): it is not asked until the cooldown is over, then by one
request alone.

| fault | same target again | next target | its health | rests | status | code |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

The status is the provider's own where it says something to the client, and the body too when the fault is the client's.
The rest is told in OpenAI's error shape, with every attempt under \`details\`.
`;

if (process.argv.includes('--check')) {
  if (readFileSync(PATH, 'utf8') !== text) {
    process.stderr.write('docs/failover.md is stale: run make docs\n');
    process.exitCode = 1;
  }
} else writeFileSync(PATH, text);
