/*
 * make.c: a context made of texts, by a thread: hundreds of certificates of a
 * system's store, or a key behind a password, take milliseconds.
 */
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
    "DHE-RSA-CHACHA20-POLY1305";

enum {
    SERVER_SESSIONS = 4096 /* of TLS 1.2 without tickets, kept by number */
};

static const ql_tls_text_t *
text_of(const ql_tls_make_t *make, int what)
{
    return &make->conf.texts[what];
}

static BIO *
open_text(const ql_tls_make_t *make, int what)
{
    const ql_tls_text_t *text = text_of(make, what);

    return BIO_new_mem_buf(text->data, (int) text->size);
}

/* ------------------------------------------------------ certificate ---- */

/* No password: none is asked for on a terminal. */
static int
on_password(char *buf, int size, int writing, void *data)
{
    const ql_tls_text_t *password = data;

    (void) writing;
    if (password->size > (size_t) size) {
        return -1;
    }
    if (password->size > 0) {
        memcpy(buf, password->data, password->size);
    }
    return (int) password->size;
}

/* What ends the reading of a text well is that nothing more begins. */
static bool
all_read(void)
{
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        return false;
    }
    ERR_clear_error();
    return true;
}

static bool
add_chain(SSL_CTX *ssl, BIO *bio)
{
    X509 *next;

    while ((next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(ssl, next) != 1) {
            X509_free(next);
            return false;
        }
    }
    return all_read();
}

static bool
set_cert(ql_tls_make_t *make, SSL_CTX *ssl)
{
    BIO *bio = open_text(make, QL_TLS_CERT);
    X509 *cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    bool ok = cert != NULL && SSL_CTX_use_certificate(ssl, cert) == 1
           && add_chain(ssl, bio);

    X509_free(cert);
    BIO_free(bio);
    return ok;
}

static bool
set_key(ql_tls_make_t *make, SSL_CTX *ssl)
{
    BIO *bio = open_text(make, QL_TLS_KEY);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, on_password,
                                            &make->conf.texts[QL_TLS_PASSWORD]);
    bool ok = key != NULL && SSL_CTX_use_PrivateKey(ssl, key) == 1;

    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok;
}

/* ------------------------------------------------------------ trust ---- */

/* Names the authorities to clients that a server asks for a certificate. */
static bool
trust(const ql_tls_make_t *make, SSL_CTX *ssl, X509 *cert)
{
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), cert) == 1
        && (!make->conf.server || SSL_CTX_add_client_CA(ssl, cert) == 1);
}

static bool
set_ca(ql_tls_make_t *make, SSL_CTX *ssl)
{
    BIO *bio = open_text(make, QL_TLS_CA);
    bool ok = true;
    int n = 0;
    X509 *cert;

    while (ok && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        ok = trust(make, ssl, cert);
        X509_free(cert);
        n++;
    }
    BIO_free(bio);
    return ok && n > 0 && all_read();
}

static bool
set_crl(ql_tls_make_t *make, SSL_CTX *ssl)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    BIO *bio = open_text(make, QL_TLS_CRL);
    bool ok = true;
    int n = 0;
    X509_CRL *crl;

    while (ok && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
        ok = X509_STORE_add_crl(store, crl) == 1;
        X509_CRL_free(crl);
        n++;
    }
    BIO_free(bio);
    return ok && n > 0 && all_read()
        && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1;
}

/* ---------------------------------------------------------- choices ---- */

static bool
set_ciphers(ql_tls_make_t *make, SSL_CTX *ssl)
{
    return SSL_CTX_set_cipher_list(ssl, text_of(make, QL_TLS_CIPHERS)->data)
        == 1;
}

static bool
set_suites(ql_tls_make_t *make, SSL_CTX *ssl)
{
    return SSL_CTX_set_ciphersuites(ssl, text_of(make, QL_TLS_SUITES)->data)
        == 1;
}

static bool
set_groups(ql_tls_make_t *make, SSL_CTX *ssl)
{
    return SSL_CTX_set1_groups_list(ssl, text_of(make, QL_TLS_GROUPS)->data)
        == 1;
}

static bool
set_alpn(ql_tls_make_t *make, SSL_CTX *ssl)
{
    const ql_tls_text_t *alpn = text_of(make, QL_TLS_ALPN);

    return make->conf.server
        || SSL_CTX_set_alpn_protos(ssl, (const unsigned char *) alpn->data,
                                   (unsigned) alpn->size)
               == 0;
}

static bool
set_ticket_key(ql_tls_make_t *make, SSL_CTX *ssl)
{
    const ql_tls_text_t *key = text_of(make, QL_TLS_TICKET_KEY);

    return SSL_CTX_set_tlsext_ticket_keys(ssl, (void *) (uintptr_t) key->data,
                                          (long) key->size)
        == 1;
}

static bool
sha256(const ql_tls_text_t *t, unsigned char md[EVP_MAX_MD_SIZE])
{
    return EVP_Digest(t->data, t->size, md, NULL, EVP_sha256(), NULL) == 1;
}

/* Sessions of contexts that trust others are not resumed here. */
static bool
set_session_context(ql_tls_make_t *make, SSL_CTX *ssl)
{
    unsigned char id[EVP_MAX_MD_SIZE];

    if (!sha256(text_of(make, QL_TLS_CA), id)) {
        return false;
    }
    id[0] = (unsigned char) make->conf.verify;
    return SSL_CTX_set_session_id_context(ssl, id, QL_TLS_ID_SIZE) == 1;
}

