import type { Clock } from '../../clock.ts';
import type { Steps, Turns } from '../../turns.ts';
import type { SocketMessage } from '../../providers/base.ts';
import type { ClientEvent, ProviderEvent, RealtimeProtocol } from '../../wire/realtime/protocol.ts';
import type { Exchange } from '../record/exchange.ts';
import type { Routed } from '../routing/router.ts';
import type { StreamBudget, WatchedStream } from '../streams/stream-budget.ts';
import type { Begun } from './attempt.ts';
import type { End, Failed } from './ending.ts';
import { ProxyError, toProxyError } from '../../errors.ts';
import { Transcript } from '../../wire/realtime/transcript.ts';
import { CLOSE, fittingReason, isSendable } from '../../wire/websocket/close.ts';
import { Allowance } from './allowance.ts';
import { closedByProvider, cutByProvider, endOfClient, endOfSilence, finishSession } from './ending.ts';
import { Inbox } from './inbox.ts';
import { bytesOf, textOf } from './messages.ts';
import { Outbox } from './outbox.ts';
import { SessionWatchdog } from './session-watchdog.ts';

/** The client's end of a session. */
export interface Peer {
  /** Sends a message. @returns whether it takes more; if not, `drained` must be awaited first */
  send(message: SocketMessage): boolean;
  /** Closes the connection properly. @param code 1005 for none */
  close(code: number, reason: string): void;
  /** Aborts the connection. */
  terminate(): void;
}

export interface SessionLimits {
  /** The largest queue in either direction, bytes. */
  readonly maxUnsent: number;
  /** The most that may arrive while a message is read, bytes. */
  readonly maxUnread: number;
  /** How long both sides may be silent, milliseconds. */
  readonly idleMs: number;
  /** The longest session, milliseconds. */
  readonly maxMs: number;
  /** How long the client may take nothing, milliseconds. */
  readonly stallMs: number;
  /** The largest transcript that is kept, characters; 0 keeps none. */
  readonly maxContent: number;
  /** The tokens of a response of which nothing is known. */
  readonly assumedOutput: number;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly limits: SessionLimits;
  /** The memory for records of all sessions and streams. */
  readonly budget: StreamBudget;
  /** Redacts a provider's text. */
  readonly mask: (text: string) => string;
  /**
   * Checks the models that the client names besides the session's, in a message in JSON.
   * @returns what to wait for, if anything @throws ProxyError, or rejects with one, if the message must not be passed on
   */
  readonly permit: (models: () => readonly string[], text: string) => Promise<void> | undefined;
  /**
   * Takes a place under limits on concurrency if the session lacks one, before it makes the model work.
   * @returns what to wait for, if anything; it never rejects
   */
  readonly takePlace: (isMinor: boolean) => Promise<void> | undefined;
  /** Called at the end. */
  readonly over: (session: Session) => void;
}

/** The number of messages, and of their outcomes. */
export interface Counts {
  client: number;
  provider: number;
  /** The number of completed responses. */
  answers: number;
  /** The number of bytes from the client. */
  received: number;
}

const STOPPED = 'the proxy is being stopped';

/**
 * A realtime session: it passes messages on unchanged, inspects them for limits and the record, and closes both ends.
 */
export class Session implements WatchedStream {
  readonly #peer: Peer;
  readonly #protocol: RealtimeProtocol;
  readonly #exchange: Exchange;
  readonly #routed: Routed<Begun>;
  readonly #deps: SessionDeps;
  readonly #transcript: Transcript;
  readonly #allowance: Allowance;
  readonly #fromClient: Inbox<ClientEvent>;
  readonly #fromProvider: Inbox<ProviderEvent>;
  readonly #outbox: Outbox;
  readonly #counts: Counts = { client: 0, provider: 0, answers: 0, received: 0 };
  #watchdog: SessionWatchdog | undefined;
  /** The number of the client's messages that the provider has received already. */
  #received = 0;
  #over = false;
  #answering = false;
  #draining = false;
  /** How the provider ended it while messages were still queued. */
  #closedBehind: Begun['closed'];
  /** The same for the client. */
  #leftBehind: readonly [code: number, reason: string] | undefined;

