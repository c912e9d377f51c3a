/*
 * info.c: what a script can see of TLS on a connection: the handshake's
 * outcome, the peer's certificate, the session, the lines of a key log.
 */
#include "core_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static void
set_string(lua_State *L, const char *name, const char *value)
{
    if (value != NULL) {
        lua_pushstring(L, value);
        lua_setfield(L, -2, name);
    }
}

/* ------------------------------------------------------ certificate ---- */

/* What OpenSSL has made for the time of a call. Lua lets it go: pushing values
 * may raise. */
typedef struct {
    BIO *bio;
    GENERAL_NAMES *names;
} made_t;

static const char MADE[] = "quoll.tls made"; /* its metatable's name */

static int
made_collect(lua_State *L)
{
    made_t *made = lua_touserdata(L, 1);

    BIO_free(made->bio);
    GENERAL_NAMES_free(made->names);
    *made = (made_t){NULL, NULL};
    return 0;
}

static made_t *
push_made(lua_State *L)
{
    made_t *made = lua_newuserdata(L, sizeof(*made));

    *made = (made_t){NULL, NULL};
    luaL_getmetatable(L, MADE);
    lua_setmetatable(L, -2);
    return made;
}

/* "CN=a.example,O=Example": RFC 2253, names in UTF-8. */
static void
set_name(lua_State *L, const char *field, const X509_NAME *name, made_t *made)
{
    char *text;
    long size;

    made->bio = BIO_new(BIO_s_mem());
    if (made->bio != NULL
        && X509_NAME_print_ex(made->bio, name, 0,
                              XN_FLAG_RFC2253
                                  & ~(unsigned) ASN1_STRFLGS_ESC_MSB)
               >= 0)
    {
        size = BIO_get_mem_data(made->bio, &text);
        lua_pushlstring(L, text, (size_t) size);
        lua_setfield(L, -2, field);
    }
    BIO_free(made->bio);
    made->bio = NULL;
}

static void
set_time(lua_State *L, const char *field, const ASN1_TIME *at)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(at, &tm) == 1) {
        lua_pushnumber(L, (lua_Number) timegm(&tm));
        lua_setfield(L, -2, field);
    }
}

static void
set_fingerprint(lua_State *L, const X509 *cert)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char md[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE];
    unsigned size;
    size_t i;

    if (X509_digest(cert, EVP_sha256(), md, &size) != 1) {
        return;
    }
    for (i = 0; i < size; i++) {
        text[2 * i] = digits[md[i] >> 4];
        text[2 * i + 1] = digits[md[i] & 15];
    }
    lua_pushlstring(L, text, 2 * (size_t) size);
    lua_setfield(L, -2, "fingerprint");
}

/* A name is what it is: text with a zero byte is no terminated string. */
static bool
push_san(lua_State *L, const GENERAL_NAME *name)
{
    const ASN1_STRING *text;

    switch (name->type) {
    case GEN_DNS:
        lua_pushliteral(L, "DNS:");
        text = name->d.dNSName;
        break;
    case GEN_EMAIL:
        lua_pushliteral(L, "email:");
        text = name->d.rfc822Name;
        break;
    case GEN_URI:
        lua_pushliteral(L, "URI:");
        text = name->d.uniformResourceIdentifier;
        break;
    default:
        return false;
    }
    lua_pushlstring(L, (const char *) ASN1_STRING_get0_data(text),
                    (size_t) ASN1_STRING_length(text));
    lua_concat(L, 2);
    return true;
}

static bool
push_address(lua_State *L, const GENERAL_NAME *name)
{
    char text[64];
    ql_sockaddr_t addr = {.len = 0};
    const ASN1_STRING *ip = name->d.iPAddress;
    int size = ASN1_STRING_length(ip);

    if (size == 4) {
        addr.u.in.sin_family = AF_INET;
        memcpy(&addr.u.in.sin_addr, ASN1_STRING_get0_data(ip), 4);
    } else if (size == 16) {
        addr.u.in6.sin6_family = AF_INET6;
        memcpy(&addr.u.in6.sin6_addr, ASN1_STRING_get0_data(ip), 16);
    } else {
        return false;
    }
    if (inet_ntop(addr.u.sa.sa_family,
                  size == 4 ? (const void *) &addr.u.in.sin_addr
                            : (const void *) &addr.u.in6.sin6_addr,
                  text, sizeof(text))
        == NULL)
    {
        return false;
    }
    lua_pushfstring(L, "IP:%s", text);
    return true;
}

