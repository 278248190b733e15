/** The requests of the bench. Their models say how bench/upstream.ts answers. */
const PATHS = { chat: '/v1/chat/completions', messages: '/v1/messages' } as const;

interface Asked {
  readonly path?: keyof typeof PATHS;
  readonly body: object;
}

/** 1 kB, answered by 1.5 kB. */
export const CHAT = request({ body: { model: 'bench', messages: [user('x'.repeat(900))] } });

/** The bytes of a request on a connection that stays open. */
function request({ path = 'chat', body }: Asked): Buffer {
  const text = JSON.stringify(body);
  return Buffer.from(
    `POST ${PATHS[path]} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n` +
      `content-type: application/json\r\nauthorization: Bearer sk-bench-0123456789\r\n` +
      `user-agent: OpenAI/JS 7.57.0\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
  );
}

function user(content: string): object {
  return { role: 'user', content };
}
