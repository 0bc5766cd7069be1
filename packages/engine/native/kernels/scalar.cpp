/** Kernel `scalar`: The reference: plain C++ for the compiler's baseline. */
#define SCALAR
#define KERNEL scalar
#include "../lanes/portable.h"
#include "../products/scalar.h"
#include "../forward.h"
