/** The answers of the bench's provider, including status line and headers. */

/** 1.5 kB. */
export const ANSWER = completion(250);
/** 100 kB. */
export const LARGE_ANSWER = completion(20_000);

const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n';
/** The head of a stream and its first chunk; each chunk contains one word. */
export const FIRST_CHUNK = Buffer.from(
  STREAM_HEAD + chunked(event({ role: 'assistant', content: 'word ' }, null)),
);
export const NEXT_CHUNK = Buffer.from(chunked(event({ content: 'word ' }, null)));
/** The chunk with the finish reason, and the end of the stream. */
export const LAST_CHUNK = Buffer.from(`${chunked(`${event({}, 'stop')}data: [DONE]\n\n`)}0\r\n\r\n`);

function completion(words: number): Buffer {
  const message = { role: 'assistant', content: 'word '.repeat(words) };
  return whole(
    JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created: 1,
      model: 'bench',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage: { prompt_tokens: 200, completion_tokens: words, total_tokens: 200 + words },
    }),
  );
}

function whole(body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

function event(delta: object, finish: string | null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012', object: 'chat.completion.chunk', created: 1_795_428_000, model: 'bench', service_tier: 'default', system_fingerprint: 'fp_0123456789', choices })}\n\n`;
}

function chunked(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
