/* Packing: every token and target accounted for, prompts shared, limits kept. */
#include "base/sort.h"
#include "datasets/pack.h"
#include "base/alloc.h"
#include "harness/harness.h"
#include <stdlib.h>
#include <string.h>

enum { MOST = 24, PROMPT = 7, ANSWER = 9 };

typedef struct corpus {
    int32_t prompt[MOST][PROMPT], answer[MOST][ANSWER];
    sl_sequence sequence[MOST];
    sl_arena arena;
    sl_packer packer;
} corpus;

/* Sequences of random lengths over `prompts` different prompts. */
static void fill(corpus *c, size_t count, uint32_t prompts, uint64_t seed)
{
    const sl_packed_limits limits = sl_pack_limits(count, PROMPT, ANSWER);
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("test pack"), 0);
    sl_arena measure = SL_ARENA_MEASURE;

    for (size_t i = 0; i < count; i++) {
        const uint32_t p = sl_rng_below(&rng, prompts);

        for (int t = 0; t < PROMPT; t++)
            c->prompt[i][t] = (int32_t)(100 * p) + t;
        for (int t = 0; t < ANSWER; t++)
            c->answer[i][t] = (int32_t)sl_rng_below(&rng, 50);
        c->sequence[i] = (sl_sequence){
            .prompt = { .token = c->prompt[i], .count = 1 + p % PROMPT, .id = 1000 + p },
            .answer = { .token = c->answer[i], .count = 1 + sl_rng_below(&rng, ANSWER) },
        };
    }
    sl_packer_carve(&c->packer, &measure, &limits);
    T_OK(sl_arena_open(&c->arena, measure.used_bytes));
    sl_packer_carve(&c->packer, &c->arena, &limits);
}

/* What a target means, walked back through its segment: the full sequence up to the target. */
static void check_sequence(const corpus *c, size_t i)
{
    const sl_packed *b = &c->packer.packed;
    const sl_sequence *s = &c->sequence[i];

    assert_int_equal(b->seq_first[i + 1] - b->seq_first[i], s->answer.count);
    for (uint32_t k = 0; k < s->answer.count; k++) {
        const sl_target *t = &b->target[b->seq_first[i] + k];

        assert_int_equal(t->sequence, i);
        assert_int_equal(t->token, s->answer.token[k]);
        /* the row before the target's token: last of the prompt, or the answer's token before */
        assert_int_equal(b->position[t->row], s->prompt.count + k - 1);
        assert_int_equal(b->token[t->row],
                         k ? s->answer.token[k - 1] : s->prompt.token[s->prompt.count - 1]);
    }
}

static void check_segments(const sl_packed *b)
{
    size_t rows = 0;

    for (size_t s = 0; s < b->S; s++) {
        const sl_segment *g = &b->segment[s];

        assert_int_equal(g->first, rows);
        rows += g->count;
        for (uint32_t i = 0; i < g->count; i++)
            assert_int_equal(b->position[g->first + i], g->position + i);
        if (g->parent >= 0) {
            assert_true((size_t)g->parent < s && b->segment[g->parent].parent < 0);
            assert_int_equal(g->position, b->segment[g->parent].count);
        }
    }
    assert_int_equal(rows, b->T);
}

static void test_everything_is_accounted_for(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++)
        for (int is_shared = 0; is_shared < 2; is_shared++) {
            const size_t count = 1 + seed % MOST;
            corpus c;

            fill(&c, count, 5, seed);
            c.packer.is_shared = is_shared;
            T_OK(sl_pack(&c.packer, c.sequence, count));
            assert_int_equal(c.packer.packed.B, count);
            check_segments(&c.packer.packed);
            for (size_t i = 0; i < count; i++)
                check_sequence(&c, i);
            sl_arena_close(&c.arena);
        }
}

/* What a target is, wherever its row stands. */
typedef struct meaning {
    int32_t sequence, token, before, position;
} meaning;

static int by_meaning(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(meaning)); /* any order will do */
}

