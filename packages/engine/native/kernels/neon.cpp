/** Kernel `neon`: AArch64, ARMv8.0. */
#define KERNEL neon
#include "../lanes/portable.h"
#include "../products/neon.h"
#include "../forward.h"
