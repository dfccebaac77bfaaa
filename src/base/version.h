/*
 * version.h - the library's version, once for everybody. CMakeLists.txt and kproducer.h are checked against it.
 */
#ifndef KP_BASE_VERSION_H
#define KP_BASE_VERSION_H

#define KP_VERSION_TEXT "0.1.0"

#endif
