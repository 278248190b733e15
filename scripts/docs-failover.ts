/**
 * Writes docs/failover.md from the rules table and the promises; `--check` only reports whether the page is stale. Both
 * fail when a promise names a test that does not exist.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS } from '../src/faults.ts';
import type { FaultRule, Scope } from '../src/faults.ts';
import { schema } from '../src/config/schema.ts';
import { SEVERAL } from '../src/pipeline/targets/endpoint-state.ts';
import { CATALOGUE } from '../test/helpers/broken/catalogue.ts';
import { KIND_NAMES } from '../test/simulate/faults.ts';
import { PROMISES } from './promises.ts';

const ROOT = join(import.meta.dir, '..');
const PATH = join(ROOT, 'docs/failover.md');

const BLAMED: Readonly<Record<Scope, string>> = {
  request: 'only the request',
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
  last: 'if no other is available',
  never: 'no',
};

const FAILOVER: Readonly<Record<FaultRule['failover'], string>> = {
  yes: 'yes',
  no: 'no',
  larger: 'unless its context window is known to be as small',
  policy: 'if `content_policy` says so',
};

const rules = Object.entries<FaultRule>(FAULTS).map(
  ([fault, { retry, failover, blames, health, cooldownMs, status, code, means }]) => {
    const seconds = cooldownMs / 1000;
    const busy = health === 'busy';
    const first =
      cooldownMs === 0 ? '' : busy ? ` of ${seconds} s, or as long as it asks` : `, at first ${seconds} s`;
    const blamed = busy ? `${BLAMED[blames]}, for this model` : BLAMED[blames];
    return `| \`${fault}\` | ${means} | ${RETRY[retry]} | ${FAILOVER[failover]} | ${blamed} | ${HEALTH[health]}${first} | ${status} | \`${code}\` |`;
  },
);

const { breaker: defaults } = schema.shape.routing.parse({});
const sources = new Map<string, string>();
const missing: string[] = [];

/** A reference to a test, as the page shows it. */
function cited([file, title]: readonly [string, string]): string {
  const path = `test/${file}.test.ts`;
  if (!sources.has(path)) sources.set(path, readFileSync(join(ROOT, path), 'utf8'));
  if (!sources.get(path)!.includes(title)) missing.push(`${path}: ${title}`);
  return `- \`${file}\`: ${title.replaceAll('|', '\\|')}`;
}

const promises = PROMISES.map(({ when, does }) => `| ${when} | ${does} |`);
const proofs = PROMISES.map(({ when, tests }) => `**${when}**\n\n${tests.map(cited).join('\n')}`);

