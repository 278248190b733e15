/** Splits a call that exceeds what one request may contain. */
import type { UpstreamReply } from './base.ts';
import type { Call } from './call.ts';
import { isObject, parseJson } from '../wire/json.ts';

/** The number of parallel requests for one call. */
const AT_ONCE = 8;

/** Holds all answers, in order. */
export const ANSWERS = 'answers';

/**
 * Sends the requests, several in parallel, and combines all answers in order. The first unsuccessful response becomes
 * the response to the whole call, and no further requests are sent.
 * @param broken creates the error for a body that ends prematurely
 * @throws as `ask` does
 */
export async function sendEach(
  bodies: readonly Call['body'][],
  ask: (body: Call['body']) => Promise<UpstreamReply>,
  broken: (cause: unknown) => unknown,
): Promise<UpstreamReply> {
  const answers: unknown[] = Array.from({ length: bodies.length });
  let next = 0;
  let last: UpstreamReply | undefined;
  let refused: UpstreamReply | undefined;
  const askOn = async (): Promise<void> => {
    while (next < bodies.length && refused === undefined) {
      const at = next++;
      const stop = (thrown: unknown): never => {
        next = bodies.length;
        throw thrown;
      };
      const reply = await ask(bodies[at]!).catch(stop);
      if (reply.status !== 200) {
        if (refused === undefined) refused = reply;
        else await reply.body?.cancel().catch(ignoreBroken);
        return;
      }
      const text = await new Response(reply.body).text().catch((cause: unknown) => stop(broken(cause)));
      const answer = parseJson(text);
      answers[at] = isObject(answer) ? answer : {};
      last = reply;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, bodies.length) }, askOn));
  if (refused !== undefined) return refused;
  const headers = new Headers(last?.headers);
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) headers.delete(name);
  const { body } = new Response(JSON.stringify({ [ANSWERS]: answers }));
  return { status: 200, headers, body };
}

/** Cancelling a body that was cut off rejects with an error that is already known. */
function ignoreBroken(_error: unknown): undefined {
  return undefined;
}
