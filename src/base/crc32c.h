/*
 * crc32c.h - CRC-32C (Castagnoli, RFC 3720 appendix B.4): ISA-L's crc32_iscsi behind one wrapper.
 */
#ifndef KP_BASE_CRC32C_H
#define KP_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC of a whole text; kp_crc32c("123456789", 9) is 0xE3069283. Any length. */
uint32_t kp_crc32c(const void *ptr, size_t len);
/* CRC of A||B from the CRC of A (`crc`) and the bytes of B. kp_crc32c_extend(0, p, n) == kp_crc32c(p, n). */
uint32_t kp_crc32c_extend(uint32_t crc, const void *ptr, size_t len);
/* CRC of A||B from the CRC of each and the length of B: crc_a * x^(8 len_b) mod P, xor crc_b. O(log len_b). */
uint32_t kp_crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);

#endif
