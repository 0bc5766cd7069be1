/** Questions that the sample reviews answer, in other words than theirs; shown with their nearest reviews by `embedmill up --sample`. */

/** A question and the products whose reviews may answer it (the part of the id before the number). */
export interface SampleQuestion {
  text: string;
  slugs: readonly string[];
}

/** The first one is the one to show. */
export const SAMPLE_QUESTIONS: readonly SampleQuestion[] = [
  { text: 'the battery does not last a day', slugs: ['phone'] },
  { text: 'which shoes are slippery when it rains?', slugs: ['running-shoes'] },
  { text: 'woke up with back ache because the bed sags', slugs: ['mattress'] },
  { text: 'gets soaked although it should keep the rain out', slugs: ['rain-jacket', 'tent'] },
  { text: 'espresso as good as in a café', slugs: ['coffee-machine'] },
  { text: 'a game that is over before the children get bored', slugs: ['board-game'] },
  { text: 'my cat is afraid of it because it shakes', slugs: ['cat-tree'] },
];