static bool
set_modes(ql_tls_make_t *make, SSL_CTX *ssl)
{
    const ql_tls_conf_t *conf = &make->conf;

    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                              | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_security_level(ssl, 2);
    SSL_CTX_set_dh_auto(ssl, 1);
    SSL_CTX_set_verify(ssl, conf->verify, NULL);
    SSL_CTX_set_session_cache_mode(
        ssl, conf->server
                 ? SSL_SESS_CACHE_SERVER
                 : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_cache_size(ssl, SERVER_SESSIONS);
    return SSL_CTX_set_min_proto_version(ssl, conf->min_version) == 1
        && SSL_CTX_set_max_proto_version(ssl, conf->max_version) == 1
        && SSL_CTX_set_cipher_list(ssl, ciphers) == 1
        && set_session_context(make, ssl);
}

/* ------------------------------------------------------------- make ---- */

static bool (*const setters[QL_TLS_TEXTS])(ql_tls_make_t *, SSL_CTX *) = {
    [QL_TLS_CERT] = set_cert,
    [QL_TLS_KEY] = set_key,
    [QL_TLS_CA] = set_ca,
    [QL_TLS_CRL] = set_crl,
    [QL_TLS_CIPHERS] = set_ciphers,
    [QL_TLS_SUITES] = set_suites,
    [QL_TLS_GROUPS] = set_groups,
    [QL_TLS_ALPN] = set_alpn,
    [QL_TLS_TICKET_KEY] = set_ticket_key,
};

static bool
configure(ql_tls_make_t *make, SSL_CTX *ssl)
{
    make->what = -1;
    if (!set_modes(make, ssl)) {
        return false;
    }
    for (int i = 0; i < QL_TLS_TEXTS; i++) {
        make->what = i;
        if (setters[i] != NULL && text_of(make, i)->size > 0
            && !setters[i](make, ssl)) {
            return false;
        }
    }
    return true;
}

/* The context takes over the texts that it goes on using. */
static void
hand_over(ql_tls_text_t *to, ql_tls_text_t *from)
{
    *to = *from;
    *from = (ql_tls_text_t){NULL, 0};
}

static bool
build(ql_tls_make_t *make)
{
    SSL_CTX *ssl = SSL_CTX_new(TLS_method());
    ql_tls_context_t *context = NULL;
    unsigned char id[EVP_MAX_MD_SIZE];

    if (ssl != NULL && configure(make, ssl)
        && sha256(text_of(make, QL_TLS_ID), id)) {
        make->what = -1;
        context = ql_tls_context_create(ql_loop_sys(make->call.loop), ssl);
    }
    if (context == NULL) {
        SSL_CTX_free(ssl);
        return false;
    }
    memcpy(context->id, id, sizeof(context->id));
    context->server = make->conf.server;
    context->ask_staple = make->conf.staple;
    hand_over(&context->alpn, &make->conf.texts[QL_TLS_ALPN]);
    hand_over(&context->staple, &make->conf.texts[QL_TLS_STAPLE]);
    ql_tls_context_callbacks(context, &make->conf);
    make->context = context;
    return true;
}

static void
forget(ql_tls_make_t *make)
{
    const ql_sys_t *sys = ql_loop_sys(make->call.loop);

    for (int i = 0; i < QL_TLS_TEXTS; i++) {
        ql_tls_text_t *text = &make->conf.texts[i];

        if (text->data != NULL) {
            OPENSSL_cleanse((void *) (uintptr_t) text->data, text->size);
        }
        sys->free((void *) (uintptr_t) text->data);
        *text = (ql_tls_text_t){NULL, 0};
    }
}

static void
make_run(ql_call_t *call)
{
    ql_tls_make_t *make = (ql_tls_make_t *) call;
    const char *why;

    ERR_clear_error();
    call->res = build(make) ? 0 : -1;
    if (call->res == -1) {
        why = ERR_reason_error_string(ERR_peek_error());
        make->err = ql_tls_error(NULL);
        strncpy(make->why, why != NULL ? why : "", sizeof(make->why) - 1);
        call->err = make->err == ENOMEM || make->what < 0 ? ENOMEM : EINVAL;
    }
    forget(make);
    /* What OpenSSL keeps for the thread a forked child could never free. */
    OPENSSL_thread_stop();
}

static void
make_release(ql_call_t *call)
{
    ql_tls_make_t *make = (ql_tls_make_t *) call;

    forget(make);
    if (make->context != NULL) {
        ql_tls_context_unref(make->context);
    }
}

static const ql_call_type_t make_type = {"tls context", NULL, make_run,
                                         make_release,  NULL, NULL};

static bool
copy_text(const ql_sys_t *sys, ql_tls_text_t *to, const ql_tls_text_t *from)
{
    char *data;

    if (from->data == NULL) {
        return true;
    }
    data = sys->malloc(from->size + 1);
    if (data == NULL) {
        return false;
    }
    memcpy(data, from->data, from->size);
    data[from->size] = '\0';
    *to = (ql_tls_text_t){data, from->size};
    return true;
}

ql_tls_make_t *
ql_tls_make(ql_loop_t *loop, const ql_tls_conf_t *conf)
{
    ql_tls_make_t *make = ql_call_create(loop, &make_type, sizeof(*make));

    if (make == NULL) {
        return NULL;
    }
    make->conf = *conf;
    memset(make->conf.texts, 0, sizeof(make->conf.texts));
    for (int i = 0; i < QL_TLS_TEXTS; i++) {
        if (!copy_text(ql_loop_sys(loop), &make->conf.texts[i],
                       &conf->texts[i])) {
            ql_call_free(&make->call);
            errno = ENOMEM;
            return NULL;
        }
    }
    return make;
}

ql_tls_context_t *
ql_tls_make_take(ql_tls_make_t *make)
{
    ql_tls_context_t *context = make->context;

    make->context = NULL;
    return context;
}
