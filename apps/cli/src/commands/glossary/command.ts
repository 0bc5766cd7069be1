/** `embedmill glossary`: proposes the terms of a glossary and shows what it does. */

import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import type { ExitCode } from '../../shell/exit-codes.ts';
import { examples } from '../../shell/options.ts';
import { addCheckCommand } from './check.ts';
import { addSuggestCommand } from './suggest.ts';

const EXPLANATION = `
A glossary replaces terms that a model does not know by plain wording before
texts are embedded (--glossary of embed, search, calibrate and eval). Its file
has the columns term, wording and optionally case (exact, any) and language (zh,
ja, en: the term applies only to texts mostly in the script of this language).
`;

/** Adds the commands; `end` receives their exit code. */
export function addGlossaryCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const glossary = program
    .command('glossary')
    .summary('propose and check terms to replace')
    .description('Propose the terms of a glossary, and check one.')
    .helpCommand(false)
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill glossary suggest reviews.csv --to terms.csv', 'terms that a person completes'],
          ['embedmill glossary check terms.csv --pairs pairs.csv', 'scores before and after'],
        ),
    );
  addSuggestCommand(glossary, context, end);
  addCheckCommand(glossary, context, end);
}
