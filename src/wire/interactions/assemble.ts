import type { ProxyError } from '../../errors.ts';
import type { Assembler } from '../assembler.ts';
import type { JsonObject } from '../json.ts';
import type { Begun } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { areBroken, countOf, isObject, listOf, objectOf, parseJson, stringOf } from '../json.ts';
import { reportedSoFar } from '../usage.ts';
import { interactionErrorEvent } from './client-error.ts';
import { finishOf } from './status.ts';
import { wholeInteractionUsage } from './usage.ts';

/** Steps and their content come from outside and must not create arbitrarily long lists. */
const MAX_STEPS = 4_096;
const MAX_CONTENT = 16_384;

interface Step {
  fields: JsonObject;
  /** The arguments of a call received so far. */
  args: string;
  stopped: boolean;
}

/** For the events of an interaction. */
export function interactionAssembler(): Assembler {
  return new InteractionFolding();
}

class InteractionFolding implements Assembler {
  #interaction: JsonObject = {};
  #usage: JsonObject | undefined;
  readonly #steps = new Map<number, Step>();
  #completed = false;
  content = false;

  push(event: JsonObject): void {
    this.count(event);
    const { event_type: type } = event;
    if (isObject(event.interaction)) {
      const { usage: _, ...fields } = event.interaction;
      this.#interaction = { ...this.#interaction, ...fields };
    }
    if (type === 'interaction.status_update' && typeof event.status === 'string')
      this.#interaction = { ...this.#interaction, status: event.status };
    if (type === 'interaction.completed') this.#completed = true;
    const index = countOf(event.index);
    if (index === undefined) return;
    if (type === 'step.start') this.#start(index, objectOf(event.step));
    const step = this.#steps.get(index);
    if (type === 'step.delta' && step) this.#grow(step, objectOf(event.delta));
    if (type === 'step.stop' && step) step.stopped = true;
  }

  count({ interaction, usage }: JsonObject): void {
    this.#usage = reportedSoFar(this.#usage, objectOf(interaction).usage ?? usage);
  }

  get finish(): string | null {
    return this.#completed ? finishOf(this.#interaction.status, this.called) : null;
  }

  readonly seen = 1;

  get finished(): boolean {
    return this.#completed;
  }

  get usage(): Usage | undefined {
    return wholeInteractionUsage(this.result());
  }

  get called(): boolean {
    return [...this.#steps.values()].some(isCall);
  }

  get brokenCall(): boolean {
    return [...this.#steps.values()].some((step) => isCall(step) && areBroken(step.args));
  }

  result(): JsonObject {
    const ordered = [...this.#steps].sort(([a], [b]) => a - b);
    const listed = listOf(this.#interaction.steps);
    return {
      ...this.#interaction,
      steps: listed.length > 0 ? listed : ordered.map(([, step]) => shown(step)),
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
    };
  }

  /** Signed steps are specific to their model; thoughts without a signature may precede the text. */
  begun(): Begun | undefined {
    if (this.#completed) return undefined;
    const steps = [...this.#steps];
    const visible = steps.filter(([, { fields }]) => fields.type !== 'thought');
    const bound = steps.some(([, { fields }]) => stringOf(fields.signature));
    const [only, second] = visible;
    if (!only || second || bound || only[1].stopped || only[1].fields.type !== 'model_output')
      return undefined;
    const [content, other] = listOf(only[1].fields.content).map(objectOf);
    const text = stringOf(content?.text) ?? '';
    return other || text === '' ? undefined : { text, place: only[0] };
  }

  fail(error: ProxyError): string {
    return interactionErrorEvent(error);
  }

  fresh(): Assembler {
    const rest = new InteractionFolding();
    rest.#usage = this.#usage;
    return rest;
  }

  #start(index: number, step: JsonObject): void {
    if (this.#steps.has(index) || this.#steps.size >= MAX_STEPS) return;
    const given = isObject(step.arguments) ? step.arguments : {};
    const args = Object.keys(given).length > 0 ? JSON.stringify(given) : '';
    // Its content grows.
    const lists = Object.fromEntries(
      (['content', 'summary'] as const).flatMap((name) =>
        Array.isArray(step[name]) ? [[name, listOf(step[name]).map((each) => ({ ...objectOf(each) }))]] : [],
      ),
    );
    this.#steps.set(index, { fields: { ...step, ...lists }, args, stopped: false });
    this.content ||= step.type === 'function_call' || hasText(step.content) || hasText(step.summary);
  }

  #grow(step: Step, delta: JsonObject): void {
    const { type, text, content, signature, arguments: args, annotations } = delta;
    if (type === 'text') this.#add(step, 'content', stringOf(text) ?? '');
    else if (type === 'thought_summary') this.#add(step, 'summary', stringOf(objectOf(content).text) ?? '');
    else if (type === 'thought_signature')
      step.fields.signature = `${stringOf(step.fields.signature) ?? ''}${stringOf(signature) ?? ''}`;
    else if (type === 'arguments_delta') step.args += stringOf(args) ?? '';
    else if (type === 'text_annotation_delta') annotate(step, listOf(annotations));
    else {
      this.content = true;
      const list = listIn(step, 'content');
      if (list.length < MAX_CONTENT) list.push({ ...delta });
    }
  }

  #add(step: Step, name: 'content' | 'summary', text: string): void {
    this.content ||= text !== '';
    const list = listIn(step, name);
    const last = list.at(-1);
    if (typeof last?.text === 'string') last.text += text;
    else if (list.length < MAX_CONTENT) list.push({ type: 'text', text });
  }
}

function isCall({ fields }: Step): boolean {
  return fields.type === 'function_call';
}

function hasText(list: unknown): boolean {
  return listOf(list).some((each) => stringOf(objectOf(each).text));
}

function listIn({ fields }: Step, name: string): JsonObject[] {
  if (!Array.isArray(fields[name])) fields[name] = [];
  return fields[name] as JsonObject[];
}

function annotate(step: Step, annotations: readonly unknown[]): void {
  const last = listIn(step, 'content').at(-1);
  if (last) last.annotations = [...listOf(last.annotations), ...annotations].slice(0, MAX_CONTENT);
}

function shown({ fields, args }: Step): JsonObject {
  if (fields.type !== 'function_call') return fields;
  const parsed = parseJson(args === '' ? '{}' : args);
  return { ...fields, arguments: isObject(parsed) ? parsed : args };
}
