/**
 * Quality of the built-in model in other languages: `npm run eval:languages -- --texts FILE`. Sorts the rows
 * of a file by script and prints for each: the share of unknown tokens, the cosine of unrelated rows, and how
 * often a row is found again after edits. Then compares English and Chinese sentences: is the one with the
 * same meaning the nearest?
 */

import { parseArgs } from 'node:util';
import { UNTREATED } from '@embedmill/contract';
import { describeMachine } from '../support/machine.mjs';
import { printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { dot, embedAll, openEmbedder } from './vectors.mjs';

/** Id of `[UNK]` in the vocabulary of the built-in model. */
const UNKNOWN = 100;
/** Rows per language; the same for all, because recall depends on the number of rows. */
const ROWS = 250;

const SCRIPTS = { English: /\p{Script=Latin}/gu, Chinese: /\p{Script=Han}/gu, Thai: /\p{Script=Thai}/gu };

/** Each entry: an English sentence, a paraphrase, the same in Chinese, a paraphrase. */
const SENTENCES = [
  [
    'The parcel came two days late.',
    'My package was delayed by two days.',
    '包裹晚了两天才到。',
    '快递迟到了两天。',
  ],
  [
    'The room was clean and quiet.',
    'It was a tidy room without any noise.',
    '房间干净又安静。',
    '屋里很整洁，没有噪音。',
  ],
  [
    'The battery is empty after an hour.',
    'It runs out of power within sixty minutes.',
    '电池一个小时就没电了。',
    '用六十分钟电量就耗尽。',
  ],
  ['I want my money back.', 'Please refund what I paid.', '我要退款。', '请把钱退给我。'],
  ['The soup was cold.', 'They served lukewarm broth.', '汤是凉的。', '端上来的汤不热。'],
  ['The staff were rude.', 'The employees had bad manners.', '服务员态度很差。', '店员没有礼貌。'],
  [
    'Share prices fell sharply today.',
    'Stocks dropped a lot this session.',
    '今天股价大跌。',
    '股市今日暴跌。',
  ],
  [
    'The doctor advised him to rest.',
    'He was told by his physician to take it easy.',
    '医生建议他休息。',
    '大夫叫他好好静养。',
  ],
  ['It will rain tomorrow.', 'Wet weather is expected the next day.', '明天会下雨。', '预计次日有雨。'],
  [
    'She plays the violin very well.',
    'She is an excellent violinist.',
    '她小提琴拉得很好。',
    '她是出色的小提琴手。',
  ],
  ['The film is too long.', 'That movie should have been shorter.', '这部电影太长了。', '影片应该短一些。'],
  ['How do I change my password?', 'I need to set a new password.', '怎么修改密码？', '我需要重设登录口令。'],
];

const { values: options } = parseArgs({ options: { texts: { type: 'string' } } });
if (options.texts === undefined) {
  console.error('usage: npm run eval:languages -- --texts FILE');
  process.exit(2);
}
const embedder = await openEmbedder();
const texts = [...new Set(await readTexts(options.texts))];
console.log(describeMachine());
console.log(`${embedder.model.name} ${embedder.model.precision}, rows of 20 to 200 characters\n`);

printTable(
  [
    '',
    'rows',
    'characters per token',
    'unknown tokens',
    'cosine of unrelated rows',
    'found after swaps',
    'found after cuts',
  ],
  await Promise.all(Object.keys(SCRIPTS).map(measure)),
);
console.log('');
const embedColumn = (column) =>
  embedAll(
    embedder,
    SENTENCES.map((sentence) => sentence[column]),
  );
const [english, englishAgain, chinese, chineseAgain] = [
  await embedColumn(0),
  await embedColumn(1),
  await embedColumn(2),
  await embedColumn(3),
];
printTable(
  [
    `sentences, ${SENTENCES.length} each`,
    'nearest is the paraphrase',
    'mean cosine, paraphrases',
    'mean cosine, others',
  ],
  [
    ['English paraphrases', ...compare(english, englishAgain)],
    ['Chinese paraphrases', ...compare(chinese, chineseAgain)],
    ['English to Chinese', ...compare(english, chinese)],
  ],
);
await embedder.close();

async function measure(language) {
  const rows = texts.filter((text) => isIn(text, language)).slice(0, ROWS);
  const ids = rows.flatMap((text) => embedder.idsOf(text, UNTREATED).slice(1, -1));
  const vectors = await embedAll(embedder, rows);
  const swapped = await embedAll(embedder, rows.map(swap));
  const cut = await embedAll(
    embedder,
    rows.map((text) => [...text].slice(0, [...text].length >> 1).join('')),
  );
  const [, , others] = compare(vectors, vectors);
  return [
    language,
    rows.length,
    (rows.reduce((sum, text) => sum + [...text].length, 0) / ids.length).toFixed(2),
    percent(ids.filter((id) => id === UNKNOWN).length / ids.length),
    others,
    compare(swapped, vectors)[0],
    compare(cut, vectors)[0],
  ];
}

/** Whether at least nine of ten letters belong to the script of the language. */
function isIn(text, language) {
  const length = [...text].length;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return (
    length >= 20 &&
    length <= 200 &&
    (text.match(SCRIPTS[language])?.length ?? 0) >= 0.9 * letters &&
    letters > 9
  );
}

/** Swaps every tenth character with the next one, like typing errors. */
function swap(text) {
  const characters = [...text];
  for (let i = 5; i + 1 < characters.length; i += 10) {
    [characters[i], characters[i + 1]] = [characters[i + 1], characters[i]];
  }
  return characters.join('');
}

/**
 * How often the vector with the same index is the nearest, and the mean cosine with it and with all others.
 */
function compare(from, to) {
  let [found, same, others] = [0, 0, 0];
  for (const [n, vector] of from.entries()) {
    const cosines = to.map((other) => dot(vector, other));
    if (cosines.indexOf(Math.max(...cosines)) === n) found++;
    same += cosines[n];
    others += cosines.reduce((sum, cosine) => sum + cosine, 0) - cosines[n];
  }
  const rows = from.length;
  return [percent(found / rows), (same / rows).toFixed(2), (others / (rows * (rows - 1))).toFixed(2)];
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}
