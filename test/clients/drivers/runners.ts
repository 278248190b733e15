/** The tool loops that the SDKs contain. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { ResponsesToolRunner } from 'openai/helpers/responses-tool-runner';
import type { Asking } from '../driver.ts';
import { parametersOf, TOOLS } from '../driver.ts';
import { runTool } from '../script.ts';

/** @returns the model's last message */
type Runner = (asked: Asking) => Promise<string>;

const tools = Object.entries(TOOLS).map(([name, { field, description }]) => ({
  name,
  description,
  schema: parametersOf(field),
}));

const openai = ({ url }: Asking) => new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, maxRetries: 0 });

const runTools: Runner = async (asked) => {
  const body = {
    model: asked.model,
    messages: [{ role: 'user' as const, content: asked.words }],
    tools: tools.map(({ name, description, schema }) => ({
      type: 'function' as const,
      function: {
        name,
        description,
        parameters: schema as unknown as Record<string, unknown>,
        parse: JSON.parse as (text: string) => object,
        function: (input: object) => runTool(name, input),
      },
    })),
  };
  const { completions } = openai(asked).chat;
  const runner = asked.stream
    ? completions.runTools({ ...body, stream: true })
    : completions.runTools({ ...body, stream: false });
  return (await runner.finalContent()) ?? '';
};

const responsesRunner: Runner = async (asked) => {
  const runner = new ResponsesToolRunner({
    functions: tools.map(({ name, description, schema }) => ({
      tool: { type: 'function' as const, name, description, parameters: schema, strict: true },
      execute: (input) => runTool(name, input),
    })),
  });
  const { model, words: input, stream } = asked;
  const last = await runner.run(openai(asked), { model, input, store: false }, { stream });
  return last.output_text;
};

const runnable = tools.map(({ name, description, schema }) => ({
  type: 'custom' as const,
  name,
  description,
  input_schema: schema,
  parse: (input: unknown) => input,
  run: (input: unknown) => runTool(name, input),
}));

/**
 * Starts a thread by itself if the API supports threads.
 * @param later how many of the tools are added after the loop has started
 */
const toolRunner =
  (later: number): Runner =>
  async (asked) => {
    const client = new Anthropic({ apiKey: 'k', baseURL: asked.url, maxRetries: 0 });
    const body = {
      model: asked.model,
      max_tokens: 4_096,
      messages: [{ role: 'user' as const, content: asked.words }],
      tools: runnable.slice(0, runnable.length - later),
    };
    const { messages } = client.beta;
    const runner = asked.stream
      ? messages.toolRunner({ ...body, stream: true })
      : messages.toolRunner({ ...body, stream: false });
    if (later > 0) runner.addTools(...runnable.slice(-later));
    const { content } = await runner.runUntilDone();
    return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  };

export const RUNNERS: readonly (readonly [name: string, run: Runner])[] = [
  ['openai, runTools', runTools],
  ['openai, ResponsesToolRunner', responsesRunner],
  ['@anthropic-ai/sdk, toolRunner', toolRunner(0)],
  ['@anthropic-ai/sdk, addTools', toolRunner(1)],
];
