/** Kernel `avx512vnni`: x86-64 with AVX-512 and VNNI. */
#define KERNEL avx512vnni
#include "../lanes/avx512.h"
#include "../products/avx512vnni.h"
#include "../forward.h"
