// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A second count of what the kernel produces: one number a kind of event, no ring, no state but a mark per thread in a
 * call. It shares nothing with the tracer but the names of kernel types.
 */
#include "kernel.h"

#include <asm/unistd.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "count.h"

const volatile char comm[16] = ""; /* whose calls */
const volatile __u32 netns = 0;	   /* where all of it happens, by inode number */

__u64 counted[COUNTED_MAX] = {};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u32);
} in_call SEC(".maps");

static __always_inline void count(enum counted kind)
{
	__sync_fetch_and_add(&counted[kind], 1);
}

static __always_inline bool is_traced(void)
{
	struct task_struct *t = bpf_get_current_task_btf();
	char now[16];

	if (BPF_CORE_READ(t, nsproxy, net_ns, ns.inum) != netns)
		return false;
	bpf_get_current_comm(now, sizeof(now));
	for (int i = 0; i < 16; i++) {
		if (now[i] != comm[i])
			return false;
		if (!now[i])
			break;
	}
	return true;
}

static __always_inline bool is_socket(u32 fd)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct file **slots = BPF_CORE_READ(t, files, fdt, fd), *f = NULL;

	if (fd >= BPF_CORE_READ(t, files, fdt, max_fds))
		return false;
	bpf_probe_read_kernel(&f, sizeof(f), slots + fd);
	return f && (BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT) == S_IFSOCK;
}

/* Is it a call that a socket program makes, and on a socket? */
static __always_inline bool is_counted(long nr, u64 first)
{
	switch (nr) {
	case __NR_socket:
	case __NR_socketpair:
		return true;
	case __NR_bind:
	case __NR_listen:
	case __NR_connect:
	case __NR_accept:
	case __NR_accept4:
	case __NR_getsockname:
	case __NR_sendto:
	case __NR_recvfrom:
	case __NR_close:
		return is_socket(first);
	}
	return false;
}

#if defined(__TARGET_ARCH_x86)
#define FIRST_ARGUMENT(regs) ((regs)->di)
#else
#define FIRST_ARGUMENT(regs) ((regs)->orig_x0)
#endif

SEC("tp_btf/sys_enter")
int BPF_PROG(call_enter, struct pt_regs *regs, long nr)
{
	u32 *mark;

	if (!is_traced())
		return 0;
	mark = bpf_task_storage_get(&in_call, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (mark)
		*mark = is_counted(nr, FIRST_ARGUMENT(regs));
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_exit, struct pt_regs *regs, long ret)
{
	u32 *mark = bpf_task_storage_get(&in_call, bpf_get_current_task_btf(), 0, 0);

	if (mark && *mark) {
		*mark = 0;
		count(COUNTED_CALL);
	}
	return 0;
}

static __always_inline bool is_here(struct sock *sk)
{
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6) &&
	       BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) == netns;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state, struct sock *sk)
{
	if (is_here(sk) && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
		count(COUNTED_STATE);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroy, struct sock *sk)
{
	if (is_here(sk))
		count(COUNTED_DESTROY);
	return 0;
}

SEC("tp_btf/sk_data_ready")
int BPF_PROG(data_ready, struct sock *sk)
{
	if (is_here(sk))
		count(COUNTED_DATA_READY);
	return 0;
}

#define IP_PROTOCOL_AT 9 /* byte of the IPv4 header */

static __always_inline int on_packet(struct sk_buff *skb, struct net_device *dev)
{
	u8 *ip = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header), protocol = 0;

	if (BPF_CORE_READ(dev, nd_net.net, ns.inum) != netns || BPF_CORE_READ(skb, protocol) != bpf_htons(ETH_P_IP))
		return 0;
	bpf_probe_read_kernel(&protocol, 1, ip + IP_PROTOCOL_AT);
	if (protocol == IPPROTO_TCP)
		count(COUNTED_SEGMENT);
	return 0;
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(leaves, struct sk_buff *skb, struct net_device *dev)
{
	return on_packet(skb, dev);
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(arrives, struct sk_buff *skb)
{
	return on_packet(skb, BPF_CORE_READ(skb, dev));
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
