/** Requests to the proxy. */
import type { Refusal } from '../api.ts';

/** The path below which the proxy is served, such as `/llm`. */
export const BASE = document.querySelector<HTMLMetaElement>('meta[name=llmproxy-base]')?.content ?? '';

/** A refusal by the proxy, with its message. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Called when the sign-in has expired. */
let onSignedOut: () => void = () => undefined;

export function whenSignedOut(action: () => void): void {
  onSignedOut = action;
}

/** @throws Refused; TypeError when the proxy cannot be reached */
export async function ask<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return (await (await reach(path, { signal: signal ?? null })).json()) as Answer;
}

/** Sends JSON. @throws as above */
export async function send(
  method: 'POST' | 'DELETE',
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-llmproxy-page': '1' };
  return await reach(path, { method, headers, body: JSON.stringify(body), signal: signal ?? null });
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(`${BASE}/page/${path}`, init);
  if (answer.ok) return answer;
  if (answer.status === 401 && path !== 'session') onSignedOut();
  throw new Refused(answer.status, await reasonOf(answer));
}

async function reasonOf(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    return (JSON.parse(text) as Refusal).error.message;
  } catch {
    return `The proxy answered ${answer.status}`;
  }
}

export function reason(thrown: unknown): string {
  if (thrown instanceof Refused) return thrown.message;
  return thrown instanceof TypeError ? 'The proxy cannot be reached' : String(thrown);
}
