/*
 * context.c: what connections of one configuration share, and what OpenSSL
 * calls back about them.
 */
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

ql_tls_context_t *
ql_tls_context_create(const ql_sys_t *sys, SSL_CTX *ssl)
{
    ql_tls_context_t *context = sys->malloc(sizeof(*context));

    if (context == NULL) {
        return NULL;
    }
    *context = (ql_tls_context_t){.sys = sys, .refs = 1};
    ql_queue_init(&context->sessions);
    context->bio = ql_tls_bio_method();
    if (context->bio == NULL) {
        sys->free(context);
        return NULL;
    }
    context->ssl = ssl;
    SSL_CTX_set_app_data(ssl, context);
    return context;
}

static void
free_text(const ql_sys_t *sys, const ql_tls_text_t *text)
{
    sys->free((void *) (uintptr_t) text->data);
}

void
ql_tls_context_unref(ql_tls_context_t *context)
{
    if (--context->refs > 0) {
        return;
    }
    ql_tls_sessions_drop(context);
    SSL_CTX_free(context->ssl);
    BIO_meth_free((BIO_METHOD *) (uintptr_t) context->bio);
    free_text(context->sys, &context->alpn);
    free_text(context->sys, &context->staple);
    context->sys->free(context);
}

/* -------------------------------------------------------- callbacks ---- */

/* Before the first certificate is shown: who owns the connection is asked. */
static int
on_certificate(SSL *ssl, void *data)
{
    const ql_tls_t *t = SSL_get_app_data(ssl);

    (void) data;
    return t->refused ? 0 : t->told ? 1 : -1;
}

/* The server's order counts. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *size,
        const unsigned char *in, unsigned in_size, void *data)
{
    const ql_tls_context_t *context = data;
    unsigned char *selected;

    (void) ssl;
    if (SSL_select_next_proto(&selected, size,
                              (const unsigned char *) context->alpn.data,
                              (unsigned) context->alpn.size, in, in_size)
        != OPENSSL_NPN_NEGOTIATED)
    {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

static int
on_staple(SSL *ssl, void *data)
{
    const ql_tls_t *t = SSL_get_app_data(ssl);
    const ql_tls_text_t *staple = t->chosen != NULL ? &t->chosen->staple
                                                    : &t->context->staple;
    unsigned char *copy;

    (void) data;
    if (!SSL_is_server(ssl)) {
        return 1;
    }
    copy = staple->size > 0 ? OPENSSL_memdup(staple->data, staple->size) : NULL;
    if (copy == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long) staple->size);
    return SSL_TLSEXT_ERR_OK;
}

static int
on_session(SSL *ssl, SSL_SESSION *session)
{
    ql_tls_t *t = SSL_get_app_data(ssl);

    if (t->name != NULL && SSL_SESSION_is_resumable(session)) {
        ql_tls_session_keep(t->context, t->name, session);
    }
    return 0;
}

static void
on_keylog(const SSL *ssl, const char *line)
{
    ql_tls_t *t = SSL_get_app_data(ssl);
    size_t size = strlen(line);
    char *lines;

    if (t == NULL || t->done) {
        return;
    }
    lines = t->context->sys->realloc(t->keylog, t->nkeylog + size + 1);
    if (lines != NULL) {
        memcpy(lines + t->nkeylog, line, size);
        lines[t->nkeylog + size] = '\n';
        t->nkeylog += size + 1;
        t->keylog = lines;
    }
}

void
ql_tls_context_callbacks(ql_tls_context_t *context, const ql_tls_conf_t *conf)
{
    SSL_CTX *ssl = context->ssl;

    if (conf->server && conf->names) {
        SSL_CTX_set_cert_cb(ssl, on_certificate, NULL);
    }
    if (conf->server && context->alpn.size > 0) {
        SSL_CTX_set_alpn_select_cb(ssl, on_alpn, context);
    }
    if (!conf->server) {
        SSL_CTX_sess_set_new_cb(ssl, on_session);
    }
    SSL_CTX_set_tlsext_status_cb(ssl, on_staple);
    if (conf->keylog) {
        SSL_CTX_set_keylog_callback(ssl, on_keylog);
    }
}