  constructor(
    peer: Peer,
    protocol: RealtimeProtocol,
    { exchange, routed }: { readonly exchange: Exchange; readonly routed: Routed<Begun> },
    deps: SessionDeps,
  ) {
    this.#peer = peer;
    this.#protocol = protocol;
    this.#exchange = exchange;
    this.#routed = routed;
    this.#deps = deps;
    const { clock, limits } = deps;
    this.#transcript = new Transcript(limits.maxContent);
    this.#allowance = new Allowance(exchange, clock, limits.assumedOutput);
    const { maxUnsent, maxUnread } = limits;
    this.#fromClient = new Inbox({
      read: (message) => this.#read(message, (text) => protocol.clientEvent(text)),
      handle: (message, event) => this.#handle(message, event),
      maxWaiting: maxUnsent,
      maxUnread,
      full: () => this.#behind('the client sends more than can be checked (limits.realtime.max_unsent)'),
      idle: () => this.#leftBehind && this.clientClosed(...this.#leftBehind),
    });
    this.#fromProvider = new Inbox({
      read: (message) => this.#read(message, (text) => protocol.providerEvent(text)),
      handle: (message, event) => void this.#toClient(message, event),
      // The provider is paused meanwhile.
      maxWaiting: Infinity,
      maxUnread: Infinity,
      full: () => undefined,
      idle: () => this.#caughtUp(),
    });
    this.#outbox = new Outbox(peer, {
      clock,
      maxWaiting: limits.maxUnsent,
      stallMs: limits.stallMs,
      behind: () => this.#socket.pause(),
      caughtUp: () => this.#caughtUp(),
      tooSlow: (state) => this.#tooSlow(state),
    });
  }

  get #socket() {
    return this.#routed.opened.answer.socket;
  }

  /** Passes on what has arrived so far, then everything else. @param sent what the provider has already received */
  begin(sent: readonly string[]): void {
    const { clock, limits, budget } = this.#deps;
    const { held, closed } = this.#routed.opened.answer;
    budget.add(this);
    this.#watchdog = new SessionWatchdog({
      clock,
      ...limits,
      ping: () => this.#socket.ping(),
      isReading: () => !this.#outbox.isBehind,
      onEnd: (why) => this.#stop(why),
      onUnresponsive: () => this.#fail(endOfSilence(this.#routed.target.id)),
    });
    this.#received = sent.length;
    for (const text of sent) this.fromClient(text);
    for (const message of held) this.#providerSent(message);
    if (closed) return this.#providerClosed(...closed);
    this.#socket.listen({
      message: (message) => this.#providerSent(message),
      heard: () => this.#watchdog?.bytesReceived(),
      drained: () => undefined,
      closed: (...how) => this.#providerClosed(...how),
    });
    if (this.#keepsUp && !this.#over) this.#socket.resume();
  }

  /** A message from the client. */
  fromClient(message: SocketMessage): void {
    if (this.#over) return;
    this.#count(message);
    this.#fromClient.add(message);
  }

  /** Pauses when many messages have arrived at once, and within a long one. */
  #read<Event>(message: SocketMessage, read: (text: string) => Steps<Event>): Event | Promise<Event> {
    return this.#deps.turns.run(read(textOf(message)));
  }

  /** @returns what later messages must wait for */
  #handle(message: SocketMessage, clientEvent: ClientEvent): Promise<void> | undefined {
    if (this.#over) return undefined;
    if (this.#received > 0) {
      this.#received -= 1;
      this.#transcript.clientEvent(clientEvent);
      return undefined;
    }
    const withhold = (thrown: unknown) => this.#withhold(toProxyError(thrown));
    try {
      const { models, works, minor = false } = clientEvent;
      const permitting = models && this.#deps.permit(models, textOf(message));
      const checking = permitting ?? (works ? this.#deps.takePlace(minor) : undefined);
      if (checking) return checking.then(() => this.#passOn(message, clientEvent)).catch(withhold);
      this.#passOn(message, clientEvent);
    } catch (thrown) {
      withhold(thrown);
    }
    return undefined;
  }

  #passOn(message: SocketMessage, clientEvent: ClientEvent): void {
    if (this.#over) return;
    const withheld = clientEvent.works ? this.#allowance.withholds(clientEvent) : undefined;
    if (withheld) {
      const { error, tell } = withheld;
      if (tell && !this.#tell(error)) this.#fail({ by: 'proxy', code: CLOSE.policy, error });
      return;
    }
    if (clientEvent.asks) this.#allowance.asks();
    this.#transcript.clientEvent(clientEvent);
    this.#socket.send(message);
    if (this.#socket.unsent <= this.#deps.limits.maxUnsent) return;
    this.#behind('the provider takes less than the client sends (limits.realtime.max_unsent)');
  }

  /** A message that must not be passed on. */
  #withhold(error: ProxyError): void {
    if (this.#over) return;
    this.#allowance.withheld += 1;
    if (!this.#tell(error)) this.#fail({ by: 'proxy', code: CLOSE.policy, error });
  }

  #behind(state: string): void {
    const error = new ProxyError('overloaded', `Cannot continue the session: ${state}`);
    this.#fail({ by: 'proxy', code: CLOSE.tryLater, error });
  }

  /** The client can take more again. */
  drained(): void {
    if (!this.#over) this.#outbox.drained();
  }

  /** The client has closed its end. @param code 1006 if the connection was lost */
  clientClosed(code: number, reason: string): void {
    if (this.#over) return;
    if (this.#fromClient.isBusy) {
      // Queued messages are passed on first.
      this.#leftBehind = [code, reason];
      return;
    }
    this.#end(endOfClient(code, this.#answering));
    if (code === CLOSE.abnormal) this.#socket.close(CLOSE.goingAway, '');
    else this.#socket.close(code, reason);
  }

  /** The proxy stops: the session ends when the current response is complete. */
  drain(): void {
    this.#draining = true;
    if (!this.#answering) this.#stop(STOPPED);
  }

  /** Ends it now. @param code the close code */
  abort(error: ProxyError, code: number = CLOSE.goingAway): void {
    this.#fail({ by: 'proxy', code, error });
  }

  get waits(): boolean {
    return !this.#outbox.isBehind;
  }

  get sent(): number {
    return this.#outbox.sent;
  }

  get held(): number {
    return this.#outbox.waiting;
  }

  get kept(): number {
    return this.#transcript.size;
  }

  cut(): void {
    this.#tooSlow('the client reads less than others, and too much is held for all (limits.max_unread)');
  }

  stopRecording(): void {
    this.#transcript.discard();
  }

  #count(message: SocketMessage): void {
    this.#watchdog?.messageExchanged();
    this.#counts.client += 1;
    this.#counts.received += bytesOf(message);
  }

  #providerSent(message: SocketMessage): void {
    if (this.#over) return;
    this.#watchdog?.messageExchanged();
    this.#fromProvider.add(message);
    if (this.#fromProvider.isBusy) this.#socket.pause();
  }

  #toClient(message: SocketMessage, providerEvent: ProviderEvent): void {
    if (this.#over) return;
    this.#exchange.begins();
    this.#counts.provider += 1;
    this.#transcript.providerEvent(providerEvent);
    if (providerEvent.answer) this.#answering = providerEvent.answer === 'begins';
    if (providerEvent.answer === 'ends') this.#counts.answers += 1;
    if (providerEvent.answer === 'ends' || providerEvent.error) this.#allowance.ends();
    this.#outbox.add(message);
    const error = providerEvent.usage && this.#allowance.spend(providerEvent.usage);
    if (error && this.#exchange.isCutOff) this.#fail({ by: 'proxy', code: CLOSE.policy, error });
    if (this.#draining && !this.#answering) this.#stop(STOPPED);
  }

  /** Whether nothing of the provider waits to be read, or for the client. */
  get #keepsUp(): boolean {
    return !this.#fromProvider.isBusy && !this.#outbox.isBehind;
  }

  #caughtUp(): void {
    if (this.#over || !this.#keepsUp) return;
    if (this.#closedBehind) this.#providerClosed(...this.#closedBehind);
    else this.#socket.resume();
  }

  #tooSlow(state: string): void {
    const error = new ProxyError('client_stall', `Cannot continue the session: ${state}`);
    this.#fail({ by: 'proxy', code: CLOSE.abnormal, error });
  }

  /** Sends an error to the client in its protocol. @returns whether the protocol has one */
  #tell({ rule, message }: ProxyError): boolean {
    const { code, type } = rule;
    const event = this.#protocol.errorEvent({ code, type, message }, this.#exchange.id);
    if (event !== undefined) this.#outbox.add(event);
    return event !== undefined;
  }

  #providerClosed(code: number, reason: string, flawed: boolean): void {
    if (this.#over) return;
    if (this.#fromProvider.isBusy || this.#outbox.waiting > 0) {
      // Queued messages are sent first.
      this.#closedBehind = [code, reason, flawed];
      return;
    }
    const { id } = this.#routed.target;
    if (flawed || code === CLOSE.abnormal)
      return this.#fail(cutByProvider(id, code, flawed ? reason : undefined), CLOSE.internal);
    const words = this.#deps.mask(reason);
    this.#end(closedByProvider(id, code, words, this.#answering));
    this.#peer.close(isSendable(code) ? code : CLOSE.none, words);
  }

  /** Closes it properly. */
  #stop(why: string): void {
    if (this.#over) return;
    this.#end({ by: 'proxy', code: CLOSE.goingAway });
    this.#peer.close(CLOSE.goingAway, fittingReason(`The session ends: ${why}`));
    this.#socket.close(CLOSE.normal, '');
  }

  /** Closes it with an error that the client receives. @param code the close code; 1006 aborts the connection */
  #fail(end: Failed, code = end.code): void {
    if (this.#over) return;
    const breaks = code === CLOSE.abnormal;
    if (!breaks) this.#tell(end.error);
    // The close event fires at once: by then this must be over.
    this.#end(end);
    if (breaks) this.#peer.terminate();
    else this.#peer.close(code, fittingReason(end.error.message));
    this.#socket.close(CLOSE.normal, '');
  }

  #end(end: End): void {
    if (this.#over) return;
    this.#over = true;
    this.#watchdog?.stop();
    const { sent } = this.#outbox;
    this.#outbox.stop();
    this.#deps.budget.delete(this);
    finishSession(end, this.#routed, this.#exchange, {
      clock: this.#deps.clock,
      allowance: this.#allowance,
      transcript: this.#transcript,
      counts: this.#counts,
      answering: this.#answering,
      sent,
    });
    this.#deps.over(this);
  }
}
