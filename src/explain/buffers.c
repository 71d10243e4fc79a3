// SPDX-License-Identifier: MIT
/*
 * SO_RCVBUF and SO_SNDBUF: what became of the number, and whether it came in time. The kernel doubles
 * it for its own bookkeeping, and has bounds (socket(7)); the window scale a receive buffer allows is
 * settled by the SYN (tcp_select_initial_window).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"

enum {
	BUFFER_SIZE,
	BUFFER_LATE,
};

static const struct rule rules[] = {
	[BUFFER_SIZE] = { "buffer-size", "A buffer is not as large as was asked for",
			  WEIGHT_ASIDE },
	[BUFFER_LATE] = { "buffer-late", "SO_RCVBUF was set on a connection that was there already",
			  WEIGHT_ASIDE },
};

static int tell_size(struct explain *x, const struct step *s, const struct event_call *c,
		     struct note *n)
{
	bool sending = c->x[1] == SO_SNDBUF;
	__u64 asked = (__u32)c->len, is = sending ? c->lv.sndbuf : c->lv.rcvbuf;
	const char *name = sending ? "SO_SNDBUF" : "SO_RCVBUF";
	char want[40], made[40], call[48];
	struct verdict v;

	if (!is || is == asked || note_told(n, &rules[BUFFER_SIZE]))
		return 0;
	verdict_start(x, &v, &rules[BUFFER_SIZE], s);
	verdict_ask(&v, "What did %s set?", fmt_call(call, sizeof(call), c));
	fmt_bytes(want, sizeof(want), asked);
	fmt_bytes(made, sizeof(made), is);
	if (is == 2 * asked)
		verdict_say(&v,
			    "%s is now %s, twice what was asked for: the kernel's own bookkeeping "
			    "is paid from it, too",
			    name, made);
	else
		verdict_say(&v, "%s is now %s, not twice the %s asked for: it has a bound", name,
			    made, want);
	verdict_do(&v, "getsockopt() tells what it is. %s",
		   is < asked ? "The upper bound is net.core.rmem_max or wmem_max" :
				"It is a limit of memory, not of payload");
	return verdict_tell(x, &v);
}

static int tell_late(struct explain *x, const struct step *s, const struct event_call *c,
		     struct note *n)
{
	char promised[40], call[48];
	struct verdict v;

	if (note_told(n, &rules[BUFFER_LATE]))
		return 0;
	verdict_start(x, &v, &rules[BUFFER_LATE], s);
	verdict_ask(&v, "Does %s still matter?", fmt_call(call, sizeof(call), c));
	if (c->lv.rcv_wnd)
		verdict_say(
			&v,
			"It comes late: the peer was promised room for %s already, and a promise "
			"is not taken back",
			fmt_bytes(promised, sizeof(promised), c->lv.rcv_wnd));
	else
		verdict_say(&v, "It comes late: the peer was promised room when they connected");
	verdict_do(&v, "Set it before connect(), or on the listening socket before listen(): "
		       "connections inherit it");
	verdict_prove_mark(&v, n, MARK_ESTABLISHED);
	return verdict_tell(x, &v);
}

static int buffers_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_returned(s, CALL_SETSOCKOPT);
	struct note *n = c && s->sock ? note_of(x, s->sock->sid) : NULL;
	int err;

	if (!n || c->ret || c->x[0] != SOL_SOCKET || (c->x[1] != SO_RCVBUF && c->x[1] != SO_SNDBUF))
		return 0;
	err = tell_size(x, s, c, n);
	if (err || c->x[1] != SO_RCVBUF || !step_is_tcp(s) || !note_mark(n, MARK_ESTABLISHED))
		return err;
	return tell_late(x, s, c, n);
}

const struct family explain_buffers = {
	.name = "buffers",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.step = buffers_step,
};
