/** What Claude Code sends together with results: reminders, interruptions, further questions. */
import { expect, test } from 'bun:test';
import type { FormatName } from '../../../src/config/export/options.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import { line } from '../records.ts';
import { workshop } from '../workshop.ts';

const text = (words: string) => ({ type: 'text', text: words });
const use = (id: string, command: string) => ({ type: 'tool_use', id, name: 'Bash', input: { command } });
const result = (id: string, content: unknown, more: object = {}) => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...more,
});

/** The requests of an agent: each has the whole conversation so far. */
function session(
  turns: readonly (readonly [user: readonly object[], assistant: readonly object[]])[],
): string {
  const messages: object[] = [];
  return turns
    .map(([user, assistant]) => {
      messages.push({ role: 'user', content: user });
      const stop = assistant.some((block) => 'input' in block) ? 'tool_use' : 'end_turn';
      const made = line({
        endpoint: 'messages',
        model: 'claude',
        finish: stop,
        request: {
          model: 'claude',
          max_tokens: 99,
          messages: [...messages],
          tools: [{ name: 'Bash', description: 'Runs', input_schema: { type: 'object', properties: {} } }],
        },
        response: { id: 'm', type: 'message', role: 'assistant', content: assistant, stop_reason: stop },
      });
      messages.push({ role: 'assistant', content: assistant });
      return made;
    })
    .join('');
}

const LOG = session([
  [[text('Test it.')], [text('Both at once.'), use('t1', 'make a'), use('t2', 'make b')]],
  [
    [result('t2', 'b: ok'), result('t1', ''), text('<system-reminder>Be brief.</system-reminder>')],
    [use('t3', 'make c')],
  ],
  [
    [
      result('t3', 'rejected', { is_error: true }),
      text('[Request interrupted by user for tool use]'),
      text('Only once more.'),
    ],
    [use('t4', 'make d')],
  ],
  [[result('t4', '{"ok":true}'), text('And?')], [text('All pass.')]],
  [[text('Thanks.')], [text('You are welcome.')]],
]);

test.each<FormatName>([
  'openai',
  'trl',
  'trl-pc',
  'together',
  'fireworks',
  'mistral',
  'gemini',
  'bedrock',
  'sharegpt',
  'axolotl',
  'text',
])('%s has the whole conversation', async (name) => {
  await using shop = await workshop({ 'a.ndjson': LOG });
  const { report } = await shop.run(`--successful-only --unlogged-turns keep -f ${name}`);
  expect(report.dropped).toEqual({});
  const rows = shop.rows();
  expect(rows.flatMap((row) => FORMATS[name].check(row as never))).toEqual([]);
  const written = JSON.stringify(rows.at(-1));
  for (const said of ['Be brief.', 'b: ok', 'rejected', 'interrupted by user', 'Only once more.', 'And?'])
    expect(written).toContain(said);
});

test.each<[FormatName, (row: never) => unknown, unknown]>([
  [
    'together',
    ({ messages }: { messages: { role: string }[] }) => messages.map(({ role }) => role).join(' '),
    'user assistant tool tool user assistant tool user assistant tool user assistant user assistant',
  ],
  [
    'mistral',
    ({ messages }: { messages: { role: string; content: string }[] }) =>
      messages.filter(({ role }) => role === 'tool').map(({ content }) => content),
    [
      'b: ok',
      '<system-reminder>Be brief.</system-reminder>',
      'rejected\n\n[Request interrupted by user for tool use]\nOnly once more.',
      '{"ok":true}\n\nAnd?',
    ],
  ],
  [
    'sharegpt',
    ({ conversations }: { conversations: { from: string; value: string }[] }) =>
      conversations.filter(({ from }) => from === 'observation').map(({ value }) => value),
    [
      '["","b: ok"]\n\n<system-reminder>Be brief.</system-reminder>',
      'rejected\n\n[Request interrupted by user for tool use]\nOnly once more.',
      '{"ok":true}\n\nAnd?',
    ],
  ],
  [
    'gemini',
    ({ contents }: { contents: { parts: object[] }[] }) => contents[2]!.parts,
    [
      { functionResponse: { name: 'Bash', response: { output: '' } } },
      { functionResponse: { name: 'Bash', response: { output: 'b: ok' } } },
      { text: '<system-reminder>Be brief.</system-reminder>' },
    ],
  ],
])('%s writes it as its loader accepts it', async (name, part, expected) => {
  await using shop = await workshop({ 'a.ndjson': LOG });
  await shop.run(`--successful-only -f ${name}`);
  expect(part(shop.rows()[0] as never)).toEqual(expected);
});
