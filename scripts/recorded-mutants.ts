/**
 * `make recorded-mutants`: breaks a copy of the project in one way after another, and expects the checks of recorded
 * traffic to notice each. Needs no recordings. Usage: bun scripts/recorded-mutants.ts [PART OF A NAME]
 */
import { cleared } from '../test/helpers/binary.ts';
import { copyProject } from '../test/recorded/mutants/copy.ts';
import { MUTATIONS } from '../test/recorded/mutants/mutations.ts';
import { tryMutations } from '../test/recorded/mutants/try.ts';

const [words = ''] = process.argv.slice(2);
const mutations = MUTATIONS.filter(({ name }) => name.includes(words));
let missed = 0;
using copy = copyProject();
try {
  for await (const { mutation, noticed, unfit } of tryMutations(copy, mutations)) {
    if (noticed.length === 0) missed += 1;
    const found =
      noticed[0] === undefined ? (unfit ?? 'NOTHING IS NOTICED') : `${noticed.length} kinds of failures`;
    process.stdout.write(`${mutation.name}: ${found}\n`);
    if (noticed[0]) process.stdout.write(`  ${noticed[0].slice(0, 200)}\n`);
  }
} finally {
  cleared();
}
process.stdout.write(`${mutations.length - missed} of ${mutations.length} mutations are noticed\n`);
process.exitCode = missed > 0 ? 1 : 0;
