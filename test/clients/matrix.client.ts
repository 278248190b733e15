/** Every client with every provider through the compiled binary. */
import type { Driver } from './drivers/driver.ts';
import type { Rig } from './rig.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cleared } from '../helpers/binary.ts';
import { aiAnthropic, aiChat, aiResponses } from './drivers/ai-sdk.ts';
import { anthropicSdk } from './drivers/anthropic.ts';
import { langchainChat, langchainResponses } from './drivers/langchain.ts';
import { openaiChat } from './drivers/openai-chat.ts';
import { openaiResponses } from './drivers/openai-responses.ts';
import { DIALECTS, LIMITED, setUp } from './rig.ts';
import { BREAKAGE, LIMIT, OBJECT, PLAIN, REASONING, REFUSAL, TOLD, TOTALS } from './script.ts';

const DRIVERS: readonly Driver[] = [
  openaiChat,
  openaiResponses,
  anthropicSdk,
  aiChat,
  aiResponses,
  aiAnthropic,
  langchainChat,
  langchainResponses,
];

let rig: Rig;
beforeAll(async () => {
  rig = await setUp();
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  cleared();
});

const PAIRS = DRIVERS.flatMap((driver) => DIALECTS.map(({ name, model }) => ({ driver, name, model })));

for (const { driver, name, model } of PAIRS) {
  describe(`${driver.name} with ${name}`, () => {
    const at = () => ({ url: rig.url, model });
    const upstream = () => rig.upstreams[name]!;
    const claim = (what: string, run: () => Promise<void>) =>
      test(what, async () => {
        upstream().complaints.length = 0;
        await run();
        expect(upstream().complaints).toEqual([]);
      });

    for (const stream of [false, true]) {
      const how = stream ? 'streamed' : 'whole';
      claim(`an answer, ${how}`, async () => {
        const { reasoning: _, ...answer } = await driver.ask(at(), { scene: 'plain', stream });
        expect(answer).toEqual({ text: PLAIN, finished: true, ...TOTALS });
      });
      claim(`reasoning, ${how}`, async () => {
        const answer = await driver.ask(at(), { scene: 'plain', stream, thinks: true });
        const { text, reasoning } = answer;
        // These clients have no place for it in chat completions.
        const shown = !['ai, openai chat', 'langchain chat'].includes(driver.name);
        expect({ text, reasoning: shown ? reasoning : REASONING }).toEqual({
          text: PLAIN,
          reasoning: REASONING,
        });
      });
      for (const thinks of [false, true]) {
        claim(`three turns with tools, ${how}${thinks ? ', thinking' : ''}`, async () => {
          expect(await driver.loop(at(), { stream, thinks })).toBe(TOLD);
        });
      }
      claim(`a refusal, ${how}`, async () => {
        const { own, status, message } = await raised(driver, { scene: 'refused', stream });
        expect({ own, status }).toEqual({ own: true, status: 400 });
        expect(message).toContain(REFUSAL);
      });
      claim(`a quota, ${how}`, async () => {
        const { own, status, message } = await raised(driver, { scene: 'limited', stream }, LIMITED);
        expect({ own, status }).toEqual({ own: true, status: 429 });
        expect(message).toContain(LIMIT);
      });
    }
    claim('an object', async () => {
      expect(await driver.object(at())).toEqual(OBJECT);
    });
    claim('a picture', async () => {
      const { text } = await driver.ask(at(), { scene: 'picture', stream: false, picture: true });
      expect(text).toBe('One pixel.');
    });
    claim('a stream that breaks', async () => {
      const { own, message } = await raised(driver, { scene: 'breaks', stream: true });
      expect({ own, message }).toEqual({ own: true, message: expect.stringContaining(BREAKAGE) });
    });
    claim('a stream that is left', async () => {
      const before = upstream().left;
      await driver.leave(at());
      const deadline = performance.now() + 3_000;
      while (upstream().left === before && performance.now() < deadline) await Bun.sleep(5);
      expect(upstream().left).toBe(before + 1);
    });

    async function raised(of: Driver, ask: Parameters<Driver['ask']>[1], suffix = '') {
      const answer = of.ask({ url: rig.url, model: model + suffix }, ask);
      return of.raised(
        await answer.then(
          (given) => expect.unreachable(`It answered ${JSON.stringify(given)}`),
          (error: unknown) => error,
        ),
      );
    }
  });
}