const text = `# Retry and failover

Made by \`scripts/docs-failover.ts\` from the rules table in \`src/faults.ts\` and from \`scripts/promises.ts\`; do not edit
it here.

## What you can rely on

This applies to streamed and unstreamed requests, unless a row says otherwise.

| what happens | what the proxy does |
| --- | --- |
${promises.join('\n')}

## How it decides

A single loop tries one target (a provider and a model) at a time, best first: by the order in a route, then by \`priority\`,
then by \`weight\`. After a failure, the rules table below decides what happens next. Retries at the same target, at most \`max_retries\`,
use exponential backoff with full jitter (\`retry_delay\`, \`routing.max_retry_delay\`). A provider's Retry-After
is respected, up to \`routing.max_retry_after\`. All attempts must fit into \`routing.deadline\` and
\`routing.max_attempts\`, and waiting into \`routing.wait_budget\`. The 200 is held back until the first content, or until the body is
complete if it is not streamed; until then, the request can be sent elsewhere.

A target without capacity is skipped at once in favour of one that has some. Capacity is determined by \`rate_limit\` (requests and tokens
per minute, of the provider and of the model), \`max_connections\`, and the limits that the provider reports in the
headers of its answers ([providers.md](providers.md#limits-of-providers)). If no target has capacity, the request waits for the
first one that does, within \`routing.wait_budget\`. When that time is over, or would not be enough, the answer is a 429 (\`full\`)
with a Retry-After that names the limits; a 503 is for targets that are down.

As long as there are other targets to try, an attempt gets an equal share of the remaining time, so that a silent target cannot use up
the time of those after it. If the share is short because of the caller's own deadline, this counts against no target. Of
\`routing.max_attempts\`, one attempt is reserved for each target that has not been tried yet.

## What a fault counts against

Each fault counts against the smallest scope that it proves to be faulty, and nothing beyond that scope is held back: only the request;
one endpoint of a target (the client's endpoint, streamed or not); the target, that is a provider and a model;
one key of a provider; or the provider.

- A failure of a target or a provider counts for its breaker (\`routing.breaker\`), which opens after a number of consecutive failures or
  when a share of the calls in a window has failed. Only failed connection attempts count for the provider.
- A 401, or an error that mentions the key, the account or its balance, holds the key back at once. A provider's keys
  (\`api_keys\`) are used in turn, and one available key is enough.
- A 403, 402, 404, 405 or 410 that mentions none of these may be caused by the request itself. It holds back the endpoint of the
  target after ${SEVERAL} different requests in a row, or at once if it says that the model is missing.
- With several client keys, the requests of one of them may be what makes a target fail. If all failures were one key's, its breaker or endpoint
  is held back for that key only, and the provider counts as degraded at most. It is held back for all keys when the requests of another one fail
  as well (at an endpoint: ${SEVERAL} of them). \`/providers\`, \`llmproxy health\` and the log name the key.

## How it comes back

Whatever is held back has a cooldown: ${defaults.cooldown / 1000} s at first (\`routing.breaker.cooldown\`), doubled by each
failed trial up to ${defaults.max_cooldown / 1000} s (\`max_cooldown\`), counted from the start of the trial. After that, one
request at a time tries it. As soon as a trial starts to be answered, all requests may use it again; until an answer is complete, the
next failure holds it back for longer. With these defaults, a provider that has recovered is used within 15 seconds, however
long it was down, unless it sent a Retry-After or its probes still get no answer. A request that serves as a trial waits
at most three times as long as the target usually takes, and then moves on to the next one.

Free probes (\`health.probe\`) spare callers these trials: while a probe gets no answer, trials are postponed, by at
most 30 s after the last one; when it gets one, the next request may try. An answered probe, even with an error,
only shows that the provider can be reached: the next request may then try whatever was held back because nothing
answered. A probe without an answer counts only if an earlier probe of this provider was answered. With \`health.probe: always\`, two
consecutive probes that cannot connect hold a provider back before any request has to find out.

If all targets of a request are held back, one request at a time tries the least bad one, at least a second after it
failed. After a reload of the configuration (SIGHUP is enough), the next request may try whatever is held
back. \`/providers\` and \`llmproxy health\` show the scope, the reason, the provider's message and the time of the
next trial.

## What costs money

\`resume\`, \`hedge\` and \`probe_model\` are off by default. A resumed stream pays for the prompt and for the
text so far a second time, as input of the other target. A hedged request may be charged by both targets, including the one that is
abandoned. \`probe_model\` pays for one short answer per interval.

## The rules table

| fault | what it is | retry at the same target | next target | counts against | consequence | status | code |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rules.join('\n')}

The status is the provider's own if it is meaningful to the client, and so is the body if the client caused the fault.
All other errors have OpenAI's error format, with every attempt under \`details\`. A failure after the first content has been sent
becomes an error event in the stream: the same object after \`data: \`, and no \`[DONE]\`.

## The simulation

\`make simulate\` generates scenarios from seeds: providers, routes, outages of ${KIND_NAMES.length} kinds at any scope, and clients that disconnect, read
slowly or set deadlines. An hour of each scenario runs through the whole proxy on a simulated clock in less than a second. A model that
knows the true state of everything then checks the result: no request fails while a target that would have answered was available and known
to be good; no fault keeps a request from anything it does not affect; whatever recovers is used again within 15 seconds, unless it named a
time; targets that are down are not flooded with requests; every request has one record that matches what its client received; nothing is left
behind. A violation is reported with its seed, which reproduces it. \`make check\` runs some hours of it.

## The tests behind these promises

Each runs the compiled binary between a caller and a provider that fails on purpose. Of the ${Object.keys(FAULTS).length} faults in the
table above, these tests produce those that a provider can cause, in ${Object.keys(CATALOGUE).length} ways (\`test/helpers/broken\`), for ${PROMISES.length} promises.

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
