/** Opinions about things for evenings, pets and bathrooms. */

/** Novels, board games, cat trees, shampoos and toy trains. */
export const LEISURE = [
  {
    slug: 'novel',
    names: ['novel', 'book', 'crime novel'],
    aspects: [
      {
        noun: 'plot',
        praise: [
          'I guessed {three|four} murderers and was wrong each time.',
          'The last {hundred|sixty} pages cost me a night of sleep, {gladly|and I would do it again}.',
        ],
        complaints: [
          'Nothing happens for {two hundred|a hundred and fifty} pages, and then {everybody dies at once|it just ends}.',
          'The {twist|murderer} was clear by {chapter four|page thirty}.',
        ],
      },
      {
        noun: 'characters',
        plural: true,
        praise: ['I miss the {old sister|stubborn baker|lighthouse keeper} as if I had met her.'],
        complaints: [
          'All of them talk the same, {from the duke to the child|so I mixed them up to the end}.',
        ],
      },
      {
        noun: 'style',
        praise: ['Short, {dry|warm} sentences with a joke where you least expect it.'],
        complaints: ['Each {door|sunset} gets half a page of {adjectives|metaphors}.'],
      },
      {
        noun: 'printing',
        praise: ['Good paper and a type size for {tired eyes|reading in bed}.'],
        complaints: [
          'Pages {fell out|came loose} on the first read, and {one chapter|sixteen pages} appears twice.',
        ],
      },
    ],
  },
  {
    slug: 'board-game',
    names: ['board game', 'family game'],
    aspects: [
      {
        noun: 'rules',
        plural: true,
        praise: [
          'The rules fit on {two|three} pages, and we played {ten|fifteen} minutes after opening the box.',
        ],
        complaints: [
          'The rules {contradict themselves|leave out what happens in a tie}, so we {watched videos|gave up} first.',
        ],
      },
      {
        noun: 'playing time',
        praise: ['A round takes {forty|fifty} minutes and ends while everyone still {laughs|wants more}.'],
        complaints: ['The box says an hour; we needed {three|four}, and half of it was {waiting|counting}.'],
      },
      {
        noun: 'pieces',
        plural: true,
        praise: ['Heavy {wooden|painted} pieces that feel {good in the hand|older than they are}.'],
        complaints: ['{Two|Five} tokens were missing and the cards {bend|smell of paint} already.'],
      },
      {
        noun: 'balance',
        praise: ['Our {eight|nine}-year-old beats us {fairly|every second time}.'],
        complaints: ['Whoever starts wins; we {tried it|kept a list for} {eight|twelve} evenings.'],
      },
    ],
  },
  {
    slug: 'cat-tree',
    names: ['cat tree', 'scratching post'],
    aspects: [
      {
        noun: 'stability',
        praise: ['{Seven|Eight} kilos of cat jump on it from the {shelf|door} and it does not {sway|move}.'],
        complaints: [
          'It {tips|wobbles} when our {kitten|thin old cat} jumps, so she {sleeps beside it|avoids it}.',
        ],
      },
      {
        noun: 'rope',
        praise: ['The rope has been {attacked|scratched} daily for {a year|two winters} and holds.'],
        complaints: ['The rope {unrolled|came off} in a week and now lies {in pieces|all over the flat}.'],
      },
      {
        noun: 'plush',
        praise: ['The cover is {soft|thick}, and hair comes off with a {brush|wet hand}.'],
        complaints: ['The plush sheds {grey|beige} fluff that the cat {eats|carries everywhere}.'],
      },
      {
        noun: 'cave',
        praise: ['The cave is large enough for {two|both} of them, which ended the {wars|morning fights}.'],
        complaints: ['The cave fits {a hamster|half a cat}, in spite of the {picture|measurements}.'],
      },
    ],
  },
  {
    slug: 'shampoo',
    names: ['shampoo', 'anti-dandruff shampoo'],
    aspects: [
      {
        noun: 'effect',
        praise: [
          'The itching stopped after the {third|second} wash, and the flakes after {two weeks|a month}.',
        ],
        complaints: [
          'My scalp is {drier|redder} than before, and the {dandruff|flakes} did not {care|move}.',
        ],
      },
      {
        noun: 'scent',
        praise: ['It smells of {rosemary|green apples}, and not until {Thursday|the next room}.'],
        complaints: ['The scent is so {sweet|strong} that I get {a headache|looks on the bus}.'],
      },
      {
        noun: 'bottle',
        praise: ['The pump gives just enough, {one push|a walnut} for {short|long} hair.'],
        complaints: [
          'The bottle {leaked|burst} in the {parcel|suitcase}, and half of it was {gone|in my socks}.',
        ],
      },
      {
        noun: 'lather',
        praise: ['A {little|drop} makes plenty of foam and rinses out {fast|in seconds}.'],
        complaints: ['It hardly foams, so I use {twice as much|half a bottle} to feel clean.'],
      },
    ],
  },
  {
    slug: 'toy-train',
    names: ['toy train', 'wooden train set'],
    aspects: [
      {
        noun: 'track',
        praise: ['The track clicks together so that a {three|four}-year-old can build alone.'],
        complaints: [
          'The track pieces {do not hold|come apart} when the train takes a curve, with {tears|drama} each time.',
        ],
      },
      {
        noun: 'engine',
        praise: ['The little engine climbs the {bridge|ramp} with {five|six} wagons behind it.'],
        complaints: ['The engine {gave up|stopped} after {an afternoon|two days}, new batteries or not.'],
      },
      {
        noun: 'paint',
        praise: ['The paint has survived {teeth|the bath|the stairs}.'],
        complaints: [
          'Paint {flakes|chips} off in the mouth of a one-year-old, which {frightened us|must not happen}.',
        ],
      },
      {
        noun: 'play value',
        praise: [
          'It has been on the carpet {every day since|for a whole winter}, which no other toy has managed.',
        ],
        complaints: [
          'Interesting for {ten minutes|one rainy morning}; since then it {collects dust|blocks the hall}.',
        ],
      },
    ],
  },
];
