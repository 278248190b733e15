/**
 * Conversations whose records differ not only in their last messages: branches, changing tools and system prompts,
 * windows.
 */
import { describe, expect, test } from 'bun:test';
import { answered, call, chat, line, tool, user } from '../records.ts';
import { workshop } from '../workshop.ts';

interface Row {
  messages: {
    role: string;
    content: string;
    weight?: number;
    tool_calls?: { function: { name: string } }[];
  }[];
  tools?: { function: { name: string } }[];
}

type Shop = Awaited<ReturnType<typeof workshop>>;

const says = (content: string) => ({ role: 'assistant', content });
const rowsOf = (shop: Shop) => shop.rows() as unknown as Row[];

/** A line of a conversation with these texts, the user's first; other messages may precede them. */
function talk(words: readonly string[], more: object = {}, before: readonly object[] = []): string {
  const messages = words.slice(0, -1).map((word, n) => (n % 2 === 0 ? user(word) : says(word)));
  return line({
    request: chat([...before, ...messages]),
    response: answered({ content: words.at(-1) }),
    ...more,
  });
}

/** How often each answer is trained over all rows. */
function trainedIn(shop: Shop): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { messages } of rowsOf(shop))
    for (const { role, content, weight } of messages)
      if (role === 'assistant' && weight !== 0) counts.set(content, (counts.get(content) ?? 0) + 1);
  return counts;
}

const steps = (count: number, word = '') =>
  Array.from({ length: 2 * count }, (_, n) => `${n % 2 === 0 ? 'q' : 'a'}${word}${n >>> 1}`);

describe('a system prompt that changes within a conversation', () => {
  test.each([{}, { user: 'u1' }, { conversation: 'c1' }])('belongs to its turn: %j', async (more) => {
    const log = Array.from({ length: 10 }, (_, n) => {
      const clock = [{ role: n % 3 === 2 ? 'developer' : 'system', content: `It is 10:0${n}.` }];
      return talk(steps(n + 1), more, clock);
    });
    await using shop = await workshop({ 'a.ndjson': log.join('') });
    for (const format of ['trl', 'openai']) {
      const { report } = await shop.run(`-f ${format} --force`);
      expect([report.kept, report.filtered.continued, report.dropped]).toEqual([1, 9, {}]);
      expect([...trainedIn(shop).values()]).toEqual(Array.from({ length: 10 }, () => 1));
      // The row has the system prompt of its last turn.
      expect(rowsOf(shop)[0]!.messages[0]!.content).toBe('It is 10:09.');
    }
  });

  test('may also be missing in some turns, or come later', async () => {
    const late = line({
      request: chat([user('q0'), says('a0'), { role: 'system', content: 'Be short.' }, user('q1')]),
      response: answered({ content: 'a1' }),
    });
    await using shop = await workshop({
      'a.ndjson': talk(steps(1), {}, [{ role: 'system', content: 'Be long.' }]) + late + talk(steps(3)),
    });
    expect((await shop.run('-f trl')).report.filtered.continued).toBe(2);
  });

  test('does not merge conversations of two callers that begin with the same text', async () => {
    await using shop = await workshop({
      'a.ndjson': talk(steps(1), { key: 'a' }) + talk(steps(2), { key: 'b' }),
    });
    const { report } = await shop.run('-f openai --dedup none');
    expect([report.kept, [...trainedIn(shop).values()]]).toEqual([2, [1, 1]]);
  });
});

describe('branches of one conversation', () => {
  const trunk = steps(5);
  const log = [
    ...Array.from({ length: 5 }, (_, n) => talk(trunk.slice(0, 2 * n + 2))),
    ...Array.from({ length: 6 }, (_, n) => talk([...trunk, `b${n}`, `branch ${n}`])),
    talk([...trunk, 'b5', 'branch 5', 'on', 'longest']),
  ].join('');

  test.each(['openai', 'fireworks', 'openai --unlogged-turns keep', 'openai --unlogged-turns drop'])(
    'train what they share once if the format marks turns: %s',
    async (format) => {
      await using shop = await workshop({ 'a.ndjson': log });
      const { report } = await shop.run(`-f ${format}`);
      expect([report.kept, report.repeated_answers]).toEqual([6, 0]);
      const trained = trainedIn(shop);
      expect(trained.size).toBe(12);
      expect([...trained.values()].every((count) => count === 1)).toBe(true);
    },
  );

  test('are counted if the format does not mark turns, and --branches longest keeps one', async () => {
    await using shop = await workshop({ 'a.ndjson': log + talk(['other', 'words']) });
    const { report } = await shop.run('-f trl');
    expect([report.kept, report.repeated_answers]).toEqual([7, 25]);
    const longest = await shop.run('-f trl --branches longest --force');
    expect([longest.report.kept, longest.report.filtered.branch, longest.report.repeated_answers]).toEqual([
      2, 5, 0,
    ]);
    expect(rowsOf(shop).map(({ messages }) => messages.at(-1)!.content)).toEqual(['longest', 'words']);
    expect([...trainedIn(shop).values()].every((count) => count === 1)).toBe(true);
  });

  test('of equal length: the last one is kept', async () => {
    await using shop = await workshop({
      'a.ndjson': talk(steps(1)) + talk([...steps(1), 'x', 'one']) + talk([...steps(1), 'y', 'two']),
    });
    await shop.run('-f trl --branches longest');
    expect(rowsOf(shop).map(({ messages }) => messages.at(-1)!.content)).toEqual(['two']);
  });

  test('do not exist if each answer is a row', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    await expect(shop.run('-f trl-pc --branches longest')).rejects.toThrow('each answer is a row of its own');
    expect((await shop.run('-f trl-pc')).report.kept).toBe(12);
  });
});

