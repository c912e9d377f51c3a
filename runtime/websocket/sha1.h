/*
 * sha1.h: SHA-1 (FIPS 180-4), for the WebSocket handshake, which proves by it
 * that a server has understood: nothing is kept secret by it.
 */
#ifndef QUOLL_WEBSOCKET_SHA1_H
#define QUOLL_WEBSOCKET_SHA1_H

#include <stddef.h>
#include <stdint.h>

void ql_sha1(const void *data, size_t n, uint8_t to[20]);

#endif
