import type { ErrorAnswer } from '../helpers/broken/errors.ts';
import type { Spoiling } from './faults.ts';
import type { Protocol } from './classes.ts';
import { ERRORS } from '../helpers/broken/errors.ts';
import { WIRES } from '../helpers/broken/wires.ts';

/** A step of an answer's body: text, or what happens next. */
export type Step = string | 'CUT' | 'STALL';

export interface ReplyPlan {
  readonly type: 'application/json' | 'text/event-stream' | 'text/html';
  /** Pieces in order. The body ends after the last one, unless that is a cut or a stall. */
  readonly steps: readonly Step[];
  /** The number of steps that complete the answer: what follows may remain unread. */
  readonly whole: number;
}

/** The words of the answer to a request: no two are the same. */
export function wordsFor(request: string): readonly string[] {
  return [`To ${request}:`, ' it was a dark', ' and stormy night.'];
}

interface Subject {
  readonly protocol: Protocol;
  readonly request: string;
  readonly model: string;
  readonly stream: boolean;
  readonly counting: boolean;
}

/** The answer, valid or spoiled. */
export function replyOf(subject: Subject, way: Spoiling | undefined): ReplyPlan {
  if (subject.counting || !subject.stream) return wholeReply(subject, way);
  const { protocol, request, model } = subject;
  const wire = WIRES[protocol]({ id: `up-${request}`, model, usage: true });
  const words = wordsFor(request).map(wire.piece);
  const [first = '', second = '', third = ''] = words;
  const opening = wire.opening + first;
  const closing = wire.closing + wire.terminator;
  const fine = [opening, second, third + closing];
  const spoiled = (): readonly Step[] => {
    switch (way) {
      case 'cut-early':
        return [wire.opening, 'CUT'];
      case 'cut':
        return [opening, second.slice(0, second.length >> 1), 'CUT'];
      case 'stall':
        return [opening, second, 'STALL'];
      case 'error-first':
        return [wire.errorEvent(ERRORS['500'])];
      case 'error-later':
        return [opening, second, wire.errorEvent(ERRORS['503'])];
      case 'finish-error': {
        const failed = wire.closing.replace('"stop"', '"error"');
        // Anthropic has no such finish reason: an error event replaces it.
        return [
          opening,
          second,
          protocol === 'openai' ? failed + wire.terminator : wire.errorEvent(ERRORS['500']),
        ];
      }
      case 'no-finish':
        return [opening, second + third];
      case 'done-only':
        return [wire.opening, wire.terminator];
      case 'garbage':
        return ['data: {"choices": [\n\ndata: !\n\n'];
      default:
        return [''];
    }
  };
  const type = 'text/event-stream';
  return way ? { type, steps: spoiled(), whole: Infinity } : { type, steps: fine, whole: 3 };
}

function wholeReply({ protocol, request, model, counting }: Subject, way: Spoiling | undefined): ReplyPlan {
  const wire = WIRES[protocol]({ id: `up-${request}`, model, usage: true });
  const fine = counting ? '{"input_tokens":12}' : wire.whole(wordsFor(request).join(''));
  const type = 'application/json';
  if (!way) return { type, steps: [fine], whole: 1 };
  const half = fine.slice(0, fine.length >> 1);
  const spoiled = (): readonly Step[] => {
    switch (way) {
      case 'cut-early':
        return ['CUT'];
      case 'cut':
        return [half, 'CUT'];
      case 'stall':
        return [half, 'STALL'];
      case 'error-first':
        return [wire.errorBody(ERRORS['500'])];
      case 'error-later':
        return [wire.errorBody(ERRORS['503'])];
      case 'finish-error':
        return [protocol === 'openai' && !counting ? fine.replace('"stop"', '"error"') : half];
      case 'garbage':
        return ['{"choices": [}'];
      case 'empty':
        return [''];
      default:
        return [half];
    }
  };
  return { type, steps: spoiled(), whole: Infinity };
}

/** An error answer in the provider's format. */
export function errorText(protocol: Protocol, error: ErrorAnswer): string {
  return WIRES[protocol]({ id: 'up', model: '', usage: true }).errorBody(error);
}
