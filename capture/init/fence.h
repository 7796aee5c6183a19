/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells the peers of a cluster that this node is busy with a dump and needs no fencing:
 * what fence_kdump_send(8) does. Their fence_kdump agent waits for a UDP datagram.
 */
#ifndef CAPTURE_INIT_FENCE_H
#define CAPTURE_INIT_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "lib/config.h"

#define FENCE_MAX_NODES	   64u
#define FENCE_NAME_SIZE	   256u
#define FENCE_MESSAGE_SIZE 8u

/**
 * fence_lookup_fn - Find the address of a name; may take a while, but not without a limit.
 * @family: AF_UNSPEC, AF_INET or AF_INET6
 * Return: 0 with *@addr_ret, its port 0; -errno.
 */
typedef int fence_lookup_fn(const char *name, int family, struct sockaddr_storage *addr_ret);

/** fence_lookup_number() - For addresses alone: "10.0.0.1", "fe80::1%eth0". */
fence_lookup_fn fence_lookup_number;

/**
 * struct fence_args - fence_kdump_args, as fence_kdump_send(8) takes them.
 * @count: rounds, 0 for no end
 * @interval_s: between them
 */
struct fence_args {
	unsigned port;
	int family;
	unsigned count;
	unsigned interval_s;
};

/** fence_parse_args() - Read @text; what cannot be understood is logged and left out.
 * Return: 0; -EINVAL where something was. */
int fence_parse_args(const char *text, struct fence_args *args_ret);

/** fence_message() - The datagram, in this machine's byte order as the agent expects it. */
void fence_message(unsigned char message_ret[FENCE_MESSAGE_SIZE]);

/**
 * fence_start() - Start the process that sends, to config->fence_kdump_nodes, until the end.
 * It needs no signal that the network is up: what cannot be sent yet is tried each second.
 *
 * Return: its pid; 0 where no node is configured; -errno.
 */
pid_t fence_start(const struct config *config, fence_lookup_fn *lookup);

#endif
