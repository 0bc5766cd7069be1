/** Sentences that fit any product: openings, stories, verdicts, advice; `compose.mjs` joins them. */

/** Values of `{time}`; drawn once per review, as all values are. */
export const TIMES = [
  'two weeks',
  'a month',
  'three months',
  'half a year',
  'a year',
  'a long weekend',
  'eighteen months',
];

/** Values of `{person}`. */
export const PEOPLE = [
  'my sister',
  'my father',
  'my flatmate',
  'my husband',
  'my wife',
  'our daughter',
  'a colleague',
  'my neighbour',
];

/** First sentences: why the review was written. */
export const OPENINGS = [
  'I have used {this} {product} for {time} now.',
  'Bought {this} {product} for {person} and {tried|borrowed} {it} myself first.',
  'After {time} with {this} {product} I can {say something useful|write an honest review}.',
  '{Person} {recommended|swears by} {this} {product}, so I {gave in|ordered one evening}.',
  'My old {product} {gave up|broke} after {many|six|eleven} years, and {this} {was|were} the replacement.',
  'I read {far too many|about fifty} reviews before I chose {this} {product}.',
  'Second purchase: the first {product} went to {person}.',
  'I was not looking for {new} {product}, but there was a {sale|voucher to use up}.',
  'A birthday present from {person}.',
  'Let me start with the {short version|result after {time}}.',
];

/** Stories around the purchase, independent of the product. */
export const CONTEXTS = [
  'Delivery took {two days|nine days|longer than promised}, and the box was {intact|dented|big enough for a child to live in}.',
  'We live on the {third|fifth} floor without a lift, so I {care about|notice} such things.',
  'I compared {it} with what {person} has, which cost {twice as much|a third more}.',
  'Between {work|night shifts} and {two children|a puppy}, I have no time for {manuals|things that need care}.',
  'I paid the {full price|sale price, about a third less}.',
  'The manual is in {nine|fourteen} languages and {short in all of them|clear in mine}.',
  'I wrote to the {maker|seller}, and {an answer came the same day|got a standard letter after a week|they asked for a photo}.',
  'It came {without any plastic|in so much plastic that the bin was full}.',
  'My first one had a {dent|scratch}; the exchange was {quick|polite|a matter of three e-mails}.',
  'For scale: I use {it} {every day|most weekends|on about four days a week}.',
  'There is a {cheaper|bigger} version, which I {cannot speak for|sent back last year}.',
  '{Person} laughed at me, and has {ordered the same|borrowed {it} twice} since.',
];

/** Last sentences by mood. */
export const VERDICTS = {
  good: [
    'I would buy {it} again {tomorrow|without thinking}.',
    'Worth {every penny|the money}.',
    '{Warmly|Gladly} recommended.',
    'Five stars, and I am {hard to please|not generous with them}.',
    'I have stopped looking for {something better|alternatives}.',
    'The best purchase of this {year|winter|spring}.',
  ],
  mixed: [
    'For the price it is {fair|all right}; for more I would {look elsewhere|complain}.',
    'Three stars: one for the idea, two for the {price|effort}.',
    'I keep {it}, but I would not buy {it} twice.',
    'Not bad, not great.',
    'If they fixed that one thing, I would {give five stars|be happy}.',
  ],
  bad: [
    '{It went|Went} back the {same|next} day.',
    'Save your {money|nerves}.',
    'One star, because {zero is not possible|I had to choose one}.',
    'I am {still waiting for my refund|asking for my money back}.',
    'Never again.',
    'I gave {it} away and {felt bad about that, too|warned the new owner}.',
  ],
};

/** Transitions from praise to complaint. */
export const TURNS = [
  'On the other hand:',
  'But:',
  'That said,',
  'Then again,',
  'The other side of it:',
  'And yet,',
];

/** Advice at the end of long reviews. */
export const ADVICE = [
  'A tip: {keep the receipt|keep the box for a month}.',
  'Check the {size|colour} twice before you order; the pictures {flatter|mislead}.',
  'Ask in a shop first if you can {touch|try} one.',
  'Register it at once, because the guarantee {counts from then|is longer if you do}.',
  'I will {update|add to} this review {in half a year|when something changes}.',
  'If you have {small hands|little space}, look at the smaller one.',
];

/** Complete reviews of a few words; `{noun}` and `{are}` come from the aspect. */
export const SHORT = {
  good: [
    '{Great|Lovely|Superb|Excellent} {noun}!',
    'Very {happy|pleased} with the {noun} of {this} {product}.',
    '{Good|Solid} {product}, {great|excellent} {noun}.',
    'The {noun} {are} {fantastic|better than expected|first class}.',
    '{Nice|Fine} {product}. The {noun} {are} {perfect|spot on}.',
    'Bought for the {noun}, not disappointed.',
  ],
  bad: [
    '{Poor|Terrible|Awful|Disappointing} {noun}.',
    'The {noun} {are} a {joke|disaster}.',
    'Not {happy|pleased} with the {noun} of {this} {product}.',
    '{Bad|Weak} {product}, the {noun} {are} {useless|the worst part}.',
    'Sent back because of the {noun}.',
    'The {noun} {are} {worse than expected|not what I paid for}.',
  ],
};
