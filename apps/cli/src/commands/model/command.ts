/** `embedmill model`: which models there are, what each is, whether it works, and how one is added. */

import { basename, resolve } from 'node:path';
import { asError, BUILT_IN_MODEL } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { addedModels, keepModel } from '@embedmill/embed/added-models';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { examples } from '../../shell/options.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import { checkPrepared, type ModelCheck } from './check.ts';
import { factsOf, infoRows, LIST_HEAD, listRow } from './describe.ts';
import { prepareEach, tryEach } from './prepare.ts';

const EXPLANATION = `
A model is all-MiniLM-L6-v2 (built in), the name of an added one, or a folder in
the hub's layout: config.json, tokenizer.json, and onnx/model.onnx,
onnx/model_quantized.onnx or, for a BERT, model.safetensors, which is compiled;
1_Pooling/config.json and sentence_bert_config.json are followed. Added models
are kept in $EMBEDMILL_CACHE/models, on this machine: every worker of a fleet
needs its own.
`;

interface Flags {
  json?: true;
}

/** Adds the commands; `end` receives their exit code. */
export function addModelCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const print = (flags: Flags, figures: unknown, lines: readonly string[]) =>
    context.stdout.write(flags.json ? `${JSON.stringify(figures)}\n` : `${lines.join('\n')}\n`);
  const config = () => readConfig(context.environment);
  const model = program
    .command('model')
    .summary('list, add and check models')
    .description('Lists, adds, describes and checks sentence models.')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill model list', 'the built-in model and the added ones'],
          ['embedmill model add models/bge-small-en-v1.5 --name bge-small', 'checks and copies it'],
          ['embedmill model check bge-small', 'does it compute what it should?'],
          ['EMBEDMILL_MODEL=bge-small embedmill embed in.jsonl --to out.npy', 'uses it'],
        ),
    );

  model
    .command('list')
    .description('Lists the built-in model and the added ones; a model that cannot be used with the reason.')
    .option('--json', 'print a JSON array')
    .addHelpText('after', examples(['embedmill model list', 'all models of this machine']))
    .action(async (flags: Flags) => {
      const { models, broken } = await listModels(config());
      print(
        flags,
        [...models, ...broken],
        [
          ...formatTable([LIST_HEAD, ...models.map(listRow)], [2, 3, 5]),
          ...broken.map(({ name, reason }) => `${name} cannot be used: ${reason}`),
        ],
      );
      end(broken.length === 0 ? EXIT.ok : EXIT.failure);
    });

  model
    .command('info')
    .description('Tells the facts of a model, and which file states each.')
    .argument('<model>', `name or folder, or ${BUILT_IN_MODEL}`)
    .option('--json', 'print a JSON object')
    .addHelpText('after', examples(['embedmill model info models/bge-small-en-v1.5', 'before it is added']))
    .action(async (given: string, flags: Flags) => {
      const { prepared, unavailable } = await prepareEach(given, config());
      const facts = await Promise.all(prepared.map(factsOf));
      print(flags, { models: facts, unavailable }, [
        ...facts.flatMap((each) => [...formatTable(infoRows(each)), '']),
        ...unavailable.map(({ precision, reason }) => `no ${precision}: ${reason}`),
      ]);
      end(EXIT.ok);
    });

  model
    .command('check')
    .description('Embeds sentences, and looks at sameness, length, meaning and the error of int8.')
    .argument('<model>', `name or folder, or ${BUILT_IN_MODEL}`)
    .option('--json', 'print a JSON object')
    .addHelpText('after', examples([`embedmill model check ${BUILT_IN_MODEL}`, 'the built-in model']))
    .action(async (given: string, flags: Flags) => {
      const { prepared, unavailable } = await prepareEach(given, config());
      const checks = await checkPrepared(prepared);
      print(flags, { checks, unavailable }, [
        ...checks.flatMap(checkLines),
        ...unavailable.map(({ precision, reason }) => `no ${precision}: ${reason}`),
      ]);
      end(checks.every(({ problems }) => problems.length === 0) ? EXIT.ok : EXIT.failure);
    });

  model
    .command('add')
    .description('Looks whether a folder can be run, and copies it, so that its name is enough.')
    .argument('<folder>', "a model in the hub's layout")
    .option('--name <name>', "what to call it (default: the folder's name)")
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      examples([
        'embedmill model add models/bge-small-en-v1.5 --name bge-small',
        'then EMBEDMILL_MODEL=bge-small',
      ]),
    )
    .action(async (folder: string, flags: Flags & { name?: string }) => {
      const name = flags.name ?? basename(resolve(folder));
      const { prepared, unavailable } = await prepareEach(resolve(folder), config());
      await tryEach(prepared);
      const copy = await keepModel(folder, name, config().cacheDir);
      print(flags, { name, folder: copy, unavailable }, [
        `added ${name}, in ${copy}`,
        ...unavailable.map(({ precision, reason }) => `no ${precision}: ${reason}`),
      ]);
      end(EXIT.ok);
    });
}

async function listModels(config: Config) {
  const models = [];
  const broken = [];
  for (const name of [BUILT_IN_MODEL, ...(await addedModels(config.cacheDir))]) {
    try {
      const { prepared } = await prepareEach(name, config);
      models.push(...(await Promise.all(prepared.map(factsOf))));
    } catch (error) {
      broken.push({ name, reason: asError(error).message });
    }
  }
  return { models, broken };
}

function checkLines({
  precision,
  problems,
  sentences,
  similar,
  unrelated,
  worstToFp32,
}: ModelCheck): string[] {
  return [
    `${precision}: ${problems.length === 0 ? 'good' : 'NOT GOOD'}`,
    `  ${sentences} sentences embedded twice, for equal bytes`,
    `  mean cosine ${similar.toFixed(3)} of sentences that say the same, ${unrelated.toFixed(3)} of unrelated ones`,
    ...(worstToFp32 === null ? [] : [`  least cosine to fp32 ${worstToFp32.toFixed(4)}`]),
    ...problems.map((problem) => `  ${problem}`),
  ];
}
