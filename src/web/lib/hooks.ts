import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, reason, Refused } from './ask.ts';

/** The state of a request. */
export interface Fetched<Answer> {
  readonly answer: Answer | undefined;
  readonly problem: string | undefined;
  readonly loading: boolean;
}

const NOTHING = { answer: undefined, problem: undefined, loading: true };

/** The interval at which a proxy that cannot be reached is asked again, milliseconds. */
const RETRY_MS = 3_000;

/**
 * Requests data, and again at intervals while the page is visible. The last data is kept until newer data arrives.
 * @param everyMs 0 for once, or until the proxy can be reached
 */
export function useFetched<Answer>(path: string | undefined, everyMs = 0): Fetched<Answer> {
  const [fetched, setFetched] = useState<Fetched<Answer>>(NOTHING);
  useEffect(() => {
    if (path === undefined) return setFetched({ ...NOTHING, loading: false });
    setFetched((last) => ({ ...last, loading: true }));
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      let nextMs = everyMs;
      try {
        if (!document.hidden || everyMs === 0) {
          const answer = await ask<Answer>(path, abort.signal);
          setFetched({ answer, problem: undefined, loading: false });
        }
      } catch (thrown) {
        if (abort.signal.aborted) return;
        setFetched((last) => ({ ...last, problem: reason(thrown), loading: false }));
        if (!(thrown instanceof Refused)) nextMs = RETRY_MS;
      }
      if (nextMs > 0 && !abort.signal.aborted) timer = setTimeout(() => void look(), nextMs);
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs]);
  return fetched;
}

/** The width of an element in pixels: 0 before it is known. */
export function useWidth<E extends HTMLElement>(): [RefObject<E | null>, number] {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    if (element.current) observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

/** The current time, updated at an interval in milliseconds. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** A value that is adopted when it has not changed for a while. */
export function useSettled<Value>(value: Value, ms: number): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
