import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { FORMATS } from '../../../src/export/render/all.ts';
import { summaryText } from '../../../src/export/report/summary.ts';
import { answered, call, chat, line, tool, user } from '../records.ts';
import { workshop } from '../workshop.ts';

const says = (content: string) => ({ role: 'assistant', content });

interface Row {
  readonly messages: { role: string; content: string; tool_calls?: { function: { name: string } }[] }[];
}

/** A record of a conversation: its turns so far, of which the last is the answer. */
function talk(turns: readonly string[], more: object = {}): string {
  const messages = turns.slice(0, -1).map((text, index) => (index % 2 === 0 ? user(text) : says(text)));
  return line({ request: chat(messages), response: answered({ content: turns.at(-1) }), ...more });
}

/** Messages as the first letter of the role and the text. */
const told = ({ messages }: Row) => messages.map(({ role, content }) => `${role[0]}:${content}`);
const QUOTED =
  '<conversation>\n<user>\nsetup\n</user>\n<assistant>\nGot it!\n</assistant>\n</conversation>\n\nfix it';

/** Conversations that begin with an answer by the program itself, as those of Qwen Code do. */
const primed = ['setup', 'Got it!', 'fix it', 'fixed'];

describe('an answer that no model gave', () => {
  const log = talk(primed) + talk([...primed, 'thanks', 'welcome']);

  test('is quoted in the next user message if the format trains every answer', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    const run = await shop.run('-f trl --successful-only');
    expect((shop.rows() as Row[]).map(told)).toEqual([[`u:${QUOTED}`, 'a:fixed', 'u:thanks', 'a:welcome']]);
    const { report } = run;
    expect([report.kept, report.quoted_rows, report.dropped]).toEqual([1, 1, {}]);
    expect(summaryText(run, 'out')).toMatch(/^ {2}quoting +1 {2}are rows that quote earlier answers/m);
  });

  test('is one if it was given before --since, failed, or was edited', async () => {
    const earlier = { ts: '2026-11-01T10:00:00.000Z' };
    for (const [flags, before] of [
      ['--since 2026-11-20', talk(['setup', 'Got it!'], earlier)],
      ['--successful-only', talk(['setup', 'Got it!'], { finish: 'length' })],
      ['--successful-only', talk(['setup', 'Got'])],
    ] as const) {
      await using shop = await workshop({ 'a.ndjson': before + talk(primed) });
      await shop.run(`-f trl ${flags}`);
      expect(told((shop.rows() as Row[]).at(-1)!)).toEqual([`u:${QUOTED}`, 'a:fixed']);
    }
  });

  test.each(
    Object.values(FORMATS)
      .filter(({ loss }) => loss === 'all')
      .map(({ name }) => name),
  )('makes a row that the checker of %s accepts', async (name) => {
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run(`-f ${name}`);
    expect([report.kept, report.quoted_rows]).toEqual([1, 1]);
    const [row] = shop.rows();
    expect(FORMATS[name].check(row as never)).toEqual([]);
    expect(JSON.stringify(row)).toContain(JSON.stringify(QUOTED).slice(1, -1));
  });

  test('is dropped, or trained, on request', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    const dropped = await shop.run('-f trl --unlogged-turns drop');
    expect([dropped.report.kept, dropped.report.dropped.unlogged_turn?.count]).toEqual([0, 2]);
    const kept = await shop.run('-f trl --unlogged-turns keep --force');
    expect([kept.report.kept, kept.report.quoted_rows]).toEqual([1, 0]);
    expect((shop.rows() as Row[])[0]!.messages).toHaveLength(6);
  });

  test('is quoted with calls and results, behind which the row continues', async () => {
    const tools = [tool('ls')];
    const called = (id: string, args: string) => ({
      role: 'assistant',
      content: 'Let me look.',
      tool_calls: [call(id, 'ls', args)],
    });
    const gave = (id: string) => ({ role: 'tool', tool_call_id: id, content: `of ${id}` });
    const before = [user('go'), called('1', '{"edited":1}'), gave('1')];
    const log = line({
      request: chat(before, { tools }),
      response: answered(called('2', '{"a":1}'), 'tool_calls'),
      finish: 'tool_calls',
    });
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f trl');
    const [row] = shop.rows() as Row[];
    expect(told(row!)).toEqual([
      'u:<conversation>\n<user>\ngo\n</user>\n<assistant>\nLet me look.\n<call function="ls">\n{"edited":1}\n</call>\n</assistant>\n<result function="ls">\nof 1\n</result>\n</conversation>',
      'a:Let me look.',
    ]);
  });

  test('does not make conversations branches of one', async () => {
    const log = ['one', 'two', 'three'].map((word) => talk(['setup', 'Got it!', word, `${word}!`])).join('');
    await using shop = await workshop({ 'a.ndjson': log });
    for (const format of ['trl', 'openai'])
      expect((await shop.run(`-f ${format} --branches longest --force`)).report.kept).toBe(3);
  });

  test('keeps the images before it', async () => {
    const picture = { type: 'image_url', image_url: { url: 'https://x.example/a.png' } };
    const log = line({
      request: chat([user([{ type: 'text', text: 'see' }, picture]), says('Got it!'), user('describe')]),
      response: answered({ content: 'a cat' }),
    });
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f gemini');
    const [{ contents }] = shop.rows() as unknown as [{ contents: { parts: object[] }[] }];
    expect(contents[0]!.parts).toEqual([
      { text: '<conversation>\n<user>\nsee' },
      { fileData: { mimeType: 'image/png', fileUri: 'https://x.example/a.png' } },
      { text: '\n</user>\n<assistant>\nGot it!\n</assistant>\n</conversation>\n\ndescribe' },
    ]);
  });
});

test('rows of a format that trains every answer contain each good answer, and no other, with all that preceded it', async () => {
  await using shop = await workshop();
  const word = fc.constantFrom('a', 'b', 'c');
  const record = fc.record({
    turns: fc.nat(2).chain((n) => fc.array(word, { minLength: 2 * n + 2, maxLength: 2 * n + 2 })),
    finish: fc.constantFrom('stop', 'stop', 'length'),
  });
  const plain = (text: string) =>
    text
      .replaceAll(/<[^>]*>/g, ' ')
      .trim()
      .split(/\s+/);
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 8 }), async (records) => {
      writeFileSync(
        shop.path('logs/a.ndjson'),
        records.map(({ turns, finish }) => talk(turns, { finish })).join(''),
      );
      await shop.run('-f trl --successful-only --force');
      const good = new Set(
        records.filter(({ finish }) => finish === 'stop').map(({ turns }) => turns.join(' ')),
      );
      const trained = new Set<string>();
      for (const { messages } of shop.rows() as Row[])
        for (const [index, { role }] of messages.entries())
          if (role === 'assistant')
            trained.add(
              messages
                .slice(0, index + 1)
                .flatMap(({ content }) => plain(content))
                .join(' '),
            );
      expect(trained).toEqual(good);
    }),
    { numRuns: 60 },
  );
});
