/* Packing: sequences into one packed batch. Prompts that are token-identical inside a batch share
 * one segment. All arrays come from an arena sized once for the largest batch. */
#ifndef SL_DATASETS_PACK_H
#define SL_DATASETS_PACK_H

#include "base/arena.h"
#include "base/packed.h"
#include "datasets/data.h"

typedef struct sl_packer {
    sl_packed packed; /* what was packed last; borrowed until the next pack */
    sl_packed_limits limits;
    int32_t *token, *position;
    sl_segment *segment;
    sl_target *target;
    uint32_t *seq_first;
    uint64_t *owner; /* (S) prompt id of each prompt segment */
    int is_shared;   /* 0: every sequence carries its own copy of the prompt (for tests) */
} sl_packer;

/* Limits of a batch of `sequences` answers with their prompts, all of the longest size. */
sl_packed_limits sl_pack_limits(size_t sequences, uint32_t prompt_tok, uint32_t answer_tok);
void sl_packer_carve(sl_packer *packer, sl_arena *arena, const sl_packed_limits *limits);

typedef struct sl_sequence {
    sl_prompt_text prompt;
    sl_answer answer; /* every answer token is a target */
} sl_sequence;
/* Allocates nothing. Errors: SL_ESHAPE over the limits, counted as if no prompt were shared;
 * SL_EARG on an empty prompt or answer. */
sl_status sl_pack(sl_packer *packer, const sl_sequence *sequence, size_t count) SL_MUSTUSE;
/* Sequences 2i and 2i+1 are chosen and rejected of pair i. scratch (2*count). */
sl_status sl_pack_pairs(sl_packer *packer, sl_sequence *scratch, const sl_pair *pair,
                        size_t count) SL_MUSTUSE;

#endif
