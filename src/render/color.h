/* SPDX-License-Identifier: MIT */
/*
 * What a piece of text is, and the terminal codes that show it. Every meaning is also carried by
 * the words or the drawing: without colour nothing is lost.
 */
#ifndef SOCKLENS_RENDER_COLOR_H
#define SOCKLENS_RENDER_COLOR_H

enum style {
	STYLE_PLAIN = 0,
	STYLE_DIM,    /* times, pure acknowledgements */
	STYLE_BOLD,   /* headers */
	STYLE_STATE,  /* TCP states */
	STYLE_LEVEL,  /* queue bars */
	STYLE_REMARK, /* sentences for the learner */
	STYLE_WAIT,   /* a call that has not returned */
	STYLE_ALARM,  /* errors, RST, losses */
	STYLE_WARN,   /* FIN, retransmissions */
	STYLE_MAX,
};

#define STYLE_RESET "\033[0m"

/* The code that switches to a style from the plain one; "" for STYLE_PLAIN. */
const char *style_code(enum style style);

#endif
