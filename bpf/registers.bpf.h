/* SPDX-License-Identifier: MIT */
/*
 * Where a thread's registers hold number and arguments of the system call it is in.
 */
#ifndef SOCKLENS_REGISTERS_BPF_H
#define SOCKLENS_REGISTERS_BPF_H

#if defined(__TARGET_ARCH_x86)
#define THREAD_IS_32BIT(info) ((info).status & 2) /* TS_COMPAT: this very call */
#define SYSCALL_NR(regs) ((regs)->orig_ax)
#define SYSCALL_ARGS(regs, a)        \
	do {                         \
		(a)[0] = (regs)->di; \
		(a)[1] = (regs)->si; \
		(a)[2] = (regs)->dx; \
		(a)[3] = (regs)->r10; \
		(a)[4] = (regs)->r8; \
		(a)[5] = (regs)->r9; \
	} while (0)
#elif defined(__TARGET_ARCH_arm64)
#define THREAD_IS_32BIT(info) ((info).flags & BIT(22)) /* TIF_32BIT */
#define SYSCALL_NR(regs) ((u64)(regs)->syscallno)
#define SYSCALL_ARGS(regs, a)                    \
	do {                                     \
		(a)[0] = (regs)->orig_x0;        \
		(a)[1] = (regs)->regs[1];        \
		(a)[2] = (regs)->regs[2];        \
		(a)[3] = (regs)->regs[3];        \
		(a)[4] = (regs)->regs[4];        \
		(a)[5] = (regs)->regs[5];        \
	} while (0)
#endif

#endif
