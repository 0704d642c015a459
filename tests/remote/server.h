/* The server of server.py, beside the test that asks it. */
#ifndef SL_TESTS_REMOTE_SERVER_H
#define SL_TESTS_REMOTE_SERVER_H

/* Starts it; 0 where there is no Python: the test cannot run here. */
int server_start(void);
void server_stop(void);
/* "http://127.0.0.1:PORT/path"; borrowed until the next call. */
const char *server_url(const char *path);

#endif
