/** A provider that answers at once: 1.5 kB of JSON, or a stream of 60 chunks. */
const REPLY = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1,
  model: 'bench',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'word '.repeat(240) }, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 200, completion_tokens: 240, total_tokens: 440 },
});
const chunk = (delta: object, finish: string | null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const STREAM = `${chunk({ content: 'word ' }, null).repeat(60)}${chunk({}, 'stop')}data: [DONE]\n\n`;

const { port } = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const stream = (await request.text()).includes('"stream":true');
    if (!stream) return new Response(REPLY, { headers: { 'content-type': 'application/json' } });
    return new Response(STREAM, { headers: { 'content-type': 'text/event-stream' } });
  },
});
process.stdout.write(`http://127.0.0.1:${port}\n`);
