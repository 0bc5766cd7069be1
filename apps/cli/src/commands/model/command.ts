/** `embedmill model`: lists, describes, checks, pulls, adds and distills models. */

import { basename, resolve } from 'node:path';
import { asError, BUILT_IN_MODEL, CATALOGUE, type ScoreBaseline } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import type { LanguageMeasure } from '@embedmill/embed';
import { addedModels, keepModel, readModelFacts } from '@embedmill/embed/added-models';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { examples } from '../../shell/options.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import { CATALOGUE_HEAD, CATALOGUE_NOTE, CATALOGUE_NUMBERS, catalogueRow } from './catalogue.ts';
import { checkPrepared, type ModelCheck } from './check.ts';
import { factsOf, infoRows, LIST_HEAD, listRow } from './describe.ts';
import { addDistillCommand } from './distill.ts';
import { addPullCommand } from './pull.ts';
import { type ReferenceReport, readReference } from './reference.ts';

const EXPLANATION = `
A model is all-MiniLM-L6-v2 (built in), the name of an installed model, a name
on the model hub (owner/name, owner/name@revision), a short name of the
catalogue, or a folder in the hub's layout: config.json, tokenizer.json, and
onnx/model.onnx, onnx/model_quantized.onnx or, for BERT, model.safetensors,
which is compiled.
1_Pooling/config.json and sentence_bert_config.json are read if present.
Static models are folders in the layout of model2vec, and "static", which is
made from all-MiniLM-L6-v2 on first use: much faster and less accurate.
Installed models are stored in $EMBEDMILL_CACHE/models on this machine; workers
on other machines pull them from the hub or from a producer (HF_ENDPOINT).
`;

