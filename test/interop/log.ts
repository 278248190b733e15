/** A request log with an example of everything that an export turns into rows. */
import type { LogRecord } from '../../src/logs/record.ts';
import { answered, call, chat, line, tool, user } from '../export/records.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';

/** A red dot, PNG of one pixel. */
const PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

const say = (role: string, content: unknown, more: object = {}) => ({ role, content, ...more });

/** The lines of the log, each with its line end. */
export function interopLog(): string {
  let number = 0;
  const lines: string[] = [];
  const add = (messages: readonly unknown[], answer: object, more: object = {}, finish = 'stop') => {
    number += 1;
    const {
      tools,
      conversation,
      model = 'gpt-4o',
      ...rest
    } = more as { tools?: unknown; conversation?: string; model?: string };
    const id = `req-${number}`;
    lines.push(
      line({
        id,
        model,
        finish,
        conversation: conversation ?? null,
        input_tokens: 20 + number,
        output_tokens: 10,
        request: chat(messages, { ...(tools ? { tools } : {}), ...rest }),
        response: answered(answer, finish),
      }),
    );
    return id;
  };
  const judge = (about: string, feedback: object) => {
    number += 1;
    const record = logRecord({
      id: `req-${number}`,
      endpoint: 'feedback' as LogRecord['endpoint'],
      status: 202,
      finish: null,
      key: 'team',
    });
    const { request: _, response: __, ...head } = record;
    lines.push(
      encodeRecord({ ...head, feedback: { request_id: about, ...feedback } } as unknown as LogRecord),
    );
  };

  for (let n = 0; n < 24; n++)
    add(
      [say('system', `You answer question ${n} of a quiz.`), user(`What is ${n} times ${n}? Größe 東京 😀`)],
      { content: `It is ${n * n}.` },
    );

  for (let n = 0; n < 6; n++) {
    const tools = [tool('get_weather'), { ...tool(`lookup_${n}`) }];
    const asked = user(`What is the weather in city ${n}?`);
    const called = say('assistant', null, {
      tool_calls: [call(`call_${n}`, 'get_weather', `{"city":"${n}","days":[1,2]}`)],
    });
    const told = { role: 'tool', tool_call_id: `call_${n}`, content: `{"celsius":${n}}` };
    add([asked], called, { tools }, 'tool_calls');
    add([asked, called, told], { content: `It is ${n} degrees.` }, { tools });
  }

  const several = say('assistant', '', {
    tool_calls: [
      call('a1', 'get_weather', '{"city":"Oslo"}'),
      call('a2', 'get_weather', '{"city":"Rome","when":{"day":1}}'),
    ],
  });
  const pair = [
    user('Compare Oslo and Rome.'),
    several,
    { role: 'tool', tool_call_id: 'a1', content: '3' },
    { role: 'tool', tool_call_id: 'a2', content: '21' },
  ];
  add(pair.slice(0, 1), several, { tools: [tool('get_weather')] }, 'tool_calls');
  add(pair, { content: 'Rome is warmer.' }, { tools: [tool('get_weather')] });

  for (let n = 0; n < 4; n++)
    add(
      [user(`Think about ${n}.`)],
      { content: `Done with ${n}.`, reasoning_content: `First I look at ${n}.` },
      { model: 'deepseek-r1' },
    );

  add(
    [
      user([
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: PNG } },
      ]),
    ],
    { content: 'A red dot.' },
  );

  // Answers that no model gave here: examples in a prompt are not trained.
  for (let n = 0; n < 3; n++)
    add([user('Cold?'), say('assistant', 'The opposite is hot.'), user(`Day ${n}?`)], {
      content: `The opposite is night ${n}.`,
    });

  for (let n = 0; n < 6; n++) {
    const conversation = `talk-${n}`;
    const first = user(`Tell me a story, number ${n}.`);
    const worse = say('assistant', `Once there was ${n}, and that was all.`);
    const better = say('assistant', `Once upon a time number ${n} went out to see the world.`);
    add([first], worse, { conversation });
    add([first], better, { conversation });
    add(
      [first, better, user('And then?')],
      { content: `It came home again, ${n} days later.` },
      { conversation },
    );
  }

  for (let n = 0; n < 4; n++) {
    judge(add([user(`Spell the word for ${n}.`)], { content: `nummber ${n}` }), {
      score: -1,
      label: false,
      correction: `number ${n}`,
    });
    judge(add([user(`Greet person ${n}.`)], { content: `Hello, person ${n}!` }), { score: 1, label: true });
  }

  lines.push(...odd());
  add([user('Write a very long text.')], { content: 'It begins' }, {}, 'length');
  add([user('Do something bad.')], { content: null, refusal: 'I will not.' });
  lines.push(line({ outcome: 'error', status: 503, finish: null, response: { error: { message: 'down' } } }));
  return lines.join('');
}

