// SPDX-License-Identifier: MIT
#include "calls.h"

#include <asm/unistd.h>

#include "event.h"

/* Calls that some architectures do without (arm64 has no poll, only ppoll). */
#ifndef __NR_accept
#define __NR_accept -1
#endif
#ifndef __NR_dup2
#define __NR_dup2 -1
#endif
#ifndef __NR_poll
#define __NR_poll -1
#endif
#ifndef __NR_select
#define __NR_select -1
#endif
#ifndef __NR_epoll_wait
#define __NR_epoll_wait -1
#endif

static const struct {
	int nr;
	__u8 call;
} numbers[] = {
	{ __NR_socket, CALL_SOCKET },
	{ __NR_socketpair, CALL_SOCKETPAIR },
	{ __NR_bind, CALL_BIND },
	{ __NR_listen, CALL_LISTEN },
	{ __NR_connect, CALL_CONNECT },
	{ __NR_accept, CALL_ACCEPT },
	{ __NR_accept4, CALL_ACCEPT4 },
	{ __NR_sendto, CALL_SENDTO },
	{ __NR_sendmsg, CALL_SENDMSG },
	{ __NR_sendmmsg, CALL_SENDMMSG },
	{ __NR_write, CALL_WRITE },
	{ __NR_writev, CALL_WRITEV },
	{ __NR_sendfile, CALL_SENDFILE },
	{ __NR_splice, CALL_SPLICE },
	{ __NR_recvfrom, CALL_RECVFROM },
	{ __NR_recvmsg, CALL_RECVMSG },
	{ __NR_recvmmsg, CALL_RECVMMSG },
	{ __NR_read, CALL_READ },
	{ __NR_readv, CALL_READV },
	{ __NR_shutdown, CALL_SHUTDOWN },
	{ __NR_close, CALL_CLOSE },
	{ __NR_dup, CALL_DUP },
	{ __NR_dup2, CALL_DUP2 },
	{ __NR_dup3, CALL_DUP3 },
	{ __NR_fcntl, CALL_FCNTL },
	{ __NR_setsockopt, CALL_SETSOCKOPT },
	{ __NR_getsockopt, CALL_GETSOCKOPT },
	{ __NR_getsockname, CALL_GETSOCKNAME },
	{ __NR_getpeername, CALL_GETPEERNAME },
	{ __NR_poll, CALL_POLL },
	{ __NR_ppoll, CALL_PPOLL },
	{ __NR_select, CALL_SELECT },
	{ __NR_pselect6, CALL_PSELECT6 },
	{ __NR_epoll_ctl, CALL_EPOLL_CTL },
	{ __NR_epoll_wait, CALL_EPOLL_WAIT },
	{ __NR_epoll_pwait, CALL_EPOLL_PWAIT },
	{ 441 /* epoll_pwait2, 5.11: the same number everywhere */, CALL_EPOLL_PWAIT2 },
	{ 436 /* close_range, 5.9 */, CALL_CLOSE_RANGE },
};

void calls_fill(__u8 *table, size_t size)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].nr >= 0 && (size_t)numbers[i].nr < size)
			table[numbers[i].nr] = numbers[i].call;
}