const CHECK_EXPLANATION = `
Eight sentences in eight languages, each in two wordings, show which languages
the model relates; a model that relates none fails. Also measured: the cosine
of unrelated sentences, below which a score means nothing.

The reference, as computed by the library of the model (ids are optional):
{"prompt":"query: ","texts":[{"text":"…","ids":[…],"vector":[…]}]}
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
    .summary('list, check, pull or distill models')
    .description('List, describe, check, pull, add or distill models.')
    .helpCommand(false)
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill model pull multilingual', 'download and install a model of the catalogue'],
          ['embedmill model list', 'the built-in model and installed ones'],
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
    .command('catalogue')
    .summary('list models that were measured')
    .description('List models that were measured, with the names for --model and "model pull".')
    .option('--json', 'print a JSON array')
    .addHelpText('after', examples(['embedmill model catalogue', 'names, languages and figures']))
    .action((flags: ModelCommandFlags) => {
      print(flags, CATALOGUE, [
        ...formatTable([CATALOGUE_HEAD, ...CATALOGUE.map(catalogueRow)], CATALOGUE_NUMBERS),
        CATALOGUE_NOTE,
        ...CATALOGUE.flatMap(({ name, note }) => (note === '' ? [] : [`${name}: ${note}.`])),
      ]);
      end(EXIT.ok);
    });

  addPullCommand(model, context, end);

  model
    .command('info')
    .summary('describe a model')
    .description("Show a model's dimension, limits and pooling, and where each value comes from.")
    .argument('<model>', `name or folder of a model, such as ${BUILT_IN_MODEL}`)
    .option('--json', 'print a JSON object')
    .addHelpText('after', examples(['embedmill model info models/bge-small-en-v1.5', 'before adding it']))
    .action(async (given: string, flags: ModelCommandFlags) => {
      const { prepareEach } = await import('@embedmill/embed');
      const { prepared, unavailable } = await prepareEach(given, config());
      const measured = (await readModelFacts(given, config().cacheDir)) ?? null;
      const facts = await Promise.all(prepared.map((model) => factsOf(model, measured)));
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
    .option('--prompt <text>', 'words before each sentence, such as "query: "', '')
    .option('--reference <file>', 'JSON file of texts, token ids and vectors to compare with')
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      CHECK_EXPLANATION +
        examples(
          [`embedmill model check ${BUILT_IN_MODEL}`, 'the built-in model'],
          ["embedmill model check e5 --prompt 'query: '", 'a model that is used with a prompt'],
        ),
    )
    .action(async (given: string, flags: ModelCommandFlags & { prompt: string; reference?: string }) => {
      const reference = flags.reference === undefined ? null : await readReference(flags.reference);
      const { prepareEach } = await import('@embedmill/embed');
      const { prepared, unavailable } = await prepareEach(given, config());
      const checks = await checkPrepared(prepared, { prompt: flags.prompt, reference });
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
    .option('--prompt <text>', 'words before each sentence that is measured', '')
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      examples([
        'embedmill model add models/bge-small-en-v1.5 --name bge-small',
        'then EMBEDMILL_MODEL=bge-small',
      ]),
    )
    .action(async (folder: string, flags: ModelCommandFlags & { name?: string; prompt: string }) => {
      const name = flags.name ?? basename(resolve(folder));
      const { measureFacts, prepareEach, tryEach } = await import('@embedmill/embed');
      const { prepared, unavailable } = await prepareEach(resolve(folder), config());
      await tryEach(prepared);
      const { problems, ...facts } = await measureFacts(prepared[0]!, { prompt: flags.prompt });
      const copy = await keepModel(folder, name, config().cacheDir, facts);
      print(flags, { name, folder: copy, ...facts, problems, unavailable }, [
        `added ${name} in ${copy}`,
        `relates ${facts.languages.join(', ') || 'no language that was measured'}; ${baselineLine(facts.baseline)}`,
        ...problems.map((problem) => `Warning: ${problem}`),
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
      const { prepareEach } = await import('@embedmill/embed');
      const { prepared } = await prepareEach(name, config);
      const measured = (await readModelFacts(name, config.cacheDir)) ?? null;
      models.push(...(await Promise.all(prepared.map((model) => factsOf(model, measured)))));
    } catch (error) {
      broken.push({ name, reason: asError(error).message });
    }
  }
  return { models, broken };
}

function baselineLine({ mean, spread }: ScoreBaseline): string {
  return `unrelated sentences have a cosine of ${mean.toFixed(2)} ± ${spread.toFixed(2)}`;
}

function checkLines(check: ModelCheck): string[] {
  const { precision, problems, sentences, languages, baseline, reference, worstToFp32 } = check;
  return [
    `${precision}: ${problems.length === 0 ? 'ok' : 'FAILED'}`,
    `  ${sentences} sentences embedded twice and compared`,
    ...formatTable([LANGUAGE_HEAD, ...languages.map(languageRow)], [1, 2, 3, 4]).map((line) => `  ${line}`),
    `  ${baselineLine(baseline)}`,
    ...(reference === null ? [] : [`  ${referenceLine(reference)}`]),
    ...(worstToFp32 === null ? [] : [`  minimum cosine to fp32 ${worstToFp32.toFixed(4)}`]),
    ...problems.map((problem) => `  ${problem}`),
  ];
}

const LANGUAGE_HEAD = ['LANGUAGE', 'WORDINGS', 'TRANSLATIONS', 'SIMILAR', 'UNRELATED'];

function languageRow(measure: LanguageMeasure): string[] {
  const { language, wordings, meanings, translations, similar, unrelated } = measure;
  const found = (count: number | null) => (count === null ? '' : `${count} of ${meanings}`);
  return [language, found(wordings), found(translations), similar.toFixed(3), unrelated.toFixed(3)];
}

function referenceLine({ texts, equalIds, minCosine, meanCosine }: ReferenceReport): string {
  const ids = equalIds === null ? '' : `token ids of ${equalIds} equal, `;
  return `${texts} reference texts: ${ids}cosine at least ${minCosine.toFixed(5)}, mean ${meanCosine.toFixed(5)}`;
}
