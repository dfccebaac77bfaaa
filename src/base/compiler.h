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
#define KP_ALWAYS_INLINE static inline __attribute__((always_inline))
#define KP_NOINLINE __attribute__((noinline))

#define KP_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* The struct of TYPE whose MEMBER stands at PTR. */
#define KP_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
