/*
 * transport.c: TLS on one connection, from its start to the end of its
 * handshake, and what OpenSSL's answers mean for the connection's events.
 */
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

/* ------------------------------------------------------------ start ---- */

static int
set_verify_name(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    X509_VERIFY_PARAM_set_hostflags(param,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1
        || X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

/* An address is no name to ask for: RFC 6066, 3. */
static bool
is_address(const char *name)
{
    struct in6_addr addr;

    return inet_pton(AF_INET, name, &addr) == 1
        || inet_pton(AF_INET6, name, &addr) == 1;
}

static void
set_session(ql_tls_t *t, SSL_SESSION *session)
{
    if (session == NULL && t->name != NULL) {
        session = ql_tls_session_find(t->context, t->name);
    }
    if (session != NULL) {
        (void) SSL_set_session(t->ssl, session);
    }
}

static bool
prepare_client(ql_tls_t *t, const ql_tls_peer_t *peer)
{
    const char *name = peer->server_name;

    SSL_set_connect_state(t->ssl);
    if (name != NULL && !is_address(name)
        && SSL_set_tlsext_host_name(t->ssl, name) != 1)
    {
        return false;
    }
    if (peer->verify_name != NULL
        && !set_verify_name(t->ssl, peer->verify_name)) {
        return false;
    }
    if (t->context->ask_staple) {
        SSL_set_tlsext_status_type(t->ssl, TLSEXT_STATUSTYPE_ocsp);
    }
    set_session(t, peer->session);
    return true;
}

static void
release(ql_tls_t *t)
{
    const ql_sys_t *sys = t->context->sys;

    SSL_free(t->ssl);
    if (t->chosen != NULL) {
        ql_tls_context_unref(t->chosen);
    }
    ql_tls_context_unref(t->context);
    sys->free(t->name);
    sys->free(t->late);
    sys->free(t->keylog);
    sys->free(t);
}

void
ql_tls_end(ql_tls_t *t)
{
    t->c->transport = NULL;
    t->c->io = &ql_os_io;
    release(t);
}

static bool
set_name(ql_tls_t *t, const ql_tls_peer_t *peer)
{
    const char *name = peer->verify_name != NULL ? peer->verify_name
                                                 : peer->server_name;

    if (name == NULL) {
        return true;
    }
    t->name = t->context->sys->malloc(strlen(name) + 1);
    if (t->name != NULL) {
        memcpy(t->name, name, strlen(name) + 1);
    }
    return t->name != NULL;
}

static bool
prepare(ql_tls_t *t, const ql_tls_peer_t *peer)
{
    BIO *bio;

    t->ssl = SSL_new(t->context->ssl);
    bio = t->ssl != NULL ? ql_tls_bio_create(t) : NULL;
    if (bio == NULL) {
        return false;
    }
    SSL_set_bio(t->ssl, bio, bio);
    (void) SSL_set_app_data(t->ssl, t);
    if (t->context->server) {
        SSL_set_accept_state(t->ssl);
        return true;
    }
    return set_name(t, peer) && prepare_client(t, peer);
}

ql_tls_t *
ql_tls_start(ql_connection_t *c, ql_tls_context_t *context,
             const ql_tls_peer_t *peer)
{
    ql_tls_t *t = context->sys->malloc(sizeof(*t));

    if (t == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *t = (ql_tls_t){.c = c, .context = context, .pid = ql_loop_pid(c->loop)};
    context->refs++;
    ERR_clear_error();
    if (!prepare(t, peer)) {
        ERR_clear_error();
        release(t);
        errno = ENOMEM;
        return NULL;
    }
    if (c->transport != NULL) { /* descriptors: none come from now on */
        c->io->close(c);
    }
    c->transport = t;
    c->io = &ql_tls_io;
    return t;
}

bool
ql_tls_has(const ql_tls_t *t, const ql_tls_context_t *context, const char *name)
{
    return t->done && t->err == 0
        && memcmp(t->context->id, context->id, sizeof(context->id)) == 0
        && (t->name == NULL || name == NULL ? t->name == name
                                            : strcmp(t->name, name) == 0);
}

/* ---------------------------------------------------------- results ---- */

static ssize_t
failed(ql_tls_t *t, ql_event_t *ev)
{
    char text[128];

    t->err = ql_tls_error(t->ssl);
    t->c->err = t->err;
    ev->ready = 0;
    ev->eof = 0;
    ev->error = 1;
    ql_tls_error_text(t->err, text, sizeof(text));
    ql_log_error(t->c->loop, QL_LOG_INFO, 0, "tls of connection *%llu: %s",
                 (unsigned long long) t->c->number, text);
    ERR_clear_error();
    return NGX_ERROR;
}

ssize_t
ql_tls_result(ql_tls_t *t, ql_event_t *ev, int rc)
{
    int kind = SSL_get_error(t->ssl, rc);

    /* What OpenSSL says of a write, too, that the system has refused once the
     * peer had said that it will send no more. */
    if (kind == SSL_ERROR_ZERO_RETURN && ev->write) {
        kind = SSL_ERROR_SYSCALL;
    }
    switch (kind) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return NGX_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        ev->ready = 0;
        ev->eof = 1;
        return 0;
    case SSL_ERROR_SYSCALL: /* c->err is what the plain io table said */
        ERR_clear_error();
        ev->ready = 0;
        ev->error = 1;
        return NGX_ERROR;
    default:
        return failed(t, ev);
    }
}

/* -------------------------------------------------------- handshake ---- */

static int
shaken(ql_tls_t *t)
{
    t->told = 1;
    /* What the peer has sent behind its last message is read ahead by now. */
    if (SSL_has_pending(t->ssl)) {
        t->c->read.ready = 1;
    }
    return NGX_OK;
}

/* One step: NGX_OK, NGX_AGAIN, NGX_DECLINED, NGX_ERROR. */
static int
step(ql_tls_t *t)
{
    int rc;

    ERR_clear_error();
    t->reading = 1;
    rc = SSL_do_handshake(t->ssl);
    t->reading = 0;
    if (rc == 1) {
        return NGX_OK;
    }
    if (SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_X509_LOOKUP) {
        return NGX_DECLINED;
    }
    return (int) ql_tls_result(t, &t->c->read, rc);
}

/* What has been said goes out. Of a server that has done its handshake these
 * are tickets: a peer that is gone may have left something to read, and one
 * that does not read yet, which all need but TLS 1.3, gets them later. */
static int
say(ql_tls_t *t)
{
    int rc = ql_tls_flush(t);
    bool tickets = t->done && t->context->server
                && (rc == NGX_ERROR || SSL_version(t->ssl) >= TLS1_3_VERSION);

    return tickets ? NGX_OK : rc;
}

/* Everything is said before anything is waited for. */
int
ql_tls_handshake(ql_tls_t *t, ql_event_t **wants)
{
    int said = say(t);
    int rc = NGX_OK;

    if (said == NGX_OK && !t->done) {
        rc = step(t);
        t->done = rc == NGX_OK;
        said = rc == NGX_OK || rc == NGX_AGAIN ? say(t) : NGX_OK;
    }
    *wants = said == NGX_AGAIN || SSL_want_write(t->ssl) ? &t->c->write
                                                         : &t->c->read;
    rc = said == NGX_OK ? rc : said;
    if (rc == NGX_ERROR && t->err == 0) {
        t->err = t->c->err;
    }
    return rc == NGX_OK ? shaken(t) : rc;
}

int
ql_tls_choose(ql_tls_t *t, ql_tls_context_t *context)
{
    STACK_OF(X509) *chain = NULL;
    X509 *cert;
    EVP_PKEY *key;

    t->told = 1;
    if (context == NULL || context == t->context) {
        return NGX_OK;
    }
    cert = SSL_CTX_get0_certificate(context->ssl);
    key = SSL_CTX_get0_privatekey(context->ssl);
    (void) SSL_CTX_get0_chain_certs(context->ssl, &chain);
    ERR_clear_error();
    SSL_certs_clear(t->ssl);
    if (cert == NULL || SSL_use_cert_and_key(t->ssl, cert, key, chain, 1) != 1)
    {
        (void) failed(t, &t->c->read);
        return NGX_ERROR;
    }
    context->refs++;
    t->chosen = context;
    return NGX_OK;
}

void
ql_tls_refuse(ql_tls_t *t)
{
    t->refused = 1;
}

bool
ql_tls_met_http(const ql_tls_t *t)
{
    return t->context->server && t->err == QL_TLS_REASON + SSL_R_HTTP_REQUEST;
}

int
ql_tls_say_goodbye(ql_tls_t *t)
{
    if (t->err != 0 || !t->done || t->c->held || t->c->write.error) {
        return NGX_OK;
    }
    /* A second one would read, and throw away what has come. */
    if ((SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN) == 0) {
        ERR_clear_error();
        t->reading = 1;
        (void) SSL_shutdown(t->ssl);
        t->reading = 0;
        ERR_clear_error();
    }
    return t->nlate > 0 ? NGX_AGAIN : NGX_OK;
}
