/** The facts that an exchange receives in the course of a request, and those that it passes on at the end. */
import type { LogContent } from '../../config/schema.ts';
import type { ProxyError } from '../../errors.ts';
import type { LogRecord, Outcome } from '../../logs/record.ts';
import type { Usage } from '../../wire/usage.ts';

/** The caller, and how much of the request may be kept. */
export interface Asker {
  /** The name of the client's key; `null` without one. */
  readonly key: string | null;
  readonly content: LogContent;
  readonly conversation: string | null;
  /** The group of its key, and the operator's labels. */
  readonly group?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** The request. */
export interface Question {
  readonly model: string;
  readonly stream: boolean;
  /** Its body as JSON text; `undefined` when it is not JSON. */
  readonly text: string | undefined;
  /** The end user that the client names. */
  readonly user: string | null;
  readonly tags: Record<string, string> | null;
}

/** Feedback on another answer. */
export interface Opinion {
  readonly score: number | null;
  readonly feedback: NonNullable<LogRecord['feedback']>;
}

/** An answer, as far as received. */
export interface Answered {
  readonly usage: Usage | undefined;
  /** In chat's words; `null` if there was none. */
  readonly finish: string | null;
  /** The number of bytes sent to the client. */
  readonly bytes: number;
  /** Its estimated tokens, for when the provider does not report them. */
  readonly written?: () => number;
  /** Returns it as JSON text, or `undefined` if that is not possible; called once. */
  readonly text: () => string | undefined;
  /** For a resumed answer: the origin of each part. */
  readonly parts?: LogRecord['parts'];
  /** The number of events that were invalid and left out. */
  readonly malformed: number;
  /** The names of what the client's protocol cannot express. */
  readonly lost?: readonly string[] | undefined;
}

/** How an exchange ended. */
export interface Ending {
  readonly outcome: Outcome;
  readonly status: number;
  readonly error?: ProxyError | undefined;
  /** Omitted if there was no answer. */
  readonly answer?: Answered;
  /** The course of a realtime session. */
  readonly session?: LogRecord['session'];
}

/** A finished answer, for whoever stores it. */
export interface Settled {
  readonly outcome: Outcome;
  readonly error: ProxyError | undefined;
  /** The whole answer as JSON text; `undefined` if there is none, or it is too long. */
  readonly text: string | undefined;
  /** The provider; `undefined` if the answer was translated from another protocol. */
  readonly issuer: string | undefined;
}

/** The usage of a request. */
export interface Used {
  readonly id: string;
  /** The name of the client's key. */
  readonly key: string | null;
  readonly tokens: number;
  readonly usd: number;
}
