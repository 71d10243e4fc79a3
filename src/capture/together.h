/* SPDX-License-Identifier: MIT */
/*
 * Programs loaded together, on all CPUs. libbpf loads one after the other, and in the kernel's verifier passes most of the
 * time until we are attached.
 *
 * The linker puts our bpf_prog_load() before libbpf's (--wrap). Between begin and end it hands each program of an
 * object to a thread and answers with a descriptor that becomes the program's when it is loaded. Where libbpf is a
 * shared library nothing is put before its calls, and it loads as ever.
 */
#ifndef SOCKLENS_CAPTURE_TOGETHER_H
#define SOCKLENS_CAPTURE_TOGETHER_H

void together_begin(void);
/* Waits for all. 0, or the negative errno of one that failed: why is told only to who loads it alone. */
int together_end(void);

#endif
