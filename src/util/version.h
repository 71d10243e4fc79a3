/* SPDX-License-Identifier: MIT */
/* The version of the program, as --version and each recording say it. */
#ifndef SOCKLENS_UTIL_VERSION_H
#define SOCKLENS_UTIL_VERSION_H

#define SOCKLENS_VERSION "0.1.0"

#endif