static void
set_sans(lua_State *L, const X509 *cert, made_t *made)
{
    int n = 0;

    lua_newtable(L);
    made->names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(made->names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(made->names, i);

        if (name->type == GEN_IPADD ? push_address(L, name) : push_san(L, name))
        {
            lua_rawseti(L, -2, ++n);
        }
    }
    lua_setfield(L, -2, "sans");
}

static void
set_peer(lua_State *L, const SSL *ssl)
{
    const X509 *cert = SSL_get0_peer_certificate(ssl);
    made_t *made;

    if (cert == NULL) {
        return;
    }
    made = push_made(L);
    lua_createtable(L, 0, 7);
    set_name(L, "subject", X509_get_subject_name(cert), made);
    set_name(L, "issuer", X509_get_issuer_name(cert), made);
    set_time(L, "not_before", X509_get0_notBefore(cert));
    set_time(L, "not_after", X509_get0_notAfter(cert));
    set_fingerprint(L, cert);
    set_sans(L, cert, made);
    lua_setfield(L, -3, "peer");
    lua_pop(L, 1);
}

/* -------------------------------------------------------- functions ---- */

static void
set_staple(lua_State *L, SSL *ssl)
{
    const unsigned char *response;
    long size = SSL_get_tlsext_status_ocsp_resp(ssl, &response);

    if (!SSL_is_server(ssl) && size > 0) {
        lua_pushlstring(L, (const char *) response, (size_t) size);
        lua_setfield(L, -2, "ocsp_response");
    }
}

/* verified: the peer's certificate was asked for, shown and found good. */
static void
set_verified(lua_State *L, const SSL *ssl)
{
    lua_pushboolean(L, SSL_get0_peer_certificate(ssl) != NULL
                           && (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0
                           && SSL_get_verify_result(ssl) == X509_V_OK);
    lua_setfield(L, -2, "verified");
}

/* info(conn) -> table | nil, err, CODE */
static int
tls_info(lua_State *L)
{
    ql_tls_t *t = ql__tls_check(L, "tlsinfo");
    const unsigned char *alpn;
    unsigned size;

    if (t == NULL) {
        return 3;
    }
    lua_createtable(L, 0, 8);
    set_string(L, "version", SSL_get_version(t->ssl));
    set_string(L, "cipher", SSL_get_cipher_name(t->ssl));
    set_string(L, "server_name",
               SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name));
    SSL_get0_alpn_selected(t->ssl, &alpn, &size);
    if (size > 0) {
        lua_pushlstring(L, (const char *) alpn, size);
        lua_setfield(L, -2, "alpn");
    }
    lua_pushboolean(L, SSL_session_reused(t->ssl));
    lua_setfield(L, -2, "reused");
    set_verified(L, t->ssl);
    set_staple(L, t->ssl);
    set_peer(L, t->ssl);
    return 1;
}

/* name(conn) -> the name that the client asks for, or nil */
static int
tls_name(lua_State *L)
{
    const ql_tls_t *t = ql__tls_check(L, "tlsname");

    lua_pushstring(
        L, t == NULL ? NULL
                     : SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name));
    return 1;
}

/* keylog(conn) -> lines, once, or nil */
static int
tls_keylog(lua_State *L)
{
    ql_tls_t *t = ql__tls_check(L, "keylog");

    if (t == NULL || t->keylog == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushlstring(L, t->keylog, t->nkeylog);
    t->context->sys->free(t->keylog);
    t->keylog = NULL;
    t->nkeylog = 0;
    return 1;
}

/* session(conn) -> what can be resumed, as text | nil, err, CODE */
static int
tls_session(lua_State *L)
{
    ql_tls_t *t = ql__tls_check(L, "tlssession");
    SSL_SESSION *session;
    unsigned char *der;
    int size;

    if (t == NULL) {
        return 3;
    }
    session = SSL_get0_session(t->ssl);
    if (session == NULL || !SSL_SESSION_is_resumable(session)) {
        return ql_push_error(L, ENODATA);
    }
    size = i2d_SSL_SESSION(session, NULL);
    if (size <= 0) {
        return ql_push_error(L, ENOMEM);
    }
    der = lua_newuserdata(L, (size_t) size); /* pushing may raise */
    (void) i2d_SSL_SESSION(session, &der);
    lua_pushlstring(L, lua_touserdata(L, -1), (size_t) size);
    return 1;
}

void
ql__open_info(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"info", tls_info},
                                   {"name", tls_name},
                                   {"keylog", tls_keylog},
                                   {"session", tls_session},
                                   {NULL, NULL}};

    (void) luaL_newmetatable(L, MADE);
    lua_pushcfunction(L, made_collect);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_pushlightuserdata(L, lua);
    luaL_setfuncs(L, fns, 1);
}
