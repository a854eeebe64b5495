/* SPDX-License-Identifier: MIT
 * Messages of a fixed layout. Client and server include one header that declares them:
 *
 *     TERN_MESSAGE(sum_request, 16, uint64_t a; uint32_t b; uint32_t reserved;);
 *     TERN_MESSAGE(sum_response, 8, uint64_t sum;);
 *
 * That is struct sum_request, which takes 16 bytes on every compiler: it does not build with another size or with
 * padding, through which bytes of the sender's stack would leak. Members are fixed-width integers, arrays of them, and
 * other messages; no pointers, since processes share no memory. Then
 *
 *     enum status s = tern_call(HANDLE_SUM, &request, &response, TIME_MAX);
 *
 * and, in the server, where n bytes of a request have arrived,
 *
 *     const struct sum_request *request = tern_message(struct sum_request, buffer, n);
 *     if (!request)
 *         ...somebody else's idea of a request... */
#pragma once
#include "user/rt/tern.h"

#define TERN_MESSAGE_ALIGNMENT 8 /* what a buffer for messages must have: _Alignas(TERN_MESSAGE_ALIGNMENT) */

#define TERN_MESSAGE(name, bytes, ...)                                                                                 \
    struct name {                                                                                                      \
        __VA_ARGS__                                                                                                    \
    };                                                                                                                 \
    struct name##_without_padding {                                                                                    \
        __VA_ARGS__                                                                                                    \
    } __attribute__((packed));                                                                                         \
    _Static_assert(sizeof(struct name) == (bytes), "struct " #name " does not have " #bytes " bytes");                 \
    _Static_assert(sizeof(struct name) == sizeof(struct name##_without_padding), "struct " #name " has padding");      \
    _Static_assert(_Alignof(struct name) <= TERN_MESSAGE_ALIGNMENT, "struct " #name " is aligned too strictly")

/* The n bytes in `buffer` as a message of this type; NULL if they are fewer or more. */
#define tern_message(type, buffer, n)                                                                                  \
    ((n) == sizeof(type) ? (type *)__builtin_assume_aligned((buffer), _Alignof(type)) : NULL)

/* channel_transact with two messages. OUT_OF_RANGE: the response is longer or shorter than *response. */
#define tern_call(handle, request, response, deadline_ns)                                                              \
    tern_call_exact(handle, request, sizeof *(request), response, sizeof *(response), deadline_ns)

enum status tern_call_exact(uint64_t handle, const void *request, size_t n, void *response, size_t m,
                            uint64_t deadline_ns);
