/* Choice among weights by a heap in place: nothing is allocated, and only the kept part is sorted.
 */
#include "kernels/select_int.h"
#include <math.h>

/* Entries to sort: weights and, unless NULL, their ids, moved together. */
typedef struct entries {
    float *weight, *id; /* (V) */
} entries;

/* Does entry a stand before entry b: larger weight, then lower id. */
static int before(entries e, size_t a, size_t b)
{
    if (e.weight[a] != e.weight[b])
        return e.weight[a] > e.weight[b];
    return e.id && e.id[a] < e.id[b];
}

static void swap(entries e, size_t a, size_t b)
{
    const float weight = e.weight[a], id = e.id ? e.id[a] : 0.0f;

    e.weight[a] = e.weight[b];
    e.weight[b] = weight;
    if (e.id) {
        e.id[a] = e.id[b];
        e.id[b] = id;
    }
}

/* Restores the heap of n entries below entry at. */
static void sift(entries e, size_t n, size_t at)
{
    for (;;) {
        size_t first = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
            if (before(e, child, first))
                first = child;
        if (first == at)
            return;
        swap(e, at, first);
        at = first;
    }
}

/* Orders V entries as a heap, the first of all at 0. */
static void heap(entries e, size_t V)
{
    for (size_t v = V / 2; v-- > 0;)
        sift(e, V, v);
}

/* Moves the first of the n entries of a heap behind the others; returns its weight. */
static double pop(entries e, size_t n)
{
    swap(e, 0, n - 1);
    sift(e, n - 1, 0);
    return (double)e.weight[n - 1];
}

static double sum_of(const float *weight, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += (double)weight[i];
    return sum;
}

/* A draw in progress. */
typedef struct draw {
    double kept, target, sum; /* sum of the kept weights; u * kept; sum of the walk so far */
    size_t id;
    float weight; /* of id */
} draw;

/* One step of the walk; 1 when the draw is made. The last positive weight stays where rounding
 * leaves the target above the sum. */
static int step(draw *d, size_t id, float weight)
{
    if (!(weight > 0.0f))
        return 0;
    d->sum += (double)weight;
    d->id = id;
    d->weight = weight;
    return d->sum > d->target;
}

static void draw_all(draw *d, const float *weight, size_t V, double sum, double u)
{
    d->kept = sum;
    d->target = u * d->kept;
    for (size_t v = 0; v < V; v++)
        if (step(d, v, weight[v]))
            return;
}

/* The k largest, walked in the order of ids; copy (V) is sorted to find the border. */
static void draw_top_k(draw *d, const float *weight, float *copy, size_t V, size_t k, double u)
{
    const entries e = { copy, NULL };
    size_t ties = 0; /* entries at the border that stay */

    for (size_t v = 0; v < V; v++)
        copy[v] = weight[v];
    heap(e, V);
    for (size_t i = 0; i < k; i++)
        d->kept += pop(e, V - i);
    const float border = copy[V - k];
    for (size_t i = V - k; i < V; i++)
        ties += copy[i] == border;
    d->target = u * d->kept;
    for (size_t v = 0; v < V; v++) {
        const int is_tie = weight[v] == border && ties > 0;

        ties -= (size_t)is_tie;
        if ((weight[v] > border || is_tie) && step(d, v, weight[v]))
            return;
    }
}

/* The smallest set of largest weights that reaches top_p of the k largest, walked from the largest.
 */
static void draw_top_p(draw *d, entries e, size_t V, size_t k, float top_p, double sum, double u)
{
    size_t popped = 0, kept = 0;
    double all = k < V ? 0.0 : sum, popped_sum = 0.0;

    for (size_t v = 0; v < V; v++)
        e.id[v] = (float)v;
    heap(e, V);
    for (; k < V && popped < k; popped++)
        all += pop(e, V - popped);
    while (kept < k && (kept == 0 || popped_sum < top_p * all)) {
        if (kept == popped)
            (void)pop(e, V - popped++);
        popped_sum += (double)e.weight[V - ++kept];
    }
    d->kept = popped_sum;
    d->target = u * d->kept;
    for (size_t i = 1; i <= kept; i++)
        if (step(d, (size_t)e.id[V - i], e.weight[V - i]))
            return;
}

int32_t sl_select_draw(float *logp, float *weight, float *id, size_t V, float u,
                       const sl_sample_settings *s)
{
    const size_t k = s->top_k && s->top_k < V ? s->top_k : V;
    const double sum = sum_of(weight, V);
    draw d = { 0 };

    if (!(sum > 0.0 && isfinite(sum))) {
        *logp = NAN;
        return 0;
    }
    if (s->top_p < 1.0f)
        draw_top_p(&d, (entries){ weight, id }, V, k, s->top_p, sum, (double)u);
    else if (k < V)
        draw_top_k(&d, weight, id, V, k, (double)u);
    else
        draw_all(&d, weight, V, sum, (double)u);
    *logp = (float)log((double)d.weight / d.kept);
    return (int32_t)d.id;
}
