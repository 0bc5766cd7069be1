/** Kernel `amx`: x86-64 with AMX and AVX-512. */
#define KERNEL amx
#include "../lanes/avx512.h"
#include "../products/amx.h"
#include "../forward.h"
