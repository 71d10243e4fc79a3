/* SPDX-License-Identifier: MIT */
/*
 * The kernel's types, given to libbpf where they lie. libbpf has them copied out by the kernel page by page, into memory
 * that is touched for the first time, and copies that: a fifth of the time until attached.
 *
 * The linker puts our btf__load_vmlinux_btf() before libbpf's (--wrap). Since 6.16 (commit a539e2a6d51d) the file can be
 * mapped; before, or where libbpf is a shared library, it is read as ever.
 */
#ifndef SOCKLENS_CAPTURE_KERNEL_BTF_H
#define SOCKLENS_CAPTURE_KERNEL_BTF_H

#include <stddef.h>

#define KERNEL_BTF_PATH "/sys/kernel/btf/vmlinux"

/* The whole file, to be given back by munmap(); NULL: it cannot be mapped. size: bytes. */
const void *kernel_btf_map(size_t *size);

#endif
