/*
 * tls.h: TLS over a connection, by OpenSSL (QL_TLS): an io table that encrypts
 * what it sends through the plain one. No part of libquoll, which links no
 * OpenSSL: it is compiled into the module quoll.core.tls. All of it is called on
 * the loop's thread, but for the making of a context.
 */
#ifndef QUOLL_TLS_H
#define QUOLL_TLS_H

#include "../core/sys.h"

#include <openssl/ssl.h>
#include <stdbool.h>

enum {
    QL_TLS_RECORD = 16384 /* plain bytes of a record at most */
};

/* ---- error.c ---- */

/* Errors as an int, in c->err too: an errno, a reason of OpenSSL's SSL
 * library, or why a certificate was refused (X509_V_ERR_*). */
enum {
    QL_TLS_RANGE = 2, /* upper 16 bits of the last two */
    QL_TLS_REASON = QL_TLS_RANGE << 16,
    QL_TLS_VERIFY = QL_TLS_REASON + 0x8000,
    QL_TLS_REFUSED = QL_TLS_REASON + 0x7fff /* none of these: some other part
                                               of OpenSSL failed */
};

/* Of the first error in OpenSSL's queue; ssl may be NULL. */
int ql_tls_error(const SSL *ssl);
/* "certificate has expired" / "CERT_HAS_EXPIRED", for no errno. */
void ql_tls_error_text(int err, char *to, size_t size);
void ql_tls_error_code(int err, char *to, size_t size);

/* ---- make.c: a context, made by a thread ---- */

/* Text of PEM, but where it says otherwise; {NULL, 0}: none. */
enum {
    QL_TLS_CERT, /* with the chain behind it */
    QL_TLS_KEY,
    QL_TLS_PASSWORD, /* of the key; as is */
    QL_TLS_CA,       /* certificates that are trusted */
    QL_TLS_CRL,
    QL_TLS_CIPHERS,    /* of TLS 1.2, names with colons */
    QL_TLS_SUITES,     /* of TLS 1.3, likewise */
    QL_TLS_GROUPS,     /* of the key exchange, likewise */
    QL_TLS_ALPN,       /* as on the wire: length, name, ... */
    QL_TLS_TICKET_KEY, /* 80 bytes */
    QL_TLS_STAPLE,     /* OCSP response, DER */
    QL_TLS_ID,         /* of those that are the same to a connection */
    QL_TLS_TEXTS
};

enum {
    QL_TLS_TICKET_KEY_SIZE = 80,
    QL_TLS_ID_SIZE = 32
};

typedef struct {
    const char *data;
    size_t size;
} ql_tls_text_t;

typedef struct {
    ql_tls_text_t texts[QL_TLS_TEXTS];
    int verify;          /* SSL_VERIFY_*, of the peer's certificate */
    int min_version;     /* TLS1_2_VERSION or TLS1_3_VERSION */
    int max_version;     /* likewise */
    unsigned server : 1; /* else of clients */
    unsigned names : 1;  /* a handshake stops to be told the certificate */
    unsigned staple : 1; /* a client asks for an OCSP response */
    unsigned keylog : 1; /* handshakes keep the lines of a key log */
} ql_tls_conf_t;

typedef struct ql_tls_context_s {
    SSL_CTX *ssl;
    const BIO_METHOD *bio; /* of its connections; owned */
    const ql_sys_t *sys;
    uint32_t refs;        /* who made it, and each connection */
    uint32_t nsessions;   /* length of sessions */
    ql_queue_t sessions;  /* of a client, the last used first: session.c */
    ql_tls_text_t alpn;   /* in the server's order; owned */
    ql_tls_text_t staple; /* owned */
    unsigned char id[QL_TLS_ID_SIZE]; /* SHA-256 of what it was given as id */
    unsigned server : 1;
    unsigned ask_staple : 1;
} ql_tls_context_t;

typedef struct {
    ql_call_t call; /* first: ql_call_attempt(), ql_call_free() */
    ql_tls_conf_t conf;
    ql_tls_context_t *context; /* result, see ql_tls_make_take() */
    int what;     /* failed, err QL_TLS_*: which text is to blame, or -1 */
    int err;      /* failed: of ql_tls_error() */
    char why[96]; /* failed: OpenSSL's reason */
} ql_tls_make_t;

/* Copies conf's texts, and keeps no copy when it is done. NULL: ENOMEM. */
ql_tls_make_t *ql_tls_make(ql_loop_t *loop, const ql_tls_conf_t *conf);
/* After NGX_OK, once; then the caller's to unref. */
ql_tls_context_t *ql_tls_make_take(ql_tls_make_t *make);

