/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H

/* Exit codes of vmcore-save from a shell. */
enum filter_exit {
	FILTER_OK = 0,	    /* the output is complete */
	FILTER_FAILED = 1,  /* nothing, or an output that is marked incomplete */
	FILTER_PARTIAL = 2, /* the output is whole, but the core lacked pages */
};

/** filter_main() - vmcore-save from a shell: copy and filter a core, or print its log. */
enum filter_exit filter_main(int argc, char **argv);

#endif
