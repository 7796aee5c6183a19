/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of vital share; not for others. */
#ifndef CAPTURE_MM_VITAL_PRIV_H
#define CAPTURE_MM_VITAL_PRIV_H

#include "capture/core/btf.h"
#include "capture/mm/vital_set.h"

/* Symbols of the crashed kernel that are made use of, where they exist. */
#define VITAL_SYMBOLS(X)                                                                           \
	X(__bss_start)                                                                             \
	X(__end_bss_decrypted)                                                                     \
	X(__end_init_stack)                                                                        \
	X(__end_init_task)                                                                         \
	X(__end_ro_after_init)                                                                     \
	X(__end_rodata)                                                                            \
	X(__init_begin)                                                                            \
	X(__per_cpu_end)                                                                           \
	X(__per_cpu_offset)                                                                        \
	X(__per_cpu_start)                                                                         \
	X(__schedule)                                                                              \
	X(__start_BTF)                                                                             \
	X(__start_bss_decrypted_unused)                                                            \
	X(__start_init_stack)                                                                      \
	X(__start_init_task)                                                                       \
	X(__start_orc_unwind)                                                                      \
	X(__start_orc_unwind_ip)                                                                   \
	X(__start_ro_after_init)                                                                   \
	X(__start_rodata)                                                                          \
	X(__stop_BTF)                                                                              \
	X(_edata)                                                                                  \
	X(_end)                                                                                    \
	X(_etext)                                                                                  \
	X(_sdata)                                                                                  \
	X(_stext)                                                                                  \
	X(arch_task_struct_size)                                                                   \
	X(exception_stacks)                                                                        \
	X(init_pid_ns)                                                                             \
	X(init_task)                                                                               \
	X(irq_stack_backing_store)                                                                 \
	X(linux_banner)                                                                            \
	X(modules)                                                                                 \
	X(mt_pivots)                                                                               \
	X(mt_slots)                                                                                \
	X(node_data)                                                                               \
	X(nr_cpu_ids)                                                                              \
	X(orc_lookup)                                                                              \
	X(orc_lookup_end)                                                                          \
	X(page_offset_base)                                                                        \
	X(pageflag_names)                                                                          \
	X(pcpu_base_addr)                                                                          \
	X(pcpu_first_chunk)                                                                        \
	X(runqueues)                                                                               \
	X(saved_command_line)                                                                      \
	X(schedule)                                                                                \
	X(slab_caches)                                                                             \
	X(taint_flags)                                                                             \
	X(task_state_array)                                                                        \
	X(vmemmap_base)

enum vital_symbol {
#define X(name) SYM_##name,
	VITAL_SYMBOLS(X)
#undef X
	VITAL_NR_SYMBOLS
};

/* Types and members, likewise. */
#define VITAL_FIELDS(X)                                                                            \
	X(EXCEPTION_STACKS, "exception_stacks")                                                    \
	X(IRQ_STACK, "irq_stack")                                                                  \
	X(KMEM_CACHE, "kmem_cache")                                                                \
	X(KMEM_CACHE_LIST, "kmem_cache.list")                                                      \
	X(KMEM_CACHE_NAME, "kmem_cache.name")                                                      \
	X(KMEM_CACHE_NODE, "kmem_cache.node")                                                      \
	X(KMEM_CACHE_NODE_SIZE, "kmem_cache_node")                                                 \
	X(MM, "mm_struct")                                                                         \
	X(MODULE, "module")                                                                        \
	X(MODULE_CORE_BASE, "module.core_layout.base")                                             \
	X(MODULE_CORE_SIZE, "module.core_layout.size")                                             \
	X(MODULE_INIT_BASE, "module.init_layout.base")                                             \
	X(MODULE_INIT_SIZE, "module.init_layout.size")                                             \
	X(MODULE_LIST, "module.list")                                                              \
	X(MODULE_MEM, "module.mem")                                                                \
	X(MODULE_MEM_BASE, "module_memory.base")                                                   \
	X(MODULE_MEM_SIZE, "module_memory.size")                                                   \
	X(MODULE_MEMORY, "module_memory")                                                          \
	X(NS_XA_HEAD, "pid_namespace.idr.idr_rt.xa_head")                                          \
	X(PCPU_CHUNK_BASE, "pcpu_chunk.base_addr")                                                 \
	X(PCPU_CHUNK_PAGES, "pcpu_chunk.nr_pages")                                                 \
	X(PID, "pid")                                                                              \
	X(RQ_CURR, "rq.curr")                                                                      \
	X(RQ_IDLE, "rq.idle")                                                                      \
	X(SIGNAL, "signal_struct")                                                                 \
	X(SIGNAL_THREADS, "signal_struct.thread_head")                                             \
	X(TASK, "task_struct")                                                                     \
	X(TASK_CRED, "task_struct.real_cred")                                                      \
	X(TASK_MM, "task_struct.mm")                                                               \
	X(TASK_SIGNAL, "task_struct.signal")                                                       \
	X(TASK_STACK, "task_struct.stack")                                                         \
	X(TASK_TASKS, "task_struct.tasks")                                                         \
	X(TASK_THREAD, "task_struct.thread_node")                                                  \
	X(XA_NODE, "xa_node")                                                                      \
	X(XA_NODE_SHIFT, "xa_node.shift")                                                          \
	X(XA_NODE_SLOTS, "xa_node.slots")

