/** `embedmill eval`: how good the vectors of one or several models are, as one table. */

import { existsSync } from 'node:fs';
import { type Precision, quote } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { modelFolder } from '@embedmill/embed/added-models';
import { type Command, Option } from 'commander';
import { type LocalModel, openLocalEmbedder } from '../../engine/embedder/local.ts';
import { readTreatment, type TreatmentFlags } from '../../engine/embedder/treatment.ts';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, repeatable } from '../../shell/options.ts';
import { countingOn, displayFor } from '../../shell/progress/index.ts';
import { treatmentOptions } from '../../shell/treatment-options.ts';
import { openClassification } from './classification.ts';
import { openClustering } from './clustering.ts';
import { evaluate } from './evaluate.ts';
import { markdownOf } from './markdown.ts';
import { openRetrieval } from './retrieval.ts';
import { openSts } from './sts.ts';
import type { EvalTask } from './types.ts';

const EXPLANATION = `
Tasks, each as often as you like:
  --sts            .jsonl, .csv or .tsv with a, b and score: Spearman, Pearson
  --retrieval      a BEIR folder (corpus.jsonl, queries.jsonl, qrels/*.tsv):
                   nDCG@10, recall@10, recall@100
  --classify       text and label: accuracy and macro F1 of a fifth of the rows,
                   by the 10 nearest of the others
  --cluster        text and label: V-measure of as many clusters as labels

A model is int8 or fp32 (all-MiniLM-L6-v2), or an added model
(embedmill model list) or a folder in the hub's layout, whose int8 file is run,
or its fp32 file with @fp32 behind the name. All models of a call have the same
treatment; models of the E5 kind want --prompt 'query: ' and --document-prompt
'passage: '.
`;

interface EvalFlags extends TreatmentFlags {
  documentPrompt: string;
  sts: string[];
  retrieval: string[];
  classify: string[];
  cluster: string[];
  model: string[];
  json?: true;
  quiet?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addEvalCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const command = program
    .command('eval')
    .summary('measure how good the vectors are')
    .description('Measures how good the vectors of models are, on your own examples.')
    .addOption(repeatable('--sts <file>', 'pairs of sentences with a score', 'none'))
    .addOption(repeatable('--retrieval <folder>', 'queries and documents', 'none'))
    .addOption(repeatable('--classify <file>', 'texts with a label', 'none'))
    .addOption(repeatable('--cluster <file>', 'texts with a label', 'none'))
    .addOption(
      repeatable('--model <model>', "int8, fp32, an added model's name or a folder", 'int8 and fp32'),
    )
    .addOption(
      new Option(
        '--document-prompt <text>',
        'put before documents of --retrieval, instead of --prompt',
      ).default('', 'none'),
    )
    .option('--json', 'print one JSON object instead of a Markdown table')
    .option('--quiet', 'print no progress');
  for (const option of treatmentOptions()) command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill eval --sts pairs.jsonl', 'int8 beside fp32'],
          [
            'embedmill eval --classify intents.csv --cluster intents.csv --model int8',
            'two tasks, one model',
          ],
          ['embedmill eval --retrieval beir/scifact --model int8 --model models/e5@fp32', 'two models'],
        ),
    )
    .action(async (flags: EvalFlags) => {
      await evalCommand(flags, context, readConfig(context.environment));
      end(EXIT.ok);
    });
}

async function evalCommand(flags: EvalFlags, context: CommandContext, config: Config): Promise<void> {
  const signal = interruptionSignal(() => {});
  const treatment = await readTreatment(flags);
  const { documentPrompt } = flags;
  const ground = { config, signal, treatment, documentPrompt };
  const models = (flags.model.length > 0 ? flags.model : ['int8', 'fp32']).map((given) =>
    modelOpener(given, ground),
  );
  const tasks = await openTasks(flags);
  const display = displayFor(context, flags.quiet ?? false);
  try {
    const evaluation = await evaluate({
      tasks,
      models,
      onTask: (task, model) => {
        display.note(`${model}: ${task.kind} of ${task.name}`);
        return countingOn(display, task.texts);
      },
    });
    display.end();
    const lines = flags.json ? [JSON.stringify(evaluation)] : markdownOf(evaluation);
    context.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    display.end();
  }
}

/** All files are read before anything is computed. */
async function openTasks(flags: EvalFlags): Promise<EvalTask[]> {
  const tasks: EvalTask[] = [];
  for (const [paths, open] of [
    [flags.sts, openSts],
    [flags.retrieval, openRetrieval],
    [flags.classify, openClassification],
    [flags.cluster, openClustering],
  ] as const) {
    for (const path of paths) tasks.push(await open(path));
  }
  if (tasks.length === 0) {
    throw new UsageError(
      'nothing to evaluate; add --sts, --retrieval, --classify or --cluster with your examples',
    );
  }
  return tasks;
}

/** @throws {UsageError} when the model is neither a precision nor a folder */
function modelOpener(
  given: string,
  ground: Omit<LocalModel, 'model' | 'precision'>,
): () => Promise<TextEmbedder> {
  if (given === 'int8' || given === 'fp32') {
    return () => openLocalEmbedder({ ...ground, model: null, precision: given });
  }
  const [, folder = given, precision = 'int8'] = /^(.+)@(int8|fp32)$/.exec(given) ?? [];
  const path = modelFolder(folder, ground.config.cacheDir);
  if (path !== undefined && !existsSync(path)) {
    throw new UsageError(
      `there is no model ${quote(given, 200)}; expected int8, fp32, the name of an added model or a folder`,
    );
  }
  return () => openLocalEmbedder({ ...ground, model: folder, precision: precision as Precision });
}
