/**
 * A real inference engine behind OpenAI's API: node-llama-cpp with a model of any size, one request at a time on the
 * processor. Usage: bun engine.ts MODEL.gguf   (prints its address)
 */
import type { LlamaContextSequence } from 'node-llama-cpp';
import { getLlama, LlamaChatSession, LlamaLogLevel } from 'node-llama-cpp';

interface ChatBody {
  readonly model: string;
  readonly messages: readonly { role: string; content?: unknown }[];
  readonly stream?: boolean;
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly tools?: readonly { function: { name: string; parameters: object } }[];
  readonly tool_choice?: unknown;
}

interface Answer {
  readonly text: string;
  /** The tool that the grammar forced. */
  readonly tool: string | undefined;
  readonly usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
  readonly finish: string;
}

/** The number of cancelled requests, and the usage of all answers, for comparisons. */
const seen: { aborted: number; usage: Answer['usage'][] } = { aborted: 0, usage: [] };

const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: process.argv[2] ?? 'tiny.gguf' });
const context = await model.createContext({ threads: 1, sequences: 4, contextSize: 2_048 });
const embedding = await model.createEmbeddingContext({ threads: 1 });

/**
 * Generates an answer. A tool call is forced by a grammar, so its arguments match the schema whatever the
 * model prefers.
 */
async function answer(
  body: ChatBody,
  sequence: LlamaContextSequence,
  signal: AbortSignal,
  said: (piece: string) => void,
): Promise<Answer> {
  const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: '' });
  const before = sequence.tokenMeter.getState();
  const tool =
    body.tool_choice === undefined || body.tool_choice === 'none' ? undefined : body.tools?.[0]?.function;
  const prompt = body.messages.map(({ role, content }) => `${role}: ${JSON.stringify(content)}`).join('\n');
  const grammar = tool && (await llama.createGrammarForJsonSchema(tool.parameters as { type: 'object' }));
  const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? 64;
  const { responseText: text, stopReason } = await session.promptWithMeta(prompt, {
    maxTokens,
    signal,
    stopOnAbortSignal: true,
    onTextChunk: said,
    ...(grammar ? { grammar } : {}),
  });
  const { usedInputTokens, usedOutputTokens } = sequence.tokenMeter.diff(before);
  const usage = {
    prompt_tokens: usedInputTokens,
    completion_tokens: usedOutputTokens,
    total_tokens: usedInputTokens + usedOutputTokens,
  };
  seen.usage.push(usage);
  session.dispose({ disposeSequence: false });
  const finish = tool ? 'tool_calls' : stopReason === 'maxTokens' ? 'length' : 'stop';
  return { text, tool: tool?.name, usage, finish };
}

let answers = 0;

/** The fields that identify one answer. */
function naming(): (object: string) => object {
  const id = `chatcmpl-${(answers += 1)}`;
  return (object) => ({ id, object, created: 1, model: 'tiny' });
}

async function whole(body: ChatBody, sequence: LlamaContextSequence, signal: AbortSignal): Promise<Response> {
  const base = naming();
  const { text, tool, usage, finish } = await answer(body, sequence, signal, () => undefined);
  const call = { id: 'call_1', type: 'function', function: { name: tool, arguments: text } };
  const message = tool ? { content: null, tool_calls: [call] } : { content: text };
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }];
  return Response.json({ ...base('chat.completion'), choices, usage });
}

function stream(
  body: ChatBody,
  sequence: LlamaContextSequence,
  abort: AbortController,
  free: () => void,
): Response {
  const encoder = new TextEncoder();
  const base = naming();
  const events = new ReadableStream<Uint8Array>({
    async start(controller) {
      const send = (value: object) => {
        if (!abort.signal.aborted) controller.enqueue(encoder.encode(`data: ${JSON.stringify(value)}\n\n`));
      };
      const say = (delta: object, finish: string | null = null) =>
        send({ ...base('chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason: finish }] });
      say({ role: 'assistant', content: '' });
      let pieces = 0;
      const forced = body.tools?.[0]?.function.name;
      const { usage, finish } = await answer(body, sequence, abort.signal, (piece) => {
        pieces += 1;
        const head = pieces === 1 ? { id: 'call_1', type: 'function' } : {};
        const name = pieces === 1 ? { name: forced } : {};
        if (body.tool_choice === undefined) say({ content: piece });
        else say({ tool_calls: [{ index: 0, ...head, function: { ...name, arguments: piece } }] });
      });
      free();
      if (abort.signal.aborted) return;
      say({}, finish);
      send({ ...base('chat.completion.chunk'), choices: [], usage });
      controller.enqueue(encoder.encode('data: [DONE]\n\n'));
      controller.close();
    },
    cancel() {
      seen.aborted += 1;
      abort.abort();
    },
  });
  return new Response(events, { headers: { 'content-type': 'text/event-stream' } });
}

async function embed(input: string | string[]): Promise<Response> {
  const vectors = [];
  for (const text of [input].flat()) vectors.push((await embedding.getEmbeddingFor(text)).vector);
  const data = vectors.map((vector, index) => ({ object: 'embedding', index, embedding: vector }));
  return Response.json({ object: 'list', model: 'tiny', data, usage: { prompt_tokens: 1, total_tokens: 1 } });
}

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 0,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/seen') return Response.json(seen);
    if (request.method === 'GET') return Response.json({ object: 'list', data: [] });
    const body = (await request.json()) as ChatBody & { input: string };
    if (pathname.endsWith('/embeddings')) return await embed(body.input);
    const sequence = context.getSequence();
    const free = () => sequence.dispose();
    if (body.stream) return stream(body, sequence, new AbortController(), free);
    try {
      return await whole(body, sequence, request.signal);
    } finally {
      free();
    }
  },
});
process.stdout.write(`http://127.0.0.1:${server.port}\n`);
