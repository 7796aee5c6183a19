// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks: by the list of processes and each one's threads, and by the table of pids. */
#include <stdlib.h>

#include "capture/mm/vital_priv.h"
#include "lib/util.h"

#define MAX_TASKS     131072u /* more would not fit into VITAL_MAX_RANGES */
#define MAX_STRUCT    65536u
#define MAX_STACK     65536u
#define DEFAULT_STACK 16384u /* THREAD_SIZE of 64-bit architectures without KASAN, the most */
#define ORC_BLOCK     256u
#define ORC_IP	      4u /* bytes of an element of each array */
#define ORC_ENTRY     6u
#define MAX_ORC	      8192u  /* for a page of code */
#define MAX_XA_NODES  16384u /* of 64 pids each */
#define MAX_XA_DEPTH  11u    /* 64 bits of index, 6 a level */

/* THREAD_SIZE, by the room that the linker script leaves for the first stack (these symbols'
 * second names are from kernel 8f69cba096b5, v6.10). */
static uint64_t stack_bytes(const struct vital *v)
{
	static const enum vital_symbol ends[][2] = {
		{ SYM___start_init_stack, SYM___end_init_stack },
		{ SYM___start_init_task, SYM___end_init_task },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		uint64_t start = v->symbols[ends[i][0]], end = v->symbols[ends[i][1]];

		if (start && end > start && end - start <= MAX_STACK)
			return end - start;
	}
	return DEFAULT_STACK;
}

static void add_struct(struct vital *v, uint64_t vaddr, enum vital_field type, enum vital_tier tier)
{
	vital_add(v, vaddr, MIN(vital_size(v, type), (uint64_t)MAX_STRUCT), tier);
}

/*
 * What unwinding a return address in @len bytes of code at @addr goes by: the code's part of
 * the ORC tables (kernel arch/x86/kernel/unwind_orc.c, v4.14). orc_lookup has, for each 256
 * bytes of code from _stext on, the number of the first entry in two parallel arrays.
 */
static void add_unwind(struct vital *v, uint64_t addr, uint64_t len, enum vital_tier tier)
{
	uint64_t lookup = v->symbols[SYM_orc_lookup], end = v->symbols[SYM_orc_lookup_end];
	uint64_t block = (addr - v->symbols[SYM__stext]) / ORC_BLOCK;
	uint64_t last = block + len / ORC_BLOCK + 1, first_entry, nr;

	if (!lookup || end < lookup || last >= (end - lookup) / 4)
		return;
	first_entry = vital_u32(v, lookup + 4 * block);
	nr = vital_u32(v, lookup + 4 * last) - first_entry + 1;
	if (nr > MAX_ORC)
		return;
	vital_add(v, lookup + 4 * block, 4 * (last - block + 1), tier);
	if (v->symbols[SYM___start_orc_unwind_ip])
		vital_add(v, v->symbols[SYM___start_orc_unwind_ip] + ORC_IP * first_entry,
			  ORC_IP * nr, tier);
	if (v->symbols[SYM___start_orc_unwind])
		vital_add(v, v->symbols[SYM___start_orc_unwind] + ORC_ENTRY * first_entry,
			  ORC_ENTRY * nr, tier);
}

/* Pages that unwinding by code looks at: from a function's start to a return address. */
static void add_code(struct vital *v, uint64_t addr, enum vital_tier tier)
{
	uint64_t page = core_page_size(v->core), stext = v->symbols[SYM__stext];
	uint64_t i = (addr - stext) / page, from = MAX(addr - addr % page - page, stext);

	if (i >= VITAL_TEXT_PAGES || v->text_seen[i / 8] >> i % 8 & 1)
		return;
	v->text_seen[i / 8] |= (uint8_t)(1 << i % 8);
	vital_add(v, from, addr - from + 1, tier);
	add_unwind(v, addr - addr % page, page, tier);
}

void vital_add_stack(struct vital *v, uint64_t stack, uint64_t len, enum vital_tier tier)
{
	uint64_t stext = v->symbols[SYM__stext], etext = v->symbols[SYM__etext];
	uint8_t raw[4096];

	if (!stack)
		return;
	vital_add(v, stack, len, tier);
	if (!stext || !v->stacks_left)
		return;
	v->stacks_left--;
	for (uint64_t at = 0; at + sizeof(raw) <= len; at += sizeof(raw)) {
		if (core_read_vaddr(v->core, stack + at, raw, sizeof(raw)))
			continue;
		for (unsigned i = 0; i < sizeof(raw); i += vital_word_size(v)) {
			uint64_t word = vital_get_word(v, raw + i);

			if (word > stext && word < etext)
				add_code(v, word, tier);
		}
	}
}

/* On x86 the registers' state lies behind the struct, how much of it is found out at boot. */
static uint64_t task_bytes(const struct vital *v)
{
	uint64_t size = v->symbols[SYM_arch_task_struct_size];

	return MAX(vital_size(v, FIELD_TASK), size ? vital_u32(v, size) : 0ull);
}

