// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as the text of a stack. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/target/stack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What passed must be a table without holes on devices that are named. */
static void check(const struct stack *s)
{
	for (unsigned i = 0; i < s->nr_layers; i++) {
		const struct stack_layer *layer = &s->layers[i];
		uint64_t end = 0;

		if (strchr(layer->name, '/') || layer->name[0] == '.' ||
		    (layer->kind == STACK_MD && layer->nr_rows) ||
		    (layer->kind == STACK_DM && !layer->nr_rows && !stack_is_lvm(layer)))
			abort();
		for (unsigned r = layer->first_row; r < layer->first_row + layer->nr_rows; r++) {
			const struct stack_row *row = &s->rows[r];

			if (r >= s->nr_rows || row->start != end || !row->sectors)
				abort();
			end += row->sectors;
			for (unsigned l = row->first_leg; l < row->first_leg + row->nr_legs; l++)
				if (l >= s->nr_legs || s->legs[l].device >= s->nr_devices)
					abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stack *stack;
	unsigned line;

	if (!stack_parse((const char *)data, size, &stack, &line)) {
		check(stack);
		free(stack);
	}
	return 0;
}
