/** Random logs of few words, so that rows are often related. The same seed produces the same log. */
import type { Exchange } from '../records.ts';
import { answered, call, chat, feedback, line, tool, user } from '../records.ts';

export interface Random {
  /** An integer below a bound. */
  below(bound: number): number;
  chance(share: number): boolean;
  pick<Thing>(things: readonly Thing[]): Thing;
}

/** @see https://prng.di.unimi.it/ splitmix32 */
export function random(seed: number): Random {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  return { below, chance: (share) => next() < share, pick: (things) => things[below(things.length)]! };
}

const QUESTIONS = [
  'Hi',
  'Hello there',
  'Write to ada@example.com about the invoice',
  'Write to bob@example.com about the invoice',
  'Summarise the report of the third quarter in two short sentences for the board meeting on Monday morning, please',
  'Summarise the report of the third quarter in two short sentences for the board meeting on Tuesday morning, please',
  'Call +49 151 23456789',
  'What now?',
  'And then?',
  'Translate "good\nmorning"',
];
const ANSWERS = [
  'Yes',
  'No',
  'Ask ada@example.com',
  'Revenue grew by four percent while costs stayed flat, and the outlook for the next quarter remains cautiously positive overall',
  'Revenue grew by five percent while costs stayed flat, and the outlook for the next quarter remains cautiously positive overall',
  'Good\nmorning',
  'Done',
];
const SYSTEMS = ['Be brief', 'Be brief. Contact ops@example.com', 'It is 10:00'];

interface Talk {
  readonly messages: object[];
  readonly more: Exchange;
  readonly tools: boolean;
}

/** Lines of a log with conversations, branches, repetitions, tool calls, feedback and damage. */
export function logLines(seed: number, count: number, prefix = ''): string[] {
  const { below, chance, pick } = random(seed);
  const lines: string[] = [];
  const ids: { readonly id: string; readonly key: string }[] = [];
  const talks: Talk[] = [];
  let ms = Date.UTC(2026, 10, 20) + below(86_400_000);
  const begin = (): Talk => {
    const messages: object[] = chance(0.4) ? [{ role: 'system', content: pick(SYSTEMS) }] : [];
    const more: Exchange = {
      key: pick(['web', 'batch']),
      ...(chance(0.3) ? { conversation: pick(['c1', 'c2', 'c3', 'c4']) } : {}),
      ...(chance(0.3) ? { user: pick(['u1', 'u2']) } : {}),
    };
    return { messages, more, tools: chance(0.2) };
  };
  const answer = (withTools: boolean): object => {
    if (withTools && chance(0.5))
      return { content: null, tool_calls: [call('call_1', pick(['look', 'find']), { q: pick(['a', 'b']) })] };
    return { content: pick(ANSWERS), ...(chance(0.1) ? { reasoning_content: 'Hm' } : {}) };
  };
  for (let at = 0; at < count; at++) {
    ms += below(5_000);
    const ts = new Date(ms).toISOString();
    const id = `${prefix}${chance(0.02) && ids.length > 0 ? pick(ids).id : `r${at}`}`;
    if (chance(0.04)) {
      lines.push(pick(['{"v":1,"ts":', 'not a record', '{}', '', `{"level":"info","message":"started"}`]));
      continue;
    }
    if (chance(0.15) && ids.length > 0) {
      const about = chance(0.9) ? pick(ids) : { id: 'unknown', key: 'web' };
      const said = pick<object>([
        { score: 1 },
        { score: -1 },
        { score: 0.4 },
        { label: true },
        { label: false },
        { correction: pick(ANSWERS) },
        { correction: { role: 'assistant', content: pick(ANSWERS) }, score: -0.5 },
      ]);
      lines.push(
        feedback(about.id, said, { ts, key: chance(0.9) ? about.key : 'other', id: `f${prefix}${at}` }),
      );
      continue;
    }
    const old = talks.length > 0 && chance(0.55) ? pick(talks.slice(-8)) : undefined;
    const talk = old ?? begin();
    // A repeated request has the messages of the one before it.
    const again = old !== undefined && chance(0.25);
    const opening = chance(0.04) ? [] : [user(chance(0.5) ? pick(QUESTIONS) : `Question ${below(1_000)}`)];
    const asked = again ? talk.messages.slice(0, -1) : [...talk.messages, ...opening];
    const messages = asked.length > 0 ? asked : [user('Hi')];
    const named = pick(['look', 'find']);
    const tools = talk.tools
      ? [tool(named), ...(chance(0.7) ? [tool(named === 'look' ? 'find' : 'look')] : [])]
      : [];
    const said = answer(talk.tools);
    const bad = chance(0.08);
    lines.push(
      line({
        ...talk.more,
        ts,
        id,
        latency_ms: below(3_000),
        model: pick(['gpt-4o', 'gpt-4o-mini', 'claude']),
        ...(chance(0.9) ? { input_tokens: below(60), output_tokens: below(30) } : {}),
        request: chat(messages, tools.length > 0 ? { tools } : {}),
        response: answered(said, bad ? 'length' : 'stop'),
        ...(bad ? { finish: 'length' } : {}),
        ...(chance(0.05) ? { outcome: 'error', status: 500 } : {}),
      }),
    );
    ids.push({ id, key: talk.more.key! });
    const calls = (said as { tool_calls?: { id: string }[] }).tool_calls ?? [];
    const results = calls.map((one) => ({ role: 'tool', tool_call_id: one.id, content: pick(['1', '2']) }));
    const next = [...messages, { role: 'assistant', ...said }, ...results];
    if (next.length < 14) talks.push({ ...talk, messages: next });
  }
  return lines;
}
