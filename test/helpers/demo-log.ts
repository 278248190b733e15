/** A log of several days, as a team would produce it; always the same, except for its dates. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogRecord } from '../../src/logs/record.ts';
import { logName, utcDay } from '../../src/logs/names.ts';

interface Kind {
  readonly model: string;
  readonly targets: readonly string[];
  /** USD per million input and output tokens. */
  readonly price: readonly [input: number, output: number];
  readonly firstMs: number;
  readonly tokensPerSecond: number;
  readonly share: number;
  readonly failures: number;
}

const KINDS: readonly Kind[] = [
  {
    model: 'claude-sonnet-4-6',
    targets: ['anthropic/claude-sonnet-4-6', 'bedrock/claude-sonnet-4-6'],
    price: [3, 15],
    firstMs: 620,
    tokensPerSecond: 78,
    share: 0.28,
    failures: 0.03,
  },
  {
    model: 'gpt-5.2',
    targets: ['openai/gpt-5.2'],
    price: [1.75, 14],
    firstMs: 480,
    tokensPerSecond: 95,
    share: 0.3,
    failures: 0.008,
  },
  {
    model: 'gemini-3-pro',
    targets: ['vertex/gemini-3-pro'],
    price: [2, 12],
    firstMs: 540,
    tokensPerSecond: 110,
    share: 0.18,
    failures: 0.05,
  },
  {
    model: 'llama-4-70b',
    targets: ['groq/llama-4-70b'],
    price: [0.1, 0.4],
    firstMs: 110,
    tokensPerSecond: 420,
    share: 0.24,
    failures: 0.01,
  },
];
const KEYS = ['web-app', 'support-bot', 'nightly-batch', 'ci'];
const TALKS: readonly (readonly [question: string, answer: string])[] = [
  [
    'Summarise this ticket in two lines.',
    'The customer cannot export invoices since Tuesday. The CSV job times out after 30 s for accounts above 40,000 rows.',
  ],
  [
    'What does this stack trace mean?',
    'The pool has no free connection: 20 are held by requests that wait for the payment service. Look at its timeout first.',
  ],
  ['Write a haiku about failover.', 'One river runs dry —\nthe water finds another\nvalley to the sea.'],
  [
    'Which of these three plans is the cheapest for 40 seats?',
    'The annual plan: 40 seats come to $9,120, against $10,560 by month and $9,600 by usage at your current volume.',
  ],
];

export interface DemoLogOptions {
  /** The time of the last request. */
  readonly nowMs: number;
  readonly days: number;
  readonly perDay: number;
  /** The number of additional requests in the last hour. */
  readonly lately?: number;
}

/** Writes the log. */
export function writeDemoLog(directory: string, { nowMs, days, perDay, lately = 0 }: DemoLogOptions): void {
  mkdirSync(directory, { recursive: true });
  const chance = dice(7);
  const within = (count: number, ms: number) => Array.from({ length: count }, () => nowMs - chance() * ms);
  const usual = within(days * perDay, days * 86_400_000).filter((ms) => chance() < busyness(ms));
  const moments = [...usual, ...within(lately, 3_600_000)].sort((a, b) => a - b);
  const lines = new Map<string, string[]>();
  for (const ms of moments) {
    const record = recordAt(ms, chance);
    const day = utcDay(ms);
    lines.set(day, [...(lines.get(day) ?? []), JSON.stringify(record)]);
  }
  for (const [day, all] of lines) writeFileSync(join(directory, logName(day, 0)), `${all.join('\n')}\n`);
}

/** The activity over a day: people sleep. */
function busyness(ms: number): number {
  const hour = new Date(ms).getUTCHours();
  return 0.35 + 0.65 * Math.max(0, Math.sin(((hour - 5) / 14) * Math.PI));
}

function recordAt(ms: number, chance: () => number): LogRecord {
  const kind = pick(KINDS, chance);
  const key = KEYS[Math.floor(chance() ** 1.6 * KEYS.length)]!;
  const fails = chance() < kind.failures;
  const moves = !fails && kind.targets.length > 1 && chance() < 0.09;
  const target = kind.targets[moves ? 1 : 0]!;
  const [provider = '', upstream = ''] = target.split('/');
  const input = Math.round(300 + chance() ** 3 * 9_000);
  const output = fails ? 0 : Math.round(30 + chance() ** 2 * 1_400);
  const first = Math.round(kind.firstMs * (0.6 + chance() ** 3 * 2.4) + (moves ? 400 : 0));
  const latency = fails ? 300 + chance() * 900 : first + (output / kind.tokensPerSecond) * 1_000;
  const cost = (input * kind.price[0] + output * kind.price[1]) / 1e6;
  const [question, answer] = TALKS[Math.floor(chance() * TALKS.length)]!;
  const messages = [
    { role: 'system', content: 'You help the support team. Be brief.' },
    { role: 'user', content: question },
  ];
  const request = { model: kind.model, stream: true, messages };
  const response = {
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: answer }, finish_reason: 'stop' }],
  };
  const failed = {
    target: kind.targets[0]!,
    fault: 'overloaded',
    status: 529,
    ms: Math.round(120 + chance() * 200),
  };
  const hex = Math.floor(ms).toString(16).padStart(12, '0');
  return {
    v: 1,
    ts: new Date(ms).toISOString(),
    id: `req_${hex}7${Math.floor(chance() * 2 ** 48)
      .toString(16)
      .padStart(19, '0')}`,
    outcome: fails ? 'error' : 'success',
    status: fails ? 503 : 200,
    endpoint: 'chat',
    stream: true,
    model: kind.model,
    provider,
    upstream_model: upstream,
    finish: fails ? null : chance() < 0.04 ? 'length' : 'stop',
    fault: fails ? 'overloaded' : null,
    attempts: fails || moves ? 2 : 1,
    input_tokens: fails ? null : input,
    cached_tokens: fails ? null : Math.round(input * chance() * 0.5),
    cache_write_tokens: null,
    output_tokens: fails ? null : output,
    reasoning_tokens: null,
    cost: fails ? null : Math.round(cost * 1e8) / 1e8,
    latency_ms: Math.round(latency),
    first_content_ms: fails ? null : first,
    key,
    conversation: `chat-${Math.floor(chance() * 400)}`,
    score: null,
    user: null,
    tags: key === 'nightly-batch' ? { team: 'search' } : null,
    lane: 'relay',
    request_bytes: 4 * input,
    response_bytes: 40 * output,
    user_agent: 'OpenAI/Python 3.1.0',
    error: fails ? `Cannot get an answer from ${target}: it answered 529: Overloaded` : null,
    attempt_log: [
      ...(fails || moves ? [failed] : []),
      {
        target,
        fault: fails ? 'overloaded' : null,
        status: fails ? 529 : 200,
        ms: moves ? first - failed.ms - 20 : first,
      },
    ],
    content: 'full',
    request: request as unknown as string,
    ...(fails ? {} : { response: response as unknown as string }),
  };
}

function pick(kinds: readonly Kind[], chance: () => number): Kind {
  let left = chance();
  for (const kind of kinds) {
    left -= kind.share;
    if (left < 0) return kind;
  }
  return kinds[0]!;
}

/** Random numbers in [0, 1), the same for each seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
