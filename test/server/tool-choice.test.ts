/** A choice of a tool in the words of another API than the one that the client calls. */
import { expect, test } from 'bun:test';
import { requestSentTo } from '../helpers/sent-requests.ts';

const PARAMETERS = { type: 'object', properties: {} };
const CHAT_TOOLS = [{ type: 'function', function: { name: 'f', parameters: PARAMETERS } }];
const RESPONSES_TOOLS = [{ type: 'function', name: 'f', parameters: PARAMETERS }];

const TOOL = { type: 'tool', name: 'f' };

test.each([
  [{ type: 'auto' }, { type: 'auto' }],
  [{ type: 'required' }, { type: 'any' }],
  [{ type: 'any' }, { type: 'any' }],
  ['any', { type: 'any' }],
  [{ type: 'none' }, { type: 'none' }],
  [TOOL, TOOL],
  [{ type: 'function', name: 'f' }, TOOL],
  [{ type: 'function', function: { name: 'f' } }, TOOL],
])('%j is understood', async (choice, sent) => {
  const chat = await requestSentTo('anthropic', { model: 'm', tools: CHAT_TOOLS, tool_choice: choice });
  expect([chat.body.tool_choice, chat.dropped]).toEqual([sent, null]);
  const given = { model: 'm', input: 'Hi', tools: RESPONSES_TOOLS, tool_choice: choice };
  const responses = await requestSentTo('anthropic', given, { path: '/v1/responses' });
  expect([responses.body.tool_choice, responses.dropped]).toEqual([sent, null]);
});

test.each([
  ['f', TOOL, null],
  [
    { type: 'auto', disable_parallel_tool_use: true },
    { type: 'auto', disable_parallel_tool_use: true },
    null,
  ],
  [{ type: 'of_tomorrow' }, undefined, 'tool_choice'],
])('%j in chat is %j', async (choice, sent, lost) => {
  const { body, dropped } = await requestSentTo('anthropic', {
    model: 'm',
    tools: CHAT_TOOLS,
    tool_choice: choice,
  });
  expect([body.tool_choice, dropped]).toEqual([sent, lost]);
});
