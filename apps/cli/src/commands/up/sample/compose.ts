/** Writes one review: draws a product, a mood and a length, then joins sentences; called by sample-reviews.ts. */

import type { Random } from '@embedmill/analysis';
import { expand, uncapital, type Words } from './expand.ts';
import { ADVICE, CONTEXTS, OPENINGS, PEOPLE, SHORT, TIMES, TURNS, VERDICTS } from './frames.ts';
import { ELECTRONICS } from './products/electronics.ts';
import { HOME } from './products/home.ts';
import { LEISURE } from './products/leisure.ts';
import { OUTDOORS } from './products/outdoors.ts';
import type { Aspect, Product } from './types.ts';

/** All products, in the order of their files. */
export const PRODUCTS: readonly Product[] = [...ELECTRONICS, ...HOME, ...OUTDOORS, ...LEISURE];

type Mood = 'good' | 'mixed' | 'bad';

const MOODS: readonly Mood[] = ['good', 'good', 'good', 'mixed', 'mixed', 'bad', 'bad'];

/** A review before it gets its id. */
export interface Draft {
  slug: string;
  text: string;
}

/** How long reviews are, in the shares that review sites show: most say little, a few tell everything. */
const LENGTHS: readonly { share: number; write: (review: Review) => string }[] = [
  { share: 0.2, write: (review) => review.headline() },
  { share: 0.3, write: (review) => review.opinions(1) },
  { share: 0.3, write: (review) => review.account({ opinions: 2, contexts: 1 }) },
  { share: 0.14, write: (review) => review.account({ opinions: 4, contexts: 3 }) },
  {
    share: 0.06,
    write: (review) => `${review.account({ opinions: 5, contexts: 5 })}\n\n${review.secondThoughts()}`,
  },
];

/** One review, different each time the random numbers are. */
export function compose(random: Random): Draft {
  const product = random.pick(PRODUCTS);
  const review = new Review(product, random);
  let rest = random.next();
  const length = LENGTHS.find(({ share }) => {
    rest -= share;
    return rest < 0;
  });
  return { slug: product.slug, text: (length ?? LENGTHS[0])?.write(review) ?? '' };
}

/** The sentences of one review: one product, one mood, no aspect and no frame twice. */
class Review {
  readonly #random: Random;
  readonly #product: Product;
  readonly #words: Words;
  readonly #mood: Mood;
  readonly #aspects: Aspect[];
  readonly #contexts: string[];

  constructor(product: Product, random: Random, mood: Mood = random.pick(MOODS)) {
    this.#random = random;
    this.#product = product;
    this.#mood = mood;
    this.#aspects = random.shuffle(product.aspects);
    this.#contexts = random.shuffle(CONTEXTS);
    this.#words = {
      product: random.pick(product.names),
      time: random.pick(TIMES),
      person: random.pick(PEOPLE),
      this: product.plural ? 'these' : 'this',
      it: product.plural ? 'them' : 'it',
      was: product.plural ? 'were' : 'was',
      new: product.plural ? 'new' : 'a new',
    };
  }

  /** Three to ten words about one aspect. */
  headline(): string {
    const aspect = this.#nextAspect();
    const mood = this.#mood === 'mixed' ? this.#random.pick(['good', 'bad'] as const) : this.#mood;
    const words = { ...this.#words, noun: aspect.noun, are: aspect.plural ? 'are' : 'is' };
    return expand(this.#random.pick(SHORT[mood]), words, this.#random);
  }

  /** `count` aspects and, mostly, a verdict. */
  opinions(count: number): string {
    const sentences = this.#opinions(count);
    if (this.#random.chance(0.6)) sentences.push(this.#verdict());
    return sentences.join(' ');
  }

  /** An opening, opinions with stories between them, a verdict. */
  account({ opinions, contexts }: { opinions: number; contexts: number }): string {
    const body = [...this.#opinions(opinions)];
    for (const context of this.#contexts.splice(0, contexts)) {
      body.splice(1 + Math.floor(this.#random.next() * body.length), 0, this.#say(context));
    }
    return [this.#say(this.#random.pick(OPENINGS)), ...body, this.#verdict()].join(' ');
  }

  /** What long reviews add weeks later: other stories, the same aspects in other words, advice. */
  secondThoughts(): string {
    const again = new Review(this.#product, this.#random, this.#mood);
    const later = this.#say('Update, {time} later:');
    const stories = this.#contexts.splice(0, 5).map((context) => this.#say(context));
    const advice = this.#random
      .shuffle(ADVICE)
      .slice(0, 3)
      .map((pattern) => this.#say(pattern));
    return [later, ...again.#opinions(3), ...stories, ...advice].join(' ');
  }

  #opinions(count: number): string[] {
    const sentences: string[] = [];
    for (let nth = 0; nth < Math.min(count, this.#product.aspects.length); nth++) {
      const { praise, complaints } = this.#nextAspect();
      const isPraise = this.#mood === 'mixed' ? nth % 2 === 0 : this.#mood === 'good';
      const opinion = this.#say(this.#random.pick(isPraise ? praise : complaints));
      const isTurn = this.#mood === 'mixed' && nth === 1;
      sentences.push(isTurn ? `${this.#say(this.#random.pick(TURNS))} ${uncapital(opinion)}` : opinion);
    }
    return sentences;
  }

  #verdict(): string {
    return this.#say(this.#random.pick(VERDICTS[this.#mood]));
  }

  /** The aspects in turn; after the last one, the first again. */
  #nextAspect(): Aspect {
    const aspect = this.#aspects.shift() as Aspect;
    this.#aspects.push(aspect);
    return aspect;
  }

  #say(pattern: string): string {
    return expand(pattern, this.#words, this.#random);
  }
}
