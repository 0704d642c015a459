#include "train/policy.h"
#include <stdlib.h>
#include <string.h>

double sl_policy_first_share(const sl_recipe *r)
{
    const int is_soft = r->policy.kind == SL_POLICY_ADVISED && r->policy.advice > SL_ADVISED_BRANCH;

    return r->policy.kind == SL_POLICY_ON_POLICY        ? 1.0
           : r->policy.kind == SL_POLICY_MIX || is_soft ? r->policy.mix
                                                        : 0.0;
}

/* "static", "on-policy" or "mix SHARE", of n bytes. */
static sl_status read_entry(double *share, const char *text, size_t n)
{
    static const char mix[] = "mix ";
    char word[32];
    char *end;

    while (n && strchr(" \t", *text))
        text++, n--;
    while (n && strchr(" \t", text[n - 1]))
        n--;
    if (n >= sizeof word)
        n = sizeof word - 1; /* longer than any that is known */
    memcpy(word, text, n);
    word[n] = '\0';
    *share = strcmp(word, "on-policy") ? 0.0 : 1.0;
    if (*share == 1.0 || !strcmp(word, "static"))
        return SL_OK;
    if (!strncmp(word, mix, sizeof mix - 1)) {
        *share = strtod(word + sizeof mix - 1, &end);
        if (end > word + sizeof mix - 1 && !*end && *share >= 0.0 && *share <= 1.0)
            return SL_OK;
    }
    return SL_FAIL(SL_EARG, "want static, on-policy or mix with a share of 0 to 1, found \"%s\"",
                   word);
}

sl_status sl_policy_scheduled(double *share, const char *schedule, int64_t iteration)
{
    const char *at = schedule;

    for (; iteration > 0 && strchr(at, ','); iteration--)
        at = strchr(at, ',') + 1;
    return read_entry(share, at, strcspn(at, ","));
}

sl_status sl_policy_check_schedule(const sl_recipe *r)
{
    int64_t entries = 1;
    double share;

    for (const char *at = strchr(r->policy.schedule, ','); at; at = strchr(at + 1, ','))
        entries++;
    if (entries > r->train.iterations)
        return SL_FAIL(SL_EARG, "want at most train.iterations = %lld entries, found %lld",
                       (long long)r->train.iterations, (long long)entries);
    for (int64_t i = 0; i < entries; i++)
        SL_TRY(sl_policy_scheduled(&share, r->policy.schedule, i));
    return SL_OK;
}
