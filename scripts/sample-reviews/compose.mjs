/** Composes one review: draws a product, a mood and a length, then joins sentences. */

import { expand, uncapital } from './expand.mjs';
import { ADVICE, CONTEXTS, OPENINGS, PEOPLE, SHORT, TIMES, TURNS, VERDICTS } from './frames.mjs';
import { ELECTRONICS } from './products/electronics.mjs';
import { HOME } from './products/home.mjs';
import { LEISURE } from './products/leisure.mjs';
import { OUTDOORS } from './products/outdoors.mjs';

/**
 * A kind of product and the opinions about it. Nouns that take "are" are marked `plural`; praise and complaints are
 * patterns of `expand`.
 * @typedef {{ noun: string, plural?: true, praise: readonly string[], complaints: readonly string[] }} Aspect
 * @typedef {{ slug: string, names: readonly string[], plural?: true, aspects: readonly Aspect[] }} Product
 * @typedef {import('@embedmill/analysis').Random} Random
 */

/** @type {readonly Product[]} */
const PRODUCTS = [...ELECTRONICS, ...HOME, ...OUTDOORS, ...LEISURE];

/** Moods in their shares. */
const MOODS = ['good', 'good', 'good', 'mixed', 'mixed', 'bad', 'bad'];

/** Lengths in the shares seen on review sites: most reviews are short, a few are very long. */
const LENGTHS = [
  { share: 0.2, write: (review) => review.headline() },
  { share: 0.3, write: (review) => review.opinions(1) },
  { share: 0.3, write: (review) => review.account({ opinions: 2, contexts: 1 }) },
  { share: 0.14, write: (review) => review.account({ opinions: 4, contexts: 3 }) },
  {
    share: 0.06,
    write: (review) => `${review.account({ opinions: 5, contexts: 5 })}\n\n${review.secondThoughts()}`,
  },
];

/**
 * One review.
 * @param {Random} random
 * @returns {{ slug: string, text: string }}
 */
export function compose(random) {
  const product = random.pick(PRODUCTS);
  const review = new Review(product, random);
  let rest = random.next();
  const length = LENGTHS.find(({ share }) => {
    rest -= share;
    return rest < 0;
  });
  return { slug: product.slug, text: (length ?? LENGTHS[0])?.write(review) ?? '' };
}

/** The sentences of one review: one product and one mood; no story is told twice. */
class Review {
  #random;
  #product;
  #words;
  #mood;
  #aspects;
  #contexts;

  constructor(product, random, mood = random.pick(MOODS)) {
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

  /** Three to ten words on one aspect. */
  headline() {
    const aspect = this.#nextAspect();
    const mood = this.#mood === 'mixed' ? this.#random.pick(['good', 'bad']) : this.#mood;
    const words = { ...this.#words, noun: aspect.noun, are: aspect.plural ? 'are' : 'is' };
    return expand(this.#random.pick(SHORT[mood]), words, this.#random);
  }

  /** Opinions on `count` aspects and, usually, a verdict. */
  opinions(count) {
    const sentences = this.#opinions(count);
    if (this.#random.chance(0.6)) sentences.push(this.#verdict());
    return sentences.join(' ');
  }

  /** An opening, opinions with stories in between, and a verdict. */
  account({ opinions, contexts }) {
    const body = [...this.#opinions(opinions)];
    for (const context of this.#contexts.splice(0, contexts)) {
      body.splice(1 + Math.floor(this.#random.next() * body.length), 0, this.#say(context));
    }
    return [this.#say(this.#random.pick(OPENINGS)), ...body, this.#verdict()].join(' ');
  }

  /** A later update: other stories, the same aspects in other words, and advice. */
  secondThoughts() {
    const again = new Review(this.#product, this.#random, this.#mood);
    const later = this.#say('Update, {time} later:');
    const stories = this.#contexts.splice(0, 5).map((context) => this.#say(context));
    const advice = this.#random
      .shuffle(ADVICE)
      .slice(0, 3)
      .map((pattern) => this.#say(pattern));
    return [later, ...again.#opinions(3), ...stories, ...advice].join(' ');
  }

  #opinions(count) {
    const sentences = [];
    for (let nth = 0; nth < Math.min(count, this.#product.aspects.length); nth++) {
      const { praise, complaints } = this.#nextAspect();
      const isPraise = this.#mood === 'mixed' ? nth % 2 === 0 : this.#mood === 'good';
      const opinion = this.#say(this.#random.pick(isPraise ? praise : complaints));
      const isTurn = this.#mood === 'mixed' && nth === 1;
      sentences.push(isTurn ? `${this.#say(this.#random.pick(TURNS))} ${uncapital(opinion)}` : opinion);
    }
    return sentences;
  }

  #verdict() {
    return this.#say(this.#random.pick(VERDICTS[this.#mood]));
  }

  /** The next aspect, cyclically. */
  #nextAspect() {
    const aspect = this.#aspects.shift();
    this.#aspects.push(aspect);
    return aspect;
  }

  #say(pattern) {
    return expand(pattern, this.#words, this.#random);
  }
}
