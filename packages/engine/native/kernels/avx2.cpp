/** Kernel `avx2`: x86-64 with AVX2. */
#define KERNEL avx2
#include "../lanes/avx2.h"
#include "../products/avx2.h"
#include "../forward.h"
