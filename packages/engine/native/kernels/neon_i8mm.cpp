/** Kernel `neon_i8mm`: AArch64 with dotprod and i8mm. */
#define KERNEL neon_i8mm
#include "../lanes/portable.h"
#include "../products/neon.h"
#include "../forward.h"