describe('tools that change within a conversation', () => {
  const called = (name: string, id: string) => ({
    role: 'assistant',
    content: '',
    tool_calls: [call(id, name, '{}')],
  });
  const gave = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'r' });
  const step = (messages: readonly object[], names: readonly string[], answer: object) =>
    line({
      request: chat(messages, { tools: names.map(tool) }),
      response: answered({ content: null, ...answer }, 'tool_calls' in answer ? 'tool_calls' : 'stop'),
      finish: 'tool_calls' in answer ? 'tool_calls' : 'stop',
    });
  const first = [user('do')];
  const second = [...first, called('old', '1'), gave('1')];
  const third = [...second, says('done'), user('more')];
  const log =
    step(first, ['old', 'find'], called('old', '1')) +
    step(second, ['new', 'find'], { content: 'done' }) +
    step(third, ['new'], called('new', '2'));

  /** No trained call is of a tool that its row does not define. */
  function expectDefined(shop: Shop): void {
    for (const { messages, tools } of rowsOf(shop))
      for (const { weight, tool_calls: calls } of messages)
        for (const { function: target } of weight === 0 ? [] : (calls ?? []))
          expect(tools!.map((each) => each.function.name)).toContain(target.name);
  }

  test('leave a call untrained in rows that do not define its tool, and trained in its own row', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f openai');
    expectDefined(shop);
    const trained = rowsOf(shop).flatMap(({ messages }) =>
      messages
        .filter(({ role, weight }) => role === 'assistant' && weight !== 0)
        .map(({ content, tool_calls: calls }) => calls?.[0]!.function.name ?? content),
    );
    expect(trained.toSorted()).toEqual(['done', 'new', 'old']);
  });

  test('have a call quoted in rows that do not define its tool, if the format trains all turns', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl');
    expectDefined(shop);
    expect(rowsOf(shop).map(({ messages }) => messages.map(({ role }) => role[0]).join(''))).toEqual([
      'ua',
      'uaua',
    ]);
    expect([report.quoted_rows, report.dropped]).toEqual([1, {}]);
    expect((await shop.run('-f trl-pc --force')).report.kept).toBe(3);
  });

  test('lose no answer before a call that is not in the log', async () => {
    const known = [user('hi'), says('hello'), ...first, called('old', '1'), gave('1')];
    const log = step([user('hi')], ['old'], { content: 'hello' }) + step(known, ['new'], { content: 'done' });
    await using shop = await workshop({ 'a.ndjson': log });
    for (const flags of ['', '--unlogged-turns keep']) {
      await shop.run(`-f trl --force ${flags}`);
      expect([...trainedIn(shop).values()]).toEqual([1, 1]);
    }
  });

  test.each(['openai', 'trl'])('lose no answer if they change after several turns: %s', async (format) => {
    const later =
      step(first, ['old'], called('old', '1')) +
      step(second, ['old'], { content: 'done' }) +
      step(third, ['new'], called('new', '2'));
    await using shop = await workshop({ 'a.ndjson': later });
    await shop.run(`-f ${format}`);
    expectDefined(shop);
    const trained = rowsOf(shop).flatMap(({ messages }) =>
      messages
        .filter(({ role, weight }) => role === 'assistant' && weight !== 0)
        .map(({ content, tool_calls: calls }) => calls?.[0]!.function.name ?? content),
    );
    expect(trained).toContain('old');
    expect(trained).toContain('new');
  });
});

describe('--on-long trim-oldest', () => {
  test.each(['trl', 'openai', 'sharegpt'])(
    'produces windows that contain all answers of a long conversation: %s',
    async (format) => {
      const words = steps(40).map((word) => `${word} ${'apple '.repeat(20)}`.trim());
      const log = Array.from({ length: 40 }, (_, n) =>
        talk(words.slice(0, 2 * n + 2), { input_tokens: null, output_tokens: null }),
      );
      await using shop = await workshop({ 'a.ndjson': log.join('') });
      const { report } = await shop.run(`-f ${format} --max-tokens 500 --on-long trim-oldest`);
      expect(report.tokens.rows === 0 || report.tokens.max! <= 500).toBe(true);
      const rows = shop.rows() as unknown as {
        messages?: Row['messages'];
        conversations?: { from: string; value: string }[];
      }[];
      const answers = rows.flatMap(({ messages, conversations }) =>
        messages
          ? messages
              .filter(({ role, weight }) => role === 'assistant' && weight !== 0)
              .map(({ content }) => content)
          : conversations!.filter(({ from }) => from === 'gpt').map(({ value }) => value),
      );
      expect(new Set(answers).size).toBe(40);
      // Windows overlap by less than one of them.
      expect(answers.length).toBeLessThan(55);
      expect(report.kept).toBeLessThan(10);
    },
  );
});

test('conversations that begin with calls of tools not defined in their last turn are not branches of each other', async () => {
  const called = (word: string, more: readonly string[]) => {
    const messages = more.map((each, n) => (n % 2 === 0 ? user(each) : says(each)));
    return line({
      request: chat(
        [
          user(word),
          { role: 'assistant', content: null, tool_calls: [call('c1', 'gone', { word })] },
          { role: 'tool', tool_call_id: 'c1', content: '1' },
          ...messages,
        ],
        { tools: [tool('other')] },
      ),
      response: answered({ content: `answer to ${word}` }),
    });
  };
  await using shop = await workshop({
    'a.ndjson': called('first', []) + called('second', ['x']) + called('second', ['x', 'y', 'z']),
  });
  const { report } = await shop.run('-f openai --branches longest --unlogged-turns keep');
  expect([report.kept, report.filtered.branch]).toEqual([2, 1]);
});
