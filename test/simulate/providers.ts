import type { Dial, Fetch } from '../../src/providers/transport.ts';
import type { Book, Call } from './book.ts';
import type { VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { Act } from './faults.ts';
import type { Outage } from './outages.ts';
import type { ReplyPlan } from './replies.ts';
import type { SimProvider, World } from './world.ts';
import { kindOf } from './faults.ts';
import { errorText, replyOf } from './replies.ts';
import { metBy, metByProbe } from './truth.ts';

interface Asking {
  readonly call: Call;
  readonly signal: AbortSignal;
}

const utf8 = new TextEncoder();

/** The providers of a world, as the transport that the proxy is given. */
export class Upstream {
  readonly #world: World;
  readonly #clock: VirtualClock;
  readonly #dice: Dice;
  readonly #book: Book;

  constructor(world: World, clock: VirtualClock, dice: Dice, book: Book) {
    this.#world = world;
    this.#clock = clock;
    this.#dice = dice;
    this.#book = book;
  }

  readonly dial: Dial = async (url, signal) => {
    const provider = this.#at(url);
    const atMs = this.#clock.monotonic();
    const act = actOf(metByProbe(provider, 0, atMs));
    await this.#clock.sleep(1);
    if (act?.does === 'hang' && !act.dials) await aborted(signal);
    if (act?.does === 'refuse') throw failure(act.code);
  };

  readonly fetch: Fetch = async (url, init) => {
    this.#clock.stir();
    const provider = this.#at(url);
    const signal = init.signal as AbortSignal;
    const key = keyOf(init.headers as Record<string, string>);
    if (init.method === 'GET') return await this.#probe(provider, key, signal);
    const body =
      typeof init.body === 'string' ? init.body : new TextDecoder().decode(init.body as Uint8Array);
    const call = this.#book.asked(provider, key, url.pathname, body);
    const asking: Asking = { call, signal };
    const outage = metBy(call.target, key, call.request.asked, this.#clock.monotonic());
    call.outage = outage;
    this.#book.begins(call);
    return await this.#act(asking, outage, actOf(outage));
  };

  #at({ hostname }: URL): SimProvider {
    return this.#world.providers.find(({ name }) => `${name}.test` === hostname)!;
  }

  /** Probes are not calls: only the proxy learns from their results. */
  async #probe(provider: SimProvider, key: number, signal: AbortSignal): Promise<Response> {
    const act = actOf(metByProbe(provider, key, this.#clock.monotonic()));
    const connects = !(act?.does === 'refuse' || act?.does === 'reset' || act?.does === 'hang');
    const status = connects && provider.probe !== 'honest' ? provider.probe : undefined;
    this.#book.events.add(
      `probe of ${provider.name} with key ${key}: ${status ?? act?.does ?? 'fine'}`,
      ` ${provider.name} `,
    );
    if (act?.does === 'hang' || status === 'hangs')
      return await aborted(signal).finally(() => connects || this.#book.watcher?.probed(provider));
    await this.#wait(5, 50, signal);
    if (!connects) this.#book.watcher?.probed(provider);
    if (act?.does === 'refuse') throw failure(act.code);
    if (act?.does === 'reset') throw failure('ECONNRESET');
    if (status !== undefined) return new Response('{}', { status });
    if (act?.does === 'answer')
      return new Response(errorText(provider.protocol, act.error), { status: act.error.status });
    if (act?.does === 'page') return new Response(act.body, { status: act.status });
    return new Response('{"data":[]}', { status: 200 });
  }

  async #act(asking: Asking, outage: Outage | undefined, act: Act | undefined): Promise<Response> {
    const { call, signal } = asking;
    switch (act?.does) {
      case 'refuse':
        await this.#wait(1, 5, signal, call);
        throw this.#failed(call, failure(act.code));
      case 'reset':
        await this.#wait(5, 50, signal, call);
        throw this.#failed(call, failure('ECONNRESET'));
      case 'hang':
        return await this.#hang(asking, outage!);
      case 'answer':
      case 'page': {
        await this.#wait(20, 200, signal, call);
        return this.#refusal(call, act, outage!);
      }
      default: {
        const late = act?.does === 'dawdle';
        const way = act?.does === 'spoil' ? act.way : undefined;
        const { protocol } = call.target.provider;
        const { asked, stream, id } = call.request;
        const counting = asked.name === 'count';
        const subject = { protocol, request: id, model: call.target.model, stream, counting };
        await this.#wait(late ? 5_000 : 50, late ? 40_000 : 1_200, signal, call);
        return this.#reply(asking, replyOf(subject, way));
      }
    }
  }

  /** Silence; if the fault thaws, requests that still wait are answered when it ends. */
  async #hang(asking: Asking, outage: Outage): Promise<Response> {
    const { call, signal } = asking;
    if (!outage.thaws || outage.flapMs !== undefined) {
      const left = aborted(signal);
      left.catch(() => this.#book.ends(call, 'aborted'));
      return await left;
    }
    const leftMs = outage.untilMs - this.#clock.monotonic();
    await this.#wait(leftMs, leftMs + 500, signal, call);
    call.outage = undefined;
    return await this.#act(asking, undefined, undefined);
  }

  #refusal(call: Call, act: Act & { does: 'answer' | 'page' }, { retryAfterMs }: Outage): Response {
    const headers: Record<string, string> = {
      'content-type': act.does === 'page' ? 'text/html' : 'application/json',
    };
    if (retryAfterMs !== undefined) {
      headers['retry-after'] = String(retryAfterMs / 1000);
      call.toldMs = retryAfterMs;
    }
    const text = act.does === 'page' ? act.body : errorText(call.target.provider.protocol, act.error);
    const status = act.does === 'page' ? act.status : act.error.status;
    this.#book.ends(call, 'fault');
    return new Response(text, { status, headers });
  }

  #reply({ call, signal }: Asking, plan: ReplyPlan): Response {
    const headers: Record<string, string> = { 'content-type': plan.type };
    const [only] = plan.steps;
    if (plan.steps.length === 1 && plan.type === 'application/json') {
      headers['content-length'] = String(only!.length);
      this.#book.ends(call, plan.whole === 1 ? 'fine' : 'fault');
      return new Response(only, { status: 200, headers });
    }
    return new Response(this.#stream(call, plan, signal), { status: 200, headers });
  }

  #stream(call: Call, { steps, whole }: ReplyPlan, signal: AbortSignal): ReadableStream<Uint8Array> {
    let cancel = (): void => undefined;
    const stop = () => {
      cancel();
      this.#clock.stir();
      this.#book.ends(call, 'aborted');
    };
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        const abort = () => {
          stop();
          controller.error(signal.reason);
        };
        signal.addEventListener('abort', abort, { once: true });
        const close = (error?: Error) => {
          signal.removeEventListener('abort', abort);
          this.#book.ends(call, whole === Infinity ? 'fault' : 'fine');
          if (error) controller.error(error);
          else controller.close();
        };
        const go = (at: number): void => {
          const step = steps[at];
          if (step === undefined) return close();
          if (step === 'CUT') return close(failure('ECONNRESET'));
          if (step === 'STALL') return undefined;
          if (step !== '') controller.enqueue(utf8.encode(step));
          if (at + 1 >= steps.length) return close();
          cancel = this.#clock.after(this.#dice.between(20, 400), () => go(at + 1));
        };
        go(0);
      },
      cancel: stop,
    });
  }

  #failed(call: Call, error: Error): Error {
    this.#book.ends(call, 'fault');
    return error;
  }

  /** Waits for a time between two bounds, in milliseconds. */
  #wait(low: number, high: number, signal: AbortSignal, call?: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        cancel();
        if (call) this.#book.ends(call, 'aborted');
        reject(signal.reason as Error);
      };
      const cancel = this.#clock.after(this.#dice.between(low, high), () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }
}

function actOf(outage: Outage | undefined): Act | undefined {
  return outage && kindOf(outage.kind).act;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/** An error as Bun's fetch throws it. */
function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The number at the end of the key. */
function keyOf(headers: Record<string, string>): number {
  const shown = headers.authorization ?? headers['x-api-key'] ?? '';
  return Number(shown.slice(shown.lastIndexOf('-') + 1));
}
