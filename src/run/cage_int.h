/* A child process in which a file from outside is read. Common builds of libhdf5 crash or hang on
 * known files; in here that ends a child, and the parent says so. The child holds the file's
 * descriptor and one socket, and nothing else: limits on memory and processor time, no writing, no
 * network, no new files and no new programs where the system can forbid them (seccomp on Linux).
 * What comes back is plain bytes; who asks must still check their values, since a child that was
 * taken over can say anything.
 *
 *   parent: sl_cage_open -> (sl_cage_ask -> sl_cage_take*)* -> sl_cage_close
 *   child:  a copy of the parent at the fork; answers questions until the socket closes
 *
 * Questions and heads go over the socket, data through two windows of memory that both see: the
 * child fills one while the parent takes from the other, and both stay in the caches. The child may
 * write there at any time, so the parent only ever copies out of a window, within sizes of its own,
 * and looks at the copy.
 */
#ifndef SL_RUN_CAGE_INT_H
#define SL_RUN_CAGE_INT_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SL_CAGE_QUESTION = 1024,  /* most bytes of a question */
    SL_CAGE_HEAD = 64,        /* bytes of a head */
    SL_CAGE_WINDOW = 1 << 18, /* bytes of a window: both fit into the cache of a core */
};

typedef struct sl_cage_answer {
    unsigned char head[SL_CAGE_HEAD];
    uint64_t bytes; /* of data */
    /* In the child: data, borrowed until the next question; or, where this is not NULL, what makes
     * them part after part: *bytes of them, 1 to SL_CAGE_WINDOW, into window. */
    const void *data;
    sl_status (*part)(size_t *bytes, void *window, void *state);
} sl_cage_answer;

/* What the child does. state: as it stands at the fork; the child changes its own copy. */
typedef struct sl_cage_work {
    void *state;
    sl_status (*answer)(sl_cage_answer *answer, void *state, const void *question, size_t bytes);
} sl_cage_work;

typedef struct sl_cage_limits {
    uint64_t memory_bytes; /* of address space, beyond what the parent has */
    unsigned cpu_s;        /* processor time of the child */
    int wait_s;            /* for a part of an answer */
} sl_cage_limits;
/* For a file of file_bytes from which at most array_bytes are read at once. */
sl_cage_limits sl_cage_limits_for(uint64_t file_bytes, uint64_t array_bytes);

typedef struct sl_cage {
    pid_t pid; /* 0: none */
    int fd;
    sl_cage_limits limits;
    unsigned char *windows; /* two, seen by both; NULL: none */
    uint64_t left;          /* bytes of the last answer that are not in a window yet */
    size_t have, used;      /* bytes of its part in the window, bytes taken of them */
    unsigned turn;          /* number of that part */
} sl_cage;

/* Starts the child, which keeps file_fd. Errors: SL_EIO when there can be no child. */
sl_status sl_cage_open(sl_cage *out, int file_fd, const sl_cage_work *work,
                       const sl_cage_limits *limits) SL_MUSTUSE;
/* Sends a question and waits for the head of its answer; of the answer->bytes bytes of data each
 * sl_cage_take fetches the next ones, until the next question. A failure of the child's work comes
 * back as it was recorded there. Errors: also SL_EFORMAT when the child crashed, ran out of its
 * limits or did not answer in time: it is gone then, and so is every later answer. */
sl_status sl_cage_ask(sl_cage_answer *answer, sl_cage *cage, const void *question,
                      size_t bytes) SL_MUSTUSE;
sl_status sl_cage_take(void *to, size_t bytes, sl_cage *cage) SL_MUSTUSE;
/* Ends the child, whatever it does. Accepts one that was never opened ({ 0 }). */
void sl_cage_close(sl_cage *cage);

/* In the child, once: closes every descriptor but two and takes on the limits. Returns 0 when a
 * limit that this system knows cannot be had. */
int sl_cage_confine(int file_fd, int socket_fd, const sl_cage_limits *limits);

#endif
