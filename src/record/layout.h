/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a recording that are not frames' payload: shared by writer and reader, nobody else.
 * FORMAT.md is the specification.
 */
#ifndef SOCKLENS_RECORD_LAYOUT_H
#define SOCKLENS_RECORD_LAYOUT_H

#include <linux/types.h>
#include <stddef.h>

/* The first byte is no ASCII, the line ends tell a file that was mangled as text. */
#define RECORD_MAGIC "\xb5lens\r\n\x1a"
#define RECORD_MAGIC_LEN 8

#define RECORD_UNFINISHED 1 /* set while the file grows, cleared by the last write */

struct record_header {
	char magic[RECORD_MAGIC_LEN];
	__u32 version; /* RECORD_VERSION */
	__u32 flags;   /* RECORD_* */
	__u32 size;    /* bytes of this header; a later one may be longer, never shorter */
	__u32 reserved;
};

struct frame_header {
	__u32 type;   /* enum frame_type */
	__u32 length; /* bytes of payload; zeros follow up to a multiple of 8 */
};

#define RECORD_ALIGN 8
#define RECORD_HEADER_MAX 4096 /* bytes: a header that claims more is damage */
#define RECORD_FRAME_MAX \
	(16u << 20) /* bytes of payload: neither written nor believed beyond this */

static inline size_t record_padded(size_t len)
{
	return (len + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
}

_Static_assert(sizeof(struct record_header) == 24, "record_header");
_Static_assert(sizeof(struct frame_header) == 8, "frame_header");
_Static_assert(sizeof(struct record_header) % RECORD_ALIGN == 0, "frames start aligned");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "recordings are little-endian");

#endif
