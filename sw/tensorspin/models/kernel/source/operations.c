/* The arithmetic of tiles.h and entries.h for each set of instructions, and the choice among them.

   A wheel that was built on one computer runs on all of its kind: which set of instructions a
   processor has is found out when the module is imported. */

#include "operations.h"

#if HAVE_VECTORS && (defined(__x86_64__) || defined(__i386__))
#define X86 1
#else
#define X86 0
#endif

#if X86

#define VARIANT avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")))
#define WIDTH 16
#define ROWS_1 16
#define ROWS_2 12
#define ROWS_3 8
#define ROWS_4 6
#define COLUMNS 4
#include "tiles.h"
#include "entries.h"

/* The same for bonds that only halves of those vectors fit. */
#define VARIANT avx512_half
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")))
#define WIDTH 8
#define ROWS_1 16
#define ROWS_2 12
#define ROWS_3 8
#define ROWS_4 6
#define COLUMNS 4
#include "tiles.h"
#include "entries.h"

#define VARIANT avx2
#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 8
#define ROWS_1 12
#define ROWS_2 6
#define ROWS_3 4
#define ROWS_4 3
#define COLUMNS 3
#include "tiles.h"
#include "entries.h"

#endif

/* What the compiler makes for any processor that it was asked for: SSE2 on x86-64, NEON on AArch64.
   AArch64 has twice as many registers, but gains little from larger tiles. */
#define VARIANT portable
#define TARGET
#define WIDTH 4
#define ROWS_1 12
#define ROWS_2 6
#define ROWS_3 4
#define ROWS_4 3
#define COLUMNS 3
#include "tiles.h"
#include "entries.h"

typedef struct {
    const char *name;
    const Operations *wide, *narrow;
} Set;

static const Set SETS[] = {
#if X86
    {"avx512", &operations_avx512, &operations_avx512_half},
    {"avx2", &operations_avx2, &operations_avx2},
#endif
    {"portable", &operations_portable, &operations_portable},
};

#define N_SETS (sizeof SETS / sizeof *SETS)

static const Set *chosen;

static int has(const char *name)
{
#if X86
    if (!strcmp(name, "avx512"))
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (!strcmp(name, "avx2"))
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return !strcmp(name, "portable");
}

int use_instructions(const char *name)
{
    for (size_t i = 0; i < N_SETS; i++)
        if ((!name || !strcmp(name, SETS[i].name)) && has(SETS[i].name)) {
            chosen = &SETS[i];
            return 1;
        }
    return 0;
}

const char *instructions(void)
{
    return chosen->name;
}

const Operations *operations_for(int columns)
{
    return columns % chosen->wide->width == 0 ? chosen->wide : chosen->narrow;
}
