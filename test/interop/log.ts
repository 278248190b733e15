/** A request log that holds something of everything an export turns into rows. */
import type { LogRecord } from '../../src/logs/record.ts';
import { answered, call, chat, line, tool, user } from '../export/records.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';

/** A red dot, PNG of one pixel. */
const PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

const say = (role: string, content: unknown, more: object = {}) => ({ role, content, ...more });

/** The lines of the log, each with its end. */
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

  add([user('Write a very long text.')], { content: 'It begins' }, {}, 'length');
  add([user('Do something bad.')], { content: null, refusal: 'I will not.' });
  lines.push(line({ outcome: 'error', status: 503, finish: null, response: { error: { message: 'down' } } }));
  return lines.join('');
}
