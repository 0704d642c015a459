/* Positions count up for ever; their difference is what is inside. Each side owns one position and
 * reads the other's. A side that sleeps says so first and looks again, so no wake is lost. */
#include "run/ring.h"

#include "base/alloc.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

struct sl_ring {
    unsigned char *data; /* (size) */
    size_t size;
    _Atomic uint64_t written, taken; /* published positions */
    uint64_t write_at, take_at;      /* private to each side */
    atomic_int writer_sleeps, reader_sleeps;
    pthread_mutex_t lock;
    pthread_cond_t room, arrived;
};

sl_status sl_ring_open(sl_ring **out, size_t bytes)
{
    pthread_condattr_t attributes;
    sl_ring *ring = NULL;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(sl_take(&ring, 1, sizeof *ring));
    st = sl_take(&ring->data, bytes, 1);
    if (st != SL_OK) {
        sl_free(ring);
        return st;
    }
    ring->size = bytes;
    pthread_mutex_init(&ring->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ring->room, &attributes);
    pthread_cond_init(&ring->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
    *out = ring;
    return SL_OK;
}

void sl_ring_close(sl_ring **ring)
{
    if (!*ring)
        return;
    pthread_cond_destroy(&(*ring)->room);
    pthread_cond_destroy(&(*ring)->arrived);
    pthread_mutex_destroy(&(*ring)->lock);
    sl_free((*ring)->data);
    sl_free(*ring);
    *ring = NULL;
}

size_t sl_ring_size(const sl_ring *ring)
{
    return ring->size;
}

size_t sl_ring_used(sl_ring *ring)
{
    return (size_t)(atomic_load(&ring->written) - atomic_load(&ring->taken));
}

int sl_ring_has_room(sl_ring *ring, size_t bytes)
{
    return ring->write_at - atomic_load(&ring->taken) + bytes <= ring->size;
}

void sl_ring_wait_room(sl_ring *ring, size_t bytes)
{
    pthread_mutex_lock(&ring->lock);
    atomic_store(&ring->writer_sleeps, 1);
    pthread_cond_signal(&ring->arrived); /* rows alone do not wake the reader: now they must */
    while (!sl_ring_has_room(ring, bytes))
        pthread_cond_wait(&ring->room, &ring->lock);
    atomic_store(&ring->writer_sleeps, 0);
    pthread_mutex_unlock(&ring->lock);
}

void sl_ring_append(sl_ring *ring, const void *data, size_t bytes)
{
    const size_t at = (size_t)(ring->write_at % ring->size);
    const size_t first = bytes < ring->size - at ? bytes : ring->size - at;

    if (first)
        memcpy(ring->data + at, data, first);
    if (bytes > first)
        memcpy(ring->data, (const unsigned char *)data + first, bytes - first);
    ring->write_at += bytes;
}

void sl_ring_publish(sl_ring *ring)
{
    atomic_store_explicit(&ring->written, ring->write_at, memory_order_release);
}

void sl_ring_wake(sl_ring *ring)
{
    atomic_store(&ring->written, ring->write_at); /* in one order with reader_sleeps */
    if (!atomic_load(&ring->reader_sleeps))
        return;
    pthread_mutex_lock(&ring->lock);
    pthread_cond_signal(&ring->arrived);
    pthread_mutex_unlock(&ring->lock);
}

static struct timespec later(double seconds)
{
    struct timespec t;
    double whole;
    const double fraction = modf(seconds, &whole);

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)whole;
    t.tv_nsec += (long)(fraction * 1e9);
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    return t;
}

int sl_ring_has_data(sl_ring *ring)
{
    return atomic_load(&ring->written) != ring->take_at;
}

int sl_ring_wait_data(sl_ring *ring, double seconds)
{
    struct timespec until;
    int late = 0;

    if (sl_ring_has_data(ring))
        return 1;
    until = later(seconds > 0 ? seconds : 0);
    pthread_mutex_lock(&ring->lock);
    atomic_store(&ring->reader_sleeps, 1);
    while (!sl_ring_has_data(ring) && !late)
        late = pthread_cond_timedwait(&ring->arrived, &ring->lock, &until);
    atomic_store(&ring->reader_sleeps, 0);
    pthread_mutex_unlock(&ring->lock);
    return sl_ring_has_data(ring);
}

void sl_ring_take(sl_ring *ring, void *out, size_t bytes)
{
    const size_t at = (size_t)(ring->take_at % ring->size);
    const size_t first = bytes < ring->size - at ? bytes : ring->size - at;

    if (first)
        memcpy(out, ring->data + at, first);
    if (bytes > first)
        memcpy((unsigned char *)out + first, ring->data, bytes - first);
    ring->take_at += bytes;
}

void sl_ring_free(sl_ring *ring)
{
    atomic_store(&ring->taken, ring->take_at);
    if (!atomic_load(&ring->writer_sleeps))
        return;
    pthread_mutex_lock(&ring->lock);
    pthread_cond_signal(&ring->room);
    pthread_mutex_unlock(&ring->lock);
}
