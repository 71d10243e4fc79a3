/* SPDX-License-Identifier: MIT */
/*
 * Which moment is shown first, only the text itself can tell: it holds steps back and leaves some out. So it is drawn,
 * to nowhere, until it has a first line.
 */
#include "zero.h"

#include <errno.h>

#include "text.h"

static struct render *zero_open(const struct view *v, const struct session_meta *meta)
{
	struct view nowhere = *v;
	struct zero *z = v->sink;
	struct render *r;

	nowhere.no_verdicts = true;
	nowhere.out = fopen("/dev/null", "we");
	r = nowhere.out ? render_text.open(&nowhere, meta) : NULL;
	if (!r && nowhere.out)
		fclose(nowhere.out);
	*z = (struct zero){ .t_ns = meta->start_boot_ns };
	return r;
}

static int zero_note(struct render *r, int err)
{
	struct zero *z = r->view.sink;

	if (r->t0_set)
		*z = (struct zero){ r->t0_ns, true };
	return err;
}

static bool zero_known(const struct render *r)
{
	return ((const struct zero *)r->view.sink)->known;
}

static int zero_step(struct render *r, const struct step *s)
{
	return zero_known(r) ? 0 : zero_note(r, render_text.step(r, s));
}

static int zero_tick(struct render *r, __u64 horizon_ns)
{
	return zero_known(r) ? 0 : zero_note(r, render_text.tick(r, horizon_ns));
}

static int zero_finish(struct render *r, const struct frame_loss *total, bool complete)
{
	return zero_known(r) ? 0 : zero_note(r, render_text.finish(r, total, complete));
}

static void zero_close(struct render *r)
{
	FILE *nowhere = r->view.out;

	render_text.close(r);
	fclose(nowhere);
}

const struct renderer render_zero = {
	.name = "zero",
	.open = zero_open,
	.step = zero_step,
	.tick = zero_tick,
	.finish = zero_finish,
	.close = zero_close,
};
