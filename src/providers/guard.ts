import type { BaseProvider, UpstreamReply } from './base.ts';
import type { Call } from './call.ts';
import { ProxyError } from '../errors.ts';
import { isRaw, isSocketError, networkError } from './transport.ts';

type Body = NonNullable<UpstreamReply['body']>;

/**
 * Sends a call to a provider that is a plugin's. Whatever its code throws, at once or while its answer is read, is the
 * plugin's fault; and nobody waits for it longer than the signal allows.
 * @throws ProxyError `plugin`, or what else went wrong by the words of the plugin; the signal's reason when it aborted
 */
export async function sendGuarded(
  provider: BaseProvider,
  call: Call,
  signal: AbortSignal,
): Promise<UpstreamReply> {
  try {
    const reply: unknown = await unlessAborted(async () => provider.send(call, signal), signal);
    return guarded(reply, provider, signal);
  } catch (thrown) {
    throw signal.aborted ? signal.reason : pluginError(provider, thrown);
  }
}

/** What the code of a provider that is a plugin's threw, as an error; the operator is told where it was thrown. */
export function pluginError(provider: BaseProvider, thrown: unknown): ProxyError {
  const { name, settings } = provider;
  if (thrown instanceof ProxyError) return thrown;
  // Whoever asks others by fetch need not catch what happens on the way.
  if (isSocketError(thrown)) return networkError(name, thrown);
  const plugin = settings.plugin?.name ?? '';
  settings.plugin?.failed(`Cannot get an answer from ${name}`, thrown);
  const message = `Cannot get an answer from ${name}: its plugin ${plugin} failed`;
  return new ProxyError('plugin', message, { target: name, cause: thrown });
}

function guarded(reply: unknown, provider: BaseProvider, signal: AbortSignal): UpstreamReply {
  const { status, headers: given, body } = (reply ?? {}) as Partial<UpstreamReply>;
  if (typeof status !== 'number')
    throw new TypeError('send() gave nothing with a status, headers and a body');
  const headers = new Headers(given);
  // fetch has decompressed it, and left the headers as they were.
  if (reply instanceof Response && !isRaw(reply)) {
    headers.delete('content-encoding');
    headers.delete('content-length');
  }
  return { status, headers, body: body ? guardedBody(body, provider, signal) : null };
}

function guardedBody(body: Body, provider: BaseProvider, signal: AbortSignal): Body {
  const reader = body.getReader();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { done, value } = await unlessAborted(() => reader.read(), signal);
          if (done) return controller.close();
          const bytes: unknown = typeof value === 'string' ? encoder.encode(value) : value;
          if (!(bytes instanceof Uint8Array)) throw new TypeError('a body is made of bytes, or of texts');
          controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
        } catch (thrown) {
          const error = signal.aborted ? (signal.reason as unknown) : pluginError(provider, thrown);
          letGo(reader, error);
          throw error;
        }
      },
      cancel: (reason) => letGo(reader, reason),
    },
    { highWaterMark: 0 },
  );
}

/** Ends a body. A plugin that fails in this, too, has nobody left to tell. */
function letGo(reader: { cancel(reason: unknown): Promise<void> }, reason: unknown): void {
  reader.cancel(reason).catch(() => undefined);
}

/** Does the work, but waits for it no longer than until the signal aborts. @throws what it throws, or the signal's reason */
async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
