/**
 * Small exchanges that once failed, each with the correct result. Those that still fail are expected to fail, and are
 * listed after the others; when one is fixed, remove its `gap`.
 */
import type { Lab } from '../lab/lab.ts';
import type { Came, Case } from './case.ts';
import { afterAll, beforeAll, test } from 'bun:test';
import { built, cleared } from '../../helpers/binary.ts';
import { eventsOf, isStream, saidIn } from '../answers/read.ts';
import { toldLeftOut } from '../checks/told.ts';
import { stream, whole } from '../examples/recording.ts';
import { openLab } from '../lab/lab.ts';
import { serveBinary } from '../lab/serve.ts';
import { textOf } from '../read/exchange.ts';
import { objectOf, parseJson } from '../read/json.ts';
import { targetProblems } from '../schemas/targets.ts';
import { ANSWERS } from './answers.ts';
import { REQUESTS } from './requests.ts';

const CASES = [...ANSWERS, ...REQUESTS];
const GAPS = CASES.filter(({ gap }) => gap !== undefined);
let lab: Lab;

beforeAll(async () => {
  built();
  // A provider for each case: a failure in one must not affect the cooldowns of the next.
  const fresh = Object.fromEntries(
    [...Map.groupBy(CASES, ({ vendor }) => vendor)].map(([vendor, cases]) => [vendor, cases.length]),
  );
  lab = await openLab({ serve: serveBinary, fresh });
}, 60_000);

afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  cleared();
  const lines = GAPS.map(({ name, gap }) => `  ${name}: ${gap}\n`);
  process.stdout.write(`${lines.length} of ${CASES.length} cases are known to fail:\n${lines.join('')}`);
});

for (const each of CASES) {
  const check = each.gap === undefined ? test : test.failing;
  check(each.name, async () => each.right(await came(each)));
}

async function came({ name, client, vendor, api, model = 'm', request, answer }: Case): Promise<Came> {
  const recorded = Array.isArray(answer) ? stream(name, api, answer) : whole(name, api, objectOf(answer));
  const { status, headers, body } = recorded;
  const got = await lab.send(client, request, lab.fresh(vendor), model, { status, headers, body });
  const [asked] = got.asked;
  return {
    status: got.status,
    said: saidIn(got, client),
    got: isStream(got) ? eventsOf(got.body, client) : [objectOf(parseJson(textOf(got.body)))],
    asked: asked?.body ?? {},
    wrong: asked ? targetProblems(api, asked.body) : ['nothing was asked'],
    told: toldLeftOut(got),
  };
}
