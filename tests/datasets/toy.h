/* A byte-level encoder for tests: one id a byte, BOS before a start, a chat format of its own. */
#ifndef SL_TESTS_TOY_H
#define SL_TESTS_TOY_H

#include "datasets/data.h"

enum { TOY_BOS = 256, TOY_MERGED = 257, TOY_EOS = 258, TOY_VOCAB = 259 };

typedef struct toy {
    int merges; /* 1: two letters "x" in a row are one token, also across prompt and answer */
} toy;

/* state (one toy) is borrowed by the encoder. Messages: "[role]content\n", for the answer
 * "[assistant]". */
sl_encoder toy_encoder(toy *state);

#endif
