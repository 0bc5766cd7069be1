/** `embedmill eval`: measures the quality of models on the user's data. */

import { existsSync } from 'node:fs';
import { quote, STATIC_MODEL } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { modelFolder } from '@embedmill/embed/added-models';
import { type Command, Option } from 'commander';
import { type LocalEmbedderDeps, openLocalEmbedder } from '../../engine/embedder/local.ts';
import { splitPrecision } from '../../engine/embedder/model-options.ts';
import { readTreatment, type TreatmentFlags } from '../../engine/embedder/treatment.ts';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, pullOption, repeatable } from '../../shell/options.ts';
import { countRows, displayFor } from '../../shell/progress/index.ts';
import { treatmentOptions } from '../../shell/treatment-options.ts';
import { openClassification } from './classification.ts';
import { openClustering } from './clustering.ts';
import { evaluate } from './evaluate.ts';
import { markdownOf } from './markdown.ts';
import { openRetrieval } from './retrieval.ts';
import { openSts } from './sts.ts';
import type { EvalTask } from './types.ts';

const EXPLANATION = `
Tasks, each repeatable:
  --sts            records with a, b and score: Spearman, Pearson
  --retrieval      BEIR folder (corpus.jsonl, queries.jsonl, qrels/*.tsv):
                   nDCG@10, recall@10, recall@100
  --classify       records with text and label: accuracy, macro F1
                   (a fifth of the rows, by the 10 nearest of the others)
  --cluster        records with text and label: V-measure (as many
                   clusters as labels)

MODEL is int8 or fp32 (all-MiniLM-L6-v2), static, the name of an added model
(embedmill model list) or a folder in the hub's layout. Append @fp32 to run its
fp32 file instead of the int8 one. All models get the same treatment; E5 models
need --prompt 'query: ' and --document-prompt 'passage: '.
`;

interface EvalFlags extends TreatmentFlags {
  documentPrompt?: string;
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
    .summary('measure models on your data')
    .description('Measure the quality of models on your data.')
    .addOption(repeatable('--sts <file>', 'sentence pairs with scores', 'none'))
    .addOption(repeatable('--retrieval <folder>', 'queries and documents', 'none'))
    .addOption(repeatable('--classify <file>', 'labelled texts', 'none'))
    .addOption(repeatable('--cluster <file>', 'labelled texts', 'none'))
    .addOption(
      repeatable('--model <model>', 'int8, fp32, name of an added model, or a folder', 'int8 and fp32'),
    )
    .addOption(pullOption())
    .addOption(
      new Option(
        '--document-prompt <text>',
        'prefix of documents in --retrieval (default: that of the model)',
      ),
    )
    .option('--json', 'print one JSON object instead of a Markdown table')
    .option('--quiet', 'print no progress');
  for (const option of treatmentOptions()) command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill eval --sts pairs.jsonl', 'int8 compared with fp32'],
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
  const treatment = await readTreatment(flags, 'query');
  const { documentPrompt } = flags;
  const deps = { config, signal, treatment, documentPrompt };
  const models = (flags.model.length > 0 ? flags.model : ['int8', 'fp32']).map((given) =>
    modelOpener(given, deps),
  );
  const tasks = await openTasks(flags);
  const display = displayFor(context, flags.quiet ?? false);
  try {
    const evaluation = await evaluate({
      tasks,
      models,
      onTask: (task, model) => {
        display.note(`${model}: ${task.kind} on ${task.name}`);
        return countRows(display, task.texts);
      },
    });
    display.end();
    const lines = flags.json ? [JSON.stringify(evaluation)] : markdownOf(evaluation);
    context.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    display.end();
  }
}

/** Reads all files before any work starts. */
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
      'no task given; add --sts, --retrieval, --classify or --cluster with a file of your data',
    );
  }
  return tasks;
}

/** Returns a function that opens the model. @throws {UsageError} for an unknown model */
function modelOpener(
  given: string,
  deps: Omit<LocalEmbedderDeps, 'model' | 'precision'>,
): () => Promise<TextEmbedder> {
  if (given === 'int8' || given === 'fp32') {
    return () => openLocalEmbedder({ ...deps, model: null, precision: given });
  }
  const { model: folder, precision = 'int8' } = splitPrecision(given);
  const path = modelFolder(folder, deps.config.cacheDir);
  if (folder !== STATIC_MODEL && path !== undefined && !existsSync(path)) {
    throw new UsageError(
      `there is no model ${quote(given, 200)}; expected int8, fp32, the name of an added model or a folder`,
    );
  }
  return () => openLocalEmbedder({ ...deps, model: folder, precision });
}
