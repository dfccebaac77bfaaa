/*
 * compiler.h - the one place for compiler extensions; everything else is plain C11.
 */
#ifndef KP_BASE_COMPILER_H
#define KP_BASE_COMPILER_H

#define KP_MUST_USE __attribute__((warn_unused_result))
#define KP_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define KP_LIKELY(x) __builtin_expect(!!(x), 1)
#define KP_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define KP_CACHE_LINE 64
#define KP_CACHE_ALIGNED _Alignas(KP_CACHE_LINE)
#define KP_THREAD_LOCAL _Thread_local
/* One instruction instead of a call in a shared library. For a few hundred bytes: as much is left for libraries that are loaded late. */
#define KP_THREAD_LOCAL_HOT _Thread_local __attribute__((tls_model("initial-exec")))
#define KP_ALWAYS_INLINE static inline __attribute__((always_inline))
#define KP_NOINLINE __attribute__((noinline))

/* Memory that is kept for reuse: touching it is a mistake that AddressSanitizer shows. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define KP_POISON(ptr, size) ASAN_POISON_MEMORY_REGION(ptr, size)
#define KP_UNPOISON(ptr, size) ASAN_UNPOISON_MEMORY_REGION(ptr, size)
#else
#define KP_POISON(ptr, size) ((void)(ptr), (void)(size))
#define KP_UNPOISON(ptr, size) ((void)(ptr), (void)(size))
#endif
#define KP_CONSTRUCTOR __attribute__((constructor)) /* runs when the library is loaded */
/* In a loop that waits for another processor. */
#if defined(__x86_64__) || defined(__i386__)
#define KP_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define KP_PAUSE() __asm__ volatile("isb" ::: "memory")
#else
#define KP_PAUSE() ((void)0)
#endif

#define KP_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* The struct of TYPE whose MEMBER stands at PTR. */
#define KP_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
