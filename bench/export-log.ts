/** A request log for measuring the export: always the same for the same size, with lines of some 2.7 kB. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { LogRecord } from '../src/logs/record.ts';
import { lineOf } from '../src/logs/line-block.ts';
import { Redaction } from '../src/logs/redaction.ts';

/** The model of one line in a hundred. */
export const RARE_MODEL = 'gpt-4-rare';

const MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-5', 'llama-3.3-70b'];
const WORDS =
  'the of and to a in is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years much where your way down should because long'.split(
    ' ',
  );
const FOREIGN = 'größer façade naïve Überblick 東京 日本語 Привет señor čeština 你好 résumé'.split(' ');

/** Writes a log of at least this many bytes. @returns the number of lines */
export function writeLog(path: string, bytes: number): number {
  const random = generator(42);
  const redaction = new Redaction({ secrets: [], keys: [] });
  const fd = openSync(path, 'w');
  let [written, lines, pending] = [0, 0, ''];
  while (written < bytes) {
    const line = lineOf(record(lines, random), redaction);
    pending += line;
    lines += 1;
    written += line.length;
    if (pending.length < 4 * 1024 ** 2 && written < bytes) continue;
    writeSync(fd, pending);
    pending = '';
  }
  closeSync(fd);
  return lines;
}

function record(number: number, random: () => number): LogRecord {
  const model = number % 100 === 7 ? RARE_MODEL : MODELS[Math.floor(random() * MODELS.length)]!;
  const foreign = random() < 0.3;
  const say = (words: number) => sentence(words, foreign, random);
  const messages = [
    { role: 'system', content: `You are a helpful assistant for ${say(40)}.` },
    { role: 'user', content: `${number}: ${say(190)}` },
  ];
  const answer = { role: 'assistant', content: say(110), refusal: null };
  const [input, output] = [330, 150];
  return {
    v: 1,
    ts: new Date(Date.UTC(2026, 10, 1) + number * 1_000).toISOString(),
    id: `req_${number.toString(16).padStart(16, '0')}`,
    outcome: 'success',
    status: 200,
    endpoint: 'chat',
    stream: number % 2 === 0,
    model,
    provider: 'openai',
    upstream_model: model,
    finish: 'stop',
    fault: null,
    attempts: 1,
    input_tokens: input,
    cached_tokens: 0,
    cache_write_tokens: null,
    output_tokens: output,
    reasoning_tokens: 0,
    cost: 0.00123,
    latency_ms: 1234.56,
    first_content_ms: 321.09,
    key: 'team-a',
    conversation: null,
    score: null,
    lane: 'relay',
    request_bytes: 1_800,
    response_bytes: 1_200,
    user_agent: 'OpenAI/JS 7.57.0',
    error: null,
    attempt_log: [{ target: `openai/${model}`, fault: null, status: 200, ms: 1230.01 }],
    content: 'full',
    request: JSON.stringify({ model, messages, temperature: 0.7, stream: number % 2 === 0 }),
    response: JSON.stringify({
      id: `chatcmpl-${number}`,
      object: 'chat.completion',
      created: 1_795_428_000,
      model,
      choices: [{ index: 0, message: answer, finish_reason: 'stop', logprobs: null }],
      usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    }),
  };
}

function sentence(words: number, foreign: boolean, random: () => number): string {
  const from = foreign ? [...WORDS, ...FOREIGN] : WORDS;
  return Array.from({ length: words }, () => from[Math.floor(random() * from.length)]!).join(' ');
}

/** Mulberry32, by Tommy Ettinger: small, and the same on every platform. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Runs as a separate process, because the memory of the parent counts towards that of the programs that it starts.
if (import.meta.main) {
  const [path, bytes] = process.argv.slice(2);
  process.stdout.write(String(writeLog(path!, Number(bytes))));
}
