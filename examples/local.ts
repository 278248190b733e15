/**
 * Answers from code: the functions below answer the questions that they know, and all others are forwarded to a model.
 *
 *   plugins: [./local.ts]
 *   providers:
 *     - name: desk
 *       type: local
 *       models: [desk]
 *       options: { else: http://localhost:11434/v1/chat/completions, model: llama3.2 }
 */
import { answer, BaseProvider, z } from 'llmproxy';
import type { Call, ChatMessage, UpstreamReply } from 'llmproxy';

const options = z.strictObject({
  else: z.url().optional().describe('The address for other questions; without it, they get a fixed answer.'),
  model: z.string().default('default'),
});

/** Each function takes a question, and returns the answer if it knows one. */
const FUNCTIONS: readonly ((question: string) => string | undefined)[] = [
  (question) => {
    const [, a, b] = /^\s*(\d+)\s*\+\s*(\d+)\s*$/.exec(question) ?? [];
    return a === undefined ? undefined : `${Number(a) + Number(b)}`;
  },
  (question) => (/opening hours/i.test(question) ? 'Monday to Friday, from 9 to 17.' : undefined),
];

export class Local extends BaseProvider<z.infer<typeof options>> {
  static readonly type = 'local';
  static readonly options = options;

  override async send(call: Call, signal: AbortSignal): Promise<UpstreamReply> {
    const request = call.json();
    const question = textOf(request.messages.at(-1));
    for (const known of FUNCTIONS) {
      const found = known(question);
      if (found !== undefined) return answer(call, () => streamed(found, question));
    }
    const { else: url, model } = this.options;
    if (url === undefined) return answer(call, () => ['I do not know. ', 'Please call us.']);
    const body = JSON.stringify({ ...request, model });
    const headers = { 'content-type': 'application/json' };
    return await this.fetch(url, { method: 'POST', headers, body, signal });
  }
}

/** Yields a text word by word, as a model would, and then the usage. */
function* streamed(text: string, question: string) {
  const words = text.match(/\s*\S+/g) ?? [];
  for (const word of words) yield word;
  yield { usage: { input: question.split(' ').length, output: words.length } };
}

function textOf(message: ChatMessage | undefined): string {
  const { content } = message ?? {};
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}
