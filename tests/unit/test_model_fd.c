// SPDX-License-Identifier: MIT
/*
 * Which socket a descriptor is, through everything that makes, copies and closes descriptors.
 */
#include "build_events.h"

#include <errno.h>
#include <fcntl.h>

#define PID 10
#define CHILD 11
#define CLONE_FILES_FLAG 0x400

static void story_begin(struct story *y)
{
	story_open(y);
	proc_told(y, PROC_SEEN, PID, 0, 0, "prog");
}

static void expect_fd(const struct story *y, __u32 pid, int fd, __u32 sid)
{
	assert_int_equal(model_fd(y->m, pid, fd), sid);
}

static unsigned int fds_of(const struct story *y, __u32 sid)
{
	return model_sock(y->m, sid)->fds;
}

static void call_x(struct story *y, unsigned int call, __u32 sid, int fd, __u32 x0, __u32 x1,
		   __s64 ret)
{
	struct made_call mc = call_of(PID, call, sid, fd);

	mc.c.x[0] = x0;
	mc.c.x[1] = x1;
	call_made(y, mc, ret);
}

static void test_socket_and_close(void **state)
{
	struct story y;
	struct made_call mc;

	(void)state;
	story_begin(&y);
	socket_made(&y, PID, 1, 0, SOCK_STREAM); /* descriptor 0 is one like any other */
	expect_fd(&y, PID, 0, 1);
	assert_int_equal(model_sock(y.m, 1)->opener_pid, PID);
	assert_int_equal(model_sock(y.m, 1)->opener_fd, 0);
	assert_int_equal(fds_of(&y, 1), 1);
	expect_fd(&y, PID, 1, 0);
	expect_fd(&y, CHILD, 0, 0);
	expect_fd(&y, PID, -1, 0);

	/* another thread gets the number before close() has returned */
	mc = call_of(PID, CALL_CLOSE, 1, 0);
	mc.c.e.tid = 77;
	call_enters(&y, &mc);
	socket_made(&y, PID, 2, 0, SOCK_STREAM);
	call_returns(&y, &mc, 0);
	expect_fd(&y, PID, 0, 2);
	assert_int_equal(fds_of(&y, 1), 0);
	call_x(&y, CALL_SOCKET, 3, -1, AF_INET, SOCK_STREAM, -EMFILE);
	expect_fd(&y, PID, -EMFILE, 0);
	story_close(&y);
}

static void test_dup(void **state)
{
	struct story y;

	(void)state;
	story_begin(&y);
	socket_made(&y, PID, 1, 3, SOCK_STREAM | SOCK_CLOEXEC);
	socket_made(&y, PID, 2, 4, SOCK_STREAM);
	call_x(&y, CALL_DUP, 1, 3, 0, 0, 5);
	expect_fd(&y, PID, 5, 1);
	assert_int_equal(fds_of(&y, 1), 2);
	call_x(&y, CALL_DUP2, 1, 3, 3, 0, 3); /* onto itself */
	assert_int_equal(fds_of(&y, 1), 2);
	call_x(&y, CALL_DUP2, 1, 3, 4, 0, 4); /* closes socket 2 */
	expect_fd(&y, PID, 4, 1);
	assert_int_equal(fds_of(&y, 1), 3);
	assert_int_equal(fds_of(&y, 2), 0);
	call_x(&y, CALL_DUP2, 0, 9, 5, 0, 5); /* a file takes the place of a socket */
	expect_fd(&y, PID, 5, 0);
	call_x(&y, CALL_DUP3, 1, 3, 6, O_CLOEXEC, 6);
	call_x(&y, CALL_FCNTL, 1, 3, F_DUPFD, 10, 10);
	call_x(&y, CALL_FCNTL, 1, 3, F_DUPFD_CLOEXEC, 20, 20);
	call_x(&y, CALL_FCNTL, 1, 10, F_SETFD, FD_CLOEXEC, 0);
	call_x(&y, CALL_FCNTL, 1, 3, F_SETFD, 0, 0);
	call_x(&y, CALL_DUP, 1, 3, 0, 0, -EMFILE);
	call_x(&y, CALL_DUP2, 1, 20, 20, 0, 20); /* and does not clear close-on-exec */
	/* 3 was made to stay, 4 is a plain copy; 6, 10 and 20 go */
	proc_told(&y, PROC_EXEC, PID, 0, 0, "other");
	assert_string_equal(model_proc(y.m, PID)->comm, "other");
	expect_fd(&y, PID, 3, 1);
	expect_fd(&y, PID, 4, 1);
	expect_fd(&y, PID, 6, 0);
	expect_fd(&y, PID, 10, 0);
	expect_fd(&y, PID, 20, 0);
	assert_int_equal(fds_of(&y, 1), 2);
	story_close(&y);
}

