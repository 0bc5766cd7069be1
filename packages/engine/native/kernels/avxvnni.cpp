/** Kernel `avxvnni`: x86-64 with AVX-VNNI. */
#define KERNEL avxvnni
#include "../lanes/avx2.h"
#include "../products/avxvnni.h"
#include "../forward.h"
