/* SPDX-License-Identifier: MIT */
#include "parent.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int parent_note(struct parent *p)
{
	p->pid = getppid();
	return prctl(PR_GET_PDEATHSIG, &p->death) ? -errno : 0;
}

void parent_heed(const struct parent *p)
{
	if (!p->death)
		return;
	prctl(PR_SET_PDEATHSIG, p->death);
	if (getppid() != p->pid)
		raise(p->death);
}