static void test_accept(void **state)
{
	struct story y;
	struct made_call mc;

	(void)state;
	story_begin(&y);
	socket_made(&y, PID, 1, 3, SOCK_STREAM);
	call_x(&y, CALL_LISTEN, 1, 3, 5, 0, 0);
	mc = call_of(PID, CALL_ACCEPT4, 1, 3);
	mc.c.sid2 = 2;
	mc.c.x[0] = SOCK_CLOEXEC;
	call_made(&y, mc, 4);
	assert_int_equal(story_last(&y)->s.sock2->sid, 2);
	assert_int_equal(model_sock(y.m, 2)->role, ROLE_SERVER);
	mc.c.call = CALL_ACCEPT;
	mc.c.sid2 = 3;
	call_made(&y, mc, 5);
	mc.c.sid2 = 0;
	call_made(&y, mc, -EAGAIN);
	expect_fd(&y, PID, 4, 2);
	expect_fd(&y, PID, 5, 3);
	proc_told(&y, PROC_EXEC, PID, 0, 0, "other");
	expect_fd(&y, PID, 4, 0);
	expect_fd(&y, PID, 5, 3);
	story_close(&y);
}

/* A forking server: the child has copies, the parent closes its own. */
static void test_fork(void **state)
{
	struct story y;

	(void)state;
	story_begin(&y);
	socket_made(&y, PID, 1, 3, SOCK_STREAM);
	call_x(&y, CALL_LISTEN, 1, 3, 5, 0, 0);
	proc_told(&y, PROC_FORK, PID, CHILD, 0, "prog");
	assert_int_equal(model_proc(y.m, CHILD)->ppid, PID);
	assert_string_equal(model_proc(y.m, CHILD)->comm, "prog");
	assert_int_equal(model_proc(y.m, CHILD)->role, ROLE_SERVER);
	expect_fd(&y, CHILD, 3, 1);
	assert_int_equal(fds_of(&y, 1), 2);
	close_made(&y, PID, 1, 3, false);
	expect_fd(&y, PID, 3, 0);
	expect_fd(&y, CHILD, 3, 1);
	socket_made(&y, PID, 2, 3, SOCK_STREAM);
	expect_fd(&y, CHILD, 3, 1);
	proc_told(&y, PROC_EXIT, CHILD, 0, 0, "prog");
	expect_fd(&y, CHILD, 3, 0);
	assert_true(model_proc(y.m, CHILD)->exited);
	assert_int_equal(fds_of(&y, 1), 0);
	story_close(&y);
}

/* CLONE_FILES: one table for both, until one of them runs another program. */
static void test_clone_files(void **state)
{
	struct story y;

	(void)state;
	story_begin(&y);
	proc_told(&y, PROC_FORK, PID, CHILD, CLONE_FILES_FLAG, "prog");
	socket_made(&y, PID, 1, 3, SOCK_STREAM | SOCK_CLOEXEC);
	socket_made(&y, CHILD, 2, 4, SOCK_STREAM);
	expect_fd(&y, CHILD, 3, 1);
	expect_fd(&y, PID, 4, 2);
	assert_int_equal(fds_of(&y, 1), 1);
	proc_told(&y, PROC_EXEC, CHILD, 0, 0, "other");
	expect_fd(&y, CHILD, 3, 0);
	expect_fd(&y, PID, 3, 1);
	close_made(&y, CHILD, 2, 4, false);
	expect_fd(&y, CHILD, 4, 0);
	expect_fd(&y, PID, 4, 2);
	proc_told(&y, PROC_EXIT, CHILD, 0, 0, "other");
	expect_fd(&y, PID, 4, 2);
	story_close(&y);
}

/* The kernel closes for a process that does not: one record a descriptor. */
static void test_exit_without_close(void **state)
{
	struct story y;
	struct event_call c = { .e = { .pid = PID, .tid = PID, .sid = 1 }, .call = CALL_CLOSE };

	(void)state;
	story_begin(&y);
	info_told(&y, (struct event_sockinfo){
			      .e = { .sid = 1 }, .type = SOCK_DGRAM, .protocol = IPPROTO_UDP });
	socket_made(&y, PID, 1, 3, SOCK_DGRAM);
	call_x(&y, CALL_DUP, 1, 3, 0, 0, 4);
	c.fd = 3;
	c.cflags = CALLF_BY_EXIT;
	tell(&y, &c, EV_CALL, sizeof(c));
	expect_fd(&y, PID, 3, 0);
	expect_fd(&y, PID, 4, 1);
	assert_false(model_sock(y.m, 1)->destroyed);
	c.fd = 4;
	c.cflags |= CALLF_LAST_REF;
	tell(&y, &c, EV_CALL, sizeof(c));
	assert_int_equal(fds_of(&y, 1), 0);
	assert_true(model_sock(y.m, 1)->destroyed);
	proc_told(&y, PROC_EXIT, PID, 0, 0, "prog");
	tell(&y, &c, EV_CALL, sizeof(c)); /* and in the other order */
	story_close(&y);
}

