/*
 * export.h - KP_API marks what the shared library exports; everything else is hidden (-fvisibility=hidden).
 */
#ifndef KPRODUCER_EXPORT_H
#define KPRODUCER_EXPORT_H

#if defined(__GNUC__) || defined(__clang__)
#define KP_API __attribute__((visibility("default")))
#else
#define KP_API
#endif

#endif