/** Data that has broken a consumer before, in the shapes that logs contain. */
function odd(): string[] {
  const lines: string[] = [];
  const chatted = (messages: readonly unknown[], answer: object, more: object = {}, finish = 'stop') =>
    lines.push(line({ request: chat(messages, more), response: answered(answer, finish), finish }));
  const calling = (id: string, name: string, args: string) =>
    say('assistant', null, { tool_calls: [call(id, name, args)] });

  // Special tokens of tokenizers.
  chatted([user('What does <|endoftext|> mean?')], { content: '<|endoftext|> and <s> end a text.' });

  // Numbers that datasets cannot store, in arguments and in a schema, next to halves of surrogate pairs.
  for (const [n, number] of [
    '18446744073709551615',
    '18446744073709551616',
    '100000000000000000000',
  ].entries()) {
    const schema = {
      type: 'object',
      properties: { n: { type: 'number', description: 'cut \ud83d', maximum: n } },
    };
    const tools = [
      { type: 'function', function: { name: 'count', description: 'Counts', parameters: schema } },
    ];
    chatted(
      [user(`Count ${n}.`)],
      calling('n1', 'count', `{"n":${number},"text":"\\ud83d"}`),
      { tools },
      'tool_calls',
    );
    lines.push(lines.pop()!.replace(`"maximum":${n}`, `"maximum":${number}`));
  }

  // A result that is only an image, from Anthropic's client.
  const source = { type: 'base64', media_type: 'image/png', data: PNG.split(',')[1] };
  const use = [{ type: 'tool_use', id: 's1', name: 'shot', input: {} }];
  const given = [{ type: 'tool_result', tool_use_id: 's1', content: [{ type: 'image', source }] }];
  const claude = (messages: readonly unknown[], content: readonly unknown[], stop: string) =>
    lines.push(
      line({
        endpoint: 'messages',
        model: 'claude',
        finish: stop,
        request: {
          model: 'claude',
          max_tokens: 99,
          messages,
          tools: [
            {
              name: 'shot',
              description: 'Takes a picture',
              input_schema: { type: 'object', properties: {} },
            },
          ],
        },
        response: { id: 'm', type: 'message', role: 'assistant', content, stop_reason: stop },
      }),
    );
  claude([user('Look at the screen.')], use, 'tool_use');
  claude(
    [user('Look at the screen.'), say('assistant', use), user(given)],
    [{ type: 'text', text: 'I see a red dot.' }],
    'end_turn',
  );

  // What Claude Code tells the model beside results.
  const both = ['a', 'b'].map((id) => ({ ...use[0]!, id, input: { n: id } }));
  const reminded = [
    ...both.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: `seen ${id}` })),
    { type: 'text', text: '<system-reminder>Be brief.</system-reminder>' },
    { type: 'text', text: '[Request interrupted by user]' },
  ];
  claude([user('Look twice.')], both, 'tool_use');
  claude(
    [user('Look twice.'), say('assistant', both), user(reminded)],
    [{ type: 'text', text: 'Twice the same.' }],
    'end_turn',
  );

  // A search that the provider ran.
  claude(
    [user('Who won?')],
    [
      { type: 'server_tool_use', id: 'w1', name: 'web_search', input: { query: 'x' } },
      { type: 'web_search_tool_result', tool_use_id: 'w1', content: [] },
      { type: 'text', text: 'It was Ajax.' },
    ],
    'end_turn',
  );

  // A clock in the system prompt, tools that change, and branches.
  const clock = (n: number) => say('system', `It is ${n} o'clock.`);
  const talk = [
    user('Wake me.'),
    say('assistant', 'When?'),
    user('At six.'),
    say('assistant', 'Good night.'),
  ];
  chatted([clock(1), ...talk.slice(0, 1)], talk[1]!);
  chatted([clock(2), ...talk.slice(0, 3)], talk[3]!);
  for (const way of ['Never mind.', 'Make it seven.', 'And coffee.'])
    chatted([clock(3), ...talk, user(way)], { content: `As you say: ${way}` });
  const first = calling('o1', 'old_tool', '{}');
  const result = { role: 'tool', tool_call_id: 'o1', content: 'r' };
  const then = [user('Use it.'), first, result];
  chatted(then.slice(0, 1), first, { tools: [tool('old_tool')] }, 'tool_calls');
  chatted(then, { content: 'Used.' }, { tools: [tool('new_tool')] });
  chatted(
    [...then, say('assistant', 'Used.'), user('Again.')],
    calling('o2', 'new_tool', '{}'),
    { tools: [tool('new_tool')] },
    'tool_calls',
  );

  // Thinking, a text and calls in one message, and several answers to one request.
  chatted(
    [user('Weather, thoughtfully.')],
    {
      ...calling('t1', 'get_weather', '{"city":"Oslo"}'),
      content: 'Let me look.',
      reasoning_content: 'I need the tool.',
    },
    { tools: [tool('get_weather')] },
    'tool_calls',
  );
  const choices = ['Heads.', 'Tails.'].map((content, index) => ({
    index,
    message: say('assistant', content),
    finish_reason: 'stop',
  }));
  lines.push(
    line({ request: chat([user('Flip a coin.')], { n: 2 }), response: { ...answered({}), choices } }),
  );
  return lines;
}
