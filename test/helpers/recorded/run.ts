/** All recordings through the decoders: what passed, what failed, and what was left out for which reason. */
import type { Api, Recorded } from './exchange.ts';
import { ProxyError } from '../../../src/errors.ts';
import { clientOf } from '../../../src/wire/clients.ts';
import { PROTOCOLS } from '../../../src/pipeline/lanes/translate.ts';
import { checkAnswer, checkError } from './check.ts';
import { apiOf, textOf } from './exchange.ts';
import type { SchemaName } from '../openapi.ts';
import { openapiProblems } from '../openapi.ts';
import { readRecordings } from './read.ts';
import { SKIPPED } from './skipped.ts';
import { isStream } from './truth.ts';
import { NO_MEMORY } from '../../../src/wire/protocol.ts';

export interface Tally {
  read: number;
  passed: number;
  failed: number;
  readonly skipped: Map<string, number>;
}

export interface Outcome {
  readonly providers: ReadonlyMap<string, Tally>;
  /** One line each: where, and what is wrong. */
  readonly failures: readonly string[];
}

/** Numbers in [0, 1) that follow from a seed. */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Where a body is cut: nowhere, at random, and at every byte where it is short. */
function cutsOf({ body }: Recorded, random: () => number): number[][] {
  const { length } = body;
  const some = Array.from({ length: 40 }, () => 1 + Math.floor(random() * Math.max(1, length - 1)));
  const every = length < 3_000 ? [Array.from({ length }, (_, at) => at + 1)] : [];
  return [[], some.toSorted((a, b) => a - b), ...every];
}

/** @param seed of the places where bodies are cut */
export function runRecordings(seed: number): Outcome {
  const random = dice(seed);
  const { recorded, unread } = readRecordings();
  const providers = new Map<string, Tally>();
  const failures: string[] = [];
  const of = (provider: string): Tally => {
    let tally = providers.get(provider);
    if (!tally) providers.set(provider, (tally = { read: 0, passed: 0, failed: 0, skipped: new Map() }));
    return tally;
  };
  const skip = (provider: string, reason: string) => {
    const { skipped } = of(provider);
    skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  };
  for (const { provider, reason } of unread) skip(provider, reason);
  for (const each of recorded) {
    const tally = of(each.provider);
    tally.read += 1;
    const reason = skipReason(each);
    if (reason !== undefined) {
      skip(each.provider, reason);
      continue;
    }
    const problems = problemsOf(each, apiOf(each)!, cutsOf(each, random));
    if (problems.length === 0) tally.passed += 1;
    else tally.failed += 1;
    for (const problem of new Set(problems))
      failures.push(`${each.file} #${each.at}: ${problem} (seed ${seed})`);
  }
  return { providers, failures };
}

function skipReason(recorded: Recorded): string | undefined {
  if (apiOf(recorded) === undefined || recorded.method !== 'POST') return 'another endpoint than a chat';
  if (recorded.body.length === 0) return 'the body was not recorded';
  if (textOf(recorded.body.subarray(0, 20)).includes('\ufffd') && !isStream(recorded)) {
    return 'the body was recorded in an unreadable encoding';
  }
  return SKIPPED.find(({ file }) => recorded.file.includes(file))?.reason;
}

function problemsOf(recorded: Recorded, api: Api, cuts: number[][]): string[] {
  try {
    const { status } = recorded;
    const answer = status >= 200 && status < 300 ? checkAnswer(recorded, api, cuts) : checkError(recorded);
    return [...answer, ...checkRequest(recorded, api)];
  } catch (cause) {
    return [`throws ${(cause as Error).message}`];
  }
}

/** How OpenAI's document names the requests of its protocols. */
const OPENAPI: Readonly<Record<string, SchemaName>> = {
  chat: 'CreateChatCompletionRequest',
  responses: 'CreateResponse',
};

/** A client's request must be understood, and be said to every provider that can take it. */
function checkRequest({ request, status, url }: Recorded, api: Api): string[] {
  if (!request || status >= 300 || (api !== 'chat' && api !== 'messages' && api !== 'responses')) return [];
  const context = { created: 1, newId: () => 'id', memory: NO_MEMORY };
  return Object.entries(PROTOCOLS).flatMap(([name, protocol]) => {
    try {
      const understood = clientOf(api).decode({ model: 'm', ...request }, context);
      const { body } = protocol.encode(understood.request, {
        ...context,
        model: 'm',
        quirks: {},
        memory: NO_MEMORY,
      });
      // What a vendor's own words in a chat request mean elsewhere is not OpenAI's to say.
      const theirs = api === 'chat' && !url.includes('api.openai.com');
      const schema = theirs ? undefined : OPENAPI[name];
      return schema === undefined ? [] : openapiProblems(schema, body).slice(0, 2);
    } catch (cause) {
      const known = cause instanceof ProxyError && ['unsupported', 'invalid_request'].includes(cause.fault);
      return known ? [] : [`cannot be asked of ${name}: ${(cause as Error).message}`];
    }
  });
}

/** A table for people, a row a provider. */
export function report({ providers }: Outcome): string {
  const rows = [...providers]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([provider, { read, passed, failed, skipped }]) => {
      const reasons = [...skipped].map(([reason, count]) => `${count} ${reason}`).join('; ');
      const counts = [read, passed, failed].map((count) => String(count).padStart(6)).join('');
      return `${provider.padEnd(32)}${counts}  ${reasons}`;
    });
  return [`${'PROVIDER'.padEnd(32)}  READ PASSED FAILED  SKIPPED, AND WHY`, ...rows, ''].join('\n');
}
