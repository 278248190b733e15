/** What Claude Code changes in the input of its tools before it sends a call back, as observed with its version 2.1. */
import { expect, test } from 'bun:test';
import { line } from '../records.ts';
import { workshop } from '../workshop.ts';

const TOOLS = ['Edit', 'Bash', 'Write'].map((name) => ({
  name,
  description: name,
  input_schema: { type: 'object' },
}));

const exchange = (messages: readonly object[], content: readonly object[], stop: string, id = 'r') =>
  line({
    id,
    endpoint: 'messages',
    model: 'claude',
    finish: stop,
    request: { model: 'claude', max_tokens: 99, messages, tools: TOOLS },
    response: { id: 'm', type: 'message', role: 'assistant', content, stop_reason: stop },
  });
const use = (name: string, input: object) => ({ type: 'tool_use', id: 'toolu_01', name, input });
const asked = { role: 'user', content: 'Go.' };
const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_01', content: 'ok' }] };
const done = [{ type: 'text', text: 'Done.' }];

/** A call as the model wrote it, and as the client returns it. */
const talk = (name: string, written: object, returned: object) =>
  exchange([asked], [use(name, written)], 'tool_use', 'r1') +
  exchange([asked, { role: 'assistant', content: [use(name, returned)] }, result], done, 'end_turn', 'r2');

test.each<[string, string, object, object]>([
  [
    'a default, and white space at line ends',
    'Edit',
    { file_path: '/a', old_string: 'x', new_string: 'y  \n\n' },
    { replace_all: false, file_path: '/a', old_string: 'x', new_string: 'y\n\n' },
  ],
  ['white space in a file', 'Write', { content: 'x = 1   \ny = 2\t\n' }, { content: 'x = 1\ny = 2\n' }],
  ['the change to its directory', 'Bash', { command: 'cd "/my dir" && ls' }, { command: 'ls' }],
  ['a number as text', 'Bash', { command: 'ls', timeout: '5000' }, { command: 'ls', timeout: 5000 }],
  ['nothing in place of null', 'Bash', { command: 'ls', timeout: null }, { command: 'ls' }],
])('a conversation stays one with %s', async (_, name, written, returned) => {
  await using shop = await workshop({ 'a.ndjson': talk(name, written, returned) });
  const { report } = await shop.run('--successful-only -f trl');
  expect([report.kept, report.dropped]).toEqual([1, {}]);
  expect((await shop.run('--successful-only -f openai --force')).report.kept).toBe(1);
  expect(JSON.stringify(shop.rows())).not.toContain('"weight":0');
});

test.each<[string, object, object]>([
  ['another command', { command: 'ls' }, { command: 'rm -r .' }],
  ['a switch that is on', { command: 'ls' }, { command: 'ls', dangerous: true }],
  ['a command without its end', { command: 'ls && pwd' }, { command: 'pwd' }],
])('a call that a client edits is not trained: %s', async (_, written, returned) => {
  await using shop = await workshop({ 'a.ndjson': talk('Bash', written, returned) });
  expect((await shop.run('--successful-only -f trl')).report.quoted_rows).toBe(1);
});

test('answers whose calls differ only in white space are not duplicates', async () => {
  const log = ['x y', 'xy'].map((content) => exchange([asked], [use('Write', { content })], 'tool_use'));
  await using shop = await workshop({ 'a.ndjson': log.join('') });
  expect((await shop.run('--successful-only -f openai')).report.kept).toBe(2);
});
