import type { BaseProvider, UpstreamReply } from './base.ts';
import type { Call } from './call.ts';
import { ProxyError } from '../errors.ts';
import { isRaw, isSocketError, networkError } from './transport.ts';

type Body = NonNullable<UpstreamReply['body']>;

/**
 * Sends a call to a plugin's provider. Anything its code throws, at once or while the answer is read, is a fault of the
 * plugin; and the call is not waited for beyond the signal.
 * @throws ProxyError `plugin`, or the error that the plugin threw deliberately; the signal's reason when it is aborted
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

/** Converts an error thrown by a plugin's provider; the operator is told where it was thrown. */
export function pluginError(provider: BaseProvider, thrown: unknown): ProxyError {
  const { name, settings } = provider;
  if (thrown instanceof ProxyError) return thrown;
  // Code that calls fetch need not handle network errors.
  if (isSocketError(thrown)) return networkError(name, thrown);
  const plugin = settings.plugin?.name ?? '';
  settings.plugin?.failed(`Cannot get an answer from ${name}`, thrown);
  const message = `Cannot get an answer from ${name}: its plugin ${plugin} failed`;
  return new ProxyError('plugin', message, { target: name, cause: thrown });
}

function guarded(reply: unknown, provider: BaseProvider, signal: AbortSignal): UpstreamReply {
  const { status, headers: given, body } = (reply ?? {}) as Partial<UpstreamReply>;
  if (typeof status !== 'number')
    throw new TypeError('send() returned no object with a status, headers and a body');
  const headers = new Headers(given);
  // fetch has decompressed the body and left the headers unchanged.
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
          if (!(bytes instanceof Uint8Array)) throw new TypeError('a body must consist of bytes or texts');
          controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
        } catch (thrown) {
          const error = signal.aborted ? (signal.reason as unknown) : pluginError(provider, thrown);
          cancelQuietly(reader, error);
          throw error;
        }
      },
      cancel: (reason) => cancelQuietly(reader, reason),
    },
    { highWaterMark: 0 },
  );
}

/** Cancels a body. If the plugin fails in this as well, there is nothing left to report. */
function cancelQuietly(reader: { cancel(reason: unknown): Promise<void> }, reason: unknown): void {
  reader.cancel(reason).catch(() => undefined);
}

/** Runs the work, but waits for it only until the signal aborts. @throws as the work does, or the signal's reason */
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
