/** Kernel `wasm`: WebAssembly with 128-bit SIMD. */
#define KERNEL wasm
#include "../lanes/portable.h"
#include "../products/wasm.h"
#include "../forward.h"
