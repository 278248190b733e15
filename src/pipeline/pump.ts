import type { Clock } from '../clock.ts';
import type { Streamed } from './attempt.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { openaiErrorBody } from '../wire/openai-error.ts';

/** How a committed stream ended. */
export type StreamEnd =
  | { readonly outcome: 'success' }
  | { readonly outcome: 'truncated'; readonly error: ProxyError }
  | { readonly outcome: 'client_abort'; readonly error: ProxyError };

export interface PumpOptions {
  readonly clock: Clock;
  readonly requestId: string;
  /** Silence after which a comment keeps the connection alive, milliseconds; 0 for never. */
  readonly keepaliveMs: number;
  /** Called with the size of everything sent. */
  readonly sent: (bytes: number) => void;
  /** Called once, however the stream ends. */
  readonly ended: (end: StreamEnd) => void;
}

const COMMENT = new TextEncoder().encode(': keep-alive\n\n');

/**
 * The committed answer as the client's body. It is read only as fast as the client takes it. It ends in one of
 * three ways: complete, with an error event in the client's protocol, or by the client leaving; a stream that
 * was cut never looks finished.
 */
export function pump(streamed: Streamed, options: PumpOptions): ReadableStream<Uint8Array> {
  const { flow } = streamed;
  let { held } = streamed;
  let over = false;
  let cancelComments = (): void => undefined;

  const end = (how: StreamEnd): void => {
    if (over) return;
    over = true;
    cancelComments();
    streamed.release();
    options.ended(how);
  };

  const send = (controller: ReadableStreamDefaultController<Uint8Array>, bytes: Uint8Array): void => {
    options.sent(bytes.length);
    controller.enqueue(bytes);
  };

  /** Comments fill silences, but only where the client keeps reading and events may be put between. */
  const keepAlive = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    if (options.keepaliveMs <= 0 || !flow.open) return;
    let quietSince = options.clock.monotonic();
    const look = (): void => {
      const quietMs = options.clock.monotonic() - Math.max(quietSince, lastSentMs);
      if (quietMs >= options.keepaliveMs) {
        if ((controller.desiredSize ?? 0) > 0) send(controller, COMMENT);
        quietSince = options.clock.monotonic();
      }
      const nextMs = Math.max(1, options.keepaliveMs - Math.max(0, quietMs));
      cancelComments = options.clock.after(
        quietMs >= options.keepaliveMs ? options.keepaliveMs : nextMs,
        look,
      );
    };
    cancelComments = options.clock.after(options.keepaliveMs, look);
  };
  let lastSentMs = options.clock.monotonic();

  return new ReadableStream<Uint8Array>({
    start: keepAlive,
    async pull(controller) {
      if (held) {
        send(controller, held);
        held = undefined;
        return;
      }
      try {
        for (;;) {
          const bytes = await flow.next();
          lastSentMs = options.clock.monotonic();
          if (over) return;
          if (bytes === undefined) {
            const rest = flow.finish();
            if (rest && rest.length > 0) send(controller, rest);
            end({ outcome: 'success' });
            controller.close();
            return;
          }
          if (bytes.length > 0) {
            send(controller, bytes);
            return;
          }
        }
      } catch (thrown) {
        if (over) return;
        fail(controller, toProxyError(thrown));
      }
    },
    async cancel() {
      const error = new ProxyError(
        'client_abort',
        'Cannot finish the answer: the client closed the connection',
      );
      end({ outcome: 'client_abort', error });
      await flow.cancel(error);
    },
  });

  function fail(controller: ReadableStreamDefaultController<Uint8Array>, error: ProxyError): void {
    const left = error.fault === 'client_abort';
    end(left ? { outcome: 'client_abort', error } : { outcome: 'truncated', error });
    void flow.cancel(error);
    if (left || (flow.open && flow.told)) return controller.close();
    // What is cut within a compressed stream cannot be mended.
    if (!flow.open) return controller.error(error);
    const event = `data: ${JSON.stringify(openaiErrorBody(error, options.requestId))}\n\n`;
    send(controller, new TextEncoder().encode(event));
    controller.close();
  }
}
