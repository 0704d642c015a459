/* The table of metrics of a set of answers. */
#include "analysis/answers.h"
#include <math.h>
#include <string.h>

#define TEXT SL_NEEDS_TEXT
#define VOCABULARY (SL_NEEDS_TEXT | SL_NEEDS_VOCABULARY)
#define SCORES SL_NEEDS_SCORES
#define WINS SL_NEEDS_WINS
#define LOGPS SL_NEEDS_LOGPS
#define KL (SL_NEEDS_LOGPS | SL_NEEDS_REFERENCE)
#define LOGP_T SL_NEEDS_TOKEN_LOGPS
#define ENTROPY_T SL_NEEDS_TOKEN_ENTROPIES
#define PROMPT SL_LEVEL_PROMPT
#define CORPUS SL_LEVEL_CORPUS
#define BOTH (SL_LEVEL_PROMPT | SL_LEVEL_CORPUS)
#define INF INFINITY

const sl_metric sl_metrics[SL_METRIC_COUNT] = {
    [SL_METRIC_TOKENS] = { "tokens", "-", "tok", 0, INF, TEXT, BOTH, "",
                           "mean length; stands beside every diversity" },
    [SL_METRIC_DISTINCT_1] = { "distinct_1", "A1", "1", 0, 1, TEXT, BOTH, "arXiv 1510.03055",
                               "distinct tokens / tokens" },
    [SL_METRIC_DISTINCT_2] = { "distinct_2", "A1", "1", 0, 1, TEXT, BOTH, "arXiv 1510.03055",
                               "distinct pairs / pairs" },
    [SL_METRIC_DISTINCT_3] = { "distinct_3", "A1", "1", 0, 1, TEXT, BOTH, "arXiv 1510.03055",
                               "the same of three tokens" },
    [SL_METRIC_DISTINCT_4] = { "distinct_4", "A1", "1", 0, 1, TEXT, BOTH, "arXiv 1510.03055",
                               "the same of four tokens" },
    [SL_METRIC_EAD_1] = { "ead_1", "A2", "1", 0, INF, VOCABULARY, BOTH, "arXiv 2202.13587",
                          "distinct tokens / number expected of a vocabulary" },
    [SL_METRIC_EAD_MEAN] = { "ead_mean", "A2", "1", 0, INF, VOCABULARY, BOTH, "arXiv 2202.13587",
                             "mean of orders 1 to 4" },
    [SL_METRIC_SELF_BLEU_2] = { "self_bleu_2", "A3", "1", 0, 1, TEXT, BOTH, "arXiv 1802.01886",
                                "BLEU-2 of each answer against the others; low is diverse" },
    [SL_METRIC_SELF_BLEU_4] = { "self_bleu_4", "A3", "1", 0, 1, TEXT, BOTH, "arXiv 1802.01886",
                                "the same of BLEU-4" },
    [SL_METRIC_ENTROPY_1] = { "ngram_entropy_1", "A4", "nat", 0, INF, TEXT, BOTH, "plug-in entropy",
                              "entropy of the tokens" },
    [SL_METRIC_ENTROPY_1_SHARE] = { "ngram_entropy_1_share", "A4", "1", 0, 1, TEXT, BOTH,
                                    "plug-in entropy", "the same / ln of their number" },
    [SL_METRIC_ENTROPY_1_MM] = { "ngram_entropy_1_mm", "A4", "nat", 0, INF, TEXT, BOTH,
                                 "Miller 1955", "the same with Miller and Madow's correction" },
    [SL_METRIC_ENTROPY_2] = { "ngram_entropy_2", "A4", "nat", 0, INF, TEXT, BOTH, "plug-in entropy",
                              "entropy of the pairs of tokens" },
    [SL_METRIC_ZLIB] = { "zlib_ratio", "A5", "1", 0, INF, TEXT, BOTH, "arXiv 2403.00553",
                         "bytes / bytes after zlib 9; high is redundant" },
    [SL_METRIC_LZ78] = { "lz78", "A5", "1", 0, INF, TEXT, BOTH, "Ziv, Lempel 1978",
                         "phrases log2(L) / L of L bytes" },
    [SL_METRIC_LZ76] = { "lz76", "A5", "1", 0, INF, TEXT, CORPUS, "Lempel, Ziv 1976",
                         "the same of the 1976 parsing" },
    [SL_METRIC_COSINE] = { "cosine_distance", "A6", "1", 0, 2, TEXT, BOTH, "metrics A6",
                           "mean over pairs of 1 - cosine, embeddings or token counts" },
    [SL_METRIC_COSINE_NEAREST] = { "cosine_nearest", "A6", "1", 0, 2, TEXT, BOTH, "metrics A6",
                                   "mean distance to the nearest other answer" },
    [SL_METRIC_INTERNAL] = { "internal_diversity", "A6", "1", 0, 1, TEXT, BOTH, "metrics A6",
                             "1 - mean cosine over all pairs, itself included" },
    [SL_METRIC_VENDI_1] = { "vendi", "A7", "1", 1, INF, TEXT, BOTH, "arXiv 2210.02410",
                            "Vendi score, q = 1; of counts the mean of orders 1 to 4" },
    [SL_METRIC_VENDI_2] = { "vendi_q2", "A7", "1", 1, INF, TEXT, BOTH, "arXiv 2310.12952",
                            "the same, q = 2" },
    [SL_METRIC_VENDI_INF] = { "vendi_inf", "A7", "1", 1, INF, TEXT, BOTH, "arXiv 2310.12952",
                              "the same, q = infinity" },
    [SL_METRIC_VENDI_SHARE] = { "vendi_share", "A7", "1", 0, 1, TEXT, BOTH, "arXiv 2210.02410",
                                "(vendi - 1) / (n - 1)" },
    [SL_METRIC_RANK] = { "effective_rank", "A8", "1", 1, INF, TEXT, BOTH, "Roy, Vetterli 2007",
                         "exp entropy of the singular values; corpus: centered" },
    [SL_METRIC_RANK_SQUARES] = { "effective_rank_squares", "A8", "1", 1, INF, TEXT, BOTH,
                                 "Roy, Vetterli 2007", "the same of their squares" },
    [SL_METRIC_PARTICIPATION] = { "participation", "A8", "1", 1, INF, TEXT, BOTH, "metrics A8",
                                  "(sum s^2)^2 / sum s^4" },
    [SL_METRIC_STABLE_RANK] = { "stable_rank", "A8", "1", 1, INF, TEXT, BOTH, "metrics A8",
                                "sum s^2 / largest s^2" },
    [SL_METRIC_TOKEN_ENTROPY] = { "token_entropy", "A9", "nat/tok", 0, INF, ENTROPY_T, BOTH,
                                  "metrics A9", "mean entropy of the law at a token" },
    [SL_METRIC_TOKEN_ENTROPY_MEAN] = { "token_entropy_mean", "A9", "nat/tok", 0, INF, ENTROPY_T,
                                       BOTH, "metrics A9", "mean of the means of answers" },
    [SL_METRIC_TOKEN_ENTROPY_FIRST] = { "token_entropy_0_7", "A9", "nat/tok", 0, INF, ENTROPY_T,
                                        BOTH, "metrics A9", "over tokens 0 to 7" },
    [SL_METRIC_TOKEN_ENTROPY_MIDDLE] = { "token_entropy_8_63", "A9", "nat/tok", 0, INF, ENTROPY_T,
                                         BOTH, "metrics A9", "over tokens 8 to 63" },
    [SL_METRIC_TOKEN_ENTROPY_LATE] = { "token_entropy_64", "A9", "nat/tok", 0, INF, ENTROPY_T, BOTH,
                                       "metrics A9", "over tokens from 64 on" },
    [SL_METRIC_SURPRISAL_FIRST] = { "surprisal_0_7", "A9", "nat/tok", 0, INF, LOGP_T, BOTH,
                                    "metrics A9",
                                    "mean -log p of tokens 0 to 7: their entropy by sampling" },
    [SL_METRIC_SURPRISAL_MIDDLE] = { "surprisal_8_63", "A9", "nat/tok", 0, INF, LOGP_T, BOTH,
                                     "metrics A9", "of tokens 8 to 63" },
    [SL_METRIC_SURPRISAL_LATE] = { "surprisal_64", "A9", "nat/tok", 0, INF, LOGP_T, BOTH,
                                   "metrics A9", "of tokens from 64 on" },
    [SL_METRIC_MC_ENTROPY] = { "entropy", "A10", "nat", 0, INF, LOGPS, BOTH, "metrics A10",
                               "mean -log p: entropy where the answers are the law's own, else "
                               "cross-entropy" },
    [SL_METRIC_MC_ENTROPY_TOKEN] = { "entropy_per_token", "A10", "nat/tok", 0, INF, LOGPS, BOTH,
                                     "metrics A10", "sum of -log p / tokens" },
    [SL_METRIC_MC_ENTROPY_TOKEN_MEAN] = { "entropy_token_mean", "A10", "nat/tok", 0, INF, LOGPS,
                                          BOTH, "metrics A10",
                                          "mean of -log p / tokens of an answer" },
    [SL_METRIC_HILL_1] = { "hill_1", "A10", "1", 1, INF, LOGPS, PROMPT, "Hill 1973",
                           "exp entropy over distinct answers weighted by p" },
    [SL_METRIC_HILL_2] = { "hill_2", "A10", "1", 1, INF, LOGPS, PROMPT, "Hill 1973",
                           "1 / sum of squared weights" },
    [SL_METRIC_LOGP_GAP] = { "logp_gap", "A10", "nat", 0, INF, LOGPS, PROMPT, "metrics A10",
                             "mean absolute difference of log p" },
    [SL_METRIC_LOGP_GAP_TOKEN] = { "logp_gap_per_token", "A10", "nat/tok", 0, INF, LOGPS, PROMPT,
                                   "metrics A10", "the same of log p / tokens" },
    [SL_METRIC_COLLISIONS] = { "collisions", "A10", "1", 0, 1, TEXT, BOTH, "metrics A10",
                               "share of pairs that are the same text" },
    [SL_METRIC_SEEN_MASS] = { "log_seen_mass", "A10", "nat", -INF, 0, LOGPS, PROMPT, "metrics A10",
                              "log of the probability of all distinct answers" },
    [SL_METRIC_REWARD] = { "mean_reward", "B1", "1", -INF, INF, SCORES, BOTH, "metrics B1",
                           "mean score" },
    [SL_METRIC_REWARD_SD] = { "reward_sd", "B1", "1", 0, INF, SCORES, BOTH, "metrics B1",
                              "standard deviation of the scores" },
    [SL_METRIC_REWARD_GAP] = { "reward_gap", "B1", "1", 0, INF, SCORES, PROMPT, "metrics B1",
                               "best - worst" },
    [SL_METRIC_BEST_OF_2] = { "best_of_2", "B7", "1", -INF, INF, SCORES, PROMPT, "metrics B7",
                              "expected best of 2, over all subsets" },
    [SL_METRIC_BEST_OF_4] = { "best_of_4", "B7", "1", -INF, INF, SCORES, PROMPT, "metrics B7",
                              "of 4" },
    [SL_METRIC_BEST_OF_8] = { "best_of_8", "B7", "1", -INF, INF, SCORES, PROMPT, "metrics B7",
                              "of 8" },
    [SL_METRIC_BEST_OF_16] = { "best_of_16", "B7", "1", -INF, INF, SCORES, PROMPT, "metrics B7",
                               "of 16" },
    [SL_METRIC_HEADROOM] = { "headroom", "B7", "1", 0, INF, SCORES, PROMPT, "metrics B7",
                             "best - mean: what choosing among the candidates gains" },
    [SL_METRIC_VOTE_MARGIN] = { "vote_margin", "D1", "1", 0, 1, SCORES, PROMPT, "metrics D1",
                                "mean |2p - 1| over pairs, p of the matrix or sigmoid of score "
                                "differences" },
    [SL_METRIC_STRENGTH_SD] = { "strength_sd", "B3", "1", 0, INF, WINS, PROMPT,
                                "Bradley, Terry 1952",
                                "standard deviation of the strengths fitted to the matrix of "
                                "wins" },
    [SL_METRIC_KL_1] = { "kl_k1", "B8", "nat", -INF, INF, KL, BOTH, "Schulman 2020",
                         "mean log p/p_ref: unbiased for answers drawn from p" },
    [SL_METRIC_KL_2] = { "kl_k2", "B8", "nat", 0, INF, KL, BOTH, "Schulman 2020",
                         "mean half square of it" },
    [SL_METRIC_KL_3] = { "kl_k3", "B8", "nat", 0, INF, KL, BOTH, "Schulman 2020",
                         "unbiased and never negative" },
};

const sl_metric *sl_metric_find(const char *name)
{
    for (size_t i = 0; i < SL_METRIC_COUNT; i++)
        if (!strcmp(sl_metrics[i].name, name))
            return &sl_metrics[i];
    return NULL;
}