/* Descriptors open before tracing, passed by SCM_RIGHTS, and a pid that comes back. */
/* A thread that ends inside a call leaves nothing behind. */
static void test_killed_in_call(void **state)
{
	struct made_call mc = call_of(PID, CALL_RECVFROM, 1, 3);
	struct story y;

	(void)state;
	story_begin(&y);
	socket_made(&y, PID, 1, 3, SOCK_STREAM);
	call_enters(&y, &mc);
	assert_int_equal(model_count(y.m).calls, 1);
	proc_told(&y, PROC_EXIT, PID, 0, 0, "prog");
	assert_int_equal(model_count(y.m).calls, 0);
	story_close(&y);
}

static void test_learned(void **state)
{
	struct event_fd e = { .e = { .pid = PID, .sid = 1, .flags = EVF_SEED }, .fd = 7 };
	struct story y;

	(void)state;
	story_begin(&y);
	e.cloexec = 1;
	tell(&y, &e, EV_FD, sizeof(e));
	expect_fd(&y, PID, 7, 1);
	assert_int_equal(model_sock(y.m, 1)->opener_fd, 7);
	call_x(&y, CALL_WRITE, 2, 8, 0, 1, 5);
	expect_fd(&y, PID, 8, 2);
	proc_told(&y, PROC_EXEC, PID, 0, 0, "prog");
	expect_fd(&y, PID, 7, 0);
	expect_fd(&y, PID, 8, 2);
	proc_told(&y, PROC_EXIT, PID, 0, 0, "prog");
	proc_told(&y, PROC_FORK, 1, PID, 0, "new");
	assert_false(model_proc(y.m, PID)->exited);
	assert_int_equal(model_proc(y.m, PID)->ppid, 1);
	expect_fd(&y, PID, 8, 0);
	story_close(&y);
}

/* A call in progress, seen by the reader: entry now, return later, nothing counted twice. */
static void test_pending(void **state)
{
	struct story y;
	struct told *t;
	struct made_call mc;
	__u64 enter_id;

	(void)state;
	story_begin(&y);
	socket_made(&y, PID, 1, 3, SOCK_STREAM);
	mc = call_of(PID, CALL_RECVFROM, 1, 3);
	mc.c.len = 10;
	mc.c.cflags = CALLF_PENDING;
	enter_id = call_enters(&y, &mc)->s.id;
	proc_told(&y, PROC_THREAD, PID, 99, 0, "prog");
	mc.c.cflags = 0;
	t = call_returns(&y, &mc, 0);
	assert_int_equal(t->s.enter_id, enter_id);
	assert_true(t->s.sflags & STEP_MIDWAY);
	assert_int_equal(model_count(y.m).calls, 0);
	mc = call_of(PID, CALL_RECVFROM, 1, 3);
	enter_id = call_enters(&y, &mc)->s.id;
	t = call_returns(&y, &mc, -EAGAIN);
	assert_int_equal(t->s.enter_id, enter_id);
	assert_false(t->s.sflags & STEP_MIDWAY);
	story_close(&y);
}

/* close() while another thread waits in a call on it: references are left, descriptors are not. */
static void test_held_by_a_call(void **state)
{
	struct made_call mc = call_of(PID, CALL_CLOSE, 1, 3);
	struct story y;

	(void)state;
	story_begin(&y);
	socket_made(&y, PID, 1, 3, SOCK_STREAM);
	call_made(&y, call_of(PID, CALL_DUP, 1, 3), 4);
	mc.c.x[0] = 1;
	assert_false(call_made(&y, mc, 0)->s.sflags & STEP_HELD);
	mc.c.fd = 4;
	assert_true(call_made(&y, mc, 0)->s.sflags & STEP_HELD);
	mc.c.cflags = CALLF_LAST_REF;
	assert_false(call_made(&y, mc, 0)->s.sflags & STEP_HELD);
	story_close(&y);
}

/* getaddrinfo encloses calls of the same thread: both find their own entry. */
static void test_gai_encloses(void **state)
{
	struct event_gai g = { .e = { .pid = PID, .tid = PID } };
	struct story y;
	struct told *t;
	__u64 enter_id;

	(void)state;
	story_begin(&y);
	g.e.kind = EV_GAI;
	g.e.size = sizeof(g);
	g.t_enter = y.t_ns;
	enter_id = tell_as(&y, &g.e, PHASE_ENTER)->s.id;
	socket_made(&y, PID, 1, 3, SOCK_DGRAM);
	assert_int_equal(story_last(&y)->s.enter_id, enter_id + 1);
	t = tell_as(&y, &g.e, PHASE_EXIT);
	assert_int_equal(t->s.enter_id, enter_id);
	assert_true(t->s.sflags & STEP_MIDWAY);
	assert_int_equal(t->s.proc->pid, PID);
	story_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket_and_close), cmocka_unit_test(test_dup),
		cmocka_unit_test(test_accept),		 cmocka_unit_test(test_fork),
		cmocka_unit_test(test_clone_files),	 cmocka_unit_test(test_exit_without_close),
		cmocka_unit_test(test_learned),		 cmocka_unit_test(test_pending),
		cmocka_unit_test(test_gai_encloses),	 cmocka_unit_test(test_killed_in_call),
		cmocka_unit_test(test_held_by_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
