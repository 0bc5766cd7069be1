/** Kernel `neon_dotprod`: AArch64 with dotprod. */
#define KERNEL neon_dotprod
#include "../lanes/portable.h"
#include "../products/neon.h"
#include "../forward.h"
