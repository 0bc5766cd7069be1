/** What is compiled for which target: sources, the flags of each, and nothing else. */

/**
 * Flags of every file. Contraction of a * b + c to one operation would change the bytes of a vector. Warnings are for
 * developers: a build that succeeds does not show them.
 */
export const COMMON_FLAGS = [
  '-std=c++20',
  '-O3',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
];

const AVX512 = [
  '-mavx512f',
  '-mavx512bw',
  '-mavx512dq',
  '-mavx512vl',
  '-mavx512vnni',
  '-mprefer-vector-width=512',
];

/** The kernels of an architecture, as Node names it, with their flags. */
export const KERNELS = {
  x64: {
    scalar: [],
    avx2: ['-mavx2'],
    avxvnni: ['-mavx2', '-mavxvnni'],
    avx512vnni: AVX512,
    amx: [...AVX512, '-mamx-tile', '-mamx-int8'],
  },
  arm64: {
    scalar: [],
    neon: ['-march=armv8-a'],
    neon_dotprod: ['-march=armv8.2-a+dotprod'],
    neon_i8mm: ['-march=armv8.2-a+dotprod+i8mm'],
  },
  wasm32: {
    scalar: [],
    wasm: ['-msimd128'],
  },
};

/** Files of every build, next to the kernels. */
export const SHARED_SOURCES = ['model.cpp', 'dispatch.cpp'];

/** Further files of the program; WebAssembly has no threads. */
export const commandSources = (arch) => ['command.cpp', ...(arch === 'wasm32' ? [] : ['helpers.cpp'])];

/** Further files of the addon. */
export const ADDON_SOURCES = [
  'addon.cpp',
  'helpers.cpp',
  'share.cpp',
  'wordpiece.cpp',
  'characters.cpp',
  'static.cpp',
];
