/** `embedmill model`: lists, describes, checks, adds and distills models. */

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
import { addDistillCommand } from './distill.ts';
import { prepareEach, tryEach } from './prepare.ts';

const EXPLANATION = `
A model is all-MiniLM-L6-v2 (built in), the name of an added model, or a folder
in the hub's layout: config.json, tokenizer.json, and onnx/model.onnx,
onnx/model_quantized.onnx or, for BERT, model.safetensors, which is compiled.
1_Pooling/config.json and sentence_bert_config.json are read if present. Static
models are folders in the layout of model2vec, and "static", which is made from
all-MiniLM-L6-v2 on first use: much faster and less accurate. Added models are
stored in $EMBEDMILL_CACHE/models on this machine; add them on every machine
that runs workers.
`;

interface ModelCommandFlags {
  json?: true;
}

/** Adds the commands; `end` receives their exit code. */
export function addModelCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const print = (flags: ModelCommandFlags, figures: unknown, lines: readonly string[]) =>
    context.stdout.write(flags.json ? `${JSON.stringify(figures)}\n` : `${lines.join('\n')}\n`);
  const config = () => readConfig(context.environment);
  const model = program
    .command('model')
    .summary('list, check, add or distill models')
    .description('List, describe, check, add or distill models.')
    .helpCommand(false)
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill model list', 'the built-in model and added ones'],
          ['embedmill model add models/bge-small-en-v1.5 --name bge-small', 'validate and install a model'],
          ['embedmill model check bge-small', 'check its vectors'],
          ['embedmill embed in.jsonl --to out.npy --model bge-small', 'embed with it'],
        ),
    );

  model
    .command('list')
    .summary('list models')
    .description('List the built-in model and added models, and why a model cannot be used.')
    .option('--json', 'print a JSON array')
    .addHelpText('after', examples(['embedmill model list', 'all models on this machine']))
    .action(async (flags: ModelCommandFlags) => {
      const { models, broken } = await listModels(config());
      print(
        flags,
        [...models, ...broken],
        [
          ...formatTable([LIST_HEAD, ...models.map(listRow)], [3, 4, 6]),
          ...broken.map(({ name, reason }) => `${name} cannot be used: ${reason}`),
        ],
      );
      end(broken.length === 0 ? EXIT.ok : EXIT.failure);
    });

  model
    .command('info')
    .summary('describe a model')
    .description("Show a model's dimension, limits and pooling, and where each value comes from.")
    .argument('<model>', `name or folder of a model, such as ${BUILT_IN_MODEL}`)
    .option('--json', 'print a JSON object')
    .addHelpText('after', examples(['embedmill model info models/bge-small-en-v1.5', 'before adding it']))
    .action(async (given: string, flags: ModelCommandFlags) => {
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
    .summary("check a model's vectors")
    .description('Embed known sentences, and check repeatability, length, meaning and the error of int8.')
    .argument('<model>', `name or folder of a model, such as ${BUILT_IN_MODEL}`)
    .option('--json', 'print a JSON object')
    .addHelpText('after', examples([`embedmill model check ${BUILT_IN_MODEL}`, 'the built-in model']))
    .action(async (given: string, flags: ModelCommandFlags) => {
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
    .summary('install a model')
    .description('Validate a model folder and install it under a name.')
    .argument('<folder>', "model folder in the hub's layout")
    .option('--name <name>', 'name of the model (default: name of the folder)')
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      examples([
        'embedmill model add models/bge-small-en-v1.5 --name bge-small',
        'then EMBEDMILL_MODEL=bge-small',
      ]),
    )
    .action(async (folder: string, flags: ModelCommandFlags & { name?: string }) => {
      const name = flags.name ?? basename(resolve(folder));
      const { prepared, unavailable } = await prepareEach(resolve(folder), config());
      await tryEach(prepared);
      const copy = await keepModel(folder, name, config().cacheDir);
      print(flags, { name, folder: copy, unavailable }, [
        `added ${name} in ${copy}`,
        ...unavailable.map(({ precision, reason }) => `no ${precision}: ${reason}`),
      ]);
      end(EXIT.ok);
    });

  addDistillCommand(model, context, end);
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
    `${precision}: ${problems.length === 0 ? 'ok' : 'FAILED'}`,
    `  ${sentences} sentences embedded twice and compared`,
    `  mean cosine ${similar.toFixed(3)} for similar sentences, ${unrelated.toFixed(3)} for unrelated ones`,
    ...(worstToFp32 === null ? [] : [`  minimum cosine to fp32 ${worstToFp32.toFixed(4)}`]),
    ...problems.map((problem) => `  ${problem}`),
  ];
}
