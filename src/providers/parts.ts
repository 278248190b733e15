/** A call that is more than one request takes. */
import type { UpstreamReply } from './base.ts';
import type { Call } from './call.ts';
import { isObject, parseJson } from '../wire/json.ts';

/** Requests of one call that are on their way at once. */
const AT_ONCE = 8;

/** Holds the answers to all of them, in their order. */
export const ANSWERS = 'answers';

/**
 * Asks for each, some at once, and gives all answers in one, in their order. The first that is no success is the answer to
 * all, and nothing more is asked.
 * @param broken what a body that does not come to its end is told as
 * @throws as `ask` does
 */
export async function askedEach(
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

/** A body that broke off rejects its cancellation with what everyone knows by then. */
function ignoreBroken(_error: unknown): undefined {
  return undefined;
}
