import { defineCommand } from 'citty';
import { thirdPartyNotices } from '../../scripts/notices.ts' with { type: 'macro' };
import { about } from './argv/command.ts';
import { print } from './output.ts';

/** Embedded by the bundler, and loaded by this command only. */
const NOTICES = thirdPartyNotices();

export default defineCommand({
  meta: about({
    name: 'licenses',
    description: 'Print the licences of everything that this program contains',
    examples: ['llmproxy licenses > THIRD_PARTY_LICENSES.txt'],
  }),
  run: () => print(NOTICES),
});