enum vital_field {
#define X(name, path) FIELD_##name,
	VITAL_FIELDS(X)
#undef X
	VITAL_NR_FIELDS
};

#define VITAL_TEXT_PAGES 32768u /* of the image's code: 128 MiB */

/*
 * @symbols: addresses; 0: not known
 * @fields: what BTF says
 * @pages_left: how many more pieces of virtual memory are translated: a hostile kernel can
 *	claim any number of them
 * @stacks_left: how many more stacks are searched for return addresses
 * @text_seen: a bit for each page of code from _stext on that one was found in
 */
struct vital {
	struct core *core;
	uint64_t symbols[VITAL_NR_SYMBOLS];
	struct btf_query fields[VITAL_NR_FIELDS];
	unsigned pages_left, stacks_left;
	uint8_t text_seen[VITAL_TEXT_PAGES / 8];
	struct vital_set set;
};

/* ---- vital_read.c: the crashed kernel's structures */

/** vital_has() - Are all of @nr @fields known? */
bool vital_has(const struct vital *v, const enum vital_field fields[], size_t nr);
#define VITAL_HAS(v, ...)                                                                          \
	vital_has((v), (const enum vital_field[]){ __VA_ARGS__ },                                  \
		  sizeof((const enum vital_field[]){ __VA_ARGS__ }) / sizeof(enum vital_field))

/** vital_offset() - Of a member, in bytes; vital_size() - of a type or member. */
uint64_t vital_offset(const struct vital *v, enum vital_field field);
uint64_t vital_size(const struct vital *v, enum vital_field field);

/** vital_word_size() - Bytes in the crashed kernel's long and pointer. */
unsigned vital_word_size(const struct vital *v);

/** vital_get_word() - The long or pointer at @p. */
uint64_t vital_get_word(const struct vital *v, const void *p);

/** vital_word() - The long or pointer (vital_u32(): the 4 bytes) at @vaddr; 0 where it cannot
 * be read. */
uint64_t vital_word(const struct vital *v, uint64_t vaddr);
uint32_t vital_u32(const struct vital *v, uint64_t vaddr);

/** vital_member() - The pointer that is @field of the struct at @vaddr; 0 where it cannot
 * be read. */
uint64_t vital_member(const struct vital *v, uint64_t vaddr, enum vital_field field);

/** vital_add() - Add what @len bytes of virtual memory are mapped to, at most
 * VITAL_ADD_MAX of them. */
#define VITAL_ADD_MAX (256u << 20)
void vital_add(struct vital *v, uint64_t vaddr, uint64_t len, enum vital_tier tier);

/**
 * struct vital_list - A walk along a struct list_head's circle, which need not be one.
 * @head: where it started and ends
 * @at: the list_head told last
 * @left: steps before it is given up
 */
struct vital_list {
	struct vital *v;
	uint64_t head, at;
	uint64_t mark;
	unsigned left, next_mark, mark_distance;
};

/** vital_list_start() - @head: virtual address of a list_head. */
void vital_list_start(struct vital_list *l, struct vital *v, uint64_t head, unsigned max);

/** vital_list_next() - Step to the next ->at. Return: false at the end, at a link that cannot
 * be followed and in a circle that leaves @head out. */
bool vital_list_next(struct vital_list *l);

/* ---- the tiers */

/** vital_find_mappings() - Page tables, and what they map apart from the linear map of
 * memory. */
void vital_find_mappings(struct vital *v);

/** vital_knows_image() - Do symbols tell where the image's parts are? */
bool vital_knows_image(const struct vital *v);

/** vital_find_kernel() - The image's parts, the CPUs' areas, what tells where memory is. */
void vital_find_kernel(struct vital *v);

/** vital_find_tasks() - Tasks, their stacks, and by what they are found. */
void vital_find_tasks(struct vital *v);

/** vital_add_task() - The task_struct at @task and its stack, each in its tier. */
void vital_add_task(struct vital *v, uint64_t task, enum vital_tier tier,
		    enum vital_tier stack_tier);

/** vital_add_stack() - The @len bytes of a kernel stack at @stack, and the code that its
 * return addresses are in, for unwinding looks at that. */
void vital_add_stack(struct vital *v, uint64_t stack, uint64_t len, enum vital_tier tier);

/** vital_find_modules() - Modules with all of their memory. */
void vital_find_modules(struct vital *v);

#endif