static size_t meanings(meaning *out, const sl_packed *b)
{
    for (size_t n = 0; n < b->N; n++) {
        const sl_target *t = &b->target[n];

        out[n] = (meaning){ (int32_t)t->sequence, t->token, b->token[t->row], b->position[t->row] };
    }
    sl_sort(out, b->N, sizeof *out, by_meaning);
    return b->N;
}

static void test_sharing_changes_no_target(void **state)
{
    static meaning shared[MOST * ANSWER], unshared[MOST * ANSWER];

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        size_t n;
        corpus c;

        fill(&c, MOST, 4, seed);
        T_OK(sl_pack(&c.packer, c.sequence, MOST));
        n = meanings(shared, &c.packer.packed);
        c.packer.is_shared = 0;
        T_OK(sl_pack(&c.packer, c.sequence, MOST));
        assert_int_equal(meanings(unshared, &c.packer.packed), n);
        assert_memory_equal(shared, unshared, n * sizeof *shared);
        sl_arena_close(&c.arena);
    }
}

/* The same id over different tokens is no shared prompt: ids are hashes. */
static void test_ids_alone_share_nothing(void **state)
{
    corpus c;

    (void)state;
    fill(&c, 2, 1, 4);
    c.sequence[0].prompt.count = c.sequence[1].prompt.count = 2;
    c.prompt[1][1]++;
    T_OK(sl_pack(&c.packer, c.sequence, 2));
    assert_int_equal(c.packer.packed.S, 4);
    check_sequence(&c, 0);
    check_sequence(&c, 1);
    sl_arena_close(&c.arena);
}

static void test_prompts_are_shared(void **state)
{
    size_t shared, unshared;
    corpus c;

    (void)state;
    fill(&c, MOST, 1, 1);
    T_OK(sl_pack(&c.packer, c.sequence, MOST));
    shared = c.packer.packed.T;
    assert_int_equal(c.packer.packed.S, MOST + 1);
    c.packer.is_shared = 0;
    T_OK(sl_pack(&c.packer, c.sequence, MOST));
    unshared = c.packer.packed.T;
    assert_int_equal(unshared - shared, (MOST - 1) * c.sequence[0].prompt.count);
    sl_arena_close(&c.arena);
}

static void test_nothing_is_allocated(void **state)
{
    size_t before;
    corpus c;

    (void)state;
    fill(&c, MOST, 3, 2);
    before = sl_alloc_count();
    T_OK(sl_pack(&c.packer, c.sequence, MOST));
    assert_int_equal(sl_alloc_count(), before);
    sl_arena_close(&c.arena);
}

static void test_refusals(void **state)
{
    corpus c;

    (void)state;
    fill(&c, 4, 3, 3);
    c.sequence[2].answer.count = 0;
    T_FAILS(sl_pack(&c.packer, c.sequence, 4), SL_EARG, "sequence 2");
    c.sequence[2].answer.count = 1;
    c.packer.limits.B = 3;
    T_FAILS(sl_pack(&c.packer, c.sequence, 4), SL_ESHAPE, "want at most 3 sequences");
    c.packer.limits.B = 4;
    c.packer.limits.S = 7;
    T_FAILS(sl_pack(&c.packer, c.sequence, 4), SL_ESHAPE, "segments");
    c.packer.limits.S = 8;
    c.packer.limits.N = 3;
    T_FAILS(sl_pack(&c.packer, c.sequence, 4), SL_ESHAPE, "targets");
    c.packer.limits.N = (size_t)4 * ANSWER;
    c.packer.limits.positions = 1;
    T_FAILS(sl_pack(&c.packer, c.sequence, 4), SL_ESHAPE, "want at most 1 positions");
    sl_arena_close(&c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_accounted_for),
        cmocka_unit_test(test_sharing_changes_no_target),
        cmocka_unit_test(test_ids_alone_share_nothing),
        cmocka_unit_test(test_prompts_are_shared),
        cmocka_unit_test(test_nothing_is_allocated),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
