/* SPDX-License-Identifier: MIT */
/*
 * The kernel types we read, and only those fields. Offsets come from the running kernel's BTF
 * (CO-RE), so the order and the types of members here need not be the kernel's; names must be.
 * A field that moved has an ___old flavour with the kernel commit or release beside it.
 */
#ifndef SOCKLENS_KERNEL_H
#define SOCKLENS_KERNEL_H

#define __VMLINUX_H__ /* tells libbpf's headers that pt_regs has the kernel's member names */

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0
#ifndef NULL
#define NULL ((void *)0)
#endif

/* Constants of the kernel's user interface (uapi headers pull in libc's). */
enum {
	AF_UNIX = 1,
	AF_INET = 2,
	AF_INET6 = 10,
	SOCK_STREAM = 1,
	SOCK_DGRAM = 2,
	IPPROTO_TCP = 6,
	IPPROTO_UDP = 17,
	ETH_P_IP = 0x0800,
	ETH_P_IPV6 = 0x86DD,
	S_IFMT = 0170000,
	S_IFSOCK = 0140000,
	O_NONBLOCK = 04000,
	CLONE_FILES = 0x400,
	CLONE_THREAD = 0x10000,
};

/* include/net/tcp_states.h */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
	TCP_NEW_SYN_RECV = 12,
};

/* The numbers BPF itself gives its map types, flags and return codes (uapi/linux/bpf.h). */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_QUEUE = 22,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};

struct bpf_map;
struct seq_file;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	s64 counter;
} atomic64_t;
typedef struct {
	long counter;
} atomic_long_t;
typedef struct {
	atomic_t refs;
} refcount_t;
typedef struct {
	u32 val;
} kuid_t;

struct in6_addr {
	union {
		u8 u6_addr8[16];
		u32 u6_addr32[4];
	} in6_u;
};

struct ns_common {
	unsigned int inum;
};
struct net {
	struct ns_common ns;
};
typedef struct {
	struct net *net;
} possible_net_t;

struct inode {
	u16 i_mode;
	unsigned long i_ino;
};

/* file_ref_t: 6.13, commit 90ee6ed776c0; holds the count of references less one. */
typedef struct {
	atomic_long_t refcnt;
} file_ref_t;
struct hlist_node {
	struct hlist_node *next;
};
struct hlist_head {
	struct hlist_node *first;
};
struct eventpoll;
struct epitem {
	struct eventpoll *ep;
	struct hlist_node fllink;
};

struct file {
	struct hlist_head *f_ep;
	void *private_data;
	struct inode *f_inode;
	unsigned int f_flags;
	file_ref_t f_ref;
};
struct file___old {
	atomic_long_t f_count;
};

/* Not for its meaning: a struct, as which alone memory is loaded directly, that begins with 64 bits of no type. */
struct timespec64 {
	s64 tv_sec;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *close_on_exec;
	unsigned long *open_fds;
};
struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
};

struct cred {
	kuid_t uid;
};
struct signal_struct {
	atomic_t live;
	int group_exit_code;
};
struct nsproxy {
	struct net *net_ns;
};
/* Where it says that 32-bit code made the call: TS_COMPAT in status on x86, TIF_32BIT in flags on arm64. */
struct thread_info {
	u32 status;
	unsigned long flags;
};

struct task_struct {
	struct thread_info thread_info;
	int pid;
	int tgid;
	int exit_code;
	unsigned int flags;
	unsigned int __state; /* 5.14, commit 2f064a59a11f; 0 = running */
	char comm[16];
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct files_struct *files;
	const struct cred *cred;
	struct signal_struct *signal;
	struct nsproxy *nsproxy;
};

struct proto;
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport; /* network order */
	u16 skc_num;	  /* host order */
	u16 skc_family;
	volatile u8 skc_state;
	u8 skc_ipv6only : 1;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
};

struct pid {
	unsigned int level;
	struct upid {
		int nr;
	} numbers[1];
};

struct socket;
/* UDP since 6.18 (include/net/sock.h): a counter for each of two groups of NUMA nodes. */
struct numa_drop_counters {
	atomic_t drops0;
	atomic_t drops1;
};

