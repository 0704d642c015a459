/* Files that make a folder of weights usable by itself, and that training does not change: the
 * tokenizer, the chat format, the licence. */
#ifndef SL_MODEL_CARRY_H
#define SL_MODEL_CARRY_H

#include "base/status.h"

/* Copies those of them that `from` has, byte for byte, each by temporary file and rename; one that
 * is not there is no error, one that cannot be read is. from "": nothing to carry. */
sl_status sl_carry(const char *to, const char *from) SL_MUSTUSE;

#endif
