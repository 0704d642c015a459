/* A ring of bytes between one writer of messages and one reader. Messages are copied in and out; a
 * message is seen by the reader as a whole. Nothing here does I/O. */
#ifndef SL_RUN_RING_H
#define SL_RUN_RING_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_ring sl_ring;

sl_status sl_ring_open(sl_ring **out, size_t bytes) SL_MUSTUSE;
void sl_ring_close(sl_ring **ring);
size_t sl_ring_size(const sl_ring *ring);
size_t sl_ring_used(sl_ring *ring);

/* Writer: whether bytes fit now; waits until they do; appends to the message; lets the reader see
 * all that was appended; wakes the reader. */
int sl_ring_has_room(sl_ring *ring, size_t bytes);
void sl_ring_wait_room(sl_ring *ring, size_t bytes);
void sl_ring_append(sl_ring *ring, const void *data, size_t bytes);
void sl_ring_publish(sl_ring *ring);
void sl_ring_wake(sl_ring *ring);

/* Reader: whether there is a message; waits for one at most so long; takes bytes of it out; frees
 * what was taken. */
int sl_ring_has_data(sl_ring *ring);
int sl_ring_wait_data(sl_ring *ring, double seconds);
void sl_ring_take(sl_ring *ring, void *out, size_t bytes);
void sl_ring_free(sl_ring *ring);

#endif