/* ---- context.c ---- */

/* One reference; NULL: ENOMEM. Any thread. */
ql_tls_context_t *ql_tls_context_create(const ql_sys_t *sys, SSL_CTX *ssl);
void ql_tls_context_unref(ql_tls_context_t *context);
/* The functions that OpenSSL calls back. */
void ql_tls_context_callbacks(ql_tls_context_t *context,
                              const ql_tls_conf_t *conf);

/* ---- session.c: what a client resumes ---- */

/* Keeps the session (its own reference) for connections to name. */
void ql_tls_session_keep(ql_tls_context_t *context, const char *name,
                         SSL_SESSION *session);
/* NULL: none. */
SSL_SESSION *ql_tls_session_find(ql_tls_context_t *context, const char *name);
void ql_tls_sessions_drop(ql_tls_context_t *context);

/* ---- transport.c: TLS on one connection ---- */

typedef struct {
    ql_connection_t *c;
    SSL *ssl;
    ql_tls_context_t *context; /* referenced */
    ql_tls_context_t *chosen;  /* whose certificate it shows; NULL: context */
    void *data;                /* the owner's, while the handshake lasts */
    char *name;                /* of the peer, a client's; NULL: none */
    char *late;   /* what the handshake has to say, and what a read had to say
                     and the socket did not take */
    size_t nlate; /* bytes at late */
    char *keylog; /* lines of the key log */
    size_t nkeylog;
    int err;   /* failed for good: why */
    pid_t pid; /* of the process that speaks it; no child of that does */
    unsigned reading : 1; /* in SSL_read or the handshake: what they write may
                             be late */
    unsigned eof : 1;     /* the plain stream has ended */
    unsigned told : 1;    /* which certificate to show */
    unsigned refused : 1; /* none: the handshake fails with an alert */
    unsigned done : 1;    /* the handshake is */
} ql_tls_t;

typedef struct {
    const char *server_name; /* to ask for, NULL: none */
    const char *verify_name; /* host or IP the certificate is for; NULL: any */
    SSL_SESSION *session;    /* to resume; NULL: what the context has */
} ql_tls_peer_t;

extern const ql_os_io_t ql_tls_io; /* io.c */

/* Puts TLS on c. NULL with errno ENOMEM. It ends with c. */
ql_tls_t *ql_tls_start(ql_connection_t *c, ql_tls_context_t *context,
                       const ql_tls_peer_t *peer);
/* Whether the handshake was made with context, or one of its id, for name
 * (NULL: for none), and nothing has failed since. */
bool ql_tls_has(const ql_tls_t *t, const ql_tls_context_t *context,
                const char *name);
/* Takes it off again, and says nothing. */
void ql_tls_end(ql_tls_t *t);
/* Of a connection with TLS on it, else NULL. */
static inline ql_tls_t *
ql_tls_of(const ql_connection_t *c)
{
    return c->io == &ql_tls_io ? c->transport : NULL;
}
/* Call again. NGX_AGAIN: *wants is the event to wait for. NGX_DECLINED: the
 * peer has sent its hello, ql_tls_choose() comes next. NGX_ERROR: c->err. */
int ql_tls_handshake(ql_tls_t *t, ql_event_t **wants);
/* Shows the certificate of another context; NULL: of its own. */
int ql_tls_choose(ql_tls_t *t, ql_tls_context_t *context);
/* Shows none: the handshake goes on, to fail with the alert internal_error. */
void ql_tls_refuse(ql_tls_t *t);
/* The handshake of a server has failed because its client speaks HTTP without
 * TLS. */
bool ql_tls_met_http(const ql_tls_t *t);
/* What a call of SSL's, which returned rc, means for the direction of ev:
 * 0: the end, NGX_AGAIN, NGX_ERROR with c->err. */
ssize_t ql_tls_result(ql_tls_t *t, ql_event_t *ev, int rc);
/* Tells the peer that nothing follows. NGX_AGAIN: not all of it went out. */
int ql_tls_say_goodbye(ql_tls_t *t);

/* ---- bio.c: OpenSSL's bytes through the plain io table ---- */

/* NULL: no memory. */
BIO_METHOD *ql_tls_bio_method(void);
/* NULL: no memory. Its data is t. */
BIO *ql_tls_bio_create(ql_tls_t *t);
/* Sends what is late: NGX_OK, NGX_AGAIN, NGX_ERROR. */
int ql_tls_flush(ql_tls_t *t);
/* The same at the connection's end: whatever epoll has said, as much of it as
 * the socket takes. */
void ql_tls_press(ql_tls_t *t);

#endif
