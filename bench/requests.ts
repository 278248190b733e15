/** A request on a persistent connection. Its model determines how bench/upstream.ts answers. */
export interface BenchRequest {
  readonly path: string;
  readonly body: string;
}

const WORDS =
  'the parser returns early when `line` is empty, so\nthe caller never sees "done" and waits: fix it'.split(
    ' ',
  );

/** 1 kB, with an answer of 1.5 kB. */
export const CHAT = chat('bench', [user('x'.repeat(900))]);
/** The same from a client of Anthropic's Messages API. */
export const MESSAGES = messages('bench', [user('x'.repeat(900))]);
/** 100 chunks, 10 ms apart. */
export const STREAM = chat('bench-paced', [user('x'.repeat(900))], true);
export const MESSAGES_STREAM = messages('bench-paced', [user('x'.repeat(900))], true);
/** A stream whose first content is sent at once, and which ends soon after. */
export const BRIEF_STREAM = chat('bench-brief', [user('x'.repeat(900))], true);
/** The history of an agent: 500 messages of 2 kB. */
export const LARGE = chat(
  'bench',
  Array.from({ length: 500 }, (_, n) => ({
    role: n % 2 === 0 ? 'user' : 'assistant',
    content: `${n}: ${sentence(1_950, n)}`,
  })),
);
/** A request with an answer of 100 kB. */
export const LARGE_ANSWER = chat('bench-large', [user('x'.repeat(900))]);
/** A request with an answer after 100 ms. */
export const SLOW = chat('bench-slow', [user('x'.repeat(900))]);

/** The bytes of a request. @param headers additional header lines that a subject needs, each with its line end */
export function requestBytes({ path, body }: BenchRequest, headers: string): Buffer {
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n` +
      `content-type: application/json\r\nauthorization: Bearer sk-bench-0123456789\r\n` +
      `user-agent: OpenAI/JS 7.57.0\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`,
  );
}

function chat(model: string, asked: readonly object[], stream?: boolean): BenchRequest {
  return { path: '/v1/chat/completions', body: JSON.stringify({ model, stream, messages: asked }) };
}

function messages(model: string, asked: readonly object[], stream?: boolean): BenchRequest {
  return {
    path: '/v1/messages',
    body: JSON.stringify({ model, max_tokens: 1_000, stream, messages: asked }),
  };
}

function user(content: string): object {
  return { role: 'user', content };
}

/** Text of this many letters, which starts at another place for each seed. */
function sentence(letters: number, seed: number): string {
  let text = '';
  for (let n = seed; text.length < letters; n += 7) text += `${WORDS[n % WORDS.length]} `;
  return text.slice(0, letters);
}