void vital_add_task(struct vital *v, uint64_t task, enum vital_tier tier,
		    enum vital_tier stack_tier)
{
	if (!task || !VITAL_HAS(v, FIELD_TASK, FIELD_TASK_STACK))
		return;
	vital_add(v, task, MIN(task_bytes(v), (uint64_t)MAX_STRUCT), tier);
	vital_add_stack(v, vital_member(v, task, FIELD_TASK_STACK), stack_bytes(v), stack_tier);
}

/* One thread; what threads of a process share is found again for each, and costs little. */
static void add_thread(struct vital *v, uint64_t task)
{
	vital_add_task(v, task, VITAL_TASKS, VITAL_STACKS);
	vital_add(v, vital_member(v, task, FIELD_TASK_CRED), 64, VITAL_TASKS);
}

static void add_process(struct vital *v, uint64_t task, unsigned *left)
{
	uint64_t signal = vital_member(v, task, FIELD_TASK_SIGNAL);
	uint64_t mm = vital_member(v, task, FIELD_TASK_MM);
	struct vital_list list;

	add_thread(v, task);
	if (mm)
		add_struct(v, mm, FIELD_MM, VITAL_TASKS);
	if (!signal || !VITAL_HAS(v, FIELD_SIGNAL, FIELD_SIGNAL_THREADS, FIELD_TASK_THREAD))
		return;
	add_struct(v, signal, FIELD_SIGNAL, VITAL_TASKS);
	vital_list_start(&list, v, signal + vital_offset(v, FIELD_SIGNAL_THREADS), *left);
	while (vital_list_next(&list)) {
		uint64_t thread = list.at - vital_offset(v, FIELD_TASK_THREAD);

		if (thread != task)
			add_thread(v, thread);
	}
	*left = list.left;
}

static void find_processes(struct vital *v)
{
	uint64_t tasks = vital_offset(v, FIELD_TASK_TASKS), init = v->symbols[SYM_init_task];
	unsigned left = MAX_TASKS;
	struct vital_list list;

	if (!init || !VITAL_HAS(v, FIELD_TASK_TASKS))
		return;
	add_process(v, init, &left);
	vital_list_start(&list, v, init + tasks, MAX_TASKS);
	while (left && vital_list_next(&list))
		add_process(v, list.at - tasks, &left);
}

/* An xarray's inner entries end in binary 10 (kernel include/linux/xarray.h). */
static bool is_node(uint64_t entry)
{
	return (entry & 3) == 2 && entry > 4096;
}

struct xa_level {
	uint64_t node;
	unsigned next, shift;
};

struct xa_walk {
	struct vital *v;
	unsigned nodes_left, depth;
	struct xa_level levels[MAX_XA_DEPTH];
};

/* A node's shift is less than its parent's: there is no way round. */
static void xa_enter(struct xa_walk *w, uint64_t entry)
{
	uint64_t node = entry - 2;
	uint32_t shift = vital_u32(w->v, node + vital_offset(w->v, FIELD_XA_NODE_SHIFT)) & 0xff;

	if (!w->nodes_left || w->depth == MAX_XA_DEPTH ||
	    (w->depth && shift >= w->levels[w->depth - 1].shift))
		return;
	w->nodes_left--;
	add_struct(w->v, node, FIELD_XA_NODE, VITAL_TASKS);
	w->levels[w->depth++] = (struct xa_level){ .node = node, .shift = shift };
}

/* The namespace's pids, by which crash's ps and drgn find tasks. */
static void find_pids(struct vital *v)
{
	struct xa_walk w = { .v = v, .nodes_left = MAX_XA_NODES };
	uint64_t ns = v->symbols[SYM_init_pid_ns], slots, entry;
	uint32_t nr;

	if (!ns || !VITAL_HAS(v, FIELD_NS_XA_HEAD, FIELD_XA_NODE, FIELD_XA_NODE_SHIFT,
			      FIELD_XA_NODE_SLOTS, FIELD_PID))
		return;
	slots = vital_offset(v, FIELD_XA_NODE_SLOTS);
	nr = MIN(v->fields[FIELD_XA_NODE_SLOTS].nr, 64u);
	entry = vital_member(v, ns, FIELD_NS_XA_HEAD);
	if (is_node(entry))
		xa_enter(&w, entry);
	while (w.depth) {
		struct xa_level *l = &w.levels[w.depth - 1];

		if (l->next == nr) {
			w.depth--;
			continue;
		}
		entry = vital_word(v, l->node + slots + (uint64_t)vital_word_size(v) * l->next++);
		if (is_node(entry))
			xa_enter(&w, entry);
		else if (entry && !(entry & 3))
			add_struct(v, entry, FIELD_PID, VITAL_TASKS);
	}
}

void vital_find_tasks(struct vital *v)
{
	find_pids(v);
	find_processes(v);
}
