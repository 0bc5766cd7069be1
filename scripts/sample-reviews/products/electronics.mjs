/** Opinions about things with a plug or a battery. */

/** Phones, headphones, laptops, keyboards and cameras. */
export const ELECTRONICS = [
  {
    slug: 'phone',
    names: ['phone', 'smartphone', 'handset'],
    aspects: [
      {
        noun: 'battery life',
        praise: [
          'The battery {easily|comfortably} lasts {a day and a half|two days}, even with {maps|video|music} running.',
          'I charge it {every other night|twice a week} and it has never died on me.',
        ],
        complaints: [
          'The battery does not last a {full |whole |}day; by {noon|four in the afternoon|dinner} it is {flat|at ten percent}.',
          'It runs out of charge {before lunch|on the way home}, and {I barely touch it|that is with everything switched off}.',
        ],
      },
      {
        noun: 'camera',
        praise: [
          'Photos at {night|dusk|a dim birthday table} come out {sharp|bright|surprisingly clean}.',
          'The camera opens {in a blink|before the dog moves}, and the {colours|skin tones} look real.',
        ],
        complaints: [
          'Every picture {indoors|of something that moves} is {blurry|grainy|a smear of noise}.',
          'The camera needs {three|four} seconds to open, so the moment is {gone|over} each time.',
        ],
      },
      {
        noun: 'screen',
        praise: [
          'I can read the screen in {bright sun|full daylight} without {squinting|shading it with my hand}.',
          'The display is {smooth|crisp}, and scrolling through {long articles|recipes} is easy on the eyes.',
        ],
        complaints: [
          'The screen {cracked|got a hairline crack} the first time it slid off the {sofa|kitchen table}.',
          'Touches near the {edge|bottom} of the screen are {ignored|noticed only on the second try}.',
        ],
      },
      {
        noun: 'signal',
        praise: ['Calls are {clear|crisp}, even {in the cellar|on the train|between tall buildings}.'],
        complaints: [
          'It drops {calls|the connection} {in the lift|at home|on every train ride}, where my old one never did.',
          'People say I sound {far away|as if I sat in a bucket}.',
        ],
      },
    ],
  },
  {
    slug: 'headphones',
    names: ['headphones', 'earphones', 'wireless headphones'],
    plural: true,
    aspects: [
      {
        noun: 'sound',
        praise: [
          'The bass is {deep|full} without {drowning|covering} the {voices|guitars}.',
          'I hear {breaths|details|a second violin} in old records that I never noticed.',
        ],
        complaints: [
          'Everything sounds {muffled|dull}, as if {a blanket hung over the band|the singer stood next door}.',
          'The treble is so {sharp|harsh} that my ears {ring|hurt} after {two songs|twenty minutes}.',
        ],
      },
      {
        noun: 'noise cancelling',
        praise: [
          'On the {plane|bus} the engine simply {vanishes|goes away} when I switch the noise cancelling on.',
        ],
        complaints: [
          'Noise cancelling adds a {hiss|faint whistle} of its own and lets {voices|the office} through anyway.',
        ],
      },
      {
        noun: 'fit',
        praise: ['I forget that I wear them, even {after six hours|with glasses|on a long flight}.'],
        complaints: [
          'They press on the {ears|top of my head} and I have to take them off {every hour|after one film}.',
          'They slide off as soon as I {bend down|run|look up}.',
        ],
      },
      {
        noun: 'connection',
        praise: [
          'They pair with my {laptop|phone} in a second and {switch over|stay connected} without fuss.',
        ],
        complaints: [
          'The left side {cuts out|goes silent} {whenever I turn my head|every few minutes}.',
          'Pairing works {one time in three|only after a restart}, and then they forget the {laptop|phone} again.',
        ],
      },
    ],
  },
  {
    slug: 'laptop',
    names: ['laptop', 'notebook computer'],
    aspects: [
      {
        noun: 'speed',
        praise: [
          'It {opens|loads} {forty tabs|a huge spreadsheet} without {a hiccup|breaking a sweat}.',
          'Ready to type {three|five} seconds after I lift the lid.',
        ],
        complaints: [
          'It {freezes|hangs} for {half a minute|ages} whenever {an update|a video call} starts.',
          'Booting takes {two minutes|as long as making tea}, and it is brand new.',
        ],
      },
      {
        noun: 'fan',
        praise: [
          'The fan is {silent|so quiet that I thought it was broken} unless I {edit video|compile something big}.',
        ],
        complaints: [
          'The fan {howls|whines like a hair dryer} while I {write an email|read the news}.',
          'It gets {hot|uncomfortably warm} on the lap, and the fan never {stops|calms down}.',
        ],
      },
      {
        noun: 'touchpad',
        praise: ['The touchpad is {large|precise} and {clicks|reacts} the same in every corner.'],
        complaints: [
          'The pointer {jumps|wanders} when my {thumb|palm} rests on the touchpad, so I lose my place in every text.',
        ],
      },
      {
        noun: 'hinge',
        praise: ['The hinge is {firm|solid}, and the lid stays where I leave it.'],
        complaints: [
          'After {four|seven} months the hinge {came loose|cracked} and the {lid|screen} wobbles with each key.',
        ],
      },
    ],
  },
  {
    slug: 'keyboard',
    names: ['keyboard', 'mechanical keyboard'],
    aspects: [
      {
        noun: 'typing feel',
        praise: [
          'The keys have a {soft|satisfying} bump, and my typing got {faster|cleaner} within {a day|a week}.',
          'My {wrists|fingers} no longer ache after a {day|night} of writing.',
        ],
        complaints: ['The keys feel {mushy|spongy}, and the space bar {sticks|rattles} on the left side.'],
      },
      {
        noun: 'noise',
        praise: ['Quiet enough for {night shifts|a shared office}; {nobody|not even the cat} complains.'],
        complaints: [
          'It is so {loud|clacky} that my {colleagues|neighbours on the call} asked {what I was building|me to mute}.',
        ],
      },
      {
        noun: 'key caps',
        plural: true,
        praise: ['The letters still look {new|sharp} after {a year|eighteen months} of daily use.'],
        complaints: ['The letters {E and A|on the most used keys} had worn off after {two|three} months.'],
      },
      {
        noun: 'cable',
        praise: ['The cable is {braided|long enough} and comes off, so it packs flat.'],
        complaints: [
          'The cable is {stiff|too short}, and the plug {falls out|slips} when I move the keyboard.',
        ],
      },
    ],
  },
  {
    slug: 'camera',
    names: ['doorbell camera', 'security camera'],
    aspects: [
      {
        noun: 'motion detection',
        praise: ['It tells {a cat|a branch} from a {person|parcel van}, and wakes me only for the second.'],
        complaints: [
          'I get {forty|sixty} alerts a day for {leaves|passing cars|a spider}, and none when the {courier|postman} comes.',
        ],
      },
      {
        noun: 'night picture',
        praise: ['At night I can read {number plates|faces} across the {yard|street}.'],
        complaints: ['After dark the picture is {black|a grey soup}, which is when I {need it|wanted it}.'],
      },
      {
        noun: 'app',
        praise: ['The app opens straight on the live picture and {needs no account|asks for nothing}.'],
        complaints: [
          'The app logs me out {every week|after each update} and wants a {subscription|monthly fee} for {yesterday|the recordings}.',
        ],
      },
      {
        noun: 'installation',
        praise: ['Two screws, one code to scan, {ten|fifteen} minutes: {done|my father did it alone}.'],
        complaints: [
          'The mount needs a {drill bit|screw size} that is not in the box, and the manual is {four pictures|a riddle}.',
        ],
      },
    ],
  },
];
