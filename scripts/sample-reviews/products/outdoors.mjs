/** Opinions about things for weather and roads. */

/** Shoes, jackets, backpacks, tents and lights. */
export const OUTDOORS = [
  {
    slug: 'running-shoes',
    names: ['running shoes', 'trainers'],
    plural: true,
    aspects: [
      {
        noun: 'cushioning',
        praise: ['My knees feel {fine|young} after {fifteen|twenty} kilometres on {asphalt|hard roads}.'],
        complaints: [
          'The cushioning was {flat|dead} after {two hundred kilometres|six weeks}, and my heels know it.',
        ],
      },
      {
        noun: 'size',
        praise: ['True to size, with room for the toes {on the way down|when feet swell}.'],
        complaints: [
          'They run {small|narrow}; I needed {one|a whole} size more and lost a toenail {before I knew|in the meantime}.',
        ],
      },
      {
        noun: 'grip',
        praise: ['They hold on {wet leaves|gravel|mud}, where my old pair skated.'],
        complaints: ['On wet {stone|metal|tiles} they are like {soap|ice skates}.'],
      },
      {
        noun: 'sole',
        praise: ['The sole shows {hardly any|no} wear after {a marathon season|eight months}.'],
        complaints: ['The sole {came off|peeled away} at the {toe|heel} in the {second|fourth} month.'],
      },
    ],
  },
  {
    slug: 'rain-jacket',
    names: ['rain jacket', 'raincoat'],
    aspects: [
      {
        noun: 'waterproofing',
        praise: [
          '{Three hours|A whole day} of rain in {Wales|the hills} and I was dry down to the {elbows|shirt}.',
        ],
        complaints: ['Water comes through the {shoulders|seams} after {twenty minutes|a short shower}.'],
      },
      {
        noun: 'zip',
        praise: ['The zip runs {smoothly|with gloves on} and has a flap that does not catch.'],
        complaints: [
          'The zip {jams|bites into the lining} each time, and it {broke|split} in {March|the first storm}.',
        ],
      },
      {
        noun: 'hood',
        praise: ['The hood turns with my head and fits over a {bike helmet|cap}.'],
        complaints: ['The hood {blows off|falls over my eyes} in the lightest wind.'],
      },
      {
        noun: 'breathability',
        praise: ['I can {cycle uphill|hurry for the bus} in it without {steaming|getting wet from inside}.'],
        complaints: ['It is a {sauna|plastic bag}: I am wetter from {sweat|inside} than from rain.'],
      },
    ],
  },
  {
    slug: 'backpack',
    names: ['backpack', 'rucksack', 'daypack'],
    aspects: [
      {
        noun: 'straps',
        plural: true,
        praise: ['The straps are {wide|soft}, and {ten|twelve} kilos feel like {six|half}.'],
        complaints: [
          'A strap {tore|came off} at the seam with nothing but {books|a laptop and lunch} in it.',
        ],
      },
      {
        noun: 'pockets',
        plural: true,
        praise: ['A pocket for everything, and the {bottle|passport} one is where my hand goes anyway.'],
        complaints: [
          'One {big|deep} hole and no pockets, so the keys are always {at the bottom|under the lunch}.',
        ],
      },
      {
        noun: 'fabric',
        praise: ['The fabric shrugs off {drizzle|thorns|airport belts}.'],
        complaints: ['The fabric {frayed|wore through} where it rubs the {back|laptop}.'],
      },
      {
        noun: 'capacity',
        praise: ['It takes {a week|three days} of clothes and still passes as {hand luggage|cabin size}.'],
        complaints: [
          'The volume on the label is {a joke|optimistic}: {two jumpers|one pair of boots} and it is full.',
        ],
      },
    ],
  },
  {
    slug: 'tent',
    names: ['tent', 'two-person tent'],
    aspects: [
      {
        noun: 'setting up',
        praise: ['It stands in {five|seven} minutes, also {in the dark|with one tired person}.'],
        complaints: [
          'The poles are all {nearly|almost} the same length, so every evening starts with an {argument|hour of guessing}.',
        ],
      },
      {
        noun: 'storm safety',
        praise: [
          'It stood through a {storm|night of gusts} that flattened {half the campsite|our neighbours}.',
        ],
        complaints: [
          'A pole {snapped|bent} in a {breeze|normal coastal wind}, and the pegs are {tin foil|butter}.',
        ],
      },
      {
        noun: 'inner tent',
        praise: ['Bone dry inside in the morning, and no {mosquito|midge} found a way in.'],
        complaints: [
          'Water {dripped|ran} from the inside of the roof onto the {sleeping bags|kids} every morning.',
        ],
      },
      {
        noun: 'pack size',
        praise: ['It rolls up to the size of a {loaf of bread|wine bottle}, and goes back into its bag.'],
        complaints: ['It never went back into its bag after the first {night|trip}.'],
      },
    ],
  },
  {
    slug: 'bike-light',
    names: ['bike light', 'bicycle lamp'],
    aspects: [
      {
        noun: 'brightness',
        praise: ['I see {potholes|hedgehogs} {thirty|forty} metres ahead on roads without {lamps|a moon}.'],
        complaints: ['Good for being seen, but the road in front of me stays {dark|a guess}.'],
      },
      {
        noun: 'mount',
        praise: ['The clip sits {tight|firm}, and the beam stays level on {cobbles|forest tracks}.'],
        complaints: [
          'The rubber mount {turns|slips} at each kerb, and I light up {my own wheel|the treetops}.',
        ],
      },
      {
        noun: 'charging',
        praise: [
          'It charges from any {phone plug|laptop}, and one charge covers {a week|ten hours} of commuting.',
        ],
        complaints: ['The charging flap {fell off|let the rain in}, and since then it {flickers|is dead}.'],
      },
      {
        noun: 'switch',
        praise: ['I can work the switch with {winter gloves|mittens}.'],
        complaints: ['It turns itself on in the {bag|pocket}, so it is empty when I {leave work|need it}.'],
      },
    ],
  },
];
