/** Opinions about kitchens, bedrooms and cupboards. */

/** Kettles, coffee machines, vacuum cleaners, knives, mattresses and chairs. */
export const HOME = [
  {
    slug: 'kettle',
    names: ['kettle', 'electric kettle'],
    aspects: [
      {
        noun: 'boiling time',
        praise: [
          'A full {litre|pot} boils in {two|three} minutes, {quicker than the toast|before I find a cup}.',
        ],
        complaints: [
          'It takes {six|eight} minutes for two cups, so I {went back to the stove|boil water in a pan again}.',
        ],
      },
      {
        noun: 'spout',
        praise: ['It pours in a {thin|steady} stream and never {drips|splashes}.'],
        complaints: [
          'Water runs down the {outside|handle side} every time I pour, and the {counter|tray} is wet.',
        ],
      },
      {
        noun: 'lid',
        praise: ['The lid opens with one {finger|thumb} and wide enough to {clean|scrub} inside.'],
        complaints: ['The lid {snaps off|no longer closes}, and then it does not switch itself off.'],
      },
      {
        noun: 'taste',
        praise: ['No taste of {plastic|metal}, not even in the first cup.'],
        complaints: [
          'The water tastes of {plastic|rubber}, even after {ten|a dozen} boils with {vinegar|lemon}.',
        ],
      },
    ],
  },
  {
    slug: 'coffee-machine',
    names: ['coffee machine', 'espresso machine', 'coffee maker'],
    aspects: [
      {
        noun: 'coffee',
        praise: [
          'The espresso has a {thick|hazelnut brown} crema and tastes {round|like the bar downstairs}.',
          'Finally a {filter coffee|cup} that is {hot|strong} without being bitter.',
        ],
        complaints: [
          'The coffee is {lukewarm|weak|sour}, whatever {beans|setting} I try.',
          'Every {second|third} cup comes out {watery|half full}.',
        ],
      },
      {
        noun: 'milk frother',
        praise: ['The frother makes {dense|silky} foam, even from oat milk.'],
        complaints: ['The milk frother {spits|clogs}, and it takes longer to clean than to {drink|use}.'],
      },
      {
        noun: 'cleaning',
        praise: ['Everything that gets {sticky|dirty} goes into the dishwasher.'],
        complaints: [
          'It asks for {descaling|a rinse} {every day|after four cups}, and the drip tray {overflows|grows mould}.',
        ],
      },
      {
        noun: 'grinder',
        praise: [
          'The grinder is {even|fine enough} and {quieter than my old one|no louder than the fridge}.',
        ],
        complaints: [
          'The grinder {jams|screams} so loudly that the {baby wakes|neighbours know when I get up}.',
        ],
      },
    ],
  },
  {
    slug: 'vacuum',
    names: ['vacuum cleaner', 'cordless vacuum', 'hoover'],
    aspects: [
      {
        noun: 'suction',
        praise: ['It {lifts|pulls} {dog hair|sand|glitter} out of the carpet in one pass.'],
        complaints: ['It pushes {crumbs|cat litter} around instead of {picking them up|swallowing them}.'],
      },
      {
        noun: 'weight',
        praise: ['Light enough to {carry upstairs with one hand|do the ceiling corners}.'],
        complaints: ['It is so {heavy|top-heavy} that my {wrist|shoulder} hurts after one room.'],
      },
      {
        noun: 'runtime',
        praise: ['One charge does {the whole flat|three rooms and the car}.'],
        complaints: [
          '{Nine|Eleven} minutes on full power and then it wants {four|five} hours on the charger.',
        ],
      },
      {
        noun: 'dust bin',
        praise: ['The bin opens at the bottom, so the dust drops {straight into the bag|where it belongs}.'],
        complaints: ['Emptying it puts {half the dust|a grey cloud} back into the {kitchen|room}.'],
      },
    ],
  },
  {
    slug: 'knife',
    names: ["chef's knife", 'kitchen knife'],
    aspects: [
      {
        noun: 'edge',
        praise: [
          'It goes through {ripe tomatoes|onions|a pumpkin} like {butter|nothing}, and still does after {months|a year}.',
        ],
        complaints: [
          'It was {blunt|dull} after {a week|three dinners}, and {sharpening|a stone} does not help for long.',
        ],
      },
      {
        noun: 'handle',
        praise: ['The handle sits well even in {wet|small} hands.'],
        complaints: ['The handle {splits|swells} after a few washes, and now there is a {gap|sharp seam}.'],
      },
      {
        noun: 'balance',
        praise: [
          'It balances right at the {finger|bolster}, so chopping {herbs|a mountain of carrots} is no work.',
        ],
        complaints: ['All the weight is in the {blade|handle}; it {tips|tires the hand}.'],
      },
      {
        noun: 'steel',
        praise: ['No {rust|stain} in spite of {lemons|a damp kitchen}.'],
        complaints: ['There were {rust spots|orange specks} after the first {night in the sink|hand wash}.'],
      },
    ],
  },
  {
    slug: 'mattress',
    names: ['mattress', 'foam mattress'],
    aspects: [
      {
        noun: 'support',
        praise: ['My back pain was {gone|half of what it was} after {ten nights|two weeks}.'],
        complaints: [
          'There is a {hollow|dip} in the middle already, and I wake up with a {stiff|sore} back.',
        ],
      },
      {
        noun: 'smell',
        praise: ['I expected a chemical smell and there was {none|hardly any}.'],
        complaints: ['It smells of {glue|new tyres} after {three weeks|a month} with the windows open.'],
      },
      {
        noun: 'temperature',
        praise: ['It stays cool, even in {August|an attic room}.'],
        complaints: ['I sleep {hot|in a puddle} on it; the foam {stores|gives back} every bit of heat.'],
      },
      {
        noun: 'edge',
        praise: ['I can sit on the edge to {tie my shoes|read to the kids} without sliding off.'],
        complaints: ['The edge {gives way|folds}, so two people have room for {one and a half|one}.'],
      },
    ],
  },
  {
    slug: 'office-chair',
    names: ['office chair', 'desk chair'],
    aspects: [
      {
        noun: 'assembly',
        praise: ['Put together in {twenty minutes|half an hour} with {the one key in the box|no swearing}.'],
        complaints: [
          '{Two|Three} holes did not line up, and the manual shows {another model|mirror images}.',
        ],
      },
      {
        noun: 'back rest',
        praise: ['The back rest follows me when I {lean back|stretch} and holds the lower back.'],
        complaints: ['The back rest {creaks|squeaks} with each breath and cannot be {locked|set upright}.'],
      },
      {
        noun: 'gas lift',
        praise: ['It stays at the height I set, with {a hundred|ninety} kilos on it.'],
        complaints: ['The seat sinks {slowly|a hand} every {hour|meeting}, until my chin is on the desk.'],
      },
      {
        noun: 'wheels',
        plural: true,
        praise: ['The wheels roll {quietly|softly} and leave no marks on the {wood|parquet}.'],
        complaints: ['One wheel {broke off|jams}, and the others {scratch|scar} the floor.'],
      },
    ],
  },
];
