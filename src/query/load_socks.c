/* SPDX-License-Identifier: MIT */
/*
 * The table sock. A socket's facts come in pieces and the model frees it when it is gone, so the
 * latest state of each is kept here by value, a fixed number of them, direct-mapped by sid: one that
 * has to make room is written out, and written again should it come back.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "load.h"

#define SOCKS_MAX 4096

struct kept {
	struct sock s;	      /* its pointers mean nothing any more */
	__u32 peer, listener; /* sid */
	__u32 conn;
	__u64 first_event;
	__u64 t_first_ns, t_last_ns; /* boot clock */
};

struct socks {
	struct kept at[SOCKS_MAX]; /* sid 0: free */
};

struct socks *load_socks_new(void)
{
	return calloc(1, sizeof(struct socks));
}

void load_socks_free(struct socks *c)
{
	free(c);
}

static const char *known_name(const char *name)
{
	return name[0] == '?' ? NULL : name;
}

static void put_addr(struct rows *row, int column, char *text, size_t size, const struct ev_addr *a)
{
	if (a->family)
		put_text(row, column, fmt_addr(text, size, a));
}

static void put_kept(struct rows *row, const struct sock *s)
{
	put_int(row, COL_SOCK_SID, s->sid);
	put_int(row, COL_SOCK_SOCK, (__s64)sock_number(s));
	if (s->family)
		put_word(row, COL_SOCK_FAMILY, family_name(s->family));
	if (s->type)
		put_word(row, COL_SOCK_TYPE, socktype_name(s->type));
	if (s->protocol)
		put_word(row, COL_SOCK_PROTOCOL, known_name(proto_name(s->protocol)));
	put_word(row, COL_SOCK_ROLE, role_name(s->role));
	if (s->state)
		put_word(row, COL_SOCK_STATE, known_name(tcp_state_name(s->state)));
	put_known(row, COL_SOCK_PID, s->opener_pid);
	if (s->opener_fd >= 0)
		put_int(row, COL_SOCK_FD, s->opener_fd);
	put_int(row, COL_SOCK_LISTENING, s->listening);
	put_int(row, COL_SOCK_PASSIVE, s->passive);
	put_int(row, COL_SOCK_SEEDED, s->seeded);
	put_int(row, COL_SOCK_DESTROYED, s->destroyed);
	put_known(row, COL_SOCK_NETNS, s->netns);
	put_known(row, COL_SOCK_INO, s->ino);
}

static int write_kept(struct render *r, const struct kept *k)
{
	struct rows *row = load_row(r, TABLE_SOCK);
	char src[80], dst[80], path[512];

	put_kept(row, &k->s);
	put_addr(row, COL_SOCK_SRC, src, sizeof(src), &k->s.src);
	put_addr(row, COL_SOCK_DST, dst, sizeof(dst), &k->s.dst);
	if (k->s.family == AF_UNIX)
		put_text(row, COL_SOCK_PATH,
			 fmt_path(path, sizeof(path), k->s.path, k->s.path_len));
	put_known(row, COL_SOCK_LISTENER_SID, k->listener);
	put_known(row, COL_SOCK_PEER_SID, k->peer);
	put_known(row, COL_SOCK_CONN, k->conn);
	put_int(row, COL_SOCK_FIRST_EVENT, (__s64)k->first_event);
	put_int(row, COL_SOCK_T_FIRST_NS, load_time(r, k->t_first_ns));
	put_int(row, COL_SOCK_T_LAST_NS, load_time(r, k->t_last_ns));
	return rows_end(row);
}

/* What is known stays known: the model forgets the ends of what is over. */
static void keep(struct kept *k, const struct sock *s)
{
	k->s = *s;
	if (s->peer)
		k->peer = s->peer->sid;
	if (s->listener)
		k->listener = s->listener->sid;
	if (s->conn)
		k->conn = s->conn->id;
}

static int see(struct render *r, const struct step *step, const struct sock *s)
{
	struct kept *k;
	int err = 0;

	if (!s || !s->sid)
		return 0;
	k = &r->socks->at[s->sid % SOCKS_MAX];
	if (k->s.sid != s->sid) {
		if (k->s.sid)
			err = write_kept(r, k);
		*k = (struct kept){ .first_event = step->id, .t_first_ns = step->t_ns };
	}
	keep(k, s);
	if (step->kind == STEP_EVENT)
		k->t_last_ns = step->t_ns;
	return err;
}

int load_socks_step(struct render *r, const struct step *s)
{
	int err = see(r, s, s->sock);

	if (!err)
		err = see(r, s, s->sock2);
	if (err || s->kind != STEP_SUMMARY || !s->conn)
		return err;
	err = see(r, s, s->conn->end[0]);
	return err ? err : see(r, s, s->conn->end[1]);
}

int load_socks_finish(struct render *r)
{
	struct kept *k = r->socks->at;
	int err = 0;

	for (; !err && k < r->socks->at + SOCKS_MAX; k++)
		if (k->s.sid)
			err = write_kept(r, k);
	return err;
}
