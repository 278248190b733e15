/** A provider whose answer is expensive in the way that the model name says; for any other name it is short. */
const MB = 1_000_000;
const HEAD = 400;

const json = (text: string, status = 200) =>
  new Response(text, { status, headers: { 'content-type': 'application/json' } });
const completion = (content: string, more = '') =>
  `{"id":"c","object":"chat.completion","created":1,"model":"x","choices":[{"index":0,"message":{"role":"assistant","content":"${content}"},"finish_reason":"stop"${more}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`;
const event = (choices: unknown) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'x', choices })}\n\n`;
const delta = (value: object, index = 0, finish: string | null = null) =>
  event([{ index, delta: value, finish_reason: finish }]);
const END = `${delta({}, 0, 'stop')}data: [DONE]\n\n`;
const sse = (body: string | ReadableStream<Uint8Array>) =>
  new Response(body, { headers: { 'content-type': 'text/event-stream' } });

function bytewise(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      for (let n = 0; n < 64 && at < bytes.length; n += 1) {
        controller.enqueue(bytes.subarray(at, at + 1));
        at += 1;
      }
      if (at >= bytes.length) controller.close();
      else await Bun.sleep(0);
    },
  });
}

function choices(): string {
  let text = '';
  for (let index = 0; index < 128; index += 1) {
    const tool_calls = Array.from({ length: 1_024 }, (_, n) => ({
      index: n,
      id: `call_${n}`,
      type: 'function',
      function: { name: 'f', arguments: '{}' },
    }));
    text += delta({ tool_calls }, index) + delta({}, index, 'tool_calls');
  }
  return text;
}

const call = (arguments_: string) => ({ tool_calls: [{ index: 0, function: { arguments: arguments_ } }] });
const called = {
  tool_calls: [{ index: 0, id: 'call', type: 'function', function: { name: 'f', arguments: '{"a":"' } }],
};

const vector = () => Array.from({ length: 1_536 }, (_, n) => Math.sin(n));
const probabilities = () => {
  const token = { token: 'word', logprob: -0.123456, bytes: [119, 111, 114, 100] };
  const content = Array.from({ length: 16_000 }, () => ({
    ...token,
    top_logprobs: Array.from({ length: 20 }, () => token),
  }));
  return JSON.stringify({ content });
};

const cited = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    type: 'url_citation',
    url_citation: { url: `http://a/${n}`, title: 't', start_index: 0, end_index: 1 },
  }));

const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
const withArguments = () => {
  const text = JSON.stringify(fields(30_000));
  const tool_calls = Array.from({ length: 60 }, (_, n) => ({
    id: `call_${n}`,
    type: 'function',
    function: { name: 'f', arguments: text },
  }));
  const message = { role: 'assistant', content: null, tool_calls };
  return JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'x',
    choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
  });
};

const ANSWERS: Readonly<Record<string, () => Response>> = {
  text: () => json(completion('word '.repeat(10 * MB))),
  objects: () => json(completion('word', `,"x":[${'{},'.repeat(16 * MB)}{}]`)),
  manyFields: () => json(completion('word', `,"x":${JSON.stringify(fields(150_000))}`)),
  arguments: () => json(withArguments()),
  fields: () =>
    sse(delta({ content: 'a' }) + event([{ index: 0, delta: { content: 'b', x: fields(150_000) } }]) + END),
  long: () => sse(delta({ content: 'a' }) + delta({ content: 'word '.repeat(4 * MB) }) + END),
  cjk: () => sse(delta({ content: 'a' }) + delta({ content: '語'.repeat(7 * MB) }) + END),
  wholeCjk: () => json(completion('語'.repeat(7 * MB))),
  longCall: () =>
    sse(delta(called) + delta(call(`${'word '.repeat(4 * MB)}"}`)) + delta({}, 0, 'tool_calls') + END),
  cut: () => sse(delta({ content: 'a' }) + delta({ content: 'word '.repeat(4 * MB) })),
  large: () => sse(delta({ content: 'a' }) + delta({ content: 'word '.repeat(12 * MB) }) + END),
  deep: () => json(completion('word', `,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}`)),
  drawing: () => json(JSON.stringify({ created: 1, data: [{ b64_json: 'A'.repeat(20 * MB) }] })),
  logprobs: () => json(completion('word', `,"logprobs":${probabilities()}`)),
  titles: () =>
    new Response('<title'.repeat(10_000), { status: 400, headers: { 'content-type': 'text/html' } }),
  retries: () => json(JSON.stringify({ error: { message: `try again in ${'1m '.repeat(20_000)}` } }), 429),
  publishers: () => json(JSON.stringify({ error: { message: 'publisher model '.repeat(4_000) } }), 400),
  tiny: () => sse(delta({ content: 'a' }).repeat(400_000) + END),
  bytes: () => sse(bytewise(delta({ content: 'a'.repeat(200_000) }) + END)),
  choices: () => sse(`${choices()}data: [DONE]\n\n`),
  pieces: () =>
    sse(
      delta(called) + delta(call('a')).repeat(200_000) + delta(call('"}')) + delta({}, 0, 'tool_calls') + END,
    ),
  manyChoices: () =>
    json(
      JSON.stringify({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'x',
        choices: Array.from({ length: 9_000 }, (_, index) => ({
          index,
          message: { role: 'assistant', content: 'hi' },
          finish_reason: 'stop',
        })),
      }),
    ),
  citations: () => sse(delta({ content: 'a' }) + delta({ content: 'b', annotations: cited(8_000) }) + END),
  escapes: () => json(completion(String.raw`\n`.repeat(480_000))),
  lines: () => sse(`${delta({ content: 'a' })}${'data: x\n'.repeat(2 * MB)}\n${END}`),
  event: () =>
    sse(
      `data: ${completion('word', `,"delta":{"content":"a"},"x":[${'{},'.repeat(2.3 * MB)}{}]`)}\n\n${END}`,
    ),
};

function vectors(path: string): Response {
  const values = JSON.stringify(vector());
  return path.includes('batchEmbed')
    ? json(`{"embeddings":[${Array(2_000).fill(`{"values":${values}}`).join(',')}]}`)
    : json(
        `{"object":"list","model":"x","data":[${Array.from({ length: 2_000 }, (_, n) => `{"object":"embedding","index":${n},"embedding":${values}}`).join(',')}],"usage":{"prompt_tokens":1,"total_tokens":1}}`,
      );
}

const MESSAGE =
  '{"id":"m","type":"message","role":"assistant","model":"x","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}';
const GEMINI = '{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}]}';

const { port } = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  maxRequestBodySize: 1_000 * MB,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const head = new TextDecoder().decode(new Uint8Array(await request.arrayBuffer()).subarray(0, HEAD));
    const name =
      /"model":\s*"(?:models\/)?(\w+)"/.exec(head)?.[1] ?? /models\/(\w+)/.exec(pathname)?.[1] ?? '';
    if (name === 'vectors' || pathname.endsWith('/embeddings')) return vectors(pathname);
    if (pathname.endsWith('/messages')) return json(MESSAGE);
    if (pathname.includes('generateContent')) return json(GEMINI);
    return ANSWERS[name]?.() ?? json(completion('short'));
  },
});
process.stdout.write(`http://127.0.0.1:${port}\n`);