struct sock {
	struct sock_common __sk_common;
	atomic_t sk_drops;
	struct numa_drop_counters *sk_drop_counters; /* NULL: sk_drops counts */
	struct {
		atomic_t rmem_alloc;
		int len;
	} sk_backlog;
	int sk_rcvbuf;
	int sk_sndbuf;
	int sk_err;
	int sk_wmem_queued;
	refcount_t sk_wmem_alloc;
	struct socket *sk_socket;
	u8 sk_shutdown;
	u16 sk_type;
	u16 sk_protocol;
	unsigned long sk_lingertime;
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	struct pid *sk_peer_pid;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct tcp_sock {
	u32 write_seq;
	u32 snd_nxt;
	u32 snd_una;
	u32 snd_wnd;
	u32 rcv_nxt;
	u32 copied_seq;
	u32 rcv_wnd;
	u32 urg_seq; /* of the urgent byte */
};

struct sockaddr_un {
	u16 sun_family;
	char sun_path[108];
};
struct unix_address {
	int len;
	struct sockaddr_un name[0];
};
struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
};

struct udp_sock {
	struct sock sk_of_udp; /* never read by name: udp_sock begins with its struct sock */
};

struct net_device {
	int ifindex;
	possible_net_t nd_net;
	unsigned int flags; /* IFF_LOOPBACK = 8 */
};

struct sk_buff {
	struct sock *sk;
	struct net_device *dev;
	unsigned int len;
	unsigned char *head;
	unsigned char *data; /* at the transmit hook the link header, at the receive hook the network header */
	char cb[48];
	u16 network_header;
	u16 transport_header;
	__be16 protocol;
};

/* include/net/dropreason-core.h; the numbers are the running kernel's. */
enum skb_drop_reason {
	SKB_DROP_REASON_NOT_SPECIFIED = 0,
	SKB_DROP_REASON_QUEUE_PURGE = 1,
};

/* The head of what TCP keeps in skb->cb of a queued segment. */
struct tcp_skb_cb {
	u32 seq;
	u32 end_seq;
};

struct request_sock {
	struct sock_common __req_common;
};

enum sock_flags {
	SOCK_DEAD = 0,
	SOCK_DONE = 1,
	SOCK_LINGER = 4,
};

#pragma clang attribute pop

/* Layouts that the kernel keeps: no relocation, which costs a search through all its types for each. */
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};
struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};
struct bpf_iter__unix {
	struct bpf_iter_meta *meta;
	struct unix_sock *unix_sk;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
};
struct pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	u64 orig_x0;
	s32 syscallno;
};
#endif

/* What user space hands to a call; layouts are ABI, never relocated. 64-bit programs only. */
struct user_iovec {
	u64 base;
	u64 len;
};
struct user_msghdr_abi {
	u64 name;
	u32 namelen;
	u32 pad;
	u64 iov;
	u64 iovlen;
	u64 control;
	u64 controllen;
	u32 flags;
	u32 pad2;
};
struct user_mmsghdr_abi {
	struct user_msghdr_abi hdr;
	u32 len;
	u32 pad;
};
struct user_timespec {
	s64 sec;
	s64 nsec;
};
struct user_addrinfo {
	s32 flags;
	s32 family;
	s32 socktype;
	s32 protocol;
	u32 addrlen;
	u32 pad;
	u64 addr;
	u64 canonname;
	u64 next;
};
/* 12 bytes on x86 (packed), 16 on others: include/uapi/linux/eventpoll.h */
struct user_epoll_event {
	u32 events;
	u64 data;
#if defined(__TARGET_ARCH_x86)
} __attribute__((packed));
#else
};
#endif

/* On the wire. */
struct ip4_hdr {
	u8 ihl_version;
	u8 tos;
	__be16 tot_len;
	__be16 id;
	__be16 frag_off;
	u8 ttl;
	u8 protocol;
	u16 check;
	u8 saddr[4];
	u8 daddr[4];
};
struct ip6_hdr {
	u32 flow;
	__be16 payload_len;
	u8 nexthdr;
	u8 hop_limit;
	u8 saddr[16];
	u8 daddr[16];
};
struct tcp_hdr {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack_seq;
	u8 doff; /* high 4 bits */
	u8 flags;
	__be16 window;
	u16 check;
	u16 urg;
};
struct ip6_frag_hdr {
	u8 nexthdr;
	u8 reserved;
	__be16 frag_off; /* high 13 bits: in units of 8 bytes; lowest: more fragments follow */
	__be32 id;
};
struct udp_hdr {
	__be16 source;
	__be16 dest;
	__be16 len;
	u16 check;
};

#endif
