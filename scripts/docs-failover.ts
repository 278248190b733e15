/**
 * Writes docs/failover.md from the rules table and the promises; `--check` only says whether it is stale. Both fail
 * when a promise names a test that is not there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS } from '../src/errors.ts';
import type { FaultRule, Scope } from '../src/errors.ts';
import { schema } from '../src/config/schema.ts';
import { SEVERAL } from '../src/pipeline/endpoint-state.ts';
import { CATALOGUE } from '../test/helpers/broken/catalogue.ts';
import { KIND_NAMES } from '../test/simulate/faults.ts';
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

One loop asks one target (a provider and a model) at a time, best first: by the order of a route, then by \`priority\`,
then by \`weight\`. After a failure the rules table below decides. A retry at the same target waits by exponential
backoff with full jitter (\`retry_delay\`, \`routing.max_retry_delay\`), at most \`max_retries\` times. A Retry-After of
the provider is kept, up to \`routing.max_retry_after\`. All attempts fit into \`routing.deadline\` and
\`routing.max_attempts\`, waits into \`routing.wait_budget\`. The 200 is held until the first content, or the whole body
when it is not streamed; until then everything may be tried elsewhere.

A target whose limits leave no room is passed over at once for one that has room: its \`rate_limit\` (requests and tokens
a minute, of the provider and of the model) and \`max_connections\`, and what the provider tells of its own limits in the
headers of its answers ([providers.md](providers.md#limits-of-providers)). Where none has room, the request waits for
whichever has it first, within \`routing.wait_budget\`. When that is over, or would not be enough, the answer is a 429 (\`full\`)
with a Retry-After that names the limits; a 503 is for targets that are down.

While other targets wait, an attempt has an equal share of the time that is left, so that a silent target cannot use up
the time of those behind it. A share that follows from a caller's own short deadline counts against no target. Of
\`routing.max_attempts\`, one attempt is kept for each target that waits for its first.

## Whom a fault blames

Each fault blames the smallest scope that its words support, and nothing larger is held back for it: the request alone;
one endpoint of a target, which is the client's endpoint, streamed or not; the target, which is a provider and a model;
one key of a provider; the provider.

- A failure of a target or of a provider counts for its breaker (\`routing.breaker\`): so many in a row, or so large a
  share of the calls in a window, open it. Only failed connection attempts count for the provider.
- Words that name the key, the account or its balance, and a 401, hold the key back at once. A provider's keys
  (\`api_keys\`) take turns, and one that is free is enough.
- A 403, 402, 404, 405 or 410 that names none of these may be the request's own fault. It holds back the endpoint of the
  target once ${SEVERAL} different requests in a row met it, and at once where it names the model as missing.

## How it comes back

What is held back has a cooldown: ${defaults.cooldown / 1000} s at first (\`routing.breaker.cooldown\`), doubled by each
failed trial up to ${defaults.max_cooldown / 1000} s (\`max_cooldown\`), counted from the start of the trial. Then one
request at a time tries it. As soon as one is being answered all may ask it again, and until an answer is complete the
next failure holds it back for longer. With these defaults a provider that came back is used within 15 seconds, however
long it was away, unless it named a Retry-After or its probes still get no answer. A request that tries a target waits
no longer than three times what the target usually takes, and then goes on to the next one.

A free probe (\`health.probe\`) takes that risk off the callers: while it gets no answer, trials are put off, for at
most 30 s after the last one; when it gets one, the next request may try. A probe that is answered, even with an error,
shows that the provider can be reached, and no more: the next request may try what was held back because nothing
answered. Silence counts only if a probe of this provider has been answered before. With \`health.probe: always\`, two
probes in a row that open no connection hold a provider back before a request has to find out.

When all targets of a request are held back, the least bad one is tried by one request at a time, a second after it
failed or later. After the configuration was read again (SIGHUP is enough) the next request may try whatever is held
back. \`/providers\` and \`llmproxy health\` show the scope, the reason, the provider's own words and the time of the
next trial.

## What costs money

\`resume\`, \`hedge\` and \`probe_model\` are off unless asked for. A resumed stream pays for the prompt and for the
text so far a second time, as input of the other target. A hedge may be charged by both targets, also by the one that is
let go. \`probe_model\` pays for one short answer an interval.

## The rules table

| fault | what it is | same target again | next target | blames | what follows | status | code |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rules.join('\n')}

The status is the provider's own where it says something to the client, and the body too when the fault is the client's.
The rest is told in OpenAI's error shape, with every attempt under \`details\`. A failure after the first content was sent
is an error event in the stream: the same object after \`data: \`, and no \`[DONE]\`.

## The simulation

\`make simulate\` draws worlds from seeds: providers, routes, outages of ${KIND_NAMES.length} kinds at any scope, and clients that leave, read
slowly or name deadlines. An hour of each passes through the whole proxy on a simulated clock in less than a second, and a model that
knows what is true judges it: no request fails while a target that would have answered was free and known to be good; no
fault keeps a request from what it does not cover; what comes back is used again within 15 seconds, unless it named a time; what is down is not hammered;
every request has one record that says what its client saw; nothing is left behind. A violation names the seed, which
shows it again. \`make check\` runs some hours of it.

## The tests that hold it to this

Each runs the compiled binary between a caller and a provider that breaks on purpose. Of the ${Object.keys(FAULTS).length} faults of the
table above these tests make those that a provider can cause, in ${Object.keys(CATALOGUE).length} ways (\`test/helpers/broken\`), for ${PROMISES.length} promises.

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
