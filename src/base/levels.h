/* A function that is compiled for several instruction sets; the machine's best is taken when the
 * program starts. Numbers are the same with each: no sum is reordered, nothing is contracted. For
 * loops that the compiler makes into vectors. Kernels have their own way (kernels/cpu). */
#ifndef SL_BASE_LEVELS_H
#define SL_BASE_LEVELS_H

#if defined(__x86_64__) && defined(__linux__) && defined(__OPTIMIZE__) &&                          \
    !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define SL_LEVELS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SL_LEVELS
#endif

#endif
